"""The page's figures, drawn from the JSON alone; the same JSON gives the same bytes."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Entry = dict[str, Any]
# Okabe and Ito's colours, told apart by colour-blind readers too.
_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#E69F00", "#009E73", "#8c8c8c"
_LETTERS = {"svg.hashsalt": "maestro-loihi", "font.size": 9, "legend.frameon": False}
_LINES = {"axes.grid": True, "grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False}


def draw(data: Entry) -> dict[str, str]:
    """SVG by name, of every figure that the JSON has values for."""
    import matplotlib
    from matplotlib.figure import Figure

    found = {}
    with matplotlib.rc_context({**_LETTERS, **_LINES}):
        for name, picture in PICTURES.items():
            figure = Figure(layout="constrained")
            if picture(figure, data):
                out = io.StringIO()
                figure.savefig(out, format="svg", metadata={"Date": None})
                # Trailing blanks and paths of many lines are of no use in a diff.
                found[name] = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    return found


def _of(data: Entry, section: str) -> list[Entry]:
    return [e["extra_info"] for e in data["benchmarks"] if e["extra_info"].get("section") == section]


def _bars(axis: "Axes", labels: list[str], values: list[float], colours: list[str], words: str) -> None:
    """Horizontal bars, the first on top, with their values."""
    axis.barh(range(len(values)), values, color=colours)
    axis.set_yticks(range(len(values)), labels)
    axis.invert_yaxis()
    axis.set_xlabel(words)
    axis.grid(visible=False, axis="y")
    for place, value in enumerate(values):
        axis.annotate(f"{value:.3g}", (value, place), (3, 0), textcoords="offset points", va="center", fontsize=8)
    axis.margins(x=0.12)


def _errors(points: list[Entry]) -> list[list[float]]:
    """How far the quartiles lie from the medians, in ms."""
    return [[1000 * abs(p["seconds"][end] - p["seconds"]["median"]) for p in points] for end in ("low", "high")]


def engine(figure: "Figure", data: Entry) -> bool:
    """Clips per second of the engine and of Lava."""
    labels, values, colours = [], [], []
    for entry in _of(data, "engine"):
        labels.append(f"{entry['preset']}, engine")
        values.append(entry["clips_per_s"])
        colours.append(_BLUE)
        for kind, lava in entry["lava"].items():
            labels.append(f"{entry['preset']}, Lava {kind}")
            values.append(lava["clips_per_s"])
            colours.append(_ORANGE if kind == "stock" else _GREY)
    if not values:
        return False
    figure.set_size_inches(7.0, 0.32 * len(values) + 0.8)
    axis = figure.subplots()
    _bars(axis, labels, values, colours, "clips a second")
    # Lava's bars would not be seen on another scale; theirs begin at a clip in a hundred seconds.
    axis.set_xscale("log")
    axis.set_xlim(left=0.01)
    return True


def operations(figure: "Figure", data: Entry) -> bool:
    """Synaptic operations per second, with the goal and the measured rate of additions."""
    for entry in _of(data, "operations"):
        names = list(entry["networks"])
        figure.set_size_inches(7.5, 0.34 * len(names) + 1.2)
        axis = figure.subplots()
        values = [entry["networks"][name]["syn_ops_per_s"] for name in names]
        colours = [_BLUE if entry["networks"][name]["kind"] == "layer" else _GREEN for name in names]
        _bars(axis, names, values, colours, "synaptic operations a second")
        limit = entry["limits"]["int32_additions_per_s"]["2"]["median"]
        axis.axvline(entry["goal"], color="black", linestyle="--", label="goal")
        axis.axvline(limit, color=_ORANGE, label="additions, 32 bit, measured")
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        return True
    return False


def growth(figure: "Figure", data: Entry) -> bool:
    """Time over samples, steps and neurons."""
    for entry in _of(data, "growth"):
        figure.set_size_inches(8.6, 2.9)
        axes, lowest = figure.subplots(1, len(entry["series"]), sharey=True), []
        for axis, (name, found) in zip(axes, entry["series"].items(), strict=True):
            xs = [point["value"] for point in found["points"]]
            ys = [1000 * point["seconds"]["median"] for point in found["points"]]
            axis.errorbar(xs, ys, _errors(found["points"]), fmt="o-", capsize=2, color=_BLUE)
            straight = [ys[-1] * x / xs[-1] for x in xs]
            axis.plot(xs, straight, ":", color=_GREY, label="linear")
            axis.set_title(f"exponent {found['exponent']:.2f} ({found['low']:.2f} to {found['high']:.2f})", fontsize=9)
            _logarithmic(axis, xs, name)
            axis.legend()
            lowest.append(min(ys))
        axes[0].set_ylim(bottom=min(lowest) / 2)
        axes[0].set_ylabel("time, ms")
        return True
    return False


def activity(figure: "Figure", data: Entry) -> bool:
    """Time over activity, by either way and as the engine chooses."""
    for entry in _of(data, "growth"):
        figure.set_size_inches(5.2, 3.2)
        axis = figure.subplots()
        shown = {"events": (_BLUE, "o-"), "dense": (_ORANGE, "s-"), "auto": ("black", "x--")}
        words = {"events": "events", "dense": "dense products", "auto": "as the engine chooses"}
        for path, points in entry["activity"].items():
            xs = [100 * point["value"] for point in points]
            ys = [1000 * point["seconds"]["median"] for point in points]
            colour, form = shown[path]
            axis.errorbar(xs, ys, _errors(points), fmt=form, capsize=2, color=colour, label=words[path])
        _logarithmic(axis, xs, "activity, %")
        axis.set_ylabel("time, ms")
        axis.legend()
        return True
    return False


def memory(figure: "Figure", data: Entry) -> bool:
    """Peak memory over samples."""
    for entry in _of(data, "memory"):
        figure.set_size_inches(4.6, 2.7)
        axis = figure.subplots()
        xs = [point["samples"] for point in entry["points"]]
        for key, colour, words in (("peak_bytes", _BLUE, "peak"), ("before_bytes", _GREY, "before, libraries and all")):
            axis.plot(xs, [point[key] / 2**20 for point in entry["points"]], "o-", color=colour, label=words)
        axis.set_xscale("log")
        axis.set_xticks(xs, [str(x) for x in xs])
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.set_xlabel("samples")
        axis.set_ylabel("memory, MiB")
        axis.legend(loc="lower left")
        return True
    return False


def training(figure: "Figure", data: Entry) -> bool:
    """Times faster than stock SLAYER, every pair of steps a dot."""
    found = [e for e in data["benchmarks"] if e["part"] == "training_step" and "ratio" in e["extra_info"]]
    if not found:
        return False
    figure.set_size_inches(5.0, 0.5 * len(found) + 0.9)
    axis = figure.subplots()
    for place, entry in enumerate(found):
        info = entry["extra_info"]
        axis.barh(place, info["ratio"], color=_BLUE, alpha=0.6)
        axis.plot(info["ratios"], [place] * len(info["ratios"]), ".", color="black")
        axis.plot(
            [info["goal"]] * 2, [place - 0.4, place + 0.4], "--", color=_ORANGE, label="goal" if not place else None
        )
    axis.set_yticks(range(len(found)), [(e.get("params") or {}).get("neuron", e["name"]) for e in found])
    axis.invert_yaxis()
    axis.set_xlabel("training step, times faster than stock SLAYER")
    axis.legend(loc="lower right")
    return True


def peers(figure: "Figure", data: Entry) -> bool:
    """Forward and backward of every library's form."""
    for entry in _of(data, "peers"):
        found = [form for form in entry["forms"].values() if "median_s" in form]
        figure.set_size_inches(7.4, 0.28 * len(found) + 0.9)
        labels = [f"{f['library']}, {f['form']}" + (f", {f['compiled']} compiled" * bool(f["compiled"])) for f in found]
        states = {1: _GREY, 2: _ORANGE}
        colours = [_BLUE if form["library"] == "maestro-loihi" else states[form["states"]] for form in found]
        axis = figure.subplots()
        _bars(axis, labels, [1000 * form["median_s"] for form in found], colours, "forward and backward, ms")
        return True
    return False


def _logarithmic(axis: "Axes", xs: list[float], words: str) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks(xs, [f"{x:g}" for x in xs], fontsize=8)
    axis.minorticks_off()
    axis.set_xlabel(words)


PICTURES: dict[str, Callable[["Figure", Entry], bool]] = {
    "engine": engine,
    "operations": operations,
    "growth": growth,
    "activity": activity,
    "memory": memory,
    "training": training,
    "peers": peers,
}
