"""Synaptic operations per second, and how far that is from what this machine can do. Run by ``make bench``."""

import threading
import time
from dataclasses import replace

import numba
import numpy as np
import pytest

from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, InputLayer, Network
from lava_runtime.engine.engine import Engine

THREADS, ACTIVITY, SAMPLES, STEPS = 2, 0.05, 64, 100
GOAL = 5e8
COPY_BYTES = 1 << 28
# 4 KiB of sums and 16 KiB of weights lie in any first-level cache.
ROW, ROWS = 1024, 8


@numba.njit(nogil=True)
def _add_rows(sums, weights, repeats):
    for _ in range(repeats):
        for row in range(weights.shape[0]):
            for n in range(sums.size):
                sums[n] += weights[row, n]


@numba.njit(nogil=True)
def _step_neurons(u, v, sums, keep, threshold, repeats):
    """CUBA neurons in a first-level cache: the equations of export/fixed_point.py without wrap, clip and counting."""
    fired = 0
    for _ in range(repeats):
        for n in range(u.size):
            size = np.int32(abs(u[n]))
            kept = np.int32(np.int32((size >> 12) * keep) + np.int32(np.int32((size & 4095) * keep) >> 12))
            u[n] = np.int32((-kept if u[n] < 0 else kept) + np.int32(sums[n] << 6))
        for n in range(u.size):
            size = np.int32(abs(v[n]))
            kept = np.int32(np.int32((size >> 12) * keep) + np.int32(np.int32((size & 4095) * keep) >> 12))
            new = np.int32((-kept if v[n] < 0 else kept) + u[n])
            fires = new > threshold
            v[n] = 0 if fires else new
            fired += fires
    return fired


def _together(calls):
    """Seconds from when all threads are ready until the last has done its call."""
    gate = threading.Barrier(len(calls) + 1)

    def wait(call):
        gate.wait()
        call()

    threads = [threading.Thread(target=wait, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    gate.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def _rate(call_of, amount, threads, rounds=7):
    """Amounts per second of ``threads`` calls at once: quartiles over the rounds."""
    calls = [call_of() for _ in range(threads)]
    _together(calls)
    return [threads * amount / _together(calls) for _ in range(rounds)]


def _copy():
    source, target = np.ones(COPY_BYTES, np.uint8), np.zeros(COPY_BYTES, np.uint8)
    return lambda: np.copyto(target, source)


def _adder(dtype, repeats):
    def make():
        sums = np.zeros(ROW, dtype)
        weights = np.random.default_rng(0).integers(-128, 128, (ROWS, ROW)).astype(np.int16)
        return lambda: _add_rows(sums, weights, repeats)

    return make


def _stepper(repeats):
    def make():
        u, v, sums = (np.zeros(ROW, np.int32) for _ in range(3))
        sums[:] = np.random.default_rng(0).integers(-20, 60, ROW)
        return lambda: _step_neurons(u, v, sums, np.int32(3686), np.int32(1 << 16), repeats)

    return make


def _limits(spread):
    """Rates of this machine by one and by two threads, measured now."""
    adds, steps = 20000, 20000
    kinds = {
        # Every byte is read once and written once.
        "copy_bytes_per_s": (_copy, 2 * COPY_BYTES),
        "int32_additions_per_s": (_adder(np.int32, adds), adds * ROWS * ROW),
        "int16_additions_per_s": (_adder(np.int16, adds), adds * ROWS * ROW),
        "neuron_updates_per_s": (_stepper(steps), steps * ROW),
    }
    return {
        name: {str(threads): spread(_rate(make, amount, threads)) for threads in (1, 2)}
        for name, (make, amount) in kinds.items()
    }


def _weights(generator, *shape):
    return 2 * generator.integers(-60, 61, shape)


def _layer_networks():
    """A dense and a convolution layer with neurons that fire at about ``ACTIVITY`` themselves."""
    generator = np.random.default_rng(0)
    neuron = Cuba(410, 205, 2000)
    branched = DhLif(np.array([2048, 700, 240, 86]), np.array([1, 3, 4, 6]), 205, 1400)
    conv = (InputLayer((24, 32, 1)), (1, 1), (2, 0), (1, 1), 1)
    kinds = {
        "dense 1024 to 1024": (
            InputLayer((1024,)),
            DenseLayer(_weights(generator, 1024, 1024), replace(neuron, vth_mant=7600)),
        ),
        "dense 1024 to 256, 4 branches": (
            InputLayer((1024,)),
            DenseLayer(_weights(generator, 1024, 1024), branched),
        ),
        "conv 24 to 48, kernel 5, 32 places": (
            conv[0],
            ConvLayer(_weights(generator, 48, 24, 5, 1), *conv[1:], neuron, (48, 32, 1)),
        ),
        "conv 16 to 32, kernel 3 x 3, 16 x 16 places": (
            InputLayer((16, 16, 16)),
            ConvLayer(_weights(generator, 32, 16, 3, 3), (1, 1), (1, 1), (1, 1), 1, neuron, (32, 16, 16)),
        ),
    }
    return {name: Network(layers, ("input", "layer")) for name, layers in kinds.items()}


def _operations(engine, spikes, measure):
    """What a network does in how long, by the faster of its ways as the engine chooses."""
    seconds = measure(lambda: engine.run(spikes))
    tally = engine.run(spikes).tally
    layers = [layer.as_dict() for layer in tally.layers.values()]
    return {
        "seconds": seconds,
        "syn_ops": tally.syn_ops,
        "state_updates": sum(layer["state_updates"] for layer in layers),
        "neuron_updates": sum(layer["dendrite_updates"] for layer in layers),
        "syn_ops_per_s": tally.syn_ops / seconds["median"],
        "samples": len(spikes),
        "steps": spikes.shape[-1],
        "input_rate": float(spikes.mean()),
        "paths": {name: layer.path for name, layer in tally.layers.items()},
        "rates": {name: layer.rate for name, layer in tally.layers.items()},
    }


def _bytes_moved(network, spikes):
    """Least bytes: every layer's spikes, one byte each, written and read once, the input read once; no weights."""
    samples, steps = len(spikes), spikes.shape[-1]
    neurons = sum(int(np.prod(layer.shape)) for _, layer in network.spiking)
    last = int(np.prod(network.spiking[-1][1].shape))
    return samples * steps * (int(np.prod(network.input_shape)) + 2 * neurons - last)


def test_synaptic_operations(benchmark, case, measure, spread, capsys):
    """Layers whose work is all synapses, and the default networks on clips; limits measured in the same run."""
    limits = _limits(spread)
    found = {}
    generator = np.random.default_rng(1)
    for name, network in _layer_networks().items():
        spikes = (generator.random((SAMPLES, *network.input_shape, STEPS)) < ACTIVITY).astype(np.uint8)
        engine = Engine(network, threads=THREADS)
        found[name] = _operations(engine, spikes, measure) | {"kind": "layer"}
        if "dense 1024 to 1024" in name:
            benchmark.pedantic(engine.run, args=(spikes,), rounds=3)
    for preset in ("dh_lif", "lif"):
        given = case(preset)
        engine = Engine.from_file(given.path, threads=THREADS)
        entry = _operations(engine, given.clips, measure) | {"kind": "network", "origin": given.origin}
        least = {
            "copy": _bytes_moved(engine.network, given.clips) / limits["copy_bytes_per_s"]["2"]["median"],
            "additions": entry["syn_ops"] / limits["int32_additions_per_s"]["2"]["median"],
            # The measured update steps two states, a current and a voltage.
            "updates": entry["state_updates"] / 2 / limits["neuron_updates_per_s"]["2"]["median"],
        }
        entry["bytes_moved"] = _bytes_moved(engine.network, given.clips)
        entry["least_s"] = least
        # What no overlap could hide: a core does additions and updates one after the other.
        entry["fraction"] = max(least["copy"], least["additions"] + least["updates"]) / entry["seconds"]["median"]
        found[preset] = entry
    for entry in found.values():
        entry["fraction_of_additions"] = entry["syn_ops_per_s"] / limits["int32_additions_per_s"]["2"]["median"]
    benchmark.extra_info.update(
        section="operations", threads=THREADS, activity=ACTIVITY, goal=GOAL, limits=limits, networks=found
    )
    with capsys.disabled():
        print()
        for name, entry in found.items():
            rates = ", ".join(f"{rate:.3f}" for rate in entry["rates"].values())
            print(f"{name}: {entry['syn_ops_per_s'] / 1e9:.2f} G syn_ops/s, {entry['paths']}, rates {rates}")
        for name, by_threads in limits.items():
            print(name, {threads: f"{entry['median']:.3g}" for threads, entry in by_threads.items()})
    assert all(entry["syn_ops"] > 0 for entry in found.values())


@pytest.mark.parametrize("rows", [1, ROWS])
def test_the_additions_that_are_timed_are_done(rows):
    sums, weights = np.zeros(ROW, np.int32), np.full((rows, ROW), 3, np.int16)
    _add_rows(sums, weights, 5)
    assert (sums == 15 * rows).all()
