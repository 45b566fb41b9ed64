"""The verb ``robustness``: try a run, file, draw and print what was found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hardware.measurement import Quantity, quantity_of
from hardware.report.sections.measured import SHORT
from hardware.robustness.curves import Point, curve, heads, kinds, main_head
from hardware.robustness.figures import draw
from hardware.robustness.measure import measure_robustness
from train.artifacts import RunFolder
from train.console import emit_json, emit_table, say

_MEASURED = {
    True: "the clean clips are right exactly as often as `measure` found",
    False: "the clean clips are not right as often as `measure` found: call it again",
}


def robustness(path: Path, limit: int | None, folder: Path | None, workers: int, again: bool, as_json: bool) -> int:
    """Measure, file, draw and print.

    Returns
    -------
    int
        0.

    Raises
    ------
    CallError, MaestroError
        As :func:`hardware.robustness.measure.measure_robustness`.
    """
    run = RunFolder(path)
    section = measure_robustness(run, limit=limit, folder=str(folder or ""), workers=workers, again=again)
    pictures = draw(section, run.path)
    if as_json:
        emit_json(section)
    else:
        _show(section)
    if section["as_measured"] is not None:
        say(_MEASURED[section["as_measured"]])
    say(f"filed as robustness in {run.measurement}; drawn: {', '.join(picture.name for picture in pictures)}")
    return 0


def _show(section: Mapping[str, Any]) -> None:
    """One table an axis and test set: a line a head, or kind of noise, and a column a value."""
    head = main_head(section)
    say("accuracy in per cent with 95 % intervals")
    for axis, words in section["axes"].items():
        for split, entry in section["clean"]["sets"].items():
            if axis == "noise":
                lines = {kind: curve(section, axis, split, head, kind) for kind in kinds(section)}
            else:
                lines = {each: curve(section, axis, split, each) for each in heads(section)}
            of_head = f"{head}, " if axis == "noise" else ""
            title = f"{words['title']}, {words['unit']}: {of_head}{SHORT.get(split, split)}, {entry['clips']} clips"
            columns = [point.text for point in next(iter(lines.values()))]
            emit_table(title, ["", *columns], [[name, *map(_cell, points)] for name, points in lines.items()])


def _cell(point: Point) -> str:
    found = quantity_of(point.found)
    if not isinstance(found, Quantity):
        return "unavailable"
    # Without a space, so that no cell is broken in two.
    return f"{found.value:.1f}\N{NO-BREAK SPACE}({found.low:.0f}\N{EN DASH}{found.high:.0f})"
