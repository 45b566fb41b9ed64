"""Third rung of the ladder, its other half: the engine equals the reference, however it is told to run.

Every spike, current and voltage of random networks, on every path, number of threads and budget of memory; and by hand
the places where integers turn over.
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from export import netx, reference
from export.graph import Cuba, DenseLayer, DhLif, InputLayer, Network, default_names
from lava_runtime.engine.engine import Engine
from train.errors import CallError

MANY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
PATHS = ("auto", "events", "dense")
WRAP = 1 << 23


def assert_engine_is_the_reference(case, assert_same_trace, path="auto", **options):
    """Layers, probes, output, counts and readout of a run with everything asked for; the traces it was held to."""
    network, names = case.network, case.network.spiking_names
    result = Engine(network, **options).run(case.spikes, layers=True, probes=names, path=path)
    traces = [reference.simulate(network, sample, probes=True) for sample in case.spikes]
    for number, sample in enumerate(traces):
        for layer, trace in enumerate(sample):
            where = f"{case}, {options}, path {path}, sample {number}, layer {trace.name}"
            probe = result.probes[trace.name]
            found = {key: getattr(probe, key)[number] for key in ("spikes", "u", "v")}
            assert_same_trace(found, vars(trace), where)
            np.testing.assert_array_equal(result.layers[layer][number], trace.spikes, err_msg=where)
            assert result.counts[number, layer] == trace.spikes.sum(), where
        output = sample[-1].spikes.reshape(-1, case.spikes.shape[-1])
        np.testing.assert_array_equal(result.output[number], output)
        if network.readout is None:
            assert result.readout is None
        else:
            groups = output.reshape(network.readout.shape[0], -1, output.shape[-1])
            np.testing.assert_array_equal(result.readout[number], groups.sum(axis=1))
    kinds = {"output": np.uint8, "counts": np.int64}
    assert {key: getattr(result, key).dtype for key in kinds} == kinds
    for name, layer in result.tally.layers.items():
        register = [trace for sample in traces for trace in sample if trace.name == name]
        assert layer.wraps == sum(len(trace.wraps) for trace in register), f"{case}, layer {name}"
    return traces


def least_memory(case, threads, **wish):
    """The smallest budget that an engine takes for a run: with it samples go one by one, and step by step."""
    low, high = 0, 1 << 26
    while high - low > 64:
        middle = (low + high) // 2
        try:
            Engine(case.network, threads=threads, memory_bytes=middle).blocks(case.spikes, **wish)
            high = middle
        except CallError:
            low = middle
    return high


def least_memory_of_all(case, threads):
    """The same, with all kept that :func:`assert_engine_is_the_reference` looks at."""
    return least_memory(case, threads, layers=True, probes=case.network.spiking_names)


@pytest.mark.slow
@settings(MANY, max_examples=60)
@given(data=st.data())
def test_random_networks(data, drawn, assert_same_trace):
    case = data.draw(drawn.cases())
    threads = data.draw(st.sampled_from((1, 2)))
    options = {"path": data.draw(st.sampled_from(PATHS)), "threads": threads}
    spare = data.draw(st.sampled_from((None, 0, 1000, 30_000)))
    if spare is not None:
        options["memory_bytes"] = least_memory_of_all(case, threads) + spare
    assert_engine_is_the_reference(case, assert_same_trace, **options)


@pytest.mark.slow
def test_every_feature(drawn, assert_same_trace):
    """Networks of fixed seeds, and that they show what they are for: a test that shows nothing would pass too."""
    seen = dict.fromkeys(("wraps", "sums that wrap", "lowest voltage", "highest voltage", "fire", "layers"), 0)
    for seed in range(60):
        generator = np.random.default_rng(seed)
        mood, path = drawn.MOODS[seed % 3], PATHS[seed % 5 % 3]
        kinds = generator.choice(drawn.KINDS, generator.integers(1, 4))
        network = drawn.make_network(generator, mood, kinds, generator.random() < 0.2, generator.random() < 0.5)
        case = drawn.make_case(generator, mood, network, 1, 60)
        for trace in assert_engine_is_the_reference(case, assert_same_trace, path, threads=1)[0]:
            seen["wraps"] += bool(trace.wraps)
            seen["sums that wrap"] += any(wrap.register == "branch sum" for wrap in trace.wraps)
            seen["lowest voltage"] += int(trace.v.min() == 1 - WRAP)
            seen["highest voltage"] += int(trace.v.max() == WRAP - 1)
            seen["fire"] += bool(trace.spikes.any() and not trace.spikes.all())
            seen["layers"] += 1
        for word in drawn.features(network):
            seen[word] = seen.get(word, 0) + 1
    assert seen.keys() >= drawn.FEATURES, drawn.FEATURES - seen.keys()
    assert all(seen.values()), seen
    assert seen["fire"] > 0.4 * seen["layers"], seen


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["mnist.net", "oxford.net"])
def test_published_networks(name, path, shared, drawn, assert_same_trace):
    network = netx.read(shared / "netx" / name)
    spikes = np.random.default_rng(3).random((3, *network.input_shape, 60))
    rates = np.array([0.1, 0.02, 0.005]).reshape(-1, *[1] * (spikes.ndim - 1))
    case = drawn.Case(network, (spikes < rates).astype(np.uint8))
    traces = assert_engine_is_the_reference(case, assert_same_trace, path)
    assert all(any(trace.spikes.any() for trace in layer) for layer in zip(*traces, strict=True))


def dense(weight, neuron, **rest):
    """One dense layer behind spikes."""
    layers = (InputLayer((weight.shape[1],)), DenseLayer(weight, neuron, **rest))
    return Network(layers, default_names(layers))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("branches", [0, 1, 2])
def test_currents_at_the_very_edge(sign, branches, path, drawn, assert_same_trace):
    """2^23 stays and -2^23 wraps: 16 synapses of 128 add 2^17 a step and come to 2^23 exactly at step 64."""
    neuron = Cuba(0, 4096, 131072)
    if branches:
        neuron = DhLif(np.zeros(branches, int), np.zeros(branches, int), 4096, 131072)
    network = dense(np.full((max(branches, 1), 16), sign * 128), neuron)
    case = drawn.Case(network, np.ones((1, 16, 70), np.uint8))
    ((trace,),) = assert_engine_is_the_reference(case, assert_same_trace, path, threads=1)
    u = trace.u.reshape(max(branches, 1), 70)[0]
    assert u[64] == WRAP
    assert u[63] == sign * (WRAP - (1 << 17))
    # A turn of 2^24 later it is back at the edge below.
    assert u[65] == (1 << 17) - WRAP if sign > 0 else WRAP - (1 << 17)


@pytest.mark.parametrize("branches", [16, 64, 255])
def test_sums_of_many_branches(branches, drawn, assert_same_trace):
    """No branch wraps, their sum does, and beyond three of them stays outside, as in Lava: it wraps once."""
    neuron = DhLif(np.zeros(branches, int), np.zeros(branches, int), 4096, 131072)
    case = drawn.Case(dense(np.full((branches, 100), 100), neuron), np.ones((1, 100, 13), np.uint8))
    ((trace,),) = assert_engine_is_the_reference(case, assert_same_trace, threads=1)
    assert trace.u.max() < WRAP
    assert {wrap.register for wrap in trace.wraps} == {"branch sum"}


@pytest.mark.parametrize("path", PATHS)
def test_currents_that_stay_outside_their_bits(path, drawn, assert_same_trace):
    """Lava wraps once; beyond 2^10 full synapses at once that is not enough, and the current stays outside."""
    weight = np.concatenate([np.full((1, 2600), 254), np.full((1, 2600), -256), np.full((1, 2600), 128)])
    case = drawn.Case(dense(weight, Cuba(2048, 2048, 90000)), np.ones((1, 2600, 12), np.uint8))
    ((trace,),) = assert_engine_is_the_reference(case, assert_same_trace, path, threads=1)
    assert np.abs(trace.u).max() > WRAP


@pytest.mark.parametrize("vth", [-5, 0, 131070, 131071])
def test_thresholds_and_limits_of_the_voltage(vth, drawn, assert_same_trace):
    """Firing is above the threshold and not at it; a voltage that stops at its limit is above the largest one."""
    weight = np.array([[2, 0], [-2, 0], [254, 254], [-256, -256]])
    bias = np.array([vth - 2, vth + 2, 4095, -4096]).clip(-4096, 4095)
    network = dense(weight, Cuba(4096, np.array([4096, 4096, 0, 0]), vth), bias=bias)
    case = drawn.Case(network, np.ones((1, 2, 80), np.uint8))
    ((trace,),) = assert_engine_is_the_reference(case, assert_same_trace, threads=1)
    assert trace.v[3].min() == 1 - WRAP or vth < 0
    assert trace.spikes[2].any()


@pytest.mark.parametrize("delay", [np.array([0, 62, 1, 61]), np.array([[62], [0], [5], [30]])])
@pytest.mark.parametrize("path", PATHS)
def test_each_delay_by_itself(delay, path, drawn, assert_same_trace):
    """One spike at step 3 is heard at step 4 + delay, alone, though memory holds but a few steps at a time."""
    network = dense(np.full((4, 1), 64), Cuba(4096, 4096, 1), delay=delay)
    spikes = np.zeros((2, 1, 80), np.uint8)
    spikes[1, 0, 3] = 1
    case = drawn.Case(network, spikes)
    options = {"threads": 1, "memory_bytes": least_memory_of_all(case, 1)}
    traces = assert_engine_is_the_reference(case, assert_same_trace, path, **options)
    assert np.argwhere(traces[1][0].spikes)[:, 1].tolist() == (4 + delay.reshape(-1)).tolist()


def test_blocks_are_the_run_in_parts(drawn, assert_same_trace):
    case = drawn.busy_case(["conv", "delay", "dendrites"], 7, 50, readout=True, seed=4)
    network, names = case.network, case.network.spiking_names
    wish = {"layers": True, "probes": names[1:], "probe_samples": (0, 3, 6)}
    whole = Engine(network).run(case.spikes, **wish)
    assert whole.output.any()
    for memory in (least_memory(case, 2, **wish), 1 << 30):
        engine = Engine(network, threads=2, memory_bytes=memory)
        blocks = list(engine.blocks(case.spikes, **wish))
        # By need one at a time; else one for each thread.
        assert len(blocks) == (7 if memory < 1 << 30 else 2)
        joined = engine.run(case.spikes, **wish)
        total = blocks[0].tally
        for block in blocks[1:]:
            total = total + block.tally
        assert joined.tally == total == dataclasses.replace(whole.tally, layers=total.layers)
        for key in ("output", "counts", "readout"):
            np.testing.assert_array_equal(getattr(joined, key), getattr(whole, key))
            np.testing.assert_array_equal(np.concatenate([getattr(b, key) for b in blocks]), getattr(whole, key))
        for ours, theirs in zip(joined.layers, whole.layers, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert joined.probes.keys() == whole.probes.keys() == set(names[1:])
        for name, probe in joined.probes.items():
            assert len(probe.v) == 3
            assert_same_trace(vars(probe), vars(whole.probes[name]), name)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64, np.uint64, np.bool_])
def test_input_of_every_whole_type_in_any_order(kind, drawn):
    case = drawn.busy_case(["conv", "dense"], 3, 30)
    engine = Engine(case.network)
    wanted = engine.run(case.spikes).output
    np.testing.assert_array_equal(engine.run(case.spikes.astype(kind)).output, wanted)
    turned = np.asfortranarray(case.spikes.astype(kind))
    np.testing.assert_array_equal(engine.run(turned).output, wanted)
    held = case.spikes.copy()
    engine.run(held)
    np.testing.assert_array_equal(held, case.spikes)
