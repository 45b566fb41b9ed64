"""Several annotators: what most of them say, and how far they agree."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


def majority(values: Sequence[str]) -> str | None:
    """The value given most often; None where two are."""
    first, *others = Counter(values).most_common(2)
    return None if others and others[0][1] == first[1] else first[0]


@dataclass(frozen=True)
class Agreement:
    """How far annotators agree on what several of them labelled.

    Attributes
    ----------
    units
        Things that two annotators or more gave a label.
    share
        Agreement observed, 0 to 1: the chance that two of a unit's annotators, taken at random, say the same.
        A unit counts by its number of labels.
    alpha
        Krippendorff's alpha for nominal data: 1 is agreement on all, 0 what chance would give. None where only
        one value occurs, which leaves nothing to agree about.
    """

    units: int
    share: float
    alpha: float | None


def agreement(units: Sequence[Sequence[str]]) -> Agreement | None:
    """Agreement of annotators; None where nothing was labelled by two.

    Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: nominal data, any number of
    observers, values may be missing.

    Parameters
    ----------
    units
        The labels that each thing was given, one an annotator.
    """
    paired = [Counter(values) for values in units if len(values) > 1]
    if not paired:
        return None
    totals = sum(paired, Counter[str]())
    count = sum(totals.values())
    agreeing = sum(sum(there * (there - 1) for there in unit.values()) / (sum(unit.values()) - 1) for unit in paired)
    differing_by_chance = count * count - sum(there * there for there in totals.values())
    alpha = None if differing_by_chance == 0 else 1 - (count - 1) * (count - agreeing) / differing_by_chance
    return Agreement(len(paired), agreeing / count, alpha)
