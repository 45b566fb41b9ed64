"""An exported network heard out as it is deployed: its integers, through the engine, with what its manifest says."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardware.counters.costs import Counts
from lava_runtime.inputs import encode
from train.metrics import accuracy, decide

if TYPE_CHECKING:
    from export.manifest import Manifest
    from lava_runtime.engine.engine import Engine
    from train.data.clips import ClipSet

# Clips encoded at a time.
_BATCH = 256


def hear(engine: "Engine", manifest: "Manifest", clips: "ClipSet") -> dict[str, dict[str, float | int]]:
    """How often each head is right on all clips, as :func:`train.metrics.accuracy` gives it."""
    scores = [engine.run(inputs).output.sum(axis=-1, dtype=np.int64) for inputs in _inputs(manifest, clips)]
    return accuracy(decide(np.concatenate(scores), manifest.slices), clips.labels)


def spike_totals(engine: "Engine", manifest: "Manifest", clips: "ClipSet") -> dict[str, Counts]:
    """Spikes of every place, summed over clips and time, of 'input' and every layer with neurons.

    Returns
    -------
    dict
        Arrays in the layers' shapes.
    """
    totals: dict[str, Counts] = {}
    for inputs in _inputs(manifest, clips):
        _add(totals, "input", inputs)
        for block in engine.blocks(inputs, layers=True):
            for name, spikes in zip(engine.names, block.layers, strict=True):
                _add(totals, name, spikes)
    return totals


def _add(totals: dict[str, Counts], name: str, spikes: NDArray[Any]) -> None:
    totals[name] = totals.get(name, 0.0) + spikes.sum(axis=(0, -1), dtype=np.float64)


def _inputs(manifest: "Manifest", clips: "ClipSet") -> Iterator[NDArray[np.uint8]]:
    for first in range(0, len(clips), _BATCH):
        yield encode(manifest, clips.features(np.arange(first, min(first + _BATCH, len(clips)))))
