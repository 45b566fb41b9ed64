"""What was found, in a sentence a run and a table; nothing is claimed that intervals do not bear."""

import math
from collections.abc import Sequence

from hardware.measure.bands import find
from hardware.measure.sweeps import at_batch, sweeps
from hardware.measurement import Quantity
from hardware.report.blocks import Block, Cell, Missing, Row, Section, Table, Text, words
from hardware.report.format import THIN, amount, number, span
from hardware.report.sections.measured import HEAD, chip_energy, device_title, head_accuracy
from hardware.report.sections.summary import summary
from hardware.report.subject import Subject

SETS = {"test": "the piano of the training, other performances", "test_keyboards": "keyboards never heard in training"}


def verdict(subjects: Sequence[Subject]) -> Section:
    """The page's first section."""
    blocks: list[Block] = [Text(f"{_accuracy_words(subject)} {_energy_words(subject)}", True) for subject in subjects]
    compared = _compared(subjects)
    if compared is not None:
        blocks.append(compared)
    blocks.append(summary(subjects))
    return Section("verdict", "What was found", blocks)


def _accuracy_words(subject: Subject) -> str:
    section = subject.section("accuracy")
    name = f"{subject.label} ({subject.kind})"
    if isinstance(section, Missing):
        return f"{name}: accuracy unavailable: {section.why}."
    told = []
    for split, entry in section["sets"].items():
        found = find(entry, "heads", HEAD, "accuracy")
        where = f"{number(entry['clips'], 0)} clips of {SETS.get(split, split)}"
        text = f"unavailable ({found})" if isinstance(found, str) else amount(found)
        told.append(f"{text} of {where}")
    chance = find(section, "sets", "test", "heads", HEAD, "chance")
    by_chance = "" if isinstance(chance, str) else f"; the most frequent title alone gives {amount(chance)}"
    return f"{name} names the title of a {_clip_length(subject)} clip right in {' and in '.join(told)}{by_chance}."


def _clip_length(subject: Subject) -> str:
    return f"{subject.config.features.clip_s:g}{THIN}s"


def baseline_energy(subject: Subject) -> tuple[str, Quantity | str]:
    """The best energy meter's word on an inference at batch 1: name and energy; the GPU's before the processor's."""
    section = subject.section("baseline")
    if isinstance(section, Missing):
        return "the baseline", section.why
    first = ("the baseline", "no device was measured")
    found = {pair: find(at_batch(sweep, "1"), "energy_total") for pair, sweep in sweeps({"baseline": section}).items()}
    order = sorted(found, key=lambda pair: (isinstance(found[pair], str), pair[1] != "ann", pair[0] == "cpu"))
    for device, network in order:
        entry = section.get("devices", {}).get(device, {})
        name = entry.get("name") or device_title(device)
        return f"the {network.upper()} on {name}", found[device, network]
    return first


def _energy_words(subject: Subject) -> str:
    where, chip = chip_energy(subject)
    what, baseline = baseline_energy(subject)
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
    return f"{text}: {_compare_energies(chip, baseline)}."


def _compare_energies(chip: Quantity, baseline: Quantity) -> str:
    if chip.high < baseline.low and chip.high > 0:
        return f"by these bounds at least {number(baseline.low / chip.high)} times as much"
    if baseline.high < chip.low and baseline.high > 0:
        return f"by these bounds at least {number(chip.low / baseline.high)} times less"
    return "the two overlap, and which takes less is not decided"


def _compared(subjects: Sequence[Subject]) -> Table | None:
    """Every run's title accuracy against the ANN's, or the first run's where no ANN is on the page."""
    if len(subjects) < 2:
        return None
    against = next((subject for subject in subjects if not subject.spiking), subjects[0])
    rows = []
    for subject in subjects:
        if subject is against:
            continue
        cells: list[Cell] = []
        for split in SETS:
            cells += _difference(head_accuracy(subject, split), head_accuracy(against, split))
        rows.append(Row(subject.label, tuple(cells)))
    columns = ("run", *(word for name in ("test", "other keyboards") for word in (f"{name}, points", "told apart")))
    note = (
        "Differences of accuracy in points with their 95 % interval (Newcombe 1998, from the two intervals, clips as "
        "independent; both heard the same clips, which makes it wide rather than narrow). It says how these networks "
        "differ on other clips, not how networks of their kinds, trained again, would."
    )
    return Table(f"Title accuracy against {against.label}", columns, tuple(rows), note)


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
