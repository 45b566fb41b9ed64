"""``python -m train``: the embedded corpus and training."""

from pathlib import Path

import click

from train.artifacts import RunFolder
from train.config import load_config
from train.console import emit_json, emit_table, say, stage
from train.data.command import data

main = stage("train", "From recordings to a trained network in a run folder.")
main.add_command(data)


@main.command()
@click.option("--config", "source", default="dh_lif", help="Preset or TOML file; its section [corpus] counts.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, corpus.seed=2 say.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder; else one under .cache.")
def corpus(source: str, overrides: tuple[str, ...], out: Path | None) -> None:
    """Build the embedded corpus: scores read, performed and rendered. Nothing is downloaded."""
    from train.data.corpus import build_corpus

    built = build_corpus(load_config(source, overrides).corpus, out)
    say(f"corpus: {len(built.recordings)} recordings, data card {built.path / 'card.md'}")
    click.echo(str(built.path))


@main.command()
@click.argument("title")
@click.option("--seed", default=1000, help="Of the performance; another seed is another performance.")
@click.option("--program", default=0, help="General MIDI program, 0 to 127.")
@click.option("--config", "source", default="dh_lif", help="Preset or TOML file.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Sound file to write (.wav, .flac).")
def perform(title: str, seed: int, program: int, source: str, out: Path) -> None:
    """Render a new performance of one of the corpus's titles to a sound file."""
    from train.data.corpus import perform as play
    from train.data.sound import save_sound

    config = load_config(source).corpus
    save_sound(out, [play(title, seed, config, program)], config.sample_rate_hz)
    click.echo(str(out))


@main.command()
@click.argument("source", metavar="[CONFIG]", default="dh_lif")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, training.epochs=5 say.")
@click.option("--run", "path", type=click.Path(path_type=Path), default=None, help="Run folder; else runs/NAME.")
@click.option("--resume", is_flag=True, help="Go on with a half-trained run, if there is one.")
@click.option("--overwrite", is_flag=True, help="Train again in a folder that holds a run.")
@click.option("--json", "as_json", is_flag=True, help="Print metrics.json.")
def fit(
    source: str, overrides: tuple[str, ...], path: Path | None, resume: bool, overwrite: bool, as_json: bool
) -> None:
    """Train the network of CONFIG, a preset's name or a TOML file."""
    # Before torch is loaded, so that a typing error is told at once.
    config = load_config(source, overrides)
    from train.artifacts import read_json
    from train.loop import fit as train
    from train.loop import is_done
    from train.metrics import percent

    run = RunFolder(path or Path("runs") / config.name)
    if resume and not overwrite and is_done(config, run):
        say(f"{run.path} is trained already; --overwrite trains it again")
        metrics = read_json(run.metrics, cure="train again with --overwrite")
    else:
        metrics = train(config, run, resume=resume, overwrite=overwrite)
    if as_json:
        emit_json(metrics)
        return
    heads = list(next(iter(metrics["final"].values())))
    rows = [[split, *(percent(metrics["final"][split][head]) for head in heads)] for split in metrics["final"]]
    emit_table(f"{run.path}: accuracy, epoch {metrics['best_epoch']} (95 % interval)", ["clips of", *heads], rows)


@main.command()
@click.argument("source", metavar="[CONFIG]", default="dh_lif")
@click.option("--grid", "axes", multiple=True, required=True, metavar="KEY=A,B,C", help="An axis of the grid.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key in every cell.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the cells and search.json.")
@click.option("--json", "as_json", is_flag=True, help="Print search.json.")
def search(source: str, axes: tuple[str, ...], overrides: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Train every cell of a grid and rank them by validation; finished cells are kept."""
    from train.metrics import percent
    from train.search import search as run_search

    result = run_search(source, overrides, axes, out)
    if as_json:
        emit_json(result)
        return
    rows: list[tuple[str, list[str], str]] = []
    names = ["accuracy"]
    for cell in result["cells"]:
        heads = [percent(entry) for entry in cell.get("validation", {}).values()]
        names = list(cell.get("validation", names))
        rows.append((" ".join(cell["overrides"]), heads, f"{cell['seconds']:.0f}"))
    table = [[cell, *(heads or ["failed", *[""] * (len(names) - 1)]), seconds] for cell, heads, seconds in rows]
    emit_table(f"{out}: validation accuracy (95 % interval)", ["cell", *names, "s"], table)


if __name__ == "__main__":
    main()
