"""How often a run is right on its test sets, class by class: the deployed integers through the engine, or the ANN."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.manifest import Manifest
from hardware.measurement import Quantity, exact, require_recognition, unavailable
from lava_runtime.evaluate import equally_right, trained_accuracy
from train.artifacts import RunFolder, read_json
from train.config import Config, load_config
from train.console import progress
from train.data.dataset import test_splits
from train.metrics import HeadSlices, accuracy, decide

if TYPE_CHECKING:
    from train.data.clips import ClipSet

# Clips encoded at a time.
_BATCH = 192
_DEPLOYED = "the exported integers, every clip through the engine"
_TRAINED = "torch, 32-bit floating point, as trained: an ANN is not exported"


@dataclass(frozen=True)
class Heard:
    """Sections ``network`` and ``accuracy`` of ``measurement.json``, each without its identity."""

    network: dict[str, Any]
    accuracy: dict[str, Any]


def hear(run: RunFolder) -> Heard:
    """Run the test sets.

    Raises
    ------
    MaestroError
        The run is not trained or not exported, or its files do not belong together.
    CallError
        It tells every step and not clips.
    """
    config = load_config(run.require(run.config, f"python -m train fit --run {run.path}"))
    require_recognition(run, config)
    return _hear_ann(run, config) if config.network.neuron == "ann" else _hear_deployed(run, config)


def _hear_deployed(run: RunFolder, config: Config) -> Heard:
    from lava_runtime.engine.engine import Engine
    from lava_runtime.inputs import run_clips

    clips = run_clips(run)
    manifest = clips.manifest
    engine = Engine.from_file(run.net)

    def scores(split: str) -> Iterator[NDArray[Any]]:
        for batch in _batches(len(clips.sets[split])):
            spikes = clips.spikes([(split, int(index)) for index in batch])
            yield engine.run(spikes).output.sum(axis=-1, dtype=np.int64)

    labels = {head: entry.labels for head, entry in manifest.heads.items()}
    network = _network(run, config, manifest, engine.names, clips.sets["test"].steps)
    return Heard(network, _section(run, clips.sets, labels, manifest.slices, scores, _DEPLOYED))


def _hear_ann(run: RunFolder, config: Config) -> Heard:
    import torch

    from train.data.clips import data_clips
    from train.data.heard import refuse_heard
    from train.model import load_run

    trained = load_run(run)
    sets, _ = data_clips(config)
    refuse_heard(run, sets)
    sets = {split: sets[split] for split in test_splits(tuple(sets))}

    def scores(split: str) -> Iterator[NDArray[Any]]:
        with torch.no_grad():
            for batch in _batches(len(sets[split])):
                features = trained.normaliser.apply(sets[split].features(batch))
                spikes: Any = trained.encoder.encode(features)
                yield trained.network.scores(torch.from_numpy(spikes).float()).numpy()

    names = tuple(layer.name for layer in trained.network.plan if layer.kind in ("conv", "dense"))
    network = _network(run, config, None, names, sets["test"].steps)
    return Heard(network, _section(run, sets, trained.labels, trained.heads, scores, _TRAINED))


def _network(
    run: RunFolder, config: Config, manifest: Manifest | None, layers: tuple[str, ...], steps: int
) -> dict[str, Any]:
    dendrites = config.dendrites.realisation if config.network.neuron == "dh_lif" else "none"
    return {
        "name": config.name,
        "neuron": config.network.neuron,
        "realisation": dendrites,
        "deployed": manifest is not None,
        "layers": list(layers),
        "steps": steps,
        "hop_s": config.features.hop_s,
        "clip_s": config.features.clip_s,
        "latency_steps": None if manifest is None else manifest.latency_steps,
        "parameters": _parameters(run),
    }


def _parameters(run: RunFolder) -> int | None:
    """Trained parameters, as training counted them; None if it left no figures."""
    if not run.metrics.is_file():
        return None
    found = read_json(run.metrics, f"train again with `python -m train fit --run {run.path}`")
    count = found.get("parameters") if isinstance(found, dict) else None
    return count if isinstance(count, int) else None


def _batches(clips: int) -> Iterator[NDArray[np.int64]]:
    for first in range(0, clips, _BATCH):
        yield np.arange(first, min(first + _BATCH, clips))


def _section(
    run: RunFolder,
    sets: Mapping[str, "ClipSet"],
    labels: Mapping[str, tuple[str, ...]],
    slices: HeadSlices,
    scores: Any,
    method: str,
) -> dict[str, Any]:
    found, plain = {}, {}
    with progress("accuracy", sum(map(len, sets.values())), "clips") as meter:
        for split, clips in sets.items():
            parts = []
            for part in scores(split):
                parts.append(part)
                meter.advance(len(part))
            decided = decide(np.concatenate(parts), slices)
            plain[split] = {"accuracy": accuracy(decided, clips.labels)}
            heads = {
                head: _head(plain[split]["accuracy"][head], decided[head], clips.labels[head], names)
                for head, names in labels.items()
            }
            found[split] = {"clips": len(clips), "heads": heads}
    trained = trained_accuracy(run)
    return {
        "method": method,
        "as_trained": None if trained is None else equally_right(plain, trained),
        "sets": found,
    }


def _head(
    entry: Mapping[str, Any], decided: NDArray[np.int64], truth: NDArray[np.int64], names: tuple[str, ...]
) -> dict[str, Any]:
    labelled = truth >= 0
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (truth[labelled], decided[labelled]), 1)
    head = {"labels": list(names), "confusion": confusion.tolist()}
    if not entry["clips"]:
        none = unavailable("no clip of this test set is labelled")
        return {"accuracy": none, "chance": none, **head}
    how = f"{entry['correct']} of {entry['clips']} clips right, 95 % interval (Wilson 1927), clips as independent"
    right = Quantity(100 * entry["accuracy"], "%", "measured", how, 100 * entry["low"], 100 * entry["high"])
    largest = confusion.sum(axis=1).max() / confusion.sum()
    return {
        "accuracy": right.as_dict(),
        "chance": exact(100 * largest, "%", "share of the largest class among these clips").as_dict(),
        **head,
    }
