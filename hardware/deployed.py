"""An exported network heard out as it is deployed: its integers, through the engine, with what its manifest says."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lava_runtime.inputs import encode
from lava_runtime.network import Spikes
from train.metrics import accuracy, decide

if TYPE_CHECKING:
    from export.manifest import Manifest
    from lava_runtime.engine.engine import Engine
    from train.data.clips import ClipSet

# Clips encoded at a time.
_BATCH = 256


def hear(engine: "Engine", manifest: "Manifest", clips: "ClipSet") -> dict[str, dict[str, float | int]]:
    """How often each head is right on all clips, as :func:`train.metrics.accuracy` gives it."""
    scores = [engine.run(inputs).output.sum(axis=-1, dtype=np.int64) for inputs in input_spikes(manifest, clips)]
    return accuracy(decide(np.concatenate(scores), manifest.slices), clips.labels)


def input_spikes(manifest: "Manifest", clips: "ClipSet") -> Iterator[Spikes]:
    """Spikes of all clips, (sample, channel, feature, 1, time), some clips at a time."""
    for first in range(0, len(clips), _BATCH):
        yield encode(manifest, clips.features(np.arange(first, min(first + _BATCH, len(clips)))))
