"""What is known of files: outdated lines go, and what cannot be kept is told."""

import os
import time

import pytest

from train.data.store import contents
from train.data.store.contents import Contents, Stamp
from train.errors import MaestroError


def test_outdated_lines_are_dropped_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "_OUTDATED", 3)
    listed, file = tmp_path / "contents.jsonl", tmp_path / "a.wav"
    for number in range(8):
        file.write_bytes(b"x" * number)
        os.utime(file, (time.time() - 3600,) * 2)
        Contents(listed).learn(file, Stamp.of(file), f"sha{number}")
    assert len(listed.read_text().split("\n[")) <= 5
    assert Contents(listed).of(file) == "sha7"
    assert Contents(listed).of(tmp_path / "gone.wav") is None


def test_a_list_of_contents_that_cannot_be_written(tmp_path):
    file = tmp_path / "a.wav"
    file.write_bytes(b"x")
    os.utime(file, (time.time() - 3600,) * 2)
    (tmp_path / "contents.jsonl").mkdir()
    with pytest.raises(MaestroError, match=r"contents\.jsonl: cannot be written: Is a directory\. Free some disk"):
        Contents(tmp_path / "contents.jsonl").learn(file, Stamp.of(file), "sha")
