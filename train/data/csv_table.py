"""Tables that people make: CSV files, read with the line that each row came from."""

import csv
import difflib
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.data.files import is_folder, read_bytes
from train.errors import MaestroError

_UTF8 = "save it as CSV in UTF-8"
# Longest cell: more is a quotation mark that was never closed.
_LONGEST = 10_000


@dataclass(frozen=True)
class Row:
    """One row: the line it ends on, counted from 1, and its cells by column; spaces around them are gone."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A file's columns, in their order, and its rows."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def at(self, row: Row) -> str:
        """Where a row stands, for messages."""
        return f"{self.path}, line {row.line}"


def read_table(path: Path, required: Sequence[str], known: Sequence[str] | None = None) -> Table:
    """Read a CSV file with a header.

    UTF-8 with or without a byte order mark; cells are stripped and in Unicode's composed form (NFC), in which
    names compare. Rows of empty cells are passed over.

    Parameters
    ----------
    path
        The file.
    required
        Columns that must be there.
    known
        All columns that may be there; any if None.

    Raises
    ------
    MaestroError
        No such file, not text in UTF-8, no header, a column that is missing, unknown or there twice, a row of
        another length than the header's, or no rows.
    """
    lines = _lines(path)
    if not lines:
        raise MaestroError(str(path), "is empty", allowed=f"a header: {','.join(required)}")
    _, header = lines[0]
    _check_header(path, header, required, known)
    rows = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise MaestroError(
                f"{path}, line {number}",
                f"has {len(cells)} cells",
                allowed=f"{len(header)}, as in the header",
                cure="put cells that hold a comma into quotation marks",
            )
        rows.append(Row(number, dict(zip(header, cells, strict=True))))
    if not rows:
        raise MaestroError(str(path), "has a header and no rows", cure="add a row for each thing to be said")
    return Table(path, tuple(header), tuple(rows))


def nearest(name: str, names: Iterable[str]) -> str:
    """What to add to a message about an unknown name: the known one that is nearest, nothing if none is near."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def some(names: Sequence[str], most: int = 10) -> str:
    """The first of many names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def many(count: int, one: str, several: str = "") -> str:
    """A count and its noun: "1 file", "2 files"."""
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC), in which a table's cells are."""
    return unicodedata.normalize("NFC", name)


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of each row that is not empty."""
    where = str(path)
    if is_folder(path):
        raise MaestroError(where, "is a folder", allowed="a CSV file")
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MaestroError(f"{where}, line {line}", "is not text in UTF-8", cure=_UTF8) from error
    if "\0" in text:
        raise MaestroError(where, "holds zero bytes: it is no text in UTF-8", cure=_UTF8)
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    found = []
    try:
        for cells in reader:
            clean = [composed(cell).strip() for cell in cells]
            if any(len(cell) > _LONGEST for cell in clean):
                raise csv.Error(f"a cell of more than {_LONGEST} characters")
            if any(clean):
                found.append((reader.line_num, clean))
    except csv.Error as error:
        cure = "close every quotation mark, and write one within a cell twice"
        raise MaestroError(f"{where}, line {reader.line_num}", f"is not CSV: {error}", cure=cure) from error
    return found


def _check_header(path: Path, header: list[str], required: Sequence[str], known: Sequence[str] | None) -> None:
    where = f"{path}, header"
    missing = [column for column in required if column not in header]
    if missing:
        semicolons = len(header) == 1 and any(mark in header[0] for mark in ";\t")
        raise MaestroError(
            where,
            f"has no column {missing[0]!r}; its columns are {some([repr(column) for column in header])}",
            allowed=", ".join(required),
            cure="separate the cells with commas" if semicolons else "name the columns in the first line",
        )
    for number, column in enumerate(header, start=1):
        if not column:
            raise MaestroError(where, f"column {number} has no name", cure="name it, or delete the column")
        if header.count(column) > 1:
            raise MaestroError(where, f"has column {column!r} twice", cure="rename one of them")
        if known is not None and column not in known:
            found = f"unknown column {column!r}{nearest(column, known)}"
            raise MaestroError(where, found, allowed=", ".join(known))
