"""Second rung of the ladder: the reference equals Lava's fixed-point simulator, every layer, spike for spike.

The files go through stock lava-dl's loader, so these tests are of ``export/netx.py`` too.
"""

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import netx, reference
from export.graph import ConvLayer, Cuba, DenseLayer, FlattenLayer, InputLayer, Network
from export.stock import stock_weights

STEPS = 30


def even(generator, *shape, size=20):
    return 2 * generator.integers(-size, size + 1, shape)


def conv_network(generator):
    """Strides, padding and dilation that differ by axis, groups, decays per channel, a pool, and a flatten."""
    layers = (
        InputLayer((2, 9, 5)),
        ConvLayer(
            even(generator, 4, 2, 3, 2),
            (2, 1),
            (2, 1),
            (1, 2),
            1,
            Cuba(np.array([100, 4096, 0, 700]), 205, 30),
            (4, 6, 5),
        ),
        ConvLayer(
            even(generator, 6, 2, 2, 3), (1, 2), (0, 1), (2, 1), 2, Cuba(410, np.arange(100, 106), 30), (6, 4, 3)
        ),
        ConvLayer(np.full((6, 1, 2, 1), 64), (2, 1), (0, 0), (1, 1), 6, Cuba(4096, 0, 96), (6, 2, 3)),
        FlattenLayer((36,)),
        DenseLayer(even(generator, 7, 36), Cuba(np.arange(300, 307), 205, 30)),
    )
    return Network(layers, ("input", "conv1", "conv2", "pool", "flatten", "dense"))


def dense_network(generator):
    """Recurrence, biases, delays per neuron, and decays at their ends."""
    layers = (
        InputLayer((12,)),
        DenseLayer(even(generator, 10, 12), Cuba(410, 205, 40), delay=np.arange(10)),
        DenseLayer(even(generator, 8, 10), Cuba(4096, 0, 40), recurrent=even(generator, 8, 8)),
        DenseLayer(even(generator, 6, 8), Cuba(0, 4096, 60), bias=np.array([5, -5, 61, 0, 1, -1])),
        DenseLayer(even(generator, 4, 6), Cuba(1, 4095, 500)),
    )
    return Network(layers, ("input", "late", "echo", "biased", "last"))


def extreme_network(generator):
    """Currents that wrap at 24 bits and voltages that saturate below, both ways."""
    weight = 2 * generator.integers(-127, 128, (20, 200))
    weight[:5], weight[5:10] = np.abs(weight[:5]), -np.abs(weight[5:10])
    layers = (
        InputLayer((200,)),
        DenseLayer(weight, Cuba(1, 1, 131071)),
        DenseLayer(even(generator, 5, 20), Cuba(410, 205, 9)),
    )
    return Network(layers, ("input", "extreme", "last"))


def assert_lava_agrees(network, path, spikes, **options):
    from lava_runtime.network import LavaNetwork

    netx.write(network, path)
    with LavaNetwork(path, **options) as lava:
        samples = [found for found in lava.stream(spikes) if not isinstance(found, int)]
    fired = 0
    for sample, found in zip(spikes, samples, strict=True):
        for name, ours, theirs in zip(
            network.spiking_names, reference.run(netx.read(path), sample), found, strict=True
        ):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
        fired += int(ours.sum())
    assert fired


@pytest.mark.lava
@pytest.mark.parametrize("make", [conv_network, dense_network, extreme_network])
def test_lava_runs_the_same_spikes(make, tmp_path):
    generator = np.random.default_rng(11)
    network = make(generator)
    spikes = (generator.random((2, *network.input_shape, STEPS)) < 0.3).astype(np.uint8)
    if make is extreme_network:
        traces = reference.simulate(network, spikes[0], probes=True)
        assert traces[0].wraps
        assert traces[0].v.min() == 1 - (1 << 23)
    options = {"stock": True} if make is conv_network else {}
    assert_lava_agrees(network, tmp_path / "model.net", spikes, **options)


@pytest.mark.lava
def test_lava_runs_the_tutorials_network(shared, tmp_path):
    network = netx.read(shared / "netx" / "mnist.net")
    spikes = (np.random.default_rng(2).random((3, 784, 40)) < 0.1).astype(np.uint8)
    assert_lava_agrees(network, tmp_path / "mnist.net", spikes)


@functools.cache
def lava_file(path):
    """One of Lava's modules by itself: importing its package takes half a minute."""
    (root,) = importlib.util.find_spec("lava").submodule_search_locations
    spec = importlib.util.spec_from_file_location("lava_file", Path(root) / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-128, 127), min_size=3, max_size=8).filter(any),
    st.sampled_from([-1, 0, 1]),
    st.booleans(),
)
def test_stock_weights_are_what_lava_sums_with(halves, sign, recurrent):
    """Lava's own scaling, clipping and truncation, one after the other, as its dense synapse calls them."""
    optimize_weight_bits = lava_file("lib/dl/netx/utils.py").optimize_weight_bits
    synapse = lava_file("utils/weightutils.py")
    weight = 2 * np.array([halves])
    if sign:
        weight = np.where(sign * weight > 0, weight, 0)
    if not weight.any():
        return
    matrices = [weight[:, :2], weight[:, 2:]] if recurrent else [weight]
    with np.errstate(divide="ignore"):
        scaled, bits, exponent, _ = optimize_weight_bits(np.hstack(matrices))
    for matrix, found in zip(
        np.split(scaled, [2], axis=1) if recurrent else [scaled],
        stock_weights(*matrices),
        strict=True,
    ):
        mode = synapse.determine_sign_mode(matrix)
        summed = synapse.truncate_weights(synapse.clip_weights(matrix, mode, num_bits=8), mode, bits)
        np.testing.assert_array_equal(found, summed >> -exponent)
