"""What a layer asks of the chip: sizes and weight bits, nothing else. Placement needs no weights."""

import math
from dataclasses import dataclass

import numpy as np

from export.graph import ConvLayer, DenseLayer, Integers, Network, SpikingLayer, branches
from export.stock import netx_scaling


@dataclass(frozen=True)
class InputDemand:
    """Neurons that are driven by their bias and have no synapses, shape (channel, height, width) or (neuron,)."""

    name: str
    shape: tuple[int, ...]

    @property
    def neurons(self) -> int:
        """Neurons of the layer."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class DenseDemand:
    """``axons`` inputs to each of ``neurons``, all through weights of ``bits`` bits.

    Parameters
    ----------
    axons
        Inputs with a weight other than zero, and as many as neurons more if the layer is recurrent.
    fan_out
        Most neurons that an input reaches; fewer than all only if the layer is made of separate groups.
    delay_bits
        Bits that delays may add to a synapse; no public table has a layer with delays.
    """

    name: str
    neurons: int
    axons: int
    bits: int
    fan_out: int
    delay_bits: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """As a layer's, (neuron,)."""
        return (self.neurons,)


@dataclass(frozen=True)
class ConvDemand:
    """A convolution of ``inputs`` channels to ``shape`` (channel, height, width).

    Parameters
    ----------
    kernel
        Kernel (height, width), stride and dilation included nowhere: they cost no memory.
    words_per_channel
        Synaptic memory words per input channel, place in the kernel and output channel, where a table tells it and
        the weights are not at hand; worked out from ``bits`` if None.
    """

    name: str
    shape: tuple[int, int, int]
    inputs: int
    kernel: tuple[int, int]
    bits: int
    groups: int = 1
    input_size: int = 0
    stride_width: int = 1
    kernel_reach: int = 1
    padding_width: int = 0
    words_per_channel: float | None = None

    @property
    def neurons(self) -> int:
        """Neurons of the layer."""
        return math.prod(self.shape)

    @property
    def elements(self) -> int:
        """Places of the kernel over all input channels: what a core keeps a list of weights for."""
        return self.inputs * self.kernel[0] * self.kernel[1]


Demand = InputDemand | DenseDemand | ConvDemand


def weight_bits(*matrices: Integers) -> int:
    """Bits that NetX says the weights have (lava-dl netx/utils.py, optimize_weight_bits), at least 1."""
    flat = np.concatenate([matrix.reshape(-1) for matrix in matrices])
    return max(1, netx_scaling(flat)[1]) if flat.any() else 1


def demands(network: Network) -> list[Demand]:
    """What each layer with neurons asks for. Branches of analog dendrites count as neurons of their own each.

    A layer that only flattens or averages asks for nothing.
    """
    sizes = {name: layer.shape for name, layer in zip(network.names, network.layers, strict=True)}
    before = dict(zip(network.names[1:], network.names[:-1], strict=True))
    return [_demand(name, layer, sizes[before.get(name, name)]) for name, layer in network.spiking]


def _demand(name: str, layer: SpikingLayer, shape: tuple[int, ...]) -> Demand:
    if isinstance(layer, ConvLayer):
        channels, height, width = layer.shape
        return ConvDemand(
            name,
            (channels * branches(layer), height, width),
            layer.weight.shape[1] * layer.groups,
            (layer.weight.shape[2], layer.weight.shape[3]),
            weight_bits(layer.weight),
            layer.groups,
            math.prod(shape),
            layer.stride[1],
            layer.dilation[1] * (layer.weight.shape[3] - 1) + 1,
            layer.padding[1],
        )
    if isinstance(layer, DenseLayer):
        return _dense_demand(name, layer)
    return InputDemand(name, layer.shape)


def _dense_demand(name: str, layer: DenseLayer) -> DenseDemand:
    matrices = [layer.weight] if layer.recurrent is None else [layer.weight, layer.recurrent]
    reached = np.count_nonzero(np.concatenate(matrices, axis=1), axis=0)
    # lava-dl netx/utils.py, num_delay_bits.
    longest = int(layer.delay.max()) if layer.delay is not None and layer.delay.size else 0
    return DenseDemand(
        name,
        int(layer.weight.shape[0]),
        int(np.count_nonzero(reached)),
        weight_bits(*matrices),
        int(reached.max(initial=0)),
        longest.bit_length(),
    )


def is_separate(demand: DenseDemand) -> bool:
    """Whether the layer is made of groups of neurons that share no inputs, as branches and somata are."""
    return 2 * demand.fan_out <= demand.neurons
