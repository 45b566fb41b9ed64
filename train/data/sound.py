"""Sound files in, mono samples at one rate out; whatever cannot be trusted is refused in one line."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from train.artifacts import atomic_write
from train.data.containers import KINDS, TRUNCATED, check_whole, file_size
from train.errors import CallError, MaestroError

MIDI_SUFFIXES = (".mid", ".midi")
# Below this peak a recording is taken for silence: its features would be those of rounding noise.
SILENCE_DBFS = -80.0
# Above this peak, full scale being 1, samples are no sound but other numbers, or not scaled.
_LOUDEST = 1e4
# Samples decoded at a time; the samples that come out are the same for any number.
_BLOCK = 1 << 18
# Frames (of samples) an MP3 may miss: encoders disagree about counting the frame that holds the count.
MP3_SLACK = 2 * 1152

Samples = NDArray[np.float32]


def load_sound(path: Path, sample_rate_hz: int) -> NDArray[np.float32]:
    """Read a recording as mono samples: the blocks of `sound_blocks` in one piece.

    Parameters
    ----------
    path
        The file.
    sample_rate_hz
        Rate of the samples returned.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
        Full scale is 1; the level is left as recorded.

    Raises
    ------
    MaestroError
        As `sound_blocks`.
    """
    return np.concatenate(list(sound_blocks(path, sample_rate_hz)))


def sound_blocks(path: Path, sample_rate_hz: int) -> Iterator[NDArray[np.float32]]:
    """Read a recording as mono samples, block by block, so that a long one is never in memory as a whole.

    WAV, FLAC, OGG and MP3 (and what else libsndfile knows) of any rate and number of channels; a MIDI
    file is rendered on the corpus's piano, its sustain pedal held. Channels are averaged, the rate converted by soxr.

    Some faults show only at the end: nothing may be kept of a recording before its last block has come.

    Parameters
    ----------
    path
        The file.
    sample_rate_hz
        Rate of the samples given.

    Yields
    ------
    NDArray[np.float32], shape (sample,)
        Full scale is 1; the level is left as recorded.

    Raises
    ------
    MaestroError
        No such file, a folder, not sound, truncated, empty, silent, or samples that are not finite or
        far beyond full scale.
        Not detected: an MP3 without a Xing header that was cut between two of its frames.
    """
    path = Path(path)
    size = file_size(path)
    if path.suffix.lower() in MIDI_SUFFIXES:
        # Loaded only here: the synthesiser and its SoundFont are not needed for recorded sound.
        from train.data.synth import midi_blocks

        yield from _checked(path, midi_blocks(path, sample_rate_hz))
        return
    check_whole(path, size)
    with _opened(path) as file:
        yield from _resampled(_checked(path, _decoded(path, file)), file.samplerate, sample_rate_hz)


def save_sound(path: Path, blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int) -> None:
    """Write mono samples with 16 bits, block by block: .wav or .flac, whole or not at all.

    Parameters
    ----------
    path
        The file to write.
    blocks : each (sample,)
        The samples in pieces, full scale 1.
    sample_rate_hz
        Their rate.

    Raises
    ------
    CallError
        Another suffix.
    MaestroError
        The file cannot be written.
    """
    kinds = {".wav": "WAV", ".flac": "FLAC"}
    if path.suffix.lower() not in kinds:
        raise CallError(str(path), f"ends in {path.suffix!r}", allowed=" or ".join(kinds))
    form = {"samplerate": sample_rate_hz, "channels": 1, "subtype": "PCM_16", "format": kinds[path.suffix.lower()]}
    written = 0
    with atomic_write(path) as temporary:
        try:
            with soundfile.SoundFile(temporary, "w", **form) as file:
                for block in blocks:
                    file.write(block)
                    written += len(block)
            # libsndfile does not tell of what its last write left out.
            whole = soundfile.info(temporary).frames == written
        except RuntimeError as error:
            raise OSError(errno.ENOSPC, reason_of(error)) from error
        if not whole:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _opened(path: Path) -> Any:
    where = str(path)
    try:
        with quiet_decoder():
            return soundfile.SoundFile(path)
    except (RuntimeError, TypeError) as error:
        reason = reason_of(error)
        # So libsndfile calls an MP3 in which it finds no sound (the file is there: it has been opened already).
        if reason.startswith("File does not exist"):
            raise MaestroError(where, "is not a sound file that libsndfile can read", allowed=KINDS) from error
        raise MaestroError(where, f"cannot be read as sound: {reason}", allowed=KINDS) from error


def _decoded(path: Path, file: Any) -> Iterator[Samples]:
    """The channels' mean, at the file's own rate."""
    heard = 0
    while True:
        try:
            # SoundFile.blocks would not tell a short read from a whole one.
            with quiet_decoder():
                block = file.read(_BLOCK, dtype="float32", always_2d=True)
        except RuntimeError as error:
            raise MaestroError(str(path), f"truncated or damaged: {reason_of(error)}", cure=TRUNCATED) from error
        if not len(block):
            break
        heard += len(block)
        yield mono(block)
    slack = MP3_SLACK if file.format in ("MP3", "MPEG") else 0
    if heard < file.frames - slack:
        raise MaestroError(
            str(path), f"truncated: its header promises {file.frames} samples, {heard} are there", cure=TRUNCATED
        )


def mono(block: NDArray[np.float32]) -> Samples:
    """The channels' mean, shape (sample,), of a block (sample, channel)."""
    # What is not finite, or no longer, is refused later, in one line.
    with np.errstate(over="ignore", invalid="ignore"):
        if block.shape[1] == 2:
            # To the bit what mean gives, ten times as fast.
            halved: Samples = (block[:, 0] + block[:, 1]) / np.float32(2)
            return halved
        mean: Samples = block.mean(axis=1, dtype=np.float32)
        return mean


def _resampled(blocks: Iterable[Samples], own_rate_hz: int, sample_rate_hz: int) -> Iterator[Samples]:
    """At another rate: to the bit what soxr gives of the whole (and librosa.resample with it), at any block size."""
    if own_rate_hz == sample_rate_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(own_rate_hz, sample_rate_hz, 1, dtype="float32", quality="HQ")
    heard = given = 0
    for block in blocks:
        heard += block.size
        made = stream.resample_chunk(block)
        given += made.size
        if made.size:
            yield made
    # soxr rounds the number of samples, where a recording's last moment counts as librosa counts it: rounded up.
    left = int(np.ceil(heard * (sample_rate_hz / own_rate_hz))) - given
    last = stream.resample_chunk(np.zeros(0, np.float32), last=True)[:left]
    yield np.pad(last, (0, left - last.size))


def _checked(path: Path, blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The blocks while they are sound; once they are not, the rest is only counted, for the message."""
    samples = broken = 0
    peak = 0.0
    for block in blocks:
        if not block.size:
            continue
        samples += block.size
        highest = max(float(block.max()), -float(block.min()))
        if not np.isfinite(highest):
            broken += int(np.count_nonzero(~np.isfinite(block)))
            continue
        peak = max(peak, highest)
        if not broken and peak <= _LOUDEST:
            yield block
    _check_samples(path, samples, broken, peak)


def _check_samples(path: Path, samples: int, broken: int, peak: float) -> None:
    where = str(path)
    if samples == 0:
        raise MaestroError(where, "holds no samples", cure="give a recording with sound in it")
    if broken:
        raise MaestroError(
            where, f"{broken} of its {samples} samples are NaN or infinite", cure="export the recording again"
        )
    if peak > _LOUDEST:
        raise MaestroError(
            where,
            f"its samples reach {peak:.3g} times full scale",
            allowed=f"at most {_LOUDEST:g}",
            cure="scale the samples to full scale, 1 for a file of floating-point numbers",
        )
    if peak < 10 ** (SILENCE_DBFS / 20):
        raise MaestroError(
            where,
            f"silent: its peak is below {SILENCE_DBFS:.0f} dBFS once mixed to mono",
            cure="give a recording with sound in it",
        )


@contextmanager
def quiet_decoder() -> Iterator[None]:
    """Send away what libmpg123, libsndfile's MP3 decoder, says on stderr by itself; the errors come to us anyway."""
    try:
        kept = os.dup(2)
    except OSError:  # There is no stderr.
        yield
        return
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def reason_of(error: Exception) -> str:
    """What libsndfile says, without its own prefix and full stop."""
    return str(getattr(error, "error_string", error)).removeprefix("Error : ").strip().rstrip(".")
