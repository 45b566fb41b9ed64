"""What an inference costs, counted exactly on the exported integers.

Synaptic operations are counted as the chip's profiler does: one for every non-zero weight that a spike meets. A
spike at a border of a convolution meets fewer. Spikes of the last step are counted though their operations fall
into the step after it, so that a clip's cost does not depend on what follows.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.graph import ConvLayer, DenseLayer, DhLif, InputLayer, Integers, Network, Pair, SpikingLayer
from export.limits import DECAY_ONE

Counts = NDArray[np.float64]


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


def fan_out(layer: ConvLayer | DenseLayer, source: Sequence[int]) -> Integers:
    """Non-zero weights that a spike meets, for every place of the input, in the input's shape ``source``."""
    if isinstance(layer, ConvLayer):
        settings = (layer.weight, layer.stride, layer.padding, layer.dilation, layer.groups)
        return conv_fan_out(*settings, source, layer.shape[1:])
    found: Integers = (layer.weight != 0).sum(axis=0).astype(np.int64)
    return found


def neuron_states(layer: SpikingLayer) -> int:
    """State variables of a neuron: current and voltage, or with analog dendrites a current a branch and the voltage."""
    if layer.neuron is None:
        return 0
    return layer.neuron.branches + 1 if isinstance(layer.neuron, DhLif) else 2


def spiking_costs(network: Network, spikes: Mapping[str, Counts], clips: int, steps: int) -> dict[str, Any]:
    """Size and cost of a network, layer by layer and in all.

    Parameters
    ----------
    network
        What was exported.
    spikes
        For 'input' and every layer with neurons the spikes of each place, summed over ``clips`` clips and their
        time, in the layer's shape.
    clips
        Number of clips.
    steps
        Steps of a clip.

    Returns
    -------
    dict
        ``layers``: name -> neurons, states, weights_nonzero, spikes, syn_ops, neuron_updates; and the same summed over
        layers (spikes without the input's). Spikes, synaptic operations and updates are means an inference.
    """
    layers = {}
    arriving = spikes["input"]
    for name, layer in network.spiking:
        neurons, states, operations, nonzero = math.prod(layer.shape), neuron_states(layer), 0.0, 0
        if not isinstance(layer, InputLayer):
            met = fan_out(layer, _source(layer, arriving))
            operations = float((met * arriving.reshape(met.shape)).sum())
            nonzero = int(np.count_nonzero(layer.weight))
            if isinstance(layer, DenseLayer) and layer.recurrent is not None:
                operations += float(((layer.recurrent != 0).sum(axis=0) * spikes[name]).sum())
                nonzero += int(np.count_nonzero(layer.recurrent))
        layers[name] = {
            "neurons": neurons,
            "states": neurons * states,
            "weights_nonzero": nonzero,
            "spikes": float(spikes[name].sum()) / clips,
            "syn_ops": operations / clips,
            "neuron_updates": neurons * states * steps,
        }
        arriving = spikes[name]
    return {**_total(layers), "input_spikes": float(spikes["input"].sum()) / clips, "steps": steps, "layers": layers}


def _source(layer: ConvLayer | DenseLayer, arriving: Counts) -> Sequence[int]:
    return arriving.shape if isinstance(layer, ConvLayer) else (arriving.size,)


@dataclass(frozen=True, eq=False)
class AnnLayer:
    """A layer with weights of the ANN, and how it was used.

    Parameters
    ----------
    weight
        Shape (channel out, channel in, kernel height, kernel width), stride 1 and padded to keep the height, or
        (neuron out, neuron in).
    active
        How often each place of its input was not zero, summed over clips and their steps.
    uses
        How often it is computed for a clip: once a step, or once for all steps.
    binary
        Whether its input is 0 or 1, so that it only adds.
    """

    name: str
    weight: NDArray[Any]
    active: Counts
    uses: int
    binary: bool


def ann_costs(layers: Sequence[AnnLayer], neurons: Mapping[str, int], clips: int) -> dict[str, Any]:
    """Size and cost of the ANN, layer by layer and in all; means an inference, NeuroBench's words.

    ``macs_dense`` counts every weight at every use (padding none), ``macs_effective`` only non-zero weights under
    non-zero inputs, and ``acs_effective`` those of them whose input is 0 or 1, which only add. The averages of
    pooling are not counted.

    Parameters
    ----------
    layers
        Layers with weights.
    neurons
        Units of each.
    clips
        Clips that ``active`` was summed over.
    """
    found = {}
    for layer in layers:
        places = layer.active.shape
        if layer.weight.ndim == 4:
            half = layer.weight.shape[2] // 2
            sides = ((1, 1), (half, 0), (1, 1), 1, places, (places[1], places[2]))
            dense, met = conv_fan_out(np.ones_like(layer.weight), *sides), conv_fan_out(layer.weight, *sides)
        else:
            dense, met = ((weight != 0).sum(axis=0) for weight in (np.ones_like(layer.weight), layer.weight))
        effective = float((met * layer.active).sum()) / clips
        found[layer.name] = {
            "neurons": neurons[layer.name],
            "states": 0,
            "weights_nonzero": int(np.count_nonzero(layer.weight)),
            "macs_dense": int(dense.sum()) * layer.uses,
            "macs_effective": 0.0 if layer.binary else effective,
            "acs_effective": effective if layer.binary else 0.0,
            "neuron_updates": neurons[layer.name] * layer.uses,
        }
    return {**_total(found), "layers": found}


def _total(layers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {key: sum(entry[key] for entry in layers.values()) for key in next(iter(layers.values()))}


def time_constants(network: Network, hop_s: float, branches: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Time constants of every layer's decays, from the registers: tau = -1 / ln(1 - decay / 4096) steps.

    Parameters
    ----------
    network
        What was exported.
    hop_s
        Length of a step.
    branches
        Layers that are the branches of the next one's neurons (the spiking realisation), and how many a neuron has.

    Returns
    -------
    dict of layer name -> dict
        ``current`` and ``voltage``, lists of one entry, or of one a branch. An entry holds ``steps`` and ``ms``,
        medians over channels or neurons, and ``steps_low`` and ``steps_high``, the smallest and largest; None stands
        for no decay at all.
    """
    found = {}
    for name, layer in network.spiking:
        neuron = layer.neuron
        assert neuron is not None
        current, voltage = (np.atleast_1d(np.asarray(decay)) for decay in (neuron.i_decay, neuron.v_decay))
        if isinstance(neuron, DhLif):
            rows = {"current": list(current), "voltage": [voltage]}
        else:
            count = branches.get(name, 1)
            rows = {"current": _by_branch(current, count), "voltage": _by_branch(voltage, count)}
        found[name] = {word: [_summary(row, hop_s) for row in entries] for word, entries in rows.items()}
    return found


def _by_branch(decays: NDArray[Any], branches: int) -> list[NDArray[Any]]:
    """A row a branch from decays of compartments that lie neuron by neuron, one row if they are all the same."""
    if decays.size == 1:
        return [decays]
    return list(decays.reshape(-1, branches).T)


def decay_to_tau(decay: Any) -> NDArray[np.float64]:
    """Time constant in steps of a decay in 1/4096 a step: infinite for 0, none for 4096."""
    with np.errstate(divide="ignore"):
        tau: NDArray[np.float64] = -1 / np.log1p(-np.asarray(decay, np.float64) / DECAY_ONE)
    return np.abs(tau)


def _summary(decays: NDArray[Any], hop_s: float) -> dict[str, float | None]:
    tau = decay_to_tau(decays)
    values = {
        "steps": np.median(tau),
        "steps_low": tau.min(),
        "steps_high": tau.max(),
        "ms": np.median(tau) * hop_s * 1e3,
    }
    return {key: float(value) if math.isfinite(value) else None for key, value in values.items()}
