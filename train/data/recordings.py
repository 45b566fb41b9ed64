"""Features of a data set's recordings, heard as they are or changed (by noise, say), from the feature store."""

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import soundfile
from numpy.typing import NDArray

from train import artifacts
from train.artifacts import key_of, sha256
from train.config import Config, section_dict
from train.console import say
from train.data.containers import file_size
from train.data.dataset import TRAIN, DataSet, Recording, open_dataset
from train.data.store.contents import Contents, Stamp
from train.data.store.making import Job, entry_name, make_features
from train.data.store.shelf import Shelf, StoredFeatures
from train.errors import MaestroError
from train.features import clip_steps

# Raise it when the features of one and the same recording change.
FORMAT = 1
# Packages whose next version may compute other features, in the last bits at least.
_DECIDING = ("librosa", "numpy", "scipy", "soundfile", "soxr")
# Times that what cannot be read back is made again: a disk that keeps nothing must not be tried for ever.
_TRIES = 3
# Recordings that a message names; all are said on stderr.
_NAMED = 10

# What is wrong with files that were read by this process: a command asks for a data set's features several times.
_BAD: dict[tuple[str, Stamp], str] = {}

Features = NDArray[np.float32]


@runtime_checkable
class Change(Protocol):
    """What is done to a recording's samples before its features are taken. It travels to other processes."""

    def key(self) -> dict[str, Any]:
        """All that decides the samples it gives, as JSON-able data, for the name of a cache."""

    def apply(self, audio: NDArray[np.float32], recording: Recording) -> NDArray[np.float32]:
        """Samples in, as many samples out, shape (sample,)."""


def dataset_features(data: DataSet, config: Config) -> list[StoredFeatures | None]:
    """Features of a data set's recordings, in its order; those that are not kept yet are made.

    Returns
    -------
    list of StoredFeatures, each (feature, frame)
        Read when they are asked for. None for a bad recording, with ``data.skip_bad``.

    Raises
    ------
    MaestroError
        Recordings are bad (all others are kept), leaving them out takes a side or a class away, or the features cannot
        be kept.
    """
    (found,) = changed_features(data, data.recordings, config, [None])
    check_left(data, found)
    return found


def changed_features(
    data: DataSet,
    recordings: Sequence[Recording],
    config: Config,
    changes: Sequence[Change | None],
    label: str = "features",
) -> list[list[StoredFeatures | None]]:
    """Features of some of a data set's recordings, heard in several ways; what is not kept yet is made in one pass.

    Parameters
    ----------
    data, recordings
        The data set and which of its recordings, in order.
    config
        Whose features.
    changes
        What is done to the samples first; None for nothing.
    label
        What the progress is called.

    Returns
    -------
    list of list of StoredFeatures, each (feature, frame)
        One list a change, as long as ``recordings``; None for a bad recording, with ``data.skip_bad``.

    Raises
    ------
    MaestroError
        Recordings are bad, or features cannot be kept.
    """
    shelves = [_shelf(data, config, change) for change in changes]
    contents = Contents(artifacts.CACHE / "features" / "contents.jsonl")
    stamps = {recording.id: _stamp(data.file_of(recording)) for recording in recordings}
    bad = {one: _BAD[stamp] for one, stamp in stamps.items() if stamp in _BAD}
    for left in reversed(range(_TRIES)):
        found = _kept(data, recordings, contents, shelves, changes)
        jobs = []
        for index, recording in enumerate(recordings):
            missing = [number for number, kept in enumerate(found) if kept[index] is None]
            if missing and recording.id not in bad:
                chosen = tuple(shelves[number] for number in missing), tuple(changes[number] for number in missing)
                jobs.append(Job(data.file_of(recording), recording, config, *chosen))
        if not jobs:
            break
        if not left:
            raise MaestroError(
                str(artifacts.CACHE / "features"), "what is written here cannot be read back", cure="check the disk"
            )
        bad |= make_features(data, jobs, contents, label)
    _BAD.update({stamp: bad[one] for one, stamp in stamps.items() if stamp is not None and one in bad})
    steps = clip_steps(config.features)
    for index, recording in enumerate(recordings):
        there = [features for kept in found if (features := kept[index]) is not None]
        if there and there[0].shape[1] < steps:
            bad[recording.id] = f"{data.file_of(recording)}: too short: {there[0].shape[1]} frames (a clip has {steps})"
    if bad:
        _tell(data, recordings, bad, config.data.skip_bad)
    gone = [recording.id in bad for recording in recordings]
    return [[None if out else features for features, out in zip(kept, gone, strict=True)] for kept in found]


def without_bad(data: DataSet, config: Config) -> DataSet:
    """The data set as it is heard: with ``data.skip_bad``, without its bad recordings.

    Raises
    ------
    MaestroError
        As `dataset_features`.
    """
    if not config.data.skip_bad:
        return data
    found = dataset_features(data, config)
    heard = [recording for recording, features in zip(data.recordings, found, strict=True) if features is not None]
    if len(heard) == len(found):
        return data
    sides = ", ".join(f"{split} {sum(one.split == split for one in heard)}" for split in data.splits)
    count = len(found) - len(heard)
    bad = f"{count} bad recordings are" if count > 1 else "1 bad recording is"
    remark = f"{bad} left out, which other counts may hold; there are {sides}"
    return dataclasses.replace(data, recordings=tuple(heard), remarks=(*data.remarks, remark))


def heard_dataset(config: Config) -> DataSet:
    """The configuration's data set as it is heard: `train.data.dataset.open_dataset`, and then `without_bad`."""
    return without_bad(open_dataset(config), config)


def content_names(data: DataSet, recordings: Sequence[Recording]) -> tuple[str, ...]:
    """What tells the sound of recordings from any other, a name each.

    Raises
    ------
    MaestroError
        A file is not there, or cannot be read.
    """
    contents = Contents(artifacts.CACHE / "features" / "contents.jsonl")
    names = []
    for recording in recordings:
        file = data.file_of(recording)
        content = contents.of(file)
        if content is None:
            file_size(file)
            content = sha256(file)
        names.append(entry_name(content, recording, None))
    return tuple(names)


def dataset_key(data: DataSet) -> str:
    """A short key of all that is learned from a data set: recordings by their content, their sides and labels.

    Raises
    ------
    MaestroError
        As `content_names`.
    """
    contents = content_names(data, data.recordings)
    told = [[one.id, one.split, sorted(one.labels.items())] for one in data.recordings]
    return key_of([list(contents), told, list(data.labels.items())])


def check_left(data: DataSet, features: Sequence[Any]) -> None:
    """Refuse a data set of which too much is left out.

    Parameters
    ----------
    data
        The data set.
    features
        One entry a recording, None for what is left out.

    Raises
    ------
    MaestroError
        A side has no recording left, or training none of a class that it had.
    """
    left = [recording for recording, found in zip(data.recordings, features, strict=True) if found is not None]
    cure = "mend the bad recordings, or give more"
    for split in data.splits:
        if not any(recording.split == split for recording in left):
            raise MaestroError(data.name, f"without its bad recordings, {split} has none", cure=cure)
    for head in data.labels:
        had, has = (
            {entry.labels[head] for entry in entries if entry.split == TRAIN and head in entry.labels}
            for entries in (data.recordings, left)
        )
        if had - has:
            lost = ", ".join(repr(name) for name in sorted(had - has)[:_NAMED])
            more = f" and {len(had - has) - _NAMED} more" if len(had - has) > _NAMED else ""
            raise MaestroError(
                data.name, f"without its bad recordings, training has none of {head} {lost}{more}", cure=cure
            )


def _shelf(data: DataSet, config: Config, change: Change | None) -> Shelf:
    """The folder named by everything but the recording that decides features."""
    features = section_dict(config.features)
    if change is None:
        # The length of clips cut from them does not.
        del features["clip_s"]
    content: dict[str, Any] = {
        "format": FORMAT,
        "versions": {name: metadata.version(name) for name in _DECIDING}
        | {"libsndfile": soundfile.__libsndfile_version__},
        "rate": config.sample_rate_hz,
        "features": features,
    }
    if change is not None:
        content |= {"change": change.key(), "data": data.path.name}
    return Shelf(artifacts.CACHE / "features" / key_of(content))


def _kept(
    data: DataSet,
    recordings: Sequence[Recording],
    contents: Contents,
    shelves: Sequence[Shelf],
    changes: Sequence[Change | None],
) -> list[list[StoredFeatures | None]]:
    """What is kept and whole, None for the rest: one list a shelf."""
    known = [contents.of(data.file_of(recording)) for recording in recordings]
    found: list[list[StoredFeatures | None]] = []
    for shelf, change in zip(shelves, changes, strict=True):
        names = [
            entry_name(content, recording, change) if content else ""
            for content, recording in zip(known, recordings, strict=True)
        ]
        there = shelf.find({name for name in names if name})
        found.append([there.get(name) for name in names])
    return found


def _stamp(file: Path) -> tuple[str, Stamp] | None:
    try:
        return str(file.resolve()), Stamp.of(file)
    except OSError:
        return None


@lru_cache(maxsize=64)
def _say_once(text: str) -> None:
    say(text)


def _tell(data: DataSet, recordings: Sequence[Recording], bad: dict[str, str], skip: bool) -> None:
    """Say which recordings are bad; an error of them unless they are skipped."""
    told = [bad[recording.id] for recording in recordings if recording.id in bad]
    count = f"{len(told)} of {len(recordings)} recordings"
    if skip:
        _say_once("\n".join([f"{data.name}: {count} left out:", *(f"  {line}" for line in told)]))
        return
    if len(told) > _NAMED:
        say("\n".join(told))
    more = f"; and {len(told) - _NAMED} more, listed above" if len(told) > _NAMED else ""
    raise MaestroError(
        data.name,
        f"{count} cannot be used: {'; '.join(told[:_NAMED])}{more}",
        cure="mend them, or leave them out with --set data.skip_bad=true; the features of all others are kept",
    )
