"""A .net file as one long-lived Lava network, held by a process of its own that is watched."""

import contextlib
import json
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.reference import input_mantissas
from train.errors import MaestroError

Spikes = NDArray[np.uint8]

PATIENCE_S = 120.0
# Steps between two talks with Lava: enough to make the talk cheap, few enough for small files.
_BLOCK_STEPS = 4096
# What a wait for the worker costs at most before progress is looked at again.
_POLL_S = 0.1
# Seconds that processes get to end by themselves.
_GRACE_S = 5.0
# Layers a sink takes: lava_runtime.processes.sink.PORTS, which cannot be read without loading Lava.
_PORTS = 8


@dataclass(frozen=True)
class Description:
    """A network as Lava sees it.

    Parameters
    ----------
    input_shape
        (channel, height, width) or (neuron,).
    layer_shapes
        The same, of every spiking layer in order.
    memory
        What in the network outlives a reset, in words; empty if clips can follow each other in one run.
    transform
        (weight, offset) of an input layer with neurons, whose bias mantissas are weight * input + offset; None
        where the input is spikes.
    """

    input_shape: tuple[int, ...]
    layer_shapes: tuple[tuple[int, ...], ...]
    memory: str
    transform: tuple[int, int] | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons of every spiking layer."""
        return tuple(math.prod(shape) for shape in self.layer_shapes)


class LavaNetwork:
    """Streams samples through lava-dl's network of a .net file, in Lava's fixed-point simulator.

    Stock files run in stock Processes; layers with analog dendrites have neurons of this project
    (:mod:`lava_runtime.processes.dh_lif`), which run in the simulator only, and input neurons get their bias through
    a port (:mod:`lava_runtime.processes.biased_lif`). An average at the end is left off: its input is the output.

    Samples follow each other without a gap: the reset period is the samples' length T. With
    ``reset_offset=1`` the neurons of layer i (from 0) reset on the step on which sample k's first
    spikes can reach them, step k T + i + 1 from 0; what the layer before sent earlier arrived
    earlier, and what the synapse had summed is spent. So step t of sample k at layer i is step
    k T + t of the stream for t > i, and no spike for t <= i, exactly as in a fresh run of T steps.
    Input neurons add no step: with them all of this is a step earlier.
    Networks for which that does not hold (delays, recurrence, biases: spikes on the way outlive the
    reset, and no gap is sure to drain them) get a fresh Lava run for every sample; about half a
    second each.

    Lava runs in a session of its own (:mod:`lava_runtime.worker`). This side watches it: a step
    that takes longer than ``patience_s`` or a process that ends is an error, and whatever happens
    the whole session is gone afterwards.

    Parameters
    ----------
    net
        The .net file.
    patience_s
        Seconds without a time step after which Lava is taken for hung.
    stock
        Use Lava's own convolution model and channels instead of the same sum as a sparse product
        (:mod:`lava_runtime.processes.fast_conv`) and the same messages without threads
        (:mod:`lava_runtime.channels`). Same spikes, many times slower.

    Raises
    ------
    MaestroError
        The file is missing, or Lava cannot run it rightly.
    """

    def __init__(self, net: Path, *, patience_s: float = PATIENCE_S, stock: bool = False) -> None:
        if not net.is_file():
            raise MaestroError(str(net), "no such file", cure="make it with `python -m export netx RUN`")
        self.net = net
        self._patience_s = patience_s
        self._stock = stock
        self._files = tempfile.TemporaryDirectory(prefix="maestro-lava-")
        self._folder = Path(self._files.name)
        self._worker: subprocess.Popen[bytes] | None = None
        self._heard = b""
        self._idle = False
        self._built: tuple[int | None, int] | None = None
        self._time = 0
        try:
            self._launch()
            answer = self._ask({"do": "build", "net": str(net.resolve())})
        except BaseException:
            self.close()
            raise
        # Lava counts (width, height, channel).
        self.description = Description(
            tuple(answer["input"][::-1]),
            tuple(tuple(shape[::-1]) for shape in answer["layers"]),
            answer["memory"],
            tuple(answer["transform"]) if answer["transform"] else None,
        )

    def __enter__(self) -> "LavaNetwork":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stream(self, spikes: NDArray[Any], *, block_steps: int = _BLOCK_STEPS) -> Iterator[tuple[Spikes, ...] | int]:
        """Run samples one after the other.

        Parameters
        ----------
        spikes
            0 and 1, shape (sample, channel, height, width, time) or (sample, neuron, time); any whole numbers where
            the input layer has neurons (``description.transform``).
        block_steps
            Steps to run between two deliveries.

        Yields
        ------
        int or tuple of arrays
            Steps that were run since the last such number; and for each sample in turn every
            spiking layer's spikes, shape (neuron..., time).

        Raises
        ------
        MaestroError
            Lava failed, hung, or one of its processes ended; or the input leads to biases that Lava cannot hold.
        """
        if self.description.transform is not None:
            weight, offset = self.description.transform
            spikes = input_mantissas(spikes, weight, offset).astype(np.int32)
        samples, steps = spikes.shape[0], spikes.shape[-1]
        if self.description.memory:
            for sample in range(samples):
                self._build(None, steps)
                yield from self._block(spikes[sample : sample + 1], steps)
                self._built = None
            return
        per_block = max(1, min(block_steps // steps, samples))
        for first in range(0, samples, per_block):
            self._build(steps, per_block * steps)
            yield from self._block(spikes[first : first + per_block], steps)

    def close(self) -> None:
        """Stop Lava and every process of it. May be called twice."""
        worker, self._worker = self._worker, None
        try:
            if worker is not None:
                self._end(worker)
        finally:
            self._files.cleanup()

    def _build(self, period: int | None, rows: int) -> None:
        """Have a Lava network that resets every ``period`` steps and files that hold ``rows`` steps."""
        if self._built is not None and self._built[0] == period and self._built[1] >= rows:
            return
        self._built = None
        sizes = self.description.sizes
        dtype = np.uint8 if self.description.transform is None else np.int32
        self._input = self._map("in", dtype, (rows, math.prod(self.description.input_shape)))
        groups = range(0, len(sizes), _PORTS)
        self._output = [
            self._map(f"out{first // _PORTS}", np.uint8, (rows, sum(sizes[first : first + _PORTS]))) for first in groups
        ]
        self._clocks = [self._map(f"clock{first // _PORTS}", np.int64, (1,)) for first in groups]
        self._time = 0
        self._ask(
            {
                "do": "build",
                "net": str(self.net.resolve()),
                "period": period,
                "folder": str(self._folder),
                "rows": rows,
                "dtype": np.dtype(dtype).name,
                "stock": self._stock,
            }
        )
        self._built = (period, rows)

    def _map(self, name: str, dtype: type, shape: tuple[int, ...]) -> "np.memmap[Any, Any]":
        path = self._folder / f"{name}.raw"
        path.unlink(missing_ok=True)
        return np.memmap(path, dtype=dtype, mode="w+", shape=shape)

    def _block(self, spikes: NDArray[Any], steps: int) -> Iterator[tuple[Spikes, ...] | int]:
        assert self._built is not None
        rows = self._built[1]
        total = len(spikes) * steps
        at = (self._time + np.arange(total)) % rows
        # A network that begins by flattening takes neurons in SLAYER's order, whatever shape they had.
        self._input[at] = _to_lava(spikes.reshape(len(spikes), *self.description.input_shape, steps))
        self._say({"do": "run", "steps": total})
        done = 0
        for now in self._wait(self._patience_s):
            yield now - self._time - done
            done = now - self._time
        yield total - done
        self._time += total
        out = np.concatenate([part[at] for part in self._output], axis=1)
        for sample in range(len(spikes)):
            yield self._cut(out[sample * steps : (sample + 1) * steps])

    def _cut(self, stream: Spikes) -> tuple[Spikes, ...]:
        """A sample's spikes by layer, from its window (time, all neurons) of the stream."""
        layers, start = [], 0
        for index, shape in enumerate(self.description.layer_shapes):
            part = stream[:, start : start + math.prod(shape)]
            start += math.prod(shape)
            # (time, width, height, channel) -> (channel, height, width, time)
            layer = np.ascontiguousarray(part.reshape(len(part), *shape[::-1]).transpose())
            if not self.description.memory:
                # What the layer does before the sample reaches it belongs to the sample before.
                layer[..., : index + (self.description.transform is None)] = 0
            layers.append(layer)
        return tuple(layers)

    def _launch(self) -> None:
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        here = str(Path(__file__).resolve().parents[1])
        paths = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
        command_in, self._commands = os.pipe()
        self._answers, answer_out = os.pipe()
        try:
            with (self._folder / "log").open("wb") as log:
                self._worker = subprocess.Popen(
                    [sys.executable, "-m", "lava_runtime.worker", str(command_in), str(answer_out), str(self._folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(command_in, answer_out),
                    # Ctrl-C reaches us alone; we end the others.
                    start_new_session=True,
                    env={**os.environ, **threads, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"},
                )
        finally:
            os.close(command_in)
            os.close(answer_out)

    def _say(self, command: dict[str, Any]) -> None:
        self._idle = False
        with contextlib.suppress(BrokenPipeError):  # The wait that follows finds out why.
            os.write(self._commands, json.dumps(command).encode() + b"\n")

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        self._say(command)
        # Loading and compiling give no sign of life on the way.
        wait = self._wait(max(self._patience_s, PATIENCE_S))
        while True:
            try:
                next(wait)
            except StopIteration as end:
                answer: dict[str, Any] = end.value
                return answer

    def _wait(self, patience_s: float) -> Generator[int, None, dict[str, Any]]:
        """Yield Lava's clock whenever it has moved; return the worker's answer."""
        moved = time.monotonic()
        last = self._time
        while b"\n" not in self._heard:
            if select.select([self._answers], [], [], _POLL_S)[0]:
                block = os.read(self._answers, 65536)
                if not block:
                    raise self._failed("Lava's process ended without an answer")
                self._heard += block
                continue
            now = min((int(clock[0]) for clock in self._clocks), default=0) if self._built else 0
            if now > last:
                last, moved = now, time.monotonic()
                yield now
            elif time.monotonic() - moved > patience_s:
                raise self._failed(
                    f"Lava did nothing for {patience_s:g} s, at time step {last}",
                    cure="run it again; --patience gives a slow machine more time",
                )
        line, _, self._heard = self._heard.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        self._idle = not answer.get("fatal", False)
        if "error" in answer:
            raise self._failed(answer["error"], cure=answer.get("cure", ""))
        return answer

    def _failed(self, found: str, cure: str = "") -> MaestroError:
        """The error to raise, with the last of what Lava wrote; Lava is gone when this returns."""
        text = ""
        with contextlib.suppress(OSError):
            lines = (self._folder / "log").read_text(errors="replace").strip().splitlines()
            text = f"; its last words: {lines[-1].strip()[:200]}" if lines and not cure else ""
        self.close()
        return MaestroError(str(self.net), found + text, cure=cure or "run it again; if it fails again, lint the file")

    def _end(self, worker: "subprocess.Popen[bytes]") -> None:
        """End the worker's whole group: by asking if it is idle, by signals otherwise."""
        try:
            if self._idle and worker.poll() is None:
                self._say({"do": "quit"})
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(_GRACE_S)
        finally:
            # SIGTERM spares Python's resource tracker, which then frees the shared memory of the dead.
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(worker.pid, number)
                    # A stopped process takes no signal but SIGKILL until it goes on.
                    os.killpg(worker.pid, signal.SIGCONT)
                if _gone(worker, _GRACE_S):
                    break
            os.close(self._commands)
            os.close(self._answers)


def _to_lava(spikes: NDArray[Any]) -> NDArray[Any]:
    """(sample, channel, height, width, time) -> (sample * time, width * height * channel)."""
    turned = spikes.transpose(0, *range(spikes.ndim - 1, 0, -1))
    return turned.reshape(spikes.shape[0] * spikes.shape[-1], -1)


def _gone(worker: "subprocess.Popen[bytes]", limit_s: float) -> bool:
    """Wait until no process of the worker's group is alive."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        worker.poll()
        if not alive(worker.pid):
            return True
        time.sleep(0.02)
    return False


def alive(group: int) -> Sequence[int]:
    """Process ids of a group that still run; zombies, which only wait to be collected, do not count."""
    found = []
    proc = Path("/proc")
    if not proc.is_dir():
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return []
        return [group]
    for entry in proc.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The name in brackets may hold anything; the fields start after it: state, parent, group.
                state, _, pgrp = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(pgrp) == group and state not in "ZX":
                    found.append(int(entry.name))
    return found
