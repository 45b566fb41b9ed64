"""The integer rules of a CUBA neuron and of its dendritic branches, one small function each.

They are those of lava-nc's ``proc/lif/models.py`` (``AbstractPyLifModelFixed.subthr_dynamics``), which
mimics the chip bit by bit. One step of a neuron is::

    u <- wrap(decay(u, iDecay) + (a << 6))
    v <- saturate(decay(v, vDecay) + u + (bias << 6))
    s <- v > (vThMant << 6);  v <- 0 where s

with ``a`` the sum of the integer weights over the spikes that arrived. A neuron with dendrites (DH-LIF) has a
current for every branch, fed by its own inputs, and their sum in the place of ``u``. The rules are this project's::

    u_b <- wrap(decay(u_b, iDecay_b) + ((a_b << 6) >> gain_b))
    u   <- wrap(u_0 + u_1 + ...)

Branch currents and their sum are registers of 24 bits alike. One branch of gain 0 is a CUBA neuron.
"""

import numpy as np
from jaxtyping import Bool, Int64
from numpy.typing import NDArray

from export.limits import ACTIVATION_SHIFT, BIAS_EXP, DECAY_ONE, DECAY_SHIFT, STATE_MAX, THRESHOLD_SHIFT

# The lowest voltage that 24 bits hold here; Lava clips there.
VOLTAGE_LOW = 1 - STATE_MAX

Integers = NDArray[np.int64]


def decay(state: Int64[Integers, "*shape"], rate: Int64[Integers, "*shape"] | int) -> Int64[Integers, "*shape"]:
    """``tz(state * (4096 - rate) / 4096)``, tz cutting towards zero. ``rate`` is 0 (keep) to 4096 (forget)."""
    product: Integers = state * (DECAY_ONE - rate)
    cut: Integers = np.sign(product) * (np.abs(product) >> DECAY_SHIFT)
    return cut


def scale_activation(activation: Int64[Integers, "*shape"]) -> Int64[Integers, "*shape"]:
    """``a << 6``: a synaptic sum in the state's units."""
    return activation << ACTIVATION_SHIFT


def scale_bias(mantissa: Int64[Integers, "*shape"] | int) -> Int64[Integers, "*shape"]:
    """``bias << 6``: a bias mantissa in the state's units, with NetX's exponent."""
    return np.asarray(mantissa, dtype=np.int64) << BIAS_EXP


def scale_threshold(mantissa: int) -> int:
    """``vThMant << 6``: a threshold in the state's units."""
    return mantissa << THRESHOLD_SHIFT


def wrap(current: Int64[Integers, "*shape"]) -> Int64[Integers, "*shape"]:
    """A current that leaves (-2^23, 2^23] comes back at the other end, once.

    Lava's test is ``> 2^23`` above and ``<= -2^23`` below, so 2^23 itself stays. An excursion of more than
    2^24 would stay outside, in Lava as here; no layer of fewer than 2^10 full-weight inputs gets there.
    """
    lowered = np.where(current > STATE_MAX, current - 2 * STATE_MAX, current)
    return np.where(lowered <= -STATE_MAX, current + 2 * STATE_MAX, lowered)


def wraps(current: Int64[Integers, "*shape"]) -> Bool[NDArray[np.bool_], "*shape"]:
    """Where :func:`wrap` would change the current."""
    return (current > STATE_MAX) | (current <= -STATE_MAX)


def saturate(voltage: Int64[Integers, "*shape"]) -> Int64[Integers, "*shape"]:
    """A voltage stops at +-(2^23 - 1)."""
    return np.clip(voltage, VOLTAGE_LOW, STATE_MAX - 1)


def next_current(
    current: Int64[Integers, "*shape"], activation: Int64[Integers, "*shape"], i_decay: Int64[Integers, "*shape"] | int
) -> Int64[Integers, "*shape"]:
    """The current one step on, not yet wrapped: ``decay(u, iDecay) + (a << 6)``."""
    return decay(current, i_decay) + scale_activation(activation)


def scale_branch(
    activation: Int64[Integers, "branch *shape"], gain: Int64[Integers, "branch *ones"]
) -> Int64[Integers, "branch *shape"]:
    """``(a << 6) >> gain``: a branch's synaptic sum in the state's units; exact for gains of 0 to 6."""
    return scale_activation(activation) >> gain


def next_branch_current(
    current: Int64[Integers, "branch *shape"],
    activation: Int64[Integers, "branch *shape"],
    gain: Int64[Integers, "branch *ones"],
    i_decay: Int64[Integers, "branch *shape"],
) -> Int64[Integers, "branch *shape"]:
    """The branch currents one step on, not yet wrapped: ``decay(u_b, iDecay_b) + ((a_b << 6) >> gain_b)``."""
    return decay(current, i_decay) + scale_branch(activation, gain)


def branch_sum(current: Int64[Integers, "branch *shape"]) -> Int64[Integers, "*shape"]:
    """What the branches give the soma, not yet wrapped."""
    total: Integers = current.sum(axis=0)
    return total


def next_voltage(
    voltage: Int64[Integers, "*shape"],
    current: Int64[Integers, "*shape"],
    bias: Int64[Integers, "*shape"] | int,
    v_decay: Int64[Integers, "*shape"] | int,
) -> Int64[Integers, "*shape"]:
    """The voltage one step on: ``saturate(decay(v, vDecay) + u + bias)``; ``bias`` in the state's units."""
    return saturate(decay(voltage, v_decay) + current + bias)


def fire(voltage: Int64[Integers, "*shape"], threshold: int) -> Bool[NDArray[np.bool_], "*shape"]:
    """A neuron fires above its threshold, not at it; ``threshold`` in the state's units."""
    return voltage > threshold


def reset(voltage: Int64[Integers, "*shape"], spikes: Bool[NDArray[np.bool_], "*shape"]) -> Int64[Integers, "*shape"]:
    """A neuron that fired starts again from 0, in the same step."""
    return np.where(spikes, 0, voltage)
