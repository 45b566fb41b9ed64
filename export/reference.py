"""The arithmetic's readable specification: a small simulator, one sample at a time.

It runs layer by layer. A layer's synaptic sums are taken over the whole time axis at once (in float64,
exact for integers below 2^53), then its neurons step through time by the rules of ``export/fixed_point.py``.
A neuron without dendrites is stepped as one of a single branch of gain 0, which is the same arithmetic.
Step t here is step t of a Lava run that starts from rest.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64, Integer, UInt8
from numpy.typing import NDArray

from export import fixed_point
from export.graph import (
    AverageLayer,
    ConvLayer,
    Cuba,
    DenseLayer,
    DhLif,
    FlattenLayer,
    InputLayer,
    Integers,
    Network,
    branches,
)
from export.limits import BIAS_LAVA_MAX, BIAS_LAVA_MIN, CURRENT_MAX
from train.errors import MaestroError

Spikes = NDArray[np.uint8]


@dataclass(frozen=True)
class Wrap:
    """A register that left its 24 bits: which layer, neuron (counted in C order) and step.

    ``register`` is 'current', or in a layer with dendrites 'branch 0 current' and so on, or 'branch sum'.
    """

    layer: str
    neuron: int
    step: int
    register: str = "current"


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """What one layer did.

    ``spikes`` (layer shape, time); ``u`` and ``v`` likewise if asked for, ``v`` after its reset. With dendrites
    ``u`` holds the branch currents, (branch, layer shape, time). ``wraps`` come in the order of steps, and so do
    ``floors``: where a voltage is held at the lowest of its 24 bits. At the highest it fires, whatever the threshold.
    """

    name: str
    spikes: UInt8[Spikes, "*layer time"]
    wraps: tuple[Wrap, ...]
    floors: tuple[Wrap, ...] = ()
    u: Int64[Integers, "*_branch_layer time"] | None = None
    v: Int64[Integers, "*layer time"] | None = None


def run(network: Network, spikes: NDArray[Any]) -> list[UInt8[Spikes, "*_layer time"]]:
    """Spikes of every layer that has neurons, in order, each of shape (layer shape, time).

    Parameters
    ----------
    network
        The network.
    spikes
        One sample's input, shape (channel, height, width, time) or (neuron, time): 0 or 1, or any whole
        numbers where the input layer has neurons.

    Raises
    ------
    MaestroError
        The input does not fit the network.
    """
    return [layer.spikes for layer in simulate(network, spikes)]


def simulate(network: Network, spikes: NDArray[Any], probes: bool = False) -> list[LayerTrace]:
    """As :func:`run`, with the wraps of every layer and, with ``probes``, its states."""
    _check_input(network, spikes)
    traces = []
    x = np.asarray(spikes)
    for name, layer in zip(network.names, network.layers, strict=True):
        steps = x.shape[-1]
        if isinstance(layer, FlattenLayer):
            x = x.reshape(*layer.shape, steps)
            continue
        if isinstance(layer, AverageLayer) or layer.neuron is None:
            continue
        size = int(np.prod(layer.shape))
        if isinstance(layer, InputLayer):
            activation = np.zeros((size, steps), dtype=np.int64)
            bias = fixed_point.scale_bias(input_mantissas(x.reshape(size, steps), layer.weight, layer.offset))
            recurrent = None
        else:
            activation = _one_step_late(synaptic_sums(layer, x).reshape(branches(layer) * size, steps))
            mantissa = np.zeros(layer.shape[0], dtype=np.int64) if layer.bias is None else layer.bias
            bias = fixed_point.scale_bias(per_neuron(mantissa, layer.shape))[:, np.newaxis]
            recurrent = layer.recurrent if isinstance(layer, DenseLayer) else None
        trace = _step_neurons(name, layer.neuron, layer.shape, activation, bias, recurrent, probes)
        traces.append(trace)
        x = trace.spikes
    return traces


def input_mantissas(
    x: Integer[NDArray[np.integer[Any]], "*shape"], weight: int, offset: int
) -> Int64[Integers, "*shape"]:
    """Bias mantissas ``weight * x + offset`` of input neurons.

    Raises
    ------
    MaestroError
        Some lie beyond the 16 bits that Lava holds them in; the chip has 13 (``export/limits.py``).
    """
    ends = [weight * int(value) + offset for value in (x.min(), x.max())] if x.size else [0]
    if min(ends) < BIAS_LAVA_MIN or max(ends) > BIAS_LAVA_MAX:
        raise MaestroError(
            "input",
            f"times {weight} plus {offset} gives its neurons biases of {min(ends)} to {max(ends)}",
            allowed=f"{BIAS_LAVA_MIN} to {BIAS_LAVA_MAX}, 16 bits",
        )
    return weight * x.astype(np.int64) + offset


def readout(
    network: Network, output: Integer[NDArray[np.integer[Any]], "*_layer time"]
) -> Int64[Integers, "group time"]:
    """Spikes of the last layer with neurons summed by group, for a network that ends in an average layer.

    The means that SLAYER's block gives are these over the neurons of a group.
    """
    if network.readout is None:
        raise MaestroError("network", "has no average layer to read out", allowed="an average as the last layer")
    groups = output.astype(np.int64).reshape(network.readout.shape[0], -1, output.shape[-1])
    total: Integers = groups.sum(axis=1)
    return total


def synaptic_sums(
    layer: ConvLayer | DenseLayer, spikes: Integer[NDArray[np.integer[Any]], "*_input time"]
) -> Int64[Integers, "*_layer time"]:
    """Sum of integer weights over the spikes of each step, shape (layer shape, time), delays included.

    With dendrites the first axis has ``branch * channels + channel`` (or neurons), as the weights have.
    """
    if isinstance(layer, ConvLayer):
        return _conv_sums(layer, spikes)
    x = spikes.astype(np.float64)
    if layer.delay is None:
        return (layer.weight.astype(np.float64) @ x).astype(np.int64)
    delay = layer.delay if layer.delay.ndim == 2 else np.broadcast_to(layer.delay[:, np.newaxis], layer.weight.shape)
    sums = np.zeros((layer.weight.shape[0], x.shape[-1]))
    for steps in np.unique(delay):
        late = np.zeros_like(x)
        if steps < x.shape[-1]:
            late[:, steps:] = x[:, : x.shape[-1] - steps]
        sums += np.where(delay == steps, layer.weight, 0).astype(np.float64) @ late
    return sums.astype(np.int64)


def _conv_sums(layer: ConvLayer, spikes: NDArray[np.integer[Any]]) -> Integers:
    channels, _, _, steps = spikes.shape
    out, inner, kernel_h, kernel_w = layer.weight.shape
    _, height, width = layer.shape
    edge_h, edge_w = layer.padding
    padded = np.pad(spikes.astype(np.float64), ((0, 0), (edge_h, edge_h), (edge_w, edge_w), (0, 0)))
    columns = np.empty((channels, kernel_h * kernel_w, height, width, steps))
    for row in range(kernel_h):
        for column in range(kernel_w):
            top, left = row * layer.dilation[0], column * layer.dilation[1]
            columns[:, row * kernel_w + column] = padded[
                :,
                top : top + (height - 1) * layer.stride[0] + 1 : layer.stride[0],
                left : left + (width - 1) * layer.stride[1] + 1 : layer.stride[1],
            ]
    weight = layer.weight.astype(np.float64).reshape(layer.groups, out // layer.groups, inner * kernel_h * kernel_w)
    sums = weight @ columns.reshape(layer.groups, inner * kernel_h * kernel_w, height * width * steps)
    return sums.reshape(out, height, width, steps).astype(np.int64)


def _step_neurons(
    name: str,
    neuron: Cuba | DhLif,
    shape: tuple[int, ...],
    activation: Integers,
    bias: Integers,
    recurrent: Integers | None,
    probes: bool,
) -> LayerTrace:
    """Step a layer's neurons through time.

    ``activation`` has shape (branch * neuron, time), ``bias`` (neuron, time), or one step if it does not change.
    """
    size, steps = int(np.prod(shape)), activation.shape[-1]
    gain, i_decay = _gains_and_decays(neuron, shape)
    v_decay = per_neuron(neuron.v_decay, shape)
    threshold = fixed_point.scale_threshold(neuron.vth_mant)
    arriving = np.ascontiguousarray(activation.T).reshape(steps, len(gain), size)
    offset = np.broadcast_to(bias, (size, steps)).T
    u = np.zeros((len(gain), size), dtype=np.int64)
    v = np.zeros(size, dtype=np.int64)
    fired = np.zeros(size, dtype=np.bool_)
    spikes = np.zeros((steps, size), dtype=np.uint8)
    raw = np.zeros(arriving.shape, dtype=np.int64)
    sums, voltages = (np.zeros((steps, size), dtype=np.int64) for _ in range(2))
    floors: list[Wrap] = []
    for step in range(steps):
        a = arriving[step] if recurrent is None else arriving[step] + recurrent[:, fired].sum(axis=1)
        raw[step] = fixed_point.next_branch_current(u, a, gain, i_decay)
        if np.abs(raw[step]).max() >= CURRENT_MAX:
            raise outgrown(name, CURRENT_MAX)
        u = fixed_point.wrap(raw[step])
        # One branch has nothing to be added to: its current, wrapped or not, is the sum.
        sums[step] = u[0] if len(u) == 1 else fixed_point.branch_sum(u)
        current = u[0] if len(u) == 1 else fixed_point.wrap(sums[step])
        v = fixed_point.next_voltage(v, current, offset[step], v_decay)
        floors += [Wrap(name, int(n), step, "voltage") for n in np.flatnonzero(v == fixed_point.VOLTAGE_LOW)]
        fired = fixed_point.fire(v, threshold)
        v = fixed_point.reset(v, fired)
        spikes[step] = fired
        voltages[step] = v
    u_shape = (len(gain), *shape, steps) if isinstance(neuron, DhLif) else (*shape, steps)
    return LayerTrace(
        name,
        np.ascontiguousarray(spikes.T).reshape(*shape, steps),
        _wraps(name, raw, sums, isinstance(neuron, DhLif)),
        tuple(floors),
        np.moveaxis(fixed_point.wrap(raw), 0, -1).reshape(u_shape) if probes else None,
        voltages.T.reshape(*shape, steps) if probes else None,
    )


def outgrown(name: str, limit: int) -> MaestroError:
    """What is said of a layer in which a current grows until Lava's arithmetic would leave its 32 bits."""
    return MaestroError(
        f"layer {name}",
        f"has a current that grew beyond {limit}, though it goes around at 2^23 once a step",
        cure="scale its weights down, or let it decay faster",
    )


def _gains_and_decays(neuron: Cuba | DhLif, shape: tuple[int, ...]) -> tuple[Integers, Integers]:
    """Gains, shape (branch, 1), and decays, shape (branch, neuron)."""
    if isinstance(neuron, Cuba):
        return np.zeros((1, 1), dtype=np.int64), per_neuron(neuron.i_decay, shape)[np.newaxis]
    decay = neuron.i_decay.reshape(neuron.branches, -1, *[1] * (len(shape) - 1))
    return neuron.gain[:, np.newaxis], np.broadcast_to(decay, (neuron.branches, *shape)).reshape(neuron.branches, -1)


def _wraps(name: str, raw: Integers, sums: Integers, dendrites: bool) -> tuple[Wrap, ...]:
    """Where currents, shape (time, branch, neuron), and their sums, (time, neuron), left their bits; steps in order."""
    found = [
        Wrap(name, int(n), int(t), f"branch {b} current" if dendrites else "current")
        for t, b, n in np.argwhere(fixed_point.wraps(raw))
    ]
    if raw.shape[1] > 1:
        found += [Wrap(name, int(n), int(t), "branch sum") for t, n in np.argwhere(fixed_point.wraps(sums))]
    return tuple(sorted(found, key=lambda wrap: wrap.step))


def _one_step_late(sums: Integers) -> Integers:
    """A synapse hands on at step t what it summed at step t - 1, and nothing at the first."""
    late = np.zeros_like(sums)
    late[:, 1:] = sums[:, :-1]
    return late


def per_neuron(value: int | Integers, shape: tuple[int, ...]) -> Integers:
    """One value a neuron, shape (neuron,), from one for all or one a channel."""
    array = np.asarray(value, dtype=np.int64)
    if array.ndim:
        array = array.reshape(-1, *[1] * (len(shape) - 1))
    return np.broadcast_to(array, shape).reshape(-1)


def _check_input(network: Network, spikes: NDArray[Any]) -> None:
    expected = network.input_shape
    if spikes.ndim != len(expected) + 1 or spikes.shape[:-1] != expected:
        raise MaestroError("input spikes", f"have shape {spikes.shape}", allowed=f"{(*expected, 'time')}")
    if spikes.dtype.kind not in "iub":
        raise MaestroError("input spikes", f"are of type {spikes.dtype}", allowed="whole numbers")
    if network.input_layer.neuron is None and spikes.size and (spikes.min() < 0 or spikes.max() > 1):
        raise MaestroError("input spikes", f"lie in {spikes.min()} to {spikes.max()}", allowed="0 or 1")
