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
_SIZES = {"weights_nonzero": "non-zero weights", "neurons": "neurons", "states": "states"}
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
    seeds = len(budget["seeds"])
    clips = ", ".join(f"{count} {split}" for split, count in result["clips"].items())
    lines = [
        f"# {result['experiment']['name']}: {head}",
        "",
        f"{seeds} seeds a model, {budget['epochs']} epochs each; searches of {budget['cells_a_search']} cells of "
        f"{budget['epochs_a_cell']} epochs a model, chosen by {budget['chosen_by']}. Clips: {clips}.",
        "",
        "'All noises' is the mean over every noise at every ratio. Accuracy in per cent, mean ± standard deviation "
        "over seeds; intervals are 95 % t-intervals of paired differences (same seed, same clips), in points. They "
        "speak of other seeds, not of other recordings.",
        "",
        "Spiking networks' accuracies are those of the exported integers: each network passed the lint, and its "
        f"integers gave every spike of every layer on {result['experiment']['evaluation']['gate_clips']} clips.",
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
    yield _cost_table(models)


def _cost_table(models: Mapping[str, Any]) -> Table:
    rows = []
    for entry in models.values():
        costs = entry["costs"]
        sizes = [f"{costs[key]:,.0f}" if key in costs else "-" for key in _SIZES]
        works = [f"{costs[key] / 1000:,.1f}" if key in costs else "-" for key in _WORK]
        rows.append([entry["label"], f"{entry['cells'][0]['parameters']:,}", *sizes, *works])
    columns = ["model", "parameters", *_SIZES.values(), *_WORK.values()]
    return "size, and work an inference in thousands (clean test clips)", columns, rows


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
