"""The experiment: searches first, then both kinds of neuron with every seed, in both orders of styles."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hardware.compare import Report, choose, do_jobs, held
from hardware.experiment import Experiment, search_cells
from hardware.searches import check_searches
from hardware.segmentation.cell import StepsJob
from hardware.segmentation.result import make_result
from train.artifacts import write_json
from train.config_checks import SEGMENTATION
from train.errors import CallError

WORK = "hardware.segmentation.cell:run_cell"
# The honest task, and the seeds' own.
ORDERS = ("mixed", "forward")


def segment(experiment: Experiment, out: Path, workers: int) -> dict[str, Any]:
    """Run what is not done yet, and make the result of all of it.

    Parameters
    ----------
    experiment
        Models whose task is segmentation, searched and compared; the first of its baselines is what differences are
        taken to.
    out
        Folder of ``cells/``, ``runs/``, ``logs/`` and ``segmentation.json``. A cell in it that is done is never run
        again.
    workers
        Processes, each of one thread.

    Returns
    -------
    dict
        What ``segmentation.json`` holds.

    Raises
    ------
    CallError
        The experiment is of another task, its searches will not do, or another call works in ``out``.
    MaestroError
        Cells failed; the others were run, and a further call goes on. A result is damaged.
    """
    shared = experiment.shared_config()
    if shared.task.name != SEGMENTATION:
        raise CallError(
            "configuration key task.name",
            f"is {shared.task.name!r} in {experiment.name}",
            allowed=SEGMENTATION,
            cure="compare it with `python -m hardware compare`",
        )
    check_searches(experiment)
    started = time.monotonic()
    models = tuple(experiment.models)
    with held(out):
        searches = {model: search_jobs(experiment, model, out) for model in experiment.searched(models)}
        weights = {job.name: experiment.tuning.epochs for jobs in searches.values() for job in jobs}
        for order in ORDERS:
            names = (f"{model}-{order}{seed}" for seed in experiment.all_seeds for model in models)
            weights |= dict.fromkeys(names, shared.training.epochs)
        report = Report(weights, workers)
        _prepare(experiment)
        do_jobs("searches", [job for jobs in searches.values() for job in jobs], workers, report, WORK)
        chosen = {model: choose(experiment, model, jobs) for model, jobs in searches.items()}
        jobs = [job for order in ORDERS for job in order_jobs(experiment, order, chosen, out)]
        do_jobs("comparison", jobs, workers, report, WORK)
        result = make_result(experiment, searches, chosen, jobs)
        result["seconds"]["this_call_wall"] = time.monotonic() - started
        write_json(out / "segmentation.json", result)
    return result


def search_jobs(experiment: Experiment, model: str, out: Path) -> list[StepsJob]:
    """A model's search, one job a cell of its grid, on clips that no seed compared has."""
    seed = f"task.seed={experiment.tuning.seed}"
    return [
        StepsJob(f"{model}-search{number}", model, experiment.tuning_config(model, [*cell, seed]), None, out)
        for number, cell in enumerate(search_cells(experiment, model), start=1)
    ]


def order_jobs(experiment: Experiment, order: str, chosen: Mapping[str, Sequence[str]], out: Path) -> list[StepsJob]:
    """Every model with every seed, the styles in one order. Models of one seed share clips and titles held out."""
    found = []
    for seed in experiment.all_seeds:
        for model in experiment.models:
            own = [*chosen.get(experiment.source(model), ()), f"task.order={order}", f"task.seed={seed}"]
            config = experiment.config(model, seed, own)
            name = f"{model}-{order}{seed}"
            found.append(StepsJob(name, model, config, None, out, order, experiment.evaluation.gate_clips))
    return found


def _prepare(experiment: Experiment) -> None:
    """Make the features here, so that the workers do not compute the same ones side by side."""
    from train.data.clips import data_clips

    data_clips(experiment.shared_config())
