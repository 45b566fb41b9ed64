"""Cost formulas of the project's seed documents, beside what they leave out.

Memory is M = Mw + Ma of an ANN and M = Mw + Mp + Ms of a spiking network (weights, activations, membrane potentials,
spikes; Ms by the most spikes of a time step); operations are C = C_mult + C_add and C = C_add. The seeds take them from
Deng et al., Neural Networks, 2020 (doi 10.1016/j.neunet.2019.09.005), and say that activation functions, membrane
updates and firing are ignored.
"""

import math
from collections.abc import Sequence
from typing import Any

from hardware.counters.ann import AnnLayer
from hardware.counters.footprint import ANN_INTEGER, FLOAT_BITS, STATE_BITS, WEIGHT_BITS, Footprint
from hardware.counters.quantities import Values, mean_over_clips, worked_out
from hardware.measurement import exact, unavailable

LEAVE_OUT = (
    "They leave out the updates of neurons, which a chip makes every step whether or not a spike arrives, so that "
    "dendrites look free: a neuron with B branches has 1 + B states to update where a plain one has 2. They also leave "
    "out the memory of currents, decays, thresholds, biases and delays, the activation functions, and all routing of "
    "spikes. The updates and that memory stand beside them."
)
_NO_SPIKES = "this run is an ANN, which has no spikes"


def ann_formulas(layers: Sequence[AnnLayer]) -> dict[str, Any]:
    """``m_ann`` and ``c_ann``; both follow from sizes alone."""
    bits = _ann_bits(layers, WEIGHT_BITS)
    floats = _ann_bits(layers, FLOAT_BITS) / 8
    adds = sum(layer.dense for layer in layers)
    products = sum(layer.dense for layer in layers if not layer.binary)
    memory = f"Mw + Ma: {WEIGHT_BITS} bits a weight and a unit's activation of one step{ANN_INTEGER} ({floats:,.0f} B)"
    work = (
        "C_mult + C_add of an inference, no zero left out: an addition for every weight used, a multiplication too "
        "but in the first layer, whose input is 0 or 1"
    )
    return {
        "m_ann": worked_out(bits / 8, "B", memory).as_dict(),
        "c_ann": worked_out(adds + products, "operations", work).as_dict(),
    }


def _ann_bits(layers: Sequence[AnnLayer], bits: int) -> int:
    return sum(bits * (layer.weight.size + layer.units) for layer in layers)


def spiking_formulas(
    footprint: Footprint, neurons: int, inputs: int, peak: int, syn_ops: Values, updates: float
) -> dict[str, Any]:
    """``m_snn``, ``c_snn``, and what they leave out.

    Parameters
    ----------
    footprint
        Of the network.
    neurons, inputs
        Neurons, and places of the input: what a spike's address tells apart.
    peak
        Most spikes of a step.
    syn_ops
        Of every clip.
    updates
        States updated an inference.
    """
    address = max(1, math.ceil(math.log2(neurons + inputs)))
    memory = (footprint.weights + footprint.voltages + peak * address) / 8
    how = (
        f"Mw + Mp + Ms: {WEIGHT_BITS} bits a weight, zeros too ({footprint.zeros / 8:,.0f} B of them), {STATE_BITS} a "
        f"membrane potential, and the {peak} spikes of the busiest step of the set as addresses of {address} bits"
    )
    unsaid = footprint.currents + footprint.parameters
    return {
        "m_snn": worked_out(memory, "B", how).as_dict(),
        "c_snn": mean_over_clips(syn_ops, "operations", "C_add: an addition for every weight a spike meets").as_dict(),
        "left_out_updates": exact(updates, "updates", "states stepped, every one at every step").as_dict(),
        "left_out_memory": worked_out(
            unsaid / 8, "B", "from sizes: currents, decays, thresholds, biases, delays and gains"
        ).as_dict(),
    }


def no_spiking_formulas() -> dict[str, Any]:
    """Of a run that is an ANN."""
    return dict.fromkeys(("m_snn", "c_snn", "left_out_updates", "left_out_memory"), unavailable(_NO_SPIKES))
