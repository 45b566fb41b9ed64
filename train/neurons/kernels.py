"""Numba kernels behind ``train.neurons.dynamics``: arrays in, arrays out, nothing of torch.

A row is one neuron of one sample, rows being (sample, channel, position) flattened, so the decay of
row ``r`` is entry ``(r // span) % count``. Rows go by blocks of ``LANES``, time within a block first, so
that the loop over lanes becomes vector instructions; what only the backward pass reads (current and
voltage) stays in that blocked layout (block, time, lane).

States are whole numbers in float64: a state times a factor of at most 4096 is exact below 2^53, and
so is its truncation, which makes this the integer arithmetic of SLAYER (int64) and of the chip (24 bit).
"""

# mypy: disable-error-code="no-untyped-def, assignment"
from typing import Any

import numba
import numpy as np

LANES = 32

_jit: Any = numba.njit(cache=True, parallel=True, nogil=True)
_piece: Any = numba.njit(cache=True, nogil=True)


@_piece
def blocks_of(rows):
    """Blocks that ``rows`` rows fill, the last perhaps in part."""
    return (rows + LANES - 1) // LANES


@_piece
def _gather(rows, block, tile):
    """Rows of a block to a tile (time, lane), silence where there is no row."""
    first = block * LANES
    for lane in range(LANES):
        if first + lane < rows.shape[0]:
            for t in range(rows.shape[1]):
                tile[t, lane] = rows[first + lane, t]
        else:
            tile[:, lane] = 0


@_piece
def _scatter(tile, block, shift, rows):
    """A tile (time, lane) to the rows of a block, ``shift`` steps late."""
    first = block * LANES
    steps = rows.shape[1]
    for lane in range(min(LANES, rows.shape[0] - first)):
        rows[first + lane, : min(shift, steps)] = 0
        for t in range(steps - shift):
            rows[first + lane, t + shift] = tile[t, lane]


@_piece
def _lanes(values, block, span, out):
    for lane in range(LANES):
        out[lane] = values[((block * LANES + lane) // span) % values.size]


@_piece
def _surrogate(v, threshold, tau, height, grad, power):
    """Multiply ``grad`` by ``height * exp(-|v - threshold| / tau)``, in place over a tile.

    exp(x) = 2^n exp(x - n ln 2), the second factor a series to 1e-7 and the first the bits of a float32;
    ``power`` is room for those, int32 (lane,).
    """
    inverse = np.float32(-1) / tau
    factor = power.view(np.float32)
    for t in range(grad.shape[0]):
        now, voltage = grad[t], v[t]
        for lane in range(LANES):
            x = max(np.float32(abs(voltage[lane] - threshold) * inverse), np.float32(-87))
            n = np.floor(x * np.float32(1.4426950408889634) + np.float32(0.5))
            # ln 2 in two parts, the first exact in products with n.
            x = (x - n * np.float32(0.693359375)) + n * np.float32(2.12194440e-4)
            y = np.float32(1 / 720) * x + np.float32(1 / 120)
            y = y * x + np.float32(1 / 24)
            y = y * x + np.float32(1 / 6)
            y = y * x + np.float32(1 / 2)
            y = (y * x + np.float32(1)) * x + np.float32(1)
            power[lane] = (np.int32(n) + np.int32(127)) << np.int32(23)
            now[lane] *= y * height
        for lane in range(LANES):
            now[lane] *= factor[lane]


@_piece
def _integrate(x, keep, state, scale, limit, y):
    """One leaky integrator over a tile; a positive ``limit`` resets the state that reaches it."""
    resets = limit > 0
    for t in range(x.shape[0]):
        for lane in range(LANES):
            new = np.trunc(state[lane] * keep[lane] * (1.0 / 4096.0)) + np.trunc(np.float64(scale * x[t, lane]))
            y[t, lane] = np.float32(new) / scale
            state[lane] = 0.0 if resets and np.float32(new) >= limit else new


@_piece
def _unroll(grad, y, keep, total):
    """Backwards through one leaky integrator, in place over a tile, adding up the decay's gradient."""
    # Two short loops, since LLVM leaves one over so many arrays scalar.
    for t in range(grad.shape[0] - 2, -1, -1):
        now, later, before = grad[t], grad[t + 1], y[t]
        for lane in range(LANES):
            now[lane] += keep[lane] * later[lane]
        for lane in range(LANES):
            total[lane] += np.float64(later[lane] * before[lane])


@_jit
def leaky_forward(x, factor, span, start, scale, limit, y):
    """Integrate rows of ``x`` from the whole states ``start`` into ``y``."""
    for block in numba.prange(blocks_of(x.shape[0])):
        tile = np.empty((x.shape[1], LANES), np.float32)
        out = np.empty((x.shape[1], LANES), np.float32)
        keep = np.empty(LANES, np.float64)
        state = np.zeros(LANES, np.float64)
        _gather(x, block, tile)
        _lanes(factor, block, span, keep)
        for lane in range(min(LANES, x.shape[0] - block * LANES)):
            state[lane] = start[block * LANES + lane]
        _integrate(tile, keep, state, scale, limit, out)
        _scatter(out, block, 0, y)


@_jit
def leaky_backward(grad, y, factor, span, grad_x, sums):
    """Gradient of the input, and each row's share of the decay's."""
    for block in numba.prange(blocks_of(grad.shape[0])):
        tile = np.empty((grad.shape[1], LANES), np.float32)
        outputs = np.empty((grad.shape[1], LANES), np.float32)
        keep = np.empty(LANES, np.float32)
        total = np.zeros(LANES, np.float64)
        _gather(grad, block, tile)
        _gather(y, block, outputs)
        _lanes(factor, block, span, keep)
        _unroll(tile, outputs, keep, total)
        _scatter(tile, block, 0, grad_x)
        sums[block * LANES : (block + 1) * LANES] = total


@_piece
def _gather_branch(x, branch, block, gain, tile):
    """``gain`` times the input of one branch, from (sample, branch, neuron, time), to a tile (time, lane)."""
    first, neurons = block * LANES, x.shape[2]
    for lane in range(LANES):
        if first + lane < x.shape[0] * neurons:
            row = x[(first + lane) // neurons, branch, (first + lane) % neurons]
            for t in range(x.shape[3]):
                tile[t, lane] = gain * row[t]
        else:
            tile[:, lane] = 0


@_piece
def _scatter_branch(tile, branch, block, gain, x):
    first, neurons = block * LANES, x.shape[2]
    for lane in range(min(LANES, x.shape[0] * neurons - first)):
        row = x[(first + lane) // neurons, branch, (first + lane) % neurons]
        for t in range(x.shape[3]):
            row[t] = gain * tile[t, lane]


@_jit
def neuron_forward(x, u_factor, u_span, gain, v_factor, v_span, scale, limit, shift, u, v, s):
    """Currents of branches (block, branch, time, lane), voltage before reset (block, time, lane), and spikes.

    The spikes come ``shift`` steps late. ``x`` has shape (sample, branch, neuron, time), ``u_factor`` and ``gain``
    have a row a branch; a neuron without dendrites has one.
    """
    branches = x.shape[1]
    for block in numba.prange(v.shape[0]):
        tile = np.empty((x.shape[3], LANES), np.float32)
        keep = np.empty(LANES, np.float64)
        for branch in range(branches):
            _gather_branch(x, branch, block, gain[branch], tile)
            _lanes(u_factor[branch], block, u_span, keep)
            _integrate(tile, keep, np.zeros(LANES, np.float64), scale, np.float32(-1), u[block, branch])
        # SLAYER, too, hands the current on as float32; sums of whole states below 2^24 are exact in it.
        total = u[block, 0]
        if branches > 1:
            tile[:] = total
            for branch in range(1, branches):
                tile += u[block, branch]
            total = tile
        _lanes(v_factor, block, v_span, keep)
        _integrate(total, keep, np.zeros(LANES, np.float64), scale, limit, v[block])
        for t in range(x.shape[3]):
            for lane in range(LANES):
                tile[t, lane] = np.float32(scale * v[block, t, lane] >= limit)
        _scatter(tile, block, shift, s)


@_jit
def neuron_backward(
    grad, u, v, u_factor, u_span, gain, v_factor, v_span, threshold, tau, rho, shift, grad_x, u_sums, v_sums
):
    """Back through spike, voltage and every branch's current, to the input's gradient and the decays' sums a row."""
    height = rho / np.float32(2) / tau
    steps = grad.shape[1]
    for block in numba.prange(v.shape[0]):
        tile = np.zeros((steps, LANES), np.float32)
        part = np.empty((steps, LANES), np.float32)
        keep = np.empty(LANES, np.float32)
        total = np.zeros(LANES, np.float64)
        _gather(grad[:, shift:], block, tile)
        _surrogate(v[block], threshold, tau, height, tile, np.empty(LANES, np.int32))
        _lanes(v_factor, block, v_span, keep)
        _unroll(tile, v[block], keep, total)
        v_sums[block * LANES : (block + 1) * LANES] = total
        for branch in range(u.shape[1]):
            part[:] = tile
            total[:] = 0
            _lanes(u_factor[branch], block, u_span, keep)
            _unroll(part, u[block, branch], keep, total)
            u_sums[branch, block * LANES : (block + 1) * LANES] = total
            _scatter_branch(part, branch, block, gain[branch], grad_x)


@_jit
def columns_forward(x, rows, kernel, stride, padding, dilation, y):
    """Columns of a convolution along the height, (sample, row, height out, time), from (sample, channel, height, time).

    Row ``channel * kernel + k`` of the input is what the kernel's entry k sees of a channel; ``rows`` says which
    of them stand in the columns, in what order, -1 being silence.
    """
    for index in numba.prange(x.shape[0] * rows.size):
        sample, row = index // rows.size, index % rows.size
        out = y[sample, row]
        if rows[row] < 0:
            out[:] = 0
            continue
        channel, first = rows[row] // kernel, (rows[row] % kernel) * dilation - padding
        for to in range(out.shape[0]):
            at = to * stride + first
            if 0 <= at < x.shape[2]:
                out[to] = x[sample, channel, at]
            else:
                out[to] = 0


@_jit
def columns_backward(grad, rows, kernel, stride, padding, dilation, grad_x):
    """Gradients of columns, each added to what it was taken from, in the order of ``rows``."""
    for sample in numba.prange(grad.shape[0]):
        grad_x[sample] = 0
        for row in range(rows.size):
            if rows[row] >= 0:
                channel, first = rows[row] // kernel, (rows[row] % kernel) * dilation - padding
                for to in range(grad.shape[2]):
                    at = to * stride + first
                    if 0 <= at < grad_x.shape[2]:
                        grad_x[sample, channel, at] += grad[sample, row, to]


@_jit
def pool_forward(x, size, weight, y):
    """Weighted sums over ``size`` rows of (group, row, time), with silence after the last row."""
    for group in numba.prange(x.shape[0]):
        for to in range(y.shape[1]):
            out = y[group, to]
            out[:] = x[group, to * size]
            for row in range(to * size + 1, min((to + 1) * size, x.shape[1])):
                out += x[group, row]
            out *= weight


@_jit
def pool_backward(grad, size, weight, grad_x):
    """The gradient of every row is that of its block."""
    for group in numba.prange(grad.shape[0]):
        for row in range(grad_x.shape[1]):
            grad_x[group, row] = grad[group, row // size] * weight
