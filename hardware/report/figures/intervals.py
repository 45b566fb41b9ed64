"""Numbers with their intervals, a row each: accuracies, rates, time constants."""

from collections.abc import Sequence
from dataclasses import dataclass

from hardware.measurement import Quantity
from hardware.report.blocks import Figure
from hardware.report.figures.style import INK, SOFT, drawing, grid, marker, series, to_svg


@dataclass(frozen=True)
class Point:
    """A number of a row; ``number`` is the run's."""

    quantity: Quantity
    number: int
    run: str


@dataclass(frozen=True)
class Line:
    """A row of points; ``reference`` is drawn as a stroke (chance, say)."""

    head: str
    points: tuple[Point, ...]
    reference: float | None = None


@dataclass(frozen=True)
class Panel:
    """Rows that share an axis."""

    title: str
    lines: tuple[Line, ...]


def dots(
    name: str,
    label: str,
    caption: str,
    panels: Sequence[Panel],
    unit: str,
    *,
    limits: tuple[float, float] | None = None,
    reference: str = "",
) -> Figure:
    """A dot a number with its interval, panels side by side.

    Parameters
    ----------
    unit
        Words under the axis.
    reference
        What the strokes are, for the legend.
    """
    runs = {point.run: point.number for panel in panels for line in panel.lines for point in line.points}
    rows = max(len(panel.lines) for panel in panels)
    height = rows * (0.17 * max(1, len(runs)) + 0.17) + 0.85 + 0.2 * bool(len(runs) > 1 or reference)
    with drawing(name, 7.6, height) as figure:
        axes = figure.subplots(1, len(panels), sharex=limits is not None, squeeze=False)[0]
        for axis, panel in zip(axes, panels, strict=True):
            _panel(axis, panel, len(runs))
            axis.set_title(panel.title, loc="left")
            axis.set_xlabel(unit)
            if limits is not None:
                axis.set_xlim(*limits)
            else:
                axis.set_xlim(left=0)
        _legend(figure, runs, reference)
        svg = to_svg(figure, name, label)
    return Figure(name, svg, label, caption, 600)


def _panel(axis: object, panel: Panel, runs: int) -> None:
    from typing import Any

    drawn: Any = axis
    for place, line in enumerate(panel.lines):
        for offset, point in enumerate(line.points):
            at = place + (offset - (len(line.points) - 1) / 2) * 0.8 / max(1, runs)
            found, colour = point.quantity, series(point.number)
            drawn.plot([found.low, found.high], [at, at], color=colour, linewidth=1.8, solid_capstyle="butt")
            drawn.plot([found.value], [at], marker(point.number), color=colour, markersize=5)
        if line.reference is not None:
            drawn.plot(
                [line.reference] * 2, [place - 0.42, place + 0.42], color=INK, linewidth=1, linestyle=(0, (2, 1))
            )
    drawn.set_yticks(range(len(panel.lines)), [line.head for line in panel.lines])
    drawn.set_ylim(len(panel.lines) - 0.5, -0.5)
    grid(drawn, "x")


def _legend(figure: object, runs: dict[str, int], reference: str) -> None:
    from typing import Any

    from matplotlib.lines import Line2D

    drawn: Any = figure
    handles = [
        Line2D([], [], color=series(number), marker=marker(number), linewidth=1.8, label=run)
        for run, number in runs.items()
        if len(runs) > 1
    ]
    if reference:
        handles.append(Line2D([], [], color=INK, linewidth=1, linestyle=(0, (2, 1)), label=reference))
    if handles:
        drawn.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)), labelcolor=SOFT)
