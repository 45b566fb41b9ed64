"""Populations fed by sums that are there already, and by pooling, as numba kernels; see ``train.neurons.states``."""

# mypy: disable-error-code="no-untyped-def, assignment"
from typing import Any

import numba
import numpy as np

from train.neurons.states import advance, clear, fire, piece, retrace

_TILE = 16
_jit: Any = numba.njit(cache=True, parallel=True, nogil=True)


@piece
def _turn(rows, low, frames):
    """Rows (neuron, time) to frames (time, neuron) from lane ``low`` on, a few neurons at a time."""
    for first in range(0, rows.shape[0], _TILE):
        last = min(first + _TILE, rows.shape[0])
        for t in range(rows.shape[1]):
            out = frames[t]
            for neuron in range(first, last):
                out[low + neuron] = rows[neuron, t]


@piece
def _turn_back(frames, low, rows):
    """Frames (time, neuron), from lane ``low`` on, to rows (neuron, time)."""
    for first in range(0, rows.shape[0], _TILE):
        last = min(first + _TILE, rows.shape[0])
        for t in range(rows.shape[1]):
            out = frames[t]
            for neuron in range(first, last):
                rows[neuron, t] = out[low + neuron]


@piece
def _rows_forward(worker, x, pop, workers, scratch, spikes):
    neurons = x.shape[2]
    plane, volts, fired = scratch.plane[worker], scratch.volts[worker], scratch.spikes[worker]
    for sample in range(worker, x.shape[0], workers):
        for branch in range(x.shape[1]):
            _turn(x[sample, branch], branch * neurons, plane)
        advance(plane, 0, pop, volts, scratch.room[worker])
        fire(volts, pop.limit, pop.shift, fired)
        _turn_back(fired, 0, spikes[sample])


@_jit
def rows_forward(x, pop, workers, scratch, spikes):
    """Spikes (sample, neuron, time) for sums (sample, branch, neuron, time)."""
    for worker in numba.prange(workers):
        _rows_forward(np.int64(worker), x, pop, workers, scratch, spikes)


@piece
def _rows_backward(worker, x, pop, workers, scratch, grad, grad_x, sums, sums_v):
    neurons = x.shape[2]
    plane, volts, fired = scratch.plane[worker], scratch.volts[worker], scratch.spikes[worker]
    for sample in range(worker, x.shape[0], workers):
        for branch in range(x.shape[1]):
            _turn(x[sample, branch], branch * neurons, plane)
        advance(plane, 0, pop, volts, scratch.room[worker])
        _turn(grad[sample], 0, fired)
        retrace(plane, 0, pop, volts, fired, sums[sample], sums_v[sample], scratch.room[worker])
        for branch in range(x.shape[1]):
            _turn_back(plane, branch * neurons, grad_x[sample, branch])


@_jit
def rows_backward(x, pop, workers, scratch, grad, grad_x, sums, sums_v):
    """Gradient of the sums, and what every sample adds to the decays'."""
    for worker in numba.prange(workers):
        _rows_backward(np.int64(worker), x, pop, workers, scratch, grad, grad_x, sums, sums_v)


@piece
def _pool(frames, size, weight, channels, plane):
    """Weighted sums of blocks of ``size`` positions of (time, (position, channel)), the last filled up with silence."""
    positions = frames.shape[1] // channels
    for t in range(frames.shape[0]):
        row, out = frames[t], plane[t]
        clear(out)
        for position in range(positions):
            part = row[position * channels : (position + 1) * channels]
            into = out[position // size * channels : (position // size + 1) * channels]
            for channel in range(channels):
                into[channel] += part[channel]
        for lane in range(out.size):
            out[lane] *= weight


@piece
def _pool_forward(worker, x, size, weight, pop, workers, scratch, spikes):
    plane, volts = scratch.plane[worker], scratch.volts[worker]
    for sample in range(worker, x.shape[0], workers):
        _pool(x[sample], size, weight, pop.channels, plane)
        advance(plane, 0, pop, volts, scratch.room[worker])
        fire(volts, pop.limit, pop.shift, spikes[sample])


@_jit
def pool_forward(x, size, weight, pop, workers, scratch, spikes):
    """Spikes (sample, time, neuron) of a pooling layer for frames ``x``."""
    for worker in numba.prange(workers):
        _pool_forward(np.int64(worker), x, size, weight, pop, workers, scratch, spikes)


@piece
def _pool_backward(worker, x, size, weight, pop, workers, scratch, grad, grad_x, sums, sums_v):
    channels = pop.channels
    positions = x.shape[2] // channels
    plane, volts = scratch.plane[worker], scratch.volts[worker]
    for sample in range(worker, x.shape[0], workers):
        _pool(x[sample], size, weight, channels, plane)
        advance(plane, 0, pop, volts, scratch.room[worker])
        retrace(plane, 0, pop, volts, grad[sample], sums[sample], sums_v[sample], scratch.room[worker])
        for t in range(x.shape[1]):
            row, out = plane[t], grad_x[sample, t]
            for position in range(positions):
                part = row[position // size * channels : (position // size + 1) * channels]
                into = out[position * channels : (position + 1) * channels]
                for channel in range(channels):
                    into[channel] = part[channel] * weight


@_jit
def pool_backward(x, size, weight, pop, workers, scratch, grad, grad_x, sums, sums_v):
    """Gradient of a pooling layer's input, and what every sample adds to the decays'."""
    for worker in numba.prange(workers):
        _pool_backward(np.int64(worker), x, size, weight, pop, workers, scratch, grad, grad_x, sums, sums_v)
