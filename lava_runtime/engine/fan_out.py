"""How many synapses a spike meets: the one rule behind the engine's counts and all that is reckoned from spikes.

Synaptic operations are counted as the chip's profiler does: one for every non-zero weight that a spike meets. A spike
at a border of a convolution meets fewer.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.graph import ConvLayer, DenseLayer, Integers, Network, Pair


def conv_fan_out(
    weight: NDArray[Any], stride: Pair, padding: Pair, dilation: Pair, groups: int, source: Sequence[int], out: Pair
) -> Integers:
    """Non-zero weights that a spike meets, for every place of the input.

    Parameters
    ----------
    weight
        Shape (channel out, channel in / groups, kernel height, kernel width).
    stride, padding, dilation
        Pairs (height, width).
    groups
        Groups of channels.
    source
        Input shape (channel, height, width).
    out
        Output (height, width).

    Returns
    -------
    NDArray[np.int64], shape (channel, height, width)
    """
    rows, inner, *kernel = weight.shape
    present = (weight != 0).reshape(groups, rows // groups, inner, *kernel).sum(axis=1)
    present = present.reshape(groups * inner, *kernel).astype(np.int64)
    reaches = []
    for axis in (0, 1):
        place = np.arange(source[1 + axis])[None] + padding[axis] - np.arange(kernel[axis])[:, None] * dilation[axis]
        whole, rest = np.divmod(place, stride[axis])
        reaches.append(((rest == 0) & (whole >= 0) & (whole < out[axis])).astype(np.int64))
    met: Integers = np.einsum("cij,iy,jx->cyx", present, *reaches)
    return met


def dense_fan_out(weight: NDArray[Any]) -> Integers:
    """Non-zero weights under every input, shape (neuron in,), of weights (neuron out, neuron in)."""
    met: Integers = np.count_nonzero(weight, axis=0).astype(np.int64)
    return met


def fan_out(layer: ConvLayer | DenseLayer, source: Sequence[int], *, stored: bool = False) -> Integers:
    """Non-zero weights that a spike meets, branches and all, for every place of the input of shape ``source``.

    With ``stored`` those that are zero count too: all that the layer's file holds.
    """
    weight = np.ones_like(layer.weight) if stored else layer.weight
    if isinstance(layer, ConvLayer):
        settings = (weight, layer.stride, layer.padding, layer.dilation, layer.groups)
        return conv_fan_out(*settings, source, layer.shape[1:])
    return dense_fan_out(weight).reshape(source)


def sources(network: Network) -> dict[str, tuple[int, ...]]:
    """Shape of what arrives at each layer with synapses, by its name."""
    found: dict[str, tuple[int, ...]] = {}
    shape = network.input_shape
    for name, layer in zip(network.names, network.layers, strict=True):
        if isinstance(layer, ConvLayer):
            found[name] = shape
        elif isinstance(layer, DenseLayer):
            found[name] = (math.prod(shape),)
        shape = layer.shape
    return found
