"""Networks of known sizes, and files of them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from export import netx
from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network, default_names

LIF = Cuba(400, 200, 512)


def filled(*shape, low=-40, high=42):
    """Even weights of both signs that reach both ends."""
    weights = 2 * np.random.default_rng(3).integers(low // 2, high // 2, shape)
    weights.reshape(-1)[:2] = low, high
    return weights


def network(*layers):
    return Network(layers, default_names(layers))


@pytest.fixture
def dense_net():
    """A network of one dense layer, neurons x axons."""

    def build(neurons, axons, **options):
        return network(InputLayer((axons,)), DenseLayer(filled(neurons, axons), LIF, **options))

    return build


@pytest.fixture
def dendritic_net():
    """Convolution and dense layer with four analog branches each, whose inputs are a branch's own."""
    neuron = DhLif(np.array([1700, 500, 200, 60]), np.array([1, 3, 4, 6]), 200, 64)
    dense = filled(4 * 12, 40)
    for branch in range(4):
        rows = dense[12 * branch : 12 * (branch + 1)]
        rows[:, np.arange(40) % 4 != branch] = 0
    return network(
        InputLayer((2, 7, 1)),
        ConvLayer(filled(4 * 5, 2, 3, 1), (1, 1), (1, 0), (1, 1), 1, neuron, (5, 7, 1)),
        FlattenLayer((35,)),
        DenseLayer(np.pad(filled(40, 35), ((0, 0), (0, 0))), LIF),
        DenseLayer(dense, neuron),
    )


@pytest.fixture
def saved(tmp_path):
    """Write a network, and say where."""

    def write(net, name="model.net"):
        netx.write(net, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def pilotnet():
    """PilotNet's LIF network, in lava-dl's wheel."""
    spec = importlib.util.find_spec("lava.lib.dl.netx")
    root = Path(next(iter(spec.submodule_search_locations))).parents[3]
    path = root / "tests/lava/lib/dl/netx/gts/pilotnet_lif/network.net"
    if not path.is_file():
        pytest.skip("this lava-dl has no PilotNet among its tests")
    return path
