"""What is known of files: outdated lines go, and what cannot be kept is told."""

import os
import time

import pytest

from train.data.store import contents
from train.data.store.contents import Contents, Stamp
from train.errors import MaestroError


def test_outdated_lines_are_dropped_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "_RACY_NS", 0)
    monkeypatch.setattr(contents, "_OUTDATED", 3)
    listed, file = tmp_path / "contents.jsonl", tmp_path / "a.wav"
    for number in range(8):
        file.write_bytes(b"x" * number)
        Contents(listed).learn(file, Stamp.of(file), f"sha{number}")
    assert len(listed.read_text().split("\n[")) <= 5
    assert Contents(listed).of(file) == "sha7"
    assert Contents(listed).of(tmp_path / "gone.wav") is None


def test_a_young_file_is_not_remembered_nor_one_of_the_future(tmp_path, monkeypatch):
    listed, file = tmp_path / "contents.jsonl", tmp_path / "a.wav"
    file.write_bytes(b"x")
    # A copying program may set any time, which says nothing.
    os.utime(file, (time.time() - 3600,) * 2)
    stamp = Stamp.of(file)
    kept = Contents(listed)
    kept.learn(file, stamp, "sha")
    assert kept.of(file) == "sha"
    assert not listed.exists()
    os.utime(file, (time.time() + 3600,) * 2)
    monkeypatch.setattr(contents.time, "time_ns", lambda: stamp.ctime_ns + 3 * 10**9)
    Contents(listed).learn(file, Stamp.of(file), "sha")
    assert Contents(listed).of(file) == "sha"


def test_a_list_on_a_disk_that_may_only_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "_OUTDATED", 0)
    listed, file = tmp_path / "contents.jsonl", tmp_path / "a.wav"
    file.write_bytes(b"x")
    for sha256 in ("old", "new"):
        monkeypatch.setattr(contents, "_RACY_NS", 0)
        Contents(listed).learn(file, Stamp.of(file), sha256)

    def refused(_):
        raise MaestroError("contents.jsonl", "cannot be written: Read-only file system")

    monkeypatch.setattr(contents, "atomic_write", refused)
    assert Contents(listed).of(file) == "new"


def test_a_list_of_contents_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "_RACY_NS", 0)
    file = tmp_path / "a.wav"
    file.write_bytes(b"x")
    (tmp_path / "contents.jsonl").mkdir()
    with pytest.raises(MaestroError, match=r"contents\.jsonl: cannot be written: Is a directory\. Free some disk"):
        Contents(tmp_path / "contents.jsonl").learn(file, Stamp.of(file), "sha")
