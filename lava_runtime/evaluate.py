"""How often the deployed network is right, and what it costs in spikes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lava_runtime.inputs import Clip, RunClips, run_clips
from lava_runtime.network import PATIENCE_S
from lava_runtime.runner import make_runner
from train.artifacts import RunFolder, provenance, read_json
from train.errors import MaestroError
from train.metrics import accuracy, decide

# Clips encoded and run at a time, to bound memory.
_BATCH = 256


def evaluate(
    run: RunFolder, backend: str, *, limit: int | None, patience_s: float = PATIENCE_S, stock: bool = False
) -> dict[str, Any]:
    """Run the test sets through a backend, and all of them through the reference beside it.

    Parameters
    ----------
    run
        A run with ``model.net`` and ``manifest.json``.
    backend
        Of :func:`lava_runtime.runner.make_runner`.
    limit
        Clips that the backend runs, half of them from each test set; all if None. The reference
        always runs all.
    patience_s, stock
        Of :class:`lava_runtime.network.LavaNetwork`.

    Returns
    -------
    dict
        Plain data: ``splits`` (by test set: clips, accuracy by head and spikes by layer per
        inference of the backend), ``reference`` (the same of the whole test sets), ``decisions``
        (how many the two made on the same clips, and how many differ; None if they are one), ``trained`` (accuracy
        at the end of training) and ``as_trained``: whether reference and training are right
        equally often, to the clip; None if training left no figures.

    Raises
    ------
    MaestroError
        The run is not exported, or the backend failed.
    """
    clips = run_clips(run)
    every = [clip for split in clips.sets for clip in clips.all_of(split)]
    chosen = every if limit is None else clips.some(min(limit, len(every)))
    counts = {}
    if backend != "reference":
        counts[backend] = _counts(run, clips, chosen, backend, patience_s, stock)
    counts["reference"] = _counts(run, clips, every, "reference", patience_s, stock)
    position = {clip: index for index, clip in enumerate(every)}
    same = [position[clip] for clip in chosen]
    scores, spikes = counts["reference"]
    beside = (scores[same], spikes[same])
    ours = counts.get(backend, beside)
    slices = clips.manifest.slices
    mine, theirs = decide(ours[0], slices), decide(beside[0], slices)
    whole = _by_split(clips, every, *counts["reference"])
    trained = trained_accuracy(run)
    return {
        "run": str(run.path),
        "backend": backend,
        "splits": _by_split(clips, chosen, *ours),
        "reference": whole,
        "decisions": None
        if backend == "reference"
        else {
            "compared": len(chosen) * len(slices),
            "differing": int(sum((mine[head] != theirs[head]).sum() for head in slices)),
        },
        "trained": trained,
        "as_trained": None if trained is None else equally_right(whole, trained),
        "provenance": provenance(),
    }


def _counts(
    run: RunFolder, clips: RunClips, chosen: Sequence[Clip], backend: str, patience_s: float, stock: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Output spike counts (sample, neuron) and spikes by layer (sample, layer) of some clips."""
    outputs, layers = [], []
    with make_runner(backend, run.net, patience_s=patience_s, stock=stock) as runner:
        for start in range(0, len(chosen), _BATCH):
            result = runner.run(clips.spikes(chosen[start : start + _BATCH]))
            outputs.append(result.output.sum(axis=-1, dtype=np.int64))
            layers.append(result.counts)
    return np.concatenate(outputs), np.concatenate(layers)


def _by_split(
    clips: RunClips, chosen: Sequence[Clip], scores: NDArray[np.int64], spikes: NDArray[np.int64]
) -> dict[str, Any]:
    labels = clips.labels(chosen)
    decisions = decide(scores, clips.manifest.slices)
    found = {}
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
            "spikes": dict(zip(clips.manifest.layers, spikes[rows].mean(axis=0).tolist(), strict=True)),
        }
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
