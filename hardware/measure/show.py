"""What was measured, as tables for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from hardware.measure.bands import find
from hardware.measure.sweeps import at_batch, ends, sweeps
from hardware.measurement import Quantity, quantity_of
from train.console import emit_table, say

PARTS = ("synapses", "updates", "messages", "static")
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"))


def scaled(number: Quantity | str, digits: int = 3) -> str:
    """A number with an SI prefix and its bounds: ``1.2 mJ (0.9 to 1.6)``; or that it is unavailable, without reason."""
    if isinstance(number, str):
        return "unavailable"
    largest = max(abs(number.low), abs(number.high))
    factor, prefix = next(((f, p) for f, p in _PREFIXES if largest >= f), (1.0, ""))
    value, low, high = (f"{part / factor:.{digits}g}" for part in (number.value, number.low, number.high))
    between = "" if low == high else f" ({low} to {high})"
    return f"{value} {prefix}{number.unit}{between}"


def show(measurement: Mapping[str, Any]) -> None:
    """Print every section that is there, then the reasons for what is not."""
    reasons: dict[str, list[str]] = {}
    for title, columns, rows in _tables(measurement):
        emit_table(title, columns, [[row[0], *(_cell(row[0], entry, reasons) for entry in row[1:])] for row in rows])
    for title, verdicts in _verdicts(measurement):
        say(title)
        for verdict in verdicts:
            say(f"  {verdict}")
    for reason, of in reasons.items():
        say(f"unavailable ({', '.join(dict.fromkeys(of))}): {reason}")


def _cell(name: str, entry: Any, reasons: dict[str, list[str]]) -> str:
    if isinstance(entry, str):
        return entry
    number = entry if isinstance(entry, Quantity) else quantity_of(entry)
    if isinstance(number, str):
        reasons.setdefault(number, []).append(name)
    elif number.unit in ("%", "spikes", "operations", "updates"):
        return _plain(number)
    return scaled(number)


def _plain(number: Quantity) -> str:
    """Without a prefix: per cent, and what is counted."""
    if number.unit == "%":
        return f"{number.value:.1f} % ({number.low:.1f} to {number.high:.1f})"
    if number.low == number.high:
        return f"{number.value:,.0f}"
    return f"{number.value:,.0f} ({number.low:,.0f} to {number.high:,.0f})"


Table = tuple[str, list[str], list[list[Any]]]


def _tables(measurement: Mapping[str, Any]) -> Iterator[Table]:
    sets = measurement["accuracy"]["sets"]
    heads = list(next(iter(sets.values()))["heads"])
    rows = [
        [split, f"{entry['clips']}", *(entry["heads"][head]["accuracy"] for head in heads)]
        for split, entry in sets.items()
    ]
    yield "accuracy (95 % interval)", ["test set", "clips", *heads], rows
    yield _counted(measurement["counters"])
    rows = [
        [name, entry["network"], *(entry["parts"][part] for part in PARTS), entry["total"]]
        for name, entry in measurement["energy"]["devices"].items()
    ]
    title = "estimated energy of an inference (low to high)"
    yield title, ["device", "network", *PARTS, "total"], rows
    found = [
        [f"{device} {network}", batch, *_timed(at_batch(sweep, batch))]
        for (device, network), sweep in sweeps(measurement).items()
        for batch in ends(sweep)
    ]
    yield "baseline, measured", ["device and network", "batch", "latency", "inferences", "energy an inference"], found


def _timed(cell: Mapping[str, Any]) -> list[Quantity | str | dict[str, str]]:
    numbers = [find(cell, key) for key in ("latency", "throughput", "energy_total")]
    return [number if isinstance(number, Quantity) else {"unavailable": number} for number in numbers]


def _counted(section: Mapping[str, Any]) -> Table:
    columns = {
        "spikes_in": "spikes in",
        "axon_out": "spikes",
        "rate": "rate",
        "syn_ops": "syn. ops",
        "dendrite_updates": "updates",
        "footprint": "footprint",
    }
    layers = {**section["layers"], "all": section["total"]}
    rows = [[name, *(entry[key] for key in columns)] for name, entry in layers.items()]
    title = f"counted, means an inference of {section['clips']} clips ({section['set']})"
    return title, ["layer", *columns.values()], rows


def _verdicts(measurement: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    found = measurement["derived"]["break_even"]
    lines = [
        f"{entry['network']} on {entry['device']} against {entry['chip']}: {entry['verdict']}"
        for entry in found["batch"]
        if "verdict" in entry
    ]
    if lines:
        yield "break-even over batch sizes:", lines
    lines = [
        f"{entry['ann']} against {entry['snn']} ({entry['compared']}): {entry['verdict']}"
        for entry in found["firing_rate"]
        if "verdict" in entry
    ]
    if lines:
        yield "break-even over firing rates:", lines
