"""What was found, in a sentence a run and a table; nothing is claimed that intervals do not bear."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hardware.measure.bands import find
from hardware.measure.sweeps import at_batch, sweeps
from hardware.measurement import Quantity
from hardware.report.blocks import Block, Cell, Missing, Row, Section, Table, Text, cell, words
from hardware.report.format import THIN, amount, number, span
from hardware.report.sections.measured import device_title
from hardware.report.subject import Subject

SETS = {"test": "the piano of the training, other performances", "test_keyboards": "keyboards never heard in training"}
HEAD = "title"


def verdict(subjects: Sequence[Subject]) -> Section:
    """The page's first section."""
    blocks: list[Block] = [Text(f"{_accuracy_words(subject)} {_energy_words(subject)}", True) for subject in subjects]
    compared = _compared(subjects)
    if compared is not None:
        blocks.append(compared)
    blocks.append(_summary(subjects))
    return Section("verdict", "What was found", blocks)


def head_accuracy(subject: Subject, split: str, head: str = HEAD) -> Quantity | str:
    """Accuracy of a head, in per cent."""
    section = subject.section("accuracy")
    return section.why if isinstance(section, Missing) else find(section, "sets", split, "heads", head, "accuracy")


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


def chip_energy(subject: Subject) -> tuple[str, Quantity | str]:
    """Where a run's energy on the chip is from, and the energy of an inference in all: silicon's if there is one."""
    silicon = subject.section("loihi2")
    if not isinstance(silicon, Missing):
        found = find(silicon, "energy", "total")
        if isinstance(found, Quantity):
            return "measured on Loihi 2", found
    section = subject.section("energy")
    if isinstance(section, Missing):
        return "Loihi 2", section.why
    for name, entry in section["devices"].items():
        if name.startswith("loihi2") and entry.get("network") == "snn":
            return f"{entry.get('title', name)}{_step(section)}", find(entry, "total")
    return "Loihi 2", "there is no estimate for a Loihi 2: it is given for networks that spike"


def _step(section: Mapping[str, Any]) -> str:
    """The step time that static power was reckoned with."""
    found = find(section, "assumed", "step_time")
    return "" if isinstance(found, str) else f"; {span(found)} a step"


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


def _summary(subjects: Sequence[Subject]) -> Table:
    def counted(key: str) -> list[Cell]:
        return [_of_section(subject, "counters", "total", key) for subject in subjects]

    rows = [
        Row("neurons", tuple(words(subject.kind) for subject in subjects)),
        Row("parameters", tuple(_of_section(subject, "network", "parameters") for subject in subjects)),
        Row("title accuracy, test", tuple(_cell(head_accuracy(subject, "test")) for subject in subjects)),
        Row(
            "title accuracy, other keyboards",
            tuple(_cell(head_accuracy(subject, "test_keyboards")) for subject in subjects),
        ),
        Row("spikes (ANN: values not zero) an inference", tuple(counted("axon_out"))),
        Row("synaptic operations an inference", tuple(counted("syn_ops"))),
        Row("neuron updates an inference", tuple(counted("dendrite_updates"))),
        Row("footprint as deployed", tuple(counted("footprint"))),
        Row("energy on Loihi 2", tuple(_cell(chip_energy(subject)[1], True) for subject in subjects)),
        Row("energy of the baseline, batch 1", tuple(_cell(baseline_energy(subject)[1], True) for subject in subjects)),
    ]
    return Table("Summary, an inference being one clip", ("", *(subject.label for subject in subjects)), tuple(rows))


def _of_section(subject: Subject, name: str, *path: str) -> Cell:
    section = subject.section(name)
    if isinstance(section, Missing):
        return Cell("unavailable", missing=f"{subject.label}: {section.why}")
    here: object = section
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    return cell(here)


def _cell(found: Quantity | str, look: bool = False) -> Cell:
    return Cell("unavailable", missing=found) if isinstance(found, str) else cell(found, look=look)
