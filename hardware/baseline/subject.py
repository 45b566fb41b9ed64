"""What is measured: the run's network and the ANN of the same topology, and test clips as they take them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.baseline.protocol import Protocol
from hardware.measurement import require_recognition
from train.artifacts import RunFolder
from train.data.clips import data_clips
from train.metrics import HeadSlices
from train.model import TrainedRun, load_run, new_network
from train.topology import AnnNetwork, SpikingNetwork

TRAINED = "as trained"
UNTRAINED = (
    "untrained, as drawn from the run's seed: a dense network's time does not depend on the weights' values (its power "
    "may by a little)"
)


@dataclass(frozen=True)
class Subject:
    """A network and how its scores are read.

    Parameters
    ----------
    key
        ``ann`` or ``snn``.
    weights
        Where its weights come from, in words.
    run
        The run it is of.
    heads
        Neurons of each head.
    """

    key: str
    network: AnnNetwork | SpikingNetwork
    weights: str
    run: RunFolder
    heads: HeadSlices

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.network.parameters())


@dataclass(frozen=True)
class Subjects:
    """All that a run gives to measure.

    Parameters
    ----------
    trained
        The run.
    networks
        Its network and the twin; an ANN is its own twin.
    spikes
        Encoded test clips, 0 and 1, shape (clip, channel, feature, 1, time).
    """

    trained: TrainedRun
    networks: tuple[Subject, ...]
    spikes: NDArray[np.uint8]


def subjects_of(run: RunFolder, protocol: Protocol) -> Subjects:
    """Read a run and its test clips.

    Raises
    ------
    MaestroError
        As :func:`train.model.load_run` and :func:`train.data.clips.data_clips`.
    CallError
        The run tells every step and not clips.
    """
    trained = load_run(run)
    require_recognition(run, trained.config)
    found = [ann_of(run, trained)]
    if isinstance(trained.network, SpikingNetwork):
        found.append(Subject("snn", trained.network, TRAINED, run, trained.heads))
    return Subjects(trained, tuple(found), _spikes(trained, protocol.clips))


def ann_of(run: RunFolder, trained: TrainedRun) -> Subject:
    """The ANN of the run's sizes: the run's own if it is one."""
    if isinstance(trained.network, AnnNetwork):
        return Subject("ann", trained.network, TRAINED, run, trained.heads)
    config = replace(trained.config, network=replace(trained.config.network, neuron="ann"))
    network = new_network(config, trained.encoder, sum(map(len, trained.labels.values())))
    network.eval()
    return Subject("ann", network, UNTRAINED, run, trained.heads)


def _spikes(trained: TrainedRun, most: int) -> NDArray[np.uint8]:
    clips: Any = data_clips(trained.config)[0]["test"]
    # Spread over all recordings, which stand one after the other.
    chosen = np.unique(np.linspace(0, len(clips) - 1, min(most, len(clips))).round().astype(np.int64))
    return trained.encoder.encode(trained.normaliser.apply(clips.features(chosen)))


def batches_of(spikes: NDArray[np.uint8], size: int, at_most: int = 64) -> list[NDArray[np.uint8]]:
    """Batches of different clips, as many as there are clips for, at least one; clips come again where too few."""
    count = max(1, min(len(spikes) // size, at_most))
    rows = np.arange(count * size) % len(spikes)
    return [spikes[rows[first : first + size]] for first in range(0, count * size, size)]
