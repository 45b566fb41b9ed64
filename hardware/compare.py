"""The controlled experiment: every model searched with the same budget, trained with every seed, and compared."""

import contextlib
import fcntl
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hardware.cells import COMPARE, Job, read_cell, require_cell
from hardware.experiment import CLEAN, Experiment, search_cells
from hardware.pool import run_jobs
from hardware.result import make_result
from hardware.searches import check_searches
from train.artifacts import write_json
from train.config_checks import SEGMENTATION
from train.console import say
from train.errors import CallError, MaestroError

WORK = "hardware.cells:run_cell"


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
        The searches or a configuration in them will not do, or another call works in ``out``.
    MaestroError
        Cells failed; the others were run, and a further call goes on. A result is damaged.
    """
    if experiment.shared_config().task.name == SEGMENTATION:
        raise CallError(
            experiment.name,
            "tells every step, which has no clips to count",
            cure="use `python -m hardware segmentation`",
        )
    check_searches(experiment)
    started = time.monotonic()
    with held(out):
        searched = experiment.searched(models)
        searches = {model: tuning_jobs(experiment, model, out) for model in searched}
        report = Report(_weights(experiment, models, searches), workers)
        # Here, so that the workers find all features cached and do not compute the same ones side by side.
        prepare(experiment)
        do_jobs("searches", [job for jobs in searches.values() for job in jobs], workers, report)
        chosen = {model: choose(experiment, model, jobs) for model, jobs in searches.items()}
        jobs = [compared_job(experiment, model, seed, chosen, out) for seed in experiment.all_seeds for model in models]
        do_jobs("comparison", jobs, workers, report)
        result = make_result(experiment, models, searches, chosen, jobs)
        result["seconds"]["this_call_wall"] = time.monotonic() - started
        write_json(out / "compare.json", result)
    return result


def prepare(experiment: Experiment) -> None:
    """Build corpus and features, clean and with noise, where they are not cached."""
    from train.data.clips import data_clips
    from train.data.noisy import noisy_sets, training_variants

    config, evaluation = experiment.shared_config(), experiment.evaluation
    data_clips(config)
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
    found = [require_cell(job) for job in jobs]
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
        cell = require_cell(job)
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


def do_jobs(part: str, jobs: Sequence[Job], workers: int, report: Report, work: str = WORK) -> None:
    """Do the jobs that are not done by ``work``, and refuse to go on without one.

    Raises
    ------
    MaestroError
        A job failed; the others were done.
    """
    missing = []
    for job in jobs:
        if read_cell(job) is None:
            missing.append(job)
        else:
            report.done(job, now=False)
    say(f"{part}: {len(jobs)} cells, {len(jobs) - len(missing)} of them done already")
    run_jobs(work, missing, workers, report.done, report.failed)
    if report.failures:
        job, reason = report.failures[0]
        more = f", and {len(report.failures) - 1} more" if len(report.failures) > 1 else ""
        raise MaestroError(
            f"cell {job.name}{more}",
            f"failed: {reason}",
            cure=f"its log is {job.log}; the same command goes on with what is missing",
        )


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
def held(out: Path) -> Iterator[None]:
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
