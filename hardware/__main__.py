"""``python -m hardware``: the chip and the energy, and the experiments that need every stage."""

from pathlib import Path
from typing import Any

import click

from train.console import emit_json, say, stage

main = stage("hardware", "The chip, what it costs, and what dendrites are worth.")


@main.command()
@click.argument("source", metavar="[CONFIG]", default="compare")
@click.option("--seeds", type=click.IntRange(min=1), help="Seeds of every model; else the file's.")
@click.option("--models", "names", default="", metavar="A,B", help="Only these of its models.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder; else runs/NAME.")
@click.option("--workers", type=click.IntRange(min=1), default=2, help="Processes, each of one thread.")
@click.option("--json", "as_json", is_flag=True, help="Print compare.json.")
def compare(source: str, seeds: int | None, names: str, out: Path | None, workers: int, as_json: bool) -> None:
    """Train and compare all models of CONFIG under the same budget; what is done is kept, a kill loses an epoch."""
    # Before torch is loaded, so that a typing error is told at once.
    from hardware.experiment import choose_models, load_experiment

    experiment = load_experiment(source, seeds=seeds)
    models = choose_models(experiment, [name for name in names.split(",") if name])
    from hardware.compare import compare as run_experiment
    from hardware.figures import draw
    from hardware.summary import emit, write_summary

    folder = out or Path("runs") / experiment.name
    result = run_experiment(experiment, models, folder, workers)
    pictures = draw(result, folder)
    write_summary(result, folder / "summary.md", pictures)
    say(f"wrote {folder / 'compare.json'}, {folder / 'summary.md'} and {len(pictures)} pictures")
    if as_json:
        emit_json(result)
    else:
        emit(result)


@main.command()
@click.argument("source", metavar="[CONFIG]", default="segmentation")
@click.option("--seeds", type=click.IntRange(min=1), help="Seeds of every model; else the file's.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder; else runs/NAME.")
@click.option("--workers", type=click.IntRange(min=1), default=2, help="Processes, each of one thread.")
@click.option("--json", "as_json", is_flag=True, help="Print segmentation.json.")
def segmentation(source: str, seeds: int | None, out: Path | None, workers: int, as_json: bool) -> None:
    """Tell the style of every frame, LIF against DH-LIF, as deployed; what is done is kept, a kill loses an epoch."""
    from hardware.segmentation.command import segmentation

    segmentation(source, seeds, out, workers, as_json)


@main.command()
@click.argument("net", metavar="[NET|RUN]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--realise", type=click.Choice(["spiking", "analog"]), help="How analog dendrites are counted; else as analog."
)
@click.option("--compiler", type=click.Choice(["2022", "newer"]), default="newer", help="Whose rules to use.")
@click.option("--board", default="oheogulch", help="Board whose chips are counted: oheogulch or kp.")
@click.option("--check", is_flag=True, help="Print the rules beside the compiler's published tables.")
@click.option("--json", "as_json", is_flag=True, help="Print the placement as JSON.")
@click.pass_context
def place(
    ctx: click.Context, net: Path | None, realise: str | None, compiler: str, board: str, check: bool, as_json: bool
) -> None:
    """Say how many of the chip's cores NET takes, and what binds; exit 1 if it does not fit the board."""
    from hardware.placement.command import place

    ctx.exit(place(net, realise, compiler, board, as_json, check))


@main.command()
@click.option(
    "--board", metavar="NAME", help="Print shell exports for a board, a partition or host:ADDRESS, for `eval`."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, board: str | None, as_json: bool) -> None:
    """Say what of the way to the chip is here: packages, SLURM and its boards, GPU, energy counters.

    Each line is ok, missing or wrong, with the cure. Exit code 0 if the way through the simulator is sound, with a chip
    or without; 1 if something is wrong.
    """
    from hardware.doctor.command import doctor

    ctx.exit(doctor(board, as_json))


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--samples", type=click.IntRange(min=1), help="Test clips to pack, half of each test set; else 16.")
@click.option("--out", type=click.Path(path_type=Path), help="The zip to write or to read; else RUN/bundle.zip.")
@click.option(
    "--read", "result", type=click.Path(path_type=Path), help="Compare and file a result.json that came back."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was packed or found as JSON.")
@click.pass_context
def bundle(
    ctx: click.Context, run: Path, samples: int | None, out: Path | None, result: Path | None, as_json: bool
) -> None:
    """Pack RUN for a machine with a Loihi 2 and without this project; or read what came back from there.

    The zip holds the network, test clips as spikes, the spikes expected of every layer, one script that runs them on
    the chip or with --sim in Lava's simulator, and a job for SLURM. With --read exit 1 says that a spike differs.
    """
    from hardware.bundle.command import bundle

    ctx.exit(bundle(run, samples, out, result, as_json))


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--samples", type=click.IntRange(min=1), default=16, help="Test clips to compare.")
@click.option("--steps", type=click.IntRange(min=1), default=10_000, help="Steps of the profiled run.")
@click.option("--board", metavar="NAME", help="Board to run on; else any of the partition.")
@click.option("--partition", metavar="NAME", help="SLURM partition; else the default one.")
@click.option("--profile/--no-profile", default=True, help="Measure power, time, activity and memory too.")
@click.option("--profile-input", type=click.Choice(["host", "cyclic"]), default="host", help="What feeds that run.")
@click.option("--layers", type=click.Choice(["all", "output"]), default="all", help="Layers to record.")
@click.option("--probe", "probes", multiple=True, metavar="LAYER", help="Record current and voltage of a layer too.")
@click.option(
    "--input-adapter", type=click.Choice(["auto", "spike", "conv"]), default="auto", help="auto: conv before one."
)
@click.option("--patience", "patience_s", type=click.FloatRange(min=1), default=600.0, help="Seconds without a step.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def deploy(
    ctx: click.Context, /, run: Path, samples: int, steps: int, profile: bool, as_json: bool, **way: Any
) -> None:
    """Run RUN on a Loihi 2, compare every layer's spikes with the engine's and file what it took.

    Lint and placement come first and need no chip. No silicon has run this yet: it is tested against a stand-in with
    the names and arguments that Lava's documents and notebooks show of the closed package. Where that package is not
    installed, `bundle` packs the same for a machine that has it.
    """
    from hardware.loihi2.command import deploy
    from hardware.loihi2.runner import Way

    ctx.exit(deploy(run, samples, steps, Way(**way), profile, as_json))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--net", metavar="NET|RUN", type=click.Path(path_type=Path), help="Hold its table against this network.")
@click.option("--json", "as_json", is_flag=True, help="Print what was read as JSON.")
@click.pass_context
def log(ctx: click.Context, file: Path, net: Path | None, as_json: bool) -> None:
    """Read what Intel's compiler and profilers printed, pasted into FILE, as data; or series of power in a .npy."""
    from hardware.logs.command import log

    ctx.exit(log(file, as_json, net))


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--baseline/--no-baseline", "with_baseline", default=True, help="Time the ANN twin and the network too.")
@click.option("--batches", metavar="1,8,64", help="Batch sizes of the baseline; else 1 to 256.")
@click.option("--json", "as_json", is_flag=True, help="Print measurement.json.")
@click.pass_context
def measure(ctx: click.Context, run: Path, with_baseline: bool, batches: str | None, as_json: bool) -> None:
    """Fill RUN's measurement.json: accuracy on both test sets, counts, energy bands, baseline, break-even.

    What cannot be measured here is given as unavailable, with the reason; nothing is filled in for it.
    """
    from hardware.measure.command import measure

    ctx.exit(measure(run, with_baseline, batches, as_json))


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--device", type=click.Choice(["all", "cuda", "cpu"]), default="all", help="Where; else all there are.")
@click.option("--batches", metavar="1,8,64", help="Batch sizes; else 1 to 256.")
@click.option("--again", is_flag=True, help="Measure again what was measured already.")
@click.option("--json", "as_json", is_flag=True, help="Print the section of measurement.json.")
@click.pass_context
def baseline(ctx: click.Context, run: Path, device: str, batches: str | None, again: bool, as_json: bool) -> None:
    """Measure latency and energy of RUN's network and of its ANN twin on the GPU and the CPU, at batch 1 and more.

    An interrupted call goes on where it was.
    """
    from hardware.baseline.command import baseline

    ctx.exit(baseline(run, device, batches, again, as_json))


@main.command()
@click.argument("run", metavar="[RUN]", type=click.Path(path_type=Path), required=False)
@click.option("--check", is_flag=True, help="Print what the constants predict beside what silicon measured.")
@click.option("--step-time", "step_time_us", type=click.FloatRange(min=0, min_open=True), help="Microseconds a step.")
@click.option("--json", "as_json", is_flag=True, help="Print the energies as JSON.")
@click.pass_context
def energy(ctx: click.Context, run: Path | None, check: bool, step_time_us: float | None, as_json: bool) -> None:
    """Estimate the energy of an inference of a measured RUN on named devices, as bands, each constant with its source.

    Without RUN: the devices and their constants.
    """
    from hardware.energy.command import energy

    ctx.exit(energy(run, check, step_time_us, as_json))


@main.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--clip", type=click.IntRange(min=0), help="Test clip to show the spikes of; else one that tells most.")
@click.option("--out", type=click.Path(path_type=Path), help="The page; else report.html in the first RUN.")
@click.option("--table", is_flag=True, help="Print the numbers as a table in Markdown instead.")
@click.pass_context
def report(ctx: click.Context, runs: tuple[Path, ...], clip: int | None, out: Path | None, table: bool) -> None:
    """Write one page, report.html, of what was measured of one RUN, or of several side by side."""
    from hardware.report.command import report

    ctx.exit(report(runs, clip, out, table))


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(min=1), help="Clips, as many of each test set; else all.")
@click.option(
    "--noise", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Your own noise; else the run's."
)
@click.option("--workers", type=click.IntRange(min=0), default=2, help="Processes that hear; 0 for none beside this.")
@click.option("--again", is_flag=True, help="Measure again what was measured already.")
@click.option("--json", "as_json", is_flag=True, help="Print the section of measurement.json.")
@click.pass_context
def robustness(
    ctx: click.Context, run: Path, limit: int | None, folder: Path | None, workers: int, again: bool, as_json: bool
) -> None:
    """Measure RUN's accuracy over noise, level, reverberation, pitch and tempo, and draw it.

    Every clip is changed by a fixed seed and decided by the exported integers (an ANN as it was trained). An
    interrupted call goes on where it was.
    """
    from hardware.robustness.command import robustness

    ctx.exit(robustness(run, limit, folder, workers, again, as_json))


if __name__ == "__main__":
    main()
