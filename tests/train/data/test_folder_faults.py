"""Folders that are no data set, and files that are no recordings."""

import os
import shutil

import pytest

from train.config import DataConfig
from train.data.folder import read_folder
from train.errors import CallError, MaestroError


def read(root, **values):
    return read_folder(DataConfig(source="folder", root=str(root), **values))


def test_a_copy_in_another_class(two_classes):
    shutil.copy(two_classes / "bach" / "0.wav", two_classes / "weber" / "copy.wav")
    message = r"bach/0\.wav and weber/copy\.wav: are the same recording, but title is 'bach' and 'weber'\. Delete one"
    with pytest.raises(MaestroError, match=message):
        read(two_classes)


def test_damaged_files_are_all_named_or_left_out(two_classes, sound, one_note):
    content = (two_classes / "bach" / "0.wav").read_bytes()
    (two_classes / "bach" / "cut.wav").write_bytes(content[: len(content) // 2])
    (two_classes / "bach" / "empty.flac").touch()
    (two_classes / "bach" / "text.mp3").write_text("no sound " * 100)
    (two_classes / "bach" / "gone.wav").symlink_to(two_classes / "nowhere.wav")
    (two_classes / "bach" / "short.mid").write_bytes(one_note[:26])
    (two_classes / "bach" / "other.mid").write_bytes(b"RIFF")
    (two_classes / "bach" / "silent.mid").write_bytes(one_note[:18] + bytes.fromhex("00000004 00ff2f00"))
    sound("bach/none.wav", 0)
    os.mkfifo(two_classes / "bach" / "pipe.wav")
    odd = os.fsencode(two_classes / "bach") + b"/\xff.wav"
    shutil.copy(os.fsencode(two_classes / "bach" / "0.wav"), odd)
    with pytest.raises(MaestroError, match=r"10 files cannot be used: .*Mend or delete them, or leave") as caught:
        read(two_classes)
    found = read(two_classes, skip_bad=True)
    assert len(found.recordings) == 12
    told = found.details["damaged files left out"]
    reasons = {
        "bach/cut.wav": "truncated: its header promises",
        "bach/empty.flac": "is empty (0 bytes)",
        "bach/gone.wav": "no such file",
        "bach/none.wav": "holds no samples",
        "bach/other.mid": "is not a MIDI file",
        "bach/pipe.wav": "is a pipe or a device",
        "bach/short.mid": "is truncated",
        "bach/silent.mid": "holds no notes",
        "bach/text.mp3": "is not a sound file",
        r"bach/\udcff.wav": "its name is not UTF-8",
    }
    assert len(told) == len(reasons)
    for line, (name, reason) in zip(sorted(told), sorted(reasons.items()), strict=True):
        assert line.startswith(f"{name}: {reason}")
        assert line in str(caught.value)
    assert found.remarks[0].startswith("10 damaged files left out: ")
    for path in (*two_classes.glob("bach/[0-9].wav"), *two_classes.glob("weber/*.wav")):
        path.unlink()
    with pytest.raises(MaestroError, match=r"no file can be used: .* and 7 more\. Give whole recordings"):
        read(two_classes, skip_bad=True)


def test_a_head_that_the_folder_does_not_have(two_classes):
    text = r"data\.heads: names mood, which .* has no labels of \(expected of title\)\. Choose another, or give label"
    with pytest.raises(CallError, match=text):
        read(two_classes, heads=("mood",))


def test_folders_that_are_no_data_set(tmp_path, sound, index):
    with pytest.raises(MaestroError, match=r"nowhere: no such folder\. Set data\.root to the folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(MaestroError, match=r"file: is a file\. Set data\.root"):
        read(tmp_path / "file")
    with pytest.raises(CallError, match=r"data\.split: is 'files' \(expected performances or official for a folder\)"):
        read(tmp_path, split="files")
    with pytest.raises(MaestroError, match=r"holds no recordings \(expected sub-folders of \.wav.*Make a sub-folder"):
        read(tmp_path)
    sound("a.wav")
    with pytest.raises(
        MaestroError, match=r"has 1 recording and no class: none lies in a sub-folder .*Make a sub-fold"
    ):
        read(tmp_path)
    table = index("file,title", "a.wav,x")
    (tmp_path / "z.csv").touch()
    with pytest.raises(MaestroError, match=rf"no class: .*Set data\.index={table}"):
        read(tmp_path)
    with pytest.raises(MaestroError, match=r"names no sides\. Give it a column split"):
        read(tmp_path, index=table, split="official")


def test_a_folder_that_may_not_be_read(two_classes, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(MaestroError, match=r"cannot be read: Permission denied\. Mend its permissions"):
        read(two_classes)


def test_a_file_that_vanishes(two_classes, monkeypatch):
    def vanish(path):
        raise FileNotFoundError(2, "No such file or directory", str(path))

    shutil.copy(two_classes / "bach" / "0.wav", two_classes / "bach" / "copy.wav")
    monkeypatch.setattr("train.data.folder_headers.sha256", vanish)
    with pytest.raises(MaestroError, match=r"0\.wav: cannot be read: No such file .*Leave the folder alone"):
        read(two_classes)
