"""A grid of configurations, each trained and ranked by validation alone."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.artifacts import RunFolder, key_of, provenance, read_json, write_json
from train.config import Config, load_config, section_dict
from train.console import say
from train.errors import CallError, DivergedError
from train.loop import fit, is_done, validation_score


def parse_grid(axes: Sequence[str]) -> list[tuple[str, ...]]:
    """Every combination of ``KEY=VALUE,VALUE...`` axes, as overrides.

    Values that hold commas themselves (lists) are told apart by semicolons: ``KEY=[64];[32, 32]``.

    Raises
    ------
    CallError
        An axis without a key or without values.
    """
    choices = []
    for axis in axes:
        key, equals, text = axis.partition("=")
        values = [value.strip() for value in text.split(";" if ";" in text or "[" in text else ",")]
        if not equals or not key or not all(values):
            raise CallError(f"--grid {axis}", "not of the form key=value,value", cure="write --grid lif.threshold=4,8")
        choices.append([f"{key}={value}" for value in values])
    return list(itertools.product(*choices))


def search(source: str, overrides: Sequence[str], axes: Sequence[str], out: Path) -> dict[str, Any]:
    """Train every cell of a grid; a finished cell is never trained again.

    Parameters
    ----------
    source
        Preset or TOML file that all cells share.
    overrides
        Overrides that all cells share, the budget of epochs among them.
    axes
        What is varied, see :func:`parse_grid`.
    out
        Folder of the cells' runs and of ``search.json``.

    Returns
    -------
    dict
        What ``search.json`` holds: cells from best to worst by weighted validation accuracy, and the budget.

    Raises
    ------
    CallError
        The grid or an override is wrong; found before anything is trained.
    MaestroError
        A cell failed otherwise than by diverging: a full disk, say, which is no result.
    """
    grid = parse_grid(axes)
    configs = [load_config(source, [*overrides, *cell]) for cell in grid]
    shared = load_config(source, overrides)
    cells = []
    for number, (cell, config) in enumerate(zip(grid, configs, strict=True), start=1):
        run = RunFolder(out / f"cell-{key_of([source, list(overrides), list(cell)])}")
        say(f"cell {number}/{len(grid)}: {' '.join(cell) or source}")
        entry: dict[str, Any] = {"overrides": list(cell)}
        try:
            if is_done(config, run):
                metrics = read_json(run.metrics, cure=f"delete {run.path}; the cell is then trained again")
            else:
                metrics = fit(config, run, resume=True)
            entry |= _summary(metrics, config)
        except DivergedError as error:
            # A cell that diverges is a result, and no reason to lose the others.
            entry |= {"failed": str(error), "score": 0.0, "seconds": 0.0}
        cells.append(entry)
        cells.sort(key=lambda cell: -cell["score"])
        result = {
            "config": source,
            "overrides": list(overrides),
            # Defaults move: what every cell had in common is written out.
            "shared": section_dict(shared),
            "grid": list(axes),
            "budget": {"cells": len(grid), "finished": number, "seconds": sum(cell["seconds"] for cell in cells)},
            "cells": cells,
            "provenance": provenance(),
        }
        write_json(out / "search.json", result)
    return result


def _summary(metrics: dict[str, Any], config: Config) -> dict[str, Any]:
    best = metrics["epochs"][metrics["best_epoch"] - 1]
    return {
        "score": validation_score(best["validation"], config),
        "validation": best["validation"],
        "epochs": len(metrics["epochs"]),
        "best_epoch": metrics["best_epoch"],
        "rates": best["rates"],
        "parameters": metrics["parameters"],
        "seconds": metrics["seconds"],
    }
