"""Bits of every register, added up by hand."""

import numpy as np
import pytest

from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, InputLayer
from hardware.counters.footprint import Footprint, ann_footprint, spiking_footprint, weight_counts
from hardware.counters.spiking import SpikingCounter

WEIGHT = np.array([[2, 0, 4], [6, 8, 0]])


@pytest.mark.parametrize(
    ("layer", "weights", "zeros", "parameters", "voltages", "currents"),
    [
        # Two decays and a threshold.
        (DenseLayer(WEIGHT, Cuba(410, 205, 16)), 6, 2, 24 + 17, 2, 2),
        # A current decay a neuron, and biases.
        (DenseLayer(WEIGHT, Cuba(np.array([1, 2]), 205, 16), bias=np.array([1, 0])), 6, 2, 36 + 17 + 26, 2, 2),
        (DenseLayer(WEIGHT, Cuba(410, 205, 16), delay=np.array([3, 0])), 6, 2, 24 + 17 + 12, 2, 2),
        (DenseLayer(WEIGHT, Cuba(410, 205, 16), delay=np.ones((2, 3), np.int64)), 6, 2, 24 + 17 + 36, 2, 2),
        (DenseLayer(WEIGHT, Cuba(410, 205, 16), recurrent=np.array([[0, 2], [2, 2]])), 10, 3, 24 + 17, 2, 2),
        # One neuron of two branches, with gains of 3 bits.
        (DenseLayer(WEIGHT, DhLif(np.array([9, 8]), np.array([0, 6]), 205, 16)), 6, 2, 36 + 17 + 6, 1, 2),
        # A convolution stores its kernel once, for 2 x 3 neurons.
        (
            ConvLayer(np.ones((2, 1, 2, 1), np.int64), (1, 1), (0, 0), (1, 1), 1, Cuba(1, 1, 1), (2, 3, 1)),
            4, 0, 24 + 17, 6, 6,
        ),
        # The same weights as one channel's two branches, whose decays differ by channel.
        (
            ConvLayer(
                np.ones((2, 1, 2, 1), np.int64), (1, 1), (0, 0), (1, 1), 1,
                DhLif(np.array([[9], [8]]), np.array([0, 6]), np.array([205]), 16), (1, 3, 1), bias=np.array([4]),
            ),
            4, 0, 36 + 17 + 6 + 13, 3, 6,
        ),
        # A population's input is weighed by the host.
        (InputLayer((5,), Cuba(410, 205, 16)), 0, 0, 24 + 17, 5, 5),
    ],
)  # fmt: skip
def test_registers_of_a_layer(layer, weights, zeros, parameters, voltages, currents):
    found = spiking_footprint(layer)
    assert found == Footprint(8 * weights, 8 * zeros, parameters, 24 * voltages, 24 * currents)
    assert found.size_bytes == (8 * weights + parameters + 24 * (voltages + currents)) / 8
    assert found.nonzero_bytes == found.size_bytes - zeros
    assert weight_counts(layer) == (weights, weights - zeros)


def test_footprints_add_up():
    one, other = Footprint(80, 16, 41, 48, 96), Footprint(8, 0, activations=32)
    assert one + other == Footprint(88, 16, 41, 48, 96, 32)
    assert (one + other).bytes_by_part() == {
        "weights": 11, "weights_zero": 2, "parameters": 41 / 8, "voltages": 6, "currents": 12, "activations": 4,
    }  # fmt: skip


def test_registers_of_the_ann():
    # Weights and activations alike; 5 inputs are added up over time in 32 bits.
    assert ann_footprint(20, 15, 4, 5, 8).size_bytes == 20 + 4 + 5 * 4
    assert ann_footprint(20, 15, 4, 5, 32).size_bytes == 80 + 16 + 5 * 4
    assert ann_footprint(20, 15, 4, 0, 8).nonzero_bytes == 15 + 4


def test_a_network_has_the_footprint_of_its_layers(network):
    counter = SpikingCounter(network)
    for name, layer in network.spiking:
        assert counter.footprint(name) == spiking_footprint(layer)
