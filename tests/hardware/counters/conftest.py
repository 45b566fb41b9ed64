"""A small network to count and to cost."""

import numpy as np
import pytest

from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network


@pytest.fixture
def network():
    """A convolution with dendrites, a pool, a plain and a recurrent dense layer."""
    generator = np.random.default_rng(3)

    def weights(*shape):
        return generator.integers(-20, 21, shape) * generator.integers(0, 2, shape)

    branches = DhLif(np.array([2048, 200]), np.array([0, 2]), 205, 16)
    layers = (
        InputLayer((2, 7, 1)),
        ConvLayer(weights(6, 2, 3, 1), (1, 1), (1, 0), (1, 1), 1, branches, (3, 7, 1)),
        ConvLayer(np.full((3, 1, 2, 1), 64), (2, 1), (0, 0), (1, 1), 3, Cuba(4096, 0, 48), (3, 3, 1)),
        FlattenLayer((9,)),
        DenseLayer(weights(5, 9), Cuba(410, 205, 16)),
        DenseLayer(weights(4, 5), Cuba(np.array([410, 0, 4096, 100]), 205, 16), recurrent=weights(4, 4)),
    )
    return Network(layers, ("input", "conv1", "pool1", "flatten", "dense1", "heads"))
