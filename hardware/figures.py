"""The experiment's pictures, drawn from ``compare.json`` alone, each as PNG and as SVG."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware.experiment import CLEAN
from hardware.result import NOISE
from hardware.summary import CONDITIONS, SPLITS
from train.artifacts import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[["Figure", Mapping[str, Any]], bool]
# Okabe and Ito's colours, told apart by colour-blind readers too; the baselines come first.
_COLOURS = (
    "#000000",
    "#E69F00",
    "#0072B2",
    "#56B4E9",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#8c8c8c",
    "#b8a000",
    "#6a51a3",
)
_MARKERS = "so^v<>DPX*"
_GREY = "#666666"


def draw(result: Mapping[str, Any], folder: Path, pictures: Mapping[str, Draw] | None = None) -> list[Path]:
    """Draw every picture, of compare or as given, that the result has data for; returns the PNG files."""
    import matplotlib
    from matplotlib.figure import Figure

    style = {
        "svg.hashsalt": "maestro-loihi",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.3,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
    }
    found = []
    with matplotlib.rc_context(style):
        for name, picture in (pictures or PICTURES).items():
            figure = Figure(layout="constrained")
            if not picture(figure, result):
                continue
            for suffix, options in ((".svg", {"metadata": {"Date": None}}), (".png", {"dpi": 150})):
                path = folder / f"{name}{suffix}"
                with atomic_write(path) as temporary:
                    figure.savefig(temporary, format=suffix[1:], **options)
                # Found once; looking for it again takes longer than drawing.
                figure.set_layout_engine("none")
            found.append(path)
    return found


def accuracy_over_snr(figure: "Figure", result: Mapping[str, Any]) -> bool:
    """Accuracy over the signal-to-noise ratio: a panel a test set and noise, a line a model, 95 % intervals."""
    evaluation, accuracy = result["experiment"]["evaluation"], _accuracy(result)
    kinds, ratios = evaluation["noises"], sorted(evaluation["snr_db"])
    if not kinds or not ratios:
        return False
    figure.set_size_inches(3.2 * len(kinds) + 0.4, 2.9 * len(accuracy) + 0.9)
    axes = figure.subplots(len(accuracy), len(kinds), sharex=True, sharey="row", squeeze=False)
    for row, (split, heard) in zip(axes, accuracy.items(), strict=True):
        for axis, kind in zip(row, kinds, strict=True):
            # Clean stands where the axis ends, a step beyond the quietest noise.
            names = [*(f"{kind}_{ratio}" for ratio in ratios), CLEAN]
            lines = _lines(result)
            for number, model in enumerate(lines):
                # Side by side, or intervals would hide each other.
                shift = 0.05 * (number - (len(lines) - 1) / 2)
                _line(axis, [heard[name][model] for name in names], shift, result, model)
            axis.set_xticks(range(len(names)), [*map(str, ratios), "clean"])
            axis.set_title(f"{kind} noise, {SPLITS.get(split, split)}", fontsize=9)
        row[0].set_ylabel(f"{result['experiment']['head']} accuracy, %")
    for axis in axes[-1]:
        axis.set_xlabel("signal-to-noise ratio, dB")
    _legend(figure, axes[0][0])
    return True


def paired_differences(figure: "Figure", result: Mapping[str, Any]) -> bool:
    """A forest plot: mean paired difference to each baseline with its 95 % interval, the seeds as dots."""
    differences = result["differences"]
    if not differences:
        return False
    accuracy = _accuracy(result)
    panels = [(split, condition) for split in accuracy for condition in CONDITIONS if condition in accuracy[split]]
    longest = max(len(result["models"]) - 1, 1)
    figure.set_size_inches(2.7 * len(panels) + 1.9, len(differences) * (0.27 * longest + 0.75) + 0.3)
    axes = figure.subplots(len(differences), len(panels), sharey="row", sharex="col", squeeze=False)
    for number, (row, (baseline, by_split)) in enumerate(zip(axes, differences.items(), strict=True)):
        models = [model for model in result["models"] if model != baseline]
        for axis, (split, condition) in zip(row, panels, strict=True):
            for place, model in enumerate(models):
                entry = by_split[split][condition][model]
                seeds = _seed_differences(result, model, baseline, split, condition)
                axis.plot(seeds, [place + 0.22] * len(seeds), ".", color=_GREY, markersize=3, alpha=0.7)
                _whisker(axis, entry, place, _colour(result, model))
            axis.axvline(0, color="black", linewidth=0.8)
            axis.set_yticks(range(len(models)), [_label(result, model) for model in models])
            axis.set_ylim(len(models) - 0.4, -0.6)
            axis.grid(visible=False, axis="y")
            if number == 0:
                axis.set_title(f"{SPLITS.get(split, split)},\n{CONDITIONS[condition]}", fontsize=9)
        row[0].set_ylabel(f"against {_label(result, baseline)}", fontweight="bold")
    for axis in axes[-1]:
        axis.set_xlabel(f"{result['experiment']['head']} accuracy, points")
    corner, mark = axes[0][0], {"color": _GREY, "linewidth": 2, "markersize": 6}
    corner.plot([], [], "o-", label="mean and 95 % interval, zero outside", **mark)
    corner.plot([], [], "o-", label="zero inside, or one seed", markerfacecolor="white", **mark)
    corner.plot([], [], ".", color=_GREY, markersize=3, label="a seed")
    _legend(figure, corner)
    return True


def accuracy_over_cost(figure: "Figure", result: Mapping[str, Any]) -> bool:
    """Accuracy over synaptic operations and state updates an inference; what has no spikes as a line."""
    words = {
        "syn_ops": "synaptic operations an inference",
        "neuron_updates": "state updates an inference",
    }
    spiking = {model: entry["costs"] for model, entry in result["models"].items() if "syn_ops" in entry["costs"]}
    if not spiking:
        return False
    accuracy = _accuracy(result)
    figure.set_size_inches(7.6, 2.8 * len(accuracy) + 0.7)
    axes = figure.subplots(len(accuracy), len(words), sharex="col", sharey="row", squeeze=False)
    for row, (split, heard) in zip(axes, accuracy.items(), strict=True):
        condition = NOISE if NOISE in heard else CLEAN
        for axis, key in zip(row, words, strict=True):
            for model, entry in heard[condition].items():
                shown = {"color": _colour(result, model), "label": _label(result, model)}
                if model not in spiking:
                    axis.axhline(100 * entry["mean"], linestyle=":", **shown)
                    continue
                place = [spiking[model][key] / 1000], [100 * entry["mean"]]
                axis.errorbar(*place, yerr=_half(entry), capsize=2, markersize=4.5, fmt=_marker(result, model), **shown)
            largest = max(costs[key] for costs in spiking.values()) / 1000
            axis.set_xlim(0, 1.08 * largest)
        place_words = f"{SPLITS.get(split, split)},\n{CONDITIONS[condition]}"
        row[0].set_ylabel(f"{result['experiment']['head']} accuracy, %\n{place_words}")
    for axis, word in zip(axes[-1], words.values(), strict=True):
        axis.set_xlabel(f"{word}, thousands")
    _legend(figure, axes[0][0])
    return True


def accuracy_over_branches(figure: "Figure", result: Mapping[str, Any]) -> bool:
    """Accuracy over the number of branches, where models differ in it alone; a LIF baseline as a line."""
    series = _branch_series(result)
    if not series:
        return False
    accuracy, lif = _accuracy(result), _lif_baseline(result)
    panels = [(split, condition) for split in accuracy for condition in CONDITIONS if condition in accuracy[split]]
    figure.set_size_inches(2.5 * len(panels) + 0.4, 3.0)
    # Each with its own scale: conditions are far apart, and what is asked is small against that.
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (split, condition) in zip(axes, panels, strict=True):
        heard = accuracy[split][condition]
        if lif is not None:
            mean, half = 100 * heard[lif]["mean"], _half(heard[lif])
            axis.axhline(mean, color=_colour(result, lif), linestyle="--", label=_label(result, lif))
            axis.axhspan(mean - half, mean + half, color=_colour(result, lif), alpha=0.15, linewidth=0)
        means, halves = ([value(heard[model]) for _, model in series] for value in (_percent, _half))
        colour = _colour(result, _first_of(result, series))
        axis.errorbar(range(len(series)), means, yerr=halves, fmt="o-", capsize=2, color=colour, label="with dendrites")
        axis.set_xticks(range(len(series)), [str(count) for count, _ in series])
        axis.margins(x=0.12)
        axis.set_xlabel("branches a neuron")
        axis.set_title(f"{SPLITS.get(split, split)},\n{CONDITIONS[condition]}", fontsize=9)
    axes[0].set_ylabel(f"{result['experiment']['head']} accuracy, %")
    _legend(figure, axes[0])
    return True


def branch_time_constants(figure: "Figure", result: Mapping[str, Any]) -> bool:
    """Time constants of the branches before and after training: a panel a model, a row a layer, a colour a branch."""
    from matplotlib import colormaps
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    models = [model for model in _lines(result) if _branched_layers(result, model)]
    if not models:
        return False
    rows = list(dict.fromkeys(row for model in models for row in _branched_layers(result, model).values()))
    figure.set_size_inches(2.6 * len(models) + 0.9, 0.6 * len(rows) + 1.3)
    axes = figure.subplots(1, len(models), sharex=True, sharey=True, squeeze=False)[0]
    for axis, model in zip(axes, models, strict=True):
        for layer, row in _branched_layers(result, model).items():
            for cell in result["models"][model]["cells"]:
                for when, shift, marker, size in (("before", -0.17, "|", 9), ("after", 0.17, "o", 4)):
                    entries = _branch_taus(cell["time_constants"][when][layer])
                    for branch, entry in enumerate(entries):
                        if entry["ms"]:
                            shade = colormaps["viridis"](0.9 * branch / max(1, len(entries) - 1))
                            style = {"color": shade, "markersize": size, "alpha": 0.7}
                            axis.plot([entry["ms"]], [rows.index(row) + shift], marker, **style)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_yticks(range(len(rows)), rows)
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.set_title(_label(result, model), fontsize=9)
        axis.set_xlabel("time constant, ms")
    axes[0].plot([], [], "|", color=_GREY, markersize=9, label="before training, a colour a branch")
    axes[0].plot([], [], "o", color=_GREY, markersize=4, label="after it, a dot a seed")
    _legend(figure, axes[0])
    return True


PICTURES: dict[str, Draw] = {
    "accuracy_over_snr": accuracy_over_snr,
    "paired_differences": paired_differences,
    "accuracy_over_cost": accuracy_over_cost,
    "accuracy_over_branches": accuracy_over_branches,
    "branch_time_constants": branch_time_constants,
}


def _accuracy(result: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = result["accuracy"][result["experiment"]["head"]]
    return found


def _lines(result: Mapping[str, Any]) -> list[str]:
    """Models drawn as lines of their own: all but those that only vary another's branches."""
    return [model for model, entry in result["models"].items() if entry["searched_as"] in ("", model)]


def _branch_series(result: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Number of branches and model, of the most models that differ in dendrites.branches alone."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for model, entry in result["models"].items():
        if entry["branches"]:
            groups.setdefault(_but_for_branches(entry["config"]), []).append((entry["branches"], model))
    longest = max(groups.values(), key=len, default=[])
    return sorted(longest) if len(longest) > 1 else []


def _first_of(result: Mapping[str, Any], series: Sequence[tuple[int, str]]) -> str:
    """The model of a series that the others vary: it stands first in the experiment's file."""
    varied = {model for _, model in series}
    return next(str(model) for model in result["models"] if model in varied)


def _but_for_branches(config: Mapping[str, Any]) -> str:
    """A configuration as a word that does not tell numbers of branches apart."""
    dendrites = {**config["dendrites"], "branches": None}
    return json.dumps({**config, "name": None, "dendrites": dendrites}, sort_keys=True)


def _lif_baseline(result: Mapping[str, Any]) -> str | None:
    models = result["models"]
    found = (name for name in result["experiment"]["baselines"] if name in models)
    return next((name for name in found if models[name]["config"]["network"]["neuron"] == "lif"), None)


def _branched_layers(result: Mapping[str, Any], model: str) -> dict[str, str]:
    """Layers of branches, and the layer that they belong to."""
    taus = result["models"][model]["cells"][0]["time_constants"]
    if taus is None:
        return {}
    return {layer: layer.removesuffix("_branches") for layer, entry in taus["after"].items() if _branch_taus(entry)}


def _branch_taus(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Time constants of a layer's branches: of their currents, or of spiking compartments' voltages."""
    return next((entry[word] for word in ("current", "voltage") if len(entry[word]) > 1), [])


def _percent(entry: Mapping[str, Any]) -> float:
    return 100 * float(entry["mean"])


def _half(entry: Mapping[str, Any]) -> float:
    """Half the 95 % interval of a mean, in points; 0 where there is none."""
    return 0.0 if entry["low"] is None else 100 * float(entry["high"] - entry["mean"])


def _line(axis: Any, entries: Sequence[Mapping[str, Any]], shift: float, result: Mapping[str, Any], model: str) -> None:
    means = [100 * entry["mean"] for entry in entries]
    axis.errorbar(
        [place + shift for place in range(len(entries))],
        means,
        yerr=[_half(entry) for entry in entries],
        fmt=f"{_marker(result, model)}-",
        color=_colour(result, model),
        markersize=4,
        linewidth=1,
        elinewidth=0.8,
        label=_label(result, model),
    )


def _whisker(axis: Any, entry: Mapping[str, Any], place: float, colour: str) -> None:
    if entry["low"] is not None:
        axis.plot([100 * entry["low"], 100 * entry["high"]], [place, place], color=colour, linewidth=2)
    # Hollow where the interval includes zero, so that one sees at a glance what is told apart.
    filled = entry["includes_zero"] is False
    axis.plot(
        [100 * entry["mean"]], [place], "o", color=colour, markerfacecolor=colour if filled else "white", markersize=6
    )


def _seed_differences(result: Mapping[str, Any], model: str, baseline: str, split: str, condition: str) -> list[float]:
    head = result["experiment"]["head"]
    ours, theirs = (
        [cell["accuracy"][split][condition][head] for cell in result["models"][name]["cells"]]
        for name in (model, baseline)
    )
    return [100 * (a - b) for a, b in zip(ours, theirs, strict=True)]


def _label(result: Mapping[str, Any], model: str) -> str:
    return str(result["models"][model]["label"])


def _colour(result: Mapping[str, Any], model: str) -> str:
    return _COLOURS[list(result["models"]).index(model) % len(_COLOURS)]


def _marker(result: Mapping[str, Any], model: str) -> str:
    return _MARKERS[list(result["models"]).index(model) % len(_MARKERS)]


def _legend(figure: "Figure", axis: Any) -> None:
    handles, labels = axis.get_legend_handles_labels()
    # Rows of equal length, as many as the width asks for.
    letters = sum(len(label) + 6 for label in labels)
    rows = math.ceil(letters / (13 * figure.get_figwidth()))
    figure.legend(handles, labels, loc="outside lower center", ncols=math.ceil(len(labels) / rows))
