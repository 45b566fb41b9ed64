"""Whole layers against the same layer in parts, and what the kernels promise besides numbers."""

import numpy as np
import pytest
import torch

from train.neurons import dh_lif, lif, slayer
from train.neurons.dynamics import cuba_lif
from train.neurons.memory import fresh

PARAMS = {"threshold": 1.0, "voltage_decay": 0.1, "requires_grad": True}
BRANCHED = {**PARAMS, "branch_taus": [2.0, 6.0, 30.0]}
LAYERS = [
    ("Dense", (11, 7), {}, (3, 11, 33)),
    ("Conv", (3, 5, (5, 1)), {"padding": (2, 0)}, (3, 3, 8, 1, 33)),
    ("Conv", (3, 5, (5, 1)), {"padding": (1, 0)}, (2, 3, 8, 1, 30)),
    ("Conv", (2, 6, (3, 1)), {}, (9, 2, 6, 1, 1)),
]


def _spikes(shape, seed=0, rate=0.3):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


def _block(name, args, options, share):
    torch.manual_seed(0)
    if share is None:
        block = getattr(lif, name)({**PARAMS, "current_decay": 0.25}, *args, **options)
    else:
        block = getattr(dh_lif, name)(BRANCHED, *args, partition={"share": share}, **options)
    block.synapse.weight.data *= 4
    return block


def _course(block, x, frames=False):
    """Spikes and all gradients, for input that lies time last or in frames."""
    block.zero_grad()
    x = x.clone()
    if frames:
        x = x.movedim(-1, 1).contiguous().movedim(1, -1)
    x.requires_grad_()
    spikes = block(x)
    spikes.backward(torch.randn(spikes.shape, generator=torch.Generator().manual_seed(1)))
    return [spikes.detach(), x.grad, *(parameter.grad.clone() for parameter in block.parameters())]


@pytest.mark.parametrize("share", [None, 0, 2])
@pytest.mark.parametrize(("name", "args", "options", "shape"), LAYERS)
def test_a_whole_layer_is_its_parts(monkeypatch, share, name, args, options, shape):
    block, x = _block(name, args, options, share), _spikes(shape)
    whole = _course(block, x)
    assert whole[0].any() or shape[-1] == 1
    monkeypatch.setattr("train.neurons.synapses.is_plain", lambda *_: False)
    for mine, other in zip(whole, _course(block, x), strict=True):
        scale = float(other.abs().max()) or 1.0
        torch.testing.assert_close(mine / scale, other / scale, rtol=1e-4, atol=3e-6)
    np.testing.assert_array_equal(whole[0].numpy(), block(x).detach().numpy())


@pytest.mark.parametrize("share", [None, 0, 2])
@pytest.mark.parametrize(("name", "args", "options", "shape"), LAYERS)
def test_neither_threads_nor_repetition_nor_layout_change_a_bit(share, name, args, options, shape):
    block, x = _block(name, args, options, share), _spikes(shape)
    threads, outcomes = torch.get_num_threads(), []
    try:
        for count, frames in ((1, False), (2, False), (2, True), (2, False)):
            torch.set_num_threads(count)
            outcomes.append(_course(block, x, frames))
    finally:
        torch.set_num_threads(threads)
    for other in outcomes[1:]:
        for one, another in zip(outcomes[0], other, strict=True):
            assert torch.equal(one, another)


def test_a_partition_loaded_later_counts():
    blocks = [_block("Dense", (11, 7), {}, 0) for _ in range(2)]
    blocks[1].partition.branch[:] = blocks[1].partition.branch.flip(1)
    x = _spikes((3, 11, 60))
    before, wanted = (block(x).detach() for block in blocks)
    assert not torch.equal(before, wanted)
    blocks[0].load_state_dict(blocks[1].state_dict())
    assert torch.equal(blocks[0](x), wanted)


@pytest.mark.parametrize(("size", "scale"), [(3000.0, 4096), (60000.0, 4096), (2.0, 5000)])
def test_states_beyond_32_bits_and_odd_scales_are_slayers_too(size, scale):
    """Without leak a current of thousands passes 2^31 within a few steps."""
    x = torch.round(torch.randn(3, 5, 200, generator=torch.Generator().manual_seed(4)) * size * 32) / 32 + size / 4
    du, dv, limit = torch.tensor([1.0]), torch.tensor([0.0]), 1.3 * size
    rest = torch.zeros(3, 5)
    current = slayer.leaky_integrator.dynamics(x, du, rest, scale)
    voltage = slayer.leaky_integrator.dynamics(current, dv, rest, scale, limit)
    expected = (voltage >= limit).float()
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(cuba_lif(x, du, dv, limit, 1.0, 1.0, scale).numpy(), expected.numpy())


def test_memory_is_used_again_when_no_tensor_holds_it():
    first = fresh((512, 64))
    at, part = first.data_ptr(), first[3:5]
    assert fresh((512, 64)).data_ptr() != at
    del first
    # A view holds it, too.
    assert fresh((512, 64)).data_ptr() != at
    del part
    held = [fresh((512, 64)) for _ in range(3)]
    assert at in [tensor.data_ptr() for tensor in held]
    assert len({tensor.data_ptr() for tensor in held}) == 3


def test_no_sample_gives_no_spike():
    assert _block("Dense", (11, 7), {}, None)(torch.zeros(0, 11, 5)).shape == (0, 7, 5)
