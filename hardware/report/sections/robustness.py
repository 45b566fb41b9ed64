"""What is left of the runs' accuracy in noise, at other levels, in rooms, at another pitch and tempo."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardware.report.blocks import Block, Fold, Missing, Row, Section, Table, Text, cell
from hardware.report.figures.curves import curves
from hardware.report.sections.measured import SHORT
from hardware.report.subject import Subject
from hardware.robustness.curves import curve, heads, kinds, main_head


def robustness(subjects: Sequence[Subject]) -> Section:
    """A picture a run and test set, and tables of everything that was tried."""
    blocks: list[Block] = []
    for subject in subjects:
        section = subject.section("robustness")
        blocks += [section] if isinstance(section, Missing) else list(_of_run(subject, section))
    return Section("robustness", "Noise, level, rooms, pitch and tempo", blocks)


def _of_run(subject: Subject, section: Mapping[str, Any]) -> Iterator[Block]:
    whole = "all clips of the test sets" if section["limit"] is None else f"{section['clips']} clips of the test sets"
    yield Text(
        f"{subject.label}: {whole}; {section['method']}. The ratio holds in every clip; the "
        "level is that of the recording, moved."
    )
    tables: list[Block] = []
    for split in section["clean"]["sets"]:
        words = SHORT.get(split, split)
        yield curves(
            f"robustness-{subject.number}-{split}",
            f"{subject.label}, {words}: accuracy over noise and level",
            f"{subject.label}, {words}: 95 % intervals (Wilson 1927, clips as independent).",
            section,
            split,
        )
        tables += _tables(section, split, words)
    yield Fold(f"{subject.label}: everything that was tried", tuple(tables))


def _tables(section: Mapping[str, Any], split: str, words: str) -> Iterator[Table]:
    head = main_head(section)
    for axis, told in section["axes"].items():
        if axis == "noise":
            lines = {kind: curve(section, axis, split, head, kind) for kind in kinds(section)}
        else:
            lines = {each: curve(section, axis, split, each) for each in heads(section)}
        columns = [point.text for point in next(iter(lines.values()))]
        title = f"{told['title'].capitalize()}, {told['unit']}: {f'{head}, ' if axis == 'noise' else ''}{words}"
        rows = [Row(name, tuple(cell(point.found) for point in points)) for name, points in lines.items()]
        yield Table(title, ("kind" if axis == "noise" else "head", *columns), tuple(rows), wide=True)
