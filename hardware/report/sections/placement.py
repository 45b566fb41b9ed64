"""Whether every backend gives the same spikes, and what the network takes of a chip."""

from collections.abc import Sequence

from hardware.report.blocks import Block, Cell, Heading, Missing, Row, Section, Table, Text, words
from hardware.report.format import number
from hardware.report.subject import Subject
from train.errors import MaestroError


def placement(subjects: Sequence[Subject]) -> Section:
    """Parity and placement of every run."""
    blocks: list[Block] = [Heading("Parity: the same spikes everywhere")]
    for subject in subjects:
        blocks += _parity(subject)
        blocks += _compared(subject, "simulator_check", "Lava's simulator, by bundle")
        blocks += _compared(subject, "loihi2", "Loihi 2")
    blocks.append(Heading("Placement on Loihi 2"))
    for subject in subjects:
        blocks += _placement(subject)
    return Section("parity", "Parity and placement", blocks)


def _parity(subject: Subject) -> list[Block]:
    if not subject.spiking:
        return [Text(f"{subject.label} is an ANN: it is not exported, and has no spikes to compare.")]
    again = f"python -m lava_runtime parity {subject.run.path}"
    found = subject.file(subject.run.parity, again)
    if isinstance(found, Missing):
        return [found]
    if stale := subject.stale({"net_sha256": found.get("net_sha256")}):
        return [Missing(subject.label, f"parity.json was made of {stale}", again)]
    layers = found["layers"]
    spikes = next(iter(found["spikes"].values()))
    rows = [Row("spikes", tuple(Cell(number(spikes[name], 0)) for name in layers))]
    rows += [
        Row(pair, tuple(Cell(f"{number(by_layer[name], 0)} differ") for name in layers))
        for pair, by_layer in found["differing"].items()
    ]
    agree = found["first_divergence"] is None
    clips = sum(found["clips"].values())
    verdict = (
        f"{subject.label}: {', '.join(found['backends'])} agree in every spike of every layer on {clips} clips of "
        f"{found['steps']} steps."
        if agree
        else f"{subject.label}: backends differ; first: {found['first_divergence']}."
    )
    table = Table(
        f"{subject.label}: spikes that differ between backends", ("backends", *layers), tuple(rows), wide=True
    )
    return [Text(verdict), table]


def _compared(subject: Subject, name: str, where: str) -> list[Block]:
    section = subject.section(name)
    if isinstance(section, Missing):
        return [section] if name in subject.content else []
    found = section["comparison"]
    if found["vacuous"]:
        told = "no spike was expected of them, so that nothing is shown"
    elif found["faults"] == 0:
        told = f"every one of {number(sum(found['expected'].values()), 0)} spikes as expected"
    else:
        after = number(sum(found["spurious"].values()), 0)
        told = f"{number(found['total'], 0)} spikes differ, {after} came after a reset"
    made = section.get("provenance", {}).get("date", "at an unknown time")
    return [Text(f"{subject.label} in {where}: {found['samples']} clips compared, {told}; filed {made}.")]


def _placement(subject: Subject) -> list[Block]:
    if not subject.spiking:
        return [Text(f"{subject.label} is an ANN: there is nothing to place.")]
    if not subject.run.net.is_file():
        return [Missing(subject.label, "the run has no model.net", f"python -m export netx {subject.run.path}")]
    from hardware.placement.limits import COLUMNS, LIMITS, MARKS, MEANING
    from hardware.placement.plan import place_file
    from hardware.placement.report import verdict

    try:
        found = place_file(subject.run.net)
    except MaestroError as error:
        return [Missing(subject.label, str(error), f"python -m hardware place {subject.run.net}")]
    rows = [
        Row(
            row.name,
            (
                *(Cell(str(row.columns[name])) for name in COLUMNS),
                Cell(str(row.cores)),
                words(LIMITS[row.binds].name if row.binds in LIMITS else row.binds or "none"),
                Cell(f"{row.fullest[0]} {100 * row.fullest[1]:.0f} %"),
            ),
        )
        for row in found.rows
    ]
    rows.append(
        Row("all layers", (*(Cell("") for _ in COLUMNS), Cell(str(found.cores)), words(""), Cell("")), group=True)
    )
    columns = ("layer", *COLUMNS, "cores", "binds", "fullest")
    marks = "; ".join(f"{MARKS[word]}: {word}, {MEANING[word]}" for word in ("inferred", "estimate"))
    note = f"Counted, not compiled: of one core of each layer, by hardware/placement. a..b are bounds. {marks}."
    text = f"{subject.label}: {verdict(found)}."
    if found.what_if:
        text += f" {found.what_if[0].upper()}{found.what_if[1:]}."
    return [Text(text), Table(f"{subject.label}: placement", columns, tuple(rows), note, wide=True)]
