"""How fast a chip steps, and how long an inference keeps it: what a static power is multiplied with."""

from dataclasses import dataclass

from export.host_io import US_PER_PLACE
from hardware.counters.counts import Counts
from hardware.energy.bands import Band, exactly
from hardware.energy.copies import Spread
from hardware.energy.published import own_pace, step_times
from hardware.measurement import Evidence


@dataclass(frozen=True)
class Pace:
    """Time of a step, in s.

    Parameters
    ----------
    evidence
        What it rests on.
    method
        How it was found, in words.
    replayed_s
        What a step may come down to if the input is kept on the chip; None where the time was given.
    """

    step_time_s: Band
    evidence: Evidence
    method: str
    replayed_s: float | None = None


@dataclass(frozen=True)
class Deployment:
    """How a network runs on a chip.

    Parameters
    ----------
    pace
        Of its steps.
    period
        Steps that an inference keeps the chip; None: the steps of the sample.
    answer_steps
        Steps until the answer is complete; None: the steps of the sample.
    spread
        Over cores and chips; None where no placement is at hand.
    """

    pace: Pace
    period: int | None = None
    answer_steps: int | None = None
    spread: Spread | None = None

    @property
    def chips(self) -> int:
        """Chips in use; one where no placement tells."""
        return 1 if self.spread is None else self.spread.chips

    def answer(self, counts: Counts) -> int:
        """Steps until the answer is complete."""
        return counts.steps if self.answer_steps is None else self.answer_steps

    def occupied(self, counts: Counts) -> int:
        """Steps that an inference keeps the chip."""
        return counts.steps if self.period is None else self.period


def asked_pace(step_time_s: float) -> Pace:
    """A step time that somebody gave."""
    return Pace(exactly(step_time_s), "derived", "as asked for")


def paced(counts: Counts, period: int | None = None) -> Pace:
    """Between the shortest step that the input from the host allows and the longest step time published.

    Every spike of the input goes through an embedded processor, at 2.26 us by the one figure that is known
    (:mod:`export.host_io`); so many of them as come a step, on the mean over the ``period`` steps that an inference
    keeps the chip, make the low bound, if it is above the shortest step published. Kept on the chip and replayed, the
    input does not hold it up.
    """
    own = own_pace()
    a_step = counts.input_spikes / (counts.steps if period is None else period)
    low = max(own.low, a_step * US_PER_PLACE * 1e-6)
    band = Band(low, max(own.high, low))
    named = "; ".join(f"{entry.seconds * 1e6:.4g} us: {entry.name} ({entry.source})" for entry in step_times())
    method = (
        f"input from the host, as deploy sends it: from {a_step:.3g} input spikes a step, the mean over the period, at "
        f"{US_PER_PLACE:.3g} us each (export/host_io.py), or the shortest step published if that is longer, "
        "to the longest; and their middle. "
        f"Published of Loihi 2: {named}"
    )
    return Pace(band, "literature", method, own.low)
