"""The experiment's answer in tables and words, made from ``compare.json`` alone."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hardware.experiment import CLEAN
from hardware.result import NOISE
from train.artifacts import atomic_write
from train.console import emit_table

SPLITS = {"test": "new performances", "test_keyboards": "other instruments"}
CONDITIONS = {CLEAN: "clean", NOISE: "all noises"}
_SIZES = {
    "weights_nonzero": "non-zero weights",
    "neurons": "neurons",
    "states": "states",
    "latency_steps": "latency, steps",
}
_WORK = {
    "spikes": "spikes",
    "syn_ops": "syn. ops",
    "neuron_updates": "updates",
    "macs_dense": "MACs",
    "macs_effective": "MACs, effective",
}
_VERDICTS = ("better:", "worse:", "not told apart (the interval includes zero):", "one seed, so no interval:")
Table = tuple[str, list[str], list[list[str]]]


def emit(result: Mapping[str, Any]) -> None:
    """Print the tables."""
    for table in _tables(result):
        emit_table(*table)


def write_summary(result: Mapping[str, Any], path: Path, pictures: Sequence[Path] = ()) -> None:
    """Write the tables, what they say and links to the pictures as Markdown."""
    budget, head = result["budget"], result["experiment"]["head"]
    clips = ", ".join(f"{count} {split}" for split, count in result["clips"].items())
    lines = [
        f"# {result['experiment']['name']}: {head}",
        "",
        f"{len(budget['seeds'])} seeds a model, {budget['epochs']} epochs each. Clips: {clips}.",
        "",
        *(f"- {sentence}" for sentence in searches_in_words(result)),
        "",
        "'All noises' is the mean over every noise at every ratio. Accuracy in per cent, mean ± standard deviation "
        "over seeds; intervals are 95 % t-intervals of paired differences (same seed, same clips), in points. They "
        "speak of other seeds, not of other recordings.",
        "",
        *_deployed(result),
        "## What it says",
        "",
        *(f"- {sentence}" for sentence in sentences(result)),
    ]
    for title, columns, rows in _tables(result):
        lines += ["", f"## {title}", "", *_markdown(columns, rows)]
    lines += ["", "## Searches", ""]
    for model, search in result["searches"].items():
        scores = "; ".join(f"{' '.join(cell['overrides'])}: {cell['score']:.3f}" for cell in search["cells"])
        lines.append(f"- {_label(result, model)}: `{' '.join(search['chosen'])}` of {scores}")
    for picture in pictures:
        lines += ["", f"![{picture.stem.replace('_', ' ')}]({picture.name})"]
    hours = {word: seconds / 3600 for word, seconds in result["seconds"].items()}
    # Without the words after it, a commit with local changes would pass for the commit.
    commits = ", ".join(commit[:12] + commit[40:] for commit in result["commits"])
    lines += [
        "",
        f"All epochs of all cells took {hours['all_epochs_wall']:.2f} h. The last attempts at all cells, with their "
        f"evaluation, took {hours['last_attempts_wall']:.2f} h and {hours['last_attempts_cpu']:.2f} h of processor "
        f"time; what was spent on a cell before it was stopped and gone on with is not in them. Commits {commits}.",
    ]
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def _deployed(result: Mapping[str, Any]) -> list[str]:
    """What was run for the accuracies, and how far the exported integers were seen to equal the trained network."""
    compared = [cell["gate"]["clips"] for entry in result["models"].values() for cell in entry["cells"] if cell["gate"]]
    if not compared:
        return []
    return [
        "Spiking networks' accuracies and costs are those of the deployed integers: each network was exported, passed "
        "the lint, and its file was run through the engine on every clip of every condition. On "
        f"{min(compared)} clean clips of the test sets every spike of every layer was compared with SLAYER's quantised "
        "forward, and none differed.",
        "",
    ]


def searches_in_words(result: Mapping[str, Any]) -> list[str]:
    """Who was searched on what, who takes whose settings, and where the best stood at an edge of what was tried."""
    budget = result["budget"]
    axes: dict[str, list[str]] = {}
    for model in result["searches"]:
        keys = " and ".join(f"`{axis.partition('=')[0]}`" for axis in result["experiment"]["models"][model]["grid"])
        axes.setdefault(keys, []).append(_label(result, model))
    heirs: dict[str, list[str]] = {}
    for model, entry in result["models"].items():
        if entry["searched_as"] != model:
            heirs.setdefault(entry["searched_as"], []).append(entry["label"])
    found = []
    if axes:
        told = "; ".join(f"{', '.join(labels)} on {keys}" for keys, labels in axes.items())
        found.append(
            f"Searched with {budget['cells_a_search']} cells of {budget['epochs_a_cell']} epochs each, chosen by "
            f"{budget['chosen_by']}: {told}."
        )
    for source, labels in heirs.items():
        taken = f"what was found for {_label(result, source)}" if source else "no search's settings"
        found.append(f"Not searched, taking {taken}: {', '.join(labels)}.")
    found += [f"{words}: {'; '.join(told)}." for words, told in _edges_in_words(result).items()]
    return found


def _edges_in_words(result: Mapping[str, Any]) -> dict[str, list[str]]:
    wider = "Best at the end of an axis, so that a wider search might find better"
    always = "Of two values one is always an end"
    found: dict[str, list[str]] = {}
    for words in (wider, always):
        for model, search in result["searches"].items():
            told = [
                f"`{edge['axis']}={edge['value']}`, {edge['end']} of {edge['values']}"
                for edge in search["at_edge"]
                if (edge["values"] > 2) == (words == wider)
            ]
            if told:
                found.setdefault(words, []).append(f"{_label(result, model)} {' and '.join(told)}")
    return found


def _label(result: Mapping[str, Any], model: str) -> str:
    """A model's label; one that was searched only for another's sake has it too."""
    return str(result["experiment"]["models"][model]["label"])


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What the paired differences of the main head allow one to say, a sentence a baseline and condition."""
    found, intervals = [], 0
    for baseline, by_split in result["differences"].items():
        for split, condition in _shown(by_split):
            groups: dict[str, list[str]] = {}
            for model, entry in by_split[split][condition].items():
                label = result["models"][model]["label"]
                groups.setdefault(_verdict(entry), []).append(f"{label} {_interval(entry)}")
                intervals += 1
            told = "; ".join(f"{verdict} {', '.join(groups[verdict])}" for verdict in _VERDICTS if verdict in groups)
            where = f"{SPLITS.get(split, split)}, {CONDITIONS[condition]}"
            found.append(f"{where}, against {result['models'][baseline]['label']}: {told}.")
    if intervals:
        chance = max(1, round(0.05 * intervals))
        found.append(
            f"Of {intervals} intervals of 95 %, about {chance} would leave zero out by chance if nothing differed."
        )
    return found


def _verdict(entry: Mapping[str, Any]) -> str:
    if entry["includes_zero"] is None:
        return _VERDICTS[3]
    if entry["includes_zero"]:
        return _VERDICTS[2]
    return _VERDICTS[0] if entry["mean"] > 0 else _VERDICTS[1]


def _tables(result: Mapping[str, Any]) -> Iterator[Table]:
    models, head = result["models"], result["experiment"]["head"]
    accuracy = result["accuracy"][head]
    shown = _shown(accuracy)
    columns = ["model", *(f"{split}, {CONDITIONS[condition]}" for split, condition in shown)]
    rows = [
        [entry["label"], *(_mean(accuracy[split][condition][model]) for split, condition in shown)]
        for model, entry in models.items()
    ]
    yield f"{head}, per cent (mean ± standard deviation, {len(result['budget']['seeds'])} seeds)", columns, rows
    for baseline, by_split in result["differences"].items():
        rows = [
            [entry["label"], *(_interval(by_split[split][condition][model]) for split, condition in shown)]
            for model, entry in models.items()
            if model != baseline
        ]
        yield f"{head}, points above {models[baseline]['label']} (95 % interval, paired)", columns, rows
    yield from _cost_tables(models)


def _cost_tables(models: Mapping[str, Any]) -> Iterator[Table]:
    sizes, works = [], []
    for entry in models.values():
        costs = entry["costs"]
        found = (f"{costs[key]:,.0f}" if key in costs else "-" for key in _SIZES)
        sizes.append([entry["label"], f"{entry['cells'][0]['parameters']:,}", *found])
        works.append([entry["label"], *(f"{costs[key] / 1000:,.1f}" if key in costs else "-" for key in _WORK)])
    yield "size and latency", ["model", "parameters", *_SIZES.values()], sizes
    yield "work an inference, in thousands (clean test clips)", ["model", *_WORK.values()], works


def _shown(by_split: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(split, condition) for split, heard in by_split.items() for condition in CONDITIONS if condition in heard]


def _mean(entry: Mapping[str, Any]) -> str:
    return f"{100 * entry['mean']:.1f}" + ("" if entry["sd"] is None else f" ± {100 * entry['sd']:.1f}")


def _interval(entry: Mapping[str, Any]) -> str:
    text = f"{100 * entry['mean']:+.1f}"
    return text if entry["low"] is None else f"{text} ({100 * entry['low']:+.1f} to {100 * entry['high']:+.1f})"


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows)]
