"""Numbers that several sections show: accuracy, energy on the chip, and energies that something measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hardware.measure.bands import find
from hardware.measure.break_even import SILICON
from hardware.measure.sweeps import at_batch, sweeps
from hardware.measurement import Quantity
from hardware.report.blocks import Missing
from hardware.report.format import span
from hardware.report.subject import Subject

# Waiting longer for a core than this share of the time, a measurement says less of the device.
BUSY = 0.05


# What each test set of the embedded corpus holds; other data sets' go by their names.
SETS = {"test": "the piano of the training, other performances", "test_keyboards": "keyboards never heard in training"}
SHORT = {"test": "test", "test_keyboards": "other keyboards"}


def set_words(subject: Subject, split: str) -> str:
    """What a test set holds."""
    if subject.config.data.source == "corpus":
        return SETS.get(split, split)
    return f"recordings of {Path(subject.config.data.root).name} that training did not hear ({split})"


def main_head(subject: Subject) -> str:
    """The head that verdict and summary speak of: the title, or the first there is."""
    section = subject.section("accuracy")
    heads = [] if isinstance(section, Missing) else [head for one in section["sets"].values() for head in one["heads"]]
    return "title" if "title" in heads or not heads else str(heads[0])


def test_sets(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """The test sets that any run was measured on, in their order."""
    found = []
    for subject in subjects:
        section = subject.section("accuracy")
        found += [] if isinstance(section, Missing) else list(section["sets"])
    return tuple(dict.fromkeys(found)) or ("test",)


def head_accuracy(subject: Subject, split: str) -> Quantity | str:
    """Accuracy of the main head, in per cent."""
    section = subject.section("accuracy")
    if isinstance(section, Missing):
        return section.why
    return find(section, "sets", split, "heads", main_head(subject), "accuracy")


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


def chip_key(subject: Subject) -> str:
    """The device that :func:`chip_energy` is of, as the section derived names it; empty if there is none."""
    silicon, section = subject.section("loihi2"), subject.section("energy")
    if not isinstance(silicon, Missing) and isinstance(find(silicon, "energy", "total"), Quantity):
        return SILICON
    devices = {} if isinstance(section, Missing) else section["devices"]
    return next(
        (name for name, entry in devices.items() if name.startswith("loihi2") and entry["network"] == "snn"), ""
    )


def _step(section: Mapping[str, Any]) -> str:
    """The step time that static power was reckoned with."""
    found = find(section, "assumed", "step_time")
    return "" if isinstance(found, str) else f"; {span(found)} a step"


def measured_energies(subject: Subject) -> dict[str, Quantity | str]:
    """Energy of an inference by what took it, in all; the reason where there is none. The baseline's is at batch 1."""
    found: dict[str, Quantity | str] = {}
    silicon = subject.section("loihi2")
    if not isinstance(silicon, Missing):
        found["Loihi 2, silicon"] = find(silicon, "energy", "total")
    section = subject.section("baseline")
    if isinstance(section, Missing):
        found["baseline"] = section.why
        return found
    for (device, network), sweep in sweeps({"baseline": section}).items():
        found[f"{network.upper()} on {device_title(device)}, batch 1"] = find(at_batch(sweep, "1"), "energy_total")
    return found


def device_title(device: str) -> str:
    """A device's key in words."""
    return {"cpu": "the processor", "cuda": "the GPU"}.get(device, device)


def busy(section: Mapping[str, Any]) -> str:
    """That a baseline's best cells had to wait for a core, and how long; empty if they had not."""
    waited = [
        share
        for sweep in sweeps({"baseline": section}).values()
        if not isinstance(sweep, str)
        for cell in sweep.values()
        if (share := waited_share(cell)) is not None and share > BUSY
    ]
    if not waited:
        return ""
    return (
        f"the machine was busy: measurements waited up to {100 * max(waited):.0f} % of their time for a core, and took "
        "longer for it"
    )


def waited_share(cell: Mapping[str, Any]) -> float | None:
    """Share of its time that a cell of the baseline waited for a core; None where that is not known."""
    found = find(cell, "waited")
    return found.value if isinstance(found, Quantity) else None
