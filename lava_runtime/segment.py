"""Tell the style of every step of a recording: spikes of the deployed network, read as its manifest says."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.manifest import Manifest, load_manifest
from lava_runtime.inputs import encode
from lava_runtime.network import PATIENCE_S
from lava_runtime.runner import make_runner
from train.artifacts import RunFolder
from train.data.clips import too_short
from train.data.sound import load_sound
from train.errors import MaestroError
from train.features import hop_samples, sound_features
from train.metrics import decide
from train.segmentation.readout import Readout


@dataclass(frozen=True)
class Stretch:
    """Seconds of a recording of one style."""

    start_s: float
    stop_s: float
    label: str


@dataclass(frozen=True)
class Segmentation:
    """``undecided_s`` at the end is not told of: its spikes come out after the recording's last step."""

    sound: str
    duration_s: float
    undecided_s: float
    stretches: tuple[Stretch, ...]


def segment(run: RunFolder, sound: Path, backend: str, *, patience_s: float = PATIENCE_S) -> Segmentation:
    """Tell the style of every step; the network runs over the whole recording from rest.

    Parameters
    ----------
    run
        An exported run whose task is segmentation.
    sound
        WAV, FLAC, OGG, MP3 or MIDI.
    backend
        Of :func:`lava_runtime.runner.make_runner`; all give the same answer.

    Raises
    ------
    MaestroError
        The run tells whole clips or is not exported; the recording cannot be read, is silent or shorter than the
        network is late.
    """
    manifest = load_manifest(run)
    readout = require_readout(manifest, run)
    rate_hz = manifest.sample_rate_hz
    audio = load_sound(sound, rate_hz)
    features = sound_features(audio, rate_hz, manifest.features)
    if features.shape[1] <= readout.latency_steps:
        raise too_short(str(sound), features.shape[1], readout.latency_steps + 1)
    spikes = encode(manifest, features[np.newaxis])
    with make_runner(backend, run.net, patience_s=patience_s) as runner:
        scores = readout.scores(runner.run(spikes).output)
    ((head, chosen),) = decide(scores, manifest.slices).items()
    frame_s = hop_samples(rate_hz, manifest.features) / rate_hz
    stretches = join_steps(chosen[0], manifest.heads[head].labels, frame_s)
    return Segmentation(str(sound), len(audio) / rate_hz, readout.latency_steps * frame_s, stretches)


def require_readout(manifest: Manifest, run: RunFolder) -> Readout:
    """The readout of a run whose task is segmentation.

    Raises
    ------
    MaestroError
        The run tells whole clips.
    """
    if manifest.readout is None:
        raise MaestroError(
            str(run.path),
            "tells whole clips, not steps",
            cure=f"use `python -m lava_runtime identify {run.path} SOUND`",
        )
    found = manifest.readout
    return Readout(np.array(found["weight"], np.float64), found["readout_steps"], found["latency_steps"])


def join_steps(chosen: NDArray[np.int64], labels: tuple[str, ...], frame_s: float) -> tuple[Stretch, ...]:
    """Steps (step,) of one class in a row as stretches; a step lasts ``frame_s`` seconds."""
    edges = [0, *(np.flatnonzero(np.diff(chosen)) + 1).tolist(), len(chosen)]
    return tuple(
        Stretch(start * frame_s, stop * frame_s, labels[int(chosen[start])])
        for start, stop in itertools.pairwise(edges)
    )


def as_json(found: Segmentation) -> dict[str, Any]:
    """Plain data of a segmentation."""
    return {
        "sound": found.sound,
        "duration_s": found.duration_s,
        "undecided_s": found.undecided_s,
        "stretches": [vars(stretch) for stretch in found.stretches],
    }
