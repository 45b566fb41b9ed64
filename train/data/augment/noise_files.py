"""The user's own noise: a folder of sound files."""

from functools import lru_cache
from pathlib import Path

from train.artifacts import sha256
from train.console import say
from train.data.dataset import Recording
from train.errors import MaestroError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


def noise_recordings(folder: str | Path, *, training: bool) -> tuple[Recording, ...]:
    """Sound files of a folder and its sub-folders, as recordings of no data set.

    A file is for training or for evaluation, so that a network is not tested in the very noise that it was trained in.
    Its content decides for which, whatever else is in the folder, and copies of it are heard once. Only where all would
    be on one side does one go over; and a single one is for both, which is said.

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
    return _sides(Path(folder))[0 if training else 1]


@lru_cache(maxsize=8)
def _sides(folder: Path) -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    """Noise for training and for evaluation."""
    files = _files(folder)
    if len(files) == 1:
        say(f"{folder}: its only file of noise is heard in training and in evaluation alike; give two or more")
        return (files[0][1],), (files[0][1],)
    sides = [int(content[:8], 16) % 2 for content, _ in files]
    if len(set(sides)) == 1:
        sides[min(range(len(files)), key=lambda index: files[index][0])] ^= 1
    training, evaluation = (
        tuple(file for (_, file), its in zip(files, sides, strict=True) if its == side) for side in (0, 1)
    )
    return training, evaluation


def _files(folder: Path) -> list[tuple[str, Recording]]:
    """SHA-256 and recording of each file, by name; of copies the first."""
    cure = "set noise.folder to a folder of recorded noise"
    if not folder.is_dir():
        raise MaestroError(str(folder), "no such folder of noise", cure=cure)
    found: dict[str, Recording] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix.lower() in SUFFIXES and path.is_file() and not any(part[0] == "." for part in relative.parts):
            content = sha256(path)
            name = f"noise {relative.as_posix()} {content[:12]}"
            found.setdefault(content, Recording(name, str(relative), "noise", 0.0, name, name, {}))
    if not found:
        raise MaestroError(str(folder), "holds no sound file", allowed=f"files in {', '.join(SUFFIXES)}", cure=cure)
    return list(found.items())
