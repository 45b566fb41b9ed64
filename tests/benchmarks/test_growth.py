"""How the engine's time and memory grow with samples, steps, neurons and activity. Run by ``make bench``."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from export.graph import Cuba, DenseLayer, InputLayer, Network
from lava_runtime.engine.engine import Engine

THREADS = 2
BASE = {"samples": 128, "steps": 128, "neurons": 512, "activity": 0.05}
INPUTS = 512
GRIDS = {
    "samples": (32, 64, 128, 256, 512, 1024),
    "steps": (32, 64, 128, 256, 512, 1024),
    "neurons": (128, 256, 512, 1024, 2048, 4096),
}
ACTIVITIES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
MEMORY_SAMPLES, MEMORY_BYTES = (64, 256, 1024, 4096), 64 << 20


def _network(neurons, inputs=INPUTS):
    generator = np.random.default_rng(0)
    weight = 2 * generator.integers(-60, 61, (neurons, inputs))
    return Network((InputLayer((inputs,)), DenseLayer(weight, Cuba(410, 205, 2000))), ("input", "dense"))


def _spikes(samples, steps, activity):
    return (np.random.default_rng(1).random((samples, INPUTS, steps)) < activity).astype(np.uint8)


def _slope(xs, ys):
    """Exponent of a power law through the points, with its 95 % interval."""
    fit = stats.linregress(np.log(xs), np.log(ys))
    half = float(stats.t.ppf(0.975, len(xs) - 2)) * fit.stderr
    return {"exponent": float(fit.slope), "low": float(fit.slope - half), "high": float(fit.slope + half)}


def test_the_exponent_of_a_power_law():
    found = _slope([1, 2, 4, 8], [3 * x**1.5 for x in (1, 2, 4, 8)])
    assert found["exponent"] == pytest.approx(1.5)
    assert found["low"] <= found["exponent"] <= found["high"]


def test_growth_in_time(benchmark, measure, capsys):
    """One dense layer of 512 inputs; what does not vary is as in ``BASE``."""
    series = {}
    for axis, grid in GRIDS.items():
        points = []
        for value in grid:
            size = {**BASE, axis: value}
            engine = Engine(_network(size["neurons"]), threads=THREADS)
            spikes = _spikes(size["samples"], size["steps"], size["activity"])
            seconds = measure(lambda engine=engine, spikes=spikes: engine.run(spikes), rounds=5, most_s=6.0)
            points.append({"value": value, "seconds": seconds})
        fit = _slope(grid, [point["seconds"]["median"] for point in points])
        series[axis] = {"points": points, **fit}
    engine = Engine(_network(BASE["neurons"]), threads=THREADS)
    activity = {path: [] for path in ("events", "dense", "auto")}
    for value in ACTIVITIES:
        spikes = _spikes(BASE["samples"], BASE["steps"], value)
        for path, points in activity.items():
            seconds = measure(lambda s=spikes, path=path: engine.run(s, path=path), rounds=5, most_s=6.0)
            tally = engine.run(spikes, path=path).tally
            entry = {"value": value, "seconds": seconds, "syn_ops": tally.syn_ops}
            points.append(entry | {"path": tally.layers["dense"].path})
    # Of events alone: what the work must be proportional to, apart from what no spike costs.
    events = activity["events"]
    line = stats.linregress([p["syn_ops"] for p in events], [p["seconds"]["median"] for p in events])
    benchmark.pedantic(engine.run, args=(_spikes(BASE["samples"], BASE["steps"], BASE["activity"]),), rounds=3)
    benchmark.extra_info.update(
        section="growth",
        base=BASE,
        inputs=INPUTS,
        threads=THREADS,
        series=series,
        activity=activity,
        events_line={
            "s_per_syn_op": float(line.slope),
            "s_without_spikes": float(line.intercept),
            "r_squared": float(line.rvalue**2),
        },
    )
    with capsys.disabled():
        print()
        for axis, found in series.items():
            print(f"time ~ {axis}^{found['exponent']:.2f} ({found['low']:.2f} to {found['high']:.2f})")
        for path, points in activity.items():
            print(path, [f"{p['value']:g}: {1000 * p['seconds']['median']:.1f} ms ({p['path']})" for p in points])


def test_growth_in_memory(benchmark, case, root, tmp_path, capsys):
    """Peak memory of ``Engine.blocks`` over the number of samples, the default network, input mapped from a file."""
    given = case("dh_lif")
    child = root / "tests" / "benchmarks" / "memory_child.py"
    points = []
    for samples in MEMORY_SAMPLES:
        mapped = tmp_path / "spikes.npy"
        shape = (samples, *given.clips.shape[1:])
        target = np.lib.format.open_memmap(mapped, "w+", np.uint8, shape)
        for start in range(0, samples, 64):
            target[start : start + 64] = given.clips[:64]
        target.flush()
        command = [sys.executable, str(child), str(given.path), str(mapped), str(MEMORY_BYTES)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        points.append({"samples": samples, **json.loads(done.stdout)})
        mapped.unlink()
    fit = _slope([p["samples"] for p in points], [p["peak_bytes"] for p in points])
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        section="memory", preset="dh_lif", origin=given.origin, allowed_bytes=MEMORY_BYTES, points=points, **fit
    )
    with capsys.disabled():
        print("\n" + ", ".join(f"{p['samples']}: {p['peak_bytes'] / 2**20:.1f} MiB" for p in points))
    assert all(math.isfinite(p["peak_bytes"]) for p in points)
