"""How much the ANN's layers do on a set of clips. Needs torch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from hardware.counters.costs import AnnLayer, Counts
from train.errors import MaestroError
from train.topology import AnnNetwork

if TYPE_CHECKING:
    from train.data.clips import ClipSet
    from train.model import TrainedRun

_BATCH = 64


def ann_layers(trained: "TrainedRun", clips: "ClipSet") -> tuple[list[AnnLayer], dict[str, int]]:
    """The ANN's layers with weights as :func:`hardware.counters.costs.ann_costs` takes them, and their numbers of units."""
    network = trained.network
    if not isinstance(network, AnnNetwork):
        raise MaestroError(trained.config.name, "is a spiking network, no ANN")
    active: dict[str, Counts] = {}
    with torch.no_grad():
        for inputs in _batches(trained, clips):
            for name, x in _layer_inputs(network, inputs):
                # Whatever has no time axis is used once a clip.
                axes = (0, -1) if name != "heads" else (0,)
                active[name] = active.get(name, 0.0) + (x != 0).sum(dim=axes, dtype=torch.float64).numpy()
    weighted = [layer for layer in network.plan if layer.kind in ("conv", "dense")]
    found = []
    for index, (layer, weight) in enumerate(zip(weighted, network.weights, strict=True)):
        places = active[layer.name]
        uses = 1 if layer.name == "heads" else clips.steps
        values = weight.detach().numpy()
        found.append(
            AnnLayer(layer.name, values, places[..., None] if layer.kind == "conv" else places, uses, index == 0)
        )
    return found, {layer.name: layer.channels_out * layer.height_out for layer in weighted}


def _layer_inputs(network: AnnNetwork, inputs: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """What arrives at each layer with weights, as ``AnnNetwork.forward`` computes it."""
    x = inputs.squeeze(3)
    weights = iter(network.weights)
    for layer in network.plan:
        if layer.kind == "flatten":
            x = x.flatten(1, 2)
        elif layer.kind == "pool":
            x = functional.avg_pool2d(functional.pad(x, (0, 0, 0, -layer.height_in % layer.kernel)), (layer.kernel, 1))
        elif layer.name == "heads":
            yield layer.name, x.mean(dim=-1)
        else:
            yield layer.name, x
            weight = next(weights)
            convolves = layer.kind == "conv"
            x = functional.conv2d(x, weight, padding=(layer.kernel // 2, 0)) if convolves else torch.matmul(weight, x)
            x = functional.relu(x)


def _batches(trained: "TrainedRun", clips: "ClipSet") -> Iterator[torch.Tensor]:
    for first in range(0, len(clips), _BATCH):
        features = clips.features(np.arange(first, min(first + _BATCH, len(clips))))
        spikes: Any = trained.encoder.encode(trained.normaliser.apply(features))
        yield torch.from_numpy(spikes).float()
