"""The experiment's answer in tables and words, made from ``segmentation.json`` alone."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from train.artifacts import atomic_write
from train.console import emit_table

SIDES = {"test": "new performances", "test_titles": "titles never heard"}
ORDERS = {
    "mixed": "both orders, and cuts without a change of style",
    "forward": "the seeds' order: the first style, then the second, always",
}
BASELINES = {"majority": "majority class", "clock": "clock"}
Table = tuple[str, list[str], list[list[str]]]


def emit(result: Mapping[str, Any]) -> None:
    """Print the tables."""
    for table in tables(result):
        emit_table(*table)


def write_summary(result: Mapping[str, Any], path: Path, pictures: Sequence[Path] = ()) -> None:
    """Write the tables, what they say and links to the pictures as Markdown."""
    lines = [
        "# Frame-wise style change",
        "",
        *_told(result),
        "",
        "## What it says",
        "",
        *(f"- {sentence}" for sentence in sentences(result)),
    ]
    for title, columns, rows in tables(result):
        rule = ["---", *["---:"] * (len(columns) - 1)]
        lines += ["", f"## {title}", "", *(f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))]
    lines += ["", "## Searches", ""]
    for model, search in result["searches"].items():
        scores = "; ".join(f"{' '.join(cell['overrides'])}: {cell['score']:.3f}" for cell in search["cells"])
        lines.append(f"- {result['labels'][model]}: `{' '.join(search['chosen'])}` of {scores}")
    for picture in pictures:
        lines += ["", f"![{picture.stem.replace('_', ' ')}]({picture.name})"]
    commits = ", ".join(commit[:12] + commit[40:] for commit in result["commits"])
    lines += ["", f"All cells took {result['seconds']['last_attempts_wall'] / 3600:.2f} h. Commits {commits}."]
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def sentences(result: Mapping[str, Any]) -> Iterator[str]:
    """What differences and baselines allow one to say, order by order and side by side."""
    labels = result["labels"]
    for order, found in result["orders"].items():
        for side, entry in found["sides"].items():
            where = f"{ORDERS[order].partition(':')[0].capitalize()}, {SIDES.get(side, side)}"
            told = [
                f"{labels[model]} {_verdict(difference)} ({_points(difference)} points)"
                for model, difference in entry["differences"].items()
            ]
            best = max(BASELINES, key=lambda word: entry["baselines"][word]["mean"])
            above = [f"{labels[model]} {_points(words[best])}" for model, words in entry["above_baselines"].items()]
            reference = next(label for model, label in labels.items() if model not in entry["differences"])
            yield (
                f"{where}: against {reference}, {'; '.join(told)}. Above the best that needs no hearing "
                f"({BASELINES[best]}, {100 * entry['baselines'][best]['mean']:.1f} %): {'; '.join(above)} points."
            )


def tables(result: Mapping[str, Any]) -> Iterator[Table]:
    """Accuracy an order, and what an inference costs."""
    labels = result["labels"]
    for order, found in result["orders"].items():
        sides = found["sides"]
        rows = [[label, *(_mean(sides[side]["accuracy"][model]) for side in sides)] for model, label in labels.items()]
        rows += [
            [label, *(_mean(sides[side]["baselines"][word]) for side in sides)] for word, label in BASELINES.items()
        ]
        columns = ["frame accuracy, %", *(SIDES.get(side, side) for side in sides)]
        yield f"{ORDERS[order][0].upper()}{ORDERS[order][1:]} (mean ± standard deviation)", columns, rows
    rows = []
    cells = next(iter(result["orders"].values()))["cells"]
    for model, label in labels.items():
        costs = [cell["costs"] for cell in cells[model]]
        mean = {key: sum(entry[key] for entry in costs) / len(costs) for key in ("spikes", "syn_ops", "neuron_updates")}
        parameters = f"{cells[model][0]['parameters']:,}"
        rows.append([label, parameters, *(f"{value / 1000:,.1f}" for value in mean.values()), _taus(cells[model])])
    columns = ["", "parameters", "spikes", "synaptic operations", "state updates", "time constants, steps"]
    yield "Work on a clip of 10 s, in thousands, and medians of what decays learned", columns, rows


def _told(result: Mapping[str, Any]) -> list[str]:
    task, seeds, features = result["task"], len(result["seeds"]), result["features"]
    first, second = task["styles"]
    compared = sum(side["spikes_compared"] for order in result["orders"].values() for side in order["sides"].values())
    return [
        f"A clip of {features['clip_s']:g} s is cut together from two recordings, the cut anywhere between "
        f"{100 * task['cut_low']:g} and {100 * task['cut_high']:g} % of it; of every step of "
        f"{1000 * features['hop_s']:g} ms the network tells whether it is {first} or {second}. It hears "
        f"{features['mel']} mel bands as ON and OFF spikes where a band's power moves by more than "
        f"{result['encoding']['threshold']:g} in the natural logarithm (encoding `{result['encoding']['name']}`), has "
        f"{result['network']['dense'][0]} neurons, and the host weighs leaky counts ({task['readout_steps']} steps) of "
        "their spikes. LIF and DH-LIF differ in the neurons alone.",
        "",
        f"Each of {seeds} seeds draws its own {task['train_clips']} training clips, weights, and {task['held_out']} "
        f"titles of each style that only the side of titles never heard has; its clips of new performances are from "
        "performances that no training clip is of. Intervals are 95 % t-intervals of differences paired by seed.",
        "",
        "Every network was exported through the gate and heard through the engine, integer for integer. On every test "
        f"clip of every network its spikes ({compared / 1e6:,.0f} million in all) are those of SLAYER's quantised "
        "forward, and it is right at exactly as many steps.",
        "",
        "The seeds' task always goes from the first style to the second and always about the middle, so a clock (the "
        "best constant time of change of the training clips, hearing nothing) does well there, and so may a network "
        "that tells time. Where the styles come in both orders, and a cut may join two pieces of one style, neither "
        "majority nor clock help, and a cut alone says nothing.",
    ]


def _verdict(entry: Mapping[str, Any]) -> str:
    if entry["includes_zero"] is None:
        return "has one seed, so no interval"
    if entry["includes_zero"]:
        return "is not told apart"
    return "is better" if entry["mean"] > 0 else "is worse"


def _mean(entry: Mapping[str, Any]) -> str:
    return f"{100 * entry['mean']:.1f}" + ("" if entry["sd"] is None else f" ± {100 * entry['sd']:.1f}")


def _points(entry: Mapping[str, Any]) -> str:
    text = f"{100 * entry['mean']:+.1f}"
    return text if entry["low"] is None else f"{text}, {100 * entry['low']:+.1f} to {100 * entry['high']:+.1f}"


def _taus(cells: Sequence[Mapping[str, Any]]) -> str:
    """Current time constants of the first seed's layer, branch by branch, and its voltage's."""
    (layer,) = cells[0]["time_constants"].values()
    told = (" and ".join(_steps(entry["steps"]) for entry in layer[word]) for word in ("current", "voltage"))
    return "{} (current), {} (voltage)".format(*told)


def _steps(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"
