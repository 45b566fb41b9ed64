"""The experiment's pictures, drawn from ``segmentation.json`` alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hardware.segmentation.summary import BASELINES, ORDERS, SIDES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's, as in the other pictures.
_COLOURS = ("#E69F00", "#0072B2", "#009E73", "#CC79A7")
_GREY = "#666666"
_LINES = {"majority": ":", "clock": "--"}


def accuracy_by_seed(figure: "Figure", result: Mapping[str, Any]) -> bool:
    """Frame accuracy of every seed, a panel an order and side; a seed's models joined, baselines as lines."""
    panels = [(order, side) for order, found in result["orders"].items() for side in found["sides"]]
    figure.set_size_inches(2.6 * len(panels) + 0.6, 3.2)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    models = list(result["labels"])
    for axis, (order, side) in zip(axes, panels, strict=True):
        entry = result["orders"][order]["sides"][side]
        seeds = [[100 * share for share in entry["accuracy"][model]["seeds"]] for model in models]
        for of_seed in zip(*seeds, strict=True):
            axis.plot(range(len(models)), of_seed, "-", color=_GREY, linewidth=0.7, alpha=0.6)
        for place, shares in enumerate(seeds):
            axis.plot([place] * len(shares), shares, "o", color=_COLOURS[place], markersize=5)
        for word, label in BASELINES.items():
            axis.axhline(100 * entry["baselines"][word]["mean"], color="black", linestyle=_LINES[word], label=label)
        axis.set_xticks(range(len(models)), list(result["labels"].values()))
        axis.set_xlim(-0.5, len(models) - 0.5)
        axis.set_title(f"{order},\n{SIDES.get(side, side)}", fontsize=9)
    axes[0].set_ylabel("frame accuracy, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return True


def accuracy_around_cuts(figure: "Figure", result: Mapping[str, Any]) -> bool:
    """Share of right frames over the time from the cut, a panel an order and side, means over seeds."""
    panels = [(order, side) for order, found in result["orders"].items() for side in found["sides"]]
    figure.set_size_inches(2.6 * len(panels) + 0.6, 3.2)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    hop_s = result["features"]["hop_s"]
    for axis, (order, side) in zip(axes, panels, strict=True):
        curves = result["orders"][order]["sides"][side]["around_cuts"]
        for number, (model, curve) in enumerate(curves.items()):
            for word, line, told in (("changed", "-", ""), ("same", ":", ", style stays")):
                if word in curve:
                    share = curve[word]["share"]
                    times = [
                        (curve["first_step"] + (place + 0.5) * curve["bin_steps"]) * hop_s
                        for place in range(len(share))
                    ]
                    label = f"{result['labels'][model]}{told}"
                    axis.plot(times, [100 * value for value in share], line, color=_COLOURS[number], label=label)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title(f"{order},\n{SIDES.get(side, side)}", fontsize=9)
        axis.set_xlabel("time from the cut, s")
    axes[0].set_ylabel("frames told right, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return True


def example_raster(figure: "Figure", result: Mapping[str, Any]) -> bool:
    """One test clip of the first seed: its input, and for every model all spikes and what is told when."""
    order = next(iter(result["orders"]))
    examples = result["orders"][order]["example"]
    hop_s = result["features"]["hop_s"]
    figure.set_size_inches(7.2, 1.4 + 2.3 * len(examples))
    axes = figure.subplots(1 + 2 * len(examples), 1, sharex=True, height_ratios=[1.4, *[1.3, 1] * len(examples)])
    first = next(iter(examples.values()))
    shape = (len(first["input"][0]) * first["bin_steps"] * hop_s, result["features"]["mel"])
    axes[0].imshow(
        first["input"], aspect="auto", origin="lower", extent=(0, shape[0], 0, shape[1]), cmap="Greys", rasterized=True
    )
    axes[0].grid(visible=False)
    axes[0].set_ylabel("mel band")
    axes[0].set_title(f"{' then '.join(first['styles'])} ({ORDERS[order]}), a clip of new performances", fontsize=9)
    for number, (model, entry) in enumerate(examples.items()):
        spikes, told = axes[1 + 2 * number], axes[2 + 2 * number]
        times = [[step * hop_s for step in row] for row in entry["spikes"]]
        spikes.eventplot(times, colors=_COLOURS[number], linewidths=0.4, linelengths=0.8, rasterized=True)
        spikes.set_ylabel(f"{result['labels'][model]}\nneuron")
        _told(told, entry, hop_s, _COLOURS[number])
    for axis in axes:
        axis.axvline(first["cut"] * hop_s, color="black", linewidth=0.8)
    axes[-1].set_xlabel("time, s")
    return True


def _told(axis: "Axes", entry: Mapping[str, Any], hop_s: float, colour: str) -> None:
    """The difference of both scores: above zero the second style is told."""
    times = [place * entry["bin_steps"] * hop_s for place in range(len(entry["score"]))]
    axis.plot(times, entry["score"], color=colour, linewidth=1)
    axis.axhline(0, color="black", linewidth=0.6)
    first, second = entry["labels"]
    axis.set_ylabel(f"{first} <\n> {second}", fontsize=8)


PICTURES = {
    "accuracy_by_seed": accuracy_by_seed,
    "accuracy_around_cuts": accuracy_around_cuts,
    "example_raster": example_raster,
}
