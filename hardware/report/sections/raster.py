"""A clip through every run, as spikes under its sound."""

from collections.abc import Sequence

from hardware.report.blocks import Block, Missing, Row, Section, Table, cell, words
from hardware.report.clip import Spikes, choose, spikes_of
from hardware.report.figures.raster import raster
from hardware.report.subject import Subject
from train.console import say
from train.errors import CallError, MaestroError


def spikes(subjects: Sequence[Subject], wanted: int | None) -> Section:
    """The clip's picture for every run, and what each decides.

    Raises
    ------
    CallError
        The test set has no clip ``wanted``.
    """
    title = "A clip, spike by spike"
    try:
        heard = choose(subjects[0], wanted)
    except CallError:
        raise
    except MaestroError as error:
        return Section("raster", title, [Missing(subjects[0].label, str(error), subjects[0].command("network"))])
    say(f"clip {heard.index} of the test set: {heard.recording} from {heard.start_s:.1f} s on")
    blocks: list[Block] = []
    shown: list[tuple[Subject, Spikes]] = []
    for subject in subjects:
        name = f"raster-{subject.number}"
        if not subject.spiking:
            if len(subjects) == 1:
                blocks.append(raster(name, subject.label, heard, None))
            blocks.append(Missing(subject.label, "an ANN has no spikes to draw"))
            continue
        try:
            found = spikes_of(subject, heard)
        except MaestroError as error:
            blocks.append(Missing(subject.label, str(error), f"python -m export netx {subject.run.path}"))
            continue
        shown.append((subject, found))
        blocks.append(raster(name, subject.label, heard, found))
    if shown:
        blocks.append(_decisions(heard.truth, shown))
    return Section("raster", title, blocks)


def _decisions(truth: dict[str, str], shown: Sequence[tuple[Subject, Spikes]]) -> Table:
    heads = list(dict.fromkeys(head for _, found in shown for head in found.decisions))
    rows = [
        Row(
            head,
            (
                words(truth.get(head, "unlabelled")),
                *(words(_said(found, head)) for _, found in shown),
            ),
        )
        for head in heads
    ]
    rows.append(
        Row("spikes of all layers", (words(""), *(cell(_spikes(found)) for _, found in shown))),
    )
    note = "In brackets the softmax over scaled spike counts: it orders decisions and is not the chance of being right."
    return Table("What is decided of the clip", ("head", "truth", *(s.label for s, _ in shown)), tuple(rows), note)


def _said(found: Spikes, head: str) -> str:
    decision, sure = found.decisions[head]
    return f"{decision} ({100 * sure:.0f} %)"


def _spikes(found: Spikes) -> int:
    return sum(int(rows.sum()) for name, rows in found.layers.items() if name != "input")
