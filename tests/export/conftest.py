"""Small integer networks to write, read, judge and run."""

import numpy as np
import pytest

from export import netx
from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network


def even(generator, *shape, size=20):
    return 2 * generator.integers(-size, size + 1, shape)


def branched(generator, branches, neurons, *inputs):
    """Weights of which each input has one branch of a neuron, shape (branch * neuron, inputs)."""
    mask = generator.integers(0, branches, (neurons, *inputs)) == np.arange(branches).reshape(-1, 1, *[1] * len(inputs))
    return (even(generator, neurons, *inputs) * mask).reshape(branches * neurons, *inputs)


@pytest.fixture
def small_network():
    """One layer of every kind that a file may hold, with decays per channel and per neuron."""
    generator = np.random.default_rng(3)
    cuba = Cuba(410, 205, 128)
    layers = (
        InputLayer((2, 7, 1)),
        ConvLayer(
            even(generator, 4, 2, 3, 1),
            (1, 1),
            (1, 0),
            (1, 1),
            1,
            Cuba(np.array([300, 400, 500, 600]), 205, 64),
            (4, 7, 1),
        ),
        ConvLayer(np.full((4, 1, 2, 1), 64), (2, 1), (0, 0), (1, 1), 4, Cuba(4096, 0, 96), (4, 3, 1)),
        FlattenLayer((12,)),
        DenseLayer(even(generator, 6, 12), Cuba(410, np.arange(100, 106), 64), delay=np.arange(6)),
        DenseLayer(even(generator, 5, 6), cuba, bias=np.array([1, -2, 3, 0, 4])),
        DenseLayer(even(generator, 3, 5), cuba, recurrent=even(generator, 3, 3)),
    )
    return Network(layers, ("input", "conv1", "pool1", "flatten", "late", "biased", "recurrent"))


@pytest.fixture
def dendritic_network():
    """Layers with analog dendrites, a convolution of 3 branches and a dense one of 2, among stock ones."""
    generator = np.random.default_rng(4)
    conv = DhLif(generator.integers(40, 3000, (3, 4)), np.array([4, 2, 0]), 205, 24)
    dense = DhLif(np.array([3000, 80]), np.array([0, 5]), np.arange(100, 106), 24)
    layers = (
        InputLayer((2, 7, 1)),
        ConvLayer(branched(generator, 3, 4, 2, 3, 1), (1, 1), (1, 0), (1, 1), 1, conv, (4, 7, 1)),
        ConvLayer(np.full((4, 1, 2, 1), 64), (2, 1), (0, 0), (1, 1), 4, Cuba(4096, 0, 96), (4, 3, 1)),
        FlattenLayer((12,)),
        DenseLayer(branched(generator, 2, 6, 12), dense, bias=np.array([1, -2, 3, 0, 4, 0])),
        DenseLayer(even(generator, 3, 6), Cuba(410, 205, 16)),
    )
    return Network(layers, ("input", "conv1", "pool1", "flatten", "dense1", "heads"))


@pytest.fixture
def tiny_network():
    """Two dense layers, 3-4-2."""
    generator = np.random.default_rng(5)
    cuba = Cuba(410, 205, 16)
    layers = (
        InputLayer((3,)),
        DenseLayer(even(generator, 4, 3), cuba),
        DenseLayer(even(generator, 2, 4), cuba),
    )
    return Network(layers, ("input", "dense1", "dense2"))


@pytest.fixture
def clean(tmp_path):
    """A file of a convolution and dense layers that keeps every rule, with few enough inputs for HW011."""
    generator = np.random.default_rng(11)

    def even(*shape):
        return 2 * generator.integers(-15, 40, shape)

    cuba = Cuba(410, 205, 64)
    layers = (
        InputLayer((2, 3, 1)),
        ConvLayer(even(4, 2, 3, 1), (1, 1), (1, 0), (1, 1), 1, cuba, (4, 3, 1)),
        FlattenLayer((12,)),
        DenseLayer(even(5, 12), cuba),
        DenseLayer(even(3, 5), cuba),
    )
    path = tmp_path / "model.net"
    netx.write(Network(layers, ("input", "conv1", "flatten", "dense1", "heads")), path)
    return path
