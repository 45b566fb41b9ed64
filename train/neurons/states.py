"""A population's states over time, forwards and backwards: numba pieces that the kernels of layers share.

A sample of a population lies in a *plane* (time, lane), one frame after the other, lanes being (position, branch,
channel) with the channel fastest, so that loops over lanes become vector instructions. Going forward the plane holds
weighted sums and then the branches' currents; going backward the gradient of the sums. Nothing of a population's
course is kept between the two: the backward pass runs the forward one again, which costs less than memory does.

States are whole numbers (SLAYER's int64, the chip's 24 bit). They fit 32 bits where ``_fits`` says so, which is
always but for absurd weights; what does not fit goes the slow way, in float64: exact below 2^53 / 4096.
"""

# mypy: disable-error-code="no-untyped-def, assignment"
from typing import Any, NamedTuple

import numba
import numpy as np

from train.vectors import prefer_wide

prefer_wide()

# Pieces are called by kernels alone, and cost half as much to compile without a way in from Python.
piece: Any = numba.njit(cache=True, nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
_inlined: Any = numba.njit(cache=True, nogil=True, inline="always")

_ROOM = float(1 << 30)


class Population(NamedTuple):
    """What all samples of a population share; arrays have an entry a lane, those ending in ``_v`` one a neuron.

    Attributes
    ----------
    channels, branches
        How lanes and neurons lie: lanes (position, branch, channel), neurons (position, channel).
    keep, keep_v
        ``4096 - decay``, int32.
    factor
        Whole state of an input of 1: gain times scale, float32.
    reach, reach_v
        The largest current an input of at most 1 can lead to, as a whole state; the largest voltage for currents of 1.
    scale, whole
        Whole state of a voltage of 1; whether it is a power of two.
    limit
        Threshold as a state, float32.
    fade, fade_v
        ``1 - decay / 4096``, float32.
    gain
        Of the lane's branch, float32.
    threshold, tau, height
        Of the surrogate gradient ``height * exp(-|v - threshold| / tau)``, float32.
    learns
        Whether decays want gradients.
    shift
        Steps that spikes are late.
    """

    channels: int
    branches: int
    keep: Any
    keep_v: Any
    factor: Any
    reach: Any
    reach_v: float
    scale: Any
    whole: bool
    limit: Any
    fade: Any
    fade_v: Any
    gain: Any
    threshold: Any
    tau: Any
    height: Any
    learns: bool
    shift: int


@_inlined
def _decayed(state, keep):
    """``tz(state * keep / 4096)`` in 32 bits, for 0 <= keep <= 4096.

    The upper bits' product is whole; that of the lower 12 is rounded down, or up where the state is negative.
    """
    upward = np.int32(np.int32(state >> 31) & 4095)
    low = np.int32(np.int32(state & 4095) * keep)
    return np.int32(np.int32(np.int32(state >> 12) * keep) + np.int32(np.int32(low + upward) >> 12))


@piece
def clear(row):
    """Zeros; compiled, a loop is a tenth of an assignment to a slice."""
    for lane in range(row.size):
        row[lane] = 0


@piece
def copy(row, into):
    """A row as it is, into another of its size."""
    for lane in range(into.size):
        into[lane] = row[lane]


@piece
def _currents(row, keep, factor, state):
    for lane in range(row.size):
        new = np.int32(_decayed(state[lane], keep[lane]) + np.int32(factor[lane] * row[lane]))
        state[lane] = new
        row[lane] = np.float32(new)


@piece
def _voltages(row, keep, limit, state, volts):
    for lane in range(volts.size):
        new = np.int32(_decayed(state[lane], keep[lane]) + np.int32(row[lane]))
        now = np.float32(new)
        volts[lane] = now
        state[lane] = np.int32(0) if now >= limit else new


@piece
def _add_branches(row, channels, branches, total):
    """Sum of the branches' currents, in float32 and branch by branch as SLAYER hands them on."""
    for position in range(total.size // channels):
        at = total[position * channels : (position + 1) * channels]
        first = position * branches * channels
        copy(row[first : first + channels], at)
        for branch in range(1, branches):
            part = row[first + branch * channels : first + (branch + 1) * channels]
            for lane in range(channels):
                at[lane] += part[lane]


@piece
def _fits(plane, low, pop, top):
    """Whether all states stay within 30 bits: inputs' largest size, times what a leaky sum can make of it."""
    clear(top)
    for t in range(plane.shape[0]):
        # As whole numbers, floats' bits without the sign are in the floats' order, with NaN above all.
        bits = plane[t, low : low + top.size].view(np.int32)
        for lane in range(top.size):
            top[lane] = max(top[lane], np.int32(bits[lane] & 0x7FFFFFFF))
    sizes, largest = top.view(np.float32), np.float32(0)
    for lane in range(top.size):
        size = sizes[lane] * pop.reach[lane]
        if not size < _ROOM:
            return False
        largest = max(largest, size)
    return largest * pop.branches * pop.reach_v < _ROOM


@piece
def _advance_wide(plane, low, pop, volts):
    """As ``advance``, in float64 and for any scale."""
    u, v = np.zeros(pop.keep.size), np.zeros(pop.keep_v.size)
    total = np.empty(v.size, np.float32)
    for t in range(plane.shape[0]):
        clear(total)
        for lane in range(u.size):
            x = np.float32(pop.factor[lane] * plane[t, low + lane])
            u[lane] = np.trunc(u[lane] * pop.keep[lane] * (1.0 / 4096.0)) + np.trunc(np.float64(x))
            plane[t, low + lane] = np.float32(u[lane])
            position = lane // (pop.branches * pop.channels)
            total[position * pop.channels + lane % pop.channels] += np.float32(u[lane]) / pop.scale
        for lane in range(v.size):
            x = np.trunc(np.float64(pop.scale * total[lane]))
            new = np.trunc(v[lane] * pop.keep_v[lane] * (1.0 / 4096.0)) + x
            volts[t, lane] = pop.scale * (np.float32(new) / pop.scale)
            v[lane] = 0.0 if np.float32(new) >= pop.limit else new


@piece
def advance(plane, low, pop, volts, room):
    """Run a population from rest: sums in ``plane`` become currents; ``volts`` (time, neuron) takes the voltages.

    Currents and voltages, those before the reset, are given as whole states. The population's lanes begin at ``low``;
    ``room`` is scratch, int32 (3, lane).
    """
    lanes, neurons = pop.keep.size, pop.keep_v.size
    if not (pop.whole and _fits(plane, low, pop, room[0, :lanes])):
        _advance_wide(plane, low, pop, volts)
        return
    u, v, total = room[0, :lanes], room[1, :neurons], room[2, :neurons].view(np.float32)
    clear(u)
    clear(v)
    for t in range(plane.shape[0]):
        row = plane[t, low : low + lanes]
        _currents(row, pop.keep, pop.factor, u)
        if pop.branches > 1:
            _add_branches(row, pop.channels, pop.branches, total)
            row = total
        _voltages(row, pop.keep_v, pop.limit, v, volts[t])


@piece
def fire(volts, limit, shift, spikes):
    """Spikes (time, neuron) of voltages, ``shift`` steps late."""
    steps = spikes.shape[0]
    for t in range(min(shift, steps)):
        clear(spikes[t])
    for t in range(steps - shift):
        now, out = volts[t], spikes[t + shift]
        for lane in range(now.size):
            out[lane] = np.float32(now[lane] >= limit)


@piece
def _surrogate(volts, pop, grad, fresh, power):
    """``grad`` times the surrogate's slope at the voltages of one frame.

    exp(x) = 2^n exp(x - n ln 2), the second factor a series to 1e-7 and the first the bits of a float32;
    ``power`` is room for those.
    """
    unit, inverse = np.float32(1) / pop.scale, np.float32(-1) / pop.tau
    for lane in range(fresh.size):
        x = max(np.float32(abs(volts[lane] * unit - pop.threshold) * inverse), np.float32(-87))
        n = np.floor(x * np.float32(1.4426950408889634) + np.float32(0.5))
        # ln 2 in two parts, the first exact in products with n.
        x = (x - n * np.float32(0.693359375)) + n * np.float32(2.12194440e-4)
        y = np.float32(1 / 720) * x + np.float32(1 / 120)
        y = y * x + np.float32(1 / 24)
        y = y * x + np.float32(1 / 6)
        y = y * x + np.float32(1 / 2)
        y = (y * x + np.float32(1)) * x + np.float32(1)
        power[lane] = (np.int32(n) + np.int32(127)) << np.int32(23)
        fresh[lane] = y * pop.height
    factor = power.view(np.float32)
    for lane in range(fresh.size):
        fresh[lane] *= grad[lane] * factor[lane]


@piece
def _unroll(grad, fade, fresh):
    for lane in range(grad.size):
        grad[lane] = fresh[lane] + fade[lane] * grad[lane]


@piece
def _share(grad, state, unit, sums):
    """What the gradient of a state that came of ``state`` adds to its decay's."""
    for lane in range(grad.size):
        sums[lane] += np.float64(grad[lane] * (state[lane] * unit))


@piece
def _spread(part, channels, branches, row):
    """The soma's gradient (position, channel) for every branch."""
    for position in range(part.size // channels):
        at = part[position * channels : (position + 1) * channels]
        for branch in range(position * branches, (position + 1) * branches):
            copy(at, row[branch * channels : (branch + 1) * channels])


@piece
def _emit(grad, gain, row):
    for lane in range(grad.size):
        row[lane] = gain[lane] * grad[lane]


@piece
def retrace(plane, low, pop, volts, grad, sums, sums_v, room):
    """Back through spike, voltage and currents: ``plane``, with currents, becomes the gradient of its sums.

    The gradient runs through the leaky chain as if no spike had reset it, as SLAYER's does. ``grad`` (time, neuron)
    is that of the spikes; ``sums`` and ``sums_v``, float64, take what each lane and neuron adds to its decay's
    gradient; ``room`` is scratch, int32 (5, lane).
    """
    lanes, neurons, steps = pop.keep.size, pop.keep_v.size, plane.shape[0]
    real = room.view(np.float32)
    u, spread, v, fresh, power = (
        real[0, :lanes],
        real[1, :lanes],
        real[2, :neurons],
        real[3, :neurons],
        room[4, :neurons],
    )
    clear(u)
    clear(v)
    clear(sums)
    clear(sums_v)
    unit = np.float32(1) / pop.scale
    for t in range(steps - 1, -1, -1):
        row = plane[t, low : low + lanes]
        if pop.learns:
            _share(v, volts[t], unit, sums_v)
            _share(u, row, unit, sums)
        if t + pop.shift < steps:
            _surrogate(volts[t], pop, grad[t + pop.shift], fresh, power)
        else:
            clear(fresh)
        _unroll(v, pop.fade_v, fresh)
        if pop.branches > 1:
            _spread(v, pop.channels, pop.branches, spread)
            _unroll(u, pop.fade, spread)
        else:
            _unroll(u, pop.fade, v)
        _emit(u, pop.gain, row)
