"""A run as what decides on clips: the deployed integers through the engine, or the ANN as it was trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from train.artifacts import RunFolder
from train.config import Config
from train.data.dataset import test_splits
from train.metrics import HeadSlices

if TYPE_CHECKING:
    from train.data.clips import ClipSet

DEPLOYED = "the exported integers through the engine"
TRAINED = "torch, 32-bit floating point, as trained: an ANN is not exported"


@dataclass(frozen=True)
class Decider:
    """What a run decides, and on what.

    Attributes
    ----------
    method
        What computes the scores, in words.
    sets
        Clips of the test sets.
    slices
        Where each head's classes lie among the scores.
    scores
        Features (clip, feature, time) to scores (clip, class).
    """

    method: str
    sets: Mapping[str, "ClipSet"]
    slices: HeadSlices
    scores: Callable[[NDArray[Any]], NDArray[Any]]


def decider_of(run: RunFolder, config: Config) -> Decider:
    """The network of a run.

    Raises
    ------
    MaestroError
        The run is not trained or not exported, or its files do not belong together.
    """
    return _trained(run, config) if config.network.neuron == "ann" else _deployed(run)


def _deployed(run: RunFolder) -> Decider:
    from lava_runtime.engine.engine import Engine
    from lava_runtime.inputs import encode, run_clips

    clips = run_clips(run)
    engine = Engine.from_file(run.net)

    def scores(features: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = engine.run(encode(clips.manifest, features)).output.sum(axis=-1, dtype=np.int64)
        return found

    return Decider(DEPLOYED, clips.sets, clips.manifest.slices, scores)


def _trained(run: RunFolder, config: Config) -> Decider:
    import torch

    from train.data.clips import data_clips
    from train.data.heard import refuse_heard
    from train.model import load_run

    trained = load_run(run)
    sets, _ = data_clips(config)
    refuse_heard(run, sets)

    def scores(features: NDArray[Any]) -> NDArray[Any]:
        spikes: Any = trained.encoder.encode(trained.normaliser.apply(features))
        with torch.no_grad():
            found: NDArray[Any] = trained.network.scores(torch.from_numpy(spikes).float()).numpy()
        return found

    return Decider(TRAINED, {split: sets[split] for split in test_splits(tuple(sets))}, trained.heads, scores)
