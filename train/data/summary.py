"""What a data set holds, counted before anything is computed: as plain data and as tables. Of any data set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import click

from train.console import emit_table
from train.data.dataset import DataSet, Recording

# Classes that a table shows; --details and --json give all.
SHOWN = 30


def summarise(data: DataSet) -> dict[str, Any]:
    """Counts of a data set, as JSON-able data.

    Returns
    -------
    dict
        ``recordings``, ``hours``, ``pieces``, ``groups``; ``sides``: the same of each, with the number of recordings
        that have a label of each head; ``heads``: head -> class -> side -> recordings, the classes with most
        recordings first; ``remarks`` and ``details`` as the data set has them.
    """
    sides = {split: data.of_split(split) for split in data.splits}
    return {
        "name": data.name,
        "path": str(data.path),
        **_counts(data.recordings),
        "sides": {
            split: {**_counts(found), "labelled": {head: sum(head in r.labels for r in found) for head in data.labels}}
            for split, found in sides.items()
        },
        "heads": {head: _classes(head, sides) for head in data.labels},
        "remarks": list(data.remarks),
        "details": {title: list(items) for title, items in data.details.items()},
    }


def show(summary: Mapping[str, Any], *, details: bool = False) -> None:
    """Print what `summarise` gives on stdout; with ``details`` every class and the lists behind the remarks."""
    heads = list(summary["heads"])
    columns = ["", "recordings", "hours", "pieces", "groups", *(f"with {head}" for head in heads)]
    sides = summary["sides"]
    rows = [_row(name, counts, [counts["labelled"][head] for head in heads]) for name, counts in sides.items()]
    labelled = [sum(counts["labelled"][head] for counts in sides.values()) for head in heads]
    emit_table(f"{summary['name']} in {summary['path']}", columns, [*rows, _row("all", summary, labelled)])
    for head, classes in summary["heads"].items():
        shown = list(classes.items()) if details else list(classes.items())[:SHOWN]
        rows = [[name, *(str(counts.get(side, 0)) for side in sides)] for name, counts in shown]
        if more := len(classes) - len(shown):
            rest = list(classes.values())[-more:]
            rows.append([f"{more} more", *(str(sum(counts.get(side, 0) for counts in rest)) for side in sides)])
        emit_table(f"{head}: {len(classes)} classes, recordings on each side", [head, *sides], rows)
    for remark in summary["remarks"]:
        click.echo(f"- {remark}")
    if details:
        for title, items in summary["details"].items():
            click.echo(f"\n{title} ({len(items)}):")
            for item in items:
                click.echo(f"  {item}")


def _counts(recordings: Sequence[Recording]) -> dict[str, Any]:
    return {
        "recordings": len(recordings),
        "hours": round(sum(recording.duration_s for recording in recordings) / 3600, 4),
        "pieces": len({recording.piece for recording in recordings}),
        "groups": len({recording.group for recording in recordings}),
    }


def _classes(head: str, sides: Mapping[str, Sequence[Recording]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for side, recordings in sides.items():
        for recording in recordings:
            if head in recording.labels:
                counts.setdefault(recording.labels[head], Counter())[side] += 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    return {name: {side: found[side] for side in sides} for name, found in ranked}


def _row(name: str, counts: Mapping[str, Any], labelled: Sequence[int]) -> list[str]:
    numbers = [counts["recordings"], f"{counts['hours']:.2f}", counts["pieces"], counts["groups"], *labelled]
    return [name, *map(str, numbers)]
