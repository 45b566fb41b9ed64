"""What was found, in a sentence a run and a table; nothing is claimed that intervals do not bear."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hardware.measure.bands import find
from hardware.measure.sweeps import at_batch, sweeps
from hardware.measurement import Quantity
from hardware.report.blocks import Block, Cell, Missing, Row, Section, Table, Text, words
from hardware.report.format import THIN, amount, number, span
from hardware.report.sections.measured import (
    SHORT,
    busy,
    chip_energy,
    chip_key,
    device_title,
    head_accuracy,
    main_head,
    set_words,
    test_sets,
)
from hardware.report.sections.summary import summary
from hardware.report.subject import Subject


def verdict(subjects: Sequence[Subject]) -> Section:
    """The page's first section."""
    blocks: list[Block] = [
        Text(f"{_accuracy_words(subject)} {_energy_words(subject)}{_busy_words(subject)}", True) for subject in subjects
    ]
    compared = _compared(subjects)
    if compared is not None:
        blocks.append(compared)
    blocks.append(summary(subjects).lean())
    return Section("verdict", "What was found", blocks)


def _accuracy_words(subject: Subject) -> str:
    section = subject.section("accuracy")
    name = f"{subject.label} ({subject.kind})"
    if isinstance(section, Missing):
        return f"{name}: accuracy unavailable: {section.why}."
    told = []
    head = main_head(subject)
    for split, entry in section["sets"].items():
        found = find(entry, "heads", head, "accuracy")
        where = f"{number(entry['clips'], 0)} clips of {set_words(subject, split)}"
        text = f"unavailable ({found})" if isinstance(found, str) else amount(found)
        told.append(f"{text} of {where}")
    chance = find(section, "sets", "test", "heads", head, "chance")
    by_chance = "" if isinstance(chance, str) else f"; the most frequent {head} alone gives {amount(chance)}"
    return f"{name} names the {head} of a {_clip_length(subject)} clip right in {' and in '.join(told)}{by_chance}."


def _clip_length(subject: Subject) -> str:
    return f"{subject.config.features.clip_s:g}{THIN}s"


@dataclass(frozen=True)
class Held:
    """What a chip's energy is held against: ``pair`` (device and network), its name, its energy at batch 1."""

    pair: tuple[str, str] | None
    name: str
    found: Quantity | str
    scope: str = ""


def baseline_energy(subject: Subject) -> Held:
    """The best energy meter's word on an inference at batch 1; the GPU's before the processor's."""
    section = subject.section("baseline")
    if isinstance(section, Missing):
        return Held(None, "the baseline", section.why)
    found = {pair: find(at_batch(sweep, "1"), "energy_total") for pair, sweep in sweeps({"baseline": section}).items()}
    order = sorted(found, key=lambda pair: (isinstance(found[pair], str), pair[1] != "ann", pair[0] == "cpu"))
    for device, network in order:
        entry = section.get("devices", {}).get(device, {})
        name = entry.get("name") or device_title(device)
        scope = "the processor's package" if device == "cpu" else "the GPU's whole board"
        return Held((device, network), f"the {network.upper()} on {name}", found[device, network], scope)
    return Held(None, "the baseline", "no device was measured")


def _energy_words(subject: Subject) -> str:
    where, chip = chip_energy(subject)
    held = baseline_energy(subject)
    what, baseline = held.name, held.found
    base = f"unavailable ({baseline})" if isinstance(baseline, str) else amount(baseline)
    if isinstance(chip, str):
        return f"Energy of an inference on a chip: unavailable ({chip}); of {what} at batch 1: {base}."
    if chip.kind == "measured":
        text = f"An inference takes {span(chip)}, {where}"
    else:
        text = f"An inference takes {span(chip)} by estimate ({where}), which no silicon has checked for it"
        if subject.analog:
            text += ", and as if analog dendrites could be realised there"
    text += f"; the energy of {what} at batch 1 is {base}"
    if isinstance(baseline, str):
        return f"{text}, so the two cannot be compared here."
    return f"{text}: {_compare_energies(chip, baseline, held.scope)}. {_from_batch(subject, held)}"


def _compare_energies(chip: Quantity, baseline: Quantity, scope: str) -> str:
    of_chip = (
        "the chip as its probe has it" if chip.kind == "measured" else "the chip alone, without board, by estimate"
    )
    scopes = f"{{}} {scope}, as measured with its idle, takes {{}} {of_chip}"
    if chip.high < baseline.low and chip.high > 0:
        return scopes.format("by these bounds", f"at least {floored(baseline.low / chip.high)} times as much as")
    if baseline.high < chip.low and baseline.high > 0:
        return scopes.format("by these bounds", f"at least {floored(chip.low / baseline.high)} times less than")
    return f"the two overlap, and which takes less is not decided ({scope}, as measured with its idle; {of_chip})"


def floored(factor: float) -> str:
    """A factor that is said to be the least, to two digits and never rounded up."""
    unit = 10.0 ** (math.floor(math.log10(factor)) - 1)
    # What is whole but for its last bits stays as it is.
    return number(math.floor(factor / unit * (1 + 1e-12)) * unit, max(0, -round(math.log10(unit))))


def _from_batch(subject: Subject, held: Held) -> str:
    """From which batch on the device takes less energy than the chip."""
    section = subject.section("derived")
    if isinstance(section, Missing):
        return f"From which batch on {held.name} takes less is not known ({section.why})."
    wanted = (chip_key(subject), *(held.pair or ()), "energy_total")
    for entry in section.get("break_even", {}).get("batch", []):
        if tuple(entry[key] for key in ("chip", "device", "network", "measure")) == wanted:
            if "verdict" in entry:
                return f"Over the batch, {held.name} {entry['verdict']}."
            return f"From which batch on {held.name} takes less is not known ({entry['unavailable']})."
    return f"From which batch on {held.name} takes less is not known."


def _busy_words(subject: Subject) -> str:
    section = subject.section("baseline")
    if isinstance(section, Missing) or not (told := busy(section)):
        return ""
    return f" When the baseline was measured, {told}."


def _compared(subjects: Sequence[Subject]) -> Table | None:
    """Every run's accuracy against the ANN's, or the first run's where no ANN is on the page."""
    if len(subjects) < 2:
        return None
    against = next((subject for subject in subjects if not subject.spiking), subjects[0])
    rows = []
    sets = test_sets(subjects)
    for subject in subjects:
        if subject is against:
            continue
        cells: list[Cell] = []
        for split in sets:
            cells += _difference(head_accuracy(subject, split), head_accuracy(against, split))
        rows.append(Row(subject.label, tuple(cells)))
    columns = (
        "run",
        *(word for split in sets for name in [SHORT.get(split, split)] for word in (f"{name}, points", "told apart")),
    )
    note = (
        "Differences of accuracy in points with their 95 % interval (Newcombe 1998, from the two intervals, clips as "
        "independent; both heard the same clips, which makes it wide rather than narrow). It says how these networks "
        "differ on other clips, not how networks of their kinds, trained again, would."
    )
    return Table(f"{main_head(against).capitalize()} accuracy against {against.label}", columns, tuple(rows), note)


def _difference(ours: Quantity | str, theirs: Quantity | str) -> list[Cell]:
    for found in (ours, theirs):
        if isinstance(found, str):
            return [Cell("unavailable", missing=found), words("unknown")]
    assert isinstance(ours, Quantity)
    assert isinstance(theirs, Quantity)
    value = ours.value - theirs.value
    low = value - math.hypot(ours.value - ours.low, theirs.high - theirs.value)
    high = value + math.hypot(ours.high - ours.value, theirs.value - theirs.low)
    text = f"{number(value, 1)} ({number(low, 1)} to {number(high, 1)})"
    apart = "no: the interval holds zero" if low <= 0 <= high else ("yes, higher" if value > 0 else "yes, lower")
    return [Cell(text), words(apart)]
