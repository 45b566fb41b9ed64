"""Energies of an inference: estimated as bands, measured where something was, and what the bands rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hardware.measure.bands import find
from hardware.measurement import Quantity
from hardware.report.blocks import Block, Cell, Fold, Missing, Points, Row, Section, Table, Text, cell, words
from hardware.report.figures.energy import Band, bands, over_step_time
from hardware.report.format import listed, number, prefix_of, told, with_unit
from hardware.report.sections.measured import measured_energies
from hardware.report.sections.validation import held_against_silicon
from hardware.report.subject import Subject

_READ = "Hatched and dotted bars are estimates, plain ones with a dot measurements."
_ANALOG = "Chips are reckoned as if analog dendrites could be realised there: they run in the simulator alone."
_PARTS = {"synapses": "synapses", "updates": "updates", "messages": "messages", "static": "static"}


def energy(subjects: Sequence[Subject]) -> Section:
    """Bands, their parts, what they depend on, and how they fared against silicon."""
    blocks: list[Block] = []
    known: list[tuple[Subject, Mapping[str, Any]]] = []
    for subject in subjects:
        section = subject.section("energy")
        if isinstance(section, Missing):
            blocks.append(section)
        else:
            known.append((subject, section))
    if len(subjects) > 1:
        blocks.append(_side_by_side(subjects, known))
    for subject, section in known:
        blocks += _of_run(subject, section)
    if known:
        blocks += [*held_against_silicon(known[0][1]), _constants([section for _, section in known])]
    return Section("energy", "Energy", blocks)


def _side_by_side(subjects: Sequence[Subject], known: Sequence[tuple[Subject, Mapping[str, Any]]]) -> Block:
    rows: list[Band] = []
    devices = dict.fromkeys(name for _, section in known for name in section["devices"])
    # An ANN of the page is the one to show of all that are priced beside the spiking runs.
    with_ann = any(not subject.spiking for subject, _ in known)
    for device in devices:
        first = True
        for subject, section in known:
            entry = section["devices"].get(device)
            if entry is None or (with_ann and subject.spiking and entry["network"] == "ann"):
                continue
            rows.append(replace(_whole(entry, device, f"{subject.label} · "), group=first))
            first = False
    measured: dict[tuple[str, Quantity], list[str]] = {}
    for subject in subjects:
        for head, found in measured_energies(subject).items():
            if isinstance(found, Quantity):
                measured.setdefault((head, found), []).append(subject.label)
    for place, ((head, found), labels) in enumerate(measured.items()):
        # What was measured of the same network for several runs is one bar.
        of = f"{labels[0]} · " if len(labels) == 1 else ""
        rows.append(Band(f"{of}{head}", found, group=place == 0))
    if not measured:
        rows.append(Band("measured", "no energy was measured", group=True))
    label = "Energy of an inference, runs side by side"
    text = f"{label}: low to high on a log axis; the stroke is the value. {_READ} {_told(rows)}"
    if any(subject.analog for subject, _ in known):
        text += f" {_ANALOG}"
    return bands("energy-side-by-side", label, text, rows)


def _whole(entry: Mapping[str, Any], name: str, of: str = "") -> Band:
    """A device's energy in all, or its dynamic part where nothing gives the static one."""
    title, whole, dynamic = f"{of}{entry.get('title', name)}", find(entry, "total"), find(entry, "dynamic")
    if isinstance(whole, str) and isinstance(dynamic, Quantity):
        return Band(f"{title}, dynamic alone", dynamic)
    return Band(title, whole)


def _told(rows: Sequence[Band]) -> str:
    found = [
        f"{row.head} {told(row.found.as_dict())} ({row.found.kind})"
        for row in rows
        if isinstance(row.found, Quantity) and row.total
    ]
    none = [row.head for row in rows if isinstance(row.found, str) and row.total]
    text = "; ".join(found) or "nothing is known"
    return f"{text}. {f'Unavailable: {listed(none)}.' if none else ''}".rstrip()


def _of_run(subject: Subject, section: Mapping[str, Any]) -> list[Block]:
    rows = []
    for name, entry in section["devices"].items():
        rows.append(replace(_whole(entry, name), group=True))
        rows += [Band(title, find(entry, "parts", part), total=False) for part, title in _PARTS.items()]
    measured = measured_energies(subject)
    there = [Band(head, found) for head, found in measured.items() if isinstance(found, Quantity)]
    gone = [head for head, found in measured.items() if isinstance(found, str)]
    if gone:
        # One row for all, as their reasons stand in the baseline's section.
        there.append(Band(gone[0] if len(gone) == 1 else f"{gone[0]}, and {len(gone) - 1} more", measured[gone[0]]))
    rows += [replace(band, group=place == 0) for place, band in enumerate(there)]
    label = f"{subject.label}: energy of an inference by device"
    caption = f"{label}, low to high on a log axis; the stroke is the value, thin bars are parts. {_READ} {_told(rows)}"
    blocks: list[Block] = [Text(f"{subject.label}. {_assumed(section)}{f' {_ANALOG}' if subject.analog else ''}")]
    blocks.append(bands(f"energy-{subject.number}", label, caption, rows))
    blocks.append(_table(subject, section))
    notes = [
        f"{entry.get('title', name)}: {' '.join([entry.get('applies', ''), *entry.get('notes', [])]).strip()}"
        for name, entry in section["devices"].items()
    ]
    blocks.append(Fold(f"{subject.label}: what each device stands for", (Points((*_how_assumed(section), *notes)),)))
    curves = {
        section["devices"].get(name, {}).get("title", name): points
        for name, points in section.get("over_step_time", {}).items()
        if isinstance(points, Sequence) and points
    }
    if curves:
        label = f"{subject.label}: energy of an inference over the time of a step"
        ends = "; ".join(
            f"{device} {with_unit(points[0]['value_j'], 'J')} at {with_unit(points[0]['step_time_s'], 's')} a step, "
            f"{with_unit(points[-1]['value_j'], 'J')} at {with_unit(points[-1]['step_time_s'], 's')}"
            for device, points in curves.items()
        )
        text = f"{label}: the longer a step, the more static power weighs. Shaded: low to high. {ends}."
        assumed, network = find(section, "assumed", "step_time"), subject.section("network")
        pace = None if isinstance(network, Missing) else network.get("hop_s")
        marks = {} if isinstance(assumed, str) else {"assumed": (assumed.low, assumed.high)}
        marks |= {"as fast as the sound": (pace, pace)} if isinstance(pace, float) else {}
        blocks.append(over_step_time(f"energy-steps-{subject.number}", label, text, curves, marks))
    return blocks


def _assumed(section: Mapping[str, Any]) -> str:
    """What the estimates take for granted, in few words."""
    found = [
        f"{name.replace('_', ' ')} {told(entry)}"
        for name, entry in section.get("assumed", {}).items()
        if isinstance(entry, Mapping)
    ]
    return f"Assumed: {listed(found)}; how, under what each device stands for." if found else ""


def _how_assumed(section: Mapping[str, Any]) -> list[str]:
    found = []
    for name, entry in section.get("assumed", {}).items():
        text = f"{told(entry)}: {entry.get('method', '')}" if isinstance(entry, Mapping) else str(entry)
        found.append(f"Assumed, {name.replace('_', ' ')}: {text}")
    return found


def _table(subject: Subject, section: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            entry.get("title", name),
            (
                *(_number(find(entry, "parts", part)) for part in _PARTS),
                _number(find(entry, "dynamic")),
                _number(find(entry, "total"), True),
                _number(find(entry, "latency")),
                _number(find(entry, "interval")),
            ),
        )
        for name, entry in section["devices"].items()
    ]
    columns = ("device", *_PARTS.values(), "dynamic", "in all", "latency", "one every")
    return Table(f"{subject.label}: energy of an inference, estimated", columns, tuple(rows), wide=True)


def _number(found: Quantity | str, look: bool = False) -> Cell:
    return Cell("unavailable", missing=found) if isinstance(found, str) else cell(found, look=look)


def _constants(sections: Sequence[Mapping[str, Any]]) -> Fold:
    seen: dict[tuple[str, str], Row] = {}
    for section in sections:
        for name, entry in section["devices"].items():
            title = entry.get("title", name)
            for one in entry.get("constants", []):
                low, high = (float(one[key]) for key in ("low", "high"))
                factor, unit = prefix_of(high or low, one["unit"])
                ends = number(low / factor) if low == high else f"{number(low / factor)} to {number(high / factor)}"
                shown = Cell(f"{ends}\u202f{unit}", look=str(one["evidence"]))
                seen[title, one["name"]] = Row(title, (words(one["name"]), shown, words(one["source"])))
    columns = ("device", "constant", "value", "source")
    return Fold("Constants and their sources", (Table("Constants", columns, tuple(seen.values()), wide=True),))
