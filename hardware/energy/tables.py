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
    size, prefix = _prefix(number)
    return f"{_digits(number / size)} {prefix}{unit}"


def cell(found: Quantity | str) -> str:
    """Value and bounds in one unit, 1.38 (1.10 to 2.15) mJ; or the word unavailable."""
    if isinstance(found, str):
        return "unavailable"
    if found.low == found.high:
        return scaled(found.value, found.unit)
    size, prefix = _prefix(found.value)
    value, low, high = (_digits(number / size) for number in (found.value, found.low, found.high))
    return f"{value} ({low} to {high}) {prefix}{found.unit}"


def _prefix(number: float) -> tuple[float, str]:
    if number == 0:
        return _PREFIXES[0]
    return next(((size, prefix) for size, prefix in _PREFIXES if abs(number) >= size), _PREFIXES[-1])


def _digits(number: float) -> str:
    if number >= 999.5:
        return f"{number:.0f}"
    return f"{number:#.3g}".rstrip(".") if number else "0"


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
    """Energies of an inference by device and part, what is unavailable with its reason."""
    rows = []
    for name, device in section["devices"].items():
        for part in PARTS:
            rows.append(_part(f"{name} ({device['network']})", part, device["parts"][part]))
        rows += [_part("", key, device[key]) for key in ("dynamic", "total", "latency", "interval")]
    pace = quantity_of(section["assumed"]["step_time"])
    title = f"Energy of an inference, middle and bounds. Step time assumed: {cell(pace)}"
    return title, ["device", "part", "between", "evidence"], rows


def _part(name: str, part: str, entry: Any) -> list[str]:
    found = quantity_of(entry)
    if isinstance(found, str):
        return [name if part == PARTS[0] else "", part, f"unavailable: {found}", ""]
    return [name if part == PARTS[0] else "", part, cell(found), str(found.evidence)]


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
        times = 1 / (ratio["low"] if ratio["low"] > 1 else ratio["high"])
        bound = "low" if times < 1 else "high"
        if times > 2:
            words = f"{times:.3g} times the {bound} bound"
        else:
            words = f"{abs(times - 1):.1%} {'below' if times < 1 else 'above'} the {bound} bound"
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
