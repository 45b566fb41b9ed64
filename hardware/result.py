"""The experiment's result as plain data, from its finished cells."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from hardware.cells import Job, require_cell
from hardware.experiment import CLEAN, Experiment, search_cells
from hardware.statistics import paired, summarise
from train.artifacts import provenance
from train.config import Config, section_dict
from train.config_checks import HEADS

# Mean over every noise at every ratio.
NOISE = "noise"
_COSTS = (
    "latency_steps",
    "neurons",
    "states",
    "weights_nonzero",
    "input_spikes",
    "spikes",
    "syn_ops",
    "neuron_updates",
)
_ANN_COSTS = ("macs_dense", "macs_effective", "acs_effective")


def make_result(
    experiment: Experiment,
    models: Sequence[str],
    searches: Mapping[str, Sequence[Job]],
    chosen: Mapping[str, Sequence[str]],
    jobs: Sequence[Job],
) -> dict[str, Any]:
    """What ``compare.json`` holds.

    Parameters
    ----------
    experiment
        What was run.
    models
        Those compared.
    searches, chosen
        Jobs of every search, and the overrides that it chose.
    jobs
        Jobs of the models compared, all done; a model's in the order of seeds.
    """
    cells = {model: [require_cell(job) for job in jobs if job.model == model] for model in models}
    tuned = {model: [require_cell(job) for job in found] for model, found in searches.items()}
    everything = [cell for group in (*cells.values(), *tuned.values()) for cell in group]
    accuracies = {model: [_accuracies(cell) for cell in found] for model, found in cells.items()}
    configs = {job.model: job.config for job in reversed(jobs)}
    return {
        "experiment": _plain(experiment),
        "budget": {
            "cells_a_search": len(next(iter(searches.values()), ())),
            "epochs_a_cell": experiment.tuning.epochs,
            "chosen_by": "validation accuracy of the heads, weighted as in the loss",
            "epochs": experiment.shared_config().training.epochs,
            "seeds": list(experiment.all_seeds),
        },
        "searches": {
            model: {
                "cells": _search_table(experiment, model, tuned[model]),
                "chosen": list(chosen[model]),
                "at_edge": edges(search_cells(experiment, model), chosen[model]),
            }
            for model in searches
        },
        "models": {
            model: {
                "label": experiment.models[model].label,
                "searched_as": experiment.source(model),
                "config": section_dict(configs[model]),
                "branches": branches_of(configs[model]),
                "costs": _mean_costs([with_latency(cell["costs"]) for cell in cells[model]]),
                "cells": [
                    _cell_entry(cell, heard) for cell, heard in zip(cells[model], accuracies[model], strict=True)
                ],
            }
            for model in models
        },
        "clips": _clips(everything),
        "accuracy": _means(accuracies),
        "differences": {
            baseline: _differences(accuracies, baseline, experiment.head)
            for baseline in experiment.baselines
            if baseline in models
        },
        # A cell that was stopped and went on has the time of its last attempt alone, but that of all its epochs.
        "seconds": {
            "last_attempts_wall": sum(cell["seconds"]["wall"] for cell in everything),
            "last_attempts_cpu": sum(cell["seconds"]["cpu"] for cell in everything),
            "all_epochs_wall": sum(cell.get("train_s", 0.0) for cell in everything),
        },
        "commits": sorted({cell["provenance"]["commit"] for cell in everything}),
        "provenance": provenance(),
    }


def branches_of(config: Config) -> int:
    """Branches of a model's neurons; 0 where it has no dendrites."""
    dendritic = config.network.neuron == "dh_lif" and config.dendrites.layers != "none"
    return config.dendrites.branches if dendritic else 0


def edges(cells: Sequence[Sequence[str]], chosen: Sequence[str]) -> list[dict[str, Any]]:
    """Axes of numbers on which a search chose the smallest or the largest, so that a wider one might find better.

    Parameters
    ----------
    cells
        The search's cells as overrides, of the same axes in the same order.
    chosen
        The one chosen.

    Returns
    -------
    list of dict
        ``axis``, the ``value`` chosen as it was written, its ``end`` ('smallest' or 'largest'), and how many
        ``values`` were tried; of two values one is always an end.
    """
    found = []
    for place, override in enumerate(chosen):
        axis, _, value = override.partition("=")
        numbers = {_number(cell[place].partition("=")[2]) for cell in cells}
        if None in numbers or len(numbers) < 2:
            continue
        for end, extreme in (("smallest", min), ("largest", max)):
            if _number(value) == extreme(number for number in numbers if number is not None):
                found.append({"axis": axis, "value": value, "end": end, "values": len(numbers)})
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def with_latency(costs: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's costs with ``latency_steps`` where it has spikes: every layer with synapses adds a step."""
    if "syn_ops" not in costs:
        return dict(costs)
    return {"latency_steps": sum(entry["weights_nonzero"] > 0 for entry in costs["layers"].values()), **costs}


def _plain(experiment: Experiment) -> dict[str, Any]:
    values = section_dict(dataclasses.replace(experiment, models={}))
    return {**values, "models": {name: section_dict(model) for name, model in experiment.models.items()}}


def _search_table(experiment: Experiment, model: str, cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    kept = ("score", "validation", "epochs", "best_epoch", "rates", "failed")
    return [
        {"overrides": list(overrides), **{key: cell[key] for key in kept if key in cell}}
        for overrides, cell in zip(search_cells(experiment, model), cells, strict=True)
    ]


def _accuracies(cell: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Accuracies by split, condition and head, with the mean over all noises as a condition of its own."""
    found = {}
    for split, heard in cell["accuracy"].items():
        plain = {name: {head: entry[head]["accuracy"] for head in HEADS} for name, entry in heard.items()}
        noisy = [entry for name, entry in plain.items() if name != CLEAN]
        if noisy:
            plain[NOISE] = {head: sum(entry[head] for entry in noisy) / len(noisy) for head in HEADS}
        found[split] = plain
    return found


def _cell_entry(cell: Mapping[str, Any], heard: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("seed", "key", "score", "epochs", "best_epoch", "history", "parameters", "rates", "gate", "time_constants")
    costs = {key: value for key, value in with_latency(cell["costs"]).items() if key != "layers"}
    return {**{key: cell[key] for key in kept}, "costs": costs, "seconds": cell["seconds"], "accuracy": heard}


def _clips(cells: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    for cell in cells:
        if "accuracy" in cell:
            return {split: heard[CLEAN]["title"]["clips"] for split, heard in cell["accuracy"].items()}
    return {}


def _means(accuracies: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Head -> split -> condition -> model -> mean and deviation over seeds."""
    return {
        head: _by_condition(
            accuracies,
            lambda model, split, name, head=head: summarise([cell[split][name][head] for cell in accuracies[model]]),
        )
        for head in HEADS
    }


def _differences(accuracies: Mapping[str, Sequence[Any]], baseline: str, head: str) -> dict[str, Any]:
    """Split -> condition -> model -> paired difference to the baseline."""

    def difference(model: str, split: str, name: str) -> dict[str, Any]:
        ours, theirs = ([cell[split][name][head] for cell in accuracies[key]] for key in (model, baseline))
        return paired(ours, theirs)

    others = {model: cells for model, cells in accuracies.items() if model != baseline}
    return _by_condition(others, difference)


def _by_condition(accuracies: Mapping[str, Sequence[Any]], value: Any) -> dict[str, Any]:
    if not accuracies:
        return {}
    first = next(iter(accuracies.values()))[0]
    return {
        split: {name: {model: value(model, split, name) for model in accuracies} for name in heard}
        for split, heard in first.items()
    }


def _mean_costs(costs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over seeds, in all and by layer."""

    def mean(entries: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        keys = [key for key in (*_COSTS, *_ANN_COSTS) if key in entries[0]]
        return {key: sum(entry[key] for entry in entries) / len(entries) for key in keys}

    layers = {name: mean([entry["layers"][name] for entry in costs]) for name in costs[0]["layers"]}
    return {**mean(costs), "layers": layers}
