"""Counts as numbers with a unit, a method and an interval."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.measurement import Quantity, exact
from hardware.statistics import LEVEL, t_interval

Values = NDArray[Any]


def worked_out(value: float, unit: str, method: str) -> Quantity:
    """A number that follows from sizes by a formula, with nothing run and nothing counted."""
    return Quantity(float(value), unit, "estimated", method, float(value), float(value))


def mean_over_clips(values: Values, unit: str, method: str, ceiling: float = float("inf")) -> Quantity:
    """Mean of counts, shape (clip,), with its 95 % t-interval; exact where every clip has the same.

    Parameters
    ----------
    values
        One a clip; clips are taken as independent, which those of one recording are not quite.
    unit, method
        As :class:`hardware.measurement.Quantity` has them.
    ceiling
        What the quantity cannot pass; 0 is what it cannot fall below.
    """
    mean, clips = float(values.mean()), len(values)
    if clips == 1:
        return exact(mean, unit, f"{method}; one clip, so that nothing is known of others")
    if np.all(values == values[0]):
        return exact(float(values[0]), unit, f"{method}; the same in each of {clips} clips")
    low, high = t_interval(values)
    assert low is not None
    assert high is not None
    how = f"{method}; mean over {clips} clips and its {100 * LEVEL:g} % t-interval, clips taken as independent"
    return Quantity(mean, unit, "measured", how, min(mean, max(0.0, low)), max(mean, min(ceiling, high)))
