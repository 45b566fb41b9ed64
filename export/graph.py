"""A network as integers: what the chip is given, and nothing of how it was trained.

Shapes are (channel, height, width) or (neuron,), as SLAYER counts them. A layer with neurons takes its
input through synapses, which hand on at step t what arrived at step t - 1: so each adds one step of latency.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from export.limits import GAIN_MAX
from train.errors import MaestroError

Integers = NDArray[np.int64]
Pair = tuple[int, int]
Refuse = Callable[[str, str], MaestroError]

# What stock multiplies the input of input neurons by, and adds to it, where a file does not say:
# lava-dl netx/hdf5.py, create_input.
INPUT_WEIGHT = 64
INPUT_OFFSET = 0


@dataclass(frozen=True, eq=False)
class Cuba:
    """Current-based leaky integrate-and-fire neurons (equations: ``export/fixed_point.py``).

    Parameters
    ----------
    i_decay, v_decay
        Decays of current and voltage in 1/4096 a step; one for all, or one a channel (conv) or neuron (dense).
    vth_mant
        Threshold mantissa; the neuron fires above ``vth_mant << 6``.
    """

    i_decay: int | Integers
    v_decay: int | Integers
    vth_mant: int


@dataclass(frozen=True, eq=False)
class DhLif:
    """Neurons with dendritic branches: a current each, summed into a soma that is otherwise a CUBA neuron's.

    The branches make the `analog` realisation: it runs in the simulator, and on Loihi 2 it would need neuron
    microcode that is not public. A layer of such neurons has ``branches`` rows of weights a neuron.

    Parameters
    ----------
    i_decay
        Decays of the branch currents in 1/4096 a step, shape (branch,), or (branch, channel or neuron).
    gain
        Bits that a branch's input is shifted down by, 0 to 6, shape (branch,).
    v_decay, vth_mant
        As :class:`Cuba` has them.
    """

    i_decay: Integers
    gain: Integers
    v_decay: int | Integers
    vth_mant: int

    @property
    def branches(self) -> int:
        """Branches of a neuron."""
        return int(np.size(self.gain))


@dataclass(frozen=True, eq=False)
class InputLayer:
    """Where spikes come in, shape (channel, height, width) or (neuron,).

    With ``neuron`` the layer is a population whose input goes into its bias: at step t the bias mantissa is
    ``weight * x[t] + offset``, for whole numbers x, and the population adds no latency.

    Parameters
    ----------
    weight, offset
        The input's transform, in a file `weight` and `bias`; stock's defaults (lava-dl netx/hdf5.py, create_input).
        Stock reads them and leaves it to whoever writes the bias mantissa to apply them. Without ``neuron`` unused.
    """

    shape: tuple[int, ...]
    neuron: Cuba | None = None
    weight: int = INPUT_WEIGHT
    offset: int = INPUT_OFFSET
    bias: None = field(default=None, init=False)


@dataclass(frozen=True, eq=False)
class ConvLayer:
    """A convolution (correlation, as in SLAYER) with its neurons.

    Parameters
    ----------
    weight
        Shape (channel out, channel in / groups, kernel height, kernel width). With dendrites shape (branch *
        channel out, channel in, kernel height, kernel width), row ``branch * channels + channel``, groups 1.
    stride, padding, dilation
        Pairs (height, width).
    shape
        Output shape (channel, height, width).
    bias
        Mantissas, shape (channel,).
    """

    weight: Integers
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    neuron: Cuba | DhLif
    shape: tuple[int, int, int]
    bias: Integers | None = None


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """Every input to every neuron.

    Parameters
    ----------
    weight
        Shape (neuron out, neuron in); with dendrites (branch * neuron out, neuron in), row
        ``branch * neurons + neuron``, and neither delays nor recurrent weights.
    bias
        Mantissas, shape (neuron out,).
    delay
        Steps by which a spike reaches a neuron late: shape (neuron out,), or (neuron out, neuron in).
    recurrent
        Weights from the layer's own spikes of the step before, shape (neuron out, neuron out).
    """

    weight: Integers
    neuron: Cuba | DhLif
    bias: Integers | None = None
    delay: Integers | None = None
    recurrent: Integers | None = None

    @property
    def shape(self) -> tuple[int]:
        """Output shape (neuron,)."""
        return (int(self.weight.shape[0]) // branches(self),)


@dataclass(frozen=True, eq=False)
class FlattenLayer:
    """(channel, height, width) to (neuron,), the width running fastest."""

    shape: tuple[int]


@dataclass(frozen=True, eq=False)
class AverageLayer:
    """A readout: spikes by group, shape (group,), each group as many neurons in a row. Always the last layer.

    It has no neurons and takes no step: networks run up to it, and whoever reads them takes means of groups
    (lava-dl slayer/block/base.py, AbstractAverage). The neurons may have any shape, flattened.
    """

    shape: tuple[int]


Layer = InputLayer | ConvLayer | DenseLayer | FlattenLayer | AverageLayer
SpikingLayer = InputLayer | ConvLayer | DenseLayer
WORDS: dict[type[Layer], str] = {
    InputLayer: "input",
    ConvLayer: "conv",
    DenseLayer: "dense",
    FlattenLayer: "flatten",
    AverageLayer: "average",
}


@dataclass(frozen=True, eq=False)
class Network:
    """Layers in order, the first an :class:`InputLayer`; shapes are checked when it is made.

    Raises
    ------
    MaestroError
        Two layers do not fit each other, or a layer not its own parameters.
    """

    layers: tuple[Layer, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.layers or not isinstance(self.layers[0], InputLayer):
            raise MaestroError("network", "does not begin with an input layer")
        if len(self.names) != len(self.layers) or len(set(self.names)) != len(self.names):
            raise MaestroError("network", f"has {len(self.layers)} layers and names {', '.join(self.names)}")
        if not self.spiking:
            raise MaestroError("network", "has no layer with neurons")
        shape = self.layers[0].shape
        for index, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            if isinstance(layer, AverageLayer) and index + 1 < len(self.layers):
                found = f"averages before layer {self.names[index + 1]}"
                raise MaestroError(f"layer {name}", found, allowed="an average as the last layer only")
            if isinstance(layer, InputLayer) and index:
                raise MaestroError(f"layer {name}", "is a second input", allowed="one input layer, the first")
            check_layer(name, layer, shape)
            shape = layer.shape

    @property
    def spiking(self) -> tuple[tuple[str, SpikingLayer], ...]:
        """Name and layer of every layer that has neurons."""
        pairs = zip(self.names, self.layers, strict=True)
        return tuple((n, x) for n, x in pairs if isinstance(x, SpikingLayer) and x.neuron is not None)

    @property
    def spiking_names(self) -> tuple[str, ...]:
        """Names of the layers that have neurons, in order."""
        return tuple(name for name, _ in self.spiking)

    @property
    def dendritic_names(self) -> tuple[str, ...]:
        """Names of the layers with analog dendrites: they run in the simulator only."""
        return tuple(name for name, layer in self.spiking if isinstance(layer.neuron, DhLif))

    @property
    def latency(self) -> int:
        """Steps between an input and the first output it can cause: one a layer with synapses."""
        return sum(not isinstance(layer, InputLayer) for _, layer in self.spiking)

    @property
    def input_layer(self) -> InputLayer:
        """The first layer."""
        first = self.layers[0]
        assert isinstance(first, InputLayer)
        return first

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one step of input."""
        return self.input_layer.shape

    @property
    def output_size(self) -> int:
        """Neurons of the last layer that has any."""
        return math.prod(self.spiking[-1][1].shape)

    @property
    def readout(self) -> AverageLayer | None:
        """The layer that groups the output's neurons, None if the network does not end in one."""
        last = self.layers[-1]
        return last if isinstance(last, AverageLayer) else None


def default_names(layers: Sequence[Layer]) -> tuple[str, ...]:
    """'input', 'conv1', 'flatten1', 'dense1', … for layers that bring no names."""
    seen: dict[str, int] = {}
    names = []
    for layer in layers:
        word = WORDS[type(layer)]
        seen[word] = seen.get(word, 0) + 1
        names.append(word if word == "input" and seen[word] == 1 else f"{word}{seen[word]}")
    return tuple(names)


def branches(layer: ConvLayer | DenseLayer) -> int:
    """Rows of weights a neuron (dense) or channel (conv) has: 1 without dendrites."""
    return layer.neuron.branches if isinstance(layer.neuron, DhLif) else 1


def conv_shape(layer: ConvLayer, shape: Sequence[int]) -> tuple[int, int, int]:
    """Output shape of a convolution of ``shape`` (channel, height, width)."""
    size = []
    for axis in (0, 1):
        reach = layer.dilation[axis] * (layer.weight.shape[2 + axis] - 1) + 1
        size.append((shape[1 + axis] + 2 * layer.padding[axis] - reach) // layer.stride[axis] + 1)
    return int(layer.weight.shape[0]) // branches(layer), size[0], size[1]


def check_layer(name: str, layer: Layer, shape: tuple[int, ...]) -> None:
    """Refuse a layer that does not fit its input or itself; ``shape`` is the input's."""

    def refuse(found: str, allowed: str) -> MaestroError:
        return MaestroError(f"layer {name}", found, allowed=allowed)

    if isinstance(layer, FlattenLayer):
        if layer.shape != (math.prod(shape),):
            raise refuse(f"flattens {shape} into {layer.shape}", f"{(math.prod(shape),)}")
        return
    if isinstance(layer, AverageLayer):
        if len(layer.shape) != 1 or layer.shape[0] < 1 or math.prod(shape) % layer.shape[0]:
            raise refuse(f"averages {math.prod(shape)} neurons in groups {layer.shape}", "groups of one size")
        return
    if not isinstance(layer, InputLayer) and isinstance(layer.neuron, DhLif):
        _check_branches(layer, layer.neuron, refuse)
    if isinstance(layer, ConvLayer):
        _check_conv(layer, shape, refuse)
    elif isinstance(layer, DenseLayer):
        _check_dense(layer, shape, refuse)
    if layer.neuron is not None:
        _check_neuron(layer, layer.neuron, refuse)


def _check_neuron(layer: SpikingLayer, neuron: Cuba | DhLif, refuse: Refuse) -> None:
    decays = {"iDecay": neuron.i_decay, "vDecay": neuron.v_decay}
    if isinstance(neuron, DhLif):
        size = (neuron.branches,)
        found = np.shape(decays.pop("iDecay"))
        if found not in (size, size + layer.shape[:1]):
            raise refuse(f"has branch decays of shape {found}", f"{size} or {size + layer.shape[:1]}")
    for word, value in decays.items():
        if np.ndim(value) and np.shape(value) != layer.shape[:1]:
            raise refuse(f"has {word} of shape {np.shape(value)}", f"one number, or shape {layer.shape[:1]}")
    if layer.bias is not None and layer.bias.shape != layer.shape[:1]:
        raise refuse(f"has a bias of shape {layer.bias.shape}", f"{layer.shape[:1]}")


def _check_branches(layer: ConvLayer | DenseLayer, neuron: DhLif, refuse: Refuse) -> None:
    if np.ndim(neuron.gain) != 1 or not neuron.branches:
        raise refuse(f"has gains of shape {np.shape(neuron.gain)}", "one gain a branch, (branches,)")
    if neuron.gain.min() < 0 or neuron.gain.max() > GAIN_MAX:
        raise refuse(f"has gains of {neuron.gain.min()} to {neuron.gain.max()}", f"0 to {GAIN_MAX}")
    if layer.weight.ndim and layer.weight.shape[0] % neuron.branches:
        found = f"has {layer.weight.shape[0]} rows of weights for {neuron.branches} branches"
        raise refuse(found, "as many rows for every branch")
    if isinstance(layer, ConvLayer):
        if layer.groups != 1:
            raise refuse(f"has dendrites and {layer.groups} groups", "one group")
    elif layer.delay is not None or layer.recurrent is not None:
        raise refuse(f"has dendrites and {'delays' if layer.recurrent is None else 'recurrent weights'}", "neither")


def _check_conv(layer: ConvLayer, shape: tuple[int, ...], refuse: Refuse) -> None:
    if len(shape) != 3:
        raise refuse(f"is a convolution of an input of shape {shape}", "channel, height, width")
    if layer.weight.ndim != 4:
        raise refuse(f"has weights of shape {layer.weight.shape}", "four axes: out, in / groups, height, width")
    if min(layer.stride) < 1 or min(layer.dilation) < 1 or min(layer.padding) < 0 or layer.groups < 1:
        found = f"stride {layer.stride}, dilation {layer.dilation}, padding {layer.padding}, groups {layer.groups}"
        raise refuse(f"has {found}", "positive stride, dilation and groups, padding of 0 or more")
    if layer.weight.shape[0] % layer.groups or layer.weight.shape[1] * layer.groups != shape[0]:
        raise refuse(
            f"has weights of shape {layer.weight.shape} in {layer.groups} groups for {shape[0]} channels",
            f"{shape[0]} / groups input channels, output channels a multiple of the groups",
        )
    expected = conv_shape(layer, shape)
    if min(expected) < 1 or layer.shape != expected:
        raise refuse(f"says its output shape is {layer.shape}", f"{expected} from an input of {shape}")


def _check_dense(layer: DenseLayer, shape: tuple[int, ...], refuse: Refuse) -> None:
    if len(shape) != 1:
        raise refuse(f"is dense on an input of shape {shape}", "a flatten layer before it")
    if layer.weight.ndim != 2 or layer.weight.shape[1] != shape[0] or layer.weight.shape[0] < 1:
        rows = "branches * neurons" if branches(layer) > 1 else "neurons"
        raise refuse(f"has weights of shape {layer.weight.shape}", f"({rows}, {shape[0]})")
    size = layer.weight.shape[0]
    if layer.recurrent is not None and layer.delay is not None:
        raise refuse("is recurrent and has delays, which NetX mixes up", "one of the two")
    if layer.recurrent is not None and layer.recurrent.shape != (size, size):
        raise refuse(f"has recurrent weights of shape {layer.recurrent.shape}", f"{(size, size)}")
    if layer.delay is not None and layer.delay.shape not in ((size,), layer.weight.shape):
        raise refuse(f"has delays of shape {layer.delay.shape}", f"{(size,)} or {layer.weight.shape}")
