"""Memory of a layer as it is deployed, register by register, packed without gaps.

Left out, for the network's file does not say them: addresses and routing tables, what synapses have gathered for the
next steps, and spikes under way.
"""

import math
from dataclasses import dataclass

import numpy as np

from export.graph import DenseLayer, DhLif, InputLayer, SpikingLayer

# Widths in bits; what they are of, and their sources: export/limits.py.
WEIGHT_BITS = 8
DECAY_BITS = 12
STATE_BITS = 24
THRESHOLD_BITS = 17
BIAS_BITS = 13
DELAY_BITS = 6
# 0 to 6.
GAIN_BITS = 3
FLOAT_BITS = 32

SPIKING_METHOD = (
    f"from the sizes of the exported integers: weights (zeros too, as the file holds them) {WEIGHT_BITS} bits each, "
    f"decays {DECAY_BITS}, thresholds {THRESHOLD_BITS}, biases {BIAS_BITS}, delays {DELAY_BITS}, gains of branches "
    f"{GAIN_BITS}, states {STATE_BITS} (voltages, and currents, one a branch); packed, without addresses, routing, "
    "sums and spikes under way"
)
ANN_METHOD = (
    "from sizes: {bits} bits a weight, zeros too, and {bits} a unit's activation of one step; the running sums over "
    f"time that the heads take the mean of have {FLOAT_BITS} bits"
)
ANN_INTEGER = "; as it would be in int8, to which this project does not convert it: it runs in float32"


@dataclass(frozen=True)
class Footprint:
    """Bits of a layer by what they hold.

    Parameters
    ----------
    weights
        All of them, recurrent ones too.
    zeros
        Those of ``weights`` that hold a zero, which a sparse format would not store.
    parameters
        Decays, thresholds, biases, delays and gains.
    voltages, currents
        States.
    activations
        Of the ANN.
    """

    weights: int
    zeros: int
    parameters: int = 0
    voltages: int = 0
    currents: int = 0
    activations: int = 0

    @property
    def size_bytes(self) -> float:
        """All of it."""
        return (self.weights + self.parameters + self.voltages + self.currents + self.activations) / 8

    @property
    def nonzero_bytes(self) -> float:
        """All of it but weights that are zero."""
        return self.size_bytes - self.zeros / 8

    def __add__(self, other: "Footprint") -> "Footprint":
        mine, theirs = vars(self), vars(other)
        return Footprint(**{key: mine[key] + theirs[key] for key in mine})

    def bytes_by_part(self) -> dict[str, float]:
        """Plain data, in bytes; ``weights_zero`` is part of ``weights``."""
        bits = dict(vars(self))
        return {"weights": bits.pop("weights") / 8, "weights_zero": bits.pop("zeros") / 8} | {
            key: value / 8 for key, value in bits.items()
        }


def weight_counts(layer: SpikingLayer) -> tuple[int, int]:
    """Weights as they are stored, and those of them that are not zero; recurrent ones too."""
    if isinstance(layer, InputLayer):
        return 0, 0
    parts = [layer.weight]
    if isinstance(layer, DenseLayer) and layer.recurrent is not None:
        parts.append(layer.recurrent)
    return sum(part.size for part in parts), sum(int(np.count_nonzero(part)) for part in parts)


def spiking_footprint(layer: SpikingLayer) -> Footprint:
    """Of a layer with neurons. The transform of an input population is the host's, and not counted."""
    neuron, neurons = layer.neuron, math.prod(layer.shape)
    assert neuron is not None
    weights, nonzero = weight_counts(layer)
    branches = neuron.branches if isinstance(neuron, DhLif) else 1
    parameters = THRESHOLD_BITS + DECAY_BITS * (np.size(neuron.i_decay) + np.size(neuron.v_decay))
    if isinstance(neuron, DhLif):
        parameters += GAIN_BITS * branches
    if layer.bias is not None:
        parameters += BIAS_BITS * layer.bias.size
    if isinstance(layer, DenseLayer) and layer.delay is not None:
        parameters += DELAY_BITS * layer.delay.size
    return Footprint(
        weights=WEIGHT_BITS * weights,
        zeros=WEIGHT_BITS * (weights - nonzero),
        parameters=parameters,
        voltages=STATE_BITS * neurons,
        currents=STATE_BITS * neurons * branches,
    )


def ann_footprint(weights: int, nonzero: int, units: int, summed: int, bits: int) -> Footprint:
    """Of a layer of the ANN with ``bits`` a weight and an activation; ``summed`` inputs are added up over time."""
    return Footprint(bits * weights, bits * (weights - nonzero), activations=bits * units + FLOAT_BITS * summed)
