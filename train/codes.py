"""The spike codes themselves: pure functions from values to spikes, each with its inverse.

Codes of single steps map (sample, feature, time) to (sample, channel, feature, time); codes of windows map the
window's value p in [0, 1] to the spikes of its steps, a new last axis. ``train.encoding`` puts them behind one
interface. All bounds are for values within [-span, span]; values outside are clipped to it first (delta has no
span).
"""

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32, Int64, UInt8
from numpy.typing import NDArray

Values = NDArray[np.float32]
Spikes = NDArray[np.uint8]
Fractions = NDArray[np.float64]

# Fixed point of the current code: the encoder neuron's threshold, and decays of 12 bits as in Lava's LIF.
CURRENT_THRESHOLD = 1 << 16
_DECAY_ONE = 1 << 12


def fraction(x: Float[Values | Fractions, "*shape"], span: float) -> Float64[Fractions, "*shape"]:
    """Where the value lies between -span (0) and span (1)."""
    return np.clip((x.astype(np.float64) + span) / (2 * span), 0, 1)


def delta(x: Float32[Values, "sample feature time"], threshold: float) -> UInt8[Spikes, "sample 2 feature time"]:
    """ON and OFF spikes where the value has crossed the next level (channel 0 ON, channel 1 OFF).

    ``on[t] = x[t] - r >= theta``, ``off[t] = r - x[t] >= theta``, ``r += theta (on[t] - off[t])``, from
    ``r = 0``, the training mean; at most one spike a step. Inverse: ``r``. Once ``|x - r| < theta`` it
    stays so while x moves by less than theta a step.

    Source: the change detector of the DVS pixel (Lichtsteiner, Posch & Delbruck, IEEE J. Solid-State Circuits
    43(2), 2008, section II); with one spike a step it is the step-forward code (Kasabov et al., Neural
    Networks 78, 2016), except that it starts from 0 and not from x[0], which the spikes could not tell.
    """
    reached = np.zeros(x.shape[:2], np.int64)
    spikes = np.empty((x.shape[0], 2, *x.shape[1:]), np.uint8)
    for step in range(x.shape[2]):
        spikes[..., step] = delta_step(x[:, :, step], reached, threshold)
    return spikes


def delta_step(
    x: Float32[Values, "sample feature"], reached: Int64[NDArray[np.int64], "sample feature"], threshold: float
) -> UInt8[Spikes, "sample 2 feature"]:
    """One step of :func:`delta`; ``reached``, the levels that r has passed, is changed."""
    # Levels are counted, not added up, so that the reference does not drift by rounding.
    distance = x.astype(np.float64) - reached * threshold
    on, off = distance >= threshold, distance <= -threshold
    reached += on
    reached -= off
    return np.stack([on, off], axis=1).astype(np.uint8)


def delta_inverse(
    spikes: UInt8[Spikes, "sample 2 feature time"], threshold: float
) -> Float32[Values, "sample feature time"]:
    """The reference that ``delta`` followed: theta times ON minus OFF spikes so far."""
    steps = spikes[:, 0].astype(np.int64) - spikes[:, 1]
    reached: NDArray[np.float64] = np.cumsum(steps, axis=-1) * threshold
    return reached.astype(np.float32)


def change(x: Float32[Values, "sample feature time"], threshold: float) -> UInt8[Spikes, "sample 2 feature time"]:
    """ON and OFF spikes where the value has moved by more than theta since the step before (channel 0 ON, 1 OFF).

    ``on[t] = x[t] - x[t-1] > theta``, ``off[t] = x[t-1] - x[t] > theta``, and no spike in step 0. Inverse: theta
    times ON minus OFF spikes so far, which knows neither where the value began nor how far beyond theta it moved.

    Source: threshold-based representation (Delbruck & Lichtsteiner, ISCAS 2007; Petro, Kasabov & Kiss, IEEE Trans.
    Neural Netw. Learn. Syst. 31(2), 2020, section II), with a threshold that is given.
    """
    previous = x[:, :, :1].copy()
    spikes = np.empty((x.shape[0], 2, *x.shape[1:]), np.uint8)
    for step in range(x.shape[2]):
        spikes[..., step] = change_step(x[:, :, step], previous[..., 0], threshold)
    return spikes


def change_step(
    x: Float32[Values, "sample feature"], previous: Float32[Values, "sample feature"], threshold: float
) -> UInt8[Spikes, "sample 2 feature"]:
    """One step of :func:`change`; ``previous``, the values of the step before, becomes this step's."""
    moved = x.astype(np.float64) - previous
    previous[...] = x
    return np.stack([moved > threshold, moved < -threshold], axis=1).astype(np.uint8)


def level_centres(levels: int, span: float) -> Float64[NDArray[np.float64], "{levels}"]:
    """Centres of ``level``'s units: evenly from -span to span; a single unit sits at 0."""
    return np.linspace(-span, span, levels) if levels > 1 else np.zeros(1)


def level(
    x: Float32[Values, "sample feature time"], levels: int, span: float
) -> UInt8[Spikes, "sample {levels} feature time"]:
    """Every step, the unit whose centre is nearest fires (one channel a unit; a tie goes to the upper one).

    ``k[t] = floor((x[t] + span) / d + 1/2)`` with the spacing ``d = 2 span / (levels - 1)``.
    Inverse: the centre of the unit that fired; error at most ``d / 2``.

    Source: population code of evenly spaced receptive fields (Bohte, Kok & La Poutre, Neurocomputing 48,
    2002, section 4.1), of which only the unit that responds first, the nearest, is let through.
    """
    if levels == 1:
        return np.ones((x.shape[0], 1, *x.shape[1:]), np.uint8)
    spacing = 2 * span / (levels - 1)
    nearest = np.clip(np.floor((x.astype(np.float64) + span) / spacing + 0.5), 0, levels - 1).astype(np.int8)
    spikes = np.empty((x.shape[0], levels, *x.shape[1:]), np.uint8)
    for unit in range(levels):
        np.equal(nearest, unit, out=spikes[:, unit].view(np.bool_))
    return spikes


def level_inverse(
    spikes: UInt8[Spikes, "sample level feature time"], span: float
) -> Float32[Values, "sample feature time"]:
    """Mean centre of the units that fired in a step; 0 where none did."""
    centres = level_centres(spikes.shape[1], span)
    fired = spikes.sum(axis=1, dtype=np.float64)
    summed: NDArray[np.float64] = np.einsum("skft,k->sft", spikes, centres)
    summed /= np.maximum(fired, 1)
    return summed.astype(np.float32)


def rate(x: Float32[Values, "sample feature time"], span: float, seed: int) -> UInt8[Spikes, "sample 1 feature time"]:
    """A spike with probability ``p[t] = clip((x[t] + span) / (2 span), 0, 1)`` in each step.

    ``s[t] = u[f, t] < p[t]``; the uniform numbers u are drawn once per feature and step from ``seed`` and
    are the same for every sample. Inverse: for a value that stays, ``2 span mean(s) - span`` is unbiased with
    standard deviation at most ``span / sqrt(time)``.

    Source: rate code as a Bernoulli process, the Poisson process of Dayan & Abbott, Theoretical Neuroscience,
    2001, section 1.4, in discrete time.
    """
    draws = np.random.default_rng(seed).random((x.shape[2], x.shape[1])).T
    return (draws < fraction(x, span))[:, None].astype(np.uint8)


def rate_inverse(spikes: UInt8[Spikes, "sample 1 feature time"], span: float) -> Float32[Values, "sample feature time"]:
    """One value a clip: its spike rate, scaled back."""
    mean = spikes[:, 0].mean(axis=-1, keepdims=True, dtype=np.float64)
    return np.broadcast_to(2 * span * mean - span, spikes[:, 0].shape).astype(np.float32)


def ttfs_window(p: Float64[Fractions, "*window"], steps: int) -> UInt8[Spikes, "*window {steps}"]:
    """One spike in ``steps`` steps, the earlier the larger p in [0, 1] is (time to first spike).

    Latency ``floor((1 - p) (steps - 1) + 1/2)``. Inverse error at most ``1 / (2 (steps - 1))`` of p, which is
    ``span / (steps - 1)`` of the window's mean; 1/2 if there is but one step.

    Source: latency code (Thorpe, Delorme & Van Rullen, Neural Networks 14, 2001), linear in the value.
    """
    latency = np.floor((1 - p) * (steps - 1) + 0.5).astype(np.int64)
    return np.equal(np.arange(steps), latency[..., None]).astype(np.uint8)


def ttfs_window_inverse(spikes: UInt8[Spikes, "*window time"]) -> Float64[Fractions, "*window"]:
    """The value p back from the latency."""
    steps = spikes.shape[-1]
    return 1 - spikes.argmax(axis=-1) / (steps - 1) if steps > 1 else np.full(spikes.shape[:-1], 0.5)


def phase_window(p: Float64[Fractions, "*window"], steps: int) -> UInt8[Spikes, "*window {steps}"]:
    """The first ``steps`` binary digits of p in [0, 1]: a spike in phase k (from 0) weighs ``2^-(k + 1)``.

    ``p = 1`` gives a spike in each. Inverse (middle of the interval): error at most ``2^-(steps + 1)`` of p,
    ``span / 2^steps`` of the window's mean.

    Source: weighted spikes, ``w(t) = 2^-(1 + mod(t - 1, K))`` (Kim, Kim, Huh, Lee & Choi, Neurocomputing 311,
    2018).
    """
    spikes = np.empty((*p.shape, steps), np.uint8)
    rest = p
    for step in range(steps):
        # Doubling and subtracting 1 are exact in binary floating point, for any number of steps.
        rest = rest * 2
        spikes[..., step] = rest >= 1
        rest = rest - spikes[..., step]
    return spikes


def phase_window_inverse(spikes: UInt8[Spikes, "*window time"]) -> Float64[Fractions, "*window"]:
    """The value p back from its digits."""
    steps = spikes.shape[-1]
    weights = 0.5 ** np.arange(1, steps + 1)
    return np.asarray(spikes @ weights + 0.5 ** (steps + 1))


def burst_window(p: Float64[Fractions, "*window"], steps: int) -> UInt8[Spikes, "*window {steps}"]:
    """``floor(p steps + 1/2)`` spikes in a row from the window's start, for p in [0, 1].

    Inverse error at most ``1 / (2 steps)`` of p, ``span / steps`` of the window's mean.

    Source: burst code, a number of spikes in proportion to the value sent in one packet (Park et al., DAC
    2019; Guo et al., Front. Neurosci. 15:638474, 2021, who round up and stretch the intervals instead).
    """
    count = np.floor(p * steps + 0.5)
    return np.less(np.arange(steps), count[..., None]).astype(np.uint8)


def burst_window_inverse(spikes: UInt8[Spikes, "*window time"]) -> Float64[Fractions, "*window"]:
    """The value p back from the number of spikes."""
    return np.asarray(spikes.mean(axis=-1, dtype=np.float64))


def current(
    x: Float32[Values, "sample feature time"], span: float, period: int
) -> UInt8[Spikes, "sample 2 feature time"]:
    """Spikes of two LIF encoder neurons a feature, driven by its positive and its negative part (ON, OFF).

    In integers, with ``theta = 2^16`` and ``q = round(4096 / period)``, so that ``period`` is the membrane's
    time constant in steps:
    ``i[t] = round(theta min(|x[t]|, span) / span)``, ``v <- floor(v (4096 - q) / 4096) + i[t]``,
    ``s[t] = v >= theta``, ``v <- v - theta s[t]``.

    Inverse: the spikes filtered by the same membrane. The reset subtracts, so what the membrane still holds
    is all that the spikes have not told: the result is within ``span (q / 4096 + 2^-15)`` of the moving average
    ``sum_k (q / 4096) (1 - q / 4096)^(t - k) x[k]``.

    Source: opponent pairs of LIF neurons and linear decoding (Eliasmith & Anderson, Neural Engineering, 2003,
    chapter 4).
    """
    spikes = np.empty((x.shape[0], 2, *x.shape[1:]), np.uint8)
    voltage = np.zeros((x.shape[0], 2, x.shape[1]), np.int32)
    for step in range(x.shape[2]):
        spikes[..., step] = current_step(x[:, :, step], voltage, span, period)
    return spikes


def current_step(
    x: Float32[Values, "sample feature"],
    voltage: Int32[NDArray[np.int32], "sample 2 feature"],
    span: float,
    period: int,
) -> UInt8[Spikes, "sample 2 feature"]:
    """One step of :func:`current`; the membranes' ``voltage`` is changed."""
    drive = np.rint(np.clip(x.astype(np.float64) / span, -1, 1) * CURRENT_THRESHOLD).astype(np.int32)
    voltage *= _DECAY_ONE - round(_DECAY_ONE / period)
    voltage >>= 12
    voltage[:, 0] += np.maximum(drive, 0)
    voltage[:, 1] += np.maximum(-drive, 0)
    fired = voltage >= CURRENT_THRESHOLD
    voltage -= fired * np.int32(CURRENT_THRESHOLD)
    return fired.astype(np.uint8)


def current_inverse(
    spikes: UInt8[Spikes, "sample 2 feature time"], span: float, period: int
) -> Float32[Values, "sample feature time"]:
    """The moving average of the values, from ON minus OFF spikes."""
    leak = round(_DECAY_ONE / period) / _DECAY_ONE
    values = np.empty(spikes[:, 0].shape, np.float32)
    state = np.zeros(values.shape[:2])
    for step in range(values.shape[2]):
        state = state * (1 - leak) + leak * span * (spikes[:, 0, :, step].astype(np.float64) - spikes[:, 1, :, step])
        values[:, :, step] = state
    return values
