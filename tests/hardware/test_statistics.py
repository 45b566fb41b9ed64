import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hardware.statistics import paired, summarise


def test_by_hand():
    # Differences 1, 2, 3: mean 2, deviation 1, t(0.975, 2) = 4.302653.
    found = paired([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert found["mean"] == 2
    assert found["sd"] == 1
    assert found["low"] == pytest.approx(2 - 4.302653 / 3**0.5, abs=1e-6)
    assert found["high"] == pytest.approx(2 + 4.302653 / 3**0.5, abs=1e-6)
    assert found["includes_zero"] is True
    assert paired([5.0, 6.0, 7.2], [1.0, 2.0, 3.0])["includes_zero"] is False


def test_one_seed_has_no_interval():
    found = paired([0.5], [0.25])
    assert found == {"mean": 0.25, "sd": None, "low": None, "high": None, "n": 1, "includes_zero": None}


def test_equal_differences_have_an_interval_of_no_width():
    found = summarise([0.5, 0.5, 0.5])
    assert (found["low"], found["high"], found["sd"]) == (0.5, 0.5, 0)
    assert paired([1.0, 2.0], [1.0, 2.0])["includes_zero"] is True


def test_unequal_lengths_cannot_be_paired():
    with pytest.raises(ValueError, match="2 values cannot be paired with 3"):
        paired([1, 2], [1, 2, 3])


@settings(derandomize=True, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=9))
def test_agrees_with_scipys_paired_test(pairs):
    ours, theirs = np.array(pairs).T
    found = paired(ours, theirs)
    difference = ours - theirs
    if difference.std(ddof=1) < 1e-9:
        return
    low, high = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert found["low"] == pytest.approx(low, abs=1e-9)
    assert found["high"] == pytest.approx(high, abs=1e-9)
    assert found["mean"] == pytest.approx(difference.mean())
