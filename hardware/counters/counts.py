"""What one inference of a network takes, layer by layer: the numbers that energies, tables and reports are made of.

Words are the chip profiler's (syn_ops, dendrite_updates, axon_out, spikes_in) and NeuroBench's (Yik et al., Nat Commun
16:1545, 2025: effective ACs and MACs, dense, footprint, connection and activation sparsity).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal


@dataclass(frozen=True)
class LayerCounts:
    """Counts of a layer, means an inference where they depend on the input.

    Parameters
    ----------
    kind
        ``spiking`` (its neurons keep states and are stepped) or ``ann``.
    neurons
        Of the layer.
    states
        State variables of all its neurons: a current and a voltage each, or with analog dendrites a current a branch
        and the voltage; 0 of the ANN.
    weights, weights_nonzero
        Weights as they are stored, each once however often a convolution uses it.
    spikes_in, axon_out
        Spikes that arrive (its own too, where it is recurrent) and that are sent; of the ANN values that are not zero.
    syn_ops
        One for every non-zero weight that a spike meets; of the ANN ``acs_effective + macs_effective``.
    dendrite_updates, state_updates
        Neurons, and states, stepped; of the ANN units computed, and 0.
    acs_effective, macs_effective
        Additions of weights under inputs of 0 and 1, and products with other inputs; zero weights and inputs left out.
        An input population has no synapses, but weighs every input on the way into its bias, which is counted here.
    dense
        The same, were no weight and no input zero.
    footprint_bytes
        Weights, parameters and states as they are deployed.
    syn_ops_stored
        As ``syn_ops``, were the weights that are zero but stored met too: every row of a dense layer, and every weight
        of a kernel that stays within the borders; of the ANN all weights under inputs that are not zero. Whether the
        chip works on stored zeros nobody published, so that both are counted.
    """

    kind: Literal["spiking", "ann"]
    neurons: int
    states: int
    weights: int
    weights_nonzero: int
    spikes_in: float
    axon_out: float
    syn_ops: float
    dendrite_updates: float
    state_updates: float
    acs_effective: float
    macs_effective: float
    dense: float
    footprint_bytes: float
    syn_ops_stored: float


@dataclass(frozen=True)
class Counts:
    """Counts of a network; NaN where they depend on a training that did not take place.

    Parameters
    ----------
    layers
        By name, in order.
    steps
        Of an inference.
    clips
        That the means are of.
    input_spikes
        Spikes of the network's input, a mean an inference.
    """

    layers: Mapping[str, LayerCounts]
    steps: int
    clips: int
    input_spikes: float

    def total(self, field: str) -> float:
        """Sum over layers of a field of :class:`LayerCounts`."""
        return float(sum(getattr(layer, field) for layer in self.layers.values()))

    @property
    def whole(self) -> LayerCounts:
        """All layers added up, as if they were one."""
        layers = list(self.layers.values())
        summed: dict[str, Any] = {
            field.name: sum(getattr(layer, field.name) for layer in layers)
            for field in fields(LayerCounts)
            if field.name != "kind"
        }
        return LayerCounts(kind=layers[0].kind, **summed)
