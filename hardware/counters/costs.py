"""Counts as the experiment files them, in the words of ``compare.json``."""

from collections.abc import Mapping
from typing import Any

from hardware.counters.counts import Counts


def spiking_costs(counts: Counts) -> dict[str, Any]:
    """Size and cost of a spiking network, layer by layer and in all.

    Returns
    -------
    dict
        ``layers``: name -> neurons, states, weights_nonzero, spikes, syn_ops, neuron_updates; and the same summed over
        layers (spikes without the input's). Spikes, synaptic operations and updates are means an inference.
    """
    layers = {
        name: {
            "neurons": layer.neurons,
            "states": layer.states,
            "weights_nonzero": layer.weights_nonzero,
            "spikes": layer.axon_out,
            "syn_ops": layer.syn_ops,
            "neuron_updates": int(layer.state_updates),
        }
        for name, layer in counts.layers.items()
    }
    return {**_total(layers), "input_spikes": counts.input_spikes, "steps": counts.steps, "layers": layers}


def ann_costs(counts: Counts) -> dict[str, Any]:
    """Size and cost of the ANN, layer by layer and in all; means an inference."""
    layers = {
        name: {
            "neurons": layer.neurons,
            "states": 0,
            "weights_nonzero": layer.weights_nonzero,
            "macs_dense": int(layer.dense),
            "macs_effective": layer.macs_effective,
            "acs_effective": layer.acs_effective,
            "neuron_updates": int(layer.dendrite_updates),
        }
        for name, layer in counts.layers.items()
    }
    return {**_total(layers), "layers": layers}


def _total(layers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {key: sum(entry[key] for entry in layers.values()) for key in next(iter(layers.values()))}
