"""Features of recordings, made in parallel and put on their shelves; what disk and time that takes is said before."""

import errno
import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from train.artifacts import sha256
from train.config import Config
from train.console import say, size_words
from train.data.containers import file_size
from train.data.dataset import DataSet, Recording
from train.data.memory import available_bytes
from train.data.midi import rendered_by
from train.data.parallel import cores, in_parallel
from train.data.sound import MIDI_SUFFIXES, load_sound, sound_blocks
from train.data.store.contents import Contents, Stamp
from train.data.store.shelf import SHARD_BYTES, Shelf
from train.errors import CallError, MaestroError
from train.features import block_features, feature_names, hop_samples, sound_features, warm_up

# An entry's share in HDF5's structures, in bytes.
_ENTRY_BYTES = 1024
# Seconds of sound that the time of a second is measured on.
_TRIAL_S = 30
# Bytes that a process takes whatever it works on, and for each sample of a recording that it needs as a whole because
# it is changed: 45 minutes at 16 kHz are 2.1 GB at most, where babble or coloured noise is mixed in (35 to 39 bytes,
# and 4 each for the recording and the noise before it).
_PROCESS_BYTES, _SAMPLE_BYTES = 150e6, 48
# What the system lacks is no recording's fault, and leaves none out.
_SYSTEM = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT)
# The trial reads no file. This much longer takes a second of a 16-bit stereo file, and of MIDI (ten notes a second).
_READING, _RENDERING = 2.2, 4.5


@dataclass(frozen=True)
class Job:
    """Features to be made of one recording.

    Attributes
    ----------
    file
        The recording's file.
    recording, config
        Which recording, whose features.
    shelves, changes
        Where they go, and what is done to the samples first (a `train.data.recordings.Change`, or None), one each.
    """

    file: Path
    recording: Recording
    config: Config
    shelves: tuple[Shelf, ...]
    changes: tuple[Any, ...]


@dataclass(frozen=True)
class Made:
    """What came of a job: the file's SHA-256 and what it was read of, or what is wrong with the recording."""

    content: str = ""
    stamp: Stamp | None = None
    computed: int = 0
    bad: str = ""


def entry_name(content: str, recording: Recording, change: Any) -> str:
    """Name of a recording's features on a shelf, by all of the recording that decides them.

    Parameters
    ----------
    content
        SHA-256 of its file.
    recording, change
        Whose features; a change may depend on the recording's names too.
    """
    parts: list[Any] = []
    if Path(recording.file).suffix.lower() in MIDI_SUFFIXES:
        parts += rendered_by()
    if change is not None:
        parts += [recording.id, recording.piece]
    return hashlib.sha256(json.dumps([content, *parts]).encode()).hexdigest() if parts else content


def make_features(data: DataSet, jobs: Sequence[Job], contents: Contents, label: str) -> dict[str, str]:
    """Make features and put them on their shelves, each recording's at once when it is done.

    Returns
    -------
    dict of recording id -> str
        What is wrong with those recordings that cannot be heard; all others are made.

    Raises
    ------
    MaestroError
        The disk has no room, or a process was killed; what was made is kept.
    CallError
        The configuration's features cannot be computed of any recording.
    """
    _load()
    _foretell(jobs, data.name, label)
    # The longest first, lest one core be left with it at the end.
    jobs = sorted(jobs, key=lambda job: -job.recording.duration_s)
    seconds = [max(1, round(job.recording.duration_s)) for job in jobs]
    total_h, heard_s = sum(seconds) / 3600, 0.0
    bad: dict[str, str] = {}
    shelves = {shelf for job in jobs for shelf in job.shelves}

    def kept(job: Job, made: Made) -> None:
        nonlocal heard_s
        heard_s += job.recording.duration_s
        if made.bad:
            bad[job.recording.id] = made.bad
        elif made.stamp is not None:
            contents.learn(job.file, made.stamp, made.content)
        for shelf in job.shelves:
            waiting[shelf] += _bytes(job.recording.duration_s, job.config)
            if waiting[shelf] >= SHARD_BYTES:
                waiting[shelf] = 0
                shelf.pack()

    waiting = {shelf: shelf.waiting_bytes() for shelf in shelves}
    # Threads need no limit: the features call no BLAS, and scipy's and soxr's transforms run on one.
    in_parallel(
        _make,
        jobs,
        label,
        "s of sound",
        _processes(jobs),
        sizes=seconds,
        note=lambda: f"({heard_s / 3600:.2f} of {total_h:.2f} h)",
        each=kept,
    )
    for shelf in shelves:
        shelf.pack()
    return bad


@lru_cache(maxsize=1)
def _load() -> None:
    say("features: loading librosa (half a minute at its first use after installation, when it compiles)")
    warm_up()


def _make(job: Job) -> Made:
    """In a process of its own: features of one recording under every change, kept."""
    rate_hz, features = job.config.sample_rate_hz, job.config.features
    try:
        file_size(job.file)
        before = Stamp.of(job.file)
        young = before.is_young()
        content = sha256(job.file)
        names = [entry_name(content, job.recording, change) for change in job.changes]
        wanted = [index for index, name in enumerate(names) if name not in _names(job.shelves[index])]
        # Changes are made to whole recordings; what is only heard goes through block by block.
        changed = any(job.changes[index] is not None for index in wanted)
        audio = load_sound(job.file, rate_hz) if changed else None
        heard = block_features(sound_blocks(job.file, rate_hz), rate_hz, features) if wanted and not changed else None
        if Stamp.of(job.file) != before or (young and sha256(job.file) != content):
            raise MaestroError(str(job.file), "changed while it was read", cure="run it again when it is complete")
    except CallError:
        raise
    except (MaestroError, OSError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if isinstance(cause, OSError) and cause.errno in _SYSTEM:
            cure = "mend that first; what was made is kept, and no recording is at fault"
            raise MaestroError(str(job.file), f"cannot be heard: {cause.strerror}", cure=cure) from error
        return Made(bad=" ".join(str(error).split()))
    for index in wanted:
        change = job.changes[index]
        if audio is not None:
            samples = audio if change is None else change.apply(audio, job.recording)
            heard = sound_features(samples, rate_hz, features)
        if heard is not None:
            job.shelves[index].keep(names[index], heard)
    return Made(content, before, len(wanted))


@lru_cache(maxsize=64)
def _names(shelf: Shelf) -> frozenset[str]:
    """What was on a shelf when this process began with it; what came since is made again, and is the same."""
    return frozenset(shelf.names())


def _bytes(duration_s: float, config: Config) -> int:
    frames = 2 + int(duration_s * config.sample_rate_hz / hop_samples(config.sample_rate_hz, config.features))
    return 4 * frames * len(feature_names(config.features)) + _ENTRY_BYTES


def _foretell(jobs: Sequence[Job], name: str, label: str) -> None:
    """Say how much disk and time is needed, and refuse to begin what cannot be ended.

    Raises
    ------
    MaestroError
        There is too little room.
    """
    seconds = sum(job.recording.duration_s for job in jobs)
    # Pieces and the shard that they are packed into are there together for a moment.
    needed = sum(len(job.shelves) * _bytes(job.recording.duration_s, job.config) for job in jobs)
    folder = jobs[0].shelves[0].folder
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed + 2 * SHARD_BYTES > free:
        raise MaestroError(
            str(jobs[0].shelves[0].folder),
            f"the features of {name} need {size_words(needed + 2 * SHARD_BYTES)} of disk, {size_words(free)} are free",
            cure="free some disk space, or put the folder .cache on another disk (a link will do)",
        )
    count = f"{len(jobs)} recording{'' if len(jobs) == 1 else 's'}"
    using = _processes(jobs)
    work = sum(
        job.recording.duration_s * (_RENDERING if job.file.suffix.lower() in MIDI_SUFFIXES else _READING)
        for job in jobs
    )
    left_s = work * _second(jobs[0].config) * max(len(job.shelves) for job in jobs) / using
    minutes = f"{left_s / 60:.0f} minutes" if left_s >= 90 else f"{left_s:.0f} s"
    say(
        f"{label}: {seconds / 3600:.2f} hours of sound in {count}; about {size_words(needed)} of disk "
        f"({size_words(free)} free) and {minutes} on {using} {'core' if using == 1 else 'cores'}"
    )


def _processes(jobs: Sequence[Job]) -> int:
    """As many as there are cores and jobs, and as half of the memory that is available has room for."""
    whole = [
        job.recording.duration_s * job.config.sample_rate_hz
        for job in jobs
        if any(change is not None for change in job.changes)
    ]
    room = available_bytes() / 2 / (_PROCESS_BYTES + _SAMPLE_BYTES * max(whole, default=0))
    return max(1, min(cores(), len(jobs), int(room)))


def _second(config: Config) -> float:
    """Seconds that the features of a second of sound take on one core, measured on noise."""
    noise = np.random.default_rng(0).standard_normal(_TRIAL_S * config.sample_rate_hz).astype(np.float32)
    started = time.perf_counter()
    sound_features(noise, config.sample_rate_hz, config.features)
    return (time.perf_counter() - started) / _TRIAL_S
