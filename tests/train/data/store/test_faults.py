"""Whatever happens, nothing wrong is kept and nothing that was computed is lost."""

import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from train import artifacts
from train.data.recordings import dataset_features
from train.data.store.shelf import Shelf
from train.errors import MaestroError

RATE_HZ = 16000


def noise(seconds, rate_hz=RATE_HZ, channels=1):
    return 0.1 * np.random.default_rng(5).standard_normal((round(seconds * rate_hz), channels))


def truncated(path):
    path.write_bytes(path.read_bytes()[:-5000])


def holey(path):
    sound = noise(1.0)
    sound[[70, 9000]] = np.nan
    soundfile.write(path, sound, RATE_HZ, subtype="FLOAT")


BAD = {
    "truncated": (truncated, "truncated: its header promises 32044 bytes, the file has 27044"),
    "zero length": (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\)"),
    "no samples": (lambda path: soundfile.write(path, np.zeros(0), RATE_HZ), "holds no samples"),
    "text": (lambda path: path.write_text("Six suites for a cello alone."), "cannot be read as sound"),
    "NaN": (holey, "2 of its 16000 samples are NaN or infinite"),
    "silence": (lambda path: soundfile.write(path, np.zeros(RATE_HZ), RATE_HZ), "silent: its peak is below"),
    "gone": (lambda path: path.unlink(), "no such file"),
    "folder": (lambda path: (path.unlink(), path.mkdir()), "is a folder"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_recording_is_named_and_keeps_nothing(make_set, config, skipping, fault):
    data = make_set(*[1.0] * 5)
    damage, message = BAD[fault]
    damage(data.file_of(data.recordings[4]))
    with pytest.raises(MaestroError, match=rf"1 of 5 recordings cannot be used: \S*4\.wav: {message}"):
        dataset_features(data, config)
    found = dataset_features(data, skipping)
    assert found[4] is None
    assert all(features.shape == (33, 32) for features in found[:4])


@pytest.mark.parametrize("reason", [errno.EMFILE, errno.ENOMEM, errno.ENOSPC])
def test_what_the_system_lacks_leaves_no_recording_out(make_set, skipping, monkeypatch, reason):
    making = sys.modules["train.data.store.making"]

    def failing(path, _rate_hz):
        try:
            raise OSError(reason, os.strerror(reason))
        except OSError as error:
            raise MaestroError(str(path), "cannot be read") from error

    monkeypatch.setattr(making, "sound_blocks", failing)
    with pytest.raises(MaestroError, match=rf"\.wav: cannot be heard: {os.strerror(reason)}\. Mend that first"):
        dataset_features(make_set(1.0, 1.0, 1.0), skipping)


@pytest.mark.parametrize(("rate_hz", "channels", "subtype"), [(8000, 1, "PCM_16"), (96000, 2, "PCM_24")])
def test_any_rate_and_width_is_heard(make_set, config, rate_hz, channels, subtype):
    data = make_set(1.0, 1.0, 1.0)
    soundfile.write(data.file_of(data.recordings[0]), noise(1.0, rate_hz, channels), rate_hz, subtype=subtype)
    assert [features.shape for features in dataset_features(data, config)] == [(33, 32)] * 3


def test_a_suffix_that_is_not_the_files(make_set, config, tmp_path):
    data = make_set(1.0, 1.0, 1.0)
    wav, midi = data.path / "1.wav", data.path / "1.mid"
    before = np.asarray(dataset_features(data, config)[1])
    wav.rename(data.path / "1.mp3")
    named = [*data.recordings]
    named[1] = type(named[1])(**{**vars(named[1]), "file": "1.mp3"})
    data = type(data)(**{**vars(data), "recordings": tuple(named)})
    np.testing.assert_array_equal(dataset_features(data, config)[1], before)
    (data.path / "1.mp3").rename(midi)
    named[1] = type(named[1])(**{**vars(named[1]), "file": "1.mid"})
    data = type(data)(**{**vars(data), "recordings": tuple(named)})
    with pytest.raises(MaestroError, match=r"1\.mid: is not a MIDI file"):
        dataset_features(data, config)


@pytest.mark.parametrize("kept", [0, 2, 5])
def test_a_disk_that_fills_up_keeps_what_was_made(make_set, config, computed, monkeypatch, kept, no_process_left):
    data = make_set(*[1.0] * 6)
    monkeypatch.setattr(sys.modules["train.data.store.making"], "cores", lambda: 1)
    monkeypatch.setattr(sys.modules["train.data.parallel"], "cores", lambda: 1)
    real, written = os.fsync, []

    def filling(handle):
        written.append(handle)
        if len(written) > kept:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    with monkeypatch.context() as patched:
        patched.setattr(artifacts.os, "fsync", filling)
        with pytest.raises(MaestroError, match=r"\.h5: cannot be written: No space left on device\. Free some disk"):
            dataset_features(data, config)
    pieces = list(artifacts.CACHE.rglob("pieces/*"))
    assert len(pieces) == kept
    found = dataset_features(data, config)
    assert len(computed) == 6 - kept
    assert all(np.isfinite(np.asarray(features)).all() for features in found)


SCRIPT = """
import json, sys
from pathlib import Path
from train import artifacts
from train.config import Config, DataConfig, FeatureConfig
from train.data.dataset import DataSet, Recording
from train.data.recordings import dataset_features
from train.data.store.shelf import Shelf
from train.errors import MaestroError
told = json.loads(sys.argv[1])
if told["shard"]:
    from train.data.store import making, shelf
    # So that files are packed all the time.
    making.SHARD_BYTES = shelf.SHARD_BYTES = told["shard"]
    shelf._SMALL = told["shard"] // 2
artifacts.CACHE = Path(told["cache"])
if told["limit"]:
    import resource
    from train.features import warm_up
    # Before the limit: compiled modules that are cut off would stay in the environment, and break it.
    warm_up()
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (told["limit"], told["limit"]))
data = DataSet(told["name"], Path(told["path"]), tuple(Recording(**entry) for entry in told["recordings"]), {})
config = Config(data=DataConfig(source="folder", root="x"), features=FeatureConfig(clip_s=0.5))
def run():
    try:
        dataset_features(data, config)
    except MaestroError as error:
        sys.exit(f"error: {error}")


if told["disk"]:
    import subprocess
    from train.data.store import making
    # Whoever shares the disk may fill it after the forecast.
    making._foretell = lambda *_: None
    kept = []
    for size in told["disk"]:
        subprocess.run(["mount", "-o", f"remount,size={size}k", told["cache"]], check=True)
        try:
            dataset_features(data, config)
            print(size, "made", file=sys.stderr)
        except MaestroError as error:
            print(size, error, file=sys.stderr)
        kept.append({path.stem for path in artifacts.CACHE.rglob("pieces/[!.]*.h5")})
        assert not list(artifacts.CACHE.rglob("*.tmp"))
    assert kept[0] <= kept[1], kept
run()
"""


@pytest.fixture
def start(root):
    """start(data, limit): the features of a data set made by a process group of their own, files up to a limit."""
    started = []

    def begin(data, limit=0, disk=(), shard=0):
        told = {
            "cache": str(artifacts.CACHE),
            "name": data.name,
            "path": str(data.path),
            "recordings": [{**vars(entry), "labels": {}} for entry in data.recordings],
            "limit": limit,
            "disk": disk,
            "shard": shard,
        }
        command = [sys.executable, "-c", SCRIPT, json.dumps(told)]
        if disk:
            mount = f'mount -t tmpfs -o size={disk[0]}k tmpfs {artifacts.CACHE} && exec "$@"'
            command = ["unshare", "-rm", "sh", "-c", mount, "sh", *command]
        process = subprocess.Popen(
            command,
            cwd=root,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def test_files_that_may_not_grow(make_set, config, computed, start):
    # The features of 1 s are 5 kB, of 20 s 84.
    data = make_set(1.0, 1.0, 20.0, 1.0)
    process = start(data, limit=40_000)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "cannot be written: File too large. Free some disk space" in said
    dataset_features(data, config)
    assert "r2" in computed


def test_a_small_disk_that_is_full(make_set, start):
    tried = subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    if tried.returncode:
        pytest.skip("no disk of its own may be mounted here")
    artifacts.CACHE.mkdir()
    # The features of a recording are 44 kB, those of all 350, and packing them takes as much again.
    process = start(make_set(*[10.0] * 8), disk=(150, 250, 450, 2000))
    said = process.communicate(timeout=240)[1]
    assert process.returncode == 0, said
    for size in (150, 250, 450):
        assert re.search(rf"^{size} \S*\.h5: cannot be written: No space left on device\. Free some", said, re.M), said
    assert "2000 made" in said


def stored(data):
    """Recordings whose features are kept."""
    shelves = [folder for folder in (artifacts.CACHE / "features").glob("*") if folder.is_dir()]
    names = {name for shelf in shelves for name in Shelf(shelf).names()}
    return {entry.id for entry in data.recordings if artifacts.sha256(data.file_of(entry)) in names}


@pytest.mark.slow
def test_kill_at_random_moments_loses_only_what_was_under_way(make_set, config, computed, start, monkeypatch):
    data = make_set(*[8.0] * 40, rate_hz=44100)
    chance = random.Random(time.time_ns())
    with monkeypatch.context() as patched:
        patched.setattr(artifacts, "CACHE", artifacts.CACHE.parent / "uninterrupted")
        expected = [np.asarray(features) for features in dataset_features(data, config)]
    computed.clear()
    before = set()
    for _ in range(4):
        process = start(data, shard=chance.choice([0, 40_000, 100_000]))
        for line in process.stderr:
            if "hours of sound" in line:
                break
        time.sleep(chance.uniform(0.0, 1.5))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kept = stored(data)
        # What one run left, the next one, killed as well, did not lose.
        assert before <= kept
        before = kept
    found = dataset_features(data, config)
    assert set(computed) == {entry.id for entry in data.recordings} - before
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_processes_at_once_make_the_same(make_set, config, start):
    data = make_set(*[1.0] * 8)
    processes = [start(data, shard=30_000), start(data, shard=15_000)]
    for process in processes:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said
    assert stored(data) == {entry.id for entry in data.recordings}
    assert all(features.shape == (33, 32) for features in dataset_features(data, config))
