"""What Intel's compiler printed: tables of both generations, violations, and whether it came to an end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hardware.logs.lines import Line
from hardware.placement.limits import COLUMNS
from train.errors import MaestroError

# The newer compiler's column of all memory together.
TOTAL = "Total"
CORES = "Cores"
_CURE = "paste it whole, from its heading to the line with Total"

_VIOLATION = re.compile(
    r"Violation core_id=(?P<core>\d{1,9}) reg_name=['\"]?(?P<register>\w+)['\"]? "
    r"(?:last_)?allocation=(?P<allocation>\d{1,12}) "
    r"(?:[\w.]*registers\[\w+\]|limit)=(?P<limit>\d{1,12})(?!\d)"
)
_CONVERGED = re.compile(r"Partitioning converged after iteration=(\d{1,9})(?!\d)")
_NOT_CONVERGED = "Partitioning could not converge"
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?%?")
_CORES = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class TableRow:
    """A layer: its columns as printed (counts, or per cent of what a core holds), its cores, its tile if it has one."""

    values: dict[str, float]
    cores: int
    note: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**self.values, CORES: self.cores, "note": self.note or None}


@dataclass(frozen=True)
class Table:
    """A table of the compiler's; rows as printed, the last layer first.

    Parameters
    ----------
    unit
        ``count`` (compiler of 2022, means over a layer's cores) or ``percent`` (newer, its fullest core).
    signs
        Whether per cent were printed as such, and not known by the table's form alone.
    """

    line: int
    unit: Literal["count", "percent"]
    rows: tuple[TableRow, ...]
    total: int
    signs: bool = True

    @property
    def compiler(self) -> str:
        """Which generation prints so: a name of ``limits.COMPILERS``."""
        return "2022" if self.unit == "count" else "newer"

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        rows = [row.as_dict() for row in self.rows]
        return {"line": self.line, "compiler": self.compiler, "unit": self.unit, "rows": rows, "cores": self.total}


@dataclass(frozen=True)
class Violation:
    """A core that was too full when it was tried, and by what."""

    core: int
    register: str
    allocation: int
    limit: int


def violations(lines: Sequence[Line], where: str) -> list[Violation]:
    """Every violation that was printed, in order.

    Raises
    ------
    MaestroError
        One breaks off, or is of no limit.
    """
    found = []
    for line in lines:
        matches = list(_VIOLATION.finditer(line.text))
        at = f"{where}, line {line.number}"
        if line.text.count("Violation core_id") > len(matches):
            allowed = "core_id, reg_name, allocation and registers[...]"
            raise MaestroError(at, "has a violation that breaks off", allowed=allowed, cure="paste the line whole")
        if any(int(match["limit"]) == 0 for match in matches):
            raise MaestroError(at, "has a violation of a limit of 0", cure="paste the line whole")
        for match in matches:
            core, allocation, limit = (int(match[name]) for name in ("core", "allocation", "limit"))
            found.append(Violation(core, match["register"], allocation, limit))
    return found


def converged(lines: Sequence[Line]) -> tuple[bool | None, int | None]:
    """Whether the compiler came to an end, None if it says nothing, and after how many iterations if it says so."""
    for line in reversed(lines):
        if match := _CONVERGED.search(line.text):
            return True, int(match[1])
        if _NOT_CONVERGED in line.text:
            return False, None
    return None, None


def tables(lines: Sequence[Line], where: str) -> list[Table]:
    """Every table, in order.

    Raises
    ------
    MaestroError
        A table without heading or end, a row that is no row, or rows that do not add up: names the line.
    """
    found: list[Table] = []
    heading: list[str] | None = None
    start, rows = 0, list[TableRow]()
    marks: set[str] = set()
    for line in lines:
        cells, note = _cells(line.text)
        at = f"{where}, line {line.number}"
        if "AxonIn" in cells:
            if heading is not None:
                raise _unended(where, start)
            heading, start, rows, marks = _heading(cells, at), line.number, [], set()
        elif heading is None:
            _refuse_loose(cells, at)
        elif cells and cells[0].startswith(TOTAL):
            found.append(_table(start, rows, marks | {TOTAL} & set(heading), cells, at))
            heading = None
        elif cells and not all(set(cell) <= {"-", ":"} for cell in cells):
            row, found_marks = _row(cells, note, heading, at)
            rows.append(row)
            marks |= found_marks
    if heading is not None:
        raise _unended(where, start)
    return found


def _cells(text: str) -> tuple[list[str], str]:
    """Cells of a row between bars, and what stands after the last."""
    first, last = text.find("|"), text.rfind("|")
    if first == last:
        return [], ""
    return [cell.strip() for cell in text[first + 1 : last].split("|")], text[last + 1 :].strip()


def _heading(cells: list[str], at: str) -> list[str]:
    expected = [*COLUMNS, CORES]
    if cells not in (expected, [*COLUMNS, TOTAL, CORES]):
        raise MaestroError(at, f"has a heading of {', '.join(cells)}", allowed=", ".join(expected), cure=_CURE)
    return cells


def _refuse_loose(cells: list[str], at: str) -> None:
    """Rows of numbers alone are of a table whose heading is missing."""
    if len(cells) >= len(COLUMNS) and all(_NUMBER.fullmatch(cell) for cell in cells):
        raise MaestroError(at, "is a row of the compiler's table without its heading", cure=_CURE)


def _row(cells: list[str], note: str, heading: list[str], at: str) -> tuple[TableRow, set[str]]:
    """A row, and what its values are written with: "%", else "." or nothing."""
    if len(cells) != len(heading):
        raise MaestroError(at, f"has {len(cells)} columns", allowed=f"{len(heading)}, as the heading", cure=_CURE)
    for cell in cells:
        if not _NUMBER.fullmatch(cell):
            raise MaestroError(at, f"has {cell!r} in a column of numbers", cure=_CURE)
    if not _CORES.fullmatch(cells[-1]):
        raise MaestroError(at, f"has {cells[-1]} cores", allowed="a whole number", cure=_CURE)
    values = {name: float(cell.rstrip("%")) for name, cell in zip(heading[:-1], cells, strict=False)}
    return TableRow(values, int(cells[-1]), note), {_mark(cell) for cell in cells[:-1]}


def _mark(cell: str) -> str:
    return "%" if cell.endswith("%") else "." if "." in cell else ""


def _table(start: int, rows: list[TableRow], marks: set[str], cells: list[str], at: str) -> Table:
    if not rows:
        raise MaestroError(at, "ends a table without rows", cure=_CURE)
    if "%" in marks and marks & {".", ""}:
        raise MaestroError(at, "ends a table of counts and of per cent", allowed="one of the two", cure=_CURE)
    if not _CORES.fullmatch(cells[-1]):
        raise MaestroError(at, f"has {cells[-1]!r} as total", allowed="a number of cores", cure=_CURE)
    total, added = int(cells[-1]), sum(row.cores for row in rows)
    if total != added:
        raise MaestroError(at, f"says {total} cores, and the rows come to {added}: some are missing", cure=_CURE)
    if marks == {""}:
        return Table(start, "count", tuple(rows), total)
    signs = "%" in marks
    if not signs:
        _require_shares(rows, at)
    return Table(start, "percent", tuple(rows), total, signs)


def _require_shares(rows: list[TableRow], at: str) -> None:
    """Refuse numbers without sign that are neither: a column Total and decimals are of per cent, over 100 of counts."""
    for row in rows:
        for name, value in row.values.items():
            if value > 100:
                text = f"ends a table with Total or decimals, as per cent have, and {name} of {value:g}, as counts have"
                raise MaestroError(at, text, allowed="one of the two", cure=_CURE)


def _unended(where: str, start: int) -> MaestroError:
    return MaestroError(
        f"{where}, line {start}", "begins a table that does not end", allowed="a line Total", cure=_CURE
    )
