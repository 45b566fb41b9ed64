"""What was measured, as tables for people."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hardware.measure.bands import find
from hardware.measure.sweeps import at_batch, ends, sweeps
from hardware.measurement import Quantity, exact, quantity_of
from hardware.report.format import THIN, amount
from train.console import emit_table, say


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


def told(number: Quantity) -> str:
    """A number for a table; what is counted and rates without their unit, which the heading tells."""
    unit = "" if number.unit in ("spikes", "values", "spikes a neuron and step") else number.unit
    text = amount(dataclasses.replace(number, unit=unit))
    # A table on a terminal is broken at any space, also at those that should keep digits together.
    return re.sub(f"(?<=\\d){THIN}(?=\\d)", ",", text).replace(THIN, " ")


def _cell(name: str, entry: Any, reasons: dict[str, list[str]]) -> str:
    if isinstance(entry, str):
        return entry
    number = entry if isinstance(entry, Quantity) else quantity_of(entry)
    if isinstance(number, str):
        reasons.setdefault(number, []).append(name)
        return "unavailable"
    return told(number)


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
    columns = ("dynamic", "static", "total", "latency")
    rows = [
        [name, entry["network"], entry["dynamic"], entry["parts"]["static"], entry["total"], entry["latency"]]
        for name, entry in measurement["energy"]["devices"].items()
    ]
    yield "energy of an inference, estimated (low to high)", ["device", "network", *columns], rows
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
    rows = [[name, *(_mean(entry[key]) for key in columns)] for name, entry in section["layers"].items()]
    rows.append(["all", *(section["total"][key] for key in columns)])
    title = f"counted, means an inference of {section['clips']} clips ({section['set']})"
    return title, ["layer", *columns.values()], rows


def _mean(entry: Any) -> Any:
    """A mean without its interval, which the sum over layers has."""
    number = quantity_of(entry)
    return entry if isinstance(number, str) else exact(number.value, number.unit, number.method)


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
