"""A stretch of a recording, read from its file without the rest of it."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from train.config import FeatureConfig
from train.data.augment.renderings import rendered, renderings
from train.data.containers import TRUNCATED, file_size
from train.data.sound import MIDI_SUFFIXES, MP3_SLACK, mono, quiet_decoder, reason_of
from train.errors import MaestroError
from train.features import clip_steps, hop_samples

# Samples read on either side for the filter that converts the rate; soxr's is shorter at any ratio met.
_MARGIN = 4096

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """What of a recording the features of a clip depend on.

    Attributes
    ----------
    first
        Number of the first sample; negative where a clip at the beginning looks beyond it.
    samples
        How many.
    lead
        Frames of these samples that come before the clip.
    """

    first: int
    samples: int
    lead: int


def clip_span(start: int, sample_rate_hz: int, config: FeatureConfig) -> Span:
    """The samples of a clip that begins at frame ``start``, with what the windows of its frames see around them.

    The features of these samples, less the first ``lead`` frames, are the recording's own, to the bit.
    """
    hop, half = hop_samples(sample_rate_hz, config), config.window // 2
    lead = -(-half // hop)
    samples = (lead + clip_steps(config) - 1) * hop - half + config.window
    return Span((start - lead) * hop, samples, lead)


def sound_samples(path: Path, sample_rate_hz: int) -> int:
    """Samples of a recording at this rate, as its file's header says.

    Raises
    ------
    MaestroError
        As `read_window`.
    """
    frames, own_rate_hz = _header(_audible(path, sample_rate_hz))
    return _converted(frames, own_rate_hz, sample_rate_hz)


def read_window(path: Path, first: int, samples: int, sample_rate_hz: int) -> Samples:
    """Some samples of a recording, as `train.data.sound.load_sound` gives them.

    Only these are read. At the file's own rate they are the same to the bit (but for an MP3, whose decoder rounds
    otherwise after a leap); where the rate is converted they differ by rounding. A MIDI file is rendered once and kept,
    with 16 bits, in the cache.

    Parameters
    ----------
    path
        The file.
    first, samples
        Number of the first sample, and how many, at ``sample_rate_hz``.
    sample_rate_hz
        Rate of the samples returned.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
        Mono; zeros before the recording's beginning and after its end.

    Raises
    ------
    MaestroError
        No such file, it cannot be read as sound, or ends before its header says.
    """
    path = _audible(path, sample_rate_hz)
    frames, own_rate_hz = _header(path)
    total = _converted(frames, own_rate_hz, sample_rate_hz)
    begin, end = max(first, 0), min(first + samples, total)
    found = np.zeros(samples, np.float32)
    if begin < end:
        read = _read if own_rate_hz == sample_rate_hz else _read_converted
        found[begin - first : end - first] = read(path, begin, end, sample_rate_hz)
    return found


def _read_converted(path: Path, begin: int, end: int, sample_rate_hz: int) -> Samples:
    frames, own_rate_hz = _header(path)
    # What is read begins where a sample of the one rate meets one of the other, or at an end, where the filter
    # sees the same silence as in the whole recording.
    common = math.gcd(own_rate_hz, sample_rate_hz)
    ours, theirs = sample_rate_hz // common, own_rate_hz // common
    margin = -(-_MARGIN // theirs)
    first = max(0, begin // ours - margin)
    last = min(-(-end // ours) + margin, -(-frames // theirs))
    whole = _read(path, first * theirs, min(last * theirs, frames), own_rate_hz)
    converted: Samples = soxr.resample(whole, own_rate_hz, sample_rate_hz, quality="HQ")
    found = converted[begin - first * ours : end - first * ours]
    # soxr may round the number of samples down.
    return np.pad(found, (0, end - begin - found.size))


def _converted(frames: int, own_rate_hz: int, sample_rate_hz: int) -> int:
    return frames if own_rate_hz == sample_rate_hz else math.ceil(frames * (sample_rate_hz / own_rate_hz))


@lru_cache(maxsize=4096)
def _header(path: Path) -> tuple[int, int]:
    """Samples of a file and their rate in Hz."""
    file_size(path)
    try:
        with quiet_decoder():
            info = soundfile.info(path)
    except RuntimeError as error:
        raise _unreadable(path, error) from error
    return info.frames, info.samplerate


def _read(path: Path, begin: int, end: int, _sample_rate_hz: int) -> Samples:
    """Mono samples at the file's own rate."""
    try:
        with quiet_decoder(), soundfile.SoundFile(path) as file:
            file.seek(begin)
            block = file.read(end - begin, dtype="float32", always_2d=True)
            slack = MP3_SLACK if file.format in ("MP3", "MPEG") else 0
    except RuntimeError as error:
        raise _unreadable(path, error) from error
    if len(block) < end - begin - slack:
        promised, there = _header(path)[0], begin + len(block)
        raise MaestroError(
            str(path), f"truncated: its header promised {promised} samples, {there} are there", cure=_cure(path)
        )
    found = mono(block)
    if not np.isfinite(found).all():
        raise MaestroError(str(path), "has samples that are NaN or infinite", cure="export the recording again")
    # An MP3 may end a little before its header says.
    return np.pad(found, (0, end - begin - found.size))


def _unreadable(path: Path, error: Exception) -> MaestroError:
    return MaestroError(str(path), f"cannot be read as sound: {reason_of(error)}", cure=_cure(path))


def _cure(path: Path) -> str:
    return "delete it: it is rendered again" if path.parent == renderings() else TRUNCATED


def _audible(path: Path, sample_rate_hz: int) -> Path:
    """The file itself, or a MIDI file's rendering."""
    path = Path(path)
    return rendered(path, sample_rate_hz) if path.suffix.lower() in MIDI_SUFFIXES else path
