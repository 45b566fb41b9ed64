"""The page: sections gathered from the runs, written by the templates into one file that needs nothing else."""

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from hardware.report.blocks import Section
from hardware.report.damage import around
from hardware.report.sections.accuracy import accuracy
from hardware.report.sections.baseline import baseline
from hardware.report.sections.branches import branches
from hardware.report.sections.derived import derived
from hardware.report.sections.energy import energy
from hardware.report.sections.placement import placement
from hardware.report.sections.provenance import provenance
from hardware.report.sections.raster import spikes
from hardware.report.sections.rates import rates
from hardware.report.sections.reading import reading
from hardware.report.sections.robustness import robustness
from hardware.report.sections.verdict import verdict
from hardware.report.subject import Subject, gather
from train.artifacts import provenance as here
from train.console import say

Build = Callable[[Sequence[Subject]], Section]


def render(runs: Sequence[Path], clip: int | None = None, only: Collection[str] = ()) -> str:
    """The page of one run, or of several side by side.

    Parameters
    ----------
    runs
        Run folders, in the order they are shown.
    clip
        Test clip to show; by :data:`hardware.report.clip.RULE` if None.
    only
        Ids of the sections to make; all if empty.

    Returns
    -------
    str
        HTML, with everything in it.

    Raises
    ------
    MaestroError
        A run is missing or was never measured, or its ``measurement.json`` is damaged as a whole.
    CallError
        There is no such clip.
    """
    subjects = gather(runs)
    sections = [_build(name, title, build, subjects) for name, title, build in _plan(clip) if not only or name in only]
    template = _environment().get_template("page.html.j2")
    title = f"Measured: {', '.join(subject.label for subject in subjects)}"
    return template.render(title=title, subjects=subjects, sections=sections, made=here())


def _plan(clip: int | None) -> list[tuple[str, str, Build]]:
    """Sections in order: id, title, and what makes them."""
    return [
        ("verdict", "What was found", verdict),
        ("accuracy", "Accuracy", accuracy),
        ("robustness", "Noise, level, rooms, pitch and tempo", robustness),
        ("raster", "A clip, spike by spike", lambda subjects: spikes(subjects, clip)),
        ("rates", "Firing rates and counts", rates),
        ("time-constants", "Time constants of the branches", branches),
        ("energy", "Energy", energy),
        ("baseline", "Baseline: GPU and processor over the batch", baseline),
        ("break-even", "Break-even and energy-delay product", derived),
        ("parity", "Parity and placement", placement),
        ("limits", "What falls short, and how to read this page", reading),
        ("provenance", "Provenance", provenance),
    ]


def _build(name: str, title: str, build: Build, subjects: Sequence[Subject]) -> Section:
    say(f"page: {title}")
    found, gone = around(build, subjects)
    return Section(name, title, [*(found.blocks if found else ()), *gone])


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hardware.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    environment.filters["drawn"] = Markup
    environment.filters["together"] = together
    return environment


def together(text: str) -> Markup:
    """A number that may only be broken before its interval; in print, where it must, within it."""
    head, bracket, ends = text.partition(" (")
    return Markup(f'{escape(head)} <span class="ends">({escape(ends)}</span>' if bracket else escape(text))


def prose(text: Any) -> Markup:
    """Text with what stands between backticks as code, all of it escaped."""
    # The odd pieces stood between two backticks; one that nobody closed stays as it is.
    pieces = re.split(r"`([^`]*)`", str(text))
    found = (f"<code>{escape(piece)}</code>" if place % 2 else escape(piece) for place, piece in enumerate(pieces))
    return Markup("".join(map(str, found)))
