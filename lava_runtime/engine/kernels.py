"""Numba kernels of the engine: a layer of integer neurons over samples and steps.

All states are int32: a product with a factor of at most 4096 is made in two parts, of the state's lower 12 bits and of
those above, so that it fits, and one vector instruction serves 8 or 16 neurons. That currents fit is for the caller to
see to (``lava_runtime.engine.program``). Neurons lie with the channel fastest, so that what a spike adds to is
contiguous.
"""

# mypy: disable-error-code="no-untyped-def, assignment"
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from export.limits import ACTIVATION_SHIFT, DECAY_ONE, DECAY_SHIFT, STATE_MAX
from train.vectors import prefer_wide

prefer_wide()

_jit: Any = numba.njit(cache=True, nogil=True)

Int32 = NDArray[np.int32]

# What a call counts, in this order.
SYN_OPS, SPIKES_IN, BRANCH_MAX, U_MAX, V_MAX, WRAPS, SATURATIONS = range(7)

_ACTIVATION = np.int32(ACTIVATION_SHIFT)
_SHIFT, _LOW = np.int32(DECAY_SHIFT), np.int32(DECAY_ONE - 1)
_STATE_MAX, _STATE_SPAN, _V_MAX = np.int32(STATE_MAX), np.int32(2 * STATE_MAX), np.int32(STATE_MAX - 1)
_ZERO = np.int32(0)
_ONE = np.uint64(1)
_WORD = 8
# Rows of an array that are turned at a time, few enough to stay in cache.
_TILE = 64


class Events(NamedTuple):
    """Spikes as lists: those of sample s, step t are ``index[start[i] : start[i + 1]]`` with i = s * steps + t."""

    start: NDArray[np.int64]
    index: Int32


class Synapses(NamedTuple):
    """What a spike adds, and to where: runs of weights to as many neighbouring sums.

    Input ``i`` has the runs ``runs[place[i]] .. runs[place[i] + 1]``; run r takes ``length[r]`` weights from
    ``first[i] + source[r]`` on and adds them to the sums from ``shift[i] + target[r]`` on, ``late[r]`` steps late;
    ``late`` is empty where no synapse has a delay of its own. ``fan_out`` counts the weights that are not zero.
    """

    weight: NDArray[Any]
    first: NDArray[np.int64]
    shift: NDArray[np.int64]
    place: NDArray[np.int64]
    runs: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    length: NDArray[np.int64]
    late: NDArray[np.int64]
    fan_out: NDArray[np.int64]


class Neurons(NamedTuple):
    """Parameters: what is kept of u, (row,), and v, (neuron,), in 1/4096; gains, (branch,); bias; threshold; delays.

    Rows are the neurons of the first branch, then those of the second and so on. ``delay`` has a number of steps a
    row, or is empty.
    """

    u_keep: Int32
    v_keep: Int32
    gain: Int32
    bias: Int32
    threshold: np.int32
    delay: Int32


class State(NamedTuple):
    """Of samples: ``u`` (sample, row), ``v`` (sample, neuron), ``sums`` (sample, slot, row).

    ``sums`` has one slot, what arrives at the next step, or where there are delays one for each step that is kept.
    """

    u: Int32
    v: Int32
    sums: Int32


class Probes(NamedTuple):
    """Where states go, if not empty: ``u`` (sample, step, row), ``v`` (sample, step, neuron)."""

    u: Int32
    v: Int32


@_jit
def _decayed(state, keep):
    size = np.int32(abs(state))
    high = np.int32(np.int32(size >> _SHIFT) * keep)
    low = np.int32(np.int32(np.int32(size & _LOW) * keep) >> _SHIFT)
    kept = np.int32(high + low)
    return np.int32(-kept) if state < _ZERO else kept


@_jit
def _currents(sums, u, keep, gain):
    """Step a branch's currents and use up its sums; the largest, before wrapping, and how many wrapped."""
    largest = _ZERO
    for n in range(u.size):
        raw = np.int32(_decayed(u[n], keep[n]) + np.int32(np.int32(sums[n] << _ACTIVATION) >> gain))
        largest = max(largest, np.int32(abs(raw)))
        u[n] = raw
        sums[n] = _ZERO
    return largest, _wrap(u, largest)


@_jit
def _wrap(u, largest):
    # Apart from the loop that runs always: it is rare that any has to.
    if largest < _STATE_MAX:
        return 0
    wraps = 0
    for n in range(u.size):
        raw = u[n]
        lowered = np.int32(raw - _STATE_SPAN) if raw > _STATE_MAX else raw
        u[n] = np.int32(raw + _STATE_SPAN) if lowered <= -_STATE_MAX else lowered
        wraps += u[n] != raw
    return wraps


@_jit
def _join(u, total):
    """Add up the branches of every neuron; the largest sum before wrapping, and how many wrapped."""
    for n in range(total.size):
        total[n] = np.int32(u[n] + u[total.size + n])
    for branch in range(2, u.size // total.size):
        more = u[branch * total.size : (branch + 1) * total.size]
        for n in range(total.size):
            total[n] = np.int32(total[n] + more[n])
    largest = _ZERO
    for n in range(total.size):
        largest = max(largest, np.int32(abs(total[n])))
    return largest, _wrap(total, largest)


@_jit
def _voltages(current, v, keep, bias, threshold, fired):
    """Step the voltages and say which neurons fire; the largest before saturating, and how many saturated."""
    largest, saturations = _ZERO, _ZERO
    for n in range(v.size):
        raw = np.int32(np.int32(_decayed(v[n], keep[n]) + current[n]) + bias[n])
        new = min(max(raw, np.int32(-_V_MAX)), _V_MAX)
        largest = max(largest, np.int32(abs(raw)))
        saturations = np.int32(saturations + np.int32(new != raw))
        fires = new > threshold
        v[n] = _ZERO if fires else new
        fired[n] = np.uint8(fires)
    return largest, saturations


@_jit
def _collect(fired, index, count):
    """Append the neurons that fired to a list that has room for all."""
    flags = fired.view(np.uint64)
    for word in range(flags.size):
        if flags[word]:
            for n in range(word * _WORD, word * _WORD + _WORD):
                index[count] = n
                count += fired[n]
    return count


@_jit
def _add(spikes, weight, first, shift, place, runs, source, target, length, sums):
    """Add what spikes bring: work in proportion to their number."""
    for spike in spikes:
        base, onto = first[spike], shift[spike]
        for run in range(runs[place[spike]], runs[place[spike] + 1]):
            # Unsigned, or numba would look at each index for Python's negative ones, and nothing be vectorised.
            w, a, n = np.uint64(base + source[run]), np.uint64(onto + target[run]), np.uint64(length[run])
            if n == _ONE:
                sums[a] += weight[w]
                continue
            for k in range(n):
                sums[a + k] += weight[w + k]


@_jit
def _add_late(spikes, weight, first, shift, place, runs, source, target, length, late, ring, step):
    for spike in spikes:
        base, onto = first[spike], shift[spike]
        for run in range(runs[place[spike]], runs[place[spike] + 1]):
            w, a, slot = base + source[run], onto + target[run], (step + 1 + late[run]) % ring.shape[0]
            for k in range(length[run]):
                ring[slot, a + k] += weight[w + k]


@_jit
def _count(spikes, fan_out):
    total = 0
    for spike in spikes:
        total += fan_out[spike]
    return total


@_jit
def _delayed(ring, step, delay, sums):
    """What arrives at ``step``: of every sum the one written ``delay`` steps before the last."""
    slots = ring.shape[0]
    for n in range(sums.size):
        sums[n] = ring[(step + slots - 1 - delay[n]) % slots, n]


@_jit
def _grown(index, needed):
    if needed <= index.size:
        return index
    larger = np.empty(max(needed, 2 * index.size), np.int32)
    larger[: index.size] = index
    return larger


@_jit
def run_layer(  # noqa: PLR0915  (a kernel: every call in it costs time)
    spikes, synapses, recurrent, neurons, state, begin, steps, drive, given, probes, guess
):
    """Run a layer's samples one after the other over their steps.

    Parameters
    ----------
    spikes
        :class:`Events` that arrive, or with ``drive`` none.
    synapses, recurrent
        :class:`Synapses`; without any weights where there are none.
    neurons, state
        The state is carried on in place.
    begin, steps
        First step's number since rest, and how many.
    drive
        Biases in state units by step, (sample, step, neuron), of an input population; else empty.
    given
        Sums made elsewhere, (sample, step, row), instead of ``spikes``; else empty.
    probes
        Where states are written.
    guess
        Spikes to make room for at first.

    Returns
    -------
    start, index, tally
        The layer's :class:`Events` and what was counted, int64, see ``SYN_OPS`` and the others.
    """
    weight, first, shift, place, runs, source, target, length, late, fan_out = synapses
    own_weight, own_first, own_shift, own_place, own_runs, own_source, own_target, own_length, _, own_fan_out = (
        recurrent
    )
    u_keep, v_keep, gain, own_bias, threshold, delay = neurons
    samples, size = state.v.shape
    rows, slots = state.u.shape[1], state.sums.shape[1]
    tally = np.zeros(7, np.int64)
    start = np.zeros(samples * steps + 1, np.int64)
    index = np.empty(guess + size + _WORD, np.int32)
    fired = np.zeros((size + _WORD - 1) // _WORD * _WORD, np.uint8)
    total, arriving = np.zeros(size, np.int32), np.zeros(rows, np.int32)
    driven, sums_given, recurs = drive.size > 0, given.size > 0, own_weight.size > 0
    # Delays of neurons are taken where sums are read, those of single synapses where they are written.
    delays, lates, probed = delay.size > 0, late.size > 0, probes.v.size > 0
    count = 0
    for sample in range(samples):
        u, v, ring = state.u[sample], state.v[sample], state.sums[sample]
        for t in range(steps):
            step, at = begin + t, sample * steps + t
            sums = ring[step % slots]
            if delays:
                _delayed(ring, step, delay, arriving)
                sums = arriving
            for branch in range(gain.size):
                low, high = branch * size, (branch + 1) * size
                most, over = _currents(sums[low:high], u[low:high], u_keep[low:high], gain[branch])
                tally[BRANCH_MAX], tally[WRAPS] = max(tally[BRANCH_MAX], most), tally[WRAPS] + over
            current = u
            if gain.size > 1:
                most, over = _join(u, total)
                tally[U_MAX], tally[WRAPS] = max(tally[U_MAX], most), tally[WRAPS] + over
                current = total
            bias = drive[sample, t] if driven else own_bias
            most, over = _voltages(current, v, v_keep, bias, threshold, fired)
            tally[V_MAX], tally[SATURATIONS] = max(tally[V_MAX], most), tally[SATURATIONS] + over
            if probed:
                probes.u[sample, t] = u
                probes.v[sample, t] = v
            index = _grown(index, count + size + _WORD)
            count = _collect(fired, index, count)
            start[at + 1] = count
            if driven:
                continue
            onto = ring[step % slots]
            came = spikes.index[spikes.start[at] : spikes.start[at + 1]]
            tally[SYN_OPS] += _count(came, fan_out)
            tally[SPIKES_IN] += came.size
            if lates:
                _add_late(came, weight, first, shift, place, runs, source, target, length, late, ring, step)
            elif sums_given:
                onto[:] = given[sample, t]
            else:
                if delays:
                    onto[:] = 0
                _add(came, weight, first, shift, place, runs, source, target, length, onto)
            if recurs:
                came = index[start[at] : count]
                tally[SYN_OPS] += _count(came, own_fan_out)
                tally[SPIKES_IN] += came.size
                _add(
                    came,
                    own_weight,
                    own_first,
                    own_shift,
                    own_place,
                    own_runs,
                    own_source,
                    own_target,
                    own_length,
                    onto,
                )
    tally[U_MAX] = max(tally[U_MAX], tally[BRANCH_MAX])
    return start, index[:count], tally


@_jit
def gather_events(spikes):
    """:class:`Events` of an array (sample, neuron, step) of 0 and 1."""
    samples, size, steps = spikes.shape
    start = np.zeros(samples * steps + 1, np.int64)
    index = np.empty(spikes.size // 16 + size + _WORD, np.int32)
    # A sample with time first, so that the spikes of a step are found word by word.
    frames = np.zeros((steps, (size + _WORD - 1) // _WORD * _WORD), np.uint8)
    count = 0
    for sample in range(samples):
        for first in range(0, size, _TILE):
            for t in range(steps):
                frame = frames[t]
                for n in range(first, min(first + _TILE, size)):
                    frame[n] = spikes[sample, n, t]
        for t in range(steps):
            index = _grown(index, count + size + _WORD)
            count = _collect(frames[t], index, count)
            start[sample * steps + t + 1] = count
    return start, index[:count]


@_jit
def spread_events(start, index, order, out):
    """Events to an array (sample, neuron, step) of zeros, neuron ``n`` of a list being row ``order[n]``."""
    samples, _, steps = out.shape
    for sample in range(samples):
        for t in range(steps):
            for event in range(start[sample * steps + t], start[sample * steps + t + 1]):
                out[sample, order[index[event]], t] = 1


@_jit
def fill_frames(start, index, target, out):
    """Set 1 in frames of zeros, (frame, place), where events have a spike; input ``n`` goes to ``target[n]``."""
    for at in range(out.shape[0]):
        for event in range(start[at], start[at + 1]):
            out[at, target[index[event]]] = 1


def interruptible(kernel: Any, *args: Any) -> Any:
    """Call a kernel; Ctrl-C while it runs is KeyboardInterrupt, for which numba puts a SystemError."""
    try:
        return kernel(*args)
    except SystemError as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, KeyboardInterrupt):
                raise KeyboardInterrupt from error
            cause = cause.__cause__ or cause.__context__
        raise
