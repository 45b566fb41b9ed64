"""Numba kernels of single parts, arrays in and arrays out: one leaky integrator, and a convolution's columns.

A row is one neuron of one sample, rows being (sample, channel, position) flattened, so the decay of
row ``r`` is entry ``(r // span) % count``. Rows go by blocks of ``LANES``, time within a block first, so
that the loop over lanes becomes vector instructions.

States are whole numbers in float64: a state times a factor of at most 4096 is exact below 2^53, and
so is its truncation, which makes this the integer arithmetic of SLAYER (int64) and of the chip (24 bit).
"""

# mypy: disable-error-code="no-untyped-def, assignment"
from typing import Any

import numba
import numpy as np

from train.vectors import prefer_wide

prefer_wide()

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
