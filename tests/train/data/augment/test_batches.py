"""Batches changed on the fly: seeded, the same with any number of processes, and ended cleanly."""

import dataclasses
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from train.config import AugmentConfig
from train.data.augment import batches as module
from train.data.augment.ahead import ahead
from train.data.augment.batches import heard_batches
from train.data.clips import recording_clips
from train.data.sound import load_sound
from train.errors import MaestroError
from train.features import sound_features


@pytest.fixture
def clips(config, data):
    members = data.of_split("train")
    sequences = [sound_features(load_sound(data.file_of(entry), 8000), 8000, config.features) for entry in members]
    return recording_clips(data, members, sequences, config)


@pytest.fixture
def batches(clips):
    rng = np.random.default_rng(5)
    order = rng.permutation(len(clips))
    return [(part, rng.integers(-8, 9, part.size)) for part in np.array_split(order, 4)]


def heard(config, data, clips, batches, epoch=0, **changes):
    changed = dataclasses.replace(config, augment=dataclasses.replace(config.augment, **changes))
    return list(heard_batches(changed, data, clips, batches, epoch))


def test_a_share_of_the_clips_is_changed_anew_in_every_epoch(config, data, clips, batches):
    assert len(clips) == 30
    plain = [clips.features(*batch) for batch in batches]
    epochs = [heard(config, data, clips, batches, epoch) for epoch in range(3)]
    masks = []
    for found in epochs:
        assert [part.shape for part in found] == [part.shape for part in plain]
        changed = [(ours != theirs).any(axis=(1, 2)) for ours, theirs in zip(found, plain, strict=True)]
        masks.append(np.concatenate(changed))
    assert 0.4 < np.mean(masks) < 0.8
    assert len({mask.tobytes() for mask in masks}) == 3
    both = masks[0] & masks[1]
    first, second = np.concatenate(epochs[0])[both], np.concatenate(epochs[1])[both]
    assert (first != second).any(axis=(1, 2)).all()


def test_noise_is_another_in_every_epoch_and_clip(config, data, clips):
    config = dataclasses.replace(
        config, augment=AugmentConfig(share=1, noise=1, kinds=("white",), snr_low_db=5, snr_high_db=5, workers=0)
    )
    for change in ("reverb", "level", "equaliser", "pitch", "tempo"):
        config = dataclasses.replace(config, augment=dataclasses.replace(config.augment, **{change: 0.0}))
    # The same sound three times: twice in one epoch as two clips, and in the next.
    twins = dataclasses.replace(clips, start=np.full_like(clips.start, 4), recording=np.zeros_like(clips.recording))
    batches = [(np.arange(2), np.zeros(2, np.int64))]
    ((one, other),), ((later, _),) = (heard(config, data, twins, batches, epoch) for epoch in (0, 1))
    assert (one != other).any()
    assert (one != later).any()


def test_nothing_but_seed_epoch_and_clip_decides(config, data, clips, batches):
    first = np.concatenate(heard(config, data, clips, batches))
    again = np.concatenate(heard(config, data, clips, [*reversed(batches)])[::-1])
    np.testing.assert_array_equal(again, first)
    assert not np.array_equal(np.concatenate(heard(config, data, clips, batches, seed=2)), first)


@pytest.mark.parametrize("workers", [1, 3])
def test_processes_change_nothing(config, data, clips, batches, no_process_left, workers):
    for found, expected in zip(
        heard(config, data, clips, batches, workers=workers), heard(config, data, clips, batches), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_without_a_share_no_sound_is_read(config, data, clips, batches, monkeypatch):
    monkeypatch.setattr(module, "Hearing", lambda *_: pytest.fail("listened"))
    for found, batch in zip(heard(config, data, clips, batches, share=0.0), batches, strict=True):
        np.testing.assert_array_equal(found, clips.features(*batch))
    assert heard(config, data, clips, [], share=0.0) == []


def test_all_clips_may_be_changed(config, data, clips, batches):
    for found, batch in zip(heard(config, data, clips, batches, share=1.0), batches, strict=True):
        assert (found != clips.features(*batch)).any(axis=(1, 2)).all()


def test_whoever_stops_listening_leaves_no_process(config, data, clips, batches, no_process_left):
    busy = dataclasses.replace(config, augment=dataclasses.replace(config.augment, workers=2))
    iterator = heard_batches(busy, data, clips, batches, 0)
    next(iterator)
    iterator.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_missing_recording_is_named(config, data, clips, batches, no_process_left, workers):
    for entry in data.of_split("train"):
        data.file_of(entry).unlink()
    with pytest.raises(MaestroError, match=r"train-.*\.wav: no such file"):
        heard(config, data, clips, batches, workers=workers)


def work(shared, job):
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "sleep":
        Path(shared).touch()
        time.sleep(0.3)
    return f"{job} done"


def test_work_is_done_in_order_and_taken_as_needed(tmp_path, no_process_left):
    taken = []
    jobs = (taken.append(number) or str(number) for number in range(500))
    found = ahead(work, tmp_path / "x", jobs, 2, "work")
    assert next(found) == "0 done"
    assert len(taken) < 100
    assert [*found] == [f"{number} done" for number in range(1, 500)]


def test_a_killed_process_is_told(tmp_path, no_process_left):
    with pytest.raises(MaestroError, match=r"changed clips: one of its processes was killed. Free some memory, or use"):
        list(ahead(work, tmp_path / "x", ["a", "die", "b"], 1, "changed clips"))


def test_an_interrupt_ends_the_processes(tmp_path, no_process_left):
    def interrupted():
        yield "sleep"
        while not (tmp_path / "x").exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(ahead(work, tmp_path / "x", interrupted(), 2, "work"))
