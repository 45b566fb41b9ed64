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
def _exponential(x):
    """exp(x) for x <= 0 to 1e-13: a series of x / 256, squared eight times, without a branch or a table."""
    x = max(x, -80.0) * (1.0 / 256.0)
    y = 1.0 + x * (1.0 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x * (1 / 5040)))))))
    y = y * y
    y = y * y
    y = y * y
    y = y * y
    y = y * y
    y = y * y
    y = y * y
    return y * y


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


@_jit
def cuba_forward(x, u_factor, u_span, v_factor, v_span, scale, limit, shift, u, v, s):
    """Current, voltage before reset (both (block, time, lane)), and spikes, these ``shift`` steps late."""
    for block in numba.prange(u.shape[0]):
        tile = np.empty((x.shape[1], LANES), np.float32)
        keep = np.empty(LANES, np.float64)
        _gather(x, block, tile)
        _lanes(u_factor, block, u_span, keep)
        _integrate(tile, keep, np.zeros(LANES, np.float64), scale, np.float32(-1), u[block])
        _lanes(v_factor, block, v_span, keep)
        # SLAYER, too, hands the current on as float32.
        _integrate(u[block], keep, np.zeros(LANES, np.float64), scale, limit, v[block])
        for t in range(x.shape[1]):
            for lane in range(LANES):
                tile[t, lane] = np.float32(scale * v[block, t, lane] >= limit)
        _scatter(tile, block, shift, s)


@_jit
def cuba_backward(grad, u, v, u_factor, u_span, v_factor, v_span, threshold, tau, rho, shift, grad_x, sums):
    """Back through spike, voltage and current."""
    height = rho / np.float32(2) / tau
    steps = grad.shape[1]
    for block in numba.prange(u.shape[0]):
        tile = np.zeros((steps, LANES), np.float32)
        keep = np.empty(LANES, np.float32)
        total = np.zeros(LANES, np.float64)
        _gather(grad[:, shift:], block, tile)
        for t in range(steps):
            for lane in range(LANES):
                distance = abs(v[block, t, lane] - threshold) / tau
                tile[t, lane] *= np.float32(height * _exponential(-np.float64(distance)))
        _lanes(v_factor, block, v_span, keep)
        _unroll(tile, v[block], keep, total)
        sums[1, block * LANES : (block + 1) * LANES] = total
        total[:] = 0
        _lanes(u_factor, block, u_span, keep)
        _unroll(tile, u[block], keep, total)
        sums[0, block * LANES : (block + 1) * LANES] = total
        _scatter(tile, block, 0, grad_x)
