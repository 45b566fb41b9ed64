"""What the profiling notebooks of lava-dl print: power, energy, throughput, and where it ran."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hardware.logs.lines import LARGEST, Line
from hardware.measurement import Quantity
from train.errors import MaestroError

# Words of the notebooks (lava-dl tutorials netx/pilotnet_snn/benchmark.ipynb), and our names with their unit.
_POWER = {
    "Total": "power_total_w",
    "Dynamic": "power_dynamic_w",
    "Static": "power_static_w",
    "VDD": "power_vdd_w",
    "VDD-M": "power_vdd_m_w",
    "VDD-IO": "power_vdd_io_w",
}
_ENERGY = {"Total": "energy_total_j", "Dynamic": "energy_dynamic_j"}
THROUGHPUT = "throughput_hz"
_SCALES = {"W": 1.0, "mW": 1e-3, "uW": 1e-6, "J": 1.0, "mJ": 1e-3, "uJ": 1e-6, "fps": 1.0}
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,4})?"
_PRINTED = re.compile(
    r"(?:(?P<power>Total|Dynamic|Static|VDD-IO|VDD-M|VDD) Power"
    r"|(?P<energy>Total|Dynamic) Energy per inference"
    r"|(?P<rate>Throughput))\s*:\s*(?P<rest>.*)"
)
_VALUE = re.compile(rf"({_NUMBER})\s*(W|mW|uW|J|mJ|uJ|fps)\b")
_RUNNING = re.compile(r"Running on (\S+)")
_EXECUTED = re.compile(r"Executor:\s*(\d{1,18}) timesteps\.*\s*Done\s*([\d.]+)\s*(s|ms|us)\b")


@dataclass(frozen=True)
class Printed:
    """What was printed of a run.

    Parameters
    ----------
    notes
        What the numbers say together: that they contradict each other, or that a difference is too small to measure.
    """

    quantities: dict[str, Quantity]
    running_on: str | None
    steps: int | None
    notes: tuple[str, ...]


def printed(lines: Sequence[Line], where: str) -> Printed:
    """Every number that the notebooks print, with the bounds that its last digit gives.

    Raises
    ------
    MaestroError
        A number is missing or without unit, or two runs are in one file.
    """
    found: dict[str, Quantity] = {}
    running_on, steps = None, None
    for line in lines:
        # A notebook's own program stands beside what it printed: f'Total Power   : {total_power:.6f} W'.
        if "{" in line.text:
            continue
        if match := _RUNNING.search(line.text):
            running_on = match[1].rstrip("\"',.")
        if match := _EXECUTED.search(line.text):
            steps = int(match[1])
        if match := _PRINTED.search(line.text):
            name = _name(match)
            quantity = _quantity(match, name, f"{where}, line {line.number}")
            if name in found and found[name] != quantity:
                text = f"has {match[0].split(':')[0].strip()} a second time, {quantity} after {found[name]}"
                raise MaestroError(f"{where}, line {line.number}", text, cure="paste one run a file")
            found[name] = quantity
    return Printed(found, running_on, steps, tuple(_notes(found)))


def _name(match: re.Match[str]) -> str:
    if match["power"]:
        return _POWER[match["power"]]
    return _ENERGY[match["energy"]] if match["energy"] else THROUGHPUT


def _quantity(match: re.Match[str], name: str, at: str) -> Quantity:
    """A printed number, which lies within half a unit of its last digit."""
    value = _VALUE.match(match["rest"].strip())
    what = match[0].split(":")[0].strip()
    unit = {"w": "W", "j": "J", "hz": "1/s"}[name.rsplit("_", 1)[1]]
    fits = value is not None and ("1/s" if value[2] == "fps" else value[2][-1]) == unit
    if value is None or not fits or abs(float(value[1])) > LARGEST:
        text = f"has {what} of {match['rest'].strip()!r}"
        allowed = "a number of fps" if unit == "1/s" else f"a number of {unit} or m{unit}"
        raise MaestroError(at, text, allowed=allowed, cure="paste the line whole")
    scale = _SCALES[value[2]]
    mantissa, _, exponent = value[1].lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    half = 0.5 * float(f"1e{int(exponent or 0) - digits}") * scale
    number = float(value[1]) * scale
    return Quantity(number, unit, "measured", "as printed, to its last digit", number - half, number + half)


def _notes(found: dict[str, Quantity]) -> list[str]:
    notes = []
    total, static, dynamic = (found.get(f"power_{word}_w") for word in ("total", "static", "dynamic"))
    if total and static and dynamic:
        # Each is rounded by itself.
        slack = sum(each.high - each.low for each in (total, static, dynamic))
        if abs(total.value - static.value - dynamic.value) > slack:
            notes.append(f"total less static power is {total.value - static.value:.6g} W, and dynamic {dynamic}")
    if dynamic and dynamic.value <= 0:
        notes.append(f"a dynamic power of {dynamic.value:.6g} W: the difference is below what the method resolves")
    return notes
