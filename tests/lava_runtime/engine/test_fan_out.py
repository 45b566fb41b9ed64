"""Fan-outs by counting, weight by weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network, conv_shape
from lava_runtime.engine.fan_out import conv_fan_out, dense_fan_out, fan_out, sources


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


def test_branches_count_too():
    """An input meets what it has in every branch, and the shape is the input's."""
    branches = DhLif(np.array([2048, 200]), np.array([0, 2]), 205, 16)
    dense = DenseLayer(np.array([[2, 0, 4], [0, 0, 6], [8, 0, 0], [2, 0, 2]]), branches)
    np.testing.assert_array_equal(fan_out(dense, (3,)), [3, 0, 3])
    np.testing.assert_array_equal(fan_out(dense, (3,), stored=True), [len(dense.weight)] * 3)
    np.testing.assert_array_equal(dense_fan_out(dense.weight), [3, 0, 3])
    conv = ConvLayer(np.ones((2, 1, 3, 1), np.int64), (1, 1), (1, 0), (1, 1), 1, branches, (1, 4, 1))
    np.testing.assert_array_equal(fan_out(conv, (1, 4, 1)), np.array([4, 6, 6, 4]).reshape(1, 4, 1))


@pytest.mark.parametrize("population", [False, True])
def test_what_arrives_at_each_layer(population):
    neuron = Cuba(410, 205, 16)
    layers = (
        InputLayer((1, 4, 1), neuron if population else None),
        ConvLayer(np.ones((2, 1, 3, 1), np.int64), (1, 1), (1, 0), (1, 1), 1, neuron, (2, 4, 1)),
        FlattenLayer((8,)),
        DenseLayer(np.ones((3, 8), np.int64), neuron),
        DenseLayer(np.ones((2, 3), np.int64), neuron),
    )
    network = Network(layers, ("input", "conv1", "flatten", "dense1", "heads"))
    assert sources(network) == {"conv1": (1, 4, 1), "dense1": (8,), "heads": (3,)}
