"""The time constants that dendrites learned."""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.report.blocks import Block, Cell, Missing, Row, Section, Table, Text
from hardware.report.figures.branches import time_constants
from hardware.report.format import with_unit
from hardware.report.subject import Subject


def branches(subjects: Sequence[Subject]) -> Section:
    """A picture and a table for every run with branches."""
    blocks: list[Block] = []
    without = []
    for subject in subjects:
        section = subject.section("counters")
        if isinstance(section, Missing):
            blocks.append(section)
            continue
        layers = branched(section.get("time_constants") or {})
        if not layers:
            without.append(subject.label)
            continue
        blocks += _of_run(subject, layers)
    if without:
        blocks.append(Text(f"No branches: {', '.join(without)}."))
    return Section("time-constants", "Time constants of the branches", blocks)


def branched(found: Mapping[str, Any]) -> dict[str, Sequence[Mapping[str, float | None]]]:
    """Layers whose neurons have several currents, or whose compartments' voltages are branches."""
    layers = {}
    for name, entry in found.items():
        rows = next((entry[word] for word in ("current", "voltage") if len(entry.get(word, ())) > 1), None)
        if rows is not None:
            layers[name] = rows
    return layers


def _of_run(subject: Subject, layers: Mapping[str, Sequence[Mapping[str, float | None]]]) -> list[Block]:
    from train.features import hop_samples
    from train.neurons.branches import branch_taus

    config = subject.config
    step_s = hop_samples(config.sample_rate_hz, config.features) / config.sample_rate_hz
    dendrites = config.dendrites
    before = {
        name: [tau * step_s for tau in branch_taus(len(rows), dendrites.tau_low, dendrites.tau_high)]
        for name, rows in layers.items()
    }
    label = f"{subject.label}: time constants of the branches, before and after training"
    moved = "; ".join(
        f"{name} {', '.join(_tau(row.get('steps'), step_s) for row in rows)}" for name, rows in layers.items()
    )
    caption = (
        f"{subject.label}: medians over neurons, smallest and largest, from the registers of the decays: {moved}. "
        "The strokes are where training began (log-spaced, by the configuration)."
    )
    rows = [
        Row(
            f"{name}, branch {place}",
            (
                Cell(_tau(before[name][place] / step_s, step_s)),
                Cell(_tau(entry.get("steps"), step_s)),
                Cell(_tau(entry.get("steps_low"), step_s)),
                Cell(_tau(entry.get("steps_high"), step_s)),
            ),
        )
        for name, entries in layers.items()
        for place, entry in enumerate(entries)
    ]
    columns = ("branch", "before training", "median", "smallest", "largest")
    name = f"time-constants-{subject.number}"
    return [
        time_constants(name, label, caption, layers, before, step_s),
        Table(f"{subject.label}: time constants", columns, tuple(rows)),
    ]


def _tau(steps: float | None, step_s: float) -> str:
    return "does not decay" if steps is None else with_unit(steps * step_s, "s")
