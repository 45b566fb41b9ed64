"""Convolutions in groups as convolutions of one group, with zeros between the channels: the same sums, spike for spike.

Nothing public shows a convolution in groups running on a Loihi 2 (lint HW009), and pooling and the somata of spiking
dendrites are such. Written out they are ordinary ones, for channels times the memory of the kernel.
"""

from dataclasses import replace

import numpy as np

from export.graph import ConvLayer, Integers, Layer, Network


def one_group(network: Network) -> Network:
    """The network with every convolution in one group; those that are already stay."""
    return Network(tuple(_written_out(layer) for layer in network.layers), network.names)


def _written_out(layer: Layer) -> Layer:
    if not isinstance(layer, ConvLayer) or layer.groups == 1:
        return layer
    return replace(layer, weight=spread(layer.weight, layer.groups), groups=1)


def spread(weight: Integers, groups: int) -> Integers:
    """A kernel over all input channels, zero outside a row's own group.

    Parameters
    ----------
    weight
        Shape (channel out, channel in / groups, kernel height, kernel width).

    Returns
    -------
    Shape (channel out, channel in, kernel height, kernel width)
    """
    rows, inner, *kernel = weight.shape
    wide = np.zeros((groups, rows // groups, groups, inner, *kernel), weight.dtype)
    each = np.arange(groups)
    wide[each, :, each] = weight.reshape(groups, rows // groups, inner, *kernel)
    return wide.reshape(rows, groups * inner, *kernel)
