"""Decisions from a network's scores, and how often they are right. Pure numpy: every stage uses it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64, Shaped
from numpy.typing import NDArray

HeadSlices = Mapping[str, tuple[int, int]]
# Standard normal quantile of a two-sided 95 % interval.
_Z95 = 1.959963984540054


def head_slices(labels: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, int]]:
    """Where each head's classes lie on the last layer: heads in their order, one neuron a class."""
    slices = {}
    start = 0
    for head, names in labels.items():
        slices[head] = (start, start + len(names))
        start += len(names)
    return slices


def decide(
    scores: Shaped[NDArray[Any], "sample neuron *step"], heads: HeadSlices
) -> dict[str, Int64[NDArray[np.int64], "sample *step"]]:
    """The class each head decides for: its largest score, the first of equals.

    Parameters
    ----------
    scores
        Spike counts or logits, shape (sample, neuron), or (sample, neuron, step).
    heads
        First and one-past-last neuron of each head.

    Returns
    -------
    dict
        For each head class numbers, shape (sample,) or (sample, step).
    """
    return {head: np.argmax(scores[:, start:stop], axis=1).astype(np.int64) for head, (start, stop) in heads.items()}


def confidence(
    counts: Shaped[NDArray[Any], "sample neuron"], heads: HeadSlices, count_scale: float
) -> dict[str, Float64[NDArray[np.float64], "sample _class"]]:
    """Softmax of the scaled spike counts of each head, shape (sample, class); the loss trains just this.

    It is not calibrated: it orders decisions, it does not give the chance of an error.
    """
    result = {}
    for head, (start, stop) in heads.items():
        logits = counts[:, start:stop].astype(np.float64) * count_scale
        exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
        result[head] = exponential / exponential.sum(axis=1, keepdims=True)
    return result


def wilson(correct: float, total: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927, JASA 22:209)."""
    if total == 0:
        return 0.0, 1.0
    share = correct / total
    scale = 1 + _Z95**2 / total
    centre = (share + _Z95**2 / (2 * total)) / scale
    half = _Z95 / scale * np.sqrt(share * (1 - share) / total + _Z95**2 / (4 * total**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def accuracy(
    decisions: Mapping[str, Int64[NDArray[np.int64], "sample *_step"]],
    labels: Mapping[str, Int64[NDArray[np.int64], "sample *_time"]],
) -> dict[str, dict[str, float | int]]:
    """Share of right decisions a head over its labelled clips (label -1 is none), with its 95 % interval.

    The interval takes clips as independent; clips of one recording are not quite. Where steps are decided (sample,
    step), ``correct`` counts steps, of ``steps`` in all, and the interval is that of as many clips: the steps of a clip
    are anything but independent. Labels of steps that nothing was decided of do not count.
    """
    result: dict[str, dict[str, float | int]] = {}
    for head, decided in decisions.items():
        if decided.ndim == 2:
            result[head] = _steps_right(decided, labels[head][:, : decided.shape[1]])
            continue
        labelled = labels[head] >= 0
        total = int(labelled.sum())
        correct = int((decided[labelled] == labels[head][labelled]).sum())
        low, high = wilson(correct, total)
        result[head] = {
            "accuracy": correct / total if total else 0.0,
            "correct": correct,
            "clips": total,
            "low": low,
            "high": high,
        }
    return result


def _steps_right(decided: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[str, float | int]:
    labelled = labels >= 0
    clips, steps = int(labelled.any(axis=1).sum()), int(labelled.sum())
    correct = int((decided[labelled] == labels[labelled]).sum())
    share = correct / steps if steps else 0.0
    low, high = wilson(share * clips, clips)
    return {"accuracy": share, "correct": correct, "steps": steps, "clips": clips, "low": low, "high": high}


def percent(entry: Mapping[str, float | int]) -> str:
    """An accuracy entry for a table: per cent with its interval."""
    if not entry["clips"]:
        return "no labels"
    return f"{100 * entry['accuracy']:.1f} % ({100 * entry['low']:.1f} to {100 * entry['high']:.1f})"
