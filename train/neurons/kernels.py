"""Numba kernels behind ``train.neurons.dynamics``: arrays in, arrays out, nothing of torch.

Rows are (sample, channel, position) flattened, so the decay of row ``r`` is entry ``r // span``
modulo the number of decays.
"""

import math
from typing import Any

import numba
import numpy as np

_jit: Any = numba.njit(cache=True, parallel=True, nogil=True)
_inline: Any = numba.njit(cache=True, nogil=True, inline="always")


@_inline
def _leak(state: int, factor: int) -> int:
    """``state * factor / 4096`` towards zero."""
    product = state * factor
    return product >> 12 if product >= 0 else -((-product) >> 12)


@_jit
def leaky_forward(x, factor, span, start, scale, limit, y):  # type: ignore[no-untyped-def]
    """Integrate rows of ``x`` into ``y``; a positive ``limit`` resets the state that reaches it."""
    for row in numba.prange(x.shape[0]):
        keep = factor[(row // span) % factor.size]
        state = start[row]
        for t in range(x.shape[1]):
            state = _leak(state, keep) + np.int64(scale * x[row, t])
            y[row, t] = np.float32(state) / scale
            if limit > 0 and np.float32(state) >= limit:
                state = np.int64(0)


@_jit
def leaky_backward(grad, y, factor, span, grad_x, sums):  # type: ignore[no-untyped-def]
    """Gradient of the input, and each row's share of the decay's."""
    for row in numba.prange(grad.shape[0]):
        keep = factor[(row // span) % factor.size]
        held = np.float32(0)
        total = 0.0
        for t in range(grad.shape[1] - 1, -1, -1):
            held = keep * held + grad[row, t]
            grad_x[row, t] = held
            if t > 0:
                total += np.float64(held * y[row, t - 1])
        sums[row] = total


@_jit
def cuba_forward(x, u_factor, u_span, v_factor, v_span, scale, limit, shift, u, v, s):  # type: ignore[no-untyped-def]
    """Current, voltage (before reset) and spikes, these ``shift`` steps late."""
    steps = x.shape[1]
    for row in numba.prange(x.shape[0]):
        u_keep = u_factor[(row // u_span) % u_factor.size]
        v_keep = v_factor[(row // v_span) % v_factor.size]
        current = np.int64(0)
        voltage = np.int64(0)
        for t in range(min(shift, steps)):
            s[row, t] = 0
        for t in range(steps):
            current = _leak(current, u_keep) + np.int64(scale * x[row, t])
            u[row, t] = np.float32(current) / scale
            # SLAYER hands the current on as float32.
            voltage = _leak(voltage, v_keep) + np.int64(scale * u[row, t])
            v[row, t] = np.float32(voltage) / scale
            fires = np.float32(voltage) >= limit
            if t + shift < steps:
                s[row, t + shift] = np.float32(fires)
            if fires:
                voltage = np.int64(0)


@_jit
def cuba_backward(  # type: ignore[no-untyped-def]
    grad, u, v, u_factor, u_span, v_factor, v_span, threshold, tau, rho, shift, grad_x, sums
):
    """Surrogate, voltage and current in one sweep backwards in time."""
    steps = grad.shape[1]
    height = rho / np.float32(2) / tau
    for row in numba.prange(grad.shape[0]):
        u_keep = u_factor[(row // u_span) % u_factor.size]
        v_keep = v_factor[(row // v_span) % v_factor.size]
        u_held = np.float32(0)
        v_held = np.float32(0)
        u_total = 0.0
        v_total = 0.0
        for t in range(steps - 1, -1, -1):
            slope = np.float32(0)
            if t + shift < steps:
                slope = height * math.exp(-abs(v[row, t] - threshold) / tau) * grad[row, t + shift]
            v_held = v_keep * v_held + slope
            u_held = u_keep * u_held + v_held
            grad_x[row, t] = u_held
            if t > 0:
                v_total += np.float64(v_held * v[row, t - 1])
                u_total += np.float64(u_held * u[row, t - 1])
        sums[0, row] = u_total
        sums[1, row] = v_total
