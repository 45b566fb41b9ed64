"""How often the runs are right, and what they take for what."""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.measure.bands import find
from hardware.measurement import Quantity
from hardware.report.blocks import Block, Figure, Fold, Gallery, Missing, Row, Section, Table, Text, cell
from hardware.report.figures.confusion import confusion
from hardware.report.figures.intervals import Line, Panel, Point, dots
from hardware.report.sections.measured import SHORT, set_words
from hardware.report.subject import Subject

_METHOD = {
    True: "as many clips are right as in training's own last evaluation",
    False: "not as many clips are right as in training's own last evaluation",
    None: "training left no figures to hold this against",
}


def accuracy(subjects: Sequence[Subject]) -> Section:
    """Accuracies of all runs, and every run's confusion matrices."""
    blocks: list[Block] = []
    known = {}
    for subject in subjects:
        section = subject.section("accuracy")
        if isinstance(section, Missing):
            blocks.append(section)
        else:
            known[subject.label] = (subject, section)
    if known:
        blocks = [*_overview([(subject, section) for subject, section in known.values()]), *blocks]
    for subject, section in known.values():
        blocks.append(Text(f"{subject.label}: {section['method']}; {_METHOD[section.get('as_trained')]}."))
        blocks += _matrices(subject, section, len(known) == 1)
    return Section("accuracy", "Accuracy", blocks)


def _overview(known: Sequence[tuple[Subject, Mapping[str, Any]]]) -> list[Block]:
    sets = list(dict.fromkeys(split for _, section in known for split in section["sets"]))
    heads = list(
        dict.fromkeys(head for _, section in known for entry in section["sets"].values() for head in entry["heads"])
    )
    rows = [
        Row(
            f"{head}, {SHORT.get(split, split)}",
            (
                cell(_entry(known[0][1], split, head, "chance")),
                *(cell(_entry(section, split, head, "accuracy")) for _, section in known),
            ),
        )
        for split in sets
        for head in heads
    ]
    note = (
        "Per cent of clips decided right, with the 95 % interval (Wilson 1927, clips as independent; those of one "
        "recording are not quite). Chance: always the most frequent class. "
        + " ".join(f"{SHORT.get(split, split)}: {set_words(known[0][0], split)}." for split in sets)
    )
    table = Table(
        "Accuracy by head and test set", ("head, test set", "chance", *(s.label for s, _ in known)), tuple(rows), note
    )
    return [_picture(known, sets, heads), table]


def _picture(known: Sequence[tuple[Subject, Mapping[str, Any]]], sets: Sequence[str], heads: Sequence[str]) -> Figure:
    panels = []
    for split in sets:
        lines = []
        for head in heads:
            found = [(subject, find(section, "sets", split, "heads", head, "accuracy")) for subject, section in known]
            chance = find(known[0][1], "sets", split, "heads", head, "chance")
            points = tuple(
                Point(quantity, subject.number, subject.label)
                for subject, quantity in found
                if isinstance(quantity, Quantity)
            )
            lines.append(Line(head, points, chance.value if isinstance(chance, Quantity) else None))
        panels.append(Panel(SHORT.get(split, split), tuple(lines)))
    return dots(
        "accuracy-overview",
        "Accuracy of every head on the test sets",
        "Accuracy with 95 % intervals; the numbers stand in the table below.",
        panels,
        "accuracy, %",
        limits=(0, 101),
        reference="the most frequent class alone",
    )


def _entry(section: Mapping[str, Any], split: str, head: str, key: str) -> Any:
    found = section["sets"].get(split, {}).get("heads", {}).get(head)
    return found[key] if found else {"unavailable": f"not measured on {split}"}


def _matrices(subject: Subject, section: Mapping[str, Any], alone: bool) -> list[Block]:
    folds: list[Block] = []
    for split, entry in section["sets"].items():
        figures = [
            confusion(
                f"confusion-{subject.number}-{split}-{head}",
                f"{subject.label}, {SHORT.get(split, split)}, {head}",
                found["labels"],
                found["confusion"],
            )
            for head, found in entry["heads"].items()
        ]
        large = [figure for figure in figures if figure.width_px > 500]
        small = [figure for figure in figures if figure.width_px <= 500]
        blocks: list[Block] = [*large]
        if small:
            blocks.append(Gallery(tuple(small), 300))
        folds.append(Fold(f"{subject.label}: confusion, {SHORT.get(split, split)}", tuple(blocks), alone))
    return folds
