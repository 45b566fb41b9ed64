"""The experiment's result as plain data, from its finished cells."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.cells import require_cell
from hardware.experiment import Experiment, search_cells
from hardware.result import edges
from hardware.statistics import paired, summarise
from train.artifacts import provenance
from train.config import section_dict

if TYPE_CHECKING:
    from hardware.segmentation.cell import StepsJob

BASELINES = ("majority", "clock")
_KEPT = (
    "seed",
    "score",
    "best_epoch",
    "history",
    "parameters",
    "rates",
    "costs",
    "time_constants",
    "gate",
    "cut_at_step",
)


def make_result(
    experiment: Experiment,
    searches: Mapping[str, Sequence["StepsJob"]],
    chosen: Mapping[str, Sequence[str]],
    jobs: Sequence["StepsJob"],
) -> dict[str, Any]:
    """What ``segmentation.json`` holds.

    Parameters
    ----------
    experiment
        What was run.
    searches, chosen
        Jobs of every search, and the overrides that it chose.
    jobs
        Jobs compared, all done; a model's in the order of seeds.
    """
    tuned = {model: [require_cell(job) for job in found] for model, found in searches.items()}
    cells: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for job in jobs:
        cells.setdefault(job.order, {}).setdefault(job.model, []).append(require_cell(job))
    everything = [cell for found in tuned.values() for cell in found]
    everything += [cell for of_order in cells.values() for found in of_order.values() for cell in found]
    first = jobs[0].config
    return {
        "name": experiment.name,
        "seeds": list(experiment.all_seeds),
        "epochs": first.training.epochs,
        "task": section_dict(first.task),
        "features": section_dict(first.features),
        "encoding": section_dict(first.encoding),
        "network": section_dict(first.network),
        "corpus": section_dict(first.corpus),
        "labels": {model: entry.label for model, entry in experiment.models.items()},
        "configs": {model: _config(jobs, model) for model in experiment.models},
        "searches": {
            model: {
                "cells": [
                    {"overrides": list(overrides), "score": cell["score"]}
                    for overrides, cell in zip(search_cells(experiment, model), tuned[model], strict=True)
                ],
                "chosen": list(chosen[model]),
                "at_edge": edges(search_cells(experiment, model), chosen[model]),
            }
            for model in searches
        },
        "orders": {order: _order(found, experiment.baselines[0]) for order, found in cells.items()},
        "commits": sorted({cell["provenance"]["commit"] for cell in everything}),
        "seconds": {"last_attempts_wall": sum(cell["seconds"]["wall"] for cell in everything)},
        "provenance": provenance(),
    }


def _config(jobs: Sequence["StepsJob"], model: str) -> dict[str, Any]:
    config = next(job.config for job in jobs if job.model == model)
    return {name: section_dict(getattr(config, name)) for name in ("lif", "dendrites", "training")}


def _order(cells: Mapping[str, Sequence[Mapping[str, Any]]], reference: str) -> dict[str, Any]:
    """Sides with accuracies, baselines, differences and curves; and what is kept of every cell."""
    sides = list(next(iter(cells.values()))[0]["sides"])
    return {
        "sides": {side: _side(cells, side, reference) for side in sides},
        "cells": {model: [{key: cell[key] for key in _KEPT} for cell in found] for model, found in cells.items()},
        "example": {model: found[0]["example"] for model, found in cells.items()},
    }


def _side(cells: Mapping[str, Sequence[Mapping[str, Any]]], side: str, reference: str) -> dict[str, Any]:
    shares = {model: [cell["sides"][side]["deployed"]["accuracy"] for cell in found] for model, found in cells.items()}
    # Models of one seed have the same clips, and so the same baselines.
    heard = [cell["sides"][side] for cell in next(iter(cells.values()))]
    silent = {word: [entry["baselines"][word] for entry in heard] for word in BASELINES}
    return {
        "clips": heard[0]["clips"],
        "steps": heard[0]["deployed"]["steps"],
        "spikes_compared": sum(cell["sides"][side]["spikes_compared"] for found in cells.values() for cell in found),
        "accuracy": {model: {**summarise(values), "seeds": values} for model, values in shares.items()},
        "baselines": {word: {**summarise(values), "seeds": values} for word, values in silent.items()},
        "above_baselines": {
            model: {word: paired(values, silent[word]) for word in BASELINES} for model, values in shares.items()
        },
        "differences": {
            model: paired(values, shares[reference]) for model, values in shares.items() if model != reference
        },
        "around_cuts": {
            model: _curves([cell["sides"][side]["around_cuts"] for cell in found]) for model, found in cells.items()
        },
    }


def _curves(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over seeds, as far as the curves of all seeds reach."""
    width = found[0]["bin_steps"]
    result: dict[str, Any] = {"bin_steps": width, "first_step": max(entry["first_step"] for entry in found)}
    for word in ("changed", "same"):
        if all(word in entry for entry in found):
            rows = [entry[word]["share"][(result["first_step"] - entry["first_step"]) // width :] for entry in found]
            size = min(map(len, rows))
            mean = np.mean([row[:size] for row in rows], axis=0)
            result[word] = {
                "clips": sum(entry[word]["clips"] for entry in found),
                "share": [round(float(value), 4) for value in mean],
            }
    return result
