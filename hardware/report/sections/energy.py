"""Energies of an inference: estimated as bands, measured where something was, and what the bands rest on."""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.measure.bands import find
from hardware.measurement import Quantity
from hardware.report.blocks import Block, Cell, Fold, Missing, Points, Row, Section, Table, Text, cell, words
from hardware.report.figures.energy import Band, bands, over_step_time
from hardware.report.format import listed, number, prefix_of, told, with_unit
from hardware.report.sections.measured import measured_energies
from hardware.report.subject import Subject

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
        blocks += [*_validation(known[0][1]), _constants([section for _, section in known])]
    return Section("energy", "Energy", blocks)


def _side_by_side(subjects: Sequence[Subject], known: Sequence[tuple[Subject, Mapping[str, Any]]]) -> Block:
    rows = []
    devices = dict.fromkeys(name for _, section in known for name in section["devices"])
    for device in devices:
        first = True
        for subject, section in known:
            if (entry := section["devices"].get(device)) is not None:
                head = f"{subject.label} · {entry.get('title', device)}"
                rows.append(Band(head, find(entry, "total"), group=first))
                first = False
    for subject in subjects:
        for place, (head, found) in enumerate(measured_energies(subject).items()):
            rows.append(Band(f"{subject.label} · {head}", found, group=place == 0))
    label = "Energy of an inference, runs side by side"
    return bands("energy-side-by-side", label, f"{label}: {_told(rows)}", rows)


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
        title, whole, dynamic = entry.get("title", name), find(entry, "total"), find(entry, "dynamic")
        if isinstance(whole, str) and isinstance(dynamic, Quantity):
            rows.append(Band(f"{title}, dynamic alone", dynamic, group=True))
        else:
            rows.append(Band(title, whole, group=True))
        rows += [Band(title, find(entry, "parts", part), total=False) for part, title in _PARTS.items()]
    for place, (head, found) in enumerate(measured_energies(subject).items()):
        rows.append(Band(head, found, group=place == 0))
    label = f"{subject.label}: energy of an inference by device"
    caption = (
        f"{label}, low to high, on a log axis; the stroke is the value. Hatched bars are estimates, solid ones "
        f"measurements, thin ones parts. {_told(rows)}"
    )
    blocks: list[Block] = [Text(f"{subject.label}. {_assumed(section)}")]
    blocks.append(bands(f"energy-{subject.number}", label, caption, rows))
    blocks.append(_table(subject, section))
    notes = [
        f"{entry.get('title', name)}: {' '.join([entry.get('applies', ''), *entry.get('notes', [])]).strip()}"
        for name, entry in section["devices"].items()
    ]
    blocks.append(Fold(f"{subject.label}: what each device stands for", (Points(tuple(notes)),)))
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
        blocks.append(over_step_time(f"energy-steps-{subject.number}", label, text, curves))
    return blocks


def _assumed(section: Mapping[str, Any]) -> str:
    found = [
        f"{name.replace('_', ' ')} {told(entry)}"
        + (f" ({entry['method']})" if isinstance(entry.get("method"), str) else "")
        for name, entry in section.get("assumed", {}).items()
        if isinstance(entry, Mapping)
    ]
    return f"Assumed: {'; '.join(found)}." if found else ""


def _table(subject: Subject, section: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            entry.get("title", name),
            (
                *(_number(find(entry, "parts", part)) for part in _PARTS),
                _number(find(entry, "dynamic")),
                _number(find(entry, "total"), True),
                _number(find(entry, "latency")),
            ),
        )
        for name, entry in section["devices"].items()
    ]
    columns = ("device", *_PARTS.values(), "dynamic", "in all", "latency")
    return Table(f"{subject.label}: energy of an inference, estimated", columns, tuple(rows), wide=True)


def _number(found: Quantity | str, look: bool = False) -> Cell:
    return Cell("unavailable", missing=found) if isinstance(found, str) else cell(found, look=look)


def _validation(section: Mapping[str, Any]) -> list[Block]:
    entries = section.get("validation") or []
    if not entries:
        return [Missing("validation", "no network with published counts and joules was given", "")]
    rows = []
    for entry in entries:
        ratio = entry["ratio"]
        text = number(ratio["value"]) + f" ({number(ratio['low'])} to {number(ratio['high'])})"
        inside = "yes" if entry["inside"] else "no"
        cells = (words(entry["quantity"]), cell(entry["predicted"], look=True), cell(entry["measured"], look=True))
        rows.append(Row(entry["network"], (*cells, Cell(text), words(inside), words(entry.get("explained", "")))))
    columns = ("network", "quantity", "predicted", "measured on silicon", "ratio", "inside the band", "explained")
    return [Table("Prediction beside what silicon measured", columns, tuple(rows), wide=True)]


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
