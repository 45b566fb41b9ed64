"""Energies as bands on a log axis, and as a function of the step time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hardware.measurement import Quantity
from hardware.report.blocks import Figure
from hardware.report.figures.style import (
    INK,
    PAPER,
    SERIES,
    SOFT,
    dashes,
    drawing,
    grid,
    log_axis,
    marker,
    series,
    to_svg,
)
from hardware.report.format import amount

# What a number rests on: the bar's hatch and the word beside it. Measured bars are solid.
HATCHES = {"measured": "", "calibrated": "..", "literature": "////", "derived": "\\\\\\\\"}
_FILL = {"measured": SERIES[0], "calibrated": SERIES[2], "literature": SERIES[4], "derived": SERIES[5]}


@dataclass(frozen=True)
class Band:
    """A bar of the picture: an energy, or why there is none; ``total`` bars are thick, parts thin. None: a heading."""

    head: str
    found: Quantity | str | None
    total: bool = True
    group: bool = False


def bands(
    name: str,
    label: str,
    caption: str,
    rows: Sequence[Band],
    *,
    unit: str = "J",
    title: str = "energy of an inference",
    reference: float | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Energies, low to high with the value marked, a row each; the class of evidence by hatch and word.

    A line stands at ``reference``; bars beyond ``limits`` are told in words at the axis' end.

    Rows that have no energy say so in words; an energy of zero has no place on a log axis and is written.
    """
    numbers = [row.found for row in rows if isinstance(row.found, Quantity) and row.found.high > 0]
    low = min((found.low if found.low > 0 else found.high / 10 for found in numbers), default=1e-9)
    high = max((found.high for found in numbers), default=1e-3)
    low, high = limits or (low / 2, high)
    height = sum(0.27 if row.total else 0.2 for row in rows) + 0.75
    with drawing(name, 8.6, height) as figure:
        axis = figure.add_subplot()
        axis.set_xscale("log")
        # Room at the right for the numbers, as decades.
        axis.set_xlim(low, high * (high / low) ** 0.55 * 4)
        place, ticks = 0.0, []
        for row in rows:
            height = 1.0 if row.total else 0.74
            centre = place + height / 2
            if row.group and place:
                axis.axhline(place, color=SOFT, linewidth=0.6)
            _bar(axis, row, centre, 0.3 if row.total else 0.17, low)
            ticks.append((centre, row.head if row.total else f"   {row.head}"))
            place += height
        axis.set_ylim(place, 0)
        axis.set_yticks([centre for centre, _ in ticks], [head for _, head in ticks])
        for text, row in zip(axis.get_yticklabels(), rows, strict=True):
            text.set_fontsize(8.2 if row.total else 7.4)
            text.set_color(INK if row.total else SOFT)
        if reference is not None:
            axis.axvline(reference, color=INK, linewidth=1.2)
        log_axis(axis.xaxis, unit)
        grid(axis, "x")
        axis.set_xlabel(title)
        _legend(figure, {str(found.evidence) for found in numbers})
        svg = to_svg(figure, name, label)
    return Figure(name, svg, label, caption, 680)


def _bar(axis: Any, row: Band, centre: float, half: float, left: float) -> None:
    found, size = row.found, 7.6 if row.total else 7
    if found is None:
        return
    if isinstance(found, str):
        axis.text(left * 1.1, centre, "unavailable", va="center", fontsize=size, color=SOFT, style="italic")
        return
    if found.high <= left:
        text = f"◂ {amount(found)}" if found.high > 0 else "0"
        axis.text(left * 1.1, centre, text, va="center", fontsize=size, color=INK)
        return
    colour, low = _FILL[str(found.evidence)], max(found.low, left)
    if found.high > low:
        axis.barh(
            centre,
            found.high - low,
            left=low,
            height=2 * half,
            facecolor=colour,
            alpha=1.0,
            edgecolor=INK,
            hatch=HATCHES[str(found.evidence)],
            linewidth=0.8,
        )
    tall = size * half / 0.3
    if found.kind == "measured":
        # An instrument's band may be too narrow to be seen.
        axis.plot([found.value], [centre], "o", color=colour, markeredgecolor=INK, markersize=tall)
    else:
        axis.plot([found.value], [centre], "|", color=PAPER, markersize=2.2 * tall, markeredgewidth=3.2)
        axis.plot([found.value], [centre], "|", color=INK, markersize=2.0 * tall, markeredgewidth=1.4)
    text = f"{amount(found)}  {found.kind}" if row.total else amount(found)
    axis.annotate(
        text,
        (max(found.high, found.value), centre),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        fontsize=size,
        color=INK if row.total else SOFT,
    )


def _legend(figure: Any, classes: set[str]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=_FILL[word], edgecolor=INK, hatch=HATCHES[word], linewidth=0.8, label=_meaning(word))
        for word in HATCHES
        if word in classes
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=min(2, len(handles)), handlelength=2.6)


def _meaning(word: str) -> str:
    kind = "" if word == "measured" else "estimated, "
    return f"{kind}{word}" if word != "measured" else "measured"


def over_step_time(
    name: str,
    label: str,
    caption: str,
    curves: Mapping[str, Sequence[Mapping[str, float]]],
    marks: Mapping[str, tuple[float, float]],
) -> Figure:
    """Total energy as a function of the step time, a band a device; ``marks`` are step times of note, low to high."""
    with drawing(name, 7.6, 3.5) as figure:
        axis = figure.add_subplot()
        for number, (device, points) in enumerate(curves.items()):
            step = [point["step_time_s"] for point in points]
            low, value, high = ([point[key] for point in points] for key in ("low_j", "value_j", "high_j"))
            axis.fill_between(step, low, high, color=series(number), alpha=0.22, linewidth=0)
            axis.plot(step, value, color=series(number), linestyle=dashes(number), marker=marker(number), label=device)
        axis.set_xscale("log")
        axis.set_yscale("log")
        for number, (word, (start, stop)) in enumerate(marks.items()):
            axis.axvspan(start, stop, facecolor="none", edgecolor=SOFT, linestyle=dashes(number + 1), linewidth=0.9)
            at: Any = {"xytext": (3, -9), "ha": "left"} if start < stop else {"xytext": (-3, -9), "ha": "right"}
            where = ("data", "axes fraction")
            axis.annotate(
                word, (start, 1.0), xycoords=where, textcoords="offset points", color=SOFT, fontsize=7.5, **at
            )
        log_axis(axis.xaxis, "s")
        log_axis(axis.yaxis, "J")
        axis.grid(visible=True)
        axis.set_xlabel("time of a step")
        axis.set_ylabel("energy of an inference, in all")
        figure.legend(loc="outside lower center", ncols=2)
        svg = to_svg(figure, name, label)
    return Figure(name, svg, label, caption, 600)
