"""Lava as the referee of arithmetic, for the tests of the ladder's rungs."""

import contextlib
import os
import pickle
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from export import netx

PATIENCE_S = 240


class Referee:
    """Lava's models in a process of their own, in its runtime or without it (``referee.py`` says how)."""

    def __init__(self, mode, root, folder):
        self.folder, self.number = folder, 0
        with (folder / f"{mode}.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", str(Path(__file__).with_name("referee.py")), mode],
                cwd=root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)},
                start_new_session=True,
            )

    def run(self, cases, samples=None):
        """What Lava's neurons did, for every case and sample a list of {"spikes", "u", "v"} a layer.

        Shapes are the reference's. ``samples`` picks some of each case's, all by default.
        """
        nets, inputs = [], []
        for case in cases:
            path = self.folder / f"{self.number}.net"
            self.number += 1
            netx.write(case.network, path)
            nets.append(path)
            inputs.append(self.input_of(case, case.spikes if samples is None else case.spikes[samples]))
        found = self._ask({"nets": nets, "stock": [case.stock for case in cases], "inputs": inputs})
        for path in nets:
            path.unlink()
        return [
            [self.as_reference(case, layers) for layers in (answers if samples is None else [answers])]
            for case, answers in zip(cases, found, strict=True)
        ]

    @staticmethod
    def input_of(case, spikes):
        """(..., channel, height, width, time) as Lava takes it: (..., width, height, channel, time), or flat."""
        layers = case.network.layers
        flat = layers[0].neuron is None and len(layers[1].shape) == 1
        places = case.network.input_shape
        if flat:
            return spikes.reshape(*spikes.shape[: -1 - len(places)], -1, spikes.shape[-1])
        first = spikes.ndim - 1 - len(places)
        axes = (*range(first), *range(first + len(places) - 1, first - 1, -1), spikes.ndim - 1)
        return np.ascontiguousarray(spikes.transpose(axes))

    @staticmethod
    def as_reference(case, layers):
        """Shapes of Lava's traces as the reference has them, by layer's name."""
        found = {}
        for (name, layer), trace in zip(case.network.spiking, layers, strict=True):
            turned = {
                key: np.moveaxis(value, -1, 0).transpose(0, *range(value.ndim - 1, 0, -1))
                for key, value in trace.items()
            }
            branches = getattr(layer.neuron, "branches", 0)
            if branches:
                u = turned["u"]
                turned["u"] = u.reshape(len(u), branches, *layer.shape)
            found[name] = {key: np.moveaxis(value, 0, -1) for key, value in turned.items()}
        return found

    def _ask(self, job):
        pickle.dump(job, self.process.stdin)
        self.process.stdin.flush()
        end = time.monotonic() + PATIENCE_S
        while not select.select([self.process.stdout], [], [], 0.2)[0]:
            assert self.process.poll() is None, "Lava's process ended without an answer"
            assert time.monotonic() < end, f"Lava gave no answer in {PATIENCE_S} s"
        answer = pickle.load(self.process.stdout)
        assert not isinstance(answer, str), answer
        return answer

    def close(self):
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def lava_models(root, tmp_path_factory):
    """Lava's own process models, stepped without its runtime: fast enough for hundreds of networks."""
    referee = Referee("models", root, tmp_path_factory.mktemp("models"))
    yield referee
    referee.close()


@pytest.fixture
def lava_runtime_probed(root, tmp_path):
    """Lava's runtime, all networks side by side in one start, currents and voltages read after every step."""
    referee = Referee("runtime", root, tmp_path)
    yield referee
    referee.close()


@pytest.fixture(scope="session")
def assert_same_trace():
    """assert_same_trace(found, wanted, where): spikes, then currents, then voltages; names neuron and step."""

    def check(found, wanted, where):
        for key in ("spikes", "u", "v"):
            ours, theirs = np.asarray(found[key], np.int64), np.asarray(wanted[key], np.int64)
            assert ours.shape == theirs.shape, (where, key, ours.shape, theirs.shape)
            if not np.array_equal(ours, theirs):
                places = np.argwhere(ours != theirs)
                *neuron, step = places[np.argmin(places[:, -1])]
                at = (*neuron, step)
                pytest.fail(
                    f"{where}: {key} of neuron {tuple(map(int, neuron))} at step {step} is {ours[at]}, not "
                    f"{theirs[at]}; {len(places)} differ"
                )

    return check
