"""Which recordings a folder holds, with their labels: by its sub-folders, or by an index."""

import errno
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from train.data.csv_table import Row, Table, composed, nearest, read_table, some
from train.data.dataset import SPLITS, TEST
from train.data.files import is_file
from train.data.heads import check_head_name
from train.data.sound import MIDI_SUFFIXES
from train.errors import MaestroError

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
# What a folder's index says of a file besides its labels; every other column is a head.
OWN_COLUMNS = ("file", "group", "split", "piece")
_SIDE = re.compile(rf"{TEST}_[a-z0-9_]+")


@dataclass(frozen=True)
class Entry:
    """A file that may become a recording.

    ``file`` is relative to the folder and is the recording's id; ``split`` is empty where sides are to be drawn.
    """

    file: str
    labels: dict[str, str]
    group: str
    piece: str
    split: str = ""

    @property
    def is_midi(self) -> bool:
        """Whether it is to be rendered first."""
        return PurePosixPath(self.file).suffix.lower() in MIDI_SUFFIXES


@dataclass
class Found:
    """Files of a folder, and what was passed over."""

    entries: list[Entry] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    loose: list[str] = field(default_factory=list)


def walk_folder(root: Path) -> Found:
    """Recordings whose label ``title`` is the sub-folder of ``root`` that they are in.

    What lies deeper belongs together: CLASS/TAKE/1.wav and CLASS/TAKE/2.wav are of one group, and so are files of
    one name but for the suffix. Links are followed wherever they lead. Hidden files are passed over, and files
    that are no sound are counted by their suffix; recordings in ``root`` itself are ``loose``, without a label.

    Raises
    ------
    MaestroError
        A folder cannot be read.
    """
    found = Found()
    for file in sorted(_files(root)):
        path = PurePosixPath(file)
        if path.suffix.lower() not in (*AUDIO_SUFFIXES, *MIDI_SUFFIXES):
            found.others[path.suffix.lower() or "no suffix"] += 1
            continue
        stem = str(path.with_suffix(""))
        if len(path.parts) == 1:
            found.loose.append(file)
            found.entries.append(Entry(file, {}, stem, stem))
        else:
            title = composed(path.parts[0])
            group = stem if len(path.parts) == 2 else str(PurePosixPath(*path.parts[:2]))
            found.entries.append(Entry(file, {"title": title}, group, title))
    return found


def read_index(root: Path, path: Path) -> Found:
    """Recordings that a CSV file names: columns file, group, split, piece, and a head in each further one.

    ``file`` is relative to ``root``; the other columns may be left out. Without a group a file is a group with
    those of the same name but for the suffix; without a piece its piece is its title, or itself. An empty cell of
    a head leaves the recording unlabelled.

    Raises
    ------
    MaestroError
        Not such a table; a file that is blank, there twice or outside ``root``; a side that is none, or blank in
        some rows; a group on two sides.
    """
    table = read_table(path, ["file"])
    heads = [column for column in table.columns if column not in OWN_COLUMNS]
    for head in heads:
        check_head_name(f"{path}, header", head)
    lines: dict[str, int] = {}
    sides: dict[str, tuple[str, int]] = {}
    found = Found()
    for row in table.rows:
        entry = _entry(root, table, row, heads)
        if entry.file in lines:
            raise MaestroError(table.at(row), f"{entry.file} stands in line {lines[entry.file]}", cure="keep one row")
        lines[entry.file] = row.line
        side, line = sides.setdefault(entry.group, (entry.split, row.line))
        if side != entry.split:
            raise MaestroError(
                table.at(row),
                f"group {entry.group!r} is on {entry.split}, and on {side} in line {line}",
                cure="put all recordings of a group on one side",
            )
        found.entries.append(entry)
    found.entries.sort(key=lambda entry: entry.file)
    return found


def _entry(root: Path, table: Table, row: Row, heads: list[str]) -> Entry:
    where, cells = table.at(row), row.cells
    if not cells["file"]:
        raise MaestroError(where, "file is blank", cure="name a file, or leave the row out")
    # As it stands: 'a/./b.wav' and 'a//b.wav' become 'a/b.wav', and nothing is looked up.
    path = PurePosixPath(os.path.normpath(cells["file"]))
    if not path.name:
        raise MaestroError(where, f"{cells['file']} is no file", cure="name a file, or leave the row out")
    if path.is_absolute() or path.parts[0] == "..":
        cure = "set data.root to a folder that holds all files, and name them from there"
        raise MaestroError(where, f"{cells['file']} lies outside {root}", cure=cure)
    path = _as_on_disk(root, path)
    labels = {head: cells[head] for head in heads if cells[head]}
    group = cells.get("group") or str(path.with_suffix(""))
    piece = cells.get("piece") or labels.get("title") or str(path)
    return Entry(str(path), labels, group, piece, _side(where, table, cells))


def _as_on_disk(root: Path, path: PurePosixPath) -> PurePosixPath:
    """A file's name in the form that the disk has: macOS takes accents apart, and a table's cells are composed."""
    apart = PurePosixPath(unicodedata.normalize("NFD", str(path)))
    return apart if apart != path and not is_file(root / path) and is_file(root / apart) else path


def _side(where: str, table: Table, cells: dict[str, str]) -> str:
    if "split" not in table.columns:
        return ""
    side = cells["split"]
    if side in SPLITS or _SIDE.fullmatch(side):
        return side
    found = f"split is {side!r}{nearest(side, SPLITS)}" if side else "split is blank"
    raise MaestroError(where, found, allowed=f"{some(SPLITS)} or {TEST}_SOMETHING")


def _files(root: Path) -> Iterator[str]:
    """Files of a folder and those below it, each by its path from there; a link to a folder above is not followed."""
    # No recursion: Python's ends before a disk's depth does.
    left: list[tuple[str, tuple[tuple[int, int], ...]]] = [("", ())]
    while left:
        prefix, above = left.pop()
        folder = root / prefix
        try:
            own = folder.stat()
            here = (own.st_dev, own.st_ino)
            if here in above:
                continue
            with os.scandir(folder) as items:
                names = [(item.name, _is_folder(item)) for item in items if not item.name.startswith(".")]
        except OSError as error:
            where = str(error.filename or folder)
            cure = "mend its permissions, or set data.root to another folder"
            raise MaestroError(where, f"cannot be read: {error.strerror or error}", cure=cure) from error
        for name, is_folder in names:
            if is_folder:
                left.append((f"{prefix}{name}/", (*above, here)))
            else:
                yield f"{prefix}{name}"


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError as error:
        # A link to itself is a file that cannot be used, and is told of as one.
        if error.errno == errno.ELOOP:
            return False
        raise
