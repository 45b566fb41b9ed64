"""The controlled experiment: every model searched with the same budget, trained with every seed, and compared."""

import contextlib
import dataclasses
import fcntl
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hardware.cells import COMPARE, Job, read_cell
from hardware.experiment import CLEAN, Experiment, check_searches, search_cells
from hardware.pool import run_jobs
from hardware.statistics import paired, summarise
from train.artifacts import provenance, write_json
from train.config import HEADS, Config, section_dict
from train.console import say
from train.errors import CallError, MaestroError

WORK = "hardware.cells:run_cell"
# Mean over every noise at every ratio.
NOISE = "noise"
_COSTS = ("neurons", "states", "weights_nonzero", "input_spikes", "spikes", "syn_ops", "neuron_updates")
_ANN_COSTS = ("macs_dense", "macs_effective", "acs_effective")


def compare(experiment: Experiment, models: Sequence[str], out: Path, workers: int) -> dict[str, Any]:
    """Run what is not done yet, and make the result of all of it.

    Parameters
    ----------
    experiment
        Its models, budget and conditions.
    models
        Those compared; the baselines among them are what differences are taken to.
    out
        Folder of ``cells/``, ``runs/``, ``logs/`` and ``compare.json``. A cell in it that is done is never run again.
    workers
        Processes, each of one thread.

    Returns
    -------
    dict
        What ``compare.json`` holds.

    Raises
    ------
    CallError
        The searches are of unequal size, or another call works in ``out``.
    MaestroError
        Cells failed; the others were run, and a further call goes on. A result is damaged.
    """
    check_searches(experiment)
    started = time.monotonic()
    with _held(out):
        searched = experiment.searched(models)
        searches = {model: tuning_jobs(experiment, model, out) for model in searched}
        report = Report(_weights(experiment, models, searches), workers)
        # Here, so that the workers find all features cached and do not compute the same ones side by side.
        prepare(experiment)
        _do([job for jobs in searches.values() for job in jobs], workers, report)
        chosen = {model: choose(experiment, model, jobs) for model, jobs in searches.items()}
        jobs = [compared_job(experiment, model, seed, chosen, out) for seed in experiment.all_seeds for model in models]
        _do(jobs, workers, report)
        result = _result(experiment, models, searches, chosen, jobs)
        result["seconds"]["this_call_wall"] = time.monotonic() - started
        write_json(out / "compare.json", result)
    return result


def prepare(experiment: Experiment) -> None:
    """Build corpus and features, clean and with noise, where they are not cached."""
    from train.data.clips import corpus_clips
    from train.data.noisy import noisy_sets, training_variants

    config, evaluation = experiment.shared_config(), experiment.evaluation
    corpus_clips(config)
    training_variants(config)
    for split in evaluation.splits if evaluation.conditions else ():
        noisy_sets(config, split, evaluation.conditions)


def tuning_jobs(experiment: Experiment, model: str, out: Path) -> list[Job]:
    """A model's search, one job a cell of its grid."""
    cells = search_cells(experiment, model)
    return [
        Job(f"{model}-search{number}", model, experiment.tuning_config(model, cell), None, out)
        for number, cell in enumerate(cells, start=1)
    ]


def compared_job(experiment: Experiment, model: str, seed: int, chosen: Mapping[str, Sequence[str]], out: Path) -> Job:
    """A model's job of one seed, with what its search chose."""
    config = experiment.config(model, seed, chosen.get(experiment.source(model), ()))
    return Job(f"{model}-seed{seed}", model, config, experiment.evaluation, out)


def choose(experiment: Experiment, model: str, jobs: Sequence[Job]) -> tuple[str, ...]:
    """The cell of a search with the best validation score, the first of equals.

    Raises
    ------
    MaestroError
        No cell of it could be trained.
    """
    found = [_require(job) for job in jobs]
    best = max(range(len(jobs)), key=lambda index: found[index]["score"])
    if "failed" in found[best]:
        raise MaestroError(
            f"search of {model}", f"no cell could be trained: {found[best]['failed']}", cure="mend its grid"
        )
    return search_cells(experiment, model)[best]


class Report:
    """Says of each cell as it ends how it went, and how long the rest may take.

    Parameters
    ----------
    weights
        Epochs of every cell of the call, done or not, by the cell's name.
    workers
        Processes.
    """

    def __init__(self, weights: Mapping[str, int], workers: int) -> None:
        self._left, self._workers, self._total = dict(weights), workers, len(weights)
        self._paces: dict[str, list[float]] = {}
        self.failures: list[tuple[Job, str]] = []

    def done(self, job: Job, *, now: bool = True) -> None:
        """A cell is done, now or by an earlier call."""
        cell = _require(job)
        epochs = self._left.pop(job.name, 1)
        self._paces.setdefault(job.model, []).append(cell["seconds"]["wall"] / epochs)
        if now:
            say(f"{self._count()} {job.name}: {_in_words(cell)}; {cell['seconds']['wall']:.0f} s{self._estimate()}")

    def failed(self, job: Job, reason: str) -> None:
        """A cell could not be done."""
        self._left.pop(job.name, None)
        self.failures.append((job, reason))
        say(f"{self._count()} {job.name}: failed: {reason}; its log is {job.log}")

    def _count(self) -> str:
        return f"cell {self._total - len(self._left)}/{self._total}"

    def _estimate(self) -> str:
        if not self._left:
            return ""
        paces = {model: sum(found) / len(found) for model, found in self._paces.items()}
        usual = sum(paces.values()) / len(paces)
        # A cell's name begins with its model's.
        seconds = sum(paces.get(name.rsplit("-", 1)[0], usual) * epochs for name, epochs in self._left.items())
        return f"; about {max(1, round(seconds / self._workers / 60))} min left"


def _weights(experiment: Experiment, models: Sequence[str], searches: Mapping[str, Sequence[Job]]) -> dict[str, int]:
    names = {job.name: experiment.tuning.epochs for jobs in searches.values() for job in jobs}
    epochs = experiment.shared_config().training.epochs
    return names | {f"{model}-seed{seed}": epochs for seed in experiment.all_seeds for model in models}


def _do(jobs: Sequence[Job], workers: int, report: Report) -> None:
    """Do the jobs that are not done, and refuse to go on without one."""
    missing = []
    for job in jobs:
        if read_cell(job) is None:
            missing.append(job)
        else:
            report.done(job, now=False)
    say(f"{len(jobs)} cells, {len(jobs) - len(missing)} of them done already")
    run_jobs(WORK, missing, workers, report.done, report.failed)
    if report.failures:
        job, reason = report.failures[0]
        more = f", and {len(report.failures) - 1} more" if len(report.failures) > 1 else ""
        raise MaestroError(
            f"cell {job.name}{more}",
            f"failed: {reason}",
            cure=f"its log is {job.log}; the same command goes on with what is missing",
        )


def _require(job: Job) -> dict[str, Any]:
    cell = read_cell(job)
    if cell is None:
        raise MaestroError(str(job.file), "is missing though its cell was done", cure="run the same command again")
    return cell


def _in_words(cell: Mapping[str, Any]) -> str:
    if "failed" in cell:
        return str(cell["failed"])
    if cell["kind"] != COMPARE:
        return f"validation score {cell['score']:.3f}"
    parts = []
    for split, heard in cell["accuracy"].items():
        noisy = [entry["title"]["accuracy"] for name, entry in heard.items() if name != CLEAN]
        text = f"{split} title {100 * heard[CLEAN]['title']['accuracy']:.1f} %"
        parts.append(text + (f", with noise {100 * sum(noisy) / len(noisy):.1f} %" if noisy else ""))
    return "; ".join(parts)


@contextlib.contextmanager
def _held(out: Path) -> Iterator[None]:
    """Keep a second call out of the folder; the hold ends with this process, however that ends."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / ".lock").open("a")
    except OSError as error:
        raise MaestroError(
            str(out), f"cannot be written: {error.strerror or error}", cure="give another --out"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CallError(
                str(out), "another compare is at work in it", cure="wait for it to end, or give another --out"
            ) from error
        yield


def _result(
    experiment: Experiment,
    models: Sequence[str],
    searches: Mapping[str, Sequence[Job]],
    chosen: Mapping[str, Sequence[str]],
    jobs: Sequence[Job],
) -> dict[str, Any]:
    cells = {model: [_require(job) for job in jobs if job.model == model] for model in models}
    tuned = {model: [_require(job) for job in found] for model, found in searches.items()}
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
            model: {"cells": _search_table(experiment, model, tuned[model]), "chosen": list(chosen[model])}
            for model in searches
        },
        "models": {
            model: {
                "label": experiment.models[model].label,
                "searched_as": experiment.source(model),
                "config": section_dict(configs[model]),
                "branches": branches_of(configs[model]),
                "costs": _mean_costs([cell["costs"] for cell in cells[model]]),
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
        "seconds": {
            "cells_wall": sum(cell["seconds"]["wall"] for cell in everything),
            "cells_cpu": sum(cell["seconds"]["cpu"] for cell in everything),
        },
        "commits": sorted({cell["provenance"]["commit"] for cell in everything}),
        "provenance": provenance(),
    }


def branches_of(config: Config) -> int:
    """Branches of a model's neurons; 0 where it has no dendrites."""
    dendritic = config.network.neuron == "dh_lif" and config.dendrites.layers != "none"
    return config.dendrites.branches if dendritic else 0


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
    costs = {key: value for key, value in cell["costs"].items() if key != "layers"}
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
