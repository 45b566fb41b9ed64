"""Means and paired differences over seeds, with their uncertainty."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

# Two-sided.
LEVEL = 0.95


def summarise(values: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation (n - 1; None of a single value), and the mean's 95 % t-interval.

    Parameters
    ----------
    values
        One a seed.
    """
    sample = np.asarray(values, np.float64)
    low, high = t_interval(sample)
    return {
        "mean": float(sample.mean()),
        "sd": float(sample.std(ddof=1)) if sample.size > 1 else None,
        "low": low,
        "high": high,
        "n": int(sample.size),
    }


def paired(values: Sequence[float], baseline: Sequence[float]) -> dict[str, Any]:
    """Mean of the differences ``values - baseline``, seed by seed, with its 95 % t-interval (Student 1908).

    ``includes_zero`` is None where one seed gives no interval.

    Raises
    ------
    ValueError
        The two differ in length.
    """
    if np.shape(values) != np.shape(baseline):
        raise ValueError(f"{len(values)} values cannot be paired with {len(baseline)}")
    result = summarise(list(np.asarray(values, np.float64) - np.asarray(baseline, np.float64)))
    low, high = result["low"], result["high"]
    result["includes_zero"] = None if low is None else bool(low <= 0 <= high)
    return result


def t_interval(sample: Any) -> tuple[float | None, float | None]:
    """95 % interval of the mean of a sample, (None, None) where there are fewer than two values."""
    if len(sample) < 2:
        return None, None
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(sample) - 1)) * float(stats.sem(sample))
    mean = float(np.mean(sample))
    return mean - half, mean + half
