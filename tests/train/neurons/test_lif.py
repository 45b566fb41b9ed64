"""The neuron and the blocks against SLAYER's own."""

import sys

import numpy as np
import pytest
import torch

from train.neurons import lif, slayer

PARAMS = {"threshold": 3.0, "current_decay": 0.25, "voltage_decay": 0.1, "requires_grad": True}


def _spikes(shape, seed=0, rate=0.3):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


def _pair(name, *args, **options):
    """One of our blocks and SLAYER's with the same weights."""
    torch.manual_seed(0)
    ours = getattr(lif, name)(dict(PARAMS), *args, **options)
    stock = getattr(slayer.block.cuba, name)(dict(PARAMS), *args, **options)
    ours.synapse.weight.data *= 3 if name != "Pool" else 1
    stock.synapse.weight.data.copy_(ours.synapse.weight.data)
    return ours, stock


@pytest.mark.parametrize(
    ("name", "args", "options", "shape"),
    [
        ("Dense", (12, 7), {}, (3, 12, 40)),
        ("Dense", (12, 7), {"delay_shift": False}, (3, 12, 40)),
        ("Conv", (2, 5, (5, 1)), {"padding": (2, 0)}, (3, 2, 9, 1, 40)),
        ("Conv", (4, 6, (3, 1)), {"stride": (2, 1), "dilation": (2, 1), "groups": 2}, (3, 4, 9, 1, 40)),
        ("Conv", (2, 5, 3), {"padding": 1}, (3, 2, 6, 4, 40)),
        ("Pool", ((2, 1),), {"weight_scale": 2}, (3, 4, 8, 1, 40)),
        ("Pool", ((2, 1),), {"weight_scale": 2}, (3, 4, 9, 1, 40)),
        ("Pool", (2,), {}, (3, 4, 6, 4, 40)),
    ],
)
def test_blocks_spike_and_learn_as_slayers(name, args, options, shape):
    ours, stock = _pair(name, *args, **options)
    assert isinstance(ours, type(stock))
    x = [_spikes(shape).requires_grad_() for _ in range(2)]
    out = [block(inputs) for block, inputs in zip((ours, stock), x, strict=True)]
    assert out[0].mean() > 0.01
    np.testing.assert_array_equal(out[0].detach().numpy(), out[1].detach().numpy())
    grad = torch.randn(out[0].shape, generator=torch.Generator().manual_seed(1))
    for spikes in out:
        spikes.backward(grad)
    torch.testing.assert_close(x[0].grad, x[1].grad, rtol=1e-5, atol=1e-8)
    if name != "Pool":
        torch.testing.assert_close(ours.synapse.weight.grad, stock.synapse.weight.grad, rtol=1e-4, atol=1e-7)
    for decay in ("current_decay", "voltage_decay"):
        mine, theirs = getattr(ours.neuron, decay).grad, getattr(stock.neuron, decay).grad
        torch.testing.assert_close(mine, theirs / -4096, rtol=1e-3, atol=1e-8)


def test_pool_of_three_fills_up_the_last_block():
    block = lif.Pool({"threshold": 0.5, "current_decay": 1.0, "voltage_decay": 0.0}, (3, 1), delay_shift=False)
    x = torch.zeros(1, 1, 5, 1, 2)
    x[0, 0, 4, 0, 0] = 1
    assert block(x).squeeze().tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_pool_refuses_overlap():
    with pytest.raises(ValueError, match="a pooling block strides by its kernel, unpadded and undilated"):
        lif.Pool(dict(PARAMS), (3, 1), stride=(2, 1))


def test_conv_takes_a_decay_per_channel():
    block = lif.Conv({**PARAMS, "current_decay": (0.1, 0.5), "shared_param": False}, 2, 5, (3, 1), padding=(1, 0))
    np.testing.assert_array_equal(block.neuron.cx_current_decay, [410, 819, 1229, 1638, 2048])
    np.testing.assert_array_equal(block.neuron.cx_voltage_decay, [410] * 5)
    block.synapse.weight.data *= 4
    x = _spikes((3, 2, 6, 1, 40))
    spikes = block(x)
    spikes.sum().backward()
    assert block.neuron.current_decay.grad.shape == (5,)
    for channel in range(5):
        params = {**PARAMS, "current_decay": [410, 819, 1229, 1638, 2048][channel] / 4096}
        alone = slayer.block.cuba.Conv(params, 2, 1, (3, 1), padding=(1, 0))
        alone.synapse.weight.data.copy_(block.synapse.weight.data[channel : channel + 1])
        np.testing.assert_array_equal(spikes[:, channel].detach().numpy(), alone(x)[:, 0].detach().numpy())


@pytest.mark.parametrize("which", ["current_decay", "voltage_decay"])
def test_a_decays_gradient_is_that_of_finite_differences(which):
    """The voltage without reset, in float64, against the neuron's own: what learnable decays need."""
    x = _spikes((2, 3, 30)) * 4
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    neuron = lif.Neuron(**{**PARAMS, "threshold": 1000.0})
    (neuron.dynamics(x)[1] * weight).sum().backward()

    def loss(register):
        decays = {"current_decay": 1024.0, "voltage_decay": 410.0, which: register}
        u = v = torch.zeros(2, 3, dtype=torch.float64)
        total = 0.0
        for t in range(x.shape[-1]):
            u = (1 - decays["current_decay"] / 4096) * u + x[..., t].double()
            v = (1 - decays["voltage_decay"] / 4096) * v + u
            total += float((v * weight[..., t]).sum())
        return total

    register = float(torch.round(getattr(neuron, which).detach()))
    expected = (loss(register + 0.5) - loss(register - 0.5)) / 1.0
    assert float(getattr(neuron, which).grad) == pytest.approx(expected, rel=2e-3)


def test_descending_a_decays_gradient_lowers_the_loss():
    x = _spikes((4, 6, 60), rate=0.5)
    neuron = lif.Neuron(**{**PARAMS, "tau_grad": 0.01})
    target = 1.5 * neuron(x).sum().detach()
    losses = []
    optimiser = torch.optim.SGD(neuron.parameters(), lr=1.0)
    for _ in range(25):
        loss = (neuron(x).sum() / target - 1) ** 2
        optimiser.zero_grad()
        loss.backward()
        for parameter in neuron.parameters():
            parameter.grad = 10 * parameter.grad.sign()
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("threshold", [32.0, 64.0, 1000.0])
def test_a_voltage_at_the_threshold_does_not_fire_however_large(threshold):
    """The chip fires above its threshold; SLAYER's epsilon of 0.01 is lost in float32 from 64 on."""
    neuron = lif.Neuron(threshold, 1.0, 0.0)
    at = torch.full((1, 1, 1), threshold)
    above = at + 1 / 4096
    assert not neuron(at).any()
    assert neuron(above).all()
    assert torch.equal(neuron.spike(neuron.dynamics(at)[1]), neuron(at))


def test_dropout_drops_neurons_in_training_only():
    neuron = lif.Neuron(0.5, 1.0, 0.0, dropout=slayer.Dropout(0.5))
    x = torch.ones(8, 40, 10)
    rates = neuron(x).mean(dim=-1)
    assert set(rates.unique().tolist()) == {0.0, 2.0}
    neuron.eval()
    assert neuron(x).mean() == 1


@pytest.mark.parametrize("options", [{"persistent_state": True}, {"graded_spike": True}])
def test_what_does_not_fuse_goes_slayers_way(options):
    ours, stock = lif.Neuron(**PARAMS, **options), slayer.cuba.Neuron(**PARAMS, **options)
    x = _spikes((2, 5, 60))
    for part in (x[..., :30], x[..., 30:]):
        assert not ours.fuses(part)
        np.testing.assert_array_equal(ours(part).detach().numpy(), stock(part).detach().numpy())


def test_another_shape_is_refused():
    neuron = lif.Neuron(**PARAMS)
    neuron(torch.zeros(1, 5, 10))
    with pytest.raises(AssertionError, match=r"input of shape \(1, 6, 10\) for neurons of shape \(5,\)"):
        neuron(torch.zeros(1, 6, 10))


def test_the_known_warning_is_dropped_and_others_are_kept(capsys):
    with slayer.without_known_warning():
        print("WARNING: Prophesee Dataset Toolbox could not be found!")
        print("No CUDA runtime is found, using CUDA_HOME='/usr/local'", file=sys.stderr)
        print("another warning")
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err == "another warning\n"


def test_an_input_block_spikes_as_slayers():
    ours, stock = (kind(dict(PARAMS), weight=2.0, bias=0.5) for kind in (lif.Input, slayer.block.cuba.Input))
    x = torch.randn(3, 4, 40, generator=torch.Generator().manual_seed(3))
    out = ours(x)
    assert out.mean() > 0.01
    np.testing.assert_array_equal(out.detach().numpy(), stock(x).detach().numpy())
