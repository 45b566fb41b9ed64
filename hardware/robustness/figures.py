"""Accuracy over noise, level and the other changes, drawn from the section alone, as PNG."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware.report.sections.measured import SHORT
from hardware.robustness.curves import Point, curve, heads, intervals, kinds, main_head
from train.artifacts import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, and marks besides, so that nothing rests on colour alone.
_COLOURS = ("#000000", "#E69F00", "#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#D55E00")
_MARKS = "os^vD<>"
_STYLE = {
    "font.size": 9,
    # Names of heads come from files: a dollar sign in one is no formula.
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
_OTHERS = ("reverb", "tilt", "pitch", "tempo")


def draw(section: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw every picture into the folder; returns the files."""
    import matplotlib
    from matplotlib.figure import Figure

    found = []
    with matplotlib.rc_context(_STYLE):
        for name, picture in PICTURES.items():
            figure = Figure(layout="constrained")
            picture(figure, section)
            path = folder / f"robustness_{name}.png"
            with atomic_write(path) as temporary:
                figure.savefig(temporary, format="png", dpi=150)
            found.append(path)
    return found


def over_noise(figure: "Figure", section: Mapping[str, Any]) -> None:
    """A panel a test set, a line a kind of noise; the clean clips stand where the axis ends."""
    splits, head = list(section["clean"]["sets"]), main_head(section)
    figure.set_size_inches(4.2 * len(splits) + 0.4, 3.7)
    axes = figure.subplots(1, len(splits), sharey=True, squeeze=False)[0]
    for axis, split in zip(axes, splits, strict=True):
        of_kind = {kind: curve(section, "noise", split, head, kind) for kind in kinds(section)}
        for number, (kind, points) in enumerate(of_kind.items()):
            # Side by side, or intervals would hide each other.
            shift = 0.07 * (number - (len(of_kind) - 1) / 2)
            _line(axis, [place + shift for place in range(len(points))], points, kind, number)
        ticks = [point.text for point in next(iter(of_kind.values()))]
        axis.set_xticks(range(len(ticks)), ticks)
        axis.set_title(SHORT.get(split, split))
        axis.set_xlabel("signal-to-noise ratio, dB")
    axes[0].set_ylabel(f"{head} accuracy, %")
    _finish(figure, axes)


def over_level(figure: "Figure", section: Mapping[str, Any]) -> None:
    """A panel a test set, a line a head, over the level against that of the recordings."""
    _rows(figure, section, ("level",))


def over_others(figure: "Figure", section: Mapping[str, Any]) -> None:
    """A row a test set, a column a change, a line a head."""
    _rows(figure, section, _OTHERS)


PICTURES: dict[str, Callable[["Figure", Mapping[str, Any]], None]] = {
    "noise": over_noise,
    "level": over_level,
    "others": over_others,
}


def _rows(figure: "Figure", section: Mapping[str, Any], changes: Sequence[str]) -> None:
    splits = list(section["clean"]["sets"])
    cells = [(split, change) for split in splits for change in changes]
    columns = len(changes) if len(changes) > 1 else len(splits)
    rows = len(cells) // columns
    figure.set_size_inches(3.1 * columns + 0.4 + 1.1 * (len(changes) == 1), 2.6 * rows + 1.0)
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for number, (axis, (split, change)) in enumerate(zip(axes.flat, cells, strict=True)):
        for place, head in enumerate(heads(section)):
            points = curve(section, change, split, head)
            _line(axis, [point.value for point in points], points, head, place)
        told = section["axes"][change]
        axis.axvline(told["clean"], color="#666666", linewidth=0.8, linestyle=":")
        axis.set_title(SHORT.get(split, split))
        axis.set_xlabel(f"{told['title']}, {told['unit']}")
        if number % columns == 0:
            axis.set_ylabel("accuracy, %")
    _finish(figure, list(axes.flat))


def _line(axis: Any, places: Sequence[float], points: Sequence[Point], label: str, number: int) -> None:
    axis.errorbar(
        **intervals(places, points),
        color=_COLOURS[number % len(_COLOURS)],
        marker=_MARKS[number % len(_MARKS)],
        markersize=4,
        linewidth=1.2,
        elinewidth=0.8,
        capsize=2,
        label=label,
    )


def _finish(figure: "Figure", axes: Sequence[Any]) -> None:
    for axis in axes:
        axis.set_ylim(0, 101)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(6, len(labels)))
