"""The kernels against SLAYER's CPU path: forward to the bit, backward but for rounding."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.neurons import slayer
from train.neurons.dynamics import cuba_lif, leaky_integrator

EPS = 0.01 / 4096
DRAWN = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

shapes = st.tuples(st.integers(1, 3), st.integers(1, 7), st.sampled_from([(), (3, 1), (4, 2)]), st.integers(1, 40))
decays = st.one_of(st.sampled_from([0, 1, 4095, 4096]), st.integers(0, 4096))


def _input(shape, seed, scale=2.0):
    """What synapses give: multiples of 1/32."""
    source = torch.Generator().manual_seed(seed)
    return torch.round(torch.randn(shape, generator=source) * scale * 32) / 32


def _close(found, expected):
    scale = float(expected.abs().max()) or 1.0
    np.testing.assert_allclose(found.numpy() / scale, expected.numpy() / scale, rtol=1e-5, atol=2e-6)


def _shape(parts):
    sample, channel, space, time = parts
    return (sample, channel, *space, time)


@DRAWN
@given(shapes, decays, st.sampled_from([None, 0.5, 3.0, 40.0]), st.booleans(), st.integers(0, 1000))
def test_leaky_integrator_is_slayers(parts, decay, threshold, moving, seed):
    shape = _shape(parts)
    x = _input(shape, seed)
    state = _input(shape[:-1], seed + 1) if moving else torch.zeros(1)
    grad = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    found, expected = [], []
    for outcome, integrate in ((found, leaky_integrator), (expected, slayer.leaky_integrator.dynamics)):
        inputs, register = x.clone().requires_grad_(), torch.tensor([float(decay)], requires_grad=True)
        y = integrate(inputs, register, state, 4096, threshold)
        y.backward(grad)
        outcome += [y.detach(), inputs.grad, register.grad]
    np.testing.assert_array_equal(found[0].numpy(), expected[0].numpy())
    np.testing.assert_array_equal(found[1].numpy(), expected[1].numpy())
    share = leaky_share(expected[1], expected[0])
    assert abs(float(found[2] - expected[2])) <= 1e-5 * share


def leaky_share(grad_x, y):
    """Size of what is summed to a decay's gradient, the sum itself being small by cancellation."""
    return float((grad_x[..., 1:] * y[..., :-1]).abs().sum()) + 1e-12


@DRAWN
@given(
    shapes, decays, decays, st.sampled_from([0.5, 3.0, 40.0]), st.sampled_from([1.0, 30.0, 800.0]), st.integers(0, 1000)
)
def test_cuba_lif_is_slayers_chain(stock_chain, parts, du, dv, threshold, tau, seed):
    shape = _shape(parts)
    x = _input(shape, seed)
    grad = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    outcomes = []
    for run in (
        lambda *given: cuba_lif(*given, threshold + EPS, tau, 0.1, 4096),
        lambda *given: stock_chain(*given, threshold + EPS, tau, 0.1),
    ):
        inputs = x.clone().requires_grad_()
        registers = [torch.tensor([float(decay)], requires_grad=True) for decay in (du, dv)]
        spikes = run(inputs, *registers)
        spikes.backward(grad)
        outcomes.append([spikes.detach(), inputs.grad, *(register.grad for register in registers)])
    found, expected = outcomes
    np.testing.assert_array_equal(found[0].numpy(), expected[0].numpy())
    _close(found[1], expected[1])
    for mine, theirs in zip(found[2:], expected[2:], strict=True):
        assert mine.shape == theirs.shape


@pytest.mark.parametrize("which", ["current", "voltage"])
def test_cuba_lif_gives_slayers_decay_gradients(stock_chain, which):
    x = _input((4, 5, 60), 3).abs()
    outcomes = []
    for run in (
        lambda *given: cuba_lif(*given, 3.0 + EPS, 30.0, 0.1, 4096),
        lambda *given: stock_chain(*given, 3.0 + EPS, 30.0, 0.1),
    ):
        registers = {name: torch.tensor([400.0], requires_grad=True) for name in ("current", "voltage")}
        run(x, *registers.values()).sum().backward()
        outcomes.append(registers[which].grad)
    torch.testing.assert_close(*outcomes, rtol=1e-5, atol=0)


def test_a_decay_per_neuron_is_slayers():
    x, state = _input((3, 6, 50), 5), torch.zeros(3, 6)
    outcomes = []
    for integrate in (leaky_integrator, slayer.leaky_integrator.dynamics):
        register = torch.linspace(0, 4096, 6).round().requires_grad_()
        y = integrate(x, register, state, 4096, 5.0)
        (y**2).sum().backward()
        outcomes.append((y.detach(), register.grad))
    assert torch.equal(outcomes[0][0], outcomes[1][0])
    # SLAYER sums in float32, and terms of either sign cancel.
    torch.testing.assert_close(outcomes[0][1], outcomes[1][1], rtol=1e-5, atol=1e-5)


def test_a_decay_per_channel_runs_along_channels():
    x = _input((2, 5, 4, 3, 30), 6)
    register = torch.tensor([0.0, 100.0, 1000.0, 4000.0, 4096.0], requires_grad=True)
    y = leaky_integrator(x, register, torch.zeros(1), 4096)
    (y**2).sum().backward()
    for channel in range(5):
        alone = register[channel : channel + 1].detach().requires_grad_()
        one = leaky_integrator(x[:, channel : channel + 1], alone, torch.zeros(1), 4096)
        (one**2).sum().backward()
        assert torch.equal(y[:, channel : channel + 1], one)
        torch.testing.assert_close(register.grad[channel], alone.grad[0], rtol=1e-6, atol=0)


def test_a_shift_delays_spikes_and_their_gradient():
    x, du, dv = _input((2, 40, 30), 7), torch.tensor([400.0]), torch.tensor([100.0])
    grad = torch.randn(x.shape, generator=torch.Generator().manual_seed(7))
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    plain = cuba_lif(inputs[0], du, dv, 3.0, 3.0, 1.0, 4096)
    late = cuba_lif(inputs[1], du, dv, 3.0, 3.0, 1.0, 4096, 1)
    assert torch.equal(late[..., 1:], plain[..., :-1])
    assert not late[..., 0].any()
    late.backward(grad)
    plain.backward(torch.cat([grad[..., 1:], torch.zeros(2, 40, 1)], dim=-1))
    assert torch.equal(inputs[0].grad, inputs[1].grad)


def test_the_thread_count_changes_nothing():
    x = _input((4, 30, 5, 1, 40), 8)
    threads, outcomes = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            inputs = x.clone().requires_grad_()
            registers = [torch.full((30,), float(decay), requires_grad=True) for decay in (300, 100)]
            spikes = cuba_lif(inputs, *registers, 3.0 + EPS, 3.0, 1.0, 4096)
            (spikes * x).sum().backward()
            outcomes.append([spikes.detach(), inputs.grad, *(register.grad for register in registers)])
    finally:
        torch.set_num_threads(threads)
    for one, two in zip(*outcomes, strict=True):
        assert torch.equal(one, two)


def test_a_strided_input_is_taken_as_it_reads():
    x = _input((2, 3, 4, 20), 9)
    turned = x.permute(0, 2, 1, 3)
    du, dv = torch.tensor([400.0]), torch.tensor([100.0])
    spikes = cuba_lif(turned, du, dv, 1.0, 3.0, 1.0, 4096)
    assert torch.equal(spikes, cuba_lif(x, du, dv, 1.0, 3.0, 1.0, 4096).permute(0, 2, 1, 3))
