"""Sound files in, mono samples at one rate out; whatever cannot be trusted is refused in one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray

from train.artifacts import atomic_write
from train.errors import CallError, MaestroError

MIDI_SUFFIXES = (".mid", ".midi")
# Below this peak a recording is taken for silence: its features would be those of rounding noise.
SILENCE_DBFS = -80.0
# Above this peak, full scale being 1, samples are no sound but other numbers, or not scaled.
_LOUDEST = 1e4
_BLOCK = 1 << 18
# Frames (of samples) an MP3 may miss: encoders disagree about counting the frame that holds the count.
_MP3_SLACK = 2 * 1152
# An Ogg page is at most 27 + 255 + 255 * 255 bytes long (RFC 3533, section 6).
_OGG_PAGE = 65307
_KINDS = "a WAV, FLAC, OGG, MP3 or MIDI file"
_TRUNCATED = "copy or download it again, whole"


def load_sound(path: Path, sample_rate_hz: int) -> NDArray[np.float32]:
    """Read a recording as mono samples.

    WAV, FLAC, OGG and MP3 (and what else libsndfile knows) of any rate and number of channels; a MIDI
    file is rendered on the corpus's piano. Channels are averaged, the rate converted by soxr.

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
        No such file, a folder, not sound, truncated, empty, silent, or samples that are not finite or
        far beyond full scale.
        Not detected: an MP3 without a Xing header that was cut between two of its frames.
    """
    path = Path(path)
    size = _size(path)
    if path.suffix.lower() in MIDI_SUFFIXES:
        # Loaded only here: the synthesiser and its SoundFont are not needed for recorded sound.
        from train.data.synth import render_midi

        audio, rate_hz = render_midi(path, sample_rate_hz), sample_rate_hz
    else:
        _check_whole(path, size)
        with _quiet_decoder():
            audio, rate_hz = _decode(path)
    _check_samples(path, audio)
    if rate_hz != sample_rate_hz:
        audio = librosa.resample(audio, orig_sr=rate_hz, target_sr=sample_rate_hz, res_type="soxr_hq")
    return np.ascontiguousarray(audio, dtype=np.float32)


def save_sound(path: Path, audio: NDArray[np.float32], sample_rate_hz: int) -> None:
    """Write mono samples, shape (sample,), full scale 1, with 16 bits: .wav or .flac, whole or not at all.

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
    with atomic_write(path) as temporary:
        soundfile.write(temporary, audio, sample_rate_hz, subtype="PCM_16", format=kinds[path.suffix.lower()])


def _size(path: Path) -> int:
    """Bytes of a file that is there and can be read."""
    where = str(path)
    if path.is_dir():
        raise MaestroError(where, "is a folder", allowed=_KINDS)
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
    except FileNotFoundError as error:
        raise MaestroError(where, "no such file", cure="check the path") from error
    except OSError as error:
        raise MaestroError(where, f"cannot be read: {error.strerror or error}", cure="check its permissions") from error
    if size == 0:
        raise MaestroError(where, "is empty (0 bytes)", allowed=_KINDS, cure=_TRUNCATED)
    return size


def _decode(path: Path) -> tuple[NDArray[np.float32], int]:
    """Mono samples and their rate in Hz, read block by block so that long recordings need no second copy."""
    where = str(path)
    try:
        file = soundfile.SoundFile(path)
    except (RuntimeError, TypeError) as error:
        reason = _reason(error)
        # So libsndfile calls an MP3 in which it finds no sound (the file is there: it has been opened already).
        if reason.startswith("File does not exist"):
            raise MaestroError(where, "is not a sound file that libsndfile can read", allowed=_KINDS) from error
        raise MaestroError(where, f"cannot be read as sound: {reason}", allowed=_KINDS) from error
    blocks: list[NDArray[np.float32]] = []
    with file:
        try:
            # SoundFile.blocks would not tell a short read from a whole one.
            while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
                # What is not finite, or no longer, is refused later, in one line.
                with np.errstate(over="ignore", invalid="ignore"):
                    blocks.append(block.mean(axis=1, dtype=np.float32))
        except RuntimeError as error:
            raise MaestroError(where, f"truncated or damaged: {_reason(error)}", cure=_TRUNCATED) from error
        promised, rate_hz = file.frames, file.samplerate
        slack = _MP3_SLACK if file.format in ("MP3", "MPEG") else 0
    audio = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if audio.size < promised - slack:
        raise MaestroError(
            where, f"truncated: its header promises {promised} samples, {audio.size} are there", cure=_TRUNCATED
        )
    return audio, rate_hz


@contextmanager
def _quiet_decoder() -> Iterator[None]:
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


def _reason(error: Exception) -> str:
    """What libsndfile says, without its own prefix and full stop."""
    return str(getattr(error, "error_string", error)).removeprefix("Error : ").strip().rstrip(".")


def _check_samples(path: Path, audio: NDArray[np.float32]) -> None:
    where = str(path)
    if audio.size == 0:
        raise MaestroError(where, "holds no samples", cure="give a recording with sound in it")
    broken = int(np.count_nonzero(~np.isfinite(audio)))
    if broken:
        raise MaestroError(
            where, f"{broken} of its {audio.size} samples are NaN or infinite", cure="export the recording again"
        )
    peak = float(np.abs(audio).max())
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


def _check_whole(path: Path, size: int) -> None:
    """Refuse a file cut short where libsndfile would silently read what is left.

    It trusts the file's length over the header of WAV and AIFF, and takes the last page it finds in
    an Ogg stream for the last one.
    """
    where = str(path)
    with path.open("rb") as file:
        magic = file.read(4)
    if magic in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        promised = _end_of_samples(path, magic)
        if promised is not None and promised > size:
            raise MaestroError(
                where, f"truncated: its header promises {promised} bytes, the file has {size}", cure=_TRUNCATED
            )
    elif magic == b"OggS" and not _ends_an_ogg_stream(path, size):
        raise MaestroError(where, "truncated: the last page of its Ogg stream is missing", cure=_TRUNCATED)


def _end_of_samples(path: Path, magic: bytes) -> int | None:
    """Where the chunk of samples ends by its own header, in bytes; None if it does not say.

    Chunks of IFF files (EA 85, 1985), of WAV and, with 64-bit lengths in ``ds64``, of RF64 (EBU Tech 3306).
    """
    order = "big" if magic in (b"RIFX", b"FORM") else "little"
    long_size: int | None = None
    with path.open("rb") as file:
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, length = header[:4], int.from_bytes(header[4:], order)  # type: ignore[arg-type]
            start = file.tell()
            if name in (b"data", b"SSND"):
                # All ones: the writer did not know (a pipe), or ds64 does.
                if length == 0xFFFFFFFF:
                    return None if long_size is None else start + long_size
                return start + length
            if name == b"ds64":
                long_size = int.from_bytes(file.read(16)[8:], "little")
            file.seek(start + length + length % 2)
    return None


def _ends_an_ogg_stream(path: Path, size: int) -> bool:
    """Whether the file's last page is there in full and marked as its stream's last (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(max(0, size - _OGG_PAGE))
        tail = file.read()
    page = tail[max(tail.rfind(b"OggS"), 0) :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    body = sum(page[27 : 27 + page[26]])
    return bool(page[5] & 4) and len(page) >= 27 + page[26] + body
