"""A shelf: pieces become shards, readers follow them, damage costs what is damaged."""

import errno
import io
import os
import pickle
import threading
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from train.data.store import shelf as module
from train.data.store.shelf import Shelf
from train.errors import MaestroError


def features(number, frames=50):
    return np.random.default_rng(number).standard_normal((8, frames)).astype(np.float32)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Shards of about 20 kB, of which a piece is 3."""
    monkeypatch.setattr(module, "SHARD_BYTES", 20_000)
    monkeypatch.setattr(module, "_SMALL", 5_000)
    return Shelf(tmp_path / "shelf")


def fill(shelf, numbers):
    for number in numbers:
        shelf.keep(f"n{number}", features(number))


def files(shelf):
    return sorted(path.name for path in shelf.folder.glob("shard-*")), sorted(shelf.pieces.glob("*.h5"))


def assert_holds(shelf, numbers):
    found = shelf.find([f"n{number}" for number in numbers])
    assert len(found) == len(list(numbers))
    for number in numbers:
        np.testing.assert_array_equal(found[f"n{number}"], features(number))


def test_pieces_become_shards_of_a_size(shelf):
    fill(shelf, range(20))
    assert_holds(shelf, range(20))
    shelf.pack()
    shards, pieces = files(shelf)
    assert 2 <= len(shards) <= 4
    assert not pieces
    assert_holds(shelf, range(20))
    assert shelf.names() == {f"n{number}" for number in range(20)}


def test_small_shards_are_packed_again(shelf):
    for number in range(5):
        fill(shelf, [number])
        shelf.pack()
    assert len(files(shelf)[0]) < 5
    assert_holds(shelf, range(5))


def test_packing_nothing_changes_nothing(shelf):
    shelf.pack()
    assert not shelf.folder.exists()
    fill(shelf, range(2))
    shelf.pack()
    before = files(shelf)
    shelf.pack()
    assert files(shelf) == before


def test_parts_are_what_an_array_gives(shelf):
    fill(shelf, [1])
    found = shelf.find(["n1", "n2"])
    assert list(found) == ["n1"]
    entry, whole = found["n1"], features(1)
    assert entry.shape == (8, 50)
    assert entry.dtype == np.float32
    assert repr(entry) == "StoredFeatures(n1, shape=(8, 50))"
    for key in (np.s_[:, :], np.s_[:, 3:9], np.s_[2:4, -5:], np.s_[:, 45:99], np.s_[:, 9:3], np.s_[::2, ::3]):
        np.testing.assert_array_equal(entry[key], whole[key])
    assert np.asarray(entry, np.float64).dtype == np.float64


def test_a_reader_follows_what_another_process_packs(shelf):
    fill(shelf, range(20))
    found = shelf.find([f"n{number}" for number in range(20)])
    shelf.pack()
    for number in range(20):
        np.testing.assert_array_equal(found[f"n{number}"][:, 5:20], features(number)[:, 5:20])


def test_a_reader_is_told_of_what_is_gone(shelf):
    fill(shelf, [1])
    entry = shelf.find(["n1"])["n1"]
    (shelf.pieces / "n1.h5").unlink()
    with pytest.raises(MaestroError, match=r"n1\.h5: features that were here cannot be read: No such file.*again"):
        entry[:, :3]


def _sum_in_child(entry, queue):
    queue.put(float(entry[:, :].sum()))


def test_entries_are_read_by_forked_processes_threads_and_after_pickling(shelf):
    fill(shelf, [1])
    entry = pickle.loads(pickle.dumps(shelf.find(["n1"])["n1"]))
    expected = float(features(1).sum())
    context = get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_sum_in_child, args=(entry, queue))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join()
    sums = []
    threads = [threading.Thread(target=lambda: sums.append(float(entry[:, :].sum()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [expected] * 4


def test_reading_leaves_no_file_open(shelf):
    fill(shelf, range(5))
    found = shelf.find([f"n{number}" for number in range(5)])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for entry in found.values():
        entry[:, :3]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign"])
def test_a_damaged_piece_is_said_and_taken_away(shelf, capsys, damage):
    fill(shelf, range(2))
    piece = shelf.pieces / "n1.h5"
    content = piece.read_bytes()
    piece.write_bytes({"truncated": content[:900], "empty": b"", "foreign": b"x" * 999}[damage])
    assert set(shelf.find(["n0", "n1"])) == {"n0"}
    assert "n1.h5: damaged (it is no whole HDF5 file); its features are computed again" in capsys.readouterr().err
    assert not piece.exists()


def test_one_damaged_entry_does_not_cost_its_shard(shelf, capsys):
    fill(shelf, range(5))
    shelf.pack()
    (name,), _ = files(shelf)
    path = shelf.folder / name
    content = bytearray(path.read_bytes())
    content[content.index(features(3).T.tobytes()) + 100] ^= 4
    path.write_bytes(content)
    found = shelf.find([f"n{number}" for number in range(5)])
    assert set(found) == {"n0", "n1", "n2", "n4"}
    assert "damaged (1 of its entries are not what was written); computed again" in capsys.readouterr().err
    assert_holds(shelf, [0, 1, 2, 4])
    fill(shelf, [3])
    shelf.pack()
    assert_holds(shelf, range(5))
    assert not files(shelf)[1]


def test_a_file_that_may_not_be_read_is_not_taken_away(shelf, monkeypatch):
    fill(shelf, [1])

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "places_in", refused)
    with pytest.raises(MaestroError, match=r"n1\.h5: cannot be read: Permission denied\. Check its permissions"):
        shelf.find(["n1"])
    assert (shelf.pieces / "n1.h5").exists()


@pytest.mark.parametrize("reason", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE])
@pytest.mark.parametrize("answered", [0, 2, 5])
def test_a_disk_that_does_not_answer_costs_nothing(shelf, monkeypatch, reason, answered):
    fill(shelf, range(3))
    shelf.pack()
    kept = files(shelf)

    class Answering(io.BytesIO):
        answers = answered

        def readinto(self, buffer):
            self.answers -= 1
            if self.answers < 0:
                raise OSError(reason, os.strerror(reason))
            return super().readinto(buffer)

    real = Path.open
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", lambda path, mode: Answering(real(path, mode).read()))
        with pytest.raises(MaestroError, match=rf"shard-\w*\.h5: cannot be read: {os.strerror(reason)}\. Check"):
            shelf.find(["n1"])
    assert files(shelf) == kept
    assert_holds(shelf, range(3))


def test_damage_on_a_disk_that_may_only_be_read(shelf, capsys, monkeypatch):
    fill(shelf, range(2))
    (shelf.pieces / "n1.h5").write_bytes(b"x")

    def refused(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refused)
    assert set(shelf.find(["n0", "n1"])) == {"n0"}
    assert "n1.h5: damaged" in capsys.readouterr().err


def test_pieces_whose_shard_was_just_written_are_cleared(shelf):
    fill(shelf, range(3))
    shelf.pack()
    # So a process leaves it that is killed between the shard's renaming and the pieces' removal.
    fill(shelf, range(3))
    shelf.pack()
    shards, pieces = files(shelf)
    assert (len(shards), len(pieces)) == (1, 0)
    assert_holds(shelf, range(3))


def test_what_a_killed_process_left_half_written_is_cleared_once_it_is_old(shelf):
    fill(shelf, range(3))
    old, young = shelf.pieces / ".n7.h5.abc.tmp", shelf.pieces / ".n8.h5.abc.tmp"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    shelf.pack()
    assert not old.exists()
    assert young.exists()
    assert_holds(shelf, range(3))


def _keep_and_pack(folder, numbers):
    shelf = Shelf(folder)
    for number in numbers:
        fill(shelf, [number])
        shelf.pack()


def test_what_other_processes_pack_again_and_again_is_always_found(shelf, capfd):
    fill(shelf, range(10))
    names = {f"n{number}" for number in range(10)}
    entries = shelf.find(names)
    context = get_context("fork")
    children = [context.Process(target=_keep_and_pack, args=(shelf.folder, range(k, k + 40))) for k in (100, 200)]
    for child in children:
        child.start()
    rounds = 0
    while any(child.is_alive() for child in children):
        assert set(shelf.find(names)) == names
        assert names <= shelf.names()
        for number in range(10):
            np.testing.assert_array_equal(entries[f"n{number}"][:, 3:9], features(number)[:, 3:9])
        rounds += 1
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert rounds > 3
    assert "damaged" not in capfd.readouterr().err


def test_several_processes_pack_one_shelf(shelf):
    context = get_context("fork")
    children = [context.Process(target=_keep_and_pack, args=(shelf.folder, range(k, k + 12))) for k in (0, 6, 12)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert_holds(shelf, range(24))
