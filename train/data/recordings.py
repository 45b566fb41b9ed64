"""Features of a data set's recordings, heard as they are or changed (by noise, say), computed once."""

import os
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from train import artifacts
from train.artifacts import atomic_write, key_of
from train.config import Config, section_dict
from train.console import say
from train.data.dataset import DataSet, Recording
from train.data.parallel import PROCESSES, in_parallel
from train.data.sound import load_sound
from train.features import sound_features, warm_up

# Raise it when the features of one and the same recording change.
FORMAT = 1

Features = NDArray[np.float32]


@runtime_checkable
class Change(Protocol):
    """What is done to a recording's samples before its features are taken. It travels to other processes."""

    def key(self) -> dict[str, Any]:
        """All that decides the samples it gives, as JSON-able data, for the name of a cache."""

    def apply(self, audio: NDArray[np.float32], recording: Recording) -> NDArray[np.float32]:
        """Samples in, as many samples out, shape (sample,)."""


def dataset_features(data: DataSet, config: Config) -> list[Float32[Features, "feature _frame"]]:
    """Features of a data set's recordings, in its order, from the cache if it is there and whole.

    Returns
    -------
    list of NDArray[np.float32], each (feature, frame)

    Raises
    ------
    MaestroError
        A recording cannot be read, or the cache cannot be written.
    """
    return changed_features(data, data.recordings, config, [None])[0]


def changed_features(
    data: DataSet,
    recordings: Sequence[Recording],
    config: Config,
    changes: Sequence[Change | None],
    label: str = "features",
) -> list[list[Float32[Features, "feature _frame"]]]:
    """Features of some of a data set's recordings, heard in several ways, each from its cache if it is there and whole.

    What is missing is computed in one pass over the recordings.

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
    list of list of NDArray[np.float32], each (feature, frame)
        One list a change, as long as ``recordings``.

    Raises
    ------
    MaestroError
        A recording cannot be read, or a cache cannot be written.
    """
    caches = [_cache(data, recordings, config, change) for change in changes]
    found = [_read(cache, len(recordings)) for cache in caches]
    missing = [index for index, sequences in enumerate(found) if sequences is None]
    if missing:
        computed = _compute(data, recordings, config, [changes[index] for index in missing], label)
        for index, sequences in zip(missing, computed, strict=True):
            with atomic_write(caches[index]) as temporary, temporary.open("wb") as file:
                np.savez(file, **{f"recording{number}": sequence for number, sequence in enumerate(sequences)})
            found[index] = sequences
    return [sequences for sequences in found if sequences is not None]


def _cache(data: DataSet, recordings: Sequence[Recording], config: Config, change: Change | None) -> Path:
    """The file named by everything that decides these features."""
    content = {
        "format": FORMAT,
        "librosa": metadata.version("librosa"),
        "data": data.path.name,
        "rate": config.sample_rate_hz,
        "features": section_dict(config.features),
        "recordings": [recording.id for recording in recordings],
    }
    if change is not None:
        content["change"] = change.key()
    return artifacts.CACHE / f"features-{key_of(content)}.npz"


def _read(cache: Path, count: int) -> list[Features] | None:
    """The cached features, None where they must be computed; the archive's own checksums tell a damaged one."""
    if not cache.is_file():
        return None
    try:
        with np.load(cache, allow_pickle=False) as arrays:
            return [arrays[f"recording{index}"] for index in range(count)]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        say(f"{cache}: damaged ({error}); computing the features again")
        return None


def _compute(
    data: DataSet, recordings: Sequence[Recording], config: Config, changes: Sequence[Change | None], label: str
) -> list[list[Features]]:
    """Features of every recording under every change: one list a change."""
    jobs = [(data.path, recording, config, tuple(changes)) for recording in recordings]
    say("features: loading librosa (half a minute at its first use after installation, when it compiles)")
    warm_up()
    # Threads need no limit: the features call no BLAS, and scipy's and soxr's transforms run on one.
    done = in_parallel(_features_of, jobs, label, "recordings", min(PROCESSES, os.cpu_count() or 1))
    return [list(of_change) for of_change in zip(*done, strict=True)]


def _features_of(job: tuple[Path, Recording, Config, tuple[Change | None, ...]]) -> list[Features]:
    folder, recording, config, changes = job
    rate_hz = config.sample_rate_hz
    audio = load_sound(folder / recording.file, rate_hz)
    heard = (audio if change is None else change.apply(audio, recording) for change in changes)
    return [sound_features(samples, rate_hz, config.features) for samples in heard]
