"""Noise for recordings, made or taken from other recordings, mixed in at an exact signal-to-noise ratio."""

import difflib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.fft
from jaxtyping import Float32, Float64
from numpy.typing import NDArray

from train.config_checks import ALL_NOISES
from train.errors import CallError, MaestroError

# Pink and brown noise begin where hearing does; over 75 s, more than half of pink's power would lie below otherwise.
PINK_LOW_HZ = 20.0
# Mains (IEC 60196), and the highest frequency up to which their harmonics are heard.
MAINS_HZ = (50, 60)
HUM_HIGH_HZ = 2000.0
# Recordings heard at once in babble, where the pool has as many.
VOICES = 6
# Places tried in a recording of the pool before it is called silent.
_TRIES = 100

Samples = NDArray[np.floating[Any]]


def make_noise(
    kind: str, samples: int, sample_rate_hz: int, seed: Sequence[int], pool: Sequence[Samples] = ()
) -> Float32[NDArray[np.float32], "{samples}"]:
    """Noise of mean power near 1; `mix` sets its level.

    White: every frequency has the same power. Pink: a power of 1/f from 20 Hz up to the Nyquist frequency, 3 dB less
    each octave. Brown: a power of 1/f^2 there, 6 dB less each octave. Hum: 50 or 60 Hz and its harmonics up to 2 kHz,
    whose amplitudes fall as 1/n, each varied by some decibels. Babble: up to 6 recordings of the pool at once, each
    from a place of its own (and from its beginning again at its end) and of the same power. Folder: one of the pool,
    likewise.

    Parameters
    ----------
    kind
        'white', 'pink', 'brown', 'hum', 'babble' or 'folder'.
    samples
        How many.
    sample_rate_hz
        Their rate.
    seed
        Whole numbers, 0 or more, which decide the noise together with the kind.
    pool : each of shape (sample,)
        Recordings that babble is made of, or the user's own noise, at the same rate. Only those heard are asked for.

    Returns
    -------
    NDArray[np.float32], shape (sample,)

    Raises
    ------
    CallError
        Another kind, fewer than one sample, or a negative seed.
    MaestroError
        Babble or a folder's noise of an empty pool, or of one with a silent recording.
    """
    check_kind(kind)
    if samples < 1:
        raise CallError("noise", f"of {samples} samples", allowed="at least 1")
    if min(seed, default=0) < 0:
        raise CallError("noise", f"has the seed {tuple(seed)}", allowed="0 or more")
    rng = np.random.default_rng([*seed, 1 + ALL_NOISES.index(kind)])
    if kind == "white":
        return rng.standard_normal(samples, np.float32)
    if kind == "pink":
        return _coloured(samples, sample_rate_hz, rng, np.sqrt)
    if kind == "brown":
        return _coloured(samples, sample_rate_hz, rng, np.positive)
    if kind == "hum":
        return _hum(samples, sample_rate_hz, rng)
    return _from_pool(kind, samples, pool, rng, VOICES if kind == "babble" else 1)


def check_kind(kind: str) -> None:
    """Refuse a kind of noise that is not known.

    Raises
    ------
    CallError
        With a suggestion.
    """
    if kind not in ALL_NOISES:
        close = difflib.get_close_matches(kind, ALL_NOISES, n=1)
        cure = f"did you mean {close[0]!r}?" if close else ""
        raise CallError("noise", f"of the kind {kind!r}", allowed=f"one of {', '.join(ALL_NOISES)}", cure=cure)


def _coloured(
    samples: int, sample_rate_hz: int, rng: np.random.Generator, slope: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[np.float32]:
    """Noise whose amplitudes fall as ``1 / slope(frequency)``."""
    # At least a second, so that a short piece has frequencies to draw from too.
    length = scipy.fft.next_fast_len(max(samples, sample_rate_hz), real=True)
    frequency_hz = scipy.fft.rfftfreq(length, 1 / sample_rate_hz)
    heard = frequency_hz >= PINK_LOW_HZ
    gain = 1 / slope(frequency_hz[heard])
    # A bin stands for two frequencies, and irfft divides by the length: power 4 sum(gain^2) / length^2.
    gain *= length / np.sqrt(4 * np.sum(gain**2))
    spectrum = np.zeros(frequency_hz.size, np.complex64)
    parts = rng.standard_normal((2, gain.size), np.float32)
    spectrum[heard] = (parts[0] + 1j * parts[1]) * gain.astype(np.float32)
    found: NDArray[np.float32] = scipy.fft.irfft(spectrum, length)[:samples]
    return found


def _hum(samples: int, sample_rate_hz: int, rng: np.random.Generator) -> NDArray[np.float32]:
    mains_hz = int(rng.choice(MAINS_HZ))
    # At least the fundamental, whatever the rate.
    count = max(1, int(min(HUM_HIGH_HZ, 0.45 * sample_rate_hz) / mains_hz))
    number = np.arange(1, count + 1)
    # Twice the standard deviation is about 9 dB: no two transformers hum alike.
    amplitude = np.exp(rng.normal(0, 0.5, count)) / number
    amplitude *= np.sqrt(2 / np.sum(amplitude**2))
    phase = rng.uniform(0, 2 * np.pi, count)
    # Whole periods in whole samples: what comes after is the same again.
    period = sample_rate_hz // math.gcd(sample_rate_hz, mains_hz)
    angle = 2 * np.pi * mains_hz / sample_rate_hz * np.arange(min(period, samples))
    found = np.zeros(angle.size)
    for index in range(count):
        found += amplitude[index] * np.sin(number[index] * angle + phase[index])
    return np.resize(found, samples).astype(np.float32)


def _from_pool(
    kind: str, samples: int, pool: Sequence[Samples], rng: np.random.Generator, voices: int
) -> NDArray[np.float32]:
    """``voices`` recordings of the pool at once, or as many as there are."""
    if len(pool) == 0:
        raise MaestroError("noise", f"{kind} of no recordings", allowed="a pool of at least one")
    chosen = rng.choice(len(pool), min(voices, len(pool)), replace=False)
    mixed = np.zeros(samples)
    for index in chosen:
        mixed += _excerpt(_row(f"recording {index} of the pool", pool[int(index)]), samples, rng, int(index))
    mixed /= np.sqrt(len(chosen))
    return mixed.astype(np.float32)


def _excerpt(recording: NDArray[np.float64], samples: int, rng: np.random.Generator, index: int) -> NDArray[np.float64]:
    """``samples`` of a recording from anywhere, with power 1."""
    for _ in range(_TRIES):
        start = int(rng.integers(recording.size))
        found = np.resize(np.roll(recording, -start), samples)
        power = _power(found)
        if power > 0:
            found /= np.sqrt(power)
            return found
    raise MaestroError(f"recording {index} of the pool", "silent", cure="leave it out of the pool")


def mix(signal: Samples, noise: Samples, snr_db: float) -> Float32[NDArray[np.float32], "sample"]:
    """``signal`` with ``noise`` at an exact signal-to-noise ratio, never beyond full scale.

    The ratio is 10 log10(power of the signal / power of the noise), both as mixed and over all samples.

    Parameters
    ----------
    signal, noise : shape (sample,)
        Full scale is 1. Of the noise only its shape counts, not its level.
    snr_db
        The ratio, decibels.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
        Where the sum would exceed full scale, the whole of it scaled down, which leaves the ratio as it is.

    Raises
    ------
    MaestroError
        Not rows of samples of one length, samples or a ratio that are not finite, or silence, which has no ratio.
    """
    return mix_clips(signal, noise, [snr_db], max(1, signal.size))


def segments(samples: int, segment_samples: int) -> int:
    """Segments of a recording: a rest of at least half a segment is one too, a shorter one goes with the last."""
    return max(1, (samples + segment_samples // 2) // segment_samples)


def mix_clips(
    audio: Samples, noise: Samples, snr_db: Sequence[float] | NDArray[Any], segment_samples: int
) -> Float32[NDArray[np.float32], "sample"]:
    """A recording with noise at an exact signal-to-noise ratio in each of its segments, as `mix`.

    Parameters
    ----------
    audio, noise : shape (sample,)
        The recording and the noise.
    snr_db : one a segment
        Ratios in decibels, as many as `segments` says.
    segment_samples
        Length of a segment. Where a short rest goes with the last segment, the ratio holds without it.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
        Scaled down as a whole, where it would exceed full scale anywhere.

    Raises
    ------
    MaestroError
        As `mix`, or another number of ratios than segments.
    """
    heard, added = _row("signal", audio), _row("noise", noise)
    if heard.size != added.size:
        raise MaestroError("noise", f"has {added.size} samples", allowed=f"as many as the signal, {heard.size}")
    if segment_samples < 1:
        raise MaestroError("segment", f"of {segment_samples} samples", allowed="at least 1")
    ratios, count = np.asarray(snr_db, np.float64), segments(heard.size, segment_samples)
    if ratios.shape != (count,):
        raise MaestroError("snr_db", f"has the shape {ratios.shape}", allowed=f"({count},), one ratio a segment")
    if not np.isfinite(ratios).all():
        raise MaestroError("snr_db", "has ratios that are NaN or infinite", allowed="decibels")
    mixed = np.empty(heard.size)
    for index, ratio_db in enumerate(ratios):
        first, last = index * segment_samples, (index + 1) * segment_samples
        ratio = _sounding("signal", heard, first, last) / _sounding("noise", added, first, last)
        end = heard.size if index == count - 1 else last
        mixed[first:end] = heard[first:end] + np.sqrt(ratio) * 10 ** (-ratio_db / 20) * added[first:end]
    mixed /= max(1.0, float(mixed.max()), -float(mixed.min()))
    return mixed.astype(np.float32)


def _row(name: str, samples: Samples) -> Float64[NDArray[np.float64], "sample"]:
    if samples.ndim != 1 or samples.size == 0:
        raise MaestroError(name, f"has the shape {samples.shape}", allowed="a row of samples, shape (sample,)")
    if not np.isfinite(samples).all():
        raise MaestroError(name, "has samples that are NaN or infinite", cure="export the recording again")
    return samples.astype(np.float64)


def _power(samples: NDArray[np.float64]) -> float:
    return float(np.mean(np.square(samples)))


def _sounding(name: str, samples: NDArray[np.float64], first: int, last: int) -> float:
    """Power of some samples, which is not 0."""
    part = samples[first:last]
    power = _power(part)
    if power == 0:
        raise MaestroError(
            name,
            f"silent from sample {first} to {first + part.size}, so that no signal-to-noise ratio is defined",
            cure="give a recording with sound in every clip",
        )
    return power
