"""Noisy clips of a data set: for evaluation at chosen levels, and copies of the training clips."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.config import Config
from train.config_checks import ALL_NOISES
from train.data.augment.noise_files import noise_recordings
from train.data.clips import ClipSet, recording_clips
from train.data.dataset import DataSet, Recording
from train.data.noise import check_kind, make_noise, mix_clips, segments
from train.data.recordings import changed_features, content_names, heard_dataset
from train.data.sound import load_sound
from train.errors import CallError, MaestroError
from train.features import clip_steps, hop_samples

# Raise it when the noise of one and the same recording changes.
FORMAT = 1
# What random numbers are for, so that evaluation never hears the noise of training.
_EVALUATION, _TRAINING, _LEVELS = 1, 2, 3

Condition = tuple[str, float]


def noisy_sets(config: Config, split: str, conditions: Sequence[Condition]) -> dict[Condition, ClipSet]:
    """A split's clips with each kind of noise at each level, for evaluation.

    The noise is fixed: it depends on ``config.noise.seed``, the kind and the recording, and is the same at every
    level. Every clip has the exact ratio. Babble is made of validation recordings of other pieces, noise of the kind
    folder of those files in ``config.noise.folder`` that training does not hear. What is not cached is computed in one
    pass over the recordings.

    Parameters
    ----------
    config
        Its sections ``data``, ``corpus`` and ``features``, ``noise.seed`` and ``noise.folder`` count.
    split
        'train', 'validation', 'test' or a further test set.
    conditions : each (kind, snr_db)
        Kinds of noise and signal-to-noise ratios in decibels.

    Returns
    -------
    dict of (kind, snr_db) -> ClipSet
        In the order asked for; clips and labels as `train.data.clips.data_clips` gives them.

    Raises
    ------
    CallError
        No such split or kind, or a negative seed.
    MaestroError
        A recording cannot be read, is silent for a whole clip, or the cache cannot be written.
    """
    for kind, _ in conditions:
        check_kind(kind)
    data = heard_dataset(config)
    if split not in data.splits:
        raise CallError(f"split {split!r}", f"not in {data.name}", allowed=f"one of {', '.join(data.splits)}")
    changes = [_noise(config, data, kind, (snr_db,), _EVALUATION) for kind, snr_db in conditions]
    sets = _heard(config, data, split, changes)
    return dict(zip(conditions, sets, strict=True))


def noisy_clips(config: Config, split: str, kind: str, snr_db: float) -> ClipSet:
    """A split's clips with one kind of noise at one level: `noisy_sets` of one condition."""
    return noisy_sets(config, split, [(kind, snr_db)])[kind, snr_db]


def training_variants(config: Config) -> tuple[ClipSet, ...]:
    """Noisy copies of the training clips, one a kind in ``config.noise.kinds``; none where ``noise.share`` is 0.

    Each clip's level is drawn from ``config.noise.snr_db``. Babble is made of training recordings of other pieces.

    Returns
    -------
    tuple of ClipSet
        Clip i of each is clip i of the training split.

    Raises
    ------
    MaestroError
        A recording cannot be read, is silent for a whole clip, or the cache cannot be written.
    """
    noise = config.noise
    if noise.share == 0:
        return ()
    data = heard_dataset(config)
    changes = [_noise(config, data, kind, noise.snr_db, _TRAINING) for kind in noise.kinds]
    return tuple(_heard(config, data, "train", changes))


def _heard(config: Config, data: DataSet, split: str, changes: Sequence["AddedNoise"]) -> list[ClipSet]:
    recordings = [recording for recording in data.recordings if recording.split == split]
    found = changed_features(data, recordings, config, changes, f"features with noise, {split}")
    return [recording_clips(data, recordings, sequences, config) for sequences in found]


@dataclass(frozen=True)
class AddedNoise:
    """Noise mixed into recordings: a `train.data.recordings.Change`.

    Attributes
    ----------
    kind
        Of noise.
    snr_db
        Ratios in decibels; where there are several, each segment's is drawn.
    seed, purpose
        What decides the noise, with the kind and the recording.
    sample_rate_hz
        Rate of the recordings.
    segment_samples
        Samples of a clip.
    folder, pool
        What babble is made of and the data set's folder, or the user's noise and its folder; empty for other kinds.
    contents
        What is in the files of the pool, a name each.
    """

    kind: str
    snr_db: tuple[float, ...]
    seed: int
    purpose: int
    sample_rate_hz: int
    segment_samples: int
    folder: Path
    pool: tuple[Recording, ...]
    contents: tuple[str, ...]

    def key(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "numpy": metadata.version("numpy"),
            "kind": self.kind,
            "snr_db": self.snr_db,
            "seed": self.seed,
            "purpose": self.purpose,
            "pool": [[one.id, one.piece, content] for one, content in zip(self.pool, self.contents, strict=True)],
        }

    def apply(self, audio: NDArray[np.float32], recording: Recording) -> NDArray[np.float32]:
        count = segments(audio.size, self.segment_samples)
        levels = np.full(count, self.snr_db[0])
        if len(self.snr_db) > 1:
            levels = np.random.default_rng(self._seed(_LEVELS, recording)).choice(self.snr_db, count)
        # A piece heard in the background as well would be helped, not disturbed.
        pool = tuple(self.folder / other.file for other in self.pool if other.piece != recording.piece)
        noise = _cached_noise(self.kind, audio.size, self.sample_rate_hz, self._seed(self.purpose, recording), pool)
        try:
            return mix_clips(audio, noise, levels, self.segment_samples)
        except MaestroError as error:
            if not error.found.startswith("silent"):
                raise
            cure = "in training, section augment makes noise that leaves silent clips as they are"
            raise MaestroError(f"{recording.file}, {error.where}", error.found, cure=cure) from error

    def _seed(self, purpose: int, recording: Recording) -> tuple[int, ...]:
        return self.seed, purpose, zlib.crc32(recording.id.encode()), ALL_NOISES.index(self.kind)


def _noise(config: Config, data: DataSet, kind: str, snr_db: Sequence[float], purpose: int) -> AddedNoise:
    rate_hz = config.sample_rate_hz
    folder, pool = data.path, noise_pool(config, data, kind, training=purpose == _TRAINING)
    if kind == "folder":
        folder = Path(config.noise.folder)
    # A folder's recordings are named by their content already.
    contents = content_names(data, pool) if kind == "babble" else tuple(recording.id for recording in pool)
    return AddedNoise(
        kind=kind,
        snr_db=tuple(map(float, snr_db)),
        seed=config.noise.seed,
        purpose=purpose,
        sample_rate_hz=rate_hz,
        segment_samples=clip_steps(config.features) * hop_samples(rate_hz, config.features),
        folder=folder,
        pool=pool,
        contents=contents,
    )


def noise_pool(config: Config, data: DataSet, kind: str, *, training: bool) -> tuple[Recording, ...]:
    """Recordings that a kind of noise is made of: of the data set for babble, of ``noise.folder`` for folder, or none.

    Training and evaluation hear different ones. A piece is not heard as noise in itself: whoever takes of the pool
    leaves those with the recording's own ``piece`` out.

    Raises
    ------
    MaestroError
        There is no such folder, or no sound in it.
    """
    if kind == "folder":
        return noise_recordings(config.noise.folder, training=training)
    return tuple(data.of_split("train" if training else "validation")) if kind == "babble" else ()


class _Recordings(Sequence[NDArray[np.float32]]):
    """Recordings read when they are asked for."""

    def __init__(self, paths: Sequence[Path], sample_rate_hz: int) -> None:
        self._paths, self._sample_rate_hz = paths, sample_rate_hz

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: Any) -> Any:
        return load_sound(self._paths[index], self._sample_rate_hz)


# A recording's noise is the same at every level. Only the last one is kept: that of a long recording is large.
@lru_cache(maxsize=1)
def _cached_noise(
    kind: str, samples: int, sample_rate_hz: int, seed: tuple[int, ...], pool: tuple[Path, ...]
) -> NDArray[np.float32]:
    return make_noise(kind, samples, sample_rate_hz, seed, _Recordings(pool, sample_rate_hz))
