"""Counts of the ANN: of a trained one from its activations, of an untrained one from the plan of its layers.

Its first layer takes the spikes of the encoding, 0 or 1, and only adds; the others multiply. The averages of pooling
and of time are not counted (NeuroBench leaves pooling out too), nor the activation functions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.counters.counts import Counts, LayerCounts
from hardware.counters.footprint import WEIGHT_BITS, Footprint, ann_footprint
from hardware.counters.work import Whole, Work
from lava_runtime.engine.fan_out import conv_fan_out, dense_fan_out
from train.plan import LayerPlan

HEADS = "heads"


@dataclass(frozen=True, eq=False)
class AnnLayer:
    """A layer with weights of the ANN.

    Parameters
    ----------
    weight
        Shape (channel out, channel in, kernel height, kernel width), stride 1 and padded to keep the height, or
        (neuron out, neuron in).
    source
        Shape of its input.
    units
        It computes at each use.
    uses
        How often it is computed for a clip: once a step, or once for all steps, then on the mean over time.
    binary
        Whether its input is 0 or 1, so that it only adds.
    """

    name: str
    weight: NDArray[Any]
    source: tuple[int, ...]
    units: int
    uses: int
    binary: bool

    @property
    def has_activation(self) -> bool:
        """Whether a ReLU follows, which makes zeros; the heads give logits."""
        return self.name != HEADS

    @property
    def met(self) -> Whole:
        """Non-zero weights under every input, flat."""
        return _met(self.weight, self.source)

    @property
    def stored(self) -> Whole:
        """All weights under every input, zeros too, flat; what lies on the padding is not counted."""
        return _met(np.ones(self.weight.shape, np.int8), self.source)

    @property
    def dense(self) -> int:
        """Weights used for a clip, were none and no input zero."""
        return int(self.stored.sum()) * self.uses

    def footprint(self, bits: int = WEIGHT_BITS) -> Footprint:
        """With ``bits`` a weight and an activation."""
        summed = math.prod(self.source) if self.uses == 1 else 0
        return ann_footprint(self.weight.size, int(np.count_nonzero(self.weight)), self.units, summed, bits)


def _met(weight: NDArray[Any], source: tuple[int, ...]) -> Whole:
    if weight.ndim == 2:
        return dense_fan_out(weight)
    half = weight.shape[2] // 2
    return conv_fan_out(weight, (1, 1), (half, 0), (1, 1), 1, source, (source[1], source[2])).reshape(-1)


def ann_layers(plan: Sequence[LayerPlan], weights: Sequence[NDArray[Any]] | None, steps: int) -> list[AnnLayer]:
    """Layers with weights of a plan; without ``weights`` all weights are ones, to count with."""
    weighted = [layer for layer in plan if layer.kind in ("conv", "dense")]
    found = []
    for index, layer in enumerate(weighted):
        conv = layer.kind == "conv"
        shape = (
            (layer.channels_out, layer.channels_in, layer.kernel, 1)
            if conv
            else (layer.channels_out, layer.channels_in)
        )
        found.append(
            AnnLayer(
                layer.name,
                np.ones(shape, np.int8) if weights is None else weights[index],
                (layer.channels_in, layer.height_in, 1) if conv else (layer.channels_in,),
                layer.channels_out * layer.height_out,
                1 if layer.name == HEADS else steps,
                index == 0,
            )
        )
    return found


def ann_counts(layers: Sequence[AnnLayer], work: Work, steps: int) -> Counts:
    """Means an inference.

    Parameters
    ----------
    layers
        Layers with weights.
    work
        Of all clips.
    steps
        Of a clip.
    """
    clips, found = work.clips, {}
    for layer in layers:
        done = work.layers[layer.name]
        effective = float(done.effective.sum()) / clips
        found[layer.name] = _counts(
            layer,
            int(np.count_nonzero(layer.weight)),
            float(done.spikes_in.sum()) / clips,
            float(done.axon_out.sum()) / clips,
            effective,
            float(done.syn_ops_stored.sum()) / clips,
        )
    return Counts(found, steps, clips, float(work.input_spikes.sum()) / clips)


def twin_counts(plan: Sequence[LayerPlan], steps: int, clips: int, input_spikes: float) -> Counts:
    """What is known of an ANN without training it: sizes, ``dense``, and the input, a mean over ``clips`` clips.

    What depends on its weights and activations is not a number (NaN); ``weights_nonzero`` says all weights, though
    some may come out as zero. The first layer makes no products, the others nothing else, trained or not: those are 0.
    """
    layers = {}
    for layer in ann_layers(plan, None, steps):
        came = input_spikes if layer.binary else math.nan
        layers[layer.name] = _counts(layer, layer.weight.size, came, math.nan, math.nan, math.nan)
    return Counts(layers, steps, clips, input_spikes)


def _counts(layer: AnnLayer, nonzero: int, came: float, sent: float, effective: float, stored: float) -> LayerCounts:
    return LayerCounts(
        kind="ann",
        neurons=layer.units,
        states=0,
        weights=layer.weight.size,
        weights_nonzero=nonzero,
        spikes_in=came,
        axon_out=sent,
        syn_ops=effective,
        dendrite_updates=layer.units * layer.uses,
        state_updates=0,
        acs_effective=effective if layer.binary else 0.0,
        macs_effective=0.0 if layer.binary else effective,
        dense=layer.dense,
        footprint_bytes=layer.footprint().size_bytes,
        syn_ops_stored=stored,
    )
