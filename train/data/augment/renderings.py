"""MIDI files rendered once to files of sound, of which clips are read where training or a test changes them."""

import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from train import artifacts
from train.artifacts import key_of, sha256
from train.console import say, size_words
from train.data.containers import file_size
from train.data.dataset import DataSet, Recording
from train.data.midi import rendered_by
from train.data.parallel import in_parallel
from train.data.sound import MIDI_SUFFIXES, save_sound, sound_blocks
from train.errors import MaestroError

# Bytes of a sample before FLAC makes it less.
_SAMPLE_BYTES = 2


def renderings() -> Path:
    """The folder that they are kept in."""
    return artifacts.CACHE / "rendered"


def rendered(path: Path, sample_rate_hz: int) -> Path:
    """A MIDI file's rendering, a FLAC file of 16 bits; made if it is not kept.

    Raises
    ------
    MaestroError
        As `train.data.sound.sound_blocks`, or it cannot be written.
    """
    kept = _kept(path, sample_rate_hz)
    if not kept.is_file():
        save_sound(kept, sound_blocks(path, sample_rate_hz), sample_rate_hz)
    return kept


def render_ahead(data: DataSet, recordings: Sequence[Recording], sample_rate_hz: int) -> None:
    """Render those of a data set's recordings that are MIDI files and not kept, in parallel, and say what it takes.

    Raises
    ------
    MaestroError
        The disk has no room, a file cannot be read, or a process was killed; what was rendered is kept.
    """
    midi = [one for one in recordings if Path(one.file).suffix.lower() in MIDI_SUFFIXES]
    missing = [one for one in midi if not _kept(data.file_of(one), sample_rate_hz).is_file()]
    if not missing:
        return
    seconds = [max(1, round(one.duration_s)) for one in missing]
    needed = _SAMPLE_BYTES * sample_rate_hz * sum(seconds)
    folder = renderings()
    free = shutil.disk_usage(next(found for found in (folder, *folder.parents) if found.exists())).free
    if needed > free:
        raise MaestroError(
            str(folder),
            f"{data.name}'s MIDI files need up to {size_words(needed)} of disk as sound, {size_words(free)} are free",
            cure="free some disk space, or put the folder .cache on another disk (a link will do)",
        )
    files = f"{len(missing)} MIDI file{'' if len(missing) == 1 else 's'}"
    say(f"rendering: {sum(seconds) / 3600:.2f} hours of {files}; up to {size_words(needed)} of disk")
    # The longest first, lest one core be left with it at the end.
    order = sorted(range(len(missing)), key=lambda index: -seconds[index])
    jobs = [(data.file_of(missing[index]), sample_rate_hz) for index in order]
    in_parallel(_render, jobs, "rendering", "s of sound", sizes=[seconds[index] for index in order])


def _render(job: tuple[Path, int]) -> None:
    rendered(*job)


@lru_cache(maxsize=4096)
def _kept(path: Path, sample_rate_hz: int) -> Path:
    file_size(path)
    key = key_of({"midi": sha256(path), "rate": sample_rate_hz, "by": rendered_by()})
    return renderings() / f"{key}.flac"
