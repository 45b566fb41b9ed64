"""Accuracy over noise and over the level of a run's clips."""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.report.blocks import Figure
from hardware.report.figures.style import SOFT, drawing, marker, series, to_svg
from hardware.robustness.curves import Point, curve, heads, intervals, kinds, main_head

_PANEL = 3.6


def curves(name: str, label: str, caption: str, section: Mapping[str, Any], split: str) -> Figure:
    """Two panels of a test set: a line a kind of noise over the ratio, and a line a head over the level."""
    head = main_head(section)
    noise = {kind: curve(section, "noise", split, head, kind) for kind in kinds(section)}
    level = {each: curve(section, "level", split, each) for each in heads(section)}
    with drawing(name, 2 * _PANEL, 3.1) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for number, (kind, points) in enumerate(noise.items()):
            shift = 0.07 * (number - (len(noise) - 1) / 2)
            _line(left, [place + shift for place in range(len(points))], points, kind, number)
        ticks = [point.text for point in next(iter(noise.values()))]
        left.set_xticks(range(len(ticks)), ticks)
        left.set_title(f"{head} over the signal-to-noise ratio", loc="left")
        left.set_xlabel("dB")
        left.set_ylabel("accuracy, %")
        for number, (each, points) in enumerate(level.items()):
            _line(right, [point.value for point in points], points, each, number)
        right.axvline(0, color=SOFT, linewidth=0.8)
        right.set_title("every head over the level", loc="left")
        right.set_xlabel("dB against the recording")
        for axis in (left, right):
            axis.set_ylim(0, 101)
            axis.grid(visible=True)
            axis.legend(loc="best")
        svg = to_svg(figure, name, label)
    return Figure(name, svg, label, caption, 640)


def _line(axis: Any, places: Sequence[float], points: Sequence[Point], label: str, number: int) -> None:
    axis.errorbar(
        **intervals(places, points),
        color=series(number),
        marker=marker(number),
        capsize=2,
        elinewidth=0.9,
        label=label,
    )
