"""Where a recording of a streamed run leaves the spikes that were expected of it.

A recording has every layer's spikes by step of the whole run; what was expected has them by sample and its own steps.
Between the two lies the delay of the way in and out, which depends on the adapters and is found by trying: the delay
with which the fewest spikes differ, over all layers at once.

After a layer's reset nothing may fire until the next sample comes. Spikes there are no part of a sample, so they are
counted apart: they say that the reset is not what it was thought to be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.schedule import Schedule
from hardware.loihi2.script.result import silent_steps
from train.errors import MaestroError

Spikes = NDArray[np.uint8]


@dataclass(frozen=True)
class Divergence:
    """The first spike that differs: of the first sample that has one the first layer, in it the first step.

    Parameters
    ----------
    sample, layer, step
        Of a run of the sample alone, from rest.
    neuron
        Place in the layer's shape (channel, height, width) or (neuron,).
    expected, found
        Spikes there.
    """

    sample: int
    layer: str
    neuron: tuple[int, ...]
    step: int
    expected: int
    found: int

    def __str__(self) -> str:
        place = ", ".join(str(index) for index in self.neuron)
        return (
            f"sample {self.sample}, layer {self.layer}, neuron ({place}), step {self.step}: "
            f"{self.expected} expected, {self.found} found"
        )


@dataclass(frozen=True)
class Spurious:
    """The first spike after the reset of its layer and before the next sample.

    Parameters
    ----------
    layer, neuron
        As a divergence's.
    step
        Of the recording.
    """

    layer: str
    neuron: tuple[int, ...]
    step: int

    def __str__(self) -> str:
        place = ", ".join(str(index) for index in self.neuron)
        return f"layer {self.layer}, neuron ({place}), step {self.step} of the recording"


@dataclass(frozen=True)
class Comparison:
    """A recording against what was expected.

    Parameters
    ----------
    delay
        Steps that the way in and out took, of those tried the one that differs least; where several do, the one with
        the fewest spikes after resets, then the one nearest to what the schedule thought.
    samples
        Samples compared.
    expected, found, differing
        Spikes by layer: expected, recorded in the samples' windows, and places and steps that differ.
    first
        Where they differ first; None where they do not.
    spurious
        Spikes by layer after its reset and before the next sample, where there are to be none.
    first_spurious
        The first of these; None where there are none.
    """

    delay: int
    samples: int
    expected: dict[str, int]
    found: dict[str, int]
    differing: dict[str, int]
    first: Divergence | None
    spurious: dict[str, int]
    first_spurious: Spurious | None

    @property
    def total(self) -> int:
        """Places and steps of the samples that differ, over all layers."""
        return sum(self.differing.values())

    @property
    def faults(self) -> int:
        """All that is not as it was expected: ``total``, and the spikes after resets."""
        return self.total + sum(self.spurious.values())

    @property
    def vacuous(self) -> bool:
        """Whether no spike at all was expected: then any delay fits, and silence shows nothing."""
        return not sum(self.expected.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ``total``, ``faults`` and ``vacuous`` with it."""
        return {**asdict(self), "total": self.total, "faults": self.faults, "vacuous": self.vacuous}


def compare_streams(
    expected: Mapping[str, Spikes], recorded: Mapping[str, Spikes], plan: Schedule, delays: Sequence[int]
) -> Comparison:
    """Compare every layer that was recorded, with the delay that fits best.

    Parameters
    ----------
    expected
        Layer -> spikes, shape (sample, neuron..., time), time being ``plan.steps``: step t that of a run of the
        sample alone. All layers with neurons, in the network's order, in which they are reset.
    recorded
        Layer -> spikes, shape (neuron..., time), time being that of the run; at least one layer of ``expected``.
    delays
        Delays to try, in steps.

    Raises
    ------
    MaestroError
        A recording is of an unknown layer, of another shape, or too short for the samples.
    """
    if not recorded:
        raise MaestroError("recording", "holds no layer", allowed=f"some of {', '.join(expected)}")
    for name, stream in recorded.items():
        _check(name, stream, expected, plan, max(delays))
    # Spikes of all neurons by step: enough to count those after resets, delay by delay.
    sums = {name: stream.reshape(-1, stream.shape[-1]).sum(0, dtype=np.int64) for name, stream in recorded.items()}
    silences = {delay: _silences(expected, sums, plan, delay) for delay in delays}
    stray = {
        delay: {name: int(sums[name][where].sum()) for name, where in silence.items()}
        for delay, silence in silences.items()
    }
    totals = {delay: sum(_differing(expected, recorded, plan, delay).values()) for delay in delays}
    best = min(
        delays, key=lambda delay: (totals[delay], sum(stray[delay].values()), abs(delay - plan.input_delay), delay)
    )
    found = {name: windows(stream, plan, len(expected[name]), best) for name, stream in recorded.items()}
    return Comparison(
        best,
        len(next(iter(expected.values()))),
        {name: int(expected[name].sum(dtype=np.int64)) for name in found},
        {name: int(each.sum(dtype=np.int64)) for name, each in found.items()},
        _differing(expected, recorded, plan, best),
        _first(expected, found),
        stray[best],
        _first_spurious(recorded, silences[best]),
    )


def windows(stream: Spikes, plan: Schedule, samples: int, delay: int) -> Spikes:
    """A layer's spikes by sample, cut out of a run.

    Parameters
    ----------
    stream
        Shape (neuron..., time).

    Returns
    -------
    Shape (sample, neuron..., time), time being ``plan.steps``.
    """
    cuts = [stream[..., first : first + plan.steps] for first in _starts(plan, samples, delay)]
    return np.stack(cuts)


def _starts(plan: Schedule, samples: int, delay: int) -> range:
    return range(delay, delay + samples * plan.period, plan.period)


def _silences(
    expected: Mapping[str, Spikes], sums: Mapping[str, NDArray[np.int64]], plan: Schedule, delay: int
) -> dict[str, NDArray[np.bool_]]:
    """Steps by layer, of the recording, between a reset of its neurons and the sample after it."""
    found = {}
    for number, name in enumerate(expected):
        if name not in sums:
            continue
        found[name] = silent_steps(plan.as_dict(), number, len(expected[name]), delay, sums[name].size)
    return found


def _first_spurious(recorded: Mapping[str, Spikes], silences: Mapping[str, NDArray[np.bool_]]) -> Spurious | None:
    found = []
    for name, silent in silences.items():
        places = np.argwhere(recorded[name] * silent)
        if len(places):
            *neuron, step = (int(index) for index in places[np.argmin(places[:, -1])])
            found.append(Spurious(name, tuple(neuron), step))
    return min(found, key=lambda one: one.step, default=None)


def _check(name: str, stream: Spikes, expected: Mapping[str, Spikes], plan: Schedule, delay: int) -> None:
    where = f"recording of layer {name}"
    if name not in expected:
        raise MaestroError(where, "nothing was expected of such a layer", allowed=f"one of {', '.join(expected)}")
    wanted = expected[name]
    if stream.shape[:-1] != wanted.shape[1:-1]:
        raise MaestroError(where, f"has shape {stream.shape[:-1]}", allowed=f"{wanted.shape[1:-1]}")
    least = (len(wanted) - 1) * plan.period + plan.steps + delay
    if stream.shape[-1] < least:
        raise MaestroError(where, f"ends after {stream.shape[-1]} steps", allowed=f"at least {least}")


def _differing(
    expected: Mapping[str, Spikes], recorded: Mapping[str, Spikes], plan: Schedule, delay: int
) -> dict[str, int]:
    return {
        name: int(np.count_nonzero(windows(stream, plan, len(expected[name]), delay) != expected[name]))
        for name, stream in recorded.items()
    }


def _first(expected: Mapping[str, Spikes], found: Mapping[str, Spikes]) -> Divergence | None:
    names = [name for name in expected if name in found]
    for sample in range(len(expected[names[0]])):
        for name in names:
            ours, theirs = expected[name][sample], found[name][sample]
            places = np.argwhere(ours != theirs)
            if len(places):
                *neuron, step = (int(index) for index in places[np.argmin(places[:, -1])])
                place = (*neuron, step)
                values = int(ours[place]), int(theirs[place])
                return Divergence(sample, name, tuple(neuron), step, *values)
    return None
