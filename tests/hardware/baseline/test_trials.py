"""Medians, their intervals, drift, and what is above idle."""

import pytest

from hardware.baseline.trials import drift_of, less_idle, median_of
from hardware.measurement import Quantity


def test_of_six_trials_the_least_and_the_greatest():
    found = median_of([5.0, 1.0, 4.0, 2.0, 9.0, 3.0])
    assert (found.value, found.low, found.high) == (3.5, 1.0, 9.0)
    # 1 - 2 / 2^6
    assert found.level == 0.96875


def test_of_five_the_level_is_told_to_be_less():
    found = median_of([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.value, found.low, found.high, found.level) == (3.0, 1.0, 5.0, 0.9375)
    assert "93.8 % order-statistics interval" in found.quantity("s", "calls").method


def test_of_nine_the_second_of_each_side():
    """1 - 2 (1 + 9) / 2^9 = 96.1 %; the third would leave 82 %."""
    found = median_of(list(range(1, 10)))
    assert (found.value, found.low, found.high) == (5, 2, 8)
    assert found.level == 1 - 20 / 512


def test_of_one_nothing_is_sure():
    assert median_of([2.0]).level == 0.0


def test_the_instruments_share_widens_it():
    found = median_of([1.0, 2.0, 3.0], [0.1, 0.5, 0.2])
    assert (found.low, found.high) == (0.5, 3.5)


def test_rising_trials_drift():
    rising = drift_of([10.0, 10.1, 10.2, 10.4, 10.5, 10.9])
    # One order of 720, or its reverse.
    assert rising["chance"] == pytest.approx(2 / 720)
    assert (rising["drifts"], rising["change"]) == (True, pytest.approx(10.5 / 10.1 - 1))


@pytest.mark.parametrize("values", [[3.0, 1.0, 2.0, 3.1, 1.1, 2.1], [2.0] * 6, [1.0, 2.0], [1.0]])
def test_others_do_not(values):
    assert not drift_of(values)["drifts"]


def q(value, low, high, unit):
    return Quantity(value, unit, "measured", "here", low, high)


def test_energy_above_idle_by_hand():
    found = less_idle(q(5.0, 4.8, 5.3, "J"), q(20.0, 19.0, 22.0, "W"), q(0.1, 0.09, 0.11, "s"))
    assert found.value == pytest.approx(3.0)
    assert found.low == pytest.approx(4.8 - 22 * 0.11)
    assert found.high == pytest.approx(5.3 - 19 * 0.09)
    assert "not told from zero" not in found.method


def test_energy_that_is_not_told_from_idle():
    found = less_idle(q(2.0, 1.9, 2.1, "J"), q(20.0, 19.0, 22.0, "W"), q(0.1, 0.1, 0.1, "s"))
    assert found.low < 0 < found.high
    assert found.method.endswith("not told from zero")
