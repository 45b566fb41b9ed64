"""The user's own noise: a folder of sound files."""

from functools import lru_cache
from pathlib import Path

from train.artifacts import sha256
from train.data.dataset import Recording
from train.errors import MaestroError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


def noise_recordings(folder: str | Path, *, training: bool) -> tuple[Recording, ...]:
    """Sound files of a folder and its sub-folders, as recordings of no data set.

    Of two and more, sorted by name, every second one is for training and the others for evaluation, so that a network
    is not tested in the very noise that it was trained in. A single one is for both.

    Parameters
    ----------
    folder
        Where they lie. Hidden files and files that are no sound by their suffix are passed over.
    training
        Those for training; else those for evaluation.

    Returns
    -------
    tuple of Recording
        ``file`` is relative to the folder; ``id`` names the content too.

    Raises
    ------
    MaestroError
        No such folder, or no sound file in it.
    """
    files = _files(Path(folder))
    return files if len(files) == 1 else files[not training :: 2]


@lru_cache(maxsize=8)
def _files(folder: Path) -> tuple[Recording, ...]:
    cure = "set noise.folder to a folder of recorded noise"
    if not folder.is_dir():
        raise MaestroError(str(folder), "no such folder of noise", cure=cure)
    found = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix.lower() in SUFFIXES and path.is_file() and not any(part[0] == "." for part in relative.parts):
            name = f"noise {relative.as_posix()} {sha256(path)[:12]}"
            found.append(Recording(name, str(relative), "noise", 0.0, name, name, {}))
    if not found:
        raise MaestroError(str(folder), "holds no sound file", allowed=f"files in {', '.join(SUFFIXES)}", cure=cure)
    return tuple(found)
