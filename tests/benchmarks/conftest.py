"""What the benchmarks share: the machine in words, networks like trained ones, statistics."""

import importlib.metadata
import os
import platform
import re
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PACKAGES = ("numpy", "numba", "torch", "lava-nc", "lava-dl", "pytest-benchmark")
# Test clips of the default corpus, and their steps; classes of all heads; features; the default code's channels.
CLIPS, STEPS, OUTPUTS, FEATURES = 576, 94, 32, 33
# Spikes a step of the input, and how much its places differ: as initial weights reckon with (train.topology).
INPUT_RATE = 0.1
# What happens before the first measured call: nothing that a run needs only once is counted.
_LOAD_AT_START = os.getloadavg()


def _first(pattern, path, default):
    try:
        found = re.search(pattern, Path(path).read_text(), flags=re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else default


def pytest_benchmark_update_machine_info(config, machine_info):
    """Only what a figure depends on: no host name, no address, no path."""
    memory_kib = int(_first(r"^MemTotal:\s+(\d+)", "/proc/meminfo", "0"))
    machine_info.clear()
    machine_info.update(
        cpu=_first(r"^model name\s*:\s*(.+)$", "/proc/cpuinfo", platform.machine()),
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory_kib / 2**20, 1),
        threads=int(os.environ.get("OMP_NUM_THREADS", len(os.sched_getaffinity(0)))),
        load_at_start=[round(load, 2) for load in _LOAD_AT_START],
        system=platform.system(),
        versions={
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
    )


@pytest.fixture(scope="session")
def spread():
    """spread(values): median, quartiles and number of what was measured."""

    def of(values):
        low, middle, high = np.percentile(values, (25, 50, 75))
        assert middle == pytest.approx(statistics.median(values))
        return {"median": float(middle), "low": float(low), "high": float(high), "rounds": len(values)}

    return of


@pytest.fixture(scope="session")
def measure(spread):
    """measure(call, rounds, most_s): seconds of a call, as ``spread`` gives them, after one that is not counted.

    At least three rounds, and no more than fit ``most_s``. Each round repeats a short call for five milliseconds.
    """

    def of(call, rounds=7, most_s=20.0):
        call()
        started = time.perf_counter()
        call()
        once = time.perf_counter() - started
        repeats = max(1, int(0.005 / max(once, 1e-7)))
        found, ends = [], time.perf_counter() + most_s
        while len(found) < rounds and (len(found) < 3 or time.perf_counter() < ends):
            started = time.perf_counter()
            for _ in range(repeats):
                call()
            found.append((time.perf_counter() - started) / repeats)
        return spread(found)

    return of


@dataclass(frozen=True, eq=False)
class Case:
    """A network with clips to run, and where both come from."""

    name: str
    path: Path
    clips: Any
    origin: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="session")
def case(root, tmp_path_factory):
    """case(preset): its trained network with the test clips, or if there is none a seeded one with random spikes.

    Trained ones are looked for in runs/PRESET, or in the run folder that BENCH_RUN names, if that is of the preset's
    neuron. Seeded ones have initial weights, which are made for the rates that trained networks have too.
    """
    made = {}

    def of(preset):
        if preset not in made:
            made[preset] = _trained(preset, root) or _seeded(preset, tmp_path_factory.mktemp(preset))
        return made[preset]

    return of


def _trained(preset, root):
    from lava_runtime.inputs import run_clips
    from train.artifacts import RunFolder
    from train.config import load_config

    for folder in (os.environ.get("BENCH_RUN"), root / "runs" / preset):
        if folder is None or not (Path(folder) / "model.net").is_file():
            continue
        run = RunFolder(Path(folder))
        if load_config(run.config).network != load_config(preset).network:
            continue
        clips = run_clips(run)
        chosen = clips.all_of("test")[:CLIPS]
        words = {"weights": "trained", "clips": "test clips of the corpus"}
        return Case(preset, run.path / "model.net", clips.spikes(chosen), words)
    return None


def _seeded(preset, folder):
    import torch

    from export import netx
    from export.convert import from_slayer
    from train.config import load_config
    from train.encoding import make_encoder
    from train.topology import build_network

    config = load_config(preset)
    channels = make_encoder(config.encoding).channels
    torch.manual_seed(0)
    network = build_network(config, channels, FEATURES, OUTPUTS)
    path = folder / "model.net"
    netx.write(from_slayer(network, (channels, FEATURES, 1)), path)
    generator = np.random.default_rng(0)
    # Places differ in rate by as much as their mean: a beta distribution with that mean and deviation.
    places = generator.beta(0.8, 0.8 * (1 / INPUT_RATE - 1), (CLIPS, channels, FEATURES, 1, 1))
    clips = (generator.random((*places.shape[:-1], STEPS)) < places).astype(np.uint8)
    return Case(preset, path, clips, {"weights": "initial, seed 0", "clips": "random spikes, seed 0"})
