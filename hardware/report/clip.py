"""The clip whose spikes the page shows: chosen by a rule no network has a say in, and what each run makes of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.report.subject import Subject
from train.config import Config
from train.data.clips import ClipSet, evenly
from train.errors import CallError, MaestroError
from train.features import Normaliser

SPLIT = "test"
# Clips among which the fullest is sought.
_LOOKED_AT = 1024
RULE = (
    "of the test set's clips, the one whose features change most from step to step (sum of absolute differences, in "
    "standard deviations over the test set): the fullest of events, whatever a network makes of it"
)
CHOSEN = "chosen with --clip"


@dataclass(frozen=True, eq=False)
class Heard:
    """A clip of the test set.

    Parameters
    ----------
    index
        In the test set.
    why
        How it came to be chosen.
    recording, start_s
        What it is cut from, and where.
    truth
        Class by head.
    features
        Shape (feature, time), in standard deviations over the test set.
    sound
        Samples of the clip with half a window either side, and their rate; the reason where they cannot be had.
    """

    index: int
    clips: int
    why: str
    recording: str
    start_s: float
    hop_s: float
    truth: dict[str, str]
    names: tuple[str, ...]
    features: NDArray[np.float32]
    sound: "Sound | str"


@dataclass(frozen=True, eq=False)
class Sound:
    """Samples, shape (sample,), of which the clip's first step is centred on sample ``first``."""

    samples: NDArray[np.float32]
    rate_hz: int
    first: int


@dataclass(frozen=True, eq=False)
class Spikes:
    """What a run makes of the clip.

    Parameters
    ----------
    layers
        By name, 'input' first; shape (neuron, time).
    decisions
        By head: the class and its softmax over scaled counts.
    heads
        First and one-past-last neuron of each head.
    """

    layers: dict[str, NDArray[np.uint8]]
    decisions: dict[str, tuple[str, float]]
    heads: dict[str, tuple[int, int]]
    latency_steps: int


def choose(subject: Subject, wanted: int | None) -> Heard:
    """The clip to show, from the corpus of a run.

    Raises
    ------
    CallError
        The test set has no such clip.
    MaestroError
        The corpus is damaged.
    """
    sets, labels = _sets(subject)
    clips = sets[SPLIT]
    if wanted is not None and not wanted < len(clips):
        raise CallError("--clip", f"is {wanted}", allowed=f"0 to {len(clips) - 1}, the test set's clips")
    mean, spread = _statistics(clips)
    index = _fullest(clips, mean, spread) if wanted is None else wanted
    config = subject.config
    from train.features import feature_names, hop_samples

    hop_s = hop_samples(config.sample_rate_hz, config.features) / config.sample_rate_hz
    recording = clips.names[int(clips.recording[index])]
    truth = {
        head: labels[head][int(numbers[index])] for head, numbers in clips.labels.items() if int(numbers[index]) >= 0
    }
    return Heard(
        index,
        len(clips),
        CHOSEN if wanted is not None else RULE,
        recording,
        float(clips.start[index]) * hop_s,
        hop_s,
        truth,
        feature_names(config.features),
        ((clips.features([index])[0] - mean) / spread).astype(np.float32),
        _sound(config, recording, float(clips.start[index]) * hop_s, clips.steps * hop_s),
    )


def _sets(subject: Subject) -> tuple[dict[str, ClipSet], Any]:
    # Looked up when called, so that tests can put other clips in the corpus's place.
    from train.data import clips

    return clips.data_clips(subject.config)


def _statistics(clips: ClipSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each feature over a test set, shape (feature, 1); 1 where it never changes."""
    found = Normaliser.fit(clips.sequences)
    mean, spread = (values.astype(np.float64)[:, None] for values in (found.mean, found.std))
    return mean, np.where(spread > 0, spread, 1.0)


def _fullest(clips: ClipSet, mean: NDArray[np.float64], spread: NDArray[np.float64]) -> int:
    some = evenly(range(len(clips)), _LOOKED_AT)
    features = (clips.features(some) - mean) / spread
    change: NDArray[np.float64] = np.abs(np.diff(features, axis=-1)).sum(axis=(1, 2))
    return some[int(change.argmax())]


def _sound(config: Config, recording: str, start_s: float, length_s: float) -> "Sound | str":
    """The clip's samples with half a window of context, or why there are none."""
    from train.data import dataset
    from train.data.sound import load_sound

    try:
        data = dataset.open_dataset(config)
        found = [entry for entry in data.recordings if entry.id == recording]
        if not found:
            return f"{data.name} has no recording {recording}"
        rate_hz = config.sample_rate_hz
        audio = load_sound(data.file_of(found[0]), rate_hz)
    except MaestroError as error:
        return str(error)
    half = config.features.window // 2
    first = round(start_s * rate_hz)
    padded = np.pad(audio, half)
    return Sound(padded[first : first + round(length_s * rate_hz) + 2 * half], rate_hz, half)


def spikes_of(subject: Subject, heard: Heard) -> Spikes:
    """Run the clip through a run's exported network.

    Raises
    ------
    MaestroError
        The run has no export, or one of another network or corpus.
    """
    from lava_runtime.engine.engine import Engine
    from lava_runtime.inputs import run_clips
    from train.metrics import confidence, decide

    clips = run_clips(subject.run)
    if heard.index >= len(clips.sets[SPLIT]) or _differs(clips.sets[SPLIT], heard):
        raise MaestroError(str(subject.run.path), "has another test set than the first run of the page")
    inputs = clips.spikes([(SPLIT, heard.index)])
    engine = Engine.from_file(subject.run.net)
    result = engine.run(inputs, layers=True)
    counts = result.output.sum(axis=-1, dtype=np.int64)
    slices, heads = clips.manifest.slices, clips.manifest.heads
    chosen, sure = decide(counts, slices), confidence(counts, slices, clips.manifest.count_scale)
    decisions = {
        head: (heads[head].labels[int(chosen[head][0])], float(sure[head][0, int(chosen[head][0])])) for head in slices
    }
    layers = {"input": _flat(inputs[0])}
    layers |= {name: _flat(found[0]) for name, found in zip(engine.names, result.layers, strict=True)}
    return Spikes(layers, decisions, dict(slices), clips.manifest.latency_steps)


def _differs(clips: ClipSet, heard: Heard) -> bool:
    return clips.names[int(clips.recording[heard.index])] != heard.recording or clips.steps != heard.features.shape[-1]


def _flat(spikes: NDArray[Any]) -> NDArray[np.uint8]:
    """Shape (neuron, time) of (layer shape, time), in C order: channel by channel."""
    flat: NDArray[np.uint8] = (spikes != 0).reshape(-1, spikes.shape[-1]).astype(np.uint8)
    return flat
