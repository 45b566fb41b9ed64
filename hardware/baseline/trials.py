"""What several trials say together: their median with an interval, and whether they drift."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from hardware.measurement import Quantity

LEVEL = 0.95
# A row of trials that keeps its order by chance less often than this drifts.
_CHANCE = 0.05


@dataclass(frozen=True)
class Median:
    """A median and between what it lies: ``level`` is the chance that readings' scatter leaves it there."""

    value: float
    low: float
    high: float
    level: float
    trials: int

    def quantity(self, unit: str, what: str) -> Quantity:
        """As a measured number."""
        how = (
            f"{what}: median of {self.trials} trials, {100 * self.level:.1f} % order-statistics interval, "
            "the instrument's resolution added, its own accuracy not"
        )
        return Quantity(self.value, unit, "measured", how, self.low, self.high)


def median_of(values: Sequence[float], halves: Sequence[float] = ()) -> Median:
    """The median with the narrowest order-statistics interval of at least 95 %, or the widest there is.

    Two of the ordered values hold the true median between them with a chance that follows from the binomial
    distribution alone, whatever the values' own (Conover, Practical Nonparametric Statistics, 3.2): of six trials the
    least and the greatest do in 96.9 %.

    Parameters
    ----------
    values
        At least one, of trials that are independent of each other.
    halves
        By how much each may be off for its instrument's sake; the interval is widened by the greatest.
    """
    ordered = sorted(values)
    count = len(ordered)
    cut = 0
    while cut + 1 < count / 2 and _level(count, cut + 1) >= LEVEL:
        cut += 1
    off = max(halves, default=0.0)
    value = float(np.median(ordered))
    return Median(value, ordered[cut] - off, ordered[count - 1 - cut] + off, _level(count, cut), count)


def _level(count: int, cut: int) -> float:
    """Chance that the median lies between the ``cut``-th value from below and from above, counted from 0."""
    return 1.0 - 2.0 * sum(math.comb(count, below) for below in range(cut + 1)) / 2.0**count


def drift_of(values: Sequence[float]) -> dict[str, Any]:
    """Whether a row of trials rises or falls, by Kendall's tau against time.

    Returns
    -------
    dict
        ``change`` (last over first half's median, less 1; None if that is 0), ``chance`` (that an order as strict
        comes about without drift; None of fewer than three trials) and ``drifts``.
    """
    half = len(values) // 2
    first = float(np.median(values[:half])) if half else 0.0
    last = float(np.median(values[-half:])) if half else 0.0
    change = last / first - 1.0 if first else None
    if len(values) < 3 or len(set(values)) < 2:
        return {"change": change, "chance": None, "drifts": False}
    chance = float(stats.kendalltau(np.arange(len(values)), values).pvalue)
    return {"change": change, "chance": chance, "drifts": chance < _CHANCE}


def less_idle(total: Quantity, idle: Quantity, time: Quantity) -> Quantity:
    """Energy of an inference above what the idle device takes in the same time, in J.

    Bounds are all at their worst together; a difference may be below zero, and then is below what is resolved.
    """
    value = total.value - idle.value * time.value
    low, high = total.low - idle.high * time.high, total.high - idle.low * time.low
    how = f"{total.method}; less idle power of {idle.value:.4g} W times {time.value:.4g} s, worst case bounds"
    if low <= 0:
        how += "; not told from zero"
    return Quantity(value, "J", "measured", how, min(low, value), max(high, value))
