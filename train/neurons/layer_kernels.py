"""Whole layers as numba kernels: weighted sums of spikes, the neurons fed by them, and the way back.

Spikes lie in frames (sample, time, neuron). A spike adds its weights to the sums of its own frame, so a layer costs
what its spikes cost, and so do the gradients of its weights; only the gradient of its input is a full product. Sums
stay in a core's cache (see ``train.neurons.states``). A worker takes every ``workers``-th group of samples; groups do
not depend on how many workers there are, so neither does any result.
"""

# mypy: disable-error-code="no-untyped-def, assignment"
from typing import Any, NamedTuple

import numba
import numpy as np

from train.neurons.states import advance, clear, copy, fire, piece, retrace

# Columns of a product that are worked on at once, and from one row of such a piece to the next: with 128 rows would
# fall on the same lines of the cache.
PIECE, PITCH = 128, 144

_jit: Any = numba.njit(cache=True, parallel=True, nogil=True)
_contracted: Any = numba.njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, no_cpython_wrapper=True, no_cfunc_wrapper=True
)


class Wiring(NamedTuple):
    """Where the spikes of an input frame go.

    Attributes
    ----------
    source
        Row of weights that an input neuron spreads, int32.
    place
        Lane of the plane where that begins, int32.
    low, width
        First lane of the population, and lanes of the plane: what lies outside is silence beyond the edges.
    """

    source: Any
    place: Any
    low: int
    width: int


class Return(NamedTuple):
    """Weights arranged for the gradient of a layer's input.

    A frame of the input's gradient is the sum, over positions and branches of the population, of products with that
    branch's weights; position ``h`` begins at lane ``h * step`` of the frame with its edges.

    Attributes
    ----------
    weight
        Shape (branch, piece, channel / 4, 4 * PITCH), zero where there is none.
    lanes
        Lanes that a piece's columns go to, int32 (branch, piece, PIECE); one after the other if ``straight``.
    widths
        Columns of every piece, int32 (branch, piece).
    straight
        See ``lanes``.
    step, edge, width
        Lanes from one position to the next, before the first of the input, and in all.
    """

    weight: Any
    lanes: Any
    widths: Any
    straight: bool
    step: int
    edge: int
    width: int


@piece
def _find(frames, events, first):
    """Indices of what is not 0, frame by frame; those of frame ``t`` begin at ``first[t]``."""
    found = 0
    for t in range(frames.shape[0]):
        first[t] = found
        row = frames[t]
        for neuron in range(row.size):
            events[found] = neuron
            found += np.intp(row[neuron] != 0)
    first[frames.shape[0]] = found


@piece
def _sum(frames, events, first, wiring, weight, plane):
    """Weighted sums of a sample's frames."""
    reach = weight.shape[1]
    for t in range(frames.shape[0]):
        row, sums = frames[t], plane[t]
        clear(sums)
        for event in range(first[t], first[t + 1]):
            neuron = events[event]
            value, weights = row[neuron], weight[wiring.source[neuron]]
            part = sums[wiring.place[neuron] : wiring.place[neuron] + reach]
            for lane in range(reach):
                part[lane] += value * weights[lane]


@piece
def _blame(frames, events, first, wiring, plane, grad_weight):
    """Add up gradients of weights from those of the sums."""
    reach = grad_weight.shape[1]
    for t in range(frames.shape[0]):
        row, sums = frames[t], plane[t]
        for event in range(first[t], first[t + 1]):
            neuron = events[event]
            value, weights = row[neuron], grad_weight[wiring.source[neuron]]
            part = sums[wiring.place[neuron] : wiring.place[neuron] + reach]
            for lane in range(reach):
                weights[lane] += value * part[lane]


@_contracted
def _product(grad, a, b, c, d, channels, weight, width, out):
    """Products of the gradients at ``a`` to ``d``, ``channels`` each, with a piece's weights: four rows of ``out``."""
    clear(out)
    for block in range(weight.shape[0]):
        at = 4 * block
        a0, b0, c0, d0 = grad[a + at], grad[b + at], grad[c + at], grad[d + at]
        a1 = b1 = c1 = d1 = a2 = b2 = c2 = d2 = a3 = b3 = c3 = d3 = np.float32(0)
        if at + 1 < channels:
            a1, b1, c1, d1 = grad[a + at + 1], grad[b + at + 1], grad[c + at + 1], grad[d + at + 1]
        if at + 2 < channels:
            a2, b2, c2, d2 = grad[a + at + 2], grad[b + at + 2], grad[c + at + 2], grad[d + at + 2]
        if at + 3 < channels:
            a3, b3, c3, d3 = grad[a + at + 3], grad[b + at + 3], grad[c + at + 3], grad[d + at + 3]
        rows = weight[block]
        for column in range(width):
            w0, w1 = rows[column], rows[column + PITCH]
            w2, w3 = rows[column + 2 * PITCH], rows[column + 3 * PITCH]
            out[column] += a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
            out[column + PITCH] += b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
            out[column + 2 * PITCH] += c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
            out[column + 3 * PITCH] += d0 * w0 + d1 * w1 + d2 * w2 + d3 * w3


@piece
def _give_back(plane, low, pop, back, frames, products, grad_x):
    """Gradient of a sample's input (time, neuron), four frames at a time."""
    steps, stride = plane.shape
    grad = plane.reshape(plane.size)
    positions = pop.keep_v.size // pop.channels
    for t in range(0, steps, 4):
        for frame in range(4):
            clear(frames[frame])
        # Beyond the last frame it is taken again, to no effect.
        a, b = t * stride, min(t + 1, steps - 1) * stride
        c, d = min(t + 2, steps - 1) * stride, min(t + 3, steps - 1) * stride
        for position in range(positions):
            for branch in range(pop.branches):
                at = low + (position * pop.branches + branch) * pop.channels
                for part in range(back.widths.shape[1]):
                    width = back.widths[branch, part]
                    weight = back.weight[branch, part]
                    _product(grad, a + at, b + at, c + at, d + at, pop.channels, weight, width, products)
                    lanes = back.lanes[branch, part]
                    for frame in range(4):
                        out = products[frame * PITCH : frame * PITCH + width]
                        into = frames[frame, position * back.step :]
                        if back.straight:
                            into = into[lanes[0] :]
                            for column in range(width):
                                into[column] += out[column]
                        else:
                            for column in range(width):
                                into[lanes[column]] += out[column]
        for frame in range(min(4, steps - t)):
            copy(frames[frame, back.edge : back.edge + grad_x.shape[1]], grad_x[t + frame])


@piece
def _forward(worker, x, wiring, weight, pop, workers, scratch, spikes):
    plane, volts = scratch.plane[worker], scratch.volts[worker]
    events, first = scratch.events[worker], scratch.first[worker]
    for sample in range(worker, x.shape[0], workers):
        _find(x[sample], events, first)
        _sum(x[sample], events, first, wiring, weight, plane)
        advance(plane, wiring.low, pop, volts, scratch.room[worker])
        fire(volts, pop.limit, pop.shift, spikes[sample])


@_jit
def layer_forward(x, wiring, weight, pop, workers, scratch, spikes):
    """Spikes (sample, time, neuron) of a layer, for frames ``x`` (sample, time, input)."""
    for worker in numba.prange(workers):
        _forward(np.int64(worker), x, wiring, weight, pop, workers, scratch, spikes)


@piece
def _backward(worker, x, wiring, weight, pop, workers, scratch, grad, back, wanted, grad_x, grad_weight, sums, sums_v):
    groups = grad_weight.shape[0]
    lanes = pop.keep.size
    plane, volts, room = scratch.plane[worker], scratch.volts[worker], scratch.room[worker]
    events, first = scratch.events[worker], scratch.first[worker]
    for group in range(worker, groups, workers):
        for row in range(grad_weight.shape[1]):
            clear(grad_weight[group, row])
        for sample in range(group * x.shape[0] // groups, (group + 1) * x.shape[0] // groups):
            _find(x[sample], events, first)
            _sum(x[sample], events, first, wiring, weight, plane)
            advance(plane, wiring.low, pop, volts, room)
            retrace(plane, wiring.low, pop, volts, grad[sample], sums[sample], sums_v[sample], room)
            for t in range(plane.shape[0]):
                clear(plane[t, : wiring.low])
                clear(plane[t, wiring.low + lanes :])
            _blame(x[sample], events, first, wiring, plane, grad_weight[group])
            if wanted:
                products, frames = scratch.products[worker], scratch.frames[worker]
                _give_back(plane, wiring.low, pop, back, frames, products, grad_x[sample])


@_jit
def layer_backward(x, wiring, weight, pop, workers, scratch, grad, back, wanted, grad_x, grad_weight, sums, sums_v):
    """Gradients of a layer's input (if ``wanted``), of its weights (group, row, lane), and decays' sums a sample."""
    for worker in numba.prange(workers):
        _backward(
            worker, x, wiring, weight, pop, workers, scratch, grad, back, wanted, grad_x, grad_weight, sums, sums_v
        )
