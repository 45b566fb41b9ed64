"""How to read the page, and what it does not show."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardware.report.blocks import Block, Heading, Missing, Points, Row, Section, Table, Text, words
from hardware.report.format import listed
from hardware.report.subject import Subject, unticked

EVIDENCE = {
    "measured": "read from an instrument, or counted, on the network itself",
    "calibrated": "estimated with constants that were fitted to an instrument's readings of other networks",
    "literature": "estimated with constants that a paper gives, not for this chip or not for this network",
    "derived": "worked out from other numbers of this page by arithmetic alone",
}
_LIMITS = (
    "Intervals of accuracy are about other clips, not about training again: each run is one network of one seed. "
    "`python -m hardware compare` trains many and tells kinds of network apart.",
    "No silicon has run these networks, unless a figure here is marked as measured on Loihi 2. Intel has published no "
    "energy per operation of Loihi 2; its band uses Loihi 1's constants as a stand-in.",
    "An energy of a chip is the chip's: host, board and the sound's preprocessing are not in it. A GPU's is the whole "
    "board's as its own meter has it.",
    "Chips are compared with GPUs at batch 1 and over a sweep: a GPU gains from large batches, and a chip does not.",
)
_CORPUS = (
    "The embedded corpus is real scores, performed and rendered by the project: its test sets are other performances, "
    "and keyboards that training never heard, not a concert hall's. Emotion is a proxy computed from the score."
)


def reading(subjects: Sequence[Subject]) -> Section:
    """Evidence classes, what is missing, and what no figure here shows."""
    rows = tuple(
        Row(name, (words("estimated" if name != "measured" else "measured"), words(text)))
        for name, text in EVIDENCE.items()
    )
    blocks: list[Block] = [
        Text(
            "A number stands with the interval that it lies in, and with what it rests on. Where a number could not be "
            "had, the page says unavailable and why; nothing is filled in for it."
        ),
        Table("What a number rests on", ("class", "kind", "meaning"), rows),
        Heading("What no figure here shows"),
        Points((*_LIMITS, *([_CORPUS] if any(s.config.data.source == "corpus" for s in subjects) else []))),
        Heading("What is missing here"),
        _missing(subjects),
    ]
    return Section("limits", "What falls short, and how to read this page", blocks)


def _missing(subjects: Sequence[Subject]) -> Block:
    """Every reason once, with the runs and sections it holds for."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for subject in subjects:
        for name in ("network", "accuracy", "counters", "energy", "baseline", "derived"):
            section = subject.section(name)
            if isinstance(section, Missing):
                found = [f"{section.why}. `{unticked(section.command)}` makes it"]
            else:
                found = list(_reasons(section))
            for reason in dict.fromkeys(found):
                reasons.setdefault(reason, {}).setdefault(name, []).append(subject.label)
    points = []
    for reason, where in reasons.items():
        of = dict.fromkeys(label for labels in where.values() for label in labels)
        runs = "" if len(subjects) == 1 else f" of {'all runs' if len(of) == len(subjects) else listed(list(of))}"
        points.append(f"{reason} ({listed(list(where))}{runs})")
    return Points(tuple(points)) if points else Text("Nothing: every number that the page asks for could be had.")


def _reasons(entry: Any) -> Iterator[str]:
    if isinstance(entry, Mapping):
        if isinstance(entry.get("unavailable"), str):
            yield entry["unavailable"]
            return
        for inner in entry.values():
            yield from _reasons(inner)
    elif isinstance(entry, list):
        for inner in entry:
            yield from _reasons(inner)
