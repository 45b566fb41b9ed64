"""One plan, two networks; the spiking one spikes as its twin of stock SLAYER blocks does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from train.config import Config, DendriteConfig, LifConfig, NetworkConfig
from train.errors import CallError
from train.neurons.lif import Neuron
from train.plan import LayerPlan, plan_dendrites, plan_layers
from train.topology import AnnNetwork, SpikingNetwork, build_network, counts, initial_weights

SMALL = NetworkConfig(neuron="lif", conv_channels=(4, 6), conv_kernels=(5, 3), pools=(2, 2), dense=(12,))


def _build(network=SMALL, lif=None, seed=0, dendrites=None, **sizes):
    torch.manual_seed(seed)
    dendrites = dendrites or DendriteConfig()
    config = replace(Config(), network=network, lif=lif or LifConfig(), dendrites=dendrites)
    return build_network(config, **{"channels": 2, "features": 9, "outputs": 5, **sizes})


def _spikes(sample=3, channels=2, features=9, steps=60, rate=0.2):
    source = torch.Generator().manual_seed(1)
    return (torch.rand(sample, channels, features, 1, steps, generator=source) < rate).float()


def test_the_plan_of_the_default_network():
    plan = plan_layers(NetworkConfig(), channels=8, features=33, outputs=32)
    found = [(layer.name, layer.channels_in, layer.channels_out, layer.height_in, layer.height_out) for layer in plan]
    assert found == [
        ("conv1", 8, 24, 33, 33),
        ("pool1", 24, 24, 33, 17),
        ("conv2", 24, 48, 17, 17),
        ("pool2", 48, 48, 17, 9),
        ("flatten", 48, 432, 9, 1),
        ("dense1", 432, 192, 1, 1),
        ("heads", 192, 32, 1, 1),
    ]


def test_a_pool_of_one_is_no_layer():
    plan = plan_layers(replace(SMALL, pools=(1, 3)), 2, 9, 5)
    assert [layer.name for layer in plan] == ["conv1", "conv2", "pool2", "flatten", "dense1", "heads"]


def test_an_even_kernel_is_refused():
    with pytest.raises(CallError, match=r"key network.conv_kernels: has 4 \(expected odd sizes\)"):
        plan_layers(replace(SMALL, conv_kernels=(4, 3)), 2, 9, 5)


def test_a_pool_beyond_the_features_is_refused():
    with pytest.raises(CallError, match=r"network.pools: has 6 where 5 features are left \(expected at most 5\)"):
        plan_layers(replace(SMALL, pools=(2, 6)), 2, 9, 5)


def test_both_networks_have_the_same_weights_but_for_the_neuron():
    spiking, ann = _build(), _build(replace(SMALL, neuron="ann"))
    assert isinstance(spiking, SpikingNetwork)
    assert isinstance(ann, AnnNetwork)
    assert spiking.plan == ann.plan
    blocks = [block for block in spiking.blocks if hasattr(block, "synapse") and block.synapse.weight.requires_grad]
    assert [block.synapse.weight.numel() for block in blocks] == [weight.numel() for weight in ann.weights]
    assert spiking.layer_names == ("conv1", "pool1", "conv2", "pool2", "dense1", "heads")


def test_shapes_and_scores():
    spiking, ann = _build(), _build(replace(SMALL, neuron="ann"))
    x = _spikes()
    layers = spiking.layers(x)
    expected = [(4, 9, 1), (4, 5, 1), (6, 5, 1), (6, 3, 1), (12,), (5,)]
    assert [tuple(layer.shape) for layer in layers] == [(3, *shape, 60) for shape in expected]
    assert all(set(layer.unique().tolist()) <= {0.0, 1.0} for layer in layers)
    assert torch.equal(spiking(x), layers[-1])
    assert torch.equal(spiking.scores(x), counts(layers[-1]))
    assert ann.scores(x).shape == (3, 5)
    # The shape of every layer is known before the first input.
    assert [tuple(block.shape) for block in _build().blocks][-3:] == [(18, 1, 1), (12,), (5,)]


@pytest.mark.parametrize("threshold", [1.0, 8.0, 30.0])
@pytest.mark.parametrize("features", [8, 9])
def test_every_layer_spikes_as_its_stock_twin(stock_twin, threshold, features):
    network = _build(lif=LifConfig(threshold=threshold, weight_scale=2.0), features=features)
    twin = stock_twin(network)
    x = _spikes(features=features)
    expected, layers = x, iter(network.layers(x))
    for layer, block in zip(network.plan, twin, strict=True):
        expected = block(expected)
        if layer.kind != "flatten":
            found = next(layers)
            assert found.any(), layer.name
            np.testing.assert_array_equal(found.detach().numpy(), expected.detach().numpy(), err_msg=layer.name)


def test_a_network_learns_as_its_stock_twin(stock_twin):
    """Five steps give the same losses to the last digit where decays are frozen."""
    network = _build(lif=LifConfig(learn_decays=False, weight_scale=2.0))
    twin = stock_twin(network)
    x, target = _spikes(8), torch.arange(8) % 5
    losses = []
    for blocks in (network.blocks, twin):
        optimiser = torch.optim.Adam((p for p in blocks.parameters() if p.requires_grad), lr=0.01)
        losses.append([])
        for _ in range(5):
            spikes = x
            for block in blocks:
                spikes = block(spikes)
            loss = torch.nn.functional.cross_entropy(counts(spikes), target)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses[-1].append(loss.item())
    assert losses[0] == losses[1]
    assert len(set(losses[0])) == 5


def test_average_pooling_makes_one_spike_of_two():
    network = _build(replace(SMALL, conv_channels=(1,), conv_kernels=(1,), pools=(2,)), channels=1, features=4)
    x = torch.zeros(1, 1, 4, 1, 8)
    x[0, 0, 0, 0, [0, 3]] = 1
    x[0, 0, 2, 0, 1] = x[0, 0, 3, 0, 1] = 1
    out = network.blocks[1](x)[0, 0, :, 0]
    assert out.tolist() == [[0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize(("du", "dv"), [(0.1, 0.05), (0.25, 0.1), (0.05, 0.03)])
@pytest.mark.parametrize("threshold", [8.0, 32.0])
def test_fresh_layers_fire_neither_never_nor_always(du, dv, threshold):
    lif = LifConfig(threshold=threshold, current_decay=du, voltage_decay=dv)
    network = _build(NetworkConfig(neuron="lif"), lif, channels=8, features=33, outputs=32)
    with torch.no_grad():
        rates = [float(layer.mean()) for layer in network.layers(_spikes(4, 8, 33, 100, 0.1))]
    assert all(0.01 < rate < 0.1 for rate in rates[:-1]), rates


@pytest.mark.parametrize("realisation", ["analog", "spiking"])
@pytest.mark.parametrize("branches", [1, 2, 4, 8])
def test_fresh_layers_with_dendrites_fire_too(realisation, branches):
    dendrites = DendriteConfig(realisation=realisation, branches=branches)
    network = _build(NetworkConfig(neuron="dh_lif"), channels=8, features=33, outputs=32, dendrites=dendrites)
    with torch.no_grad():
        rates = [float(layer.mean()) for layer in network.layers(_spikes(4, 8, 33, 100, 0.1))]
    # Slow branches see less of what passes: deeper layers fire less than LIF's.
    assert all(0.001 < rate < 0.2 for rate in rates[:-1]), rates


@pytest.mark.parametrize(
    ("layers", "expected"),
    [("all", [4, 0, 4, 0, 0, 4, 4]), ("early", [4, 0, 4, 0, 0, 0, 0]), ("late", [0, 0, 0, 0, 0, 4, 4])],
)
def test_dendrites_stand_on_the_layers_asked_for(layers, expected):
    config = replace(Config(), network=replace(SMALL, neuron="dh_lif"), dendrites=DendriteConfig(layers=layers))
    plan = plan_layers(config.network, 2, 9, 5)
    assert [layer.branches for layer in plan_dendrites(config, plan)] == expected
    spiking = replace(config, dendrites=DendriteConfig(layers=layers, realisation="spiking"))
    names = [layer.name for layer in plan_dendrites(spiking, plan) if layer.name.endswith("_branches")]
    assert names == [f"{layer.name}_branches" for layer, branches in zip(plan, expected, strict=True) if branches]
    bare = replace(config, dendrites=DendriteConfig(layers="none"))
    assert plan_dendrites(bare, plan) == plan


def test_more_branches_than_inputs_are_refused():
    config = replace(Config(), network=replace(SMALL, neuron="dh_lif"), dendrites=DendriteConfig(branches=11))
    with pytest.raises(CallError, match=r"is 11 where a neuron of layer conv1 has 10 inputs \(expected at most 10\)"):
        build_network(config, 2, 9, 5)


@pytest.mark.parametrize("realisation", ["analog", "spiking"])
def test_dendrites_draw_the_weights_of_their_lif_twin(realisation):
    """Up to a factor a layer (and branch): models of one seed differ in dendrites and nothing else."""
    twin = _build()
    dendrites = _build(replace(SMALL, neuron="dh_lif"), dendrites=DendriteConfig(realisation=realisation))
    blocks = {
        layer.name.removesuffix("_branches"): block
        for layer, block in zip(dendrites.plan, dendrites.blocks, strict=True)
        if layer.kind in ("conv", "dense")
    }
    for layer, one in zip(twin.plan, twin.blocks, strict=True):
        if layer.kind not in ("conv", "dense"):
            continue
        other = blocks[layer.name]
        ratio = (other.synapse.weight / one.synapse.weight).detach().flatten(1)
        branch = other.partition.of_weights()
        for index in range(other.partition.branches):
            own = ratio[branch == index]
            torch.testing.assert_close(own, torch.full_like(own, own[0].item()), rtol=1e-3, atol=0)


@pytest.mark.parametrize("neuron", ["lif", "analog", "spiking"])
def test_weights_of_a_given_deviation_come_with_the_threshold_that_fits(neuron):
    network = replace(SMALL, neuron="lif" if neuron == "lif" else "dh_lif")
    dendrites = DendriteConfig(realisation="analog" if neuron == "lif" else neuron)
    free, fixed = (_build(network, LifConfig(weight_std=std), features=33, dendrites=dendrites) for std in (0.0, 0.25))
    for layer, one, other in zip(free.plan, free.blocks, fixed.blocks, strict=True):
        if layer.kind in ("conv", "dense"):
            assert float(other.synapse.weight.square().mean().sqrt()) == pytest.approx(0.25, rel=0.35), layer.name
            scale = other.neuron.threshold / one.neuron.threshold
            ratio = other.synapse.weight / one.synapse.weight
            assert float(ratio.median()) == pytest.approx(scale, rel=0.1), layer.name


def test_initial_weights_scale_with_the_threshold_and_the_fan_in():
    def std(fan_in=40, **lif):
        layer = LayerPlan("dense1", "dense", fan_in, 8, 1, 1)
        _, (value,) = initial_weights(replace(Config(), lif=LifConfig(**lif)), layer, 0.1)
        return value

    assert std(threshold=16.0) == pytest.approx(2 * std(threshold=8.0))
    assert std(fan_in=160) == pytest.approx(std() / 2)
    assert std(weight_scale=3.0) == pytest.approx(3 * std())


@pytest.mark.parametrize("neuron", ["lif", "ann"])
def test_a_seed_fixes_the_weights(neuron):
    first, again, other = (_build(replace(SMALL, neuron=neuron), seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_dropout_is_for_dense_layers_in_training():
    network = _build(replace(SMALL, dropout=0.5))
    x = _spikes()
    assert float(network.layers(x)[4].max()) == 2.0
    assert torch.equal(network.eval()(x), _build()(x))
    ann = _build(replace(SMALL, dropout=0.5, neuron="ann"))
    assert not torch.equal(ann(x), ann(x))
    ann.eval()
    assert torch.equal(ann(x), ann(x))


def test_decays_per_channel_are_there_before_the_first_input():
    network = _build(lif=LifConfig(per_channel=True))
    assert all(isinstance(block.neuron, Neuron) for block in network.blocks if hasattr(block, "neuron"))
    state = network.state_dict()
    assert state["blocks.0.neuron.current_decay"].shape == (4,)
    assert state["blocks.1.neuron.current_decay"].shape == (1,)
    assert torch.equal(network(_spikes()), _build()(_spikes()))
    _build(lif=LifConfig(per_channel=True), seed=3).load_state_dict(state)


def test_the_ann_pools_blocks_filled_up_with_silence():
    ann = _build(NetworkConfig("ann", (1,), (1,), (2,), ()), channels=1, features=3, outputs=2)
    with torch.no_grad():
        ann.weights[0].fill_(1.0)
        ann.weights[1].copy_(torch.eye(2))
        x = torch.tensor([[2.0, 0.0], [4.0, 0.0], [6.0, 2.0]]).reshape(1, 1, 3, 1, 2)
        assert ann(x).tolist() == [[1.5, 2.0]]
