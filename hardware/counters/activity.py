"""How much the ANN's layers do on a set of clips. Needs torch."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from hardware.counters.ann import HEADS, AnnLayer, ann_layers
from hardware.counters.work import LayerWork, Whole, Work, join
from train.errors import MaestroError
from train.topology import AnnNetwork

if TYPE_CHECKING:
    from train.data.clips import ClipSet
    from train.model import TrainedRun

_BATCH = 64


def layers_of(trained: "TrainedRun", steps: int) -> list[AnnLayer]:
    """The ANN's layers with weights.

    Raises
    ------
    MaestroError
        The network is no ANN.
    """
    network = trained.network
    if not isinstance(network, AnnNetwork):
        raise MaestroError(trained.config.name, "is a spiking network, no ANN")
    return ann_layers(network.plan, [weight.detach().numpy() for weight in network.weights], steps)


def ann_work(
    trained: "TrainedRun", layers: list[AnnLayer], clips: "ClipSet", done: Callable[[int], None] = lambda _: None
) -> Work:
    """Work of all clips; ``done`` is told of the clips done, some at a time."""
    network, met = trained.network, {layer.name: (layer.met, layer.stored) for layer in layers}
    assert isinstance(network, AnnNetwork)
    parts = []
    with torch.no_grad():
        for inputs in _batches(trained, clips):
            found: dict[str, LayerWork] = {}
            for name, x, y in _layers(network, inputs):
                came = _active(x, name)
                operations, stored = (came @ weights for weights in met[name])
                found[name] = LayerWork(came.sum(axis=1), _active(y, name).sum(axis=1), operations, stored, operations)
            parts.append(Work(found, _active(inputs, "").sum(axis=1), True, 0))
            done(len(inputs))
    return join(parts)


def _active(x: torch.Tensor, name: str) -> Whole:
    """How often each value was not zero, shape (clip, value); the heads' have no time axis."""
    nonzero = (x != 0).long() if name == HEADS else (x != 0).sum(dim=-1)
    found: Whole = nonzero.flatten(1).numpy()
    return found


def _layers(network: AnnNetwork, inputs: torch.Tensor) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """What arrives at and leaves each layer with weights, as ``AnnNetwork.forward`` computes it."""
    x = inputs.squeeze(3)
    weights = iter(network.weights)
    for layer in network.plan:
        if layer.kind == "flatten":
            x = x.flatten(1, 2)
        elif layer.kind == "pool":
            x = functional.avg_pool2d(functional.pad(x, (0, 0, 0, -layer.height_in % layer.kernel)), (layer.kernel, 1))
        elif layer.name == HEADS:
            mean = x.mean(dim=-1)
            yield layer.name, mean, functional.linear(mean, next(weights))
        else:
            came, weight = x, next(weights)
            convolves = layer.kind == "conv"
            x = functional.conv2d(x, weight, padding=(layer.kernel // 2, 0)) if convolves else torch.matmul(weight, x)
            x = functional.relu(x)
            yield layer.name, came, x


def _batches(trained: "TrainedRun", clips: "ClipSet") -> Iterator[torch.Tensor]:
    for first in range(0, len(clips), _BATCH):
        features = clips.features(np.arange(first, min(first + _BATCH, len(clips))))
        spikes: Any = trained.encoder.encode(trained.normaliser.apply(features))
        yield torch.from_numpy(spikes).float()
