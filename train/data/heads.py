"""What makes a head learnable: its name, its classes and how many recordings have a label of it."""

import re
from collections.abc import Iterable, Mapping, Sequence

from train.config_checks import HEADS
from train.data.csv_table import some
from train.data.dataset import SPLITS, TEST, TRAIN, Recording
from train.errors import MaestroError

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_head_name(where: str, name: str) -> None:
    """Refuse a head's name that could not stand in a configuration.

    Raises
    ------
    MaestroError
        Not lower-case letters, digits and underscores.
    """
    if not _NAME.fullmatch(name):
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        cure = f"call it {plain!r}" if _NAME.fullmatch(plain) else ""
        raise MaestroError(where, f"{name!r} is no name of a head", allowed="a-z, 0-9 and _, a letter first", cure=cure)


def check_class_names(where: str, head: str, names: Iterable[str]) -> None:
    """Refuse classes that differ in capitals or spaces alone: they are one class, spelt twice.

    Raises
    ------
    MaestroError
        Naming two such spellings.
    """
    seen: dict[str, str] = {}
    for name in sorted(set(names)):
        other = seen.setdefault("".join(name.split()).casefold(), name)
        if other != name:
            raise MaestroError(where, f"{head} is both {other!r} and {name!r}", cure="spell the class in one way")


def in_head_order(heads: Iterable[str]) -> list[str]:
    """Title, style and emotion first, others by name."""
    return sorted(set(heads), key=lambda head: (HEADS.index(head) if head in HEADS else len(HEADS), head))


def check_head(where: str, head: str, recordings: Sequence[Recording], min_coverage: float) -> list[str]:
    """Refuse a head that cannot be learned from these recordings, and tell how far its labels reach.

    Parameters
    ----------
    where
        What brought the head, for messages.
    head
        Its name.
    recordings
        All of the data set, with their sides.
    min_coverage
        Share of the recordings that must have a label, 0 to 1.

    Returns
    -------
    list of str
        Remarks: the coverage, in all and on each side; classes that a side other than training lacks.

    Raises
    ------
    MaestroError
        Too few recordings with a label, fewer than two classes, or a class that training lacks.
    """
    sides: dict[str, list[str | None]] = {}
    further = sorted({entry.split for entry in recordings} - set(SPLITS))
    for side in (*SPLITS, *further):
        if names := [entry.labels.get(head) for entry in recordings if entry.split == side]:
            sides[side] = names
    coverage = _coverage(head, sides)
    labelled = sum(name is not None for names in sides.values() for name in names)
    if labelled == 0 or labelled < min_coverage * len(recordings):
        raise MaestroError(
            where,
            coverage,
            allowed=f"at least {100 * min_coverage:g} %",
            cure="label more recordings, leave the head out of data.heads, or set data.min_coverage lower",
        )
    classes = {side: {name for name in names if name is not None} for side, names in sides.items()}
    every = sorted(set().union(*classes.values()))
    if len(every) < 2:
        cure = "give a second class, or leave the head out of data.heads"
        raise MaestroError(where, f"{head} has one class, {every[0]!r}: nothing to tell apart", cure=cure)
    unheard = [name for name in every if name not in classes.get(TRAIN, set())]
    if unheard:
        raise MaestroError(
            where,
            f"{len(unheard)} of {len(every)} classes of {head} have no recording for training: {some(unheard)}",
            cure="label recordings of that side too, choose other sides, or leave the classes out",
        )
    remarks = [coverage]
    for side, heard in classes.items():
        absent = [name for name in every if name not in heard]
        if side != TRAIN and absent:
            remarks.append(f"{head}: no recording for {side} of {len(absent)} of {len(every)} classes: {some(absent)}")
    return remarks


def pieces_heard_again(head: str, recordings: Sequence[Recording]) -> list[str]:
    """A remark where a head is tested on pieces that training has: who knows the piece may know its class by heart."""
    heard = {entry.piece for entry in recordings if entry.split == TRAIN and head in entry.labels}
    tested = [entry for entry in recordings if entry.split.startswith(TEST) and head in entry.labels]
    again = sum(entry.piece in heard for entry in tested)
    return [f"{head} is tested on pieces heard in training: {again} of {len(tested)} test recordings"] if again else []


def _coverage(head: str, sides: Mapping[str, Sequence[str | None]]) -> str:
    def share(names: Sequence[str | None]) -> str:
        there = sum(name is not None for name in names)
        return f"{there} of {len(names)} ({100 * there / len(names):.0f} %)"

    parts = "; ".join(f"{side} {share(names)}" for side, names in sides.items())
    return f"{head}: labels for {share([name for names in sides.values() for name in names])} recordings: {parts}"
