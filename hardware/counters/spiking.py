"""Counts of a spiking network, from its spikes and the synapses that they meet, on the exported integers.

Spikes of the last step are counted though their operations fall into the step after it, and so are spikes that a delay
keeps beyond the end: a clip's cost does not depend on what follows.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.graph import DenseLayer, DhLif, InputLayer, Network, SpikingLayer
from hardware.counters.counts import Counts, LayerCounts
from hardware.counters.footprint import Footprint, spiking_footprint, weight_counts
from hardware.counters.work import LayerWork, Whole, Work
from lava_runtime.engine.fan_out import dense_fan_out, fan_out, sources


def neuron_states(layer: SpikingLayer) -> int:
    """State variables of a neuron: current and voltage, or with analog dendrites a current a branch and the voltage."""
    if layer.neuron is None:
        return 0
    return layer.neuron.branches + 1 if isinstance(layer.neuron, DhLif) else 2


class SpikingCounter:
    """Makes work of spikes, and counts of work, for one network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._sources = sources(network)

    @cached_property
    def _met(self) -> dict[str, Whole]:
        return self._fan_out(stored=False)

    @cached_property
    def _stored(self) -> dict[str, Whole]:
        return self._fan_out(stored=True)

    def _fan_out(self, stored: bool) -> dict[str, Whole]:
        """Synapses that a spike meets at every place of a layer's input, flat; with ``stored`` zero weights too."""
        return {
            name: fan_out(layer, self._sources[name], stored=stored).reshape(-1)
            for name, layer in self.network.spiking
            if not isinstance(layer, InputLayer)
        }

    def work(
        self, inputs: NDArray[Any], spikes: Mapping[str, NDArray[Any]], *, binary: bool = True, peak: int = 0
    ) -> Work:
        """Work of some clips.

        Parameters
        ----------
        inputs
            How often each place of the input was not zero, shape (clip, input's shape).
        spikes
            Spikes of every place of every layer with neurons, summed over time: shape (clip, layer's shape).
        binary, peak
            As :class:`hardware.counters.work.Work` has them.
        """
        # An input layer that has neurons is both: values that arrive, and spikes that it sends.
        given = arriving = _whole(inputs)
        layers = {}
        for name, layer in self.network.spiking:
            sent = _whole(spikes[name])
            out, none = sent.sum(axis=1), np.zeros(len(sent), np.int64)
            if isinstance(layer, InputLayer):
                layers[name] = LayerWork(none, out, none, none, arriving.sum(axis=1) if layer.weight else none)
            else:
                came = arriving.sum(axis=1)
                operations, stored = arriving @ self._met[name], arriving @ self._stored[name]
                if isinstance(layer, DenseLayer) and layer.recurrent is not None:
                    operations, came = operations + sent @ dense_fan_out(layer.recurrent), came + out
                    stored = stored + out * len(layer.recurrent)
                layers[name] = LayerWork(came, out, operations, stored, operations)
            arriving = sent
        return Work(layers, given.sum(axis=1), binary, peak)

    def counts(self, work: Work, clips: int, steps: int) -> Counts:
        """Means over ``clips`` clips of ``steps`` steps, from the work of all of them."""
        layers = {name: self._layer(name, layer, work, clips, steps) for name, layer in self.network.spiking}
        return Counts(layers, steps, clips, float(work.input_spikes.sum()) / clips)

    def _layer(self, name: str, layer: SpikingLayer, work: Work, clips: int, steps: int) -> LayerCounts:
        found, neurons = work.layers[name], math.prod(layer.shape)
        states, (weights, nonzero) = neurons * neuron_states(layer), weight_counts(layer)
        effective = float(found.effective.sum()) / clips
        adds = work.binary or not isinstance(layer, InputLayer)
        return LayerCounts(
            kind="spiking",
            neurons=neurons,
            states=states,
            weights=weights,
            weights_nonzero=nonzero,
            spikes_in=float(found.spikes_in.sum()) / clips,
            axon_out=float(found.axon_out.sum()) / clips,
            syn_ops=float(found.syn_ops.sum()) / clips,
            dendrite_updates=neurons * steps,
            state_updates=states * steps,
            acs_effective=effective if adds else 0.0,
            macs_effective=0.0 if adds else effective,
            dense=self._dense(name, layer) * steps,
            footprint_bytes=spiking_footprint(layer).size_bytes,
            syn_ops_stored=float(found.syn_ops_stored.sum()) / clips,
        )

    def _dense(self, name: str, layer: SpikingLayer) -> int:
        """Weights that would be used in a step, were none of them and no input zero; what a border cuts off is not."""
        if isinstance(layer, InputLayer):
            return math.prod(layer.shape)
        own = layer.recurrent if isinstance(layer, DenseLayer) else None
        return int(self._stored[name].sum()) + (0 if own is None else own.size)

    def footprint(self, name: str) -> Footprint:
        """A layer's."""
        return spiking_footprint(dict(self.network.spiking)[name])


def _whole(values: NDArray[Any]) -> Whole:
    return values.reshape(len(values), -1).astype(np.int64)
