"""The ladder for dendrites: SLAYER's own calls == our blocks == reference, and stock NetX for spiking branches.

Random networks of the project's topology: realisations, branches, layers with dendrites, masks and decays are drawn.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export import gate, netx, reference
from export.convert import from_slayer
from export.graph import DhLif
from export.lint import lint
from train.config import Config, DendriteConfig, LifConfig, NetworkConfig
from train.neurons import dh_lif, slayer
from train.topology import build_network

STEPS = 30
NETWORK = NetworkConfig(neuron="dh_lif", conv_channels=(4, 5), conv_kernels=(5, 3), pools=(2, 1), dense=(12,))
SHAPE = (2, 9, 1)
BRANCHES = (1, 2, 3, 4, 8)
SETTINGS = settings(derandomize=True, max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def build(seed, **dendrites):
    config = replace(Config(), network=NETWORK, lif=LifConfig(weight_scale=2.0), dendrites=DendriteConfig(**dendrites))
    torch.manual_seed(seed)
    network = build_network(config, SHAPE[0], SHAPE[1], 6)
    generator = np.random.default_rng(seed)
    for name, parameter in network.named_parameters():
        if "branch_decay" in name:
            # Not whole: quantisation is part of what is compared.
            drawn = parameter.data * torch.from_numpy(generator.uniform(0.6, 1.4, parameter.shape)).float()
            parameter.data = drawn.clamp(0, 4096)
    return network.eval()


def spikes_of(seed, samples=2, rate=0.25):
    return (np.random.default_rng(seed).random((samples, *SHAPE, STEPS)) < rate).astype(np.uint8)


def stock_layers(network, x):
    """The network's layers by SLAYER's own parts alone: its conv3d, one leaky_integrator a branch, its spike."""
    found = []
    for block in network.blocks:
        if isinstance(block, slayer.block.cuba.Flatten):
            x = block(x)
            continue
        x = stock_dendrites(block, x) if isinstance(block, dh_lif.Dense | dh_lif.Conv) else block(x)
        found.append(x)
    return found


def stock_dendrites(block, x):
    neuron, synapse = block.neuron, block.synapse
    weight = block.expanded(synapse.pre_hook_fx(synapse.weight))
    spikes = x[:, :, None, None] if x.dim() == 3 else x
    decays = np.broadcast_to(neuron.cx_branch_decay.reshape(neuron.branches, -1), (neuron.branches, weight.shape[1]))
    total = 0.0
    for branch in range(neuron.branches):
        sums = torch.nn.functional.conv3d(spikes, weight[branch], None, synapse.stride, synapse.padding)
        total = total + torch.cat(
            [
                slayer.leaky_integrator.dynamics(
                    sums[:, c : c + 1] * 2.0 ** -int(neuron.gain[branch]),
                    torch.tensor([float(decays[branch, c])]),
                    torch.zeros(sums[:, c : c + 1].shape[:-1]),
                    neuron.s_scale,
                )
                for c in range(weight.shape[1])
            ],
            dim=1,
        )
    limit = neuron.threshold + neuron.threshold_eps
    register = torch.tensor([float(neuron.cx_voltage_decay)])
    voltage = slayer.leaky_integrator.dynamics(total, register, torch.zeros(total.shape[:-1]), neuron.s_scale, limit)
    fired = slayer.step_delay(SimpleNamespace(), (voltage >= limit).float())
    return fired[:, :, 0, 0] if x.dim() == 3 else fired


def assert_equal(network, spikes):
    integers = from_slayer(network, SHAPE)
    trained = gate.trained_layers(SimpleNamespace(network=network), spikes)
    with torch.no_grad():
        stock = [layer.numpy().astype(np.uint8) for layer in stock_layers(network, torch.from_numpy(spikes).float())]
    for sample in range(len(spikes)):
        ours = [layer[sample] for layer in trained]
        gate.compare(integers.spiking_names, [layer[sample] for layer in stock], ours, f"sample {sample}")
        gate.compare(integers.spiking_names, ours, reference.run(integers, spikes[sample]), f"sample {sample}")
    return integers, trained


@SETTINGS
@given(
    st.sampled_from(["analog", "spiking"]),
    st.sampled_from(BRANCHES),
    st.sampled_from(["all", "early", "late"]),
    st.sampled_from(["random", "blocks"]),
    st.sampled_from([0, 1, 3]),
    st.booleans(),
    st.integers(0, 1000),
)
def test_slayer_and_reference(realisation, branches, layers, mask, share, per_channel, seed):
    network = build(
        seed,
        realisation=realisation,
        branches=branches,
        layers=layers,
        mask=mask,
        mask_share=share,
        per_channel=per_channel,
    )
    assert_equal(network, spikes_of(seed))


@pytest.mark.parametrize("layers", ["all", "early", "late"])
@pytest.mark.parametrize("branches", BRANCHES)
@pytest.mark.parametrize("realisation", ["analog", "spiking"])
def test_a_network_with_dendrites_has_the_weights_of_its_lif_twin(realisation, branches, layers, tmp_path):
    network = build(branches, realisation=realisation, branches=branches, layers=layers)
    twin = build(branches, layers="none")
    integers, trained = assert_equal(network, spikes_of(3))
    assert all(layer.any() for layer in trained)
    plain = dict(from_slayer(twin, SHAPE).spiking)
    path = tmp_path / "model.net"
    netx.write(integers, path)
    assert lint(path, STEPS) == []
    # Exact zeros are few among quantised weights, and elsewhere: count the places, not the values.
    for block in network.blocks:
        if hasattr(block, "partition"):
            weight = block.synapse.weight.detach()
            assert int((block.expanded(torch.ones_like(weight)) != 0).sum()) == weight.numel()
    for name, layer in netx.read(path).spiking:
        if isinstance(layer.neuron, DhLif):
            assert layer.neuron.branches == branches
            rows = layer.weight.reshape(branches, -1)
            assert ((rows != 0).sum(axis=0) <= 1).all()
            assert rows.shape[1] == plain[name].weight.size
    stock = sum(block.synapse.weight.numel() for block in twin.blocks if hasattr(block, "synapse"))
    with_dendrites = sum(
        block.synapse.weight.numel()
        for block, layer in zip(network.blocks, network.plan, strict=True)
        if layer.kind in ("conv", "dense", "pool")
    )
    assert with_dendrites == stock


def lava_layers(integers, path, spikes, stock):
    from lava_runtime.runner import make_runner

    netx.write(integers, path)
    with make_runner("lava", path, layers=True, stock=stock) as runner:
        return runner.run(spikes).layers


@pytest.mark.lava
@pytest.mark.parametrize(
    ("branches", "layers"), [(1, "all"), (2, "early"), (3, "all"), (4, "late"), (8, "all")], ids=str
)
def test_stock_netx_runs_spiking_branches(branches, layers, tmp_path):
    """Lava's own parts throughout, from a file that stock lava-dl loads."""
    network = build(branches, realisation="spiking", branches=branches, layers=layers, per_channel=branches == 3)
    integers, trained = assert_equal(network, spikes_of(5, samples=3))
    lava = lava_layers(integers, tmp_path / "model.net", spikes_of(5, samples=3), stock=True)
    for name, ours, theirs in zip(integers.spiking_names, trained, lava, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    assert trained[-2].any()


@pytest.mark.lava
@pytest.mark.parametrize(
    ("branches", "layers"), [(1, "all"), (2, "late"), (3, "early"), (4, "all"), (8, "all")], ids=str
)
def test_lava_runs_analog_branches(branches, layers, tmp_path):
    """Our Process between Lava's own parts, and for one with the quick ones."""
    network = build(branches, branches=branches, layers=layers)
    integers, trained = assert_equal(network, spikes_of(6, samples=3))
    lava = lava_layers(integers, tmp_path / "model.net", spikes_of(6, samples=3), stock=branches != 3)
    for name, ours, theirs in zip(integers.spiking_names, trained, lava, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    assert trained[-2].any()
