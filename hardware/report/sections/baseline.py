"""The baseline over the batch: latency, throughput and energy on processors and GPUs, here and elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardware.measure.bands import find
from hardware.measure.sweeps import sweeps
from hardware.report.blocks import Block, Cell, Fold, Missing, Points, Row, Section, Table, Text, cell, words
from hardware.report.figures.sweep import Curve, sweep
from hardware.report.format import is_quantity, told, with_unit
from hardware.report.sections.measured import BUSY, busy, device_title, waited_share
from hardware.report.subject import Subject

_QUANTITIES = {
    "latency": "latency of a batch",
    "per_inference": "time an inference",
    "throughput": "inferences a second",
    "power": "power",
    "energy_total": "energy an inference, in all",
    "energy_dynamic_bare": "above bare idle",
    "energy_dynamic_loaded": "above loaded idle",
}
_BEST = "Best means the variant with most inferences a second at that batch."
_WORDS = {"resolution": "resolution", "update": "a new reading every"}
_UNITS = {"_j": "J", "_s": "s", "_w": "W"}


def baseline(subjects: Sequence[Subject]) -> Section:
    """Every run's baseline."""
    blocks: list[Block] = []
    for subject in subjects:
        section = subject.section("baseline")
        blocks += [section] if isinstance(section, Missing) else _of_run(subject, section)
    return Section("baseline", "Baseline: GPU and processor over the batch", blocks)


def _of_run(subject: Subject, section: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    found = sweeps({"baseline": section})
    curves = [
        Curve(
            f"{network.upper()} on {device_title(device)}",
            {int(batch): {key: find(entry, key) for key in _QUANTITIES} for batch, entry in batches.items()},
            elsewhere="another machine" in device,
        )
        for (device, network), batches in found.items()
        if not isinstance(batches, str)
    ]
    if curves:
        label = f"{subject.label}: latency, throughput and energy over the batch"
        told_busy = busy(section)
        caption = f"{label}. {_BEST} Medians with their intervals; other machines' lines are dashed." + (
            f" When this was measured, {told_busy}." if told_busy else ""
        )
        blocks.append(sweep(f"baseline-{subject.number}", label, caption, curves))
    gone: dict[str, list[str]] = {}
    for (device, network), batches in found.items():
        if isinstance(batches, str):
            gone.setdefault(batches, []).append(f"{network.upper()} on {device_title(device)}")
    blocks += [
        Missing(f"{subject.label}: {', '.join(of)}", why, subject.command("baseline")) for why, of in gone.items()
    ]
    blocks += [_best(subject, section, found), _preprocessing(subject, section), *_devices(subject, section)]
    blocks += [_variants(subject, section), _protocol(subject, section)]
    return [block for block in blocks if not (isinstance(block, Table) and not block.rows)]


def _best(subject: Subject, section: Mapping[str, Any], found: Mapping[tuple[str, str], Any]) -> Table:
    rows, variants = [], {}
    best = dict(_best_variants(section))
    cells = [cell for batches in found.values() if not isinstance(batches, str) for cell in batches.values()]
    waits = any((waited_share(entry) or 0) > BUSY for entry in cells)
    for (device, network), batches in found.items():
        if isinstance(batches, str):
            continue
        rows.append(Row(f"{network.upper()} on {device_title(device)}"))
        for batch, entry in batches.items():
            name, what, cores = best[device, network, batch]
            variants[name] = what
            waited = (Cell(_waited(entry)),) if waits else ()
            numbers = (cell(_entry(entry, key)) for key in _QUANTITIES)
            rows.append(Row(f"batch {batch}", (words(name), Cell(cores), *waited, *numbers)))
    note = (
        f"{_BEST} Medians of trials with their intervals. In all: what the device drew, idle included; above idle: "
        "what was drawn beyond the bare machine's idle, or beyond idle with the network loaded. Without preprocessing."
    )
    if told_busy := busy(section):
        note += f" When this was measured, {told_busy}."
    note += "".join(f" {name}: {what}." for name, what in variants.items() if what)
    columns = ("device and batch", "variant", "cores", *(("waited for a core",) if waits else ()))
    caption = f"{subject.label}: best variant at each batch"
    return Table(caption, (*columns, *_QUANTITIES.values()), tuple(rows), note, wide=True)


def _best_variants(section: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], tuple[str, str, str]]]:
    """Device, network and batch; the best variant's name, what it is, and on how many cores."""
    for device, entry in _all_devices(section):
        for network, ran in (entry.get("networks") or {}).items():
            for batch, name in ran.get("best", {}).items():
                variant = ran["variants"][name]
                cores = variant.get("threads", entry.get("threads"))
                told_cores = str(cores) if isinstance(cores, int) else "not stated"
                yield (device, network, batch), (name, str(variant.get("what", "")), told_cores)


def _waited(entry: Mapping[str, Any]) -> str:
    share = waited_share(entry)
    return "" if share is None or share <= BUSY else with_unit(100 * share, "%")


def _entry(entry: Mapping[str, Any], key: str) -> Any:
    found = find(entry, key)
    return {"unavailable": found} if isinstance(found, str) else found


def _preprocessing(subject: Subject, section: Mapping[str, Any]) -> Table:
    found = section.get("preprocessing", {})
    rows = [Row(name, (cell(entry, look=True),)) for name, entry in found.items() if is_quantity(entry)]
    note = "Before any network, on the processor; counted in none of the figures above."
    return Table(f"{subject.label}: preprocessing of a clip", ("step", "time a clip"), tuple(rows), note)


def _all_devices(section: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from section.get("devices", {}).items()
    for entry in section.get("elsewhere", []):
        yield f"{entry.get('name', 'a device')} (another machine)", entry


def _devices(subject: Subject, section: Mapping[str, Any]) -> Iterator[Block]:
    rows = []
    for key, entry in _all_devices(section):
        if "unavailable" in entry:
            continue
        idle = entry.get("idle", {})
        meter = entry.get("energy_meter", {})
        cells = (
            words(str(entry.get("name", ""))),
            words(_whereabouts(entry)),
            Cell("unavailable", missing=str(meter["unavailable"])) if "unavailable" in meter else words(_pairs(meter)),
            cell(idle.get("bare")),
            cell(idle.get("loaded")),
        )
        rows.append(Row(device_title(key), cells))
    columns = ("device", "name", "where and when", "energy meter", "idle, bare", "idle, loaded")
    yield Table(f"{subject.label}: devices of the baseline", columns, tuple(rows))


def _whereabouts(entry: Mapping[str, Any]) -> str:
    machine = entry.get("machine")
    if isinstance(machine, Mapping):
        machine = _plain(list(machine.values()))
    there = [text for text in (machine, entry.get("date"), entry.get("command")) if isinstance(text, str)]
    if not there:
        threads = entry.get("threads")
        return "this machine" + (f", {threads} threads" if threads else "")
    return f"another machine: {', '.join(there)}"


def _pairs(entry: Mapping[str, Any]) -> str:
    found = [
        str(value) if key == "name" else _pair(key, value)
        for key, value in entry.items()
        if not isinstance(value, (Mapping, list)) or is_quantity(value)
    ]
    return ", ".join(found)


def _pair(key: str, value: Any) -> str:
    """A meter's property in words: ``update_s`` 0.1 as update 100 ms."""
    unit = _UNITS.get(key[-2:])
    if unit and isinstance(value, (int, float)):
        return f"{_WORDS.get(key[:-2], key[:-2].replace('_', ' '))} {with_unit(value, unit)}"
    title = _WORDS.get(key, key.replace("_", " "))
    return f"{title} {told(value) if is_quantity(value) else value}"


def _variants(subject: Subject, section: Mapping[str, Any]) -> Fold:
    rows = []
    for device, entry in _all_devices(section):
        for network, ran in (entry.get("networks") or {}).items():
            for variant, content in ran.get("variants", {}).items():
                head = f"{network.upper()} on {device_title(device)}, {variant}"
                if "unavailable" in content:
                    rows.append(Row(f"{head}: unavailable, {content['unavailable']}"))
                    continue
                rows.append(Row(f"{head}: {content.get('what', '')}"))
                for batch, numbers in content["batches"].items():
                    rows.append(Row(f"batch {batch}", tuple(cell(_entry(numbers, key)) for key in _QUANTITIES)))
    columns = ("variant and batch", *_QUANTITIES.values())
    table = Table(f"{subject.label}: every variant", columns, tuple(rows), wide=True)
    return Fold(f"{subject.label}: every variant of the baseline", (table,))


def _protocol(subject: Subject, section: Mapping[str, Any]) -> Block:
    points = tuple(
        f"{key.replace('_', ' ')}: {told(value) if is_quantity(value) else _plain(value)}"
        for key, value in section.get("protocol", {}).items()
    )
    if not points:
        return Text("")
    return Fold(f"{subject.label}: protocol of the baseline", (Points(points),))


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {_plain(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
