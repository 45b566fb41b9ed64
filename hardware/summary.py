"""The experiment's answer in tables and words, made from ``compare.json`` alone."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hardware.compare import NOISE
from hardware.experiment import CLEAN
from train.artifacts import atomic_write
from train.console import emit_table

_SPLITS = {"test": "new performances", "test_keyboards": "other instruments"}
_CONDITIONS = {CLEAN: "clean", NOISE: "with noise"}
_COSTS = {
    "weights_nonzero": "non-zero weights",
    "neurons": "neurons",
    "states": "states",
    "spikes": "spikes",
    "syn_ops": "synaptic operations",
    "neuron_updates": "state updates",
}
Table = tuple[str, list[str], list[list[str]]]


def emit(result: Mapping[str, Any]) -> None:
    """Print the tables."""
    for table in _tables(result):
        emit_table(*table)


def write_summary(result: Mapping[str, Any], path: Path, pictures: Sequence[Path] = ()) -> None:
    """Write the tables, what they say and links to the pictures as Markdown."""
    budget, head = result["budget"], result["experiment"]["head"]
    seeds = len(budget["seeds"])
    lines = [
        f"# {result['experiment']['name']}: {head}",
        "",
        f"{seeds} seeds a model, {budget['epochs']} epochs each; searches of {budget['cells_a_search']} cells of "
        f"{budget['epochs_a_cell']} epochs a model, chosen by {budget['chosen_by']}. Clips: "
        + ", ".join(f"{count} {split}" for split, count in result["clips"].items())
        + ". Accuracy in per cent, mean ± standard deviation over seeds; intervals are 95 % t-intervals of paired "
        "differences (same seed, same clips), in points. They speak of other seeds, not of other recordings. Spiking "
        "networks' accuracies are those of the exported integers: each passed the lint and gave every spike of the "
        f"trained network on {_gated(result)} clips.",
        "",
        "## What it says",
        "",
        *(f"- {sentence}" for sentence in sentences(result)),
    ]
    for title, columns, rows in _tables(result):
        lines += ["", f"## {title}", "", *_markdown(columns, rows)]
    lines += ["", "## Searches", ""]
    for model, search in result["searches"].items():
        scores = "; ".join(f"{' '.join(cell['overrides'])}: {cell['score']:.3f}" for cell in search["cells"])
        lines.append(
            f"- {result['models'].get(model, {}).get('label', model)}: `{' '.join(search['chosen'])}` of {scores}"
        )
    for picture in pictures:
        lines += ["", f"![{picture.stem.replace('_', ' ')}]({picture.name})"]
    hours = {word: result["seconds"][f"cells_{word}"] / 3600 for word in ("wall", "cpu")}
    commits = ", ".join(commit[:12] for commit in result["commits"])
    lines += [
        "",
        f"All cells together: {hours['wall']:.2f} h, {hours['cpu']:.2f} h of processor time. Commits {commits}.",
    ]
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What the paired differences of the main head allow one to say, one sentence a comparison."""
    found = []
    for baseline, by_split in result["differences"].items():
        for split, condition in _shown(by_split):
            for model, entry in by_split[split][condition].items():
                ours, theirs = result["models"][model]["label"], result["models"][baseline]["label"]
                where = f"{_SPLITS.get(split, split)}, {_CONDITIONS[condition]}"
                found.append(f"{where}: {ours} {_verdict(entry)} {theirs} ({_interval(entry)} points).")
    if found:
        chance = max(1, round(0.05 * len(found)))
        found.append(
            f"These are {len(found)} intervals of 95 %: if nothing differed, about {chance} of them would leave zero out "
            "by chance alone."
        )
    return found


def _verdict(entry: Mapping[str, Any]) -> str:
    if entry["includes_zero"] is None:
        return "was run with one seed only, which allows no interval, against"
    if entry["includes_zero"]:
        return "cannot be told from"
    return "is better than" if entry["mean"] > 0 else "is worse than"


def _tables(result: Mapping[str, Any]) -> Iterator[Table]:
    models, head = result["models"], result["experiment"]["head"]
    accuracy = result["accuracy"][head]
    shown = _shown(accuracy)
    columns = ["model", *(f"{split}, {_CONDITIONS[condition]}" for split, condition in shown)]
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
    yield _cost_table(models)


def _cost_table(models: Mapping[str, Any]) -> Table:
    rows = []
    for entry in models.values():
        parameters, costs = entry["cells"][0]["parameters"], entry["costs"]
        values = [f"{costs[key]:,.0f}" if key in costs else "-" for key in _COSTS]
        macs = [f"{costs[key]:,.0f}" if key in costs else "-" for key in ("macs_dense", "macs_effective")]
        rows.append([entry["label"], f"{parameters:,}", *values, *macs])
    columns = ["model", "parameters", *_COSTS.values(), "MACs, dense", "effective"]
    return "size, and cost an inference (clean test clips)", columns, rows


def _shown(by_split: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(split, condition) for split, heard in by_split.items() for condition in _CONDITIONS if condition in heard]


def _mean(entry: Mapping[str, Any]) -> str:
    return f"{100 * entry['mean']:.1f}" + ("" if entry["sd"] is None else f" ± {100 * entry['sd']:.1f}")


def _interval(entry: Mapping[str, Any]) -> str:
    text = f"{100 * entry['mean']:+.1f}"
    return text if entry["low"] is None else f"{text} ({100 * entry['low']:+.1f} to {100 * entry['high']:+.1f})"


def _gated(result: Mapping[str, Any]) -> int:
    return int(result["experiment"]["evaluation"]["gate_clips"])


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows)]
