"""Bounds and their middle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.energy.bands import Band, exactly

numbers = st.floats(0, 1e6, allow_subnormal=False)
bands = st.builds(lambda one, other: Band(min(one, other), max(one, other)), numbers, numbers)


def test_the_middle_is_as_far_in_ratio_from_either_bound():
    assert Band(2, 8).middle == pytest.approx(4)
    assert Band(0, 8).middle == 4
    assert exactly(3).middle == 3


@pytest.mark.parametrize(("low", "high"), [(2, 1), (-1, 1), (0, float("inf")), (float("nan"), 1)])
def test_bounds_that_are_none_are_refused(low, high):
    with pytest.raises(ValueError, match="are no bounds"):
        Band(low, high)


@given(bands, bands)
def test_sums_and_products_hold_those_of_the_middles(one, other):
    assert one.low <= one.middle <= one.high
    assert one.middle + other.middle in Band((one + other).low * (1 - 1e-12), (one + other).high * (1 + 1e-12))
    product = one * other
    assert product.low * (1 - 1e-12) <= one.middle * other.middle <= product.high * (1 + 1e-12)
