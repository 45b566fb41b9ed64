"""First rung of the ladder: SLAYER's quantised forward equals the reference, every layer, spike for spike.

Random networks of convolutions, pools and dense layers, with random weights, decays, thresholds and delays; of
SLAYER's own blocks and of this project's faster ones.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export import gate, reference
from export.convert import from_slayer
from train.neurons import lif, slayer

STEPS = 24
STOCK = slayer.block.cuba


def set_weights(block, generator):
    shape = block.synapse.weight.shape
    block.synapse.weight.data = torch.from_numpy(generator.integers(-24, 25, shape) / 32).float()


def set_decays(block, generator, channels):
    neuron = block.neuron
    for parameter in (neuron.current_decay, neuron.voltage_decay):
        high = generator.choice([8, 400, 4097])
        size = 1 if channels is None else channels
        # Not whole: quantisation is part of what is compared.
        parameter.data = torch.from_numpy(generator.uniform(0, high, size)).float().clamp(0, 4096)


def neuron(draw, shared=True):
    threshold = draw(st.sampled_from([1 / 64, 0.5, 1.25, 3.0, 8.0, 40.0]))
    return {"threshold": threshold, "current_decay": 0.1, "voltage_decay": 0.05, "shared_param": shared}


def settle(block, shape, shared):
    """Give a block whose neurons have decays of their own its shape, so that stock SLAYER draws none."""
    if not shared:
        block.neuron.shape = torch.Size(shape)
        block.neuron.num_neurons = int(np.prod(shape))


def conv_block(draw, kinds, generator, shape):
    ours = kinds is lif
    width_kernel = draw(st.integers(1, min(2, shape[2])))
    kernel = (draw(st.integers(1, min(3, shape[1]))), width_kernel)
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = (draw(st.integers(0, 1)), draw(st.integers(0, 1)))
    groups = draw(st.sampled_from([1, shape[0]]))
    channels = groups * draw(st.integers(1, 2))
    # A decay a channel crashes stock SLAYER in convolutions.
    shared = draw(st.booleans()) or not ours
    block = kinds.Conv(neuron(draw, shared), shape[0], channels, kernel, stride, padding, groups=groups)
    set_weights(block, generator)
    out = [(shape[1 + a] + 2 * padding[a] - kernel[a]) // stride[a] + 1 for a in (0, 1)]
    settle(block, (channels, *out), shared)
    set_decays(block, generator, None if shared else channels)
    return block, (channels, *out)


def pool_block(draw, kinds, generator, shape):
    # SLAYER fills up a block that the kernel does not divide rightly for 1 and 2 alone.
    largest = 3 if kinds is lif else 2
    kernel = (draw(st.integers(1, min(largest, shape[1]))), draw(st.integers(1, min(largest, shape[2]))))
    block = kinds.Pool(neuron(draw), kernel)
    set_decays(block, generator, None)
    return block, (shape[0], -(-shape[1] // kernel[0]), -(-shape[2] // kernel[1]))


def dense_block(draw, kinds, generator, inputs):
    out = draw(st.integers(1, 5))
    shared, delay = draw(st.booleans()), draw(st.booleans())
    block = kinds.Dense(neuron(draw, shared), inputs, out, delay=delay)
    set_weights(block, generator)
    settle(block, (out,), shared)
    set_decays(block, generator, None if shared else out)
    if delay:
        block.delay.init = True
        block.delay.delay.data = torch.from_numpy(generator.uniform(0, 9, out)).float()
    return block, out


@st.composite
def networks(draw, kinds):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = input_shape = (draw(st.integers(1, 3)), draw(st.integers(2, 7)), draw(st.integers(1, 3)))
    blocks, names = [], []
    for index in range(draw(st.integers(0, 3))):
        make = draw(st.sampled_from([conv_block, pool_block]))
        block, shape = make(draw, kinds, generator, shape)
        blocks.append(block)
        names.append(f"{make.__name__}{index}")
    blocks.append(kinds.Flatten())
    inputs = int(np.prod(shape))
    for index in range(draw(st.integers(1, 2))):
        block, inputs = dense_block(draw, kinds, generator, inputs)
        blocks.append(block)
        names.append(f"dense{index}")
    rate = draw(st.sampled_from([0.05, 0.3, 1.0]))
    spikes = (generator.random((2, *input_shape, STEPS)) < rate).astype(np.uint8)
    return Slayer(blocks, names), input_shape, spikes


class Slayer(torch.nn.Module):
    def __init__(self, blocks, names):
        super().__init__()
        self.blocks = torch.nn.ModuleList(blocks)
        self.layer_names = names

    def layers(self, x):
        found = []
        for block in self.blocks:
            x = block(x)
            if not isinstance(block, STOCK.Flatten):
                found.append(x)
        return found


def assert_equal(network, input_shape, spikes):
    integers = from_slayer(network, input_shape)
    trained = gate.trained_layers(SimpleNamespace(network=network), spikes)
    assert integers.spiking_names == tuple(network.layer_names)
    for sample in range(len(spikes)):
        layers = reference.run(integers, spikes[sample])
        gate.compare(integers.spiking_names, [layer[sample] for layer in trained], layers, f"sample {sample}")
    return trained


SETTINGS = settings(derandomize=True, max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(networks(lif))
def test_our_blocks(drawn):
    assert_equal(*drawn)


@SETTINGS
@given(networks(STOCK))
def test_stock_blocks(drawn):
    assert_equal(*drawn)


@pytest.mark.filterwarnings("ignore:torch.nn.utils.weight_norm is deprecated")
@pytest.mark.parametrize("kinds", [lif, STOCK], ids=["ours", "stock"])
def test_weight_norm_dropout_and_high_thresholds(kinds):
    generator = np.random.default_rng(2)
    high = 2047.0 if kinds is lif else 63.0
    normed = kinds.Dense({"threshold": 1.0, "current_decay": 0.1, "voltage_decay": 0.05}, 20, 12, weight_norm=True)
    normed.synapse.weight_v.data *= 4
    normed.synapse.weight_g.data *= 3
    last = kinds.Dense(
        {"threshold": high, "current_decay": 0.05, "voltage_decay": 0.001, "dropout": slayer.Dropout(0.5)}, 12, 6
    )
    last.synapse.weight.data = last.synapse.weight.data.abs() * 12
    network = Slayer([normed, last], ["normed", "last"]).eval()
    spikes = (generator.random((2, 20, 200)) < 0.3).astype(np.uint8)
    trained = assert_equal(network, (20,), spikes)
    assert all(layer.any() for layer in trained)


def test_the_projects_own_network():
    """The configured network on clips' worth of steps: it fires in every layer, and not a spike differs."""
    from train.config import Config
    from train.topology import build_network

    torch.manual_seed(1)
    network = build_network(Config(), channels=8, features=33, outputs=32).eval()
    spikes = (np.random.default_rng(1).random((2, 8, 33, 1, 94)) < 0.15).astype(np.uint8)
    trained = assert_equal(network, (8, 33, 1), spikes)
    assert all(layer.any() for layer in trained)
