"""Piece identities from ASAP's table (metadata.csv), for the MAESTRO recordings that it has."""

import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from train.data.csv_table import read_table
from train.data.maestro.table import Row
from train.errors import MaestroError

COLUMNS = ("composer", "title", "maestro_midi_performance", "start", "end")
# ASAP may leave out this much of a recording, in seconds: applause, silence, the pause between two parts.
SLACK_S = 10.0
_CURE = "set data.asap to metadata.csv of the ASAP data set, or leave it out"


def read_asap(path: Path, rows: Mapping[str, Row]) -> dict[str, str]:
    """The identity of every recording that ASAP knows from beginning to end.

    ASAP names movements, and often not all that a recording holds: a sonata played whole may stand there with its
    first movement alone. Such a recording is left to its title, or it would be joined with first movements.

    Parameters
    ----------
    path
        ASAP's metadata.csv.
    rows
        MIDI file name -> row of MAESTRO's table.

    Returns
    -------
    dict of MIDI file name -> identity
        'Bach - Fugue_bwv_848 + Prelude_bwv_848', say.

    Raises
    ------
    MaestroError
        The file cannot be read or is not ASAP's; or it knows no recording of the table.
    """
    where = str(path)
    parts: dict[str, list[tuple[float, float, str, str]]] = defaultdict(list)
    table = read_table(path, COLUMNS)
    for row in table.rows:
        cells = row.cells
        name = cells["maestro_midi_performance"].replace("{maestro}/", "").strip()
        if name in rows:
            end = _seconds(table.at(row), "end", cells["end"])
            start = _seconds(table.at(row), "start", cells["start"]) or 0.0
            # Where Schumann's Toccata is played with its repeat ASAP says so: it is the same piece.
            title = cells["title"].removesuffix("_repeat")
            parts[name].append((start, rows[name].duration_s if end is None else end, cells["composer"], title))
    if not parts:
        raise MaestroError(where, "names no recording of the MAESTRO table", cure=_CURE)
    found = {}
    for name, stretches in parts.items():
        stretches.sort()
        covered = 0.0
        for start, end, _, _ in stretches:
            if start > covered + SLACK_S:
                break
            covered = max(covered, end)
        if covered >= rows[name].duration_s - SLACK_S:
            composers = " / ".join(sorted({composer for _, _, composer, _ in stretches}))
            found[name] = f"{composers} - {' + '.join(sorted({title for _, _, _, title in stretches}))}"
    return found


def _seconds(where: str, name: str, cell: str) -> float | None:
    """Seconds of a cell, None if it is empty."""
    if not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise MaestroError(where, f"{name} is {cell!r}", allowed="seconds, or nothing", cure=_CURE)
    return value
