"""Energies as tables: for a terminal, and as Markdown."""

from collections.abc import Mapping
from typing import Any

from hardware.energy.profile import PARTS, load_profiles
from hardware.energy.validate import validation
from hardware.measurement import Quantity, quantity_of

_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"))
Table = tuple[str, list[str], list[list[str]]]


def scaled(number: float, unit: str) -> str:
    """Three digits and a prefix: 1.66 mJ."""
    if number == 0:
        return f"0 {unit}"
    size, prefix = next(((size, prefix) for size, prefix in _PREFIXES if abs(number) >= size), _PREFIXES[-1])
    digits = f"{number / size:#.3g}".rstrip(".")
    return f"{digits} {prefix}{unit}"


def cell(found: Quantity | str) -> str:
    """Value and bounds, or a dash for what is unavailable."""
    if isinstance(found, str):
        return "unavailable"
    if found.low == found.high:
        return scaled(found.value, found.unit)
    return f"{scaled(found.value, found.unit)} ({scaled(found.low, found.unit)} to {scaled(found.high, found.unit)})"


def devices_table() -> list[Table]:
    """Every device with its constants and their sources."""
    tables = []
    for profile in load_profiles():
        rows = [
            [
                constant.name,
                _between(constant.low, constant.high, constant.unit),
                constant.per or "number",
                constant.evidence,
                constant.source,
            ]
            for constant in profile.constants.values()
        ]
        rows += [[part, "none", "", "", why] for part, why in profile.unpriced.items()]
        title = f"{profile.name}: {profile.title}. {profile.applies}. Left out: {'; '.join(profile.leaves_out)}"
        tables.append((title, ["constant", "between", "per", "evidence", "source"], rows))
    return tables


def section_table(section: Mapping[str, Any]) -> Table:
    """Energies of an inference by device and part."""
    rows = []
    for name, device in section["devices"].items():
        found = [quantity_of(device["parts"][part]) for part in PARTS]
        sums = [quantity_of(device[key]) for key in ("dynamic", "total")]
        rows.append([f"{name} ({device['network']})", *map(cell, (*found, *sums))])
    pace = quantity_of(section["assumed"]["step_time"])
    title = f"Energy of an inference: middle and bounds. Step time assumed: {cell(pace)}"
    return title, ["device", *PARTS, "dynamic", "total"], rows


def check_table() -> Table:
    """Prediction beside measurement."""
    rows = [_checked(row) for row in validation()]
    title = "What the constants foretell beside what silicon measured, an inference"
    return title, ["network", "quantity", "constants", "predicted", "measured", "ratio", "measurement is"], rows


def summary() -> list[str]:
    """The same as Markdown; in this folder's README."""
    _, columns, rows = check_table()
    return [f"| {' | '.join(line)} |" for line in (columns, ["---"] * len(columns), *rows)]


def explanations() -> list[str]:
    """A line for each miss and each row that is no test."""
    return [
        f"{row['network']}, {row['quantity']}, {row['profile']}: {row['explained']}"
        for row in validation()
        if row["explained"]
    ]


def verdict(row: Mapping[str, Any]) -> str:
    """Whether the measurement lies inside the bounds, by how much not, and whether it could have been otherwise."""
    ratio = row["ratio"]
    if "unavailable" in ratio:
        return "unavailable"
    if row["inside"]:
        words = "inside"
    else:
        below = ratio["low"] > 1
        miss = ratio["low"] - 1 if below else 1 / ratio["high"] - 1
        size = f"{miss:.1%}" if miss < 1 else f"{miss + 1:.3g} times"
        words = f"{size} {'below' if below else 'above'}"
    if row["profile"] == "published":
        return "the same"
    return words if row["test"] else f"{words}, no test"


def _checked(row: Mapping[str, Any]) -> list[str]:
    ratio = row["ratio"]
    ratios = "" if "unavailable" in ratio else f"{ratio['value']:.3g} ({ratio['low']:.3g} to {ratio['high']:.3g})"
    names = [row["network"], row["quantity"], row["profile"]]
    return [*names, *(cell(quantity_of(row[key])) for key in ("predicted", "measured")), ratios, verdict(row)]


def _between(low: float, high: float, unit: str) -> str:
    def one(number: float) -> str:
        return f"{number:g}" if unit == "1" else scaled(number, unit)

    return one(low) if low == high else f"{one(low)} to {one(high)}"
