"""Pitch, tempo, equaliser and level."""

from collections.abc import Sequence

import numpy as np
import scipy.signal
from numpy.typing import NDArray

# Centres of the equaliser's bands, an octave apart.
BANDS_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
# Of a band an octave wide.
_QUALITY = np.sqrt(2)
# Bands up to this share of the rate are there.
_HIGHEST = 0.45

Samples = NDArray[np.float32]


def stretch(audio: Samples, sample_rate_hz: int, *, semitones: float = 0.0, tempo: float = 1.0) -> Samples:
    """Another pitch and another tempo, by Signalsmith Stretch (python-stretch).

    Parameters
    ----------
    audio : shape (sample,)
        Mono.
    sample_rate_hz
        Its rate.
    semitones
        Higher by so many, or lower.
    tempo
        Faster by this factor.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
        ``samples / tempo`` of them, to within one.
    """
    # Only here: not every training needs it.
    from python_stretch import Signalsmith

    machine = Signalsmith.Stretch(0)
    machine.preset(1, sample_rate_hz)
    machine.setTransposeSemitones(semitones)
    machine.setTimeFactor(tempo)
    found = np.asarray(machine.process(np.ascontiguousarray(audio[None], np.float32)), np.float32)
    return np.ascontiguousarray(found[0])


def equalise(audio: Samples, gains_db: Sequence[float], sample_rate_hz: int) -> Samples:
    """Each octave band louder or softer.

    Parameters
    ----------
    audio : shape (sample,)
        Mono.
    gains_db
        One for each of ``BANDS_HZ``, decibels; those of bands beyond the rate do nothing.
    sample_rate_hz
        Rate of the samples.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
    """
    sections = [
        _peak(centre_hz / sample_rate_hz, gain_db)
        for centre_hz, gain_db in zip(BANDS_HZ, gains_db, strict=True)
        if centre_hz < _HIGHEST * sample_rate_hz
    ]
    found: Samples = scipy.signal.sosfilt(np.array(sections), audio).astype(np.float32)
    return found


def _peak(frequency: float, gain_db: float) -> list[float]:
    """A peaking filter (Bristow-Johnson, Audio EQ Cookbook, W3C Note 2021), ``frequency`` in cycles a sample."""
    amplitude = 10 ** (gain_db / 40)
    width = np.sin(2 * np.pi * frequency) / (2 * _QUALITY)
    middle = -2 * np.cos(2 * np.pi * frequency)
    first = 1 + width / amplitude
    upper = (1 + width * amplitude, middle, 1 - width * amplitude)
    lower = (first, middle, 1 - width / amplitude)
    return [float(value / first) for value in (*upper, *lower)]


def set_level(audio: Samples, level_db: float) -> Samples:
    """Louder by ``level_db`` decibels, or softer; never beyond full scale, which is 1."""
    louder = audio * np.float32(10 ** (level_db / 20))
    return louder / np.float32(max(1.0, float(np.abs(louder).max(initial=0.0))))
