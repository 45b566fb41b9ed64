"""``python -m lava_runtime``: exported networks at work, in the engine, Lava's simulator or the reference."""

from pathlib import Path

import click
from click.core import ParameterSource

from lava_runtime.engine.engine import MEMORY_BYTES
from lava_runtime.options import Memory, finite_seconds
from lava_runtime.runner import BACKENDS, ENGINE, LAVA, make_runner
from train.artifacts import RunFolder
from train.console import emit_json, say, stage
from train.errors import CallError, MaestroError

main = stage("lava_runtime", "Run exported networks, spike for spike as trained.")

_backend = click.option("--backend", type=click.Choice(BACKENDS), default=ENGINE, help="What runs the network.")
_patience = click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    callback=finite_seconds,
    help="Seconds without a time step after which Lava is taken for hung.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_stock = click.option(
    "--stock", is_flag=True, help="Lava: use its own convolutions and channels; same spikes, many times slower."
)
_memory = click.option(
    "--memory",
    "memory_bytes",
    type=Memory(),
    default=f"{MEMORY_BYTES >> 20}M",
    help="Engine: memory to work in, such as 512M or 2G.",
)
_threads = click.option("--threads", type=click.IntRange(1, 1024), help="Engine: cores to use.  [default: all]")
_path = click.Path(path_type=Path)


@main.command()
@click.argument("target", metavar="RUN|NET", type=_path)
@_backend
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="RUN: test clips that Lava or the reference runs, half from each set.  [default: 64 in Lava, else all]",
)
@click.option("--input", "source", type=_path, help="NET: spikes to run, a .npy file.")
@click.option("--output", type=_path, help="NET: where to write the output spikes, a .npy file.")
@click.option("--readout", type=_path, help="NET: where to write its averages, if it ends in them, a .npy file.")
@click.option(
    "--probe", "probed", metavar="LAYER", multiple=True, help="NET: a layer to write the states of; repeatable."
)
@click.option(
    "--probes", type=_path, help="NET: where to write these layers' spikes, currents and voltages, a .npz file."
)
@_memory
@_threads
@_patience
@_stock
@_json
def run(
    target: Path,
    backend: str,
    limit: int | None,
    source: Path | None,
    output: Path | None,
    readout: Path | None,
    probed: tuple[str, ...],
    probes: Path | None,
    memory_bytes: int,
    threads: int | None,
    patience: float,
    stock: bool,
    as_json: bool,
) -> None:
    """Run a run's test clips, or a .net file's network on spikes of your own.

    RUN, a run folder: accuracy, spikes and operations of the deployed network on both test sets. The engine runs
    every clip; Lava or the reference run some beside it, spread evenly, and must decide alike.

    NET, a .net file: spikes from --input, integers of shape (sample, channel, height, width, time)
    or (sample, neuron, time); the last layer's spikes (sample, neuron, time) go to --output. Files may be larger than
    memory: samples are read, run and written a few at a time.
    """
    from lava_runtime.run_net import Outputs, run_net
    from lava_runtime.show import SAMPLES, show_run

    _check_engine_options(backend)
    if target.is_dir():
        if any((source, output, readout, probed, probes)):
            options = "--input, --output, --readout, --probe and --probes"
            raise CallError(options, "go with a .net file", cure=f"give {target / 'model.net'}")
        _evaluate(RunFolder(target), backend, limit, memory_bytes, threads, patience, stock, as_json)
        return
    if not target.is_file():
        raise MaestroError(
            str(target), "no such run folder or .net file", cure="make one with `make train export`, or mend the path"
        )
    if source is None:
        raise CallError("run", "no spikes given for a .net file", cure=f"write `run {target} --input X.npy`")
    if limit is not None:
        raise CallError("--limit", "goes with a run folder", cure="give fewer samples in the --input file")
    outputs = Outputs(output, readout, probes, probed)
    outputs.check()
    made = make_runner(backend, target, patience_s=patience, stock=stock, threads=threads, memory_bytes=memory_bytes)
    with made as runner:
        found = run_net(runner, source, outputs, told=None if as_json else SAMPLES)
    for path in (output, readout, probes):
        if path is not None:
            say(f"wrote {path}")
    _say_where_it_runs(target)
    show_run(found, backend, as_json)


def _check_engine_options(backend: str) -> None:
    """Refuse options of the engine where Lava or the reference are asked for alone."""
    context = click.get_current_context()
    for name, option in (("memory_bytes", "--memory"), ("threads", "--threads")):
        if backend != ENGINE and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise CallError(option, f"is the engine's and does not go with --backend {backend}")


def _say_where_it_runs(net: Path) -> None:
    """Say so beside a result if the network runs in the simulator only."""
    from export.dendrites import simulator_only
    from export.lint import dendritic

    if layers := dendritic(net):
        say(simulator_only(layers))


def _evaluate(
    folder: RunFolder,
    backend: str,
    limit: int | None,
    memory_bytes: int,
    threads: int | None,
    patience: float,
    stock: bool,
    as_json: bool,
) -> None:
    from lava_runtime.evaluate import evaluate
    from lava_runtime.show import show_evaluation

    if backend == ENGINE and limit is not None:
        raise CallError("--limit", "is for Lava or the reference; the engine runs every clip", cure="leave it out")
    if backend == LAVA and limit is None:
        limit = 64
    found = evaluate(
        folder,
        backend,
        limit=limit,
        patience_s=patience,
        stock=stock,
        threads=threads,
        memory_bytes=memory_bytes,
    )
    _say_where_it_runs(folder.net)
    if as_json:
        emit_json(found)
    else:
        show_evaluation(found)
    if found["decisions"] and found["decisions"]["differing"]:
        raise MaestroError(
            str(folder.net),
            f"{backend} and the engine decide differently {found['decisions']['differing']} times",
            cure=f"`python -m lava_runtime parity {folder.path}` says where they part",
        )
    if found["as_trained"] is False:
        raise MaestroError(
            str(folder.net),
            "the deployed network is not right as often as the trained one",
            cure=f"export again with `python -m export netx {folder.path}`",
        )


@main.command()
@click.argument("folder", metavar="RUN", type=_path)
@click.option("--limit", type=click.IntRange(min=1), default=64, help="Test clips to compare, half from each set.")
@click.option("--fast", is_flag=True, help="Let `run`'s quicker convolutions and channels stand in for Lava's own.")
@_patience
@_json
def parity(folder: Path, limit: int, fast: bool, patience: float, as_json: bool) -> None:
    """Compare SLAYER, the reference, the engine and stock Lava, every spike of every layer; exit 1 if one differs."""
    from lava_runtime.parity import describe
    from lava_runtime.parity import parity as compare
    from lava_runtime.show import show_parity

    record = compare(RunFolder(folder), limit, patience_s=patience, stock=not fast)
    _say_where_it_runs(RunFolder(folder).net)
    if as_json:
        emit_json(record)
    else:
        show_parity(record, fast)
    if record["first_divergence"] is not None:
        raise MaestroError(
            str(RunFolder(folder).net),
            describe(record["first_divergence"]),
            cure=f"`python -m export lint {RunFolder(folder).net}` may say why",
        )


@main.command()
@click.argument("folder", metavar="RUN", type=_path)
@click.argument("sound", type=_path)
@_backend
@click.option("--hop", "hop_s", type=float, help="Seconds between two windows.  [default: half a clip]")
@click.option("--live", is_flag=True, help="Play it frame by frame, and print decisions as they come.")
@click.option("--running", is_flag=True, help="--live: one network, never reset; lines where the decision changes.")
@_patience
@_json
def identify(
    folder: Path,
    sound: Path,
    backend: str,
    hop_s: float | None,
    live: bool,
    running: bool,
    patience: float,
    as_json: bool,
) -> None:
    """Say which piece the recording SOUND is, its style and its emotion (a proxy computed from scores).

    With --live it is played to the engine, a frame a step, and timed. Every window starts at rest, as in training, and
    its decision, with its last frame, is the one that is given without --live. With --running a single network
    listens from beginning to end; at every step the spikes of the last clip's length decide.
    """
    from lava_runtime import identify as room
    from lava_runtime.live import Live
    from lava_runtime.show import show_identification, show_live

    if live or running:
        _check_live(backend, hop_s, live, running)
        player = Live(RunFolder(folder), sound, hop_s=hop_s, running=running)
        show_live(player, as_json)
        _say_where_it_runs(RunFolder(folder).net)
        return
    found = room.identify(RunFolder(folder), sound, backend, hop_s=hop_s, patience_s=patience)
    _say_where_it_runs(RunFolder(folder).net)
    if as_json:
        emit_json(room.as_json(found))
    else:
        show_identification(found)


@main.command()
@click.argument("folder", metavar="RUN", type=_path)
@click.argument("sound", type=_path)
@_backend
@_patience
@_json
def segment(folder: Path, sound: Path, backend: str, patience: float, as_json: bool) -> None:
    """Say which style every stretch of a recording is of, by a RUN whose task is segmentation."""
    from lava_runtime import segment as work
    from lava_runtime.show import show_segmentation

    found = work.segment(RunFolder(folder), sound, backend, patience_s=patience)
    if as_json:
        emit_json(work.as_json(found))
    else:
        show_segmentation(found)


def _check_live(backend: str, hop_s: float | None, live: bool, running: bool) -> None:
    """Refuse options that do not go together."""
    if not live:
        raise CallError("--running", "is a way of --live", cure="add --live")
    if backend != ENGINE:
        raise CallError("--live", f"does not go with --backend {backend}", cure="leave --backend out")
    if running and hop_s is not None:
        raise CallError("--hop", "is for windows, and --running has none", cure="leave one of them out")


if __name__ == "__main__":
    main()
