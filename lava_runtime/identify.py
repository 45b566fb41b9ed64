"""Recognise a recording: the clip window slides over it, and every head decides."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.manifest import Manifest, load_manifest
from lava_runtime.inputs import encode, refuse_readout
from lava_runtime.network import PATIENCE_S
from lava_runtime.runner import make_runner
from train.artifacts import RunFolder
from train.data.clips import cut_clips
from train.data.sound import load_sound
from train.errors import CallError
from train.features import hop_samples, sound_features
from train.metrics import confidence, decide


@dataclass(frozen=True)
class Decision:
    """What one head says. ``confidence`` is its softmax over scaled spike counts: not a probability of being right."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Window:
    """A stretch of the recording and what was decided there, by head."""

    start_s: float
    stop_s: float
    decisions: dict[str, Decision]


@dataclass(frozen=True)
class Identification:
    """``overall`` is decided by the spikes of all windows together."""

    sound: str
    duration_s: float
    overall: dict[str, Decision]
    windows: tuple[Window, ...]


def identify(
    run: RunFolder, sound: Path, backend: str, *, hop_s: float | None = None, patience_s: float = PATIENCE_S
) -> Identification:
    """Decide on a recording.

    Parameters
    ----------
    run
        An exported run.
    sound
        WAV, FLAC, OGG, MP3 or MIDI, at least one clip long.
    backend
        Of :func:`lava_runtime.runner.make_runner`; all give the same answer.
    hop_s
        Seconds between the starts of two windows; half a clip if None.

    Raises
    ------
    MaestroError
        The recording cannot be read, is silent or shorter than a clip; the run is not exported, or tells steps.
    CallError
        ``hop_s`` is shorter than a frame, or no number.
    """
    manifest = load_manifest(run)
    refuse_readout(manifest)
    rate_hz = manifest.sample_rate_hz
    frame_s = hop_samples(rate_hz, manifest.features) / rate_hz
    hop = window_hop(manifest, hop_s)
    audio = load_sound(sound, rate_hz)
    features = sound_features(audio, rate_hz, manifest.features)
    clips = cut_clips([features], manifest.steps, hop, names=[str(sound)])
    spikes = encode(manifest, clips.features(range(len(clips))))
    with make_runner(backend, run.net, patience_s=patience_s) as runner:
        counts = runner.run(spikes).output.sum(axis=-1, dtype=np.int64)
    return conclude(manifest, str(sound), len(audio) / rate_hz, counts, clips.start * frame_s, manifest.steps * frame_s)


def window_hop(manifest: Manifest, hop_s: float | None) -> int:
    """Frames between the starts of two windows that lie ``hop_s`` seconds apart; half a clip if None.

    Raises
    ------
    CallError
        It is shorter than a frame, or no number.
    """
    frame_s = hop_samples(manifest.sample_rate_hz, manifest.features) / manifest.sample_rate_hz
    if hop_s is None:
        return max(1, manifest.steps // 2)
    if not (np.isfinite(hop_s) and round(hop_s / frame_s) >= 1):
        raise CallError("--hop", f"is {hop_s:g} s", allowed=f"at least one frame, {frame_s:g} s")
    return round(hop_s / frame_s)


def conclude(
    manifest: Manifest,
    sound: str,
    duration_s: float,
    counts: NDArray[np.int64],
    starts_s: NDArray[np.float64],
    clip_s: float,
) -> Identification:
    """Decisions from the windows' output spike counts, shape (window, neuron).

    The overall confidence is that of the windows' mean counts, so that it does not grow with length.
    """
    each = decide_each(manifest, counts.astype(np.float64))
    windows = tuple(
        Window(float(start), min(float(start) + clip_s, duration_s), found)
        for start, found in zip(starts_s, each, strict=True)
    )
    overall = decide_each(manifest, counts.mean(axis=0, keepdims=True))[0]
    return Identification(sound, duration_s, overall, windows)


def decide_each(manifest: Manifest, scores: NDArray[np.float64]) -> list[dict[str, Decision]]:
    """What every head says to each row of output spike counts, shape (window, neuron)."""
    slices = manifest.slices
    chosen, sure = decide(scores, slices), confidence(scores, slices, manifest.count_scale)
    return [
        {
            head: Decision(manifest.heads[head].labels[chosen[head][row]], float(sure[head][row, chosen[head][row]]))
            for head in slices
        }
        for row in range(len(scores))
    ]


def time_line(found: Identification) -> list[Window]:
    """The windows, neighbours that agree in every head joined, their confidences averaged."""
    joined: list[list[Window]] = []
    for window in found.windows:
        labels = {head: decision.label for head, decision in window.decisions.items()}
        if joined and {head: d.label for head, d in joined[-1][0].decisions.items()} == labels:
            joined[-1].append(window)
        else:
            joined.append([window])
    return [
        Window(
            group[0].start_s,
            group[-1].stop_s,
            {
                head: Decision(decision.label, float(np.mean([window.decisions[head].confidence for window in group])))
                for head, decision in group[0].decisions.items()
            },
        )
        for group in joined
    ]


def plain_decisions(decisions: dict[str, Decision]) -> dict[str, Any]:
    """Plain data of what heads say."""
    return {head: {"label": decision.label, "confidence": decision.confidence} for head, decision in decisions.items()}


def as_json(found: Identification) -> dict[str, Any]:
    """Plain data of an identification."""
    return {
        "sound": found.sound,
        "duration_s": found.duration_s,
        "confidence": "softmax of scaled spike counts, not calibrated",
        "overall": plain_decisions(found.overall),
        "windows": [
            {"start_s": window.start_s, "stop_s": window.stop_s, "decisions": plain_decisions(window.decisions)}
            for window in found.windows
        ],
    }
