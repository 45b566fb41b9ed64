"""What follows by arithmetic: energy-delay products, throughput, and where the other side wins."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hardware.report.blocks import Block, Cell, Fold, Missing, Points, Row, Section, Table, Text, cell, words
from hardware.report.format import listed
from hardware.report.sections.measured import device_title
from hardware.report.subject import Subject

_TABLES = {
    "energy_delay_product": "Energy of an inference times its latency, batch 1",
    "throughput": "Inferences a second",
}
_NOTES = {
    "energy_delay_product": "Of processors and GPUs the delay is of synchronised single calls, the energy of calls "
    "made back to back: a single call alone, the device idle before and after, takes more."
}
_MEASURES = {
    "energy_total": "energy, in all",
    "energy_dynamic_bare": "energy above idle",
    "throughput": "inferences a second",
}


def derived(subjects: Sequence[Subject]) -> Section:
    """Energy-delay products and break-evens of every run."""
    blocks: list[Block] = []
    known: list[tuple[Subject, Mapping[str, Any]]] = []
    for subject in subjects:
        section = subject.section("derived")
        if isinstance(section, Missing):
            blocks.append(section)
        else:
            known.append((subject, section))
    for key, caption in _TABLES.items():
        if known:
            blocks.append(_by_device(key, caption, known, _titles(known[0][0])).lean())
    for subject, section in known:
        found = section.get("break_even", {})
        titles = _titles(subject)
        blocks += _batch(subject, found.get("batch", []), titles)
        blocks += _rate(subject, found.get("firing_rate", []), titles)
    return Section("break-even", "Break-even and energy-delay product", blocks)


def _by_device(
    key: str, caption: str, known: Sequence[tuple[Subject, Mapping[str, Any]]], titles: Mapping[str, str]
) -> Table:
    devices = dict.fromkeys(name for _, section in known for name in section.get(key, {}))
    rows = []
    for device in devices:
        cells = []
        for subject, section in known:
            entry = section.get(key, {}).get(device)
            why = {"unavailable": f"{subject.label} was not priced or measured on it"}
            cells.append(cell(entry if entry is not None else why, look=True))
        rows.append(Row(_device(device, titles), tuple(cells)))
    return Table(caption, ("device", *(subject.label for subject, _ in known)), tuple(rows), _NOTES.get(key, ""))


def _titles(subject: Subject) -> dict[str, str]:
    """Devices of the energy section, by key."""
    section = subject.section("energy")
    devices = {} if isinstance(section, Missing) else section["devices"]
    return {name: str(entry.get("title", name)) for name, entry in devices.items()}


def _device(name: str, titles: Mapping[str, str]) -> str:
    """A device's key in words: ``cpu ann, batch 1`` as ``the processor, ANN, batch 1``."""
    if name in titles:
        return titles[name]
    found = re.fullmatch(r"(.+?)(?: (ann|snn))?(, batch \d+)?", name)
    assert found is not None
    network = f", {found[2].upper()}" if found[2] else ""
    return f"{device_title(found[1])}{network}{found[3] or ''}"


def _batch(subject: Subject, entries: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> list[Block]:
    told = [entry for entry in entries if "verdict" in entry]
    blocks: list[Block] = []
    if told:
        rows = tuple(
            Row(
                f"{entry['network'].upper()} on {device_title(entry['device'])}",
                (
                    words(_device(entry["chip"], titles)),
                    words(_MEASURES.get(entry["measure"], entry["measure"])),
                    cell(entry["chip_value"], look=True),
                    Cell(_batch_of(entry["may_win_from"])),
                    Cell(_batch_of(entry["wins_from"])),
                    Cell(_batch_of(entry["surely_wins_from"])),
                    words(entry["verdict"]),
                ),
            )
            for entry in told
        )
        columns = ("device", "against", "in", "the chip's", "may win from", "wins from", "surely wins from", "in words")
        note = (
            "From which batch on the device beats the chip, whose figure does not depend on the batch: as the bounds "
            "allow it, by the values, and whatever lies within the bounds. None: at no batch that was measured."
        )
        blocks.append(Table(f"{subject.label}: break-even over the batch", columns, rows, note, wide=True))
    return [*blocks, *_gone(subject, "break-even over the batch", entries, titles)]


def _batch_of(batch: Any) -> str:
    return "none" if batch is None else f"batch {batch}"


def _rate(subject: Subject, entries: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> list[Block]:
    told = [entry for entry in entries if "verdict" in entry]
    blocks: list[Block] = []
    if told:
        rows = tuple(
            Row(
                f"{_device(entry['snn'], titles)} against the ANN on {_device(entry['ann'], titles)}",
                (words(entry["compared"]), cell(entry["scale"]), cell(entry["rate"]), words(entry["verdict"])),
            )
            for entry in told
        )
        columns = ("devices", "energy", "spikes, times as many", "rate, spikes a neuron and step", "in words")
        note = (
            "The firing at which both take the same energy, every layer's spikes scaled alike: what synapses and "
            "messages take grows with it, what updates and static power take does not."
        )
        blocks.append(Table(f"{subject.label}: break-even over the firing rate", columns, rows, note, wide=True))
    return [*blocks, *_gone(subject, "break-even over the firing rate", entries, titles)]


def _gone(subject: Subject, what: str, entries: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> list[Block]:
    """Pairs that could not be compared, by reason."""
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        if "unavailable" in entry:
            if "device" in entry:
                other = f"the {entry['network'].upper()} on {device_title(entry['device'])}"
            else:
                other = f"the ANN on {_device(entry['ann'], titles)}"
            reasons.setdefault(entry["unavailable"], []).append(other)
    if not entries:
        return [Text(f"{subject.label}, {what}: nothing to compare.")]
    points = tuple(
        f"{why}: {len(of)} {'comparison' if len(of) == 1 else 'comparisons'}, with {listed(list(dict.fromkeys(of)))}"
        for why, of in reasons.items()
    )
    return [Fold(f"{subject.label}: {what}, what could not be compared", (Points(points),))] if points else []
