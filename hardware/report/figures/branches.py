"""Time constants that branches learned."""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.report.blocks import Figure
from hardware.report.figures.style import INK, SOFT, dashes, drawing, grid, log_axis, marker, series, to_svg

# Marks a branch that does not decay at all.
_ENDLESS = ">"


def time_constants(
    name: str,
    label: str,
    caption: str,
    layers: Mapping[str, Sequence[Mapping[str, float | None]]],
    before_s: Mapping[str, Sequence[float]],
    step_s: float,
) -> Figure:
    """Time constants of every layer's branches after training, and, where known, before it.

    Parameters
    ----------
    layers
        Layer -> branches, each ``steps``, ``steps_low``, ``steps_high`` (None: no decay).
    before_s
        Layer -> branches, in s.
    step_s
        Length of a step.
    """
    branches = max(len(entries) for entries in layers.values())
    with drawing(name, 7.6, 0.62 * len(layers) + 1.15) as figure:
        axis = figure.add_subplot()
        for place, (layer, entries) in enumerate(layers.items()):
            for branch, entry in enumerate(entries):
                at = place + (branch - (len(entries) - 1) / 2) * 0.7 / branches
                _branch(axis, entry, at, branch, step_s)
                known = before_s.get(layer, ())
                if branch < len(known):
                    axis.plot([known[branch]], [at], "|", color=INK, markersize=9, markeredgewidth=1.2)
        axis.set_xscale("log")
        log_axis(axis.xaxis, "s")
        axis.set_yticks(range(len(layers)), list(layers))
        axis.set_ylim(len(layers) - 0.5, -0.5)
        axis.set_xlabel("time constant")
        grid(axis, "x")
        endless = any(entry.get("steps") is None for entries in layers.values() for entry in entries)
        _legend(figure, branches, bool(before_s), endless)
        svg = to_svg(figure, name, label)
    return Figure(name, svg, label, caption, 560)


def _branch(axis: Any, entry: Mapping[str, float | None], at: float, branch: int, step_s: float) -> None:
    value, low, high = (entry.get(key) for key in ("steps", "steps_low", "steps_high"))
    colour = series(branch)
    if value is None:
        # Beyond every scale: at the edge.
        edge = {"transform": axis.get_yaxis_transform(), "clip_on": False}
        axis.plot([1.0], [at], _ENDLESS, color=colour, markersize=7, **edge)
        return
    if low is not None and high is not None and low < high:
        axis.plot([low * step_s, high * step_s], [at, at], color=colour, linewidth=1.8, linestyle=dashes(0))
    axis.plot([value * step_s], [at], marker(branch), color=colour, markersize=5)


def _legend(figure: Any, branches: int, before: bool, endless: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=series(branch), marker=marker(branch), linewidth=0, label=f"branch {branch}")
        for branch in range(branches)
    ]
    if before:
        handles.append(Line2D([], [], color=INK, marker="|", linewidth=0, markersize=9, label="before training"))
    if endless:
        handles.append(Line2D([], [], color=INK, marker=_ENDLESS, linewidth=0, markersize=7, label="does not decay"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), labelcolor=SOFT)
