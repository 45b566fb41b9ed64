import numpy as np
import pytest
from scipy import stats

from hardware.counters.quantities import mean_over_clips, worked_out


def test_a_mean_has_the_interval_of_student():
    values = np.array([10, 12, 14, 20])
    found = mean_over_clips(values, "spikes", "counted")
    low, high = stats.t.interval(0.95, 3, loc=14, scale=values.std(ddof=1) / 2)
    assert (found.value, found.low, found.high) == (14, pytest.approx(low), pytest.approx(high))
    assert (found.unit, found.kind, found.evidence) == ("spikes", "measured", "measured")
    assert found.method == "counted; mean over 4 clips and its 95 % t-interval, clips taken as independent"


def test_the_same_in_every_clip_is_exact():
    found = mean_over_clips(np.full(7, 0.1), "share", "counted")
    assert found.low == found.value == found.high == 0.1
    assert found.method == "counted; the same in each of 7 clips"


def test_of_one_clip_the_value_is_given_and_no_more_said():
    found = mean_over_clips(np.array([3]), "spikes", "counted")
    assert found.low == found.value == found.high == 3
    assert found.method == "counted; one clip, so that nothing is known of others"


def test_what_a_formula_gives_is_estimated():
    found = worked_out(12, "B", "from sizes")
    assert (found.value, found.low, found.high, found.unit) == (12, 12, 12, "B")
    assert (found.kind, found.evidence, found.method) == ("estimated", "derived", "from sizes")


def test_an_interval_ends_where_counts_do():
    few = mean_over_clips(np.array([0, 0, 0, 9]), "spikes", "counted")
    assert few.low == 0 < few.value < few.high
    much = mean_over_clips(np.array([1, 1, 1, 0.2]), "share", "counted", 1.0)
    assert much.low < much.value < much.high == 1
