"""A run's test clips as the spikes its network takes, from manifest and configuration alone: no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.gate import clip_features, gate_clips
from export.manifest import Manifest, load_manifest
from lava_runtime.network import Spikes
from train.artifacts import RunFolder
from train.config import load_config
from train.data.clips import ClipSet, data_clips
from train.data.dataset import test_splits
from train.data.heard import refuse_heard
from train.encoding import make_encoder
from train.errors import MaestroError
from train.features import Normaliser

Clip = tuple[str, int]


def encode(manifest: Manifest, features: NDArray[np.float32]) -> Spikes:
    """Spikes (sample, channel, feature, 1, time) of features (sample, feature, time), as in training."""
    normalised = Normaliser.from_dict(manifest.normaliser).apply(features)
    return make_encoder(manifest.encoding).encode(normalised)


def refuse_readout(manifest: Manifest) -> None:
    """Refuse a run whose task is segmentation where whole clips are decided.

    Raises
    ------
    MaestroError
        Says what it is good for.
    """
    if manifest.readout is not None:
        raise MaestroError(
            f"run {manifest.name}",
            "tells every step and nothing of whole clips",
            cure="use `python -m lava_runtime segment`, or `python -m hardware segmentation` for accuracy",
        )


@dataclass(frozen=True)
class RunClips:
    """The test sets of a run."""

    manifest: Manifest
    sets: dict[str, ClipSet]

    def all_of(self, split: str) -> list[Clip]:
        """Every clip of a test set."""
        return [(split, index) for index in range(len(self.sets[split]))]

    def some(self, limit: int) -> list[Clip]:
        """At most ``limit`` clips, as many from each test set, spread evenly; the gate chooses the same."""
        return gate_clips(self.sets, limit)

    def spikes(self, clips: Sequence[Clip]) -> Spikes:
        """Input spikes of some clips."""
        return encode(self.manifest, clip_features(self.sets, clips))

    def labels(self, clips: Sequence[Clip]) -> dict[str, NDArray[Any]]:
        """Class numbers of some clips, by head, -1 where unlabelled.

        Raises
        ------
        MaestroError
            The run tells steps, and clips have no classes.
        """
        refuse_readout(self.manifest)
        return {
            head: np.array([self.sets[split].labels[head][index] for split, index in clips], np.int64)
            for head in self.manifest.heads
        }


def run_clips(run: RunFolder) -> RunClips:
    """A run's test sets, built if they are not cached.

    Raises
    ------
    MaestroError
        The run has no export, the export is another network's, the data set has other labels now, or a test set
        holds recordings that the run was trained on.
    """
    manifest = load_manifest(run)
    config = load_config(run.require(run.config, f"python -m train fit --run {run.path}"))
    sets, labels = data_clips(config)
    for head, of_run in manifest.heads.items():
        if tuple(labels.get(head, ())) != of_run.labels:
            raise MaestroError(
                str(run.manifest), f"has other labels of {head} than the data set", cure="train and export again"
            )
    refuse_heard(run, sets)
    return RunClips(manifest, {split: sets[split] for split in test_splits(tuple(sets))})
