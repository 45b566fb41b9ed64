"""``python -m train data``: what a data set of the user's own holds, and its features."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from train import artifacts
from train.config import Config, load_config
from train.console import emit_json, say
from train.data.dataset import DataSet, open_dataset


def _options(preset: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options that both verbs have."""
    options = (
        click.option("--root", type=click.Path(path_type=Path), default=None, help="Its folder; else data.root's."),
        click.option("--config", "source", default=preset, help="Preset or TOML file; its section [data] counts."),
        click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override data.split, say."),
        click.option("--summary", is_flag=True, help="Count what is there and compute nothing."),
        click.option("--details", is_flag=True, help="With the summary: every class, every missing file."),
        click.option("--json", "as_json", is_flag=True, help="Print it as JSON."),
        click.option(
            "--pieces",
            type=click.Path(path_type=Path),
            default=None,
            metavar="FILE",
            help="Write a label file to be filled in, a line a piece, and compute nothing.",
        ),
        click.option("--skip-bad", is_flag=True, help="Leave damaged recordings out, and list them."),
    )

    def add(verb: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return add


@click.group()
def data() -> None:
    """Recordings of your own: what is there, and their features."""


@data.command()
@_options("maestro")
def maestro(**options: Any) -> None:
    """MAESTRO v3.0.0, as it is distributed, or a part of it."""
    _run("maestro", **options)


@data.command()
@_options("folder")
def folder(**options: Any) -> None:
    """Any folder: sub-folders are classes, or a CSV (data.index) says what each file is."""
    _run("folder", **options)


def _run(
    kind: str,
    root: Path | None,
    source: str,
    overrides: tuple[str, ...],
    summary: bool,
    details: bool,
    as_json: bool,
    pieces: Path | None,
    skip_bad: bool,
) -> None:
    chosen = [f"data.source={kind}", *overrides]
    if root is not None:
        # Quoted as TOML wants it: a folder may be called 2018.
        chosen.append(f"data.root={json.dumps(str(root), ensure_ascii=False)}")
    if skip_bad:
        chosen.append("data.skip_bad=true")
    config = load_config(source, chosen)
    if summary or details or pieces is not None:
        seen = _look(config)
    if pieces is not None:
        from train.data.label_files import write_template

        count = write_template(pieces, seen)
        say(f"{pieces}: {count} pieces; fill in a line for each label, then name it in data.labels")
        if not (summary or details):
            return
    if summary or details:
        from train.data.summary import show, summarise

        found = summarise(seen)
        if as_json:
            emit_json(found)
        else:
            show(found, details=details)
        return
    dataset = open_dataset(config)
    from train.data.recordings import dataset_features

    for remark in dataset.remarks:
        say(f"data: {remark}")
    features = dataset_features(dataset, config)
    made = [recording for recording, found in zip(dataset.recordings, features, strict=True) if found is not None]
    hours = sum(recording.duration_s for recording in made) / 3600
    store = artifacts.CACHE / "features"
    say(f"{dataset.name}: features of {len(made)} of {len(features)} recordings, {hours:.2f} h, are in {store}")
    say(f"train on them with `python -m train fit {_again(source, chosen)}`")
    if as_json:
        emit_json({"recordings": len(made), "left_out": len(features) - len(made), "hours": hours, "path": str(store)})
    else:
        click.echo(str(store))


def _again(source: str, overrides: list[str]) -> str:
    """The same configuration for another command."""
    return shlex.join([source, *(part for override in overrides for part in ("--set", override))])


def _look(config: Config) -> DataSet:
    """The data set for a summary: a side may be empty, and MAESTRO's table is enough."""
    if config.data.source == "maestro":
        from train.data.maestro.reader import has_files, look_at_maestro

        files = has_files(config.data)
        if not files:
            say(f"{config.data.root}: none of MAESTRO's recordings; this is what the table says")
        found = look_at_maestro(config.data, files=files)
    else:
        from train.data.folder import read_folder

        found = read_folder(config.data)
    if config.data.labels:
        from train.data.label_files import attach_labels

        found = attach_labels(found, config.data)
    return found
