"""The gate: what is exported computes, spike for spike, what was trained. Or nothing is exported."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export import reference
from export.graph import Network
from export.manifest import GateRecord
from train.console import progress
from train.data.dataset import test_splits
from train.errors import MaestroError

if TYPE_CHECKING:
    from train.data.clips import ClipSet
    from train.model import TrainedRun

Spikes = NDArray[np.uint8]
CLIPS = 64
# Clips in one forward of SLAYER; more only costs memory.
_BATCH = 8


def trained_layers(run: "TrainedRun", spikes: Spikes) -> list[Spikes]:
    """Spikes of every layer of SLAYER's quantised forward.

    Parameters
    ----------
    run
        A run of a spiking network.
    spikes
        Shape (sample, channel, height, width, time).

    Returns
    -------
    list
        One array a spiking layer, shape (sample, layer shape, time).
    """
    import torch

    network: Any = run.network
    with torch.no_grad():
        outputs = network.layers(torch.from_numpy(np.ascontiguousarray(spikes)).float())
    return [output.numpy().astype(np.uint8) for output in outputs]


def first_difference(ours: Spikes, theirs: Spikes) -> tuple[tuple[int, ...], int] | None:
    """Neuron and step at which two recordings of a layer first differ, None if nowhere.

    The first step, and in it the first neuron in C order. Both have shape (layer shape, time).
    """
    differing = ours != theirs
    if not differing.any():
        return None
    step = int(np.flatnonzero(differing.reshape(-1, differing.shape[-1]).any(axis=0))[0])
    return tuple(int(axis) for axis in np.argwhere(differing[..., step])[0]), step


def compare(names: Sequence[str], trained: Sequence[Spikes], integer: Sequence[Spikes], clip: str) -> None:
    """Refuse the first difference between two lists of layers, one sample each, shape (layer shape, time).

    Raises
    ------
    MaestroError
        Names the first layer that differs, and in it the first step and the first neuron.
    """
    for name, ours, theirs in zip(names, trained, integer, strict=True):
        if ours.shape != theirs.shape:
            raise MaestroError(f"layer {name}", f"SLAYER's has shape {ours.shape}, the export's {theirs.shape}")
        first = first_difference(ours, theirs)
        if first is None:
            continue
        neuron, step = first
        at = (*neuron, step)
        raise MaestroError(
            f"layer {name}, neuron {neuron if len(neuron) > 1 else neuron[0]}, step {step}",
            f"SLAYER's quantised forward gives {ours[at]}, the integer network {theirs[at]}, on {clip}; "
            f"{int((ours != theirs).sum())} of the layer's {ours.size} outputs differ there",
            cure="nothing was exported; if `python -m export lint` finds no reason, this is an error of the project",
        )


def gate_clips(sets: Mapping[str, "ClipSet"], limit: int = CLIPS) -> list[tuple[str, int]]:
    """Split and number of the clips that the gate runs: as many from each test set, spread evenly.

    Raises
    ------
    MaestroError
        There is no clip to compare on.
    """
    chosen = []
    splits = test_splits(tuple(sets))
    for position, split in enumerate(splits):
        size = len(sets[split])
        share = min(size, limit // len(splits) + (position < limit % len(splits)))
        chosen += [(split, int(index)) for index in np.linspace(0, size - 1, share).round()] if share else []
    if not chosen:
        raise MaestroError("gate", "has no clip to compare on", allowed="at least one clip in a test set")
    return chosen


def clip_features(sets: Mapping[str, "ClipSet"], clips: Sequence[tuple[str, int]]) -> NDArray[np.float32]:
    """Features of some clips, shape (sample, feature, time)."""
    return np.concatenate([sets[split].features([index]) for split, index in clips])


def run_gate(
    trained: "TrainedRun",
    network: Network,
    clips: Sequence[tuple[str, int]],
    encode: Callable[[Sequence[tuple[str, int]]], Spikes],
) -> GateRecord:
    """Run SLAYER's quantised forward and the reference on ``clips`` and compare every layer.

    Raises
    ------
    MaestroError
        A spike differs, or a current, or the sum of a neuron's branches, leaves its 24 bits.
    """
    names = network.spiking_names
    counts = dict.fromkeys(names, 0)
    steps = 0
    with progress("gate", len(clips), "clips") as meter:
        for batch in _batches(clips):
            spikes = encode(batch)
            steps = spikes.shape[-1]
            layers = trained_layers(trained, spikes)
            for sample, (split, index) in enumerate(batch):
                traces = reference.simulate(network, spikes[sample])
                clip = f"clip {index} of {split}"
                for trace in traces:
                    if trace.wraps:
                        first = trace.wraps[0]
                        raise MaestroError(
                            f"layer {first.layer}, neuron {first.neuron}, step {first.step}",
                            f"the {first.register} leaves its 24 bits and wraps, on {clip}",
                            cure="train with smaller weights or a faster current decay; nothing was exported",
                        )
                    if trace.floors:
                        first = trace.floors[0]
                        raise MaestroError(
                            f"layer {first.layer}, neuron {first.neuron}, step {first.step}",
                            f"the voltage is held at the lowest that 24 bits hold, where SLAYER's falls on, on {clip}",
                            cure="train with smaller weights and thresholds, or a faster voltage decay; "
                            "nothing was exported",
                        )
                    counts[trace.name] += int(trace.spikes.sum())
                compare(names, [layer[sample] for layer in layers], [trace.spikes for trace in traces], clip)
                meter.advance()
    return GateRecord(len(clips), steps, counts, 0)


def _batches(clips: Sequence[tuple[str, int]]) -> Iterator[Sequence[tuple[str, int]]]:
    for start in range(0, len(clips), _BATCH):
        yield clips[start : start + _BATCH]
