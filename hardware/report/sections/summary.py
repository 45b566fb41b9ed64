"""The table of a run's numbers in one column, or of several side by side."""

from collections.abc import Sequence

from hardware.measure.bands import find
from hardware.measure.sweeps import at_batch, sweeps
from hardware.measurement import Quantity
from hardware.report.blocks import Cell, Missing, Row, Table, cell, words
from hardware.report.sections.measured import SHORT, chip_energy, head_accuracy, main_head, test_sets
from hardware.report.subject import Subject

_COUNTED = {
    "axon_out": "spikes (ANN: values not zero)",
    "syn_ops": "synaptic operations",
    "dendrite_updates": "neuron updates",
    "state_updates": "state updates",
    "footprint": "footprint as deployed",
}


def summary(subjects: Sequence[Subject]) -> Table:
    """Accuracy, counts, energies and time of an inference."""

    def row(head: str, cells: Sequence[Cell]) -> Row:
        return Row(head, tuple(cells))

    head = main_head(subjects[0])
    rows = [
        row("neurons", [words(subject.kind) for subject in subjects]),
        row("parameters", [_of(subject, "network", "parameters") for subject in subjects]),
        *(
            row(f"{head} accuracy, {SHORT.get(split, split)}", [_cell(head_accuracy(each, split)) for each in subjects])
            for split in test_sets(subjects)
        ),
        *(
            row(title, [_of(subject, "counters", "total", key) for subject in subjects])
            for key, title in _COUNTED.items()
        ),
        row("energy on Loihi 2 above idle", [_dynamic(subject) for subject in subjects]),
        row("energy on Loihi 2 in all", [_cell(chip_energy(subject)[1], look=True) for subject in subjects]),
        row(
            "energy on the GPU, batch 1",
            [_cell(_ran(subject, "cuda", "energy_total"), look=True) for subject in subjects],
        ),
        row("time on the GPU, batch 1", [_cell(_ran(subject, "cuda", "latency")) for subject in subjects]),
        row(
            "energy on the processor, batch 1",
            [_cell(_ran(subject, "cpu", "energy_total"), look=True) for subject in subjects],
        ),
        row("time on the processor, batch 1", [_cell(_ran(subject, "cpu", "latency")) for subject in subjects]),
    ]
    note = (
        "Energies on Loihi 2 are estimates unless marked measured. "
        "GPU and processor: the fastest way to run this very network."
    )
    if any(subject.analog for subject in subjects):
        note += " Analog dendrites run on no chip; their energies are of a Loihi 2 as if it had them."
    title = "Summary, an inference being one clip"
    return Table(title, ("", *(subject.label for subject in subjects)), tuple(rows), note)


def markdown(table: Table) -> str:
    """A table for a README, its missing numbers explained below."""
    lines = [_line(table.columns), _line(["---"] * len(table.columns))]
    for one in table.rows:
        lines.append(_line([one.head, *(_text(table, each) for each in one.cells)]))
    reasons = [f"({table.mark(reason)}) {reason}" for reason in table.reasons]
    return "\n".join([*lines, "", *([table.note] if table.note else []), *reasons]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', '/') for text in cells)} |"


def _text(table: Table, one: Cell) -> str:
    if one.missing:
        return f"unavailable ({table.mark(one.missing)})"
    return f"{one.text}, {one.look}" if one.look else one.text


def _dynamic(subject: Subject) -> Cell:
    """Silicon's dynamic energy if there is one, else the estimate of the first Loihi 2."""
    silicon, section = subject.section("loihi2"), subject.section("energy")
    found: Quantity | str = "" if isinstance(silicon, Missing) else find(silicon, "energy", "dynamic")
    if isinstance(found, Quantity):
        return cell(found, look=True)
    if isinstance(section, Missing):
        return Cell("unavailable", missing=section.why)
    for name, entry in section["devices"].items():
        if name.startswith("loihi2") and entry.get("network") == "snn":
            return _cell(find(entry, "dynamic"), look=True)
    return _cell(chip_energy(subject)[1])


def _ran(subject: Subject, device: str, number: str) -> Quantity | str:
    """A number of this very network on a device at batch 1, by its fastest variant."""
    section = subject.section("baseline")
    if isinstance(section, Missing):
        return section.why
    sweep = sweeps({"baseline": section}).get((device, "snn" if subject.spiking else "ann"), "was not measured")
    return find(at_batch(sweep, "1"), number)


def _of(subject: Subject, name: str, *path: str) -> Cell:
    section = subject.section(name)
    if isinstance(section, Missing):
        return Cell("unavailable", missing=f"{subject.label}: {section.why}")
    here: object = section
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    return cell(here)


def _cell(found: Quantity | str, look: bool = False) -> Cell:
    return Cell("unavailable", missing=found) if isinstance(found, str) else cell(found, look=look)
