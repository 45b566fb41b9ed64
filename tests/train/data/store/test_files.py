"""Files of the store: what was written is read, anything else is told."""

import errno

import h5py
import numpy as np
import pytest

from train.data.store.files import DamagedError, names_in, places_in, read_frames, write_entries
from train.errors import MaestroError


def features(seed=0, frames=100):
    return np.random.default_rng(seed).standard_normal((33, frames)).astype(np.float32)


@pytest.fixture
def file(tmp_path):
    write_entries(tmp_path / "a.h5", {"x": features(0), "y": features(1, 40)})
    return tmp_path / "a.h5"


def test_what_was_written_is_read_whole_and_in_parts(file):
    places = dict(places_in(file, ["x", "y", "z"]))
    assert names_in(file) == ["x", "y"]
    assert places["y"].shape == (40, 33)
    np.testing.assert_array_equal(read_frames(places["x"], 0, 100), features(0))
    part = read_frames(places["y"], 7, 31)
    np.testing.assert_array_equal(part, features(1, 40)[:, 7:31])
    assert part.flags.c_contiguous
    assert part.dtype == np.float32


def test_it_is_an_hdf5_file_that_others_can_read(file):
    with h5py.File(file) as opened:
        np.testing.assert_array_equal(opened["x"][...].T, features(0))


def test_any_flipped_bit_is_told(file):
    whole = file.read_bytes()
    before = {name: features(seed, frames) for name, seed, frames in (("x", 0, 100), ("y", 1, 40))}
    for place in np.random.default_rng(0).choice(len(whole), 150, replace=False):
        content = bytearray(whole)
        content[place] ^= 1 << int(place) % 8
        file.write_bytes(content)
        try:
            found = {name: at for name, at in places_in(file, ["x", "y"]) if at}
        except DamagedError:
            continue
        assert len(found) < 2
        for name, at in found.items():
            np.testing.assert_array_equal(read_frames(at, 0, at.shape[0]), before[name])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_damaged(file, share):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DamagedError, match="no whole HDF5 file"):
        names_in(file)


def test_another_hdf5_file(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as opened:
        opened["x"] = features()
    with pytest.raises(DamagedError, match="no file of the feature store"):
        names_in(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as opened:
        opened.attrs["format"] = 99
    with pytest.raises(DamagedError, match="its format is 99, not 1"):
        names_in(tmp_path / "a.h5")


def test_entries_of_another_kind_are_damaged(tmp_path, file):
    with h5py.File(file, "r+") as opened:
        opened["group/inner"] = np.zeros(3)
        opened["double"] = np.zeros((3, 4))
        opened["double"].attrs["crc32"] = 0
    found = dict(places_in(file, ["group", "double", "x"]))
    assert found["group"] is None
    assert found["double"] is None
    assert found["x"] is not None


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        names_in(tmp_path / "a.h5")


def test_a_file_that_shrinks_under_a_reader(file):
    place = dict(places_in(file, ["y"]))["y"]
    file.write_bytes(file.read_bytes()[: place.offset + 50])
    with pytest.raises(DamagedError, match="ends within an entry"):
        read_frames(place, 0, 1)


def test_a_disk_that_is_full(tmp_path, monkeypatch):
    from train import artifacts

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifacts.os, "fsync", full)
    with pytest.raises(MaestroError, match=r"a\.h5: cannot be written: No space left on device\. Free some disk"):
        write_entries(tmp_path / "a.h5", {"x": features()})
    assert not list(tmp_path.iterdir())
