"""Latency, throughput and energy over the batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hardware.measurement import Quantity
from hardware.report.blocks import Figure
from hardware.report.figures.style import SOFT, dashes, drawing, log_axis, marker, series, to_svg

_PANELS = (
    ("latency", "latency of a batch", "s"),
    ("throughput", "inferences a second", "1/s"),
    ("energy_total", "energy of an inference, in all", "J"),
)


@dataclass(frozen=True)
class Curve:
    """A device and network over the batch; ``batches``: batch -> quantity's name -> number or reason."""

    label: str
    batches: Mapping[int, Mapping[str, Quantity | str]]
    elsewhere: bool = False


def sweep(name: str, label: str, caption: str, curves: Sequence[Curve]) -> Figure:
    """Three panels over the batch, a line a device and network; other machines' lines are dashed and open."""
    with drawing(name, 9.0, 3.0 + 0.19 * -(-len(curves) // 2)) as figure:
        axes = figure.subplots(1, len(_PANELS), squeeze=False)[0]
        for axis, (key, title, unit) in zip(axes, _PANELS, strict=True):
            drawn = [_line(axis, curve, number, key) for number, curve in enumerate(curves)]
            axis.set_xscale("log", base=2)
            axis.set_title(title, loc="left")
            axis.set_xlabel("batch")
            batches = sorted({batch for curve in curves for batch in curve.batches})
            _batch_axis(axis, batches)
            if any(drawn):
                axis.set_yscale("log")
                log_axis(axis.yaxis, unit)
                axis.grid(visible=True)
            else:
                axis.set_yticks([])
                axis.text(0.5, 0.5, "unavailable", transform=axis.transAxes, ha="center", color=SOFT, style="italic")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        svg = to_svg(figure, name, label)
    return Figure(name, svg, label, caption, 760)


def _line(axis: Any, curve: Curve, number: int, key: str) -> bool:
    points = {
        batch: found
        for batch, entries in sorted(curve.batches.items())
        if isinstance(found := entries.get(key), Quantity) and found.value > 0
    }
    colour = series(number)
    if points:
        error = [
            [max(0.0, found.value - max(found.low, 0.02 * found.value)) for found in points.values()],
            [found.high - found.value for found in points.values()],
        ]
        axis.errorbar(
            list(points),
            [found.value for found in points.values()],
            yerr=error,
            color=colour,
            marker=marker(number),
            markerfacecolor="none" if curve.elsewhere else colour,
            linestyle=dashes(1 if curve.elsewhere else 0),
            capsize=2,
            elinewidth=0.9,
            label=curve.label,
        )
    else:
        axis.plot([], [], color=colour, marker=marker(number), label=curve.label)
    return bool(points)


def _batch_axis(axis: Any, batches: Sequence[int]) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    shown = batches if len(batches) <= 6 else batches[:: 2 if len(batches) <= 10 else 3]
    axis.set_xticks(shown, [str(batch) for batch in shown])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
