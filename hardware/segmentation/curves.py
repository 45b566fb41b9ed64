"""How decisions go around a cut, and one clip in full, for pictures."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from train.data.clips import ClipSet
from train.segmentation.splices import cuts

if TYPE_CHECKING:
    from export.manifest import Manifest
    from lava_runtime.engine.engine import Engine
    from train.segmentation.readout import Readout

# Steps of a point of a curve: 0.1 s at a hop of 10 ms.
BIN = 10
# Mel bands are shown in so many rows.
_ROWS = 16


def around_cuts(right: NDArray[np.bool_], clips: ClipSet, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Share of right steps by their distance from the cut, apart for cuts where the style changes and others.

    Parameters
    ----------
    right, labels
        Whether a step is told right, and its style, each (clip, step).
    clips
        The clips, for their cuts.

    Returns
    -------
    dict
        ``first_step``, distance of the first bin's first step, and ``bin_steps``; by 'changed' and 'same' the
        ``clips`` and the ``share`` of each bin, where there are such clips.
    """
    at = cuts(clips)
    steps = right.shape[1]
    # As far as every clip reaches.
    before, after = int(at.min()) // BIN, int(steps - at.max()) // BIN
    changed = np.array([labels[clip, cut - 1] != labels[clip, cut] for clip, cut in enumerate(at)])
    rows = np.stack([right[clip, cut - before * BIN : cut + after * BIN] for clip, cut in enumerate(at)])
    binned = rows.reshape(len(rows), -1, BIN).mean(axis=2)
    found: dict[str, Any] = {"first_step": -before * BIN, "bin_steps": BIN}
    for word, chosen in (("changed", changed), ("same", ~changed)):
        if chosen.any():
            share = [round(float(value), 4) for value in binned[chosen].mean(axis=0)]
            found[word] = {"clips": int(chosen.sum()), "share": share}
    return found


def example(engine: "Engine", manifest: "Manifest", readout: "Readout", clips: ClipSet) -> dict[str, Any]:
    """The first clip of a side: its input by groups of bands, every output spike, and what is told when."""
    from lava_runtime.inputs import encode

    spikes = encode(manifest, clips.features([0]))
    output = engine.run(spikes).output
    scores = readout.scores(output)[0]
    bands = spikes[0, :, :, 0].sum(axis=0, dtype=np.int64)
    rows = np.array_split(bands[:, : bands.shape[1] // BIN * BIN], min(_ROWS, len(bands)))
    counted = np.stack([row.sum(axis=0).reshape(-1, BIN).sum(axis=1) for row in rows])
    return {
        "cut": int(cuts(clips)[0]),
        "styles": [manifest.heads["style"].labels[clips.labels["style"][0, step]] for step in (0, -1)],
        "labels": list(manifest.heads["style"].labels),
        "bin_steps": BIN,
        "input": counted.tolist(),
        "spikes": [np.flatnonzero(row).tolist() for row in output[0]],
        "score": [round(float(value), 3) for value in (scores[1] - scores[0])[::BIN]],
    }
