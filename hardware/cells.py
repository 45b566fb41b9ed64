"""One cell of the experiment: a network trained, exported, and heard out under every condition; a file once done.

A spiking network's accuracies and costs are those of the deployed integers: it is exported, passes the lint and the
gate (SLAYER's quantised forward, every spike of every layer on some clips of both test sets, or the cell fails), is
read back, and the engine runs every clip of every condition. The ANN stays in torch.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware.experiment import CLEAN, Evaluation
from train.artifacts import RunFolder, key_of, provenance, read_json, versions, write_json
from train.config import Config, section_dict
from train.console import say
from train.errors import DivergedError, MaestroError

if TYPE_CHECKING:
    from train.data.clips import ClipSet
    from train.model import TrainedRun

# Raise it when the result of one and the same cell changes; the code's commit is in a cell's provenance, not its key.
FORMAT = 2
TUNE, COMPARE = "tune", "compare"
# Decide results, as the configuration does.
_DECIDING = ("torch", "numpy", "lava-dl", "librosa", "numba")


@dataclass(frozen=True)
class Job:
    """A cell to be done. One without ``evaluation`` is of a search: trained, and scored by validation.

    ``name`` tells it from the others for people; files are named by model and :attr:`key`, which stands for all
    that determines the result.
    """

    name: str
    model: str
    config: Config
    evaluation: Evaluation | None
    out: Path

    @property
    def kind(self) -> str:
        return TUNE if self.evaluation is None else COMPARE

    # Looked at often, and dear: installed versions are read from files.
    @cached_property
    def key(self) -> str:
        installed = versions()
        return key_of(
            {
                "format": FORMAT,
                "config": section_dict(self.config),
                "evaluation": None if self.evaluation is None else section_dict(self.evaluation),
                "versions": {package: installed[package] for package in _DECIDING},
            }
        )

    @property
    def id(self) -> str:
        # Without the number of a search's cell, which changes with the grid.
        return f"{self.model}-{self.kind}-{self.key}"

    @property
    def file(self) -> Path:
        """The result, there only when the cell is done."""
        return self.out / "cells" / f"{self.id}.json"

    @property
    def log(self) -> Path:
        """What it said while it ran."""
        return self.out / "logs" / f"{self.id}.log"

    @property
    def run(self) -> RunFolder:
        """Its network; a search's and a comparison's never share one."""
        return RunFolder(self.out / "runs" / self.id)


def read_cell(job: Job) -> dict[str, Any] | None:
    """A finished cell's result, None where it is not done.

    Raises
    ------
    MaestroError
        The file is damaged, or is not this cell's.
    """
    if not job.file.is_file():
        return None
    cure = "delete it; the cell is then run again"
    found = read_json(job.file, cure)
    fields = {"name", "key", "kind", "model", "seed", "seconds", "validation", "score", "epochs"}
    if not isinstance(found, dict) or not (fields <= found.keys() or "failed" in found) or found.get("key") != job.key:
        raise MaestroError(str(job.file), "is not the result of this cell", cure=cure)
    return found


def require_cell(job: Job) -> dict[str, Any]:
    """A finished cell's result.

    Raises
    ------
    MaestroError
        It is missing, damaged, or not this cell's.
    """
    cell = read_cell(job)
    if cell is None:
        raise MaestroError(str(job.file), "is missing though its cell was done", cure="run the same command again")
    return cell


def run_cell(job: Job) -> None:
    """Train, export, evaluate; goes on where an earlier attempt was stopped, and leaves ``job.file``.

    Raises
    ------
    MaestroError
        Training failed (a search's cell that does is a result), the network cannot be exported, or a spike differs.
    """
    started, used = time.monotonic(), time.process_time()
    result = {"name": job.name, "key": job.key, "kind": job.kind, "model": job.model, "seed": job.config.training.seed}
    try:
        result |= train_cell(job)
    except DivergedError as error:
        # A search's cell that diverges is a result, and no reason to lose the others.
        if job.kind == COMPARE:
            raise
        result |= {"failed": str(error), "score": 0.0}
    if job.evaluation is not None:
        result |= _evaluate(job, job.evaluation)
    seconds = {"wall": time.monotonic() - started, "cpu": time.process_time() - used}
    write_json(job.file, {**result, "seconds": seconds, "config": section_dict(job.config), "provenance": provenance()})


def train_cell(job: Job) -> dict[str, Any]:
    """Train a cell's network, or find it trained: its validation, epochs and rates."""
    from train.loop import fit, is_done, validation_score

    if is_done(job.config, job.run):
        metrics = read_json(job.run.metrics, cure=f"delete {job.run.path}; the cell is then trained again")
    else:
        metrics = fit(job.config, job.run, resume=True)
    best = metrics["epochs"][metrics["best_epoch"] - 1]
    return {
        "score": validation_score(best["validation"], job.config),
        "validation": best["validation"],
        "epochs": len(metrics["epochs"]),
        "best_epoch": metrics["best_epoch"],
        "history": [validation_score(entry["validation"], job.config) for entry in metrics["epochs"]],
        "rates": best["rates"],
        "parameters": metrics["parameters"],
        "train_s": metrics["seconds"],
    }


def _evaluate(job: Job, evaluation: Evaluation) -> dict[str, Any]:
    import torch

    from train.model import load_run
    from train.topology import AnnNetwork

    torch.set_num_threads(job.config.training.threads)
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]
    trained = load_run(job.run)
    if isinstance(trained.network, AnnNetwork):
        return _evaluate_ann(job, evaluation, trained)
    return _evaluate_deployed(job, evaluation, trained)


def _hear(job: Job, evaluation: Evaluation, hear: Callable[["ClipSet"], dict[str, Any]]) -> dict[str, Any]:
    """Accuracies by test set and condition; ``hear`` gives those of some clips."""
    from train.data.clips import data_clips
    from train.data.noisy import noisy_sets

    clean, _ = data_clips(job.config)
    accuracy: dict[str, Any] = {}
    for split in evaluation.splits:
        heard = {CLEAN: clean[split]}
        if evaluation.conditions:
            noisy = noisy_sets(job.config, split, evaluation.conditions)
            heard |= {condition_name(*condition): clips for condition, clips in noisy.items()}
        accuracy[split] = {}
        for condition, clips in heard.items():
            found = accuracy[split][condition] = hear(clips)
            say(
                f"{split}, {condition}: "
                + ", ".join(f"{head} {100 * e['accuracy']:.1f} %" for head, e in found.items())
            )
    return accuracy


def _evaluate_ann(job: Job, evaluation: Evaluation, trained: "TrainedRun") -> dict[str, Any]:
    from hardware.counters.activity import ann_work, layers_of
    from hardware.counters.ann import ann_counts
    from hardware.counters.costs import ann_costs
    from train.data.clips import data_clips
    from train.loop import evaluate

    def hear(clips: "ClipSet") -> dict[str, Any]:
        return evaluate(trained.network, clips, trained.encoder, trained.normaliser, trained.heads)[0]

    clips = data_clips(job.config)[0]["test"]
    layers = layers_of(trained, clips.steps)
    return {
        "accuracy": _hear(job, evaluation, hear),
        "costs": ann_costs(ann_counts(layers, ann_work(trained, layers, clips), clips.steps)),
        "gate": None,
        "time_constants": None,
    }


def _evaluate_deployed(job: Job, evaluation: Evaluation, trained: "TrainedRun") -> dict[str, Any]:
    """Export through the gate, and hear the integers; costs are of an inference of a clean test clip."""
    from export.convert import from_slayer
    from export.manifest import load_manifest
    from export.pipeline import export_run
    from hardware import deployed
    from hardware.counters.costs import spiking_costs
    from hardware.counters.heard import spiking_work
    from hardware.counters.spiking import SpikingCounter
    from hardware.counters.time_constants import branch_layers, time_constants
    from lava_runtime.engine.engine import Engine
    from train.data.clips import data_clips
    from train.model import new_network

    gate = export_run(job.run, evaluation.gate_clips).gate
    manifest = load_manifest(job.run)
    engine = Engine.from_file(job.run.net, threads=job.config.training.threads)
    network, clips = engine.network, data_clips(job.config)[0]["test"]
    fresh: Any = new_network(job.config, trained.encoder, sum(map(len, trained.labels.values())))
    branches = branch_layers(job.config, network.spiking_names)
    hop_s = job.config.features.hop_s
    work = spiking_work(engine, deployed.input_spikes(manifest, clips))
    return {
        "accuracy": _hear(job, evaluation, lambda clips: deployed.hear(engine, manifest, clips)),
        "costs": spiking_costs(SpikingCounter(network).counts(work, len(clips), clips.steps)),
        "gate": {"clips": gate.clips, "steps": gate.steps, "spikes": sum(gate.spikes.values()), "differing": 0},
        "time_constants": {
            "before": time_constants(from_slayer(fresh, network.input_shape), hop_s, branches),
            "after": time_constants(network, hop_s, branches),
        },
    }


def condition_name(kind: str, snr_db: float) -> str:
    """A noise and its level as one word, 'pink_10'."""
    return f"{kind}_{snr_db:g}"
