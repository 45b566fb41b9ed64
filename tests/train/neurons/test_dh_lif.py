"""DH-LIF against SLAYER's leaky_integrator called once a branch, and against LIF where there is one branch."""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.neurons import dh_lif, dh_spiking, lif, slayer
from train.neurons.branches import Partition, branch_taus, gain_of
from train.neurons.dynamics import cuba_lif
from train.neurons.dynamics import dh_lif as dh_lif_kernel

EPS = 0.01 / 4096
thresholds = st.sampled_from([0.5, 3.0, 40.0])
seeds = st.integers(0, 1000)
DRAWN = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BRANCHES = (1, 2, 3, 4, 8)
shapes = st.tuples(st.integers(1, 3), st.integers(1, 7), st.sampled_from([(), (3, 1), (4, 2)]), st.integers(1, 40))
decays = st.one_of(st.sampled_from([0, 1, 4095, 4096]), st.integers(0, 4096))
PARAMS = {"threshold": 1.0, "voltage_decay": 0.1, "requires_grad": True}


def _sums(shape, seed, scale=2.0):
    """What synapses give: multiples of 1/32."""
    source = torch.Generator().manual_seed(seed)
    return torch.round(torch.randn(shape, generator=source) * scale * 32) / 32


def _spikes(shape, seed=0, rate=0.3):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


def _close(found, expected):
    scale = float(expected.abs().max()) or 1.0
    np.testing.assert_allclose(found.numpy() / scale, expected.numpy() / scale, rtol=1e-5, atol=2e-6)


def _learned(run, x, registers, grad):
    """Spikes of ``run`` and the gradients of all that it is given."""
    inputs = x.clone().requires_grad_()
    registers = [register.clone().requires_grad_() for register in registers]
    spikes = run(inputs, *registers)
    spikes.backward(grad)
    return [spikes.detach(), inputs.grad, *(register.grad for register in registers)]


@DRAWN
@given(
    shapes, st.sampled_from(BRANCHES), st.booleans(), decays, st.sampled_from([0.5, 3.0, 40.0]), st.integers(0, 1000)
)
def test_it_is_slayers_integrator_called_per_branch(stock_chain, parts, branches, per_channel, dv, threshold, seed):
    sample, channel, space, time = parts
    generator = np.random.default_rng(seed)
    x = _sums((sample, branches, channel, *space, time), seed, 4.0)
    size = channel if per_channel else 1
    du = torch.from_numpy(generator.integers(0, 4097, (branches, size))).float()
    gains = generator.integers(0, 7, branches)
    grad = torch.randn(sample, channel, *space, time, generator=torch.Generator().manual_seed(seed))
    rest = torch.zeros(sample, channel, *space)

    def theirs(x, *registers):
        # Channels one by one: SLAYER on the CPU lays a decay a channel along the last axis of space.
        columns = []
        for c in range(channel):
            at = c if per_channel else 0
            current = sum(
                slayer.leaky_integrator.dynamics(
                    x[:, b, c : c + 1] * 2.0 ** -int(gains[b]), registers[b][at : at + 1], rest[:, c : c + 1], 4096
                )
                for b in range(branches)
            )
            columns.append(stock_chain.spike_of(current, registers[-1], threshold + EPS, 30.0, 0.1))
        return torch.cat(columns, dim=1)

    def ours(x, *registers):
        gain = 2.0 ** -torch.from_numpy(gains).float()
        return dh_lif_kernel(x, torch.stack(registers[:-1]), gain, registers[-1], threshold + EPS, 30.0, 0.1, 4096)

    registers = [*du, torch.tensor([float(dv)])]
    found, expected = (_learned(run, x, registers, grad) for run in (ours, theirs))
    np.testing.assert_array_equal(found[0].numpy(), expected[0].numpy())
    _close(found[1], expected[1])
    for mine, other in zip(found[2:], expected[2:], strict=True):
        assert mine.shape == other.shape


def test_a_decay_a_channel_learns_from_its_own_channel():
    """Every channel alone, as a neuron of its own, gives the gradient that it gives among the others."""
    x = _sums((4, 2, 3, 60), 3).abs()
    registers = torch.tensor([[400.0, 900.0, 2000.0], [100.0, 60.0, 300.0]], requires_grad=True)
    gain, soma = torch.tensor([1.0, 0.25]), torch.tensor([300.0])
    dh_lif_kernel(x, registers, gain, soma, 3.0 + EPS, 30.0, 0.1, 4096).sum().backward()
    for channel in range(3):
        alone = registers.detach()[:, channel : channel + 1].clone().requires_grad_()
        dh_lif_kernel(x[:, :, channel : channel + 1], alone, gain, soma, 3.0 + EPS, 30.0, 0.1, 4096).sum().backward()
        torch.testing.assert_close(registers.grad[:, channel], alone.grad[:, 0], rtol=1e-5, atol=0)


@pytest.mark.parametrize("branches", BRANCHES)
def test_decays_learn_as_slayers_do(stock_chain, branches):
    x = _sums((4, branches, 1, 60), 3).abs()
    gains = [branch % 4 for branch in range(branches)]
    registers = [torch.tensor([400.0 + 100 * branch]) for branch in range(branches)] + [torch.tensor([300.0])]

    def theirs(x, *registers):
        current = sum(
            slayer.leaky_integrator.dynamics(x[:, b] * 2.0 ** -gains[b], registers[b], torch.zeros(4, 1), 4096)
            for b in range(branches)
        )
        return stock_chain.spike_of(current, registers[-1], 3.0 + EPS, 30.0, 0.1)

    def ours(x, *registers):
        gain = 2.0 ** -torch.tensor(gains).float()
        return dh_lif_kernel(x, torch.stack(registers[:-1]), gain, registers[-1], 3.0 + EPS, 30.0, 0.1, 4096)

    found, expected = (_learned(run, x, registers, torch.ones(4, 1, 60)) for run in (ours, theirs))
    for mine, other in zip(found[1:], expected[1:], strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-7)


@DRAWN
@given(
    shapes, decays, decays, st.sampled_from([0.5, 3.0, 40.0]), st.sampled_from([1.0, 30.0, 800.0]), st.integers(0, 1000)
)
def test_one_branch_without_gain_is_slayers_cuba_lif(stock_chain, parts, du, dv, threshold, tau, seed):
    sample, channel, space, time = parts
    x = _sums((sample, channel, *space, time), seed)
    grad = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    registers = [torch.tensor([float(decay)]) for decay in (du, dv)]

    def branched(x, current_decay, voltage_decay):
        return dh_lif_kernel(
            x.unsqueeze(1), current_decay.unsqueeze(0), torch.ones(1), voltage_decay, threshold + EPS, tau, 0.1, 4096
        )

    found = _learned(branched, x, registers, grad)
    plain = _learned(lambda *given: cuba_lif(*given, threshold + EPS, tau, 0.1, 4096), x, registers, grad)
    stock = _learned(lambda *given: stock_chain(*given, threshold + EPS, tau, 0.1), x, registers, grad)
    for mine, other in zip(found, plain, strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy())
    np.testing.assert_array_equal(found[0].numpy(), stock[0].numpy())
    _close(found[1], stock[1])


@DRAWN
@given(
    st.booleans(), st.integers(1, 4096), st.integers(1, 4095), st.sampled_from([0.5, 1.0, 8.0]), st.integers(0, 1000)
)
def test_blocks_of_one_branch_without_gain_are_lif_blocks(dense, du, dv, threshold, seed):
    """Bit for bit, spikes and every gradient: the same operations in the same order."""
    params = {"threshold": threshold, "voltage_decay": dv / 4096, "requires_grad": True}
    args = (6, 5) if dense else (3, 4, (3, 1))
    options = {} if dense else {"padding": (1, 0)}
    kind = "Dense" if dense else "Conv"
    torch.manual_seed(seed)
    branched = getattr(dh_lif, kind)({**params, "branch_taus": [3.0]}, *args, **options)
    branched.neuron.branch_decay[0].data[:] = du
    branched.neuron.gain[:] = 0
    plain = getattr(lif, kind)({**params, "current_decay": du / 4096}, *args, **options)
    plain.synapse.weight.data.copy_(branched.synapse.weight.data * 3)
    branched.synapse.weight.data *= 3
    shape = (3, 6, 30) if dense else (3, 3, 7, 1, 30)
    outcomes = []
    for block in (branched, plain):
        x = _spikes(shape, seed).requires_grad_()
        spikes = block(x)
        spikes.backward(torch.randn(spikes.shape, generator=torch.Generator().manual_seed(seed)))
        current = block.neuron.branch_decay[0] if block is branched else block.neuron.current_decay
        weight = block.synapse.weight.grad.flatten(1)
        outcomes.append([spikes.detach(), x.grad, current.grad, block.neuron.voltage_decay.grad, weight])
    for mine, other in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


@pytest.mark.parametrize("kind", ["random", "blocks"])
@pytest.mark.parametrize("share", [0, 1, 3])
@pytest.mark.parametrize("branches", BRANCHES)
def test_every_input_has_one_branch(kind, share, branches):
    partition = Partition(10, 7, branches, share, kind, seed=5)
    weight = torch.randn(7, 10, requires_grad=True)
    expanded = partition.expand(weight)
    assert expanded.shape == (branches, 7, 10)
    np.testing.assert_array_equal((expanded != 0).sum(dim=0).numpy(), np.ones((7, 10)))
    torch.testing.assert_close(expanded.sum(dim=0), weight, rtol=0, atol=0)
    sizes = (expanded != 0).sum(dim=2)
    assert sizes.min() >= 10 // branches
    assert sizes.max() <= -(-10 // branches)
    # What does not belong to a branch has no gradient there: a weight's is that of its own branch.
    grad = torch.randn(expanded.shape)
    expanded.backward(grad)
    torch.testing.assert_close(weight.grad, (grad * (expanded != 0)).sum(dim=0), rtol=0, atol=0)
    groups = 1 if share == 0 else -(-7 // share)
    assert partition.branch.shape == (groups, 10)
    if kind == "random" and share == 1 and branches > 1:
        assert len(np.unique(partition.branch.numpy(), axis=0)) > 1
    if kind == "blocks":
        assert (partition.branch.diff(dim=1) >= 0).all()


def test_more_branches_than_inputs_are_refused():
    with pytest.raises(ValueError, match="4 branches for 3 inputs: every branch takes at least one"):
        Partition(3, 5, 4)


def _by_definition(block, x):
    """Sums of a block from its expanded weights, by torch's own convolution."""
    weight = block.expanded(block.synapse.pre_hook_fx(block.synapse.weight))
    spikes = x[:, :, None, None] if x.dim() == 3 else x
    synapse = block.synapse
    sums = [
        torch.nn.functional.conv3d(spikes, part, None, synapse.stride, synapse.padding, synapse.dilation)
        for part in weight
    ]
    stacked = torch.stack(sums, dim=1)
    return stacked[:, :, :, 0, 0] if x.dim() == 3 else stacked


@pytest.mark.parametrize("module", [dh_lif, dh_spiking])
@pytest.mark.parametrize("share", [0, 2])
@pytest.mark.parametrize(
    ("kind", "args", "options", "shape"),
    [
        ("Dense", (12, 7), {}, (3, 12, 40)),
        ("Conv", (2, 5, (5, 1)), {"padding": (2, 0)}, (3, 2, 9, 1, 40)),
        ("Conv", (4, 6, (3, 1)), {"stride": (2, 1), "dilation": (2, 1)}, (3, 4, 9, 1, 40)),
        ("Conv", (2, 5, 3), {"padding": 1}, (3, 2, 6, 4, 40)),
    ],
)
def test_sums_by_branch_are_those_of_expanded_weights(module, share, kind, args, options, shape):
    torch.manual_seed(0)
    name = kind if module is dh_lif else f"Branch{kind}"
    params = {**PARAMS, "branch_taus": [2.0, 6.0, 30.0]}
    block = getattr(module, name)(params, *args, partition={"share": share}, **options)
    outcomes = []
    for sums in (block.branch_sums, lambda x: _by_definition(block, x)):
        block.zero_grad()
        x = _spikes(shape).requires_grad_()
        out = sums(x)
        out.backward(torch.randn(out.shape, generator=torch.Generator().manual_seed(1)))
        outcomes.append((out.detach(), x.grad, block.synapse.weight.grad.clone()))
    np.testing.assert_array_equal(outcomes[0][0].numpy(), outcomes[1][0].numpy())
    for mine, other in zip(*outcomes, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


def test_without_the_fused_kernel_the_numbers_are_the_same():
    """The way of a GPU: one leaky_integrator a branch, and SLAYER's spike."""
    x = _sums((3, 4, 6, 50), 1, 4.0)
    outcomes = []
    for debug in (False, True):
        neuron = dh_lif.Neuron(branch_taus(4, 2, 40), channels=6, **PARAMS)
        neuron.debug = debug
        assert neuron.fuses(x) is not debug
        inputs = x.clone().requires_grad_()
        spikes = neuron(inputs)
        spikes.backward(torch.ones_like(spikes))
        outcomes.append([spikes.detach(), inputs.grad, *(decay.grad for decay in neuron.branch_decay)])
    np.testing.assert_array_equal(outcomes[0][0].numpy(), outcomes[1][0].numpy())
    assert outcomes[0][0].any()
    for mine, other in zip(outcomes[0][1:], outcomes[1][1:], strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-8)


def test_a_branch_decays_gradient_is_that_of_finite_differences():
    x = _spikes((2, 2, 3, 30)) * 4
    weight = torch.randn(2, 3, 30, generator=torch.Generator().manual_seed(2))
    neuron = dh_lif.Neuron([3.0, 12.0], channels=3, **{**PARAMS, "threshold": 1000.0})
    (neuron.dynamics(x)[1] * weight).sum().backward()
    keep_v = 1 - float(torch.round(neuron.voltage_decay.detach())) / 4096

    def loss(registers):
        v = torch.zeros(2, 3, dtype=torch.float64)
        u = [torch.zeros(2, 3, dtype=torch.float64) for _ in registers]
        total = 0.0
        for t in range(x.shape[-1]):
            for b, register in enumerate(registers):
                u[b] = (1 - register / 4096) * u[b] + x[:, b, :, t].double() * 2.0 ** -int(neuron.gain[b])
            v = keep_v * v + sum(u)
            total += float((v * weight[..., t]).sum())
        return total

    whole = [float(torch.round(decay.detach())) for decay in neuron.branch_decay]
    for b in range(2):
        up, down = list(whole), list(whole)
        up[b] += 0.5
        down[b] -= 0.5
        assert float(neuron.branch_decay[b].grad) == pytest.approx(loss(up) - loss(down), rel=5e-3)


def test_time_constants_are_log_spaced_and_gains_follow_them():
    taus = branch_taus(4, 2.0, 54.0)
    assert taus == pytest.approx([2, 6, 18, 54])
    assert branch_taus(1, 2.0, 50.0) == pytest.approx([10.0])
    neuron = dh_lif.Neuron(taus, channels=5, per_channel=True, **PARAMS)
    assert neuron.cx_branch_decay.shape == (4, 5)
    found = -1 / np.log(1 - neuron.cx_branch_decay[:, 0] / 4096)
    np.testing.assert_allclose(found, taus, rtol=0.02)
    assert neuron.gain.tolist() == [round(math.log2(1 / (1 - math.exp(-1 / tau)))) for tau in taus]
    assert (gain_of(4096), gain_of(2048), gain_of(1), gain_of(0.0)) == (0, 1, 6, 6)


@pytest.mark.parametrize("refused", [{"norm": torch.nn.Identity()}, {"persistent_state": True}, {"graded_spike": True}])
def test_what_dendrites_do_not_have_is_refused(refused):
    with pytest.raises(ValueError, match=f"a neuron with dendrites has no {next(iter(refused))}"):
        dh_lif.Neuron([2.0, 4.0], **PARAMS, **refused)
    with pytest.raises(ValueError, match="somata of one layer share their decay; per_channel is for branches"):
        dh_lif.Neuron([2.0, 4.0], **PARAMS, shared_param=False)


def test_the_gain_has_the_files_bounds():
    from export import limits
    from train.neurons import branches

    assert branches.GAIN_MAX == limits.GAIN_MAX


@pytest.mark.parametrize("module", [dh_lif, dh_spiking])
def test_options_of_blocks_without_dendrites_are_refused(module):
    prefix = "" if module is dh_lif else "Branch"
    params = {**PARAMS, "branch_taus": [2.0, 4.0]}
    with pytest.raises(ValueError, match="a block with dendrites has no delay"):
        getattr(module, f"{prefix}Dense")(params, 4, 3, delay=True)
    with pytest.raises(ValueError, match="a block with dendrites has no mask"):
        getattr(module, f"{prefix}Dense")(params, 4, 3, mask=torch.ones(3, 4))
    with pytest.raises(ValueError, match="a convolution with dendrites has one group"):
        getattr(module, f"{prefix}Conv")(params, 4, 4, (3, 1), groups=2)
    with pytest.raises(AssertionError, match="for neurons of 2 branches"):
        dh_lif.Neuron([2.0, 4.0], **PARAMS)(torch.zeros(1, 3, 5, 4))


def test_spiking_branches_are_stock_layers():
    """Compartments are stock LIF with a decay a neuron, the soma a dense layer of its own compartments' weights."""
    torch.manual_seed(1)
    branches = dh_spiking.BranchDense({**PARAMS, "branch_taus": [2.0, 8.0, 30.0]}, 12, 5, {"share": 1})
    soma = dh_spiking.Soma({"threshold": 1.5, "current_decay": 1.0, "voltage_decay": 0.05}, 5, 3)
    branches.synapse.weight.data *= 8
    soma.synapse.weight.data.uniform_(0.5, 1.5)
    x = _spikes((2, 12, 60))
    between = branches(x)
    spikes = soma(between)
    assert between.shape == (2, 15, 60)
    assert spikes.any()
    expanded = branches.expanded(branches.synapse.weight.data).swapaxes(0, 1).reshape(15, 12, 1, 1, 1)
    for channel in range(15):
        decay = int(branches.neuron.cx_voltage_decay[channel])
        stock = slayer.block.cuba.Dense({"threshold": 1.0, "current_decay": 1.0, "voltage_decay": decay / 4096}, 12, 1)
        stock.synapse.weight.data.copy_(expanded[channel : channel + 1])
        np.testing.assert_array_equal(between[:, channel].detach().numpy(), stock(x)[:, 0].detach().numpy())
    stock = slayer.block.cuba.Dense({"threshold": 1.5, "current_decay": 1.0, "voltage_decay": 0.05}, 15, 5)
    stock.synapse.weight.data.zero_()
    for neuron in range(5):
        stock.synapse.weight.data[neuron, neuron * 3 : neuron * 3 + 3, 0, 0, 0] = soma.synapse.weight.data[neuron]
    np.testing.assert_array_equal(spikes.detach().numpy(), stock(between).detach().numpy())
    spikes.sum().backward()
    assert all(decay.grad is not None for decay in branches.neuron.branch_decay)
    assert soma.synapse.weight.grad is not None


def test_fixed_soma_weights_do_not_learn():
    soma = dh_spiking.Soma({"threshold": 1.5, "current_decay": 1.0, "voltage_decay": 0.05}, 5, 3, learned=False)
    assert not soma.synapse.weight.requires_grad
    assert torch.equal(soma.synapse.weight, torch.full((5, 3), 4 / 3))
