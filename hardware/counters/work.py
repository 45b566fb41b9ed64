"""What the layers of a network did on some clips, clip by clip: whole numbers, which means and intervals are of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LayerWork:
    """A layer's, each an array of shape (clip,).

    Parameters
    ----------
    spikes_in
        Spikes that arrived, its own among them where it is recurrent; of the ANN inputs that were not zero.
    axon_out
        Spikes sent; of the ANN outputs that were not zero, before pooling.
    syn_ops
        Non-zero weights that were met by one of ``spikes_in``.
    syn_ops_stored
        All weights that were met by one of them, those that are zero too.
    effective
        The same, and with it an input population's non-zero inputs, each of which is weighed once (on the way into its
        bias) though no synapse is.
    """

    spikes_in: Whole
    axon_out: Whole
    syn_ops: Whole
    syn_ops_stored: Whole
    effective: Whole


@dataclass(frozen=True, eq=False)
class Work:
    """A network's.

    Parameters
    ----------
    layers
        By name, in order.
    input_spikes
        Values of the input that are not zero, shape (clip,).
    binary
        Whether every input value was 0, 1 or -1.
    peak
        Most spikes in one step of a clip, the input's among them; 0 where only sums over time are known.
    """

    layers: Mapping[str, LayerWork]
    input_spikes: Whole
    binary: bool
    peak: int

    @property
    def clips(self) -> int:
        """How many they are."""
        return len(self.input_spikes)


def join(parts: Sequence[Work]) -> Work:
    """Work on the clips of several parts, in their order."""
    layers = {
        name: LayerWork(
            *(np.concatenate([getattr(part.layers[name], f.name) for part in parts]) for f in fields(LayerWork))
        )
        for name in parts[0].layers
    }
    return Work(
        layers,
        np.concatenate([part.input_spikes for part in parts]),
        all(part.binary for part in parts),
        max(part.peak for part in parts),
    )
