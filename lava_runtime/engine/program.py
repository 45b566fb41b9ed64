"""A network of integers as the arrays that the engine's kernels walk over.

Inside a convolution's layer neurons lie place by place, (height, width, channel), so that what a spike adds to its
neighbours' channels is contiguous; ``Stage.order`` says which neuron in C order each one is.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export import fixed_point
from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, InputLayer, Integers, Network, branches
from export.limits import (
    ACTIVATION_SHIFT,
    BIAS_LAVA_MAX,
    BIAS_LAVA_MIN,
    CURRENT_MAX,
    DECAY_ONE,
    DELAY_MAX,
    STATE_MAX,
)
from export.reference import per_neuron
from lava_runtime.engine.fan_out import dense_fan_out, fan_out
from lava_runtime.engine.kernels import Int32, Neurons, Synapses
from train.errors import MaestroError

_INT32_MAX = (1 << 31) - 1
# Currents come back from here in a step, so that however many branches a neuron has, their sum fits.
BRANCH_SAFE = 4 * STATE_MAX
# Shifted up it still fits 32 bits. No voltage gets there; the chip's mantissas have 17 bits.
_THRESHOLD_MAX = 1 << 24


@dataclass(frozen=True, eq=False)
class Stage:
    """A layer with neurons.

    Parameters
    ----------
    name, layer
        Of the network.
    source, source_order
        Shape of what comes in, and for each place as it comes its index in C order.
    branches
        Currents of a neuron.
    order
        For each neuron as it lies here its index in C order of the layer's shape.
    neurons, synapses, recurrent
        What the kernel takes; without weights where there are no synapses.
    slots
        Steps of sums that are kept: more than one with delays.
    """

    name: str
    layer: InputLayer | ConvLayer | DenseLayer
    source: tuple[int, ...]
    source_order: NDArray[np.int64]
    branches: int
    order: NDArray[np.int64]
    neurons: Neurons
    synapses: Synapses
    recurrent: Synapses
    slots: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The layer's."""
        return self.layer.shape

    @property
    def size(self) -> int:
        """Neurons."""
        return self.order.size

    @property
    def has_dendrites(self) -> bool:
        """Whether its neurons have analog branches."""
        return isinstance(self.layer.neuron, DhLif)

    @property
    def rows(self) -> int:
        """Synaptic sums: one a neuron, or one a branch."""
        return self.branches * self.size

    @property
    def state_bytes(self) -> int:
        """Memory of one sample's states."""
        return 4 * (self.rows + self.size + self.slots * self.rows)

    @property
    def nbytes(self) -> int:
        """Memory of weights and tables."""
        parts = (*self.synapses, *self.recurrent, *self.neurons, self.order)
        return sum(part.nbytes for part in parts if isinstance(part, np.ndarray))


def compile_network(network: Network) -> tuple[Stage, ...]:
    """Every layer with neurons, in order.

    Raises
    ------
    MaestroError
        A layer's parameters lie outside Lava's registers, or its largest possible sum outside the 32 bits that Lava
        itself adds it in.
    """
    stages = []
    # Input spikes come in C order.
    order = np.arange(math.prod(network.input_shape))
    shape: tuple[int, ...] = network.input_shape
    for name, layer in zip(network.names, network.layers, strict=True):
        if isinstance(layer, InputLayer | ConvLayer | DenseLayer) and layer.neuron is not None:
            stage = _stage(name, layer, shape, order)
            order = stage.order
            stages.append(stage)
        shape = layer.shape
    return tuple(stages)


def _stage(
    name: str, layer: InputLayer | ConvLayer | DenseLayer, source: tuple[int, ...], source_order: NDArray[np.int64]
) -> Stage:
    neuron = layer.neuron
    assert neuron is not None
    _check_range(name, layer)
    count = 1 if isinstance(layer, InputLayer) else branches(layer)
    order = np.arange(math.prod(layer.shape)).reshape(layer.shape)
    if len(layer.shape) == 3:
        order = np.moveaxis(order, 0, -1)
    order = np.ascontiguousarray(order).reshape(-1)
    delay, slots, synapses, recurrent = np.empty(0, np.int32), 1, no_synapses(), no_synapses()
    if isinstance(layer, ConvLayer):
        synapses = _conv_synapses(layer, source, source_order)
    elif isinstance(layer, DenseLayer):
        late = layer.delay if layer.delay is not None and layer.delay.ndim == 2 else None
        synapses = _dense_synapses(layer.weight, source_order, late)
        if layer.delay is not None:
            slots = int(layer.delay.max()) + 1
            delay = layer.delay.astype(np.int32) if late is None else delay
        if layer.recurrent is not None:
            recurrent = _dense_synapses(layer.recurrent, order, None)
    neurons = _neurons(layer, neuron, order, delay)
    return Stage(name, layer, source, source_order, count, order, neurons, synapses, recurrent, slots)


def _neurons(
    layer: InputLayer | ConvLayer | DenseLayer,
    neuron: Cuba | DhLif,
    order: NDArray[np.int64],
    delay: Int32,
) -> Neurons:
    shape = layer.shape
    if isinstance(neuron, DhLif):
        gain = neuron.gain
        u_decay = np.stack([per_neuron(np.asarray(decay), shape) for decay in neuron.i_decay])
    else:
        gain = np.zeros(1, np.int64)
        u_decay = per_neuron(neuron.i_decay, shape)[np.newaxis]
    bias = fixed_point.scale_bias(per_neuron(0 if layer.bias is None else layer.bias, shape))
    threshold = fixed_point.scale_threshold(neuron.vth_mant)
    return Neurons(
        np.ascontiguousarray((DECAY_ONE - u_decay)[:, order].reshape(-1), dtype=np.int32),
        np.ascontiguousarray((DECAY_ONE - per_neuron(neuron.v_decay, shape))[order], dtype=np.int32),
        gain.astype(np.int32),
        np.ascontiguousarray(bias[order], dtype=np.int32),
        np.int32(threshold),
        delay,
    )


def no_synapses() -> Synapses:
    """Of a layer without any."""
    none = np.empty(0, np.int64)
    return Synapses(np.empty(0, np.int16), none, none, none, none, none, none, none, none, none)


def _narrow(weight: Integers) -> NDArray[Any]:
    """Weights as 16 bits, which halves what a spike has to fetch, where they fit."""
    limits = np.iinfo(np.int16)
    fits = not weight.size or (weight.min() >= limits.min and weight.max() <= limits.max)
    return weight.astype(np.int16 if fits else np.int32)


def _dense_synapses(weight: Integers, source_order: NDArray[np.int64], late: Integers | None) -> Synapses:
    """All rows of an input in one run; with a delay for every synapse, a run for every synapse."""
    rows, inputs = weight.shape
    column, zeros = np.arange(inputs, dtype=np.int64), np.zeros(inputs, np.int64)
    flat = _narrow(weight).T[source_order].reshape(-1)
    met = dense_fan_out(weight)[source_order]
    if late is None:
        zero, none = np.zeros(1, np.int64), np.empty(0, np.int64)
        size = np.array([rows], np.int64)
        return Synapses(flat, column * rows, zeros, zeros, np.array([0, 1]), zero, zero, size, none, met)
    each = np.arange(inputs * rows, dtype=np.int64)
    runs = np.arange(inputs + 1, dtype=np.int64) * rows
    delays = np.ascontiguousarray(late.T[source_order], dtype=np.int64).reshape(-1)
    return Synapses(flat, zeros, zeros, column, runs, each, each % rows, np.ones_like(each), delays, met)


def _conv_synapses(layer: ConvLayer, source: tuple[int, ...], source_order: NDArray[np.int64]) -> Synapses:
    """A table of runs for every place of a channel, whichever channel it is.

    The kernel lies backwards, so that its neighbouring entries add to neighbouring places, and make one run.
    """
    channels, height, width = layer.shape
    size = source[1:]
    count, (_, inner, *kernel) = branches(layer), layer.weight.shape
    per_group, taps = channels // layer.groups, math.prod(kernel)
    # (branch, group, channel out, channel in, kernel) to (group, channel in, branch, kernel, channel out).
    weight = _narrow(layer.weight).reshape(count, layer.groups, per_group, inner, *kernel).transpose(1, 3, 0, 4, 5, 2)
    weight = weight[:, :, :, ::-1, ::-1].reshape(layer.groups * inner, count, taps, per_group)
    channel, place = np.divmod(source_order, math.prod(size))
    runs: list[list[int]] = []
    ends = [0]
    for y, x in np.ndindex(*size):
        pairs = []
        for tap, (row, column) in enumerate(np.ndindex(*kernel)):
            ahead = (kernel[0] - 1 - row) * layer.dilation[0], (kernel[1] - 1 - column) * layer.dilation[1]
            to_y, rest_y = divmod(y + layer.padding[0] - ahead[0], layer.stride[0])
            to_x, rest_x = divmod(x + layer.padding[1] - ahead[1], layer.stride[1])
            if not rest_y and not rest_x and 0 <= to_y < height and 0 <= to_x < width:
                pairs.append((tap, to_y * width + to_x))
        for branch in range(count):
            for tap, to in pairs:
                origin = (branch * taps + tap) * per_group
                target = (branch * height * width + to) * channels
                last = runs[-1] if len(runs) > ends[-1] else None
                if last and last[0] + last[2] == origin and last[1] + last[2] == target:
                    last[2] += per_group
                else:
                    runs.append([origin, target, per_group])
        ends.append(len(runs))
    source_of, target_of, length = np.ascontiguousarray(np.array(runs, np.int64).reshape(-1, 3).T)
    return Synapses(
        weight.reshape(-1),
        channel * (count * taps * per_group),
        channel // inner * per_group,
        place,
        np.array(ends, np.int64),
        source_of,
        target_of,
        length,
        np.empty(0, np.int64),
        fan_out(layer, source).reshape(-1)[source_order],
    )


def _check_range(name: str, layer: InputLayer | ConvLayer | DenseLayer) -> None:
    """Refuse parameters that Lava's registers do not hold, and sums that could leave the 32 bits they are added in."""
    neuron = layer.neuron
    assert neuron is not None
    decays = (neuron.i_decay, neuron.v_decay)
    _check(name, "decays", np.concatenate([np.ravel(np.asarray(decay)) for decay in decays]), (0, DECAY_ONE))
    _check(name, "thresholds", np.asarray(neuron.vth_mant), (-_THRESHOLD_MAX, _THRESHOLD_MAX))
    if isinstance(layer, InputLayer):
        return
    _check(name, "branches", np.asarray(branches(layer)), (1, _INT32_MAX // STATE_MAX))
    if layer.bias is not None:
        _check(name, "biases", layer.bias, (BIAS_LAVA_MIN, BIAS_LAVA_MAX))
    if isinstance(layer, DenseLayer) and layer.delay is not None:
        _check(name, "delays", layer.delay, (0, DELAY_MAX))
    parts = [np.abs(layer.weight).reshape(layer.weight.shape[0], -1)]
    if isinstance(layer, DenseLayer) and layer.recurrent is not None:
        parts.append(np.abs(layer.recurrent))
    # Lava's convolution cuts its sums to 24 bits. A dense layer's may be as large as lets a current that is in range
    # take any step within 32 bits, however many branches share them.
    conv = isinstance(layer, ConvLayer)
    sums = sum(int(part.sum(axis=1).max(initial=0)) for part in parts) * (1 if conv else branches(layer))
    room = STATE_MAX - 1 if conv else 2 * CURRENT_MAX >> ACTIVATION_SHIFT
    if conv and branches(layer) > 1:
        room //= branches(layer)
    _check(name, "weights of a neuron, added up,", np.asarray(sums), (0, room))


def _check(name: str, what: str, found: NDArray[Any], allowed: tuple[int, int]) -> None:
    low, high = (int(found.min()), int(found.max())) if found.size else allowed
    if low < allowed[0] or high > allowed[1]:
        said = f"{low}" if low == high else f"{low} to {high}"
        raise MaestroError(
            f"layer {name}",
            f"has {what} of {said}",
            allowed=f"{allowed[0]} to {allowed[1]}",
            cure="`python -m export lint` tells more",
        )
