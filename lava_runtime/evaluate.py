"""How often the deployed network is right, and what it costs in spikes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lava_runtime.counters import per_inference
from lava_runtime.engine.engine import MEMORY_BYTES
from lava_runtime.engine.tally import Tally
from lava_runtime.inputs import Clip, RunClips, run_clips
from lava_runtime.network import PATIENCE_S
from lava_runtime.runner import ENGINE, Runner, make_runner
from train.artifacts import RunFolder, provenance, read_json
from train.errors import MaestroError
from train.metrics import accuracy, decide

# Clips encoded and run at a time, to bound memory.
_BATCH = 1024


def evaluate(
    run: RunFolder,
    backend: str,
    *,
    limit: int | None = None,
    patience_s: float = PATIENCE_S,
    stock: bool = False,
    threads: int | None = None,
    memory_bytes: int = MEMORY_BYTES,
) -> dict[str, Any]:
    """Run both test sets through the engine, and clips of them through another backend beside it.

    Parameters
    ----------
    run
        A run with ``model.net`` and ``manifest.json``.
    backend
        Of :func:`lava_runtime.runner.make_runner`.
    limit
        Clips that a backend other than the engine runs, half of them from each test set; all if None. The engine
        always runs all.
    patience_s, stock, threads, memory_bytes
        Of :func:`lava_runtime.runner.make_runner`.

    Returns
    -------
    dict
        Plain data: ``splits`` (by test set: clips, accuracy by head and spikes by layer per inference of the
        backend), ``engine`` (the same of the whole test sets, with ``counters`` by layer), ``speed`` (by backend:
        clips, seconds in it, clips a second), ``decisions`` (how many the two made on the same clips, and how many
        differ; None if they are one), ``trained`` (accuracy at the end of training) and ``as_trained``: whether
        engine and training are right equally often, to the clip; None if training left no figures.

    Raises
    ------
    MaestroError
        The run is not exported, or the backend failed.
    """
    clips = run_clips(run)
    every = [clip for split in clips.sets for clip in clips.all_of(split)]
    with make_runner(ENGINE, run.net, threads=threads, memory_bytes=memory_bytes) as engine:
        whole = _run(clips, every, engine)
    chosen, ours = every, whole
    if backend != ENGINE:
        chosen = every if limit is None else clips.some(min(limit, len(every)))
        with make_runner(backend, run.net, patience_s=patience_s, stock=stock) as runner:
            ours = _run(clips, chosen, runner)
    position = {clip: index for index, clip in enumerate(every)}
    slices = clips.manifest.slices
    mine, theirs = decide(ours.scores, slices), decide(whole.scores[[position[clip] for clip in chosen]], slices)
    by_engine = _by_split(clips, every, whole)
    trained = trained_accuracy(run)
    return {
        "run": str(run.path),
        "backend": backend,
        "splits": _by_split(clips, chosen, ours),
        "engine": by_engine,
        "speed": {ENGINE: whole.speed, backend: ours.speed},
        "decisions": None
        if backend == ENGINE
        else {
            "compared": len(chosen) * len(slices),
            "differing": int(sum((mine[head] != theirs[head]).sum() for head in slices)),
        },
        "trained": trained,
        "as_trained": None if trained is None else equally_right(by_engine, trained),
        "provenance": provenance(),
    }


@dataclass(frozen=True, eq=False)
class _Found:
    """Output spike counts (sample, neuron), spikes by layer (sample, layer), seconds, and what was counted by set."""

    scores: NDArray[np.int64]
    spikes: NDArray[np.int64]
    seconds: float
    tallies: dict[str, Tally]

    @property
    def speed(self) -> dict[str, float | int]:
        clips = len(self.scores)
        return {"clips": clips, "seconds": self.seconds, "clips_per_s": clips / self.seconds}


def _run(clips: RunClips, chosen: Sequence[Clip], runner: Runner) -> _Found:
    """Run clips, which lie set by set; encoding them is not in the time."""
    outputs, layers, seconds = [], [], 0.0
    tallies: dict[str, Tally] = {}
    for split in clips.sets:
        of_split = [clip for clip in chosen if clip[0] == split]
        for start in range(0, len(of_split), _BATCH):
            spikes = clips.spikes(of_split[start : start + _BATCH])
            started = time.perf_counter()
            result = runner.run(spikes)
            seconds += time.perf_counter() - started
            outputs.append(result.output.sum(axis=-1, dtype=np.int64))
            layers.append(result.counts)
            if result.tally is not None:
                tallies[split] = tallies[split] + result.tally if split in tallies else result.tally
    return _Found(np.concatenate(outputs), np.concatenate(layers), seconds, tallies)


def _by_split(clips: RunClips, chosen: Sequence[Clip], ran: _Found) -> dict[str, Any]:
    labels = clips.labels(chosen)
    decisions = decide(ran.scores, clips.manifest.slices)
    found: dict[str, Any] = {}
    for split in clips.sets:
        rows = [index for index, clip in enumerate(chosen) if clip[0] == split]
        if not rows:
            continue
        found[split] = {
            "clips": len(rows),
            "accuracy": accuracy(
                {head: decided[rows] for head, decided in decisions.items()},
                {head: label[rows] for head, label in labels.items()},
            ),
            "spikes": dict(zip(clips.manifest.layers, ran.spikes[rows].mean(axis=0).tolist(), strict=True)),
        }
        if split in ran.tallies:
            found[split]["counters"] = per_inference(ran.tallies[split])
    return found


def trained_accuracy(run: RunFolder) -> dict[str, Any] | None:
    """Accuracy at the end of training, by test set and head; None if the run has no figures.

    Raises
    ------
    MaestroError
        ``metrics.json`` is damaged.
    """
    if not run.metrics.is_file():
        return None
    cure = f"train again with `python -m train fit --run {run.path}`"
    metrics = read_json(run.metrics, cure)
    try:
        final = metrics["final"]
        return {
            split: {head: dict(entry) for head, entry in heads.items()}
            for split, heads in final.items()
            if split.startswith("test")
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MaestroError(str(run.metrics), "has no final accuracies", cure=cure) from error


def equally_right(deployed: Mapping[str, Any], trained: Mapping[str, Any]) -> bool:
    """Whether as many clips are right, of as many, on every test set and head."""
    for split, entry in deployed.items():
        for head, found in entry["accuracy"].items():
            expected = trained.get(split, {}).get(head, {})
            if any(found[key] != expected.get(key) for key in ("correct", "clips")):
                return False
    return True
