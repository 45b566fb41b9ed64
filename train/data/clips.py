"""Clips: the windows of recordings that networks learn from and decide on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64
from numpy.typing import NDArray

from train.config import Config
from train.config_checks import SEGMENTATION
from train.data.dataset import DataSet, Recording, open_dataset
from train.data.recordings import Features, dataset_features
from train.errors import MaestroError
from train.features import clip_steps

UNLABELLED = -1

Indices = NDArray[np.int64]


@runtime_checkable
class Frames(Protocol):
    """Features of a recording, (feature, frame): an array, or what reads them from a file when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(feature, frame)."""

    def __getitem__(self, key: tuple[slice, slice], /) -> Features:
        """A part of them, as an array."""


@dataclass(frozen=True)
class ClipSet:
    """Windows of ``steps`` frames cut from the features of whole recordings; nothing is copied until asked for.

    Attributes
    ----------
    sequences : tuple of (feature, frame)
        Features of each recording, as computed: not normalised. Those of a file are read when they are asked for.
    recording : shape (clip,)
        Index into ``sequences`` and ``names``.
    start : shape (clip,)
        First frame.
    labels : head -> shape (clip,), or (clip, step) where every step has one
        Index of the class, -1 where unlabelled.
    steps
        Frames of a clip.
    names
        Recording ids.
    """

    sequences: tuple[Frames, ...]
    recording: Int64[Indices, "clip"]
    start: Int64[Indices, "clip"]
    labels: dict[str, Int64[Indices, "clip *step"]]
    steps: int
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.start)

    def starts(
        self, indices: Sequence[int] | Int64[Indices, "clip"], offset: Int64[Indices, "clip"] | None = None
    ) -> Int64[Indices, "clip"]:
        """First frames of some clips, each moved by ``offset`` as `features` does."""
        chosen = np.asarray(indices, np.int64)
        start = self.start[chosen]
        if offset is None:
            return start
        frames = [self.sequences[recording].shape[1] for recording in self.recording[chosen]]
        moved: Indices = np.clip(start + offset, 0, np.array(frames, np.int64) - self.steps)
        return moved

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
        recordings, start = self.recording[chosen], self.starts(chosen, offset)
        count = self.sequences[0].shape[0] if self.sequences else 0
        found = np.empty((len(chosen), count, self.steps), np.float32)
        for row, (recording, first) in enumerate(zip(recordings, start, strict=True)):
            found[row] = self.sequences[recording][:, int(first) : int(first) + self.steps]
        return found


def cut_clips(
    sequences: Sequence[Frames],
    steps: int,
    hop: int,
    *,
    names: Sequence[str] | None = None,
    labels: Mapping[str, Sequence[int]] | None = None,
    most: int = 0,
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
        Labels of the recordings, -1 where unlabelled.
    most
        Windows taken of a recording, spread evenly over it; 0 for all.

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
            raise too_short(names[index], frames, steps)
        firsts = evenly(range(0, frames - steps + 1, hop), most)
        recording += [index] * len(firsts)
        start += firsts
    of_clip = np.array(recording, np.int64)
    found = {head: np.array(classes, np.int64)[of_clip] for head, classes in (labels or {}).items()}
    return ClipSet(tuple(sequences), of_clip, np.array(start, np.int64), found, steps, names)


def evenly(items: Sequence[int], most: int) -> list[int]:
    """``most`` of the items, evenly spread from the first to the last; all of them for 0."""
    if most == 0 or len(items) <= most:
        return list(items)
    return [items[int(place)] for place in np.linspace(0, len(items) - 1, most).round()]


def too_short(name: str, frames: int, steps: int) -> MaestroError:
    """The error of a recording that is shorter than a clip."""
    return MaestroError(
        name,
        f"too short: {frames} frames",
        allowed=f"at least one clip, {steps} frames",
        cure="give a longer recording, or set features.clip_s lower and train again",
    )


def join_clips(sets: Sequence[ClipSet]) -> ClipSet:
    """All clips of several sets, in their order; nothing is copied but indices."""
    firsts = np.cumsum([0, *(len(part.sequences) for part in sets)])
    return ClipSet(
        sequences=tuple(sequence for part in sets for sequence in part.sequences),
        recording=np.concatenate([part.recording + first for part, first in zip(sets, firsts[:-1], strict=True)]),
        start=np.concatenate([part.start for part in sets]),
        labels={head: np.concatenate([part.labels[head] for part in sets]) for head in sets[0].labels},
        steps=sets[0].steps,
        names=tuple(name for part in sets for name in part.names),
    )


def data_clips(config: Config, data: DataSet | None = None) -> tuple[dict[str, ClipSet], dict[str, tuple[str, ...]]]:
    """Clips of the configuration's data set, making its features where they are not kept yet.

    Parameters
    ----------
    config
        Whose data set, and whose features.
    data
        The data set, if it is open already.

    Returns
    -------
    dict of split -> ClipSet
        'train', 'validation', 'test' and further test sets; windows that do not overlap.
    dict of head -> class names

    Raises
    ------
    MaestroError
        The data set is not there or damaged, or its features cannot be kept.
    CallError
        What the configuration says of it is wrong.
    """
    if config.task.name == SEGMENTATION:
        from train.segmentation.splices import spliced_sets

        return spliced_sets(config)
    data = data or open_dataset(config)
    sequences = dataset_features(data, config)
    sets = {}
    for split in data.splits:
        members = [index for index, recording in enumerate(data.recordings) if recording.split == split]
        recordings = [data.recordings[index] for index in members]
        sets[split] = recording_clips(data, recordings, [sequences[index] for index in members], config)
    return sets, data.labels


def recording_clips(
    data: DataSet, recordings: Sequence[Recording], sequences: Sequence[Frames | None], config: Config
) -> ClipSet:
    """Clips of some of a data set's recordings, given their features: windows that do not overlap, with labels.

    Recordings whose features are None, bad ones, have no clips.
    """
    steps = clip_steps(config.features)
    heard = [(one, sequence) for one, sequence in zip(recordings, sequences, strict=True) if sequence is not None]
    labels = {head: [_label(data, recording, head) for recording, _ in heard] for head in data.labels}
    names = [recording.id for recording, _ in heard]
    kept = [sequence for _, sequence in heard]
    return cut_clips(kept, steps, steps, names=names, labels=labels, most=config.data.clips)


def _label(data: DataSet, recording: Recording, head: str) -> int:
    name = recording.labels.get(head)
    return data.labels[head].index(name) if name in data.labels[head] else UNLABELLED
