import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import reference
from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network, conv_shape
from hardware.counters.ann import AnnLayer, ann_counts
from hardware.counters.costs import ann_costs, spiking_costs
from hardware.counters.spiking import spiking_counts
from hardware.counters.time_constants import decay_to_tau, time_constants
from hardware.counters.work import LayerWork, Work
from lava_runtime.engine.fan_out import conv_fan_out


def brute_fan_out(weight, stride, padding, dilation, groups, source, out):
    """Every weight at every place of the output, one after the other."""
    met = np.zeros(source, np.int64)
    rows, inner, kernel_h, kernel_w = weight.shape
    for row, part, i, j in np.ndindex(rows, inner, kernel_h, kernel_w):
        if not weight[row, part, i, j]:
            continue
        channel = row // (rows // groups) * inner + part
        for y, x in np.ndindex(*out):
            at = y * stride[0] - padding[0] + i * dilation[0], x * stride[1] - padding[1] + j * dilation[1]
            if 0 <= at[0] < source[1] and 0 <= at[1] < source[2]:
                met[channel, at[0], at[1]] += 1
    return met


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.data())
def test_fan_out_is_what_counting_gives(data):
    draw = data.draw
    groups = draw(st.sampled_from([1, 2]))
    inner, out = draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 2)))
    stride, dilation = (draw(st.tuples(st.integers(1, 2), st.integers(1, 2))) for _ in range(2))
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 1)))
    source = (groups * inner, draw(st.integers(5, 7)), draw(st.integers(3, 4)))
    weight = np.random.default_rng(draw(st.integers(0, 99))).integers(-1, 2, (out, inner, *kernel))
    layer = ConvLayer(weight, stride, padding, dilation, groups, Cuba(0, 0, 1), (0, 0, 0))
    shape = conv_shape(layer, source)[1:]
    settings_ = (weight, stride, padding, dilation, groups, source, shape)
    np.testing.assert_array_equal(conv_fan_out(*settings_), brute_fan_out(*settings_))


@pytest.fixture
def network():
    """A convolution with dendrites, a pool, a plain and a recurrent dense layer."""
    generator = np.random.default_rng(3)

    def weights(*shape):
        return generator.integers(-20, 21, shape) * generator.integers(0, 2, shape)

    branches = DhLif(np.array([2048, 200]), np.array([0, 2]), 205, 16)
    layers = (
        InputLayer((2, 7, 1)),
        ConvLayer(weights(6, 2, 3, 1), (1, 1), (1, 0), (1, 1), 1, branches, (3, 7, 1)),
        ConvLayer(np.full((3, 1, 2, 1), 64), (2, 1), (0, 0), (1, 1), 3, Cuba(4096, 0, 48), (3, 3, 1)),
        FlattenLayer((9,)),
        DenseLayer(weights(5, 9), Cuba(410, 205, 16)),
        DenseLayer(weights(4, 5), Cuba(np.array([410, 0, 4096, 100]), 205, 16), recurrent=weights(4, 4)),
    )
    return Network(layers, ("input", "conv1", "pool1", "flatten", "dense1", "heads"))


def test_costs_are_what_counting_gives(network):
    steps, clips = 20, 3
    inputs = np.random.default_rng(1).integers(0, 2, (clips, 2, 7, 1, steps)).astype(np.uint8)
    traces = [reference.simulate(network, clip) for clip in inputs]
    spikes = {"input": inputs.sum(axis=(0, -1)).astype(float)}
    for index, name in enumerate(network.spiking_names):
        spikes[name] = sum(trace[index].spikes.sum(axis=-1).astype(float) for trace in traces)
    found = spiking_costs(spiking_counts(network, spikes["input"], spikes, clips, steps))

    assert {name: entry["neurons"] for name, entry in found["layers"].items()} == {
        "conv1": 21,
        "pool1": 9,
        "dense1": 5,
        "heads": 4,
    }
    # Two branches and a voltage; else a current and a voltage.
    assert {name: entry["states"] for name, entry in found["layers"].items()} == {
        "conv1": 63,
        "pool1": 18,
        "dense1": 10,
        "heads": 8,
    }
    conv, pool, dense, heads = (layer for _, layer in network.spiking)
    source = {"conv1": "input", "pool1": "conv1", "dense1": "pool1", "heads": "dense1"}
    for name, layer in (("conv1", conv), ("pool1", pool)):
        kernels = (layer.weight, layer.stride, layer.padding, layer.dilation, layer.groups)
        met = brute_fan_out(*kernels, spikes[source[name]].shape, layer.shape[1:])
        assert found["layers"][name]["syn_ops"] == pytest.approx((met * spikes[source[name]]).sum() / clips)
    total = sum(np.count_nonzero(dense.weight[:, n]) * count for n, count in enumerate(spikes["pool1"].ravel()))
    assert found["layers"]["dense1"]["syn_ops"] == pytest.approx(total / clips)
    total = sum(np.count_nonzero(heads.weight[:, n]) * count for n, count in enumerate(spikes["dense1"]))
    total += sum(np.count_nonzero(heads.recurrent[:, n]) * count for n, count in enumerate(spikes["heads"]))
    assert found["layers"]["heads"]["syn_ops"] == pytest.approx(total / clips)
    assert found["weights_nonzero"] == sum(
        np.count_nonzero(w) for w in (conv.weight, pool.weight, dense.weight, heads.weight, heads.recurrent)
    )
    assert found["neuron_updates"] == (63 + 18 + 10 + 8) * steps
    assert found["spikes"] == pytest.approx(sum(spikes[name].sum() for name in network.spiking_names) / clips)
    assert found["input_spikes"] == spikes["input"].sum() / clips


def test_time_constants_of_registers(network):
    assert decay_to_tau(2048) == pytest.approx(1 / np.log(2))
    np.testing.assert_array_equal(decay_to_tau([0, 4096]), [np.inf, 0])
    found = time_constants(network, 0.032, {})
    steps = [entry["steps"] for entry in found["conv1"]["current"]]
    assert steps == pytest.approx([1 / np.log(2), -1 / np.log(1 - 200 / 4096)])
    assert found["conv1"]["current"][0]["ms"] == pytest.approx(32 / np.log(2))
    assert found["pool1"]["voltage"] == [{"steps": None, "steps_low": None, "steps_high": None, "ms": None}]
    (heads,) = found["heads"]["current"]
    assert heads["steps_low"] == 0
    assert heads["steps_high"] is None


def test_spiking_branches_lie_neuron_by_neuron():
    layers = (InputLayer((2,)), DenseLayer(np.ones((6, 2), np.int64), Cuba(4096, np.array([2048, 100] * 3), 16)))
    found = time_constants(Network(layers, ("input", "dense1_branches")), 0.032, {"dense1_branches": 2})
    assert [entry["steps"] for entry in found["dense1_branches"]["voltage"]] == pytest.approx(decay_to_tau([2048, 100]))
    assert len(found["dense1_branches"]["current"]) == 1


def test_ann_operations_are_what_counting_gives():
    generator = np.random.default_rng(2)
    conv = generator.integers(-1, 2, (3, 2, 3, 1)).astype(np.float32)
    dense = generator.integers(-1, 2, (4, 5)).astype(np.float32)
    active = {"conv1": generator.integers(0, 9, (2, 7, 1)), "heads": np.array([1, 2, 0, 2, 1])}
    layers = [AnnLayer("conv1", conv, (2, 7, 1), 21, 10, True), AnnLayer("heads", dense, (5,), 4, 1, False)]

    def work(layer):
        operations = np.array([0, (layer.met * active[layer.name].ravel()).sum()])
        return LayerWork(operations, operations, operations, operations)

    done = Work({layer.name: work(layer) for layer in layers}, np.zeros(2, np.int64), True, 0)
    found = ann_costs(ann_counts(layers, done, 10))
    kernels = ((1, 1), (1, 0), (1, 1), 1, (2, 7, 1), (7, 1))
    # Two of the seven places have a neighbour less.
    assert found["layers"]["conv1"]["macs_dense"] == 3 * 2 * (3 * 7 - 2) * 10
    assert found["acs_effective"] == (brute_fan_out(conv, *kernels) * active["conv1"]).sum() / 2
    assert found["layers"]["heads"]["macs_dense"] == 20
    assert found["macs_effective"] == sum(np.count_nonzero(dense[:, n]) * active["heads"][n] for n in range(5)) / 2
    assert found["weights_nonzero"] == np.count_nonzero(conv) + np.count_nonzero(dense)
