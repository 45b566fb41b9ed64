"""What the first layer of an ANN that was not trained adds: its input is the spiking network's own."""

import math
from dataclasses import replace

from hardware.counters.counts import Counts


def with_known_input(twin: Counts, counts: Counts) -> Counts:
    """The twin with the additions of its first layer, as if none of its weights were zero.

    Both networks begin with the same layer on the same spikes, the spiking one with as many copies of its weights as it
    has branches: its operations with stored zeros, less the copies, are the twin's additions.
    """
    name, first = next(iter(twin.layers.items()))
    own = next((layer for layer in counts.layers.values() if layer.weights), None)
    if not math.isnan(first.acs_effective) or own is None or own.spikes_in != first.spikes_in:
        return twin
    added = own.syn_ops_stored * first.weights / own.weights
    return replace(twin, layers={**twin.layers, name: replace(first, acs_effective=added, syn_ops=added)})
