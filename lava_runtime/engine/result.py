"""What the engine gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int64, UInt8
from numpy.typing import NDArray

from lava_runtime.engine.kernels import Int32
from lava_runtime.engine.tally import Tally

Spikes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Probe:
    """A layer's spikes and states of some samples.

    ``spikes`` and ``v`` (after reset) have shape (sample, layer shape, time); ``u`` too, or with dendrites the branch
    currents (sample, branch, layer shape, time).
    """

    spikes: Spikes
    u: Int32
    v: Int32


@dataclass(frozen=True, eq=False)
class EngineResult:
    """What samples gave.

    Parameters
    ----------
    output
        Spikes of the last layer with neurons, shape (sample, neuron, time).
    counts
        Spikes of every layer with neurons, shape (sample, layer).
    tally
        What was counted.
    layers
        Every layer's spikes, each (sample, layer shape, time), if asked for.
    probes
        By layer's name, of the samples asked for.
    readout
        Where the network ends in averages: spikes added up by group, shape (sample, group, time). Divided by the
        neurons of a group these are its averages.
    """

    output: UInt8[Spikes, "sample neuron time"]
    counts: Int64[NDArray[np.int64], "sample layer"]
    tally: Tally
    layers: tuple[Spikes, ...] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)
    readout: NDArray[np.int64] | None = None


def join(blocks: Sequence[EngineResult]) -> EngineResult:
    """One result of the samples of several, in their order."""
    total = blocks[0].tally
    for block in blocks[1:]:
        total = total + block.tally
    probed = [block.probes for block in blocks if block.probes]
    return EngineResult(
        np.concatenate([block.output for block in blocks]),
        np.concatenate([block.counts for block in blocks]),
        total,
        tuple(np.concatenate(parts) for parts in zip(*(block.layers for block in blocks), strict=True)),
        {
            name: Probe(*(np.concatenate([getattr(of[name], part) for of in probed]) for part in ("spikes", "u", "v")))
            for name in (probed[0] if probed else ())
        },
        None if blocks[0].readout is None else np.concatenate([b.readout for b in blocks if b.readout is not None]),
    )
