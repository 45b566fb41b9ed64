"""A recording heard as it plays: one frame of features a step, one step of the network a frame, decisions as they come.

Two ways of hearing. ``windows``: as :func:`lava_runtime.identify.identify` and as training, every window starts with
encoder and network at rest, and its decision comes with its last frame; windows overlap, so that several networks
listen side by side, and every decision is exactly that of the whole recording. ``running``: one encoder and one
network that are never reset; the decision at every step is by the spikes of the last clip's length, so that changes
show earlier. What the network remembers of the time before was not there in training, and decisions need not be those
of windows.
"""

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export import netx
from export.graph import Network
from export.manifest import Manifest, load_manifest
from lava_runtime.engine.session import Session
from lava_runtime.identify import Identification, Window, conclude, decide_each, plain_decisions, window_hop
from lava_runtime.inputs import refuse_readout
from train.artifacts import RunFolder
from train.data.clips import too_short
from train.data.sound import load_sound
from train.features import Normaliser, hop_samples
from train.streaming import FrameStream, StepEncoder


@dataclass
class Timing:
    """Seconds that each step took: to make features of a window of samples, and to encode them and step networks."""

    step_s: float
    look_ahead_s: float
    features_s: list[float] = field(default_factory=list)
    network_s: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Median, 99th percentile and largest of both and their sum in ms, and against the time that a step lasts.

        ``real_time_factor`` is the time that all steps took over the sound's: below 1, it keeps up.
        """
        both = np.add(self.features_s, self.network_s)
        parts = {"features": self.features_s, "network": self.network_s, "both": both}
        return {
            "steps": len(both),
            "step_ms": 1e3 * self.step_s,
            "look_ahead_ms": 1e3 * self.look_ahead_s,
            "latency_ms": {name: _percentiles(seconds) for name, seconds in parts.items()},
            "real_time_factor": float(both.sum() / (len(both) * self.step_s)),
            "late_steps": int((both > self.step_s).sum()),
        }


def _percentiles(seconds: Any) -> dict[str, float]:
    median, high = np.percentile(seconds, [50, 99])
    return {"median": 1e3 * float(median), "p99": 1e3 * float(high), "max": 1e3 * float(np.max(seconds))}


@dataclass(frozen=True)
class Heard:
    """A decision, once ``heard_s`` seconds of the recording have come; ``changed`` if a head decides anew."""

    heard_s: float
    window: Window
    changed: bool


class Live:
    """A recording to be played to a network once.

    Parameters
    ----------
    run
        An exported run.
    sound
        As :func:`lava_runtime.identify.identify` takes it. It is decoded before it is played.
    hop_s
        Seconds between the starts of two windows; half a clip if None.
    running
        Listen with one network that is never reset.

    Raises
    ------
    MaestroError
        The recording cannot be read or is silent; the run is not exported, or its code looks ahead.
    CallError
        ``hop_s`` is shorter than a frame, or no number.
    """

    def __init__(self, run: RunFolder, sound: Path, *, hop_s: float | None = None, running: bool = False) -> None:
        self._manifest = manifest = load_manifest(run)
        refuse_readout(manifest)
        self._rate_hz = rate_hz = manifest.sample_rate_hz
        self._sound, self._running = sound, running
        self._samples = hop_samples(rate_hz, manifest.features)
        self._frame_s = self._samples / rate_hz
        self._hop = window_hop(manifest, hop_s)
        self._normaliser = Normaliser.from_dict(manifest.normaliser)
        self._stream = FrameStream(rate_hz, manifest.features)
        self.timing = Timing(self._frame_s, self._stream.look_ahead_s)
        network = netx.read(run.net)
        listeners = 1 if running else -(-manifest.steps // self._hop)
        self._free = [_Listener(network, manifest) for _ in range(listeners)]
        self._active: list[_Listener] = []
        self._done: list[tuple[int, NDArray[np.int64]]] = []
        self._labels: Mapping[str, str] | None = None
        self._audio = load_sound(sound, rate_hz)

    @property
    def duration_s(self) -> float:
        """Of the recording."""
        return len(self._audio) / self._rate_hz

    @property
    def clip_s(self) -> float:
        """Seconds of sound that a decision is about."""
        return self._manifest.steps * self._frame_s

    def play(self) -> Iterator[Heard]:
        """Decisions, each as soon as the frame that completes it has come; as fast as the machine can.

        Raises
        ------
        MaestroError
            The recording is shorter than a clip.
        """
        self._warm_up()
        frames = 0
        for index, window in enumerate(self._windows()):
            frames = index + 1
            started = time.perf_counter()
            features = self._stream.features(window)
            between = time.perf_counter()
            found = list(self._step(index, features))
            self.timing.features_s.append(between - started)
            self.timing.network_s.append(time.perf_counter() - between)
            yield from found
        if frames < self._manifest.steps:
            raise too_short(str(self._sound), frames, self._manifest.steps)

    def conclusion(self) -> Identification:
        """What the recording is, in all: by the spikes of all windows, or of the network that never rested."""
        steps = self._manifest.steps
        if self._running:
            # Windows side by side, of which the last may be short and is left out.
            counts = self._free[0].windows(steps)
            starts = np.arange(len(counts)) * steps
        else:
            starts, counts = np.array([start for start, _ in self._done]), np.stack([each for _, each in self._done])
        starts_s = starts * self._frame_s
        return conclude(self._manifest, str(self._sound), self.duration_s, counts, starts_s, self.clip_s)

    def _windows(self) -> Iterator[NDArray[np.float32]]:
        pieces = (self._audio[at : at + self._samples] for at in range(0, len(self._audio), self._samples))
        frames = (window for piece in pieces for window in self._stream.push(piece))
        return itertools.chain(frames, self._stream.finish())

    def _step(self, index: int, features: NDArray[np.float32]) -> Iterator[Heard]:
        values = self._normaliser.apply(features[:, None])[:, 0]
        steps = self._manifest.steps
        if self._running:
            listener = self._free[0]
            listener.push(values)
            if listener.step >= steps:
                yield from self._decided(index, index + 1 - steps, listener.last(steps), every=False)
            return
        if index % self._hop == 0:
            listener = self._free.pop()
            listener.reset()
            self._active.append(listener)
        for listener in self._active:
            listener.push(values)
        if self._active and self._active[0].step == steps:
            listener = self._active.pop(0)
            self._free.append(listener)
            start, counts = index + 1 - steps, listener.total()
            self._done.append((start, counts))
            yield from self._decided(index, start, counts, every=True)

    def _decided(self, index: int, start: int, counts: NDArray[np.int64], *, every: bool) -> Iterator[Heard]:
        decisions = decide_each(self._manifest, counts[None].astype(np.float64))[0]
        labels = {head: decision.label for head, decision in decisions.items()}
        changed, self._labels = labels != self._labels, labels
        if every or changed:
            start_s = start * self._frame_s
            window = Window(start_s, min(start_s + self.clip_s, self.duration_s), decisions)
            heard_s = min(index * self._frame_s + self.timing.look_ahead_s, self.duration_s)
            yield Heard(heard_s, window, changed)

    def _warm_up(self) -> None:
        """A step of everything before the clock runs: what is loaded at the first call is no latency of a step."""
        features = self._stream.features(np.zeros(self._manifest.features.window, np.float32))
        listener = self._free[0]
        listener.push(self._normaliser.apply(features[:, None])[:, 0])
        listener.reset()


class _Listener:
    """An encoder and a network, and the output spikes since they were at rest."""

    def __init__(self, network: Network, manifest: Manifest) -> None:
        self._encoder = StepEncoder(manifest.encoding, len(manifest.normaliser["mean"]))
        self._session = Session(network)
        self.reset()

    def reset(self) -> None:
        self._encoder.reset()
        self._session.reset()
        # Output spikes added up, from none on: what fell between two steps is a difference.
        self._sums = [np.zeros(self._session.network.output_size, np.int64)]

    @property
    def step(self) -> int:
        return self._session.step

    def push(self, values: NDArray[np.float32]) -> None:
        self._sums.append(self._sums[-1] + self._session.push(self._encoder.push(values)))

    def total(self) -> NDArray[np.int64]:
        """Counts (neuron,) of all steps."""
        return self._sums[-1]

    def last(self, steps: int) -> NDArray[np.int64]:
        """Counts (neuron,) of the last steps."""
        return self._sums[-1] - self._sums[-1 - steps]

    def windows(self, steps: int) -> NDArray[np.int64]:
        """Counts (window, neuron) of whole windows side by side."""
        return np.diff(self._sums[::steps], axis=0)


def as_json(heard: Heard) -> dict[str, Any]:
    """Plain data of a decision."""
    return {
        "event": "decision",
        "heard_s": heard.heard_s,
        "start_s": heard.window.start_s,
        "stop_s": heard.window.stop_s,
        "changed": heard.changed,
        "decisions": plain_decisions(heard.window.decisions),
    }
