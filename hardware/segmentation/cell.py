"""One cell: a network trained to tell every step, exported, and heard out through the engine; a file once done."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from export.gate import first_difference, trained_layers
from hardware.cells import TUNE, Job, train_cell
from hardware.segmentation.baselines import Baselines
from hardware.segmentation.curves import around_cuts, example
from train.artifacts import provenance, read_json, write_json
from train.config import section_dict
from train.console import say
from train.errors import DivergedError, MaestroError
from train.metrics import accuracy, decide

if TYPE_CHECKING:
    from export.manifest import Manifest
    from lava_runtime.engine.engine import Engine
    from train.data.clips import ClipSet
    from train.model import TrainedRun
    from train.segmentation.readout import Counts, Readout

# Clips in one forward of SLAYER.
_BATCH = 32

SEGMENTED = "segmentation"


@dataclass(frozen=True)
class StepsJob(Job):
    """A cell to be done; one with ``order`` '' is of a search."""

    order: str = ""
    gate_clips: int = 8

    @property
    def kind(self) -> str:
        return f"{SEGMENTED}_{self.order}" if self.order else TUNE


def run_cell(job: StepsJob) -> None:
    """Train, export, evaluate; goes on where an earlier attempt was stopped, and leaves ``job.file``.

    Raises
    ------
    MaestroError
        Training failed (a search's cell that does is a result), the network cannot be exported, a spike differs, or
        the deployed integers are right at another number of steps than SLAYER's quantised forward.
    """
    started, used = time.monotonic(), time.process_time()
    result = {"name": job.name, "key": job.key, "kind": job.kind, "model": job.model, "seed": job.config.training.seed}
    try:
        result |= train_cell(job)
    except DivergedError as error:
        if job.order:
            raise
        result |= {"failed": str(error), "score": 0.0}
    if job.order:
        result |= _evaluate(job)
    seconds = {"wall": time.monotonic() - started, "cpu": time.process_time() - used}
    write_json(job.file, {**result, "seconds": seconds, "config": section_dict(job.config), "provenance": provenance()})


def _evaluate(job: StepsJob) -> dict[str, Any]:
    """Export through the gate, and hear the integers on both test sides."""
    import torch

    from export.manifest import load_manifest
    from export.pipeline import export_run
    from hardware import deployed
    from hardware.counters.costs import spiking_costs
    from hardware.counters.heard import spiking_work
    from hardware.counters.spiking import SpikingCounter
    from hardware.counters.time_constants import branch_layers, time_constants
    from lava_runtime.engine.engine import Engine
    from lava_runtime.segment import require_readout
    from train.data.clips import data_clips
    from train.model import load_run

    torch.set_num_threads(job.config.training.threads)
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]
    gate = export_run(job.run, job.gate_clips).gate
    manifest = load_manifest(job.run)
    engine = Engine.from_file(job.run.net, threads=job.config.training.threads)
    readout, slayer = require_readout(manifest, job.run), load_run(job.run)
    sets = data_clips(job.config)[0]
    baselines = Baselines.of(sets["train"])
    trained = read_json(job.run.metrics, cure=f"delete {job.run.path}; the cell is then trained again")["final"]
    sides: dict[str, Any] = {}
    for side in (name for name in sets if name.startswith("test")):
        clips = sets[side]
        scores = hear(engine, manifest, readout, clips)
        found = accuracy(decide(scores, manifest.slices), clips.labels)["style"]
        require_alike(f"{job.name}, {side}", found, trained[side]["style"])
        labels = clips.labels["style"][:, : scores.shape[-1]]
        right = decide(scores, manifest.slices)["style"] == labels
        sides[side] = {
            "clips": len(clips),
            "deployed": found,
            "spikes_compared": require_same_spikes(f"{job.name}, {side}", slayer, engine, clips),
            "by_clip": [round(float(share), 4) for share in right.mean(axis=1)],
            "baselines": baselines.accuracies(labels),
            "around_cuts": around_cuts(right, clips, labels),
        }
        say(f"{side}: {100 * found['accuracy']:.1f} % of {found['steps']} steps, as SLAYER's quantised forward")
        if side == "test":
            shown = example(engine, manifest, readout, clips)
            work = spiking_work(engine, deployed.input_spikes(manifest, clips))
            costs = spiking_costs(SpikingCounter(engine.network).counts(work, len(clips), clips.steps))
    constants = time_constants(
        engine.network, job.config.features.hop_s, branch_layers(job.config, engine.network.spiking_names)
    )
    return {
        "sides": sides,
        "cut_at_step": baselines.cut,
        "example": shown,
        "costs": {key: value for key, value in costs.items() if key != "layers"},
        "time_constants": constants,
        "gate": {"clips": gate.clips, "steps": gate.steps, "spikes": sum(gate.spikes.values()), "differing": 0},
        "readout": readout.to_dict(),
    }


def hear(engine: "Engine", manifest: "Manifest", readout: "Readout", clips: "ClipSet") -> "Counts":
    """Scores (clip, class, step) of all clips: the engine's output spikes, read as the host does."""
    from hardware.deployed import input_spikes

    return np.concatenate([readout.scores(engine.run(spikes).output) for spikes in input_spikes(manifest, clips)])


def require_same_spikes(name: str, trained: "TrainedRun", engine: "Engine", clips: "ClipSet") -> int:
    """Refuse a deployed network that does not spike as SLAYER's quantised forward on every clip; the spikes compared.

    Raises
    ------
    MaestroError
        Names the first clip and neuron that differ, and the step.
    """
    total = 0
    for first in range(0, len(clips), _BATCH):
        features = clips.features(np.arange(first, min(first + _BATCH, len(clips))))
        spikes = trained.encoder.encode(trained.normaliser.apply(features))
        ours, theirs = engine.run(spikes).output, trained_layers(trained, spikes)[-1]
        total += int(ours.sum())
        for clip in np.flatnonzero((ours != theirs).any(axis=(1, 2))):
            neurons, step = first_difference(theirs[clip], ours[clip]) or ((), -1)
            raise MaestroError(
                f"{name}, clip {first + clip}, neuron {neurons[0]}, step {step}",
                "SLAYER's quantised forward and the exported integers differ",
                cure="a voltage may have left its 24 bits, which only the integers keep to: train with smaller weights "
                "(lif.weight_std)",
            )
    return total


def require_alike(name: str, deployed: dict[str, float | int], trained: dict[str, float | int]) -> None:
    """Refuse a deployed network that is not right at exactly as many steps as the trained one.

    Raises
    ------
    MaestroError
        Gives both numbers.
    """
    ours, theirs = ((found["correct"], found["steps"]) for found in (deployed, trained))
    if ours != theirs:
        raise MaestroError(
            name,
            f"the exported integers are right at {ours[0]} of {ours[1]} steps, SLAYER's quantised forward at "
            f"{theirs[0]} of {theirs[1]}",
            cure="this is an error of the project; `python -m lava_runtime parity RUN` finds where they part",
        )
