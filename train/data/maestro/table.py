"""The table of MAESTRO v3.0.0, as CSV or as column-oriented JSON, checked row by row."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from train.data import csv_table
from train.data.dataset import SPLITS
from train.data.files import is_file, is_folder, read_json
from train.errors import MaestroError

NAME = "maestro-v3.0.0"
ROWS = 1276
COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)
# Earlier versions have the same columns, and other rows: as many as this.
_EARLIER = {1184: "v1.0.0", 1282: "v2.0.0"}
_CURE = "download maestro-v3.0.0.csv again, whole (magenta.tensorflow.org/datasets/maestro)"
_V3 = "use the table of v3.0.0, which has other recordings and other sides"


@dataclass(frozen=True)
class Row:
    """One recording as the table has it; ``line`` is where it stands, for messages."""

    composer: str
    title: str
    split: str
    year: int
    midi: str
    audio: str
    duration_s: float
    line: str

    @property
    def id(self) -> str:
        """``YEAR__stem``, the stem that of the MIDI file."""
        return f"{self.year}__{PurePosixPath(self.midi).stem}"


def find_table(root: Path, table: str = "") -> Path:
    """The table in MAESTRO's folder, or ``table`` where it is given.

    Raises
    ------
    MaestroError
        No such folder or file, or it cannot be looked at; or only a table of another version.
    """
    if table:
        if not is_file(Path(table)):
            raise MaestroError(table, "no such table", cure="set data.table to maestro-v3.0.0.csv or .json")
        return Path(table)
    if not is_folder(root):
        found = "is a file" if is_file(root) else "no such folder"
        raise MaestroError(str(root), found, cure="set data.root to the folder that holds maestro-v3.0.0.csv")
    for suffix in (".csv", ".json"):
        if is_file(path := root / f"{NAME}{suffix}"):
            return path
    others = sorted(path.name for path in root.glob("maestro-v*") if path.suffix in (".csv", ".json") and is_file(path))
    if others:
        raise MaestroError(str(root), f"holds {', '.join(others)}", allowed=f"{NAME}.csv or .json", cure=_V3)
    below = root / NAME
    cure = (
        f"did you mean {below}?" if is_folder(below) else "set data.root to the folder of the data set, or data.table"
    )
    raise MaestroError(str(root), "holds no table of MAESTRO", allowed=f"{NAME}.csv or .json", cure=cure)


def read_table(path: Path) -> list[Row]:
    """Rows of the table, sorted by id so that their order in the file does not matter.

    Raises
    ------
    MaestroError
        The file cannot be read, is no table of version 3, is cut short, or a row is wrong.
    """
    where = str(path)
    version = re.search(r"maestro-(v[\d.]+)(?=\.(?:csv|json)$)", path.name)
    if version and version[1] != "v3.0.0":
        raise MaestroError(where, f"is MAESTRO {version[1]}'s", allowed="the table of v3.0.0", cure=_V3)
    records = _json_records(path) if path.suffix.lower() == ".json" else _csv_records(path)
    rows = [_row(line, record) for line, record in records]
    if not rows:
        raise MaestroError(where, "has no rows", cure=_CURE)
    if len(rows) in _EARLIER:
        version_name = _EARLIER[len(rows)]
        raise MaestroError(
            where, f"has {len(rows)} rows, as MAESTRO {version_name} has", allowed=f"v3.0.0's {ROWS}", cure=_V3
        )
    _check_once(rows)
    return sorted(rows, key=lambda row: row.id)


def _csv_records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every row as column -> cell, with where it stands."""
    table = csv_table.read_table(path, COLUMNS)
    for row in table.rows:
        yield table.at(row), row.cells


def _json_records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The same of a JSON object of columns, each an object of row number -> cell."""
    where = str(path)
    columns = read_json(path, _CURE)
    if not isinstance(columns, dict) or not all(isinstance(column, dict) for column in columns.values()):
        raise MaestroError(
            where, "is no object of columns", allowed="the layout of v3.0.0; earlier versions have a list", cure=_V3
        )
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise MaestroError(where, f"has no column {missing[0]!r}", allowed=", ".join(COLUMNS), cure=_CURE)
    numbers = list(columns[COLUMNS[0]])
    for name in COLUMNS:
        if set(columns[name]) != set(numbers):
            raise MaestroError(
                where, f"column {name} has other rows than {COLUMNS[0]}: cut short or damaged", cure=_CURE
            )
    for number in numbers:
        yield f"{where}, row {number}", {name: columns[name][number] for name in COLUMNS}


def _row(where: str, record: Mapping[str, Any]) -> Row:
    cells = {name: "" if record[name] is None else csv_table.composed(str(record[name])).strip() for name in COLUMNS}
    for name, cell in cells.items():
        if not cell:
            raise MaestroError(where, f"{name} is empty", cure=_CURE)
    if cells["split"] not in SPLITS:
        raise MaestroError(where, f"split is {cells['split']!r}", allowed=" or ".join(SPLITS), cure=_CURE)
    if not re.fullmatch(r"(19|20)\d\d", cells["year"]):
        raise MaestroError(where, f"year is {cells['year']!r}", allowed="a year of four digits", cure=_CURE)
    for name in ("midi_filename", "audio_filename"):
        path = PurePosixPath(cells[name])
        if path.is_absolute() or ".." in path.parts or "\\" in cells[name]:
            raise MaestroError(where, f"{name} is {cells[name]!r}", allowed="a path inside the data set", cure=_CURE)
    return Row(
        composer=cells["canonical_composer"],
        title=" ".join(cells["canonical_title"].split()),
        split=cells["split"],
        year=int(cells["year"]),
        midi=cells["midi_filename"],
        audio=cells["audio_filename"],
        duration_s=_duration(where, cells["duration"]),
        line=where,
    )


def _duration(where: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise MaestroError(where, f"duration is {cell!r}", allowed="seconds above 0", cure=_CURE)
    return value


def _check_once(rows: list[Row]) -> None:
    """Refuse a file, or an id, that two rows have: the same sound could come to two sides."""
    for name in ("midi", "audio", "id"):
        seen: dict[str, Row] = {}
        for row in rows:
            value = getattr(row, name)
            if value in seen:
                raise MaestroError(row.line, f"has the {name} {value} of {seen[value].line} once more", cure=_CURE)
            seen[value] = row
