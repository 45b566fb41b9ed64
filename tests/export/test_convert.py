"""SLAYER's blocks become integers, or are refused with the layer's name."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from export.convert import from_slayer
from export.graph import ConvLayer, DenseLayer, FlattenLayer
from train.errors import MaestroError
from train.neurons import lif, slayer

CUBA = {"threshold": 1.0, "current_decay": 0.1, "voltage_decay": 0.05}
STOCK = slayer.block.cuba


def convert(*blocks, shape=(3,), names=("first", "second")):
    return from_slayer(SimpleNamespace(blocks=blocks, layer_names=names), shape)


def test_registers_are_slayers():
    block = STOCK.Dense(CUBA, 3, 2)
    block.synapse.weight.data = torch.tensor([[0.5, -0.049, 9.0], [0.047, -9.0, 0.0]]).reshape(2, 3, 1, 1, 1)
    layer = convert(block).layers[1]
    assert isinstance(layer, DenseLayer)
    # Steps of 2/64, clipped to eight bits.
    assert layer.weight.tolist() == [[32, -4, 254], [4, -256, 0]]
    assert (layer.neuron.i_decay, layer.neuron.v_decay, layer.neuron.vth_mant) == (410, 205, 64)
    assert layer.delay is None


def test_decays_per_channel_and_delays_stay_apart():
    dense = lif.Dense({**CUBA, "current_decay": (0.1, 0.2), "shared_param": False}, 3, 3, delay=True)
    dense.delay.init = True
    dense.delay.delay.data = torch.tensor([0.4, 1.0, 70.0])
    layer = convert(dense).layers[1]
    assert layer.neuron.i_decay.tolist() == [410, 614, 819]
    # All the same: one number.
    assert layer.neuron.v_decay == 205
    assert layer.delay.tolist() == [0, 1, 62]


@pytest.mark.parametrize(
    ("height", "kernel", "grown"), [(6, 2, [64, 64]), (7, 2, [0, 64, 64]), (7, 3, [0, 0, 64, 64, 64])]
)
def test_pools_become_grouped_convolutions(height, kernel, grown):
    """What SLAYER fills up at the end lies under zeros at the kernel's front."""
    network = convert(lif.Pool(CUBA, (kernel, 1)), lif.Flatten(), shape=(2, height, 1))
    pool, flatten = network.layers[1:]
    assert isinstance(pool, ConvLayer)
    assert pool.groups == 2
    assert pool.weight[..., 0].tolist() == [[grown], [grown]]
    assert pool.stride == (kernel, 1)
    assert pool.padding == (len(grown) - kernel, 0)
    assert flatten.shape == (2 * -(-height // kernel),)
    assert isinstance(flatten, FlattenLayer)
    assert network.names == ("input", "first", "flatten")


def test_conversion_leaves_the_network_as_it_was():
    block = lif.Dense(CUBA, 3, 2)
    before = {key: value.clone() for key, value in block.state_dict().items()}
    x = (torch.rand(1, 3, 20) < 0.5).float()
    spikes = block(x)
    convert(block)
    assert torch.equal(block(x), spikes)
    assert all(torch.equal(value, before[key]) for key, value in block.state_dict().items())


def unhooked():
    block = STOCK.Dense(CUBA, 3, 2)
    block.synapse.pre_hook_fx = None
    return block


def rounded_off():
    block = STOCK.Dense(CUBA, 3, 2)
    block.synapse.pre_hook_fx = lambda weight, descale=False: weight * (64 if descale else 1)
    return block


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: STOCK.KWTA(CUBA, 3, 2, num_winners=1), (3,), "layer first: is a KWTA block, which cannot be exported"),
        (
            lambda: STOCK.Dense({**CUBA, "norm": slayer_norm()}, 3, 2),
            (3,),
            "layer first: normalises its current by MeanOnlyBatchNorm, which NetX does not fold in",
        ),
        (lambda: STOCK.Dense({**CUBA, "graded_spike": True}, 3, 2), (3,), "layer first: sends graded spikes"),
        (lambda: STOCK.Dense(CUBA, 3, 2, delay_shift=False), (3,), "layer first: leaves out the step"),
        (lambda: STOCK.Conv(CUBA, 1, 2, 1, delay=True), (1, 3, 1), "layer first: has delays, which NetX leaves out"),
        (lambda: STOCK.Pool(CUBA, 1, stride=2), (1, 4, 4), r"layer first: pools by \(1, 1\) with stride \(2, 2\)"),
        (unhooked, (3,), "layer first: was trained without quantised weights"),
        (rounded_off, (3,), "layer first: has weights that do not come to whole numbers"),
    ],
)
def test_what_has_no_integer_form_is_refused(make, shape, message):
    with pytest.raises(MaestroError, match=message):
        convert(make(), shape=shape)


def slayer_norm():
    from lava.lib.dl.slayer.neuron.norm import MeanOnlyBatchNorm

    return MeanOnlyBatchNorm


def test_weights_gone_to_nan_are_refused():
    block = STOCK.Dense(CUBA, 3, 2)
    block.synapse.weight.data[:] = np.nan
    with pytest.raises(MaestroError, match="has weights that do not come to whole numbers"):
        convert(block)
