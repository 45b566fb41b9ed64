"""Sections of ``measurement.json`` that cannot be read: found, named, and left out of the page without the others."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from hardware.report.blocks import Missing
from hardware.report.subject import Subject
from train.errors import CallError, MaestroError

Built = TypeVar("Built")
# What a section raises whose form is not ours.
DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, AssertionError, OverflowError, MaestroError)


def around(
    build: Callable[[Sequence[Subject]], Built], subjects: Sequence[Subject]
) -> tuple[Built | None, list[Missing]]:
    """What is built of the runs, of each without the section that cannot be read; and runs of which nothing can be.

    Raises
    ------
    CallError
        As ``build`` does: the call is wrong, not a file.
    """
    try:
        return build(subjects), []
    except CallError:
        raise
    except DAMAGE as error:
        last = error
    kept, gone = [], []
    for subject in subjects:
        found = _readable(build, subject)
        if isinstance(found, Missing):
            gone.append(found)
        else:
            kept.append(found)
    if not kept:
        return None, gone
    try:
        return build(kept), gone
    except DAMAGE as error:
        last = error
    # Each is whole, but they do not go together.
    of = ", ".join(subject.label for subject in kept)
    return None, [*gone, Missing(of, f"side by side they cannot be shown ({_named(last)})")]


def _readable(build: Callable[[Sequence[Subject]], Any], subject: Subject) -> Subject | Missing:
    """The run, without the section that cannot be read if there is one; or what there is to say of it."""
    error = _fails(build, subject)
    if error is None:
        return subject
    for name in subject.content:
        gone = {"unavailable": f"section {name} of {subject.file_name} cannot be read ({_named(error)})"}
        without = replace(subject, content={**subject.content, name: gone})
        if name != "format" and _fails(build, without) is None:
            return without
    why = f"what {subject.file_name} says of it cannot be read ({_named(error)})"
    return Missing(subject.label, why, subject.command("network"))


def _fails(build: Callable[[Sequence[Subject]], Any], subject: Subject) -> Exception | None:
    try:
        build([subject])
    except DAMAGE as error:
        return error
    return None


def _named(error: Exception) -> str:
    return str(error) if isinstance(error, MaestroError) else f"{type(error).__name__}: {error}"
