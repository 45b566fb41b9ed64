"""``python -m lava_runtime``: exported networks at work, in Lava's simulator or its arithmetic's reference."""

import math
import os
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.core import ParameterSource

from lava_runtime.runner import BACKENDS, Result, load_spikes, make_runner
from train.artifacts import RunFolder, atomic_write
from train.console import emit_json, emit_table, say, stage
from train.errors import CallError, MaestroError
from train.metrics import percent

main = stage("lava_runtime", "Run exported networks in Lava's simulator, spike for spike as trained.")


def _finite(_context: click.Context, _param: click.Parameter, value: float) -> float:
    # click's ranges let NaN and infinity pass, and with them Lava would be waited for without an end.
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number of seconds.")
    return value


_backend = click.option("--backend", type=click.Choice(BACKENDS), default="lava", help="What runs the network.")
_patience = click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    callback=_finite,
    help="Seconds without a time step after which Lava is taken for hung.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_stock = click.option(
    "--stock", is_flag=True, help="Use Lava's own convolutions and channels: same spikes, many times slower."
)
_path = click.Path(path_type=Path)


@main.command()
@click.argument("target", metavar="RUN|NET", type=_path)
@_backend
@click.option("--limit", type=click.IntRange(min=1), default=64, help="Test clips that Lava runs, half from each set.")
@click.option("--input", "source", type=_path, help="NET: spikes to run, a .npy file.")
@click.option("--output", type=_path, help="NET: where to write the output spikes, a .npy file.")
@_patience
@_stock
@_json
def run(
    target: Path,
    backend: str,
    limit: int,
    source: Path | None,
    output: Path | None,
    patience: float,
    stock: bool,
    as_json: bool,
) -> None:
    """Run a run's test clips, or a .net file's network on spikes of your own.

    RUN, a run folder: accuracy and spikes of the deployed network on both test sets; the reference
    runs all clips, Lava --limit of them, spread evenly.

    NET, a .net file: spikes from --input, integers of shape (sample, channel, height, width, time)
    or (sample, neuron, time); the last layer's spikes (sample, neuron, time) go to --output.
    """
    if target.is_dir():
        if source is not None or output is not None:
            raise CallError("--input and --output", "go with a .net file", cure=f"give {target / 'model.net'}")
        _evaluate(RunFolder(target), backend, limit, patience, stock, as_json)
        return
    if not target.is_file():
        raise MaestroError(
            str(target), "no such run folder or .net file", cure="make one with `make train export`, or mend the path"
        )
    if source is None:
        raise CallError("run", "no spikes given for a .net file", cure=f"write `run {target} --input X.npy`")
    if click.get_current_context().get_parameter_source("limit") is ParameterSource.COMMANDLINE:
        raise CallError("--limit", "goes with a run folder", cure="give fewer samples in the --input file")
    if output is not None:
        _check_output(output)
    spikes = load_spikes(source)
    with make_runner(backend, target, patience_s=patience, stock=stock) as runner:
        result = runner.run(spikes, where=str(source))
    if output is not None:
        with atomic_write(output) as temporary, temporary.open("wb") as file:
            np.save(file, result.output)
        say(f"wrote {output}: shape {result.output.shape}")
    _say_where_it_runs(target)
    _show_result(result, backend, as_json)


def _check_output(path: Path) -> None:
    """Refuse, before the work, a file that could not be written after it."""
    if path.suffix != ".npy":
        raise CallError(f"--output {path}", "does not end in .npy", cure=f"write {path}.npy")
    if path.is_dir():
        raise CallError(f"--output {path}", "is a folder", cure=f"write {path / 'output.npy'}")
    # The nearest folder that is there: the ones below it can be made.
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        why = "is not a folder" if not above.is_dir() else "may not be written to"
        raise MaestroError(str(path), f"cannot be written: {above} {why}", cure="choose another folder")


def _say_where_it_runs(net: Path) -> None:
    """Say so beside a result if the network runs in the simulator only."""
    from export.dendrites import simulator_only
    from export.lint import dendritic

    if layers := dendritic(net):
        say(simulator_only(layers))


def _show_result(result: Result, backend: str, as_json: bool) -> None:
    counts = result.output.sum(axis=-1, dtype=np.int64)
    if as_json:
        emit_json({"backend": backend, "output_counts": counts.tolist(), "layer_counts": result.counts.tolist()})
        return
    shown = min(len(counts), 20)
    rows = [
        [str(sample), str(int(np.argmax(counts[sample]))), str(int(counts[sample].max())), *map(str, layers)]
        for sample, layers in enumerate(result.counts[:shown].tolist())
    ]
    layers = [f"layer {index}" for index in range(result.counts.shape[1])]
    title = f"{backend}: spikes by sample" + (f", the first {shown} of {len(counts)}" if shown < len(counts) else "")
    emit_table(title, ["sample", "most active neuron", "its spikes", *layers], rows)


def _evaluate(folder: RunFolder, backend: str, limit: int, patience: float, stock: bool, as_json: bool) -> None:
    from lava_runtime.evaluate import evaluate

    # The reference is fast enough for all clips, and runs them anyway.
    clips = None if backend == "reference" else limit
    found = evaluate(folder, backend, limit=clips, patience_s=patience, stock=stock)
    _say_where_it_runs(folder.net)
    if as_json:
        emit_json(found)
    else:
        _show_evaluation(found)
    if found["decisions"] and found["decisions"]["differing"]:
        raise MaestroError(
            str(folder.net),
            f"{backend} and the reference decide differently {found['decisions']['differing']} times",
            cure=f"`python -m lava_runtime parity {folder.path}` says where they part",
        )
    if found["as_trained"] is False:
        raise MaestroError(
            str(folder.net),
            "the deployed network is not right as often as the trained one",
            cure=f"export again with `python -m export netx {folder.path}`",
        )


def _show_evaluation(found: dict[str, Any]) -> None:
    parts = [(found["backend"], found["splits"]), ("reference", found["reference"])]
    if found["backend"] == "reference":
        parts = parts[:1]
    heads = list(next(iter(found["reference"].values()))["accuracy"])
    rows = [
        [split, who, str(entry["clips"]), *(percent(entry["accuracy"][head]) for head in heads)]
        for split in found["reference"]
        for who, splits in parts
        if (entry := splits.get(split))
    ]
    emit_table("accuracy (95 % interval)", ["test set", "run by", "clips", *heads], rows)
    splits = list(found["splits"])
    layers = list(found["splits"][splits[0]]["spikes"])
    counts = [[layer, *(f"{found['splits'][split]['spikes'][layer]:.1f}" for split in splits)] for layer in layers]
    total = [f"{sum(found['splits'][split]['spikes'].values()):.1f}" for split in splits]
    emit_table(f"spikes per inference ({found['backend']})", ["layer", *splits], [*counts, ["all", *total]])
    decisions = found["decisions"]
    if decisions:
        click.echo(
            f"{decisions['compared']} decisions of {found['backend']} and reference on the same clips: "
            f"{decisions['differing']} differ"
        )
    if found["as_trained"] is None:
        click.echo("trained accuracy unknown: the run has no metrics.json")
    else:
        click.echo(f"deployed accuracy equals trained accuracy exactly: {'yes' if found['as_trained'] else 'NO'}")


@main.command()
@click.argument("folder", metavar="RUN", type=_path)
@click.option("--limit", type=click.IntRange(min=1), default=64, help="Test clips to compare, half from each set.")
@click.option("--fast", is_flag=True, help="Let `run`'s quicker convolutions and channels stand in for Lava's own.")
@_patience
@_json
def parity(folder: Path, limit: int, fast: bool, patience: float, as_json: bool) -> None:
    """Compare every spike of every layer between SLAYER, the reference and stock Lava; exit 1 if one differs."""
    from lava_runtime.parity import describe
    from lava_runtime.parity import parity as compare

    record = compare(RunFolder(folder), limit, patience_s=patience, stock=not fast)
    _say_where_it_runs(RunFolder(folder).net)
    if as_json:
        emit_json(record)
    else:
        pairs = list(record["differing"])
        rows = [
            [layer, str(record["spikes"]["slayer"][layer]), *(str(record["differing"][pair][layer]) for pair in pairs)]
            for layer in record["layers"]
        ]
        clips = sum(record["clips"].values())
        emit_table(
            f"parity: {clips} clips of {record['steps']} steps, {'quickened' if fast else 'stock'} Lava",
            ["layer", "spikes", *(f"{p} differ" for p in pairs)],
            rows,
        )
    if record["first_divergence"] is not None:
        raise MaestroError(
            str(RunFolder(folder).net),
            describe(record["first_divergence"]),
            cure=f"`python -m export lint {RunFolder(folder).net}` may say why",
        )


@main.command()
@click.argument("folder", metavar="RUN", type=_path)
@click.argument("sound", type=_path)
@click.option("--backend", type=click.Choice(BACKENDS), default="reference", help="What runs the network; same answer.")
@click.option("--hop", "hop_s", type=float, help="Seconds between two windows.  [default: half a clip]")
@_patience
@_json
def identify(folder: Path, sound: Path, backend: str, hop_s: float | None, patience: float, as_json: bool) -> None:
    """Say which piece the recording SOUND is, its style and its emotion (a proxy computed from scores)."""
    from lava_runtime import identify as room

    found = room.identify(RunFolder(folder), sound, backend, hop_s=hop_s, patience_s=patience)
    _say_where_it_runs(RunFolder(folder).net)
    if as_json:
        emit_json(room.as_json(found))
        return
    rows = [[head, found.overall[head].label, f"{found.overall[head].confidence:.2f}"] for head in found.overall]
    emit_table(f"{sound}, {_clock(found.duration_s)}", ["", "decision", "confidence"], rows)
    line = [
        [
            f"{_clock(window.start_s)} to {_clock(window.stop_s)}",
            *(f"{decision.label} {decision.confidence:.2f}" for decision in window.decisions.values()),
        ]
        for window in room.time_line(found)
    ]
    emit_table("over time", ["time", *found.overall], line)
    say("confidence: softmax of spike counts, which orders decisions and is no chance of being right")


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


if __name__ == "__main__":
    main()
