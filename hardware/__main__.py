"""``python -m hardware``: the chip and the energy, and the experiments that need every stage."""

from pathlib import Path

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


if __name__ == "__main__":
    main()
