"""A folder's index: what it says, and what it may not."""

import shutil

import pytest

from train.config import DataConfig, load_config
from train.data.dataset import open_dataset
from train.data.folder import read_folder
from train.errors import MaestroError


def read(root, **values):
    return read_folder(DataConfig(source="folder", root=str(root), **values))


def test_an_index_names_labels_groups_sides_and_pieces(tmp_path, sound, index):
    rows = ["file,group,split,piece,style,mood"]
    for number, side in enumerate(("train", "train", "validation", "test", "test_live")):
        sound(f"x/{number}.wav")
        sound(f"{number}.flac")
        rows.append(f"x/{number}.wav,g{number},{side},p{number},old,{'sad' if number else ''}")
        rows.append(f"{number}.flac,,{side},,new,gay")
    found = read(tmp_path, index=index(*rows))
    assert found.labels == {"style": ("new", "old"), "mood": ("gay", "sad")}
    assert found.splits == ("train", "validation", "test", "test_live")
    by_file = {entry.file: entry for entry in found.recordings}
    assert list(by_file) == sorted(by_file)
    one, other = by_file["x/0.wav"], by_file["3.flac"]
    assert (one.group, one.split, one.piece, one.labels) == ("g0", "train", "p0", {"style": "old"})
    assert (other.group, other.split, other.piece) == ("3", "test", "3.flac")
    assert found.remarks[0] == "10 groups on the sides that the index names"
    assert read(tmp_path, index=index(*rows), heads=("mood",)).labels == {"mood": ("gay", "sad")}
    assert read(tmp_path, index=index(*rows), split="official").splits == found.splits


def test_label_files_may_be_all_the_labels(tmp_path, sound, index):
    labels = ["piece,label,value"]
    for number in range(8):
        sound(f"{number}.wav")
        labels.append(f"{number},emotion,{'sad' if number % 2 else 'gay'}")
    config = DataConfig(source="folder", root=str(tmp_path), labels=(index(*labels),))
    found = open_dataset(load_config("folder", [f"data.root={tmp_path}", f'data.labels=["{config.labels[0]}"]']))
    assert found.labels == {"emotion": ("gay", "sad")}
    assert read_folder(config).labels == {}


def test_an_index_finds_a_name_that_the_disk_takes_apart(tmp_path, sound, index):
    names = [f"Faure\u0301 {number}.wav" for number in range(6)]
    for name in names:
        sound(name)
    found = read(tmp_path, index=index("file,mood", *(f"{n},{'gay' if '0' <= n[7] < '3' else 'sad'}" for n in names)))
    assert [entry.file for entry in found.recordings] == names


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["name,title", "a.wav,x"], r"index\.csv, header: has no column 'file'"),
        (["file,Old Style", "a.wav,x"], r"header: 'Old Style' is no name of a head .*Call it 'old_style'"),
        (["file,title", ",x"], r"line 2: file is blank\. Name a file, or leave the row out"),
        (["file,title", "a.wav,x", "./a.wav,x"], r"line 3: a\.wav stands in line 2\. Keep one row"),
        (["file,title", "b/..,x"], r"line 2: b/\.\. is no file\. Name a file"),
        (["file,title", "a.wav,x", f"{'x' * 300},y"], r"1 file cannot be used: x+: cannot be looked at: File name too"),
        (["file,title", "/a.wav,x"], r"line 2: /a\.wav lies outside .*\. Set data\.root to a folder that holds all"),
        (["file,title", "b/../../a.wav,x"], r"line 2: b/\.\./\.\./a\.wav lies outside"),
        (
            ["file,split", "a.wav,tset"],
            r"split is 'tset' \(did you mean 'test'\?\) \(expected train, validation, test or",
        ),
        (["file,split", "a.wav,"], r"line 2: split is blank \(expected train"),
        (
            ["file,group,split", "a.wav,g,train", "b.wav,g,test"],
            r"line 3: group 'g' is on test, and on train in line 2\. Put all recordings of a group on one side",
        ),
        (["file,title", "a.wav,x", "gone.wav,y"], r"1 file cannot be used: gone\.wav: no such file"),
        (["file", "a.wav", "b.wav", "c.wav"], r"has no labels, nothing to learn\. Give the index a column"),
        (["file,title", "a.wav,x", "b.wav,y", "c.wav,x"], r"3 groups of recordings, which leaves none for validation"),
        (["file,split", "a.wav,train", "b.wav,test"], r"2 groups of recordings, which leaves none for validation \("),
        (["file,title", "a.wav,x", "b.wav,x", "c.wav,x"], r"title has one class, 'x': nothing to tell apart"),
        (["file,title", "a.wav,x", "b.wav,X", "c.wav,x", "d.wav,x"], r"title is both 'X' and 'x'\. Spell"),
        (
            ["file,split,title", "a.wav,train,x", "b.wav,validation,x", "c.wav,test,y"],
            r"1 of 2 classes of title have no recording for training: y\. Label",
        ),
        (
            ["file,split,title", "a.wav,train,x", "copy.wav,test,x", "b.wav,validation,x"],
            r"a\.wav and copy\.wav: are the same recording, but on train and test\. Delete one",
        ),
        (
            ["file,split,mood,style", "a.wav,train,x,", "b.wav,validation,x,n", "c.wav,test,x,", "d.wav,train,y,m"],
            r"style: labels for 2 of 4 \(50 %\) recordings: train 1 of 2 \(50 %\); .*\(expected at least 60 %\)",
        ),
        (["file,title", "s.mid,x"], r"names no file that is audio\. Set data\.media to any"),
    ],
)
def test_what_an_index_may_not_say(tmp_path, sound, index, lines, message):
    for name in "abcd":
        shutil.copy(sound(f"{name}.wav"), tmp_path / "copy.wav") if name == "a" else sound(f"{name}.wav")
    with pytest.raises(MaestroError, match=message):
        read(tmp_path, index=index(*lines), min_coverage=0.6, media="audio")
