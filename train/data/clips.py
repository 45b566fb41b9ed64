"""Clips: the windows of recordings that networks learn from and decide on."""

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64
from numpy.typing import NDArray

from train import artifacts
from train.artifacts import atomic_write, key_of
from train.config import HEADS, Config, FeatureConfig, section_dict
from train.console import say
from train.data.corpus import Corpus, Recording, build_corpus
from train.data.parallel import PROCESSES, in_parallel
from train.data.sound import load_sound
from train.errors import MaestroError
from train.features import clip_steps, sound_features, warm_up

# Raise it when the features of one and the same recording change.
FORMAT = 1
UNLABELLED = -1

Features = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class ClipSet:
    """Windows of ``steps`` frames cut from the features of whole recordings; nothing is copied until asked for.

    Attributes
    ----------
    sequences : tuple of (feature, frame)
        Features of each recording, as computed: not normalised.
    recording : shape (clip,)
        Index into ``sequences`` and ``names``.
    start : shape (clip,)
        First frame.
    labels : head -> shape (clip,)
        Index of the class, -1 where unlabelled.
    steps
        Frames of a clip.
    names
        Recording ids.
    """

    sequences: tuple[Float32[Features, "feature _frame"], ...]
    recording: Int64[Indices, "clip"]
    start: Int64[Indices, "clip"]
    labels: dict[str, Int64[Indices, "clip"]]
    steps: int
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.start)

    def features(
        self, indices: Sequence[int] | Int64[Indices, "clip"], offset: Int64[Indices, "clip"] | None = None
    ) -> Float32[Features, "clip feature {self.steps}"]:
        """Features of some clips.

        Parameters
        ----------
        indices : shape (clip,)
            Which.
        offset : shape (clip,)
            Frames to move each clip by; one moved over an end of its recording stops there.

        Returns
        -------
        NDArray[np.float32], shape (clip, feature, time)
        """
        chosen = np.asarray(indices, np.int64)
        start = self.start[chosen]
        recordings = self.recording[chosen]
        if offset is not None:
            last = np.array([self.sequences[recording].shape[1] for recording in recordings], np.int64) - self.steps
            start = np.clip(start + offset, 0, last)
        count = self.sequences[0].shape[0] if self.sequences else 0
        found = np.empty((len(chosen), count, self.steps), np.float32)
        for row, (recording, first) in enumerate(zip(recordings, start, strict=True)):
            found[row] = self.sequences[recording][:, first : first + self.steps]
        return found


def cut_clips(
    sequences: Sequence[Float32[Features, "feature _frame"]],
    steps: int,
    hop: int,
    *,
    names: Sequence[str] | None = None,
    labels: Mapping[str, Sequence[int]] | None = None,
) -> ClipSet:
    """Windows over each sequence, from its first frame on every ``hop`` frames, as many as fit whole.

    Parameters
    ----------
    sequences : each (feature, frame)
        Features of recordings.
    steps
        Frames of a clip.
    hop
        Frames between the starts of two clips; ``steps`` for clips that do not overlap.
    names
        A name each, for messages; numbers by default.
    labels : head -> a class index each
        Labels of the recordings; a head that is not there is unlabelled.

    Raises
    ------
    MaestroError
        A recording is shorter than a clip.
    """
    names = tuple(names) if names is not None else tuple(str(index) for index in range(len(sequences)))
    recording: list[int] = []
    start: list[int] = []
    for index, sequence in enumerate(sequences):
        frames = sequence.shape[1]
        if frames < steps:
            raise MaestroError(
                names[index],
                f"too short: {frames} frames",
                allowed=f"at least one clip, {steps} frames",
                cure="give a longer recording, or set features.clip_s lower and train again",
            )
        firsts = range(0, frames - steps + 1, hop)
        recording += [index] * len(firsts)
        start += firsts
    of_clip = np.array(recording, np.int64)
    found = {}
    for head in HEADS:
        classes = (labels or {}).get(head, [UNLABELLED] * len(sequences))
        found[head] = np.array(classes, np.int64)[of_clip]
    return ClipSet(tuple(sequences), of_clip, np.array(start, np.int64), found, steps, names)


def corpus_clips(config: Config) -> tuple[dict[str, ClipSet], dict[str, tuple[str, ...]]]:
    """The embedded corpus's clips, building corpus and features where they are not cached.

    Returns
    -------
    dict of split -> ClipSet
        'train', 'validation', 'test', 'test_keyboards'; windows that do not overlap.
    dict of head -> class names

    Raises
    ------
    MaestroError
        A recording of the corpus is damaged, or the cache cannot be written.
    """
    corpus = build_corpus(config.corpus)
    sequences = corpus_features(corpus, config)
    steps = clip_steps(config.features)
    sets = {}
    for split in dict.fromkeys(recording.split for recording in corpus.recordings):
        members = [index for index, recording in enumerate(corpus.recordings) if recording.split == split]
        labels = {head: [_label(corpus, corpus.recordings[index], head) for index in members] for head in HEADS}
        names = [corpus.recordings[index].id for index in members]
        sets[split] = cut_clips([sequences[index] for index in members], steps, steps, names=names, labels=labels)
    return sets, corpus.labels


def _label(corpus: Corpus, recording: Recording, head: str) -> int:
    name = getattr(recording, head)
    return corpus.labels[head].index(name) if name in corpus.labels[head] else UNLABELLED


def corpus_features(corpus: Corpus, config: Config) -> list[Float32[Features, "feature _frame"]]:
    """Features of a corpus's recordings, in its order, from the cache if it is there and whole.

    Returns
    -------
    list of NDArray[np.float32], each (feature, frame)

    Raises
    ------
    MaestroError
        A recording cannot be read, or the cache cannot be written.
    """
    key = key_of(
        {
            "format": FORMAT,
            "librosa": metadata.version("librosa"),
            "corpus": corpus.path.name,
            "corpus_config": section_dict(config.corpus),
            "features": section_dict(config.features),
            "recordings": [recording.id for recording in corpus.recordings],
        }
    )
    cache = artifacts.CACHE / f"features-{key}.npz"
    if cache.is_file():
        try:
            return _read(cache, len(corpus.recordings))
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            say(f"{cache}: damaged ({error}); computing the features again")
    sequences = _compute(corpus, config)
    with atomic_write(cache) as temporary, temporary.open("wb") as file:
        np.savez(file, **{f"recording{index}": sequence for index, sequence in enumerate(sequences)})
    return sequences


def _read(cache: Path, count: int) -> list[Features]:
    """The cached features; the archive's own checksums tell a damaged one."""
    with np.load(cache, allow_pickle=False) as arrays:
        return [arrays[f"recording{index}"] for index in range(count)]


def _compute(corpus: Corpus, config: Config) -> list[Features]:
    rate_hz = config.corpus.sample_rate_hz
    jobs = [(corpus.path / recording.file, rate_hz, config.features) for recording in corpus.recordings]
    say("features: loading librosa (half a minute at its first use after installation, when it compiles)")
    warm_up()
    # Threads need no limit: the features call no BLAS, and scipy's and soxr's transforms run on one.
    return in_parallel(_features_of, jobs, "features", "recordings", min(PROCESSES, os.cpu_count() or 1))


def _features_of(job: tuple[Path, int, FeatureConfig]) -> Features:
    path, rate_hz, config = job
    return sound_features(load_sound(path, rate_hz), rate_hz, config)
