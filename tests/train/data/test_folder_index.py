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


def test_an_index_takes_a_name_as_it_stands_where_the_disk_has_both_forms(tmp_path, sound, index):
    for number in range(3):
        for name in ("Faur\u00e9", "Faure\u0301"):
            sound(f"{name} {number}.wav")
    rows = [f"Faur\u00e9 {number}.wav,{'gay' if number else 'sad'},{split}" for number, split in
            enumerate(("train", "train", "validation"))]  # fmt: skip
    sound("a.wav")
    found = read(tmp_path, index=index("file,mood,split", *rows, "a.wav,sad,test"))
    assert [entry.file for entry in found.recordings] == [*(row[:11] for row in rows), "a.wav"]


def test_a_piece_is_the_title_where_none_is_named(tmp_path, sound, index):
    rows = [f"{number}.wav,{'ab'[number % 2]}" for number in range(6) if sound(f"{number}.wav")]
    assert [entry.piece for entry in read(tmp_path, index=index("file,title", *rows)).recordings] == list("ababab")


@pytest.fixture
def moods(sound):
    """Rows of three gay and three sad recordings, b to g."""
    return [f"{name}.wav,{name},{'gay' if name < 'e' else 'sad'}" for name in "bcdefg" if sound(f"{name}.wav")]


def test_groups_joined_by_copies_are_joined_whatever_their_names(tmp_path, sound, index, moods):
    for name in "135":
        sound(f"{name}.wav")
    for name in "24":
        shutil.copy(tmp_path / f"{int(name) - 1}.wav", tmp_path / f"{name}.wav")
    # First y takes z in, then x takes y in; n is of none of them.
    rows = ["1.wav,y,sad", "2.wav,z,sad", "3.wav,x,sad", "4.wav,y,sad", "5.wav,n,sad"]
    found = read(tmp_path, index=index("file,group,mood", *moods, *rows))
    joined = {entry.file: (entry.group, entry.split) for entry in found.recordings if entry.file < "a"}
    assert [group for group, _ in joined.values()] == ["x", "x", "x", "x", "n"]
    assert len(set(joined.values())) == 2


def test_copies_may_lack_a_label_and_may_not_have_two(tmp_path, sound, index, moods):
    sound("1.wav")
    for name in "23":
        shutil.copy(tmp_path / "1.wav", tmp_path / f"{name}.wav")
    found = read(tmp_path, index=index("file,group,mood", *moods, "1.wav,,", "2.wav,,sad", "3.wav,,"))
    assert {entry.group for entry in found.recordings if entry.file < "a"} == {"1"}
    with pytest.raises(MaestroError, match=r"2\.wav and 3\.wav: are the same recording, but mood is 'sad' and 'gay'"):
        read(tmp_path, index=index("file,group,mood", *moods, "1.wav,,", "2.wav,,sad", "3.wav,,gay"))


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
        (["file,split", "a.wav,test_two words"], r"split is 'test_two words' \(expected"),
        (["file,title", "Faur\u00e9.wav,x"], "1 file cannot be used: Faur\u00e9\\.wav: no such file"),
        (["file,title", "a.wav,x", "sub,y"], r"1 file cannot be used: sub: is a folder"),
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
    (tmp_path / "sub").mkdir()
    for name in "abcd":
        shutil.copy(sound(f"{name}.wav"), tmp_path / "copy.wav") if name == "a" else sound(f"{name}.wav")
    with pytest.raises(MaestroError, match=message):
        read(tmp_path, index=index(*lines), min_coverage=0.6, media="audio")
