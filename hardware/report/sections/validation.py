"""Predictions beside what silicon measured of networks whose counts and joules are both published."""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.measure.bands import find
from hardware.measurement import Quantity
from hardware.report.blocks import Block, Cell, Figure, Fold, Heading, Missing, Points, Row, Table, Text, cell, words
from hardware.report.figures.energy import Band, bands

_TITLES = {"published": "published power times time"}
# Beyond these multiples a prediction is told in words: the others would be too small to read.
_LIMITS = (0.1, 10.0)


def held_against_silicon(section: Mapping[str, Any]) -> list[Block]:
    """A picture of the ratios, the numbers as a table, and why what misses does."""
    entries = section.get("validation") or []
    if not entries:
        return [Missing("validation", "no network with published counts and joules was given")]
    titles = _TITLES | {name: str(entry.get("title", name)) for name, entry in section["devices"].items()}
    columns = ("network", "constants", "quantity", "predicted", "measured", "ratio", "in the band")
    rows = tuple(_row(entry, titles) for entry in entries)
    table = Table("Prediction beside what silicon measured", columns, rows, wide=True)
    blocks: list[Block] = [Heading("Held against silicon"), _picture(entries, titles), table]
    if missed := _explained(entries, titles, inside=False):
        blocks += [Text("Where the measurement lies outside the band:"), Points(missed)]
    if hit := _explained(entries, titles, inside=True):
        blocks.append(Fold("Where it lies inside", (Points(hit),)))
    return blocks


def _by(entry: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    profile = str(entry.get("profile", ""))
    return titles.get(profile, profile)


def is_test(entry: Mapping[str, Any]) -> bool:
    """Whether agreement could have failed: no constant of the prediction was taken from this very measurement."""
    return bool(entry.get("test", True)) and "no test" not in str(entry.get("explained", ""))


def _ratio(entry: Mapping[str, Any]) -> Quantity | str:
    """Predicted over measured, on the evidence of the prediction."""
    ratio, predicted = entry["ratio"], find(entry, "predicted")
    if "unavailable" in ratio:
        return str(ratio["unavailable"])
    basis: Any = ("estimated", "derived") if isinstance(predicted, str) else (predicted.kind, predicted.evidence)
    how, ends = "predicted over measured", (ratio["low"], ratio["high"])
    return Quantity(ratio["value"], "1", basis[0], how, *ends, basis[1])


def _row(entry: Mapping[str, Any], titles: Mapping[str, str]) -> Row:
    both = (cell(entry[key], look=True) for key in ("predicted", "measured"))
    ratio = _ratio(entry)
    if isinstance(ratio, str):
        inside = words("unknown")
    elif is_test(entry):
        inside = words("yes" if entry["inside"] else "no")
    else:
        inside = words(f"{'yes' if entry['inside'] else 'no'}, by construction")
    shown = Cell("unavailable", missing=ratio) if isinstance(ratio, str) else cell(ratio)
    what = (words(_by(entry, titles)), words(entry["quantity"]))
    return Row(entry["network"], (*what, *both, shown, inside))


def _picture(entries: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Figure:
    drawn: dict[str, list[Band]] = {}
    for entry in entries:
        head = f"{entry['network']}, {entry['quantity']}"
        group = drawn.setdefault(head, [Band(head, None, group=True)])
        marked = "" if is_test(entry) or isinstance(_ratio(entry), str) else ", by construction"
        group.append(Band(f"by {_by(entry, titles)}{marked}", _ratio(entry), total=False))
    label = "Energies predicted, as multiples of what silicon measured"
    tests = [entry for entry in entries if is_test(entry)]
    hit = sum(bool(entry["inside"]) for entry in tests)
    caption = (
        f"{label}, on a log axis, each with what it was predicted from. Of {len(tests)} that are a test, {hit} "
        f"{'has' if hit == 1 else 'have'} the measurement, the line at 1, in the band; ◂ marks what lies beyond the "
        "axis."
    )
    if rest := sum(not is_test(entry) and not isinstance(_ratio(entry), str) for entry in entries):
        caption += (
            f" Not counted: {rest} marked by construction, which are published figures against themselves, or were "
            "predicted, in whole or in their static part, from this very measurement."
        )
    if hit < len(tests):
        caption += " Why the others miss it stands below the table."
    shown = [band for group in drawn.values() for band in group]
    options: dict[str, Any] = {"unit": "1", "title": "predicted over measured", "reference": 1.0, "limits": _LIMITS}
    return bands("energy-validation", label, caption, shown, **options)


def _explained(entries: Sequence[Mapping[str, Any]], titles: Mapping[str, str], *, inside: bool) -> tuple[str, ...]:
    return tuple(
        f"{entry['network']}, {entry['quantity']}, by {_by(entry, titles)}: {entry['explained']}"
        for entry in entries
        if bool(entry["inside"]) == inside and entry.get("explained")
    )
