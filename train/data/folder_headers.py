"""What is asked of a folder's files before any is decoded: how long each is, and which two are the same."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path

from train.artifacts import sha256
from train.console import progress
from train.data.containers import KINDS, check_whole, file_size
from train.data.files import is_file, is_folder
from train.data.midi import midi_duration_s
from train.data.sound import MIDI_SUFFIXES, _opened
from train.errors import MaestroError

# Most files of one size differ in their beginnings already.
_HEAD = 1 << 16


def measured(root: Path, files: Sequence[str], *, headers: bool = True) -> tuple[dict[str, float], dict[str, str]]:
    """Lengths of files in seconds, and what is wrong with those that have none.

    Parameters
    ----------
    root, files
        The folder, and the files' paths from there.
    headers
        Whether they are opened. If not, only their names are looked at, and every length is 0.

    Returns
    -------
    dict of file -> float
    dict of file -> str
        The message of each file that cannot become a recording.
    """
    lengths: dict[str, float] = {}
    faults: dict[str, str] = {}
    with progress("folder: headers", len(files), "files", quiet_end=True) as meter:
        for file in files:
            try:
                _check_name(file)
                lengths[file] = duration_s(root / file) if headers else 0.0
            except MaestroError as error:
                faults[file] = f"{printable(file)}: {error.found}"
            meter.advance()
    return lengths, faults


def printable(name: str) -> str:
    """A file's name, with escapes for what is not UTF-8 in it."""
    return name.encode("utf-8", "backslashreplace").decode()


def duration_s(path: Path) -> float:
    """Length of a recording in seconds, as its header says; of a MIDI file, the end of its last note.

    Raises
    ------
    MaestroError
        No such file, no regular file, empty, not sound, cut short, or without sound.
    """
    if not is_file(path) and not is_folder(path) and path.exists():
        raise MaestroError(str(path), "is a pipe or a device", allowed=KINDS)
    size = file_size(path)
    if path.suffix.lower() in MIDI_SUFFIXES:
        return midi_duration_s(path)
    check_whole(path, size)
    with _opened(path) as file:
        length_s = float(file.frames / file.samplerate)
    if length_s <= 0:
        raise MaestroError(str(path), "holds no samples", cure="give a recording with sound in it")
    return length_s


def identical(root: Path, files: Iterable[str]) -> list[list[str]]:
    """Files of the same content, two or more together.

    Only files of one size are read, and as a whole only those that begin alike.

    Raises
    ------
    MaestroError
        A file cannot be read any more.
    """
    try:
        alike = _alike(sorted(files), lambda file: (root / file).stat().st_size)
        alike = [part for group in alike for part in _alike(group, lambda file: _beginning(root / file))]
        count = sum(map(len, alike))
        if not count:
            return []
        with progress("folder: files that begin alike", count, "files", quiet_end=True) as meter:

            def whole(file: str) -> str:
                meter.advance()
                return sha256(root / file)

            return [part for group in alike for part in _alike(group, whole)]
    except OSError as error:
        cure = "leave the folder alone while it is read"
        raise MaestroError(str(error.filename), f"cannot be read: {error.strerror or error}", cure=cure) from error


def _check_name(file: str) -> None:
    """Refuse a name that no file of ours could hold: they are all in UTF-8."""
    if printable(file) != file:
        raise MaestroError(printable(file), "its name is not UTF-8", cure="rename the file, or its folder")


def _alike(files: Sequence[str], key: Callable[[str], Hashable]) -> list[list[str]]:
    """Groups of two or more files with one key."""
    groups: dict[Hashable, list[str]] = {}
    for file in files:
        groups.setdefault(key(file), []).append(file)
    return [group for group in groups.values() if len(group) > 1]


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)
