"""Features of data sets from the store: made once, the same to the bit, bad recordings named."""

import dataclasses
import json
import os
import shutil
import time
from collections import namedtuple

import numpy as np
import pytest
import soundfile

from train import artifacts
from train.config import DataConfig
from train.data import recordings
from train.data.recordings import changed_features, check_left, dataset_features, dataset_key, without_bad
from train.data.sound import load_sound
from train.data.store import contents, making
from train.errors import CallError, MaestroError
from train.features import Normaliser, sound_features


@dataclasses.dataclass(frozen=True)
class Louder:
    """A change of the level, told by the recording."""

    factor: float

    def key(self):
        return {"louder": self.factor}

    def apply(self, audio, recording):
        return audio * np.float32(self.factor + int(recording.id[1:]))


def expected(data, config, change=None):
    for recording in data.recordings:
        audio = load_sound(data.file_of(recording), 16000)
        yield sound_features(audio if change is None else change.apply(audio, recording), 16000, config.features)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_features_are_those_of_the_sound_and_made_once(make_set, config, computed, no_process_left):
    data = make_set(1.0, 2.5, 1.5, 0.6)
    assert_same(dataset_features(data, config), expected(data, config))
    assert sorted(computed) == ["r0", "r1", "r2", "r3"]
    assert_same(dataset_features(data, config), expected(data, config))
    assert len(computed) == 4


def test_one_process_makes_the_same(make_set, config, monkeypatch):
    data = make_set(1.0, 1.5, 1.0)
    monkeypatch.setattr(making, "cores", lambda: 1)
    assert_same(dataset_features(data, config), expected(data, config))


def test_a_recording_more_costs_that_recording(make_set, config, computed):
    data = make_set(1.0, 1.0, 1.0, 1.0)
    dataset_features(dataclasses.replace(data, recordings=data.recordings[:3]), config)
    assert_same(dataset_features(data, config), expected(data, config))
    assert sorted(computed) == ["r0", "r1", "r2", "r3"]


def test_a_data_set_that_was_moved_is_known_by_its_content(make_set, config, computed, tmp_path):
    data = make_set(1.0, 1.0, 1.0)
    dataset_features(data, config)
    moved = dataclasses.replace(data, path=data.path.rename(tmp_path / "elsewhere"))
    computed.clear()
    assert_same(dataset_features(moved, config), expected(moved, config))
    assert not computed


def test_a_file_with_another_content_is_heard_again(make_set, config, computed):
    data = make_set(1.0, 1.0, 1.0)
    dataset_features(data, config)
    file = data.file_of(data.recordings[1])
    soundfile.write(file, 0.1 * np.random.default_rng(9).standard_normal(16000), 16000)
    computed.clear()
    assert_same(dataset_features(data, config), expected(data, config))
    assert computed == ["r1"]


def test_a_file_that_is_changed_in_place_and_given_its_old_time_is_heard_again(make_set, config, computed):
    data = make_set(1.0, 1.0, 1.0)
    dataset_features(data, config)
    file = data.file_of(data.recordings[1])
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[5000:6000] = bytes(1000)
    with file.open("r+b") as same:
        same.write(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    computed.clear()
    assert_same(dataset_features(data, config), expected(data, config))
    assert computed == ["r1"]


@pytest.mark.parametrize("package", ["librosa", "numpy", "scipy", "soundfile", "soxr"])
def test_another_version_of_a_library_makes_features_anew(make_set, config, computed, monkeypatch, package):
    data = make_set(1.0, 1.0, 1.0)
    dataset_features(data, config)
    computed.clear()
    real = recordings.metadata.version
    monkeypatch.setattr(recordings.metadata, "version", lambda name: real(name) + ".1" * (name == package))
    dataset_features(data, config)
    assert len(computed) == 3


def test_a_file_changed_while_it_is_read_whose_times_do_not_tell(make_set, config, monkeypatch):
    data = make_set(1.0, 1.0, 1.0)
    monkeypatch.setattr(contents, "_RACY_NS", 2 * 10**9)
    real, stamp = making.sha256, making.Stamp(1, 2, time.time_ns(), 3)
    monkeypatch.setattr(making.Stamp, "of", lambda _: stamp)

    def changing(path):
        found = real(path)
        if path.name == "1.wav":
            soundfile.write(path, 0.1 * np.random.default_rng().standard_normal(16000), 16000)
        return found

    monkeypatch.setattr(making, "sha256", changing)
    with pytest.raises(MaestroError, match=r"1 of 3 .*1\.wav: changed while it was read\. Run it again when it is"):
        dataset_features(data, config)


def test_files_are_not_read_again_to_be_known(make_set, config, monkeypatch):
    data = make_set(1.0, 1.0, 1.0)
    dataset_features(data, config)
    monkeypatch.setattr(making, "in_parallel", lambda *_, **__: pytest.fail("read again"))
    dataset_features(data, config)


def test_a_list_of_contents_that_was_cut_off_only_costs_reading(make_set, config, computed):
    data = make_set(1.0, 1.0, 1.0)
    dataset_features(data, config)
    listed = artifacts.CACHE / "features" / "contents.jsonl"
    last = json.loads(listed.read_bytes().splitlines()[-1])[0]
    listed.write_bytes(b"\xff\n[1]\n{}\n" + listed.read_bytes()[:-30])
    computed.clear()
    assert_same(dataset_features(data, config), expected(data, config))
    assert not computed
    # What was cut off does not swallow the line that was added.
    assert json.loads(listed.read_bytes().splitlines()[-1])[0] == last


def test_the_length_of_clips_does_not_matter_and_all_else_does(make_set, config, computed):
    data = make_set(1.0, 1.0, 1.0)
    dataset_features(data, config)
    for change, count in (({"clip_s": 0.3}, 0), ({"mfcc": 13}, 3), ({"hop_s": 0.02}, 3)):
        computed.clear()
        other = dataclasses.replace(config, features=dataclasses.replace(config.features, **change))
        assert_same(dataset_features(data, other), expected(data, other))
        assert len(computed) == count
    computed.clear()
    dataset_features(data, dataclasses.replace(config, data=dataclasses.replace(config.data, sample_rate_hz=8000)))
    assert len(computed) == 3


def test_changes_are_kept_apart_and_made_in_one_pass(make_set, config, computed):
    data = make_set(1.0, 1.0, 1.0)
    changes = [None, Louder(0.5), Louder(2.0)]
    found = changed_features(data, data.recordings, config, changes)
    for change, features in zip(changes, found, strict=True):
        assert_same(features, expected(data, config, change))
    assert len(computed) == 3
    # A change may depend on a recording's name, so that two of one content are not the same.
    (again,) = changed_features(data, data.recordings[:2], config, [Louder(2.0)])
    assert_same(again, list(expected(data, config, Louder(2.0)))[:2])
    assert len(computed) == 3


def test_recordings_of_one_content_share_their_features(make_set, config):
    data = make_set(1.0, 1.0, 1.0)
    shutil.copy(data.file_of(data.recordings[0]), data.file_of(data.recordings[2]))
    assert_same(dataset_features(data, config), expected(data, config))


def test_need_of_disk_and_time_is_said_before(make_set, config, capsys):
    dataset_features(make_set(1.0, 1.0, 1.0), config)
    said = capsys.readouterr().err
    assert "features: 0.00 hours of sound in 3 recordings; about 0.0 MB of disk (" in said
    assert "GB free) and 0 s on" in said
    assert "features: 3 s of sound in" in said


def test_too_little_disk_is_an_error_before_the_work(make_set, config, monkeypatch):
    data = make_set(1.0, 1.0, 1.0)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(making.shutil, "disk_usage", lambda _: usage(10**12, 10**12, 5_000_000))
    monkeypatch.setattr(making, "in_parallel", lambda *_, **__: pytest.fail("begun"))
    message = r"the features of sounds need 0\.13 GB of disk, 5\.0 MB are free\. Free some disk space, or put the"
    with pytest.raises(MaestroError, match=message):
        dataset_features(data, config)


def test_bad_recordings_are_named_and_all_others_kept(make_set, config, computed, no_process_left):
    data = make_set(*[1.0] * 6)
    whole = data.file_of(data.recordings[1]).read_bytes()
    data.file_of(data.recordings[1]).write_bytes(whole[:9000])
    data.file_of(data.recordings[4]).unlink()
    message = (
        r"^sounds: 2 of 6 recordings cannot be used: \S*1\.wav: truncated: its header promises 32044 bytes, the file "
        r"has 9000\. Copy or download it again, whole; \S*4\.wav: no such file\. Check the path\. Mend them, or leave "
        r"them out with --set data\.skip_bad=true; the features of all others are kept$"
    )
    with pytest.raises(MaestroError, match=message):
        dataset_features(data, config)
    assert sorted(computed) == ["r0", "r2", "r3", "r5"]
    data.file_of(data.recordings[1]).write_bytes(whole)
    data.file_of(data.recordings[4]).write_bytes(whole)
    assert_same(dataset_features(data, config), expected(data, config))


def test_bad_recordings_are_left_out_when_asked(make_set, skipping, capsys):
    data = make_set(*[1.0] * 6)
    data.file_of(data.recordings[1]).write_bytes(b"")
    found = dataset_features(data, skipping)
    assert [index for index, features in enumerate(found) if features is None] == [1]
    said = capsys.readouterr().err
    assert "sounds: 1 of 6 recordings left out:\n  " in said
    assert "1.wav: is empty (0 bytes)" in said
    heard = without_bad(data, skipping)
    assert [recording.id for recording in heard.recordings] == ["r0", "r2", "r3", "r4", "r5"]
    remark = "1 bad recording is left out, which other counts may hold; there are train 2, validation 1, test 2"
    assert heard.remarks == (remark,)
    # Said once a command.
    assert capsys.readouterr().err == ""
    assert dataset_features(heard, skipping)[4].shape == found[5].shape
    assert without_bad(data, dataclasses.replace(skipping, data=DataConfig())) is data


def test_a_data_set_s_key_tells_all_that_is_learned_from_it(make_set, tmp_path):
    data = make_set(1.0, 1.0, 1.0)
    (first, *rest), key = data.recordings, dataset_key(data)

    def changed(**values):
        return dataset_key(dataclasses.replace(data, recordings=(dataclasses.replace(first, **values), *rest)))

    assert len({key, changed(split="test"), changed(labels={"title": "b"}), changed(labels={}), changed(id="x")}) == 5
    assert dataset_key(dataclasses.replace(data, labels={"title": ("b", "a")})) != key
    assert dataset_key(dataclasses.replace(data, path=data.path.rename(tmp_path / "moved"))) == key
    soundfile.write(tmp_path / "moved/1.wav", np.zeros(16000), 16000)
    assert dataset_key(dataclasses.replace(data, path=tmp_path / "moved")) != key


def test_a_recording_shorter_than_a_clip_is_bad(make_set, config, skipping):
    data = make_set(1.0, 1.0, 1.0, 0.3)
    with pytest.raises(MaestroError, match=r"3\.wav: too short: 10 frames \(a clip has 16\)\. Mend"):
        dataset_features(data, config)
    (found,) = changed_features(data, data.recordings, skipping, [None])
    assert found[3] is None


def test_many_bad_recordings_are_counted(make_set, config, capsys):
    data = make_set(*[1.0] * 12)
    for recording in data.recordings:
        data.file_of(recording).write_bytes(b"")
    with pytest.raises(MaestroError, match=r"12 of 12 recordings .*9\.wav: [^;]*; and 2 more, listed above\. Mend"):
        dataset_features(data, config)
    assert "11.wav: is empty" in capsys.readouterr().err


def test_leaving_out_must_leave_every_side_and_class(make_set, skipping):
    data = make_set(*[1.0] * 6)
    data.file_of(data.recordings[3]).write_bytes(b"")
    with pytest.raises(MaestroError, match=r"without its bad recordings, training has none of title 'b'\. Mend"):
        dataset_features(data, skipping)
    left = [None if recording.split == "test" else 1 for recording in data.recordings]
    with pytest.raises(MaestroError, match=r"sounds: without its bad recordings, test has none\. Mend the bad"):
        check_left(data, left)
    check_left(data, [1] * 6)


def test_what_is_wrong_with_the_configuration_is_no_recordings_fault(make_set, skipping):
    config = dataclasses.replace(skipping, features=dataclasses.replace(skipping.features, window=128))
    with pytest.raises(CallError, match=r"features\.window: is 128, too short"):
        dataset_features(make_set(1.0, 1.0, 1.0), config)


def test_damage_is_computed_again(make_set, config, computed, capsys):
    data = make_set(1.0, 1.0, 1.0)
    dataset_features(data, config)
    (shard,) = artifacts.CACHE.rglob("shard-*.h5")
    shard.write_bytes(shard.read_bytes()[:-1000])
    computed.clear()
    assert_same(dataset_features(data, config), expected(data, config))
    assert len(computed) == 3
    assert "damaged" in capsys.readouterr().err


def test_a_disk_that_keeps_nothing(make_set, config, monkeypatch):
    monkeypatch.setattr(making.Shelf, "keep", lambda *_: None)
    with pytest.raises(MaestroError, match=r"features: what is written here cannot be read back\. Check the disk"):
        dataset_features(make_set(1.0, 1.0, 1.0), config)


def test_a_file_that_changes_while_it_is_read(make_set, config, monkeypatch):
    data = make_set(1.0, 1.0, 1.0)
    real = making.sha256

    def changing(path):
        found = real(path)
        if path.name == "1.wav":
            path.write_bytes(path.read_bytes() + b"more")
        return found

    monkeypatch.setattr(making, "sha256", changing)
    with pytest.raises(MaestroError, match=r"1\.wav: changed while it was read\. Run it again when it is complete"):
        dataset_features(data, config)


def test_whole_recordings_are_worked_on_by_no_more_processes_than_memory_has_room_for(make_set, config, monkeypatch):
    data = make_set(1.0, 1.0, 1.0)
    entry = dataclasses.replace(data.recordings[0], duration_s=2700.0)
    shelf = making.Shelf(artifacts.CACHE)
    monkeypatch.setattr(making, "cores", lambda: 8)
    monkeypatch.setattr(making, "available_bytes", lambda: 10e9)
    for file, change, count in (("a.wav", None, 8), ("a.mid", None, 8), ("a.wav", Louder(2.0), 2)):
        job = making.Job(data.path / file, entry, config, (shelf,), (change,))
        assert making._processes([job] * 9) == count
    assert making._processes([job] * 1) == 1
    monkeypatch.setattr(making, "available_bytes", lambda: 1e8)
    assert making._processes([job] * 9) == 1


def test_statistics_of_stored_features_are_those_of_arrays_to_the_bit(make_set, config):
    stored = dataset_features(make_set(1.0, 2.0, 1.5), config)
    of_arrays, of_stored = (Normaliser.fit(list(part)) for part in (map(np.asarray, stored), stored))
    np.testing.assert_array_equal(of_stored.mean, of_arrays.mean)
    np.testing.assert_array_equal(of_stored.std, of_arrays.std)
