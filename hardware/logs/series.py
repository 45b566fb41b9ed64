"""Power and time as series: saved as .npy, .npz or .csv, or numpy arrays as Python prints them."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.logs.lines import LARGEST, Line
from hardware.measurement import Quantity
from train.errors import MaestroError

Values = NDArray[np.float64]
SUFFIXES = (".npy", ".npz", ".csv")
# Batches whose means are taken for independent, and Student's t for as many less one at 95 %.
BATCHES = 10
_STUDENT = 2.262
# Samples of one board's supply; fewer have no batches.
_FEWEST = 2 * BATCHES

# Words in a series' name, the first that fits: what it is, and its unit.
_KINDS = (
    (r"static.*vdd_?-?io|vdd_?-?io.*static", "power_static_vdd_io_w"),
    (r"static.*vdd_?-?m|vdd_?-?m.*static", "power_static_vdd_m_w"),
    (r"static.*vdd|vdd.*static", "power_static_vdd_w"),
    (r"static", "power_static_w"),
    (r"vdd_?-?io", "power_vdd_io_w"),
    (r"vdd_?-?m", "power_vdd_m_w"),
    (r"vdd", "power_vdd_w"),
    (r"time_per_step|step_time|time_us", "time_per_step_s"),
    (r"dynamic", "power_dynamic_w"),
    (r"power|watt|_w$", "power_total_w"),
)
_PRINTED = re.compile(r"(?<![\w.])(?P<name>[A-Za-z_][\w.]*)\s*[=:]\s*(?:array\()?\[(?P<values>[^\]]*)\]?")
# The profiler's times are in microseconds (lava-dl tutorials netx/pilotnet_snn/benchmark.ipynb).
_MICROSECOND = 1e-6


def read_series(path: Path) -> dict[str, Values]:
    """Series of a file, by name; a single one without name has the file's.

    Raises
    ------
    MaestroError
        Missing, damaged, not numbers, empty, or of several dimensions.
    """
    if not path.is_file():
        raise MaestroError(str(path), "no such file")
    try:
        found = _csv(path) if path.suffix == ".csv" else _arrays(path)
    except Exception as error:  # numpy, zipfile and zlib raise whatever a damaged file leads them to
        why = str(error) or type(error).__name__
        raise MaestroError(str(path), f"cannot be read as {path.suffix}: {why}", cure="save it again") from error
    if not found:
        raise MaestroError(str(path), "has no series")
    return {name: _checked(values, f"{path}, {name}") for name, values in found.items()}


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """Arrays of a file of numpy's."""
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        return {path.stem: loaded} if isinstance(loaded, np.ndarray) else dict(loaded)


def _csv(path: Path) -> dict[str, NDArray[np.generic]]:
    """Columns of a CSV file, under the names of its first line if that has any."""
    rows = [row for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if any(map(str.strip, row))]
    if not rows:
        return {}
    try:
        [float(cell) for cell in rows[0]]
        names = [path.stem] if len(rows[0]) == 1 else [f"{path.stem}{index + 1}" for index in range(len(rows[0]))]
    except ValueError:
        names, rows = [cell.strip() for cell in rows[0]], rows[1:]
    if any(len(row) != len(names) for row in rows):
        raise ValueError("lines of different lengths")
    if len(set(names)) < len(names):
        raise ValueError("a name twice")
    return {name: np.array([float(row[index]) for row in rows]) for index, name in enumerate(names)}


def _checked(values: NDArray[np.generic], where: str) -> Values:
    # What else lies in an archive comes as bytes.
    kind = values.dtype if isinstance(values, np.ndarray) else np.dtype(bytes)
    if kind.kind not in "iuf":
        raise MaestroError(where, f"is of type {kind}", allowed="real numbers")
    with np.errstate(over="ignore"):
        array = np.atleast_1d(np.squeeze(values)).astype(np.float64)
    if array.ndim != 1 or not array.size:
        raise MaestroError(where, f"has shape {np.shape(values)}", allowed="one row of samples")
    if not np.isfinite(array).all():
        raise MaestroError(where, "has samples that are no numbers (NaN or infinite)")
    if (largest := float(np.abs(array).max())) > LARGEST:
        raise MaestroError(where, f"has a sample of {largest:g}", allowed="watts, or microseconds")
    return array


def printed_series(lines: Sequence[Line], where: str) -> dict[str, Values]:
    """Arrays of power or time per step that were printed: ``name = array([...])`` or ``name: [...]``, over lines too.

    Raises
    ------
    MaestroError
        numpy left samples out ("..."), one breaks off, or something in it is no number.
    """
    text = "\n".join(line.text for line in lines)
    starts: dict[str, int] = {}
    found: dict[str, Values] = {}
    for match in _PRINTED.finditer(text):
        name = match["name"].rsplit(".", 1)[-1]
        if _kind(name) is None:
            continue
        number = lines[text.count("\n", 0, match.start())].number
        at = f"{where}, line {number}, {name}"
        if "..." in match["values"]:
            cure = "save it with np.save, or print it after np.set_printoptions(threshold=sys.maxsize)"
            raise MaestroError(at, 'is an array that numpy shortened with "..."', cure=cure)
        if not match[0].endswith("]"):
            raise MaestroError(at, "is an array that breaks off", cure="paste it whole, to its closing bracket")
        try:
            values = np.array([float(word) for word in match["values"].replace(",", " ").split()])
        except ValueError as error:
            raise MaestroError(at, f"has something in it that is no number: {error}") from error
        if name in found:
            raise MaestroError(at, f"is there a second time, after line {starts[name]}", cure="paste one run a file")
        starts[name], found[name] = number, _checked(values, at)
    return found


def quantities(series: Mapping[str, Values], where: str) -> dict[str, Quantity]:
    """Means of series with their bounds, and dynamic power where it is not itself there, but total and static are.

    Raises
    ------
    MaestroError
        Two series are of one kind, by their names.
    """
    found: dict[str, Quantity] = {}
    named: dict[str, str] = {}
    for name, values in series.items():
        kind = _kind(name)
        if kind is None:
            continue
        if kind in named:
            cure = "keep one, or give them names that say what they are, as total_power and static_power do"
            raise MaestroError(where, f"{named[kind]} and {name} would both be {kind}", cure=cure)
        named[kind] = name
        found[kind] = mean(values * (_MICROSECOND if kind.endswith("_s") else 1.0), kind)
    total, static = found.get("power_total_w"), found.get("power_static_w")
    if total is not None and static is not None and "power_dynamic_w" not in found:
        low, high = total.low - static.high, total.high - static.low
        method = "mean total less mean static power; bounds of both"
        found["power_dynamic_w"] = Quantity(total.value - static.value, "W", "measured", method, low, high)
    return found


def _kind(name: str) -> str | None:
    return next((kind for word, kind in _KINDS if re.search(word, name.lower())), None)


def mean(values: Values, kind: str) -> Quantity:
    """The mean of a series.

    Samples that follow each other are not independent, so that the bounds are 95 % by the means of ten batches; those
    of a few samples are the smallest and largest.
    """
    unit = "s" if kind.endswith("_s") else "W"
    value = float(values.mean())
    if values.size == 1:
        return Quantity(value, unit, "measured", "one sample", value, value)
    if values.size < _FEWEST:
        # A mean of equal samples may be off by a rounding.
        low, high = min(value, float(values.min())), max(value, float(values.max()))
        return Quantity(value, unit, "measured", f"mean of {values.size} samples, smallest to largest", low, high)
    batches = np.array([batch.mean() for batch in np.array_split(values, BATCHES)])
    half = _STUDENT * float(batches.std(ddof=1)) / BATCHES**0.5
    method = f"mean of {values.size} samples, 95 % by the means of {BATCHES} batches"
    return Quantity(value, unit, "measured", method, value - half, value + half)
