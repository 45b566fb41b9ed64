"""What a bundle asks of the chip: test clips as spikes, and the spikes that the engine makes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.graph import Network
from export.schedule import Schedule
from lava_runtime.engine.engine import Engine
from lava_runtime.engine.tally import Tally
from lava_runtime.inputs import Clip, run_clips
from lava_runtime.runner import ENGINE, make_runner
from train.artifacts import RunFolder
from train.errors import CallError

Spikes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Golden:
    """Inputs and what is expected of them.

    Parameters
    ----------
    clips
        Test set and number of each sample.
    inputs
        Shape (sample, channel, height, width, time).
    layers
        By name, of every layer with neurons, shape (sample, neuron..., time): step t is step t of a run of the sample
        alone, from rest.
    """

    clips: tuple[Clip, ...]
    inputs: Spikes
    layers: dict[str, Spikes]


def make_golden(run: RunFolder, samples: int) -> Golden:
    """Choose test clips, half of each test set and spread evenly, and run them through the engine.

    Raises
    ------
    CallError
        There are fewer clips.
    MaestroError
        The run is not whole.
    """
    clips = run_clips(run)
    chosen = clips.some(samples)
    if len(chosen) < samples:
        there = ", ".join(f"{len(found)} in {split}" for split, found in clips.sets.items())
        raise CallError(
            f"--samples {samples}",
            f"is more clips than there are, half of each test set: {there}",
            allowed=f"at most {len(chosen)}",
        )
    inputs = clips.spikes(chosen).astype(np.uint8)
    with make_runner(ENGINE, run.net, layers=True) as runner:
        found = runner.run(inputs)
        names = runner.network.spiking_names
    return Golden(tuple(chosen), inputs, dict(zip(names, found.layers, strict=True)))


def netx_layers(network: Network) -> list[dict[str, object]]:
    """Name, place and shape of every layer with neurons.

    The place is that in ``hdf5.Network.layers`` (lava-dl netx/hdf5.py, ``_create``): it holds the layers with neurons
    in the file's order, a layer of branches and its somas as one each; an input without neurons and a flatten layer,
    which only bends the connection that follows, are none.
    """
    return [
        {"name": name, "netx_index": index, "shape": list(layer.shape)}
        for index, (name, layer) in enumerate(network.spiking)
    ]


def tally_of_period(network: Network, sample: Spikes, plan: Schedule) -> Tally:
    """What the engine counts of one sample from its start until the last layer is reset, the others a little earlier.

    Parameters
    ----------
    sample
        Shape (channel, height, width, time).
    """
    tail = [(0, 0)] * (sample.ndim - 1) + [(0, plan.period - plan.slack - sample.shape[-1])]
    return Engine(network).run(np.pad(sample, tail)[None]).tally
