"""Each integer rule on known values, and as a property against whole-number arithmetic of Python's own."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import fixed_point as fp

LIMIT = 1 << 23
states = st.integers(-LIMIT, LIMIT)


@pytest.mark.parametrize(
    ("state", "rate", "expected"),
    [(4096, 1, 4095), (-4096, 1, -4095), (-1, 1, 0), (1, 4095, 0), (-4095, 4095, 0), (-4096, 4095, -1), (77, 0, 77)],
)
def test_decay_cuts_towards_zero(state, rate, expected):
    assert fp.decay(np.array([state]), rate)[0] == expected


@settings(derandomize=True)
@given(states, st.integers(0, 4096))
def test_decay_is_the_formula(state, rate):
    assert fp.decay(np.array([state]), rate)[0] == math.trunc(Fraction(state * (4096 - rate), 4096))


@pytest.mark.parametrize(
    ("current", "wrapped"),
    [
        (LIMIT, LIMIT),
        (LIMIT + 1, 1 - LIMIT),
        (-LIMIT, LIMIT),
        (1 - LIMIT, 1 - LIMIT),
        (-LIMIT - 5, LIMIT - 5),
        (2 * LIMIT, 0),
        # Only once: what lies more than 2^24 away stays outside, as in Lava.
        (5 * LIMIT, 3 * LIMIT),
    ],
)
def test_wrap_at_its_ends(current, wrapped):
    assert fp.wrap(np.array([current]))[0] == wrapped
    assert fp.wraps(np.array([current]))[0] == (current != wrapped)


@settings(derandomize=True)
@given(st.integers(-3 * LIMIT + 1, 3 * LIMIT))
def test_wrap_keeps_the_value_modulo_24_bits(current):
    wrapped = int(fp.wrap(np.array([current]))[0])
    assert -LIMIT < wrapped <= LIMIT
    assert (wrapped - current) % (2 * LIMIT) == 0


def test_voltage_saturates_fires_above_the_threshold_and_starts_again():
    assert fp.saturate(np.array([LIMIT, -LIMIT, 5])).tolist() == [LIMIT - 1, 1 - LIMIT, 5]
    threshold = fp.scale_threshold(2)
    assert threshold == 128
    voltage = np.array([127, 128, 129])
    fired = fp.fire(voltage, threshold)
    assert fired.tolist() == [False, False, True]
    assert fp.reset(voltage, fired).tolist() == [127, 128, 0]


def test_inputs_and_biases_are_scaled_by_six_bits():
    assert fp.scale_activation(np.array([3, -3])).tolist() == [192, -192]
    assert fp.scale_bias(np.array([-2])).tolist() == [-128]
