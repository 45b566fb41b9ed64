"""What a page is made of: headings, text, tables and pictures, as data that the templates write."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from hardware.measurement import Quantity
from hardware.report.format import amount, read


@dataclass(frozen=True)
class Cell:
    """A table's cell.

    Parameters
    ----------
    look
        What the number rests on (an evidence class, written beside it), or nothing.
    missing
        Why there is no number; then the cell says ``unavailable`` and the reason stands under the table.
    """

    text: str
    look: str = ""
    missing: str = ""
    number: bool = True


def cell(entry: Any, *, look: bool = False) -> Cell:
    """A number of ``measurement.json`` as a cell, with its evidence class if ``look``."""
    found = entry if isinstance(entry, Quantity) else read(entry)
    if isinstance(found, str):
        return Cell("unavailable", missing=found)
    return Cell(amount(found), look=str(found.evidence) if look else "")


def words(text: str) -> Cell:
    """A cell of words."""
    return Cell(text, number=False)


@dataclass(frozen=True)
class Row:
    """A table's row with its heading; ``group`` begins a group of rows."""

    head: str
    cells: tuple[Cell, ...] = ()
    group: bool = False


@dataclass(frozen=True)
class Table:
    """A table: ``columns[0]`` is the heading over the rows' headings."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""
    wide: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why numbers are missing, each reason once, in the order they are met."""
        return tuple(dict.fromkeys(one.missing for row in self.rows for one in row.cells if one.missing))

    def lean(self) -> "Table":
        """Without rows that have no number at all, which are named with their reasons below; as it is if none has."""
        empty = [row for row in self.rows if row.cells and all(one.missing for one in row.cells)]
        kept = [row for row in self.rows if row not in empty]
        if not empty or not any(row.cells for row in kept):
            return self
        of: dict[str, list[str]] = {}
        for row in empty:
            of.setdefault("; ".join(dict.fromkeys(one.missing for one in row.cells)), []).append(row.head)
        told = " ".join(f"Unavailable: {', '.join(heads)} ({why})." for why, heads in of.items())
        return replace(self, rows=tuple(kept), note=f"{self.note} {told}".strip())

    def mark(self, reason: str) -> str:
        """The letter of a reason."""
        place = self.reasons.index(reason)
        return chr(ord("a") + place) if place < 26 else str(place - 25)


@dataclass(frozen=True)
class Figure:
    """A picture.

    Parameters
    ----------
    name
        Its id on the page.
    svg
        Inline, safe: drawn by matplotlib, which escapes its texts.
    label
        What it is, in a few words, for readers who do not see it.
    caption
        What is seen, in numbers, and how it was measured.
    width_px
        Below this width it scrolls inside its own box.
    """

    kind: ClassVar[str] = "figure"
    name: str
    svg: str
    label: str
    caption: str
    width_px: int


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side where there is room."""

    kind: ClassVar[str] = "gallery"
    figures: tuple[Figure, ...]
    least_px: int = 420


@dataclass(frozen=True)
class Text:
    """A paragraph; what stands between backticks is a command or a file."""

    kind: ClassVar[str] = "text"
    text: str
    lead: bool = False


@dataclass(frozen=True)
class Points:
    """A list."""

    kind: ClassVar[str] = "points"
    points: tuple[str, ...]


@dataclass(frozen=True)
class Missing:
    """What stands where there is nothing to show: of which run, why, and the command that makes it."""

    kind: ClassVar[str] = "missing"
    of: str
    why: str
    command: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading below the section's."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Fold:
    """Detail that a reader opens; shown in print whether open or not."""

    kind: ClassVar[str] = "fold"
    title: str
    blocks: tuple[Any, ...]
    open: bool = False


Block = Table | Figure | Gallery | Text | Points | Missing | Heading | Fold


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    id: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
