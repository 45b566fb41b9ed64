"""A folder of recordings as a data set: classes by sub-folders, or by an index."""

import os
import shutil
from collections import Counter

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.config import DataConfig, load_config
from train.data.dataset import open_dataset
from train.data.folder import read_folder
from train.errors import CallError, MaestroError

RATE_HZ = 8000
# Half a second of one note: 480 ticks at 480 a quarter note, 120 quarter notes a minute.
MIDI = bytes.fromhex("4d546864 00000006 0000 0001 01e0 4d54726b 0000000d 00903c40 8360803c00 00ff2f00")


@pytest.fixture
def sound(tmp_path):
    """Write a recording of noise: sound('bach/1.wav', seconds) -> path; another number is another noise."""
    count = iter(range(1000))

    def write(name, seconds=0.1, number=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(next(count) if number is None else number).uniform(
            -0.1, 0.1, round(seconds * RATE_HZ)
        )
        kind = {"wav": "WAV", "aif": "AIFF"}.get(path.suffix[1:].lower(), path.suffix[1:].upper())
        soundfile.write(path, noise, RATE_HZ, format=kind)
        return path

    return write


@pytest.fixture
def two_classes(tmp_path, sound):
    """Two sub-folders of six recordings each."""
    for title in ("bach", "weber"):
        for number in range(6):
            sound(f"{title}/{number}.wav", 0.1 + 0.1 * number)
    return tmp_path


@pytest.fixture
def index(tmp_path):
    """Write an index: index('file,mood', 'a.wav,sad', ...) -> its path as text."""

    def write(*lines):
        path = tmp_path / "index.csv"
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    return write


def read(root, **values):
    return read_folder(DataConfig(source="folder", root=str(root), **values))


def test_sub_folders_are_classes(two_classes):
    found = read(two_classes)
    assert (found.name, found.path) == (str(two_classes), two_classes)
    assert found.labels == {"title": ("bach", "weber")}
    assert [entry.id for entry in found.recordings] == [f"{t}/{n}.wav" for t in ("bach", "weber") for n in range(6)]
    one = found.recordings[3]
    assert (one.file, one.piece, one.group, one.labels) == ("bach/3.wav", "bach", "bach/3", {"title": "bach"})
    assert one.duration_s == pytest.approx(0.4)
    for title in ("bach", "weber"):
        sides = Counter(entry.split for entry in found.recordings if entry.piece == title)
        assert sides == {"train": 4, "validation": 1, "test": 1}
    assert found.remarks == (
        "12 groups put on sides by lot: train 8, validation 2, test 2",
        "title: labels for 12 of 12 (100 %) recordings: train 8 of 8 (100 %); validation 2 of 2 (100 %); "
        "test 2 of 2 (100 %)",
    )


def test_the_preset_opens_it(two_classes):
    config = load_config("folder", [f"data.root={two_classes}"])
    assert open_dataset(config) == read(two_classes)
    with pytest.raises(CallError, match=r"data\.root: is empty\. Set it to the folder of the folder"):
        load_config("folder")


def test_every_kind_of_file_whatever_its_case(tmp_path, sound):
    for number, suffix in enumerate(("wav", "WAV", "flac", "ogg", "mp3", "Aif")):
        for title in "ab":
            sound(f"{title}/{number}.{suffix}", 0.2)
    (tmp_path / "b" / "score.MID").write_bytes(MIDI)
    found = read(tmp_path)
    assert len(found.recordings) == 13
    for entry in found.recordings:
        expected = 0.5 if entry.file.endswith("MID") else 0.2
        assert entry.duration_s == pytest.approx(expected, abs=0.15 if entry.file.endswith("mp3") else 1e-3)


def test_hidden_files_and_other_kinds_are_passed_over(two_classes, sound):
    sound(".hidden/1.wav")
    sound("bach/._1.wav")
    (two_classes / "bach" / "notes.txt").write_text("x")
    (two_classes / "bach" / "COVER").write_text("x")
    (two_classes / "empty").mkdir()
    sound("loose.wav")
    found = read(two_classes)
    assert len(found.recordings) == 12
    assert found.remarks[:2] == (
        "2 files not taken for recordings by the suffix: .txt 1, no suffix 1",
        "1 recording in no class's folder, left out: loose.wav",
    )
    assert found.details == {"recordings in no class's folder": ("loose.wav",)}


def test_takes_lie_deeper_and_stay_together(two_classes, sound):
    for number in range(5):
        sound(f"bach/take/{number}.wav")
        sound(f"bach/take/deeper/{number}.wav")
    found = read(two_classes)
    takes = [entry for entry in found.recordings if entry.group == "bach/take"]
    assert len(takes) == 10
    assert len({entry.split for entry in takes}) == 1


def test_one_performance_as_audio_and_as_midi(two_classes, sound):
    for number in range(4):
        (two_classes / "bach" / f"{number}.mid").write_bytes(MIDI)
    sound("bach/0.flac")
    found = read(two_classes)
    assert "4 files left out: beside audio of the same name" in found.remarks
    assert len(found.recordings) == 13
    assert len({entry.split for entry in found.recordings if entry.group == "bach/0"}) == 1
    assert "4 files left out: not audio" in read(two_classes, media="audio").remarks
    (two_classes / "weber" / "0.mid").write_bytes(MIDI)
    with pytest.raises(MaestroError, match="are the same recording, but title is 'bach' and 'weber'"):
        read(two_classes, media="midi")


def test_copies_are_kept_on_one_side(two_classes):
    shutil.copy(two_classes / "bach" / "0.wav", two_classes / "bach" / "copy.wav")
    shutil.copy(two_classes / "bach" / "1.wav", two_classes / "bach" / "z.wav")
    (two_classes / "bach" / "link.wav").symlink_to(two_classes / "bach" / "0.wav")
    found = read(two_classes)
    assert [entry.file for entry in found.recordings if entry.group == "bach/0"] == [
        "bach/0.wav",
        "bach/copy.wav",
        "bach/link.wav",
    ]
    assert found.remarks[0] == "3 copies of other files, kept on one side with them"
    assert found.details["files of the same content"] == (
        "bach/0.wav = bach/copy.wav = bach/link.wav",
        "bach/1.wav = bach/z.wav",
    )


def test_copies_join_whole_groups(two_classes, sound):
    for take in "xyz":
        sound(f"bach/{take}/own.wav")
    shutil.copy(two_classes / "bach/x/own.wav", two_classes / "bach/y/a.wav")
    shutil.copy(two_classes / "bach/y/own.wav", two_classes / "bach/z/b.wav")
    found = read(two_classes)
    joined = [entry for entry in found.recordings if entry.file.startswith(("bach/x", "bach/y", "bach/z"))]
    assert {entry.group for entry in joined} == {"bach/x"}
    assert len({entry.split for entry in joined}) == 1


def test_a_copy_in_another_class(two_classes):
    shutil.copy(two_classes / "bach" / "0.wav", two_classes / "weber" / "copy.wav")
    message = r"bach/0\.wav and weber/copy\.wav: are the same recording, but title is 'bach' and 'weber'\. Delete one"
    with pytest.raises(MaestroError, match=message):
        read(two_classes)


def test_links_are_followed_wherever_they_lead(two_classes, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    shutil.move(two_classes / "weber", away / "weber")
    (two_classes / "weber").symlink_to(away / "weber")
    (two_classes / "bach" / "round").symlink_to(two_classes)
    found = read(two_classes)
    assert len(found.recordings) == 12
    assert found.labels == {"title": ("bach", "weber")}


def test_accents_are_one_class_in_either_form(tmp_path, sound):
    for title in ("Faur\u00e9", "Faure\u0301", "Bach"):
        for number in range(3):
            sound(f"{title}/{number}.wav")
    assert read(tmp_path).labels == {"title": ("Bach", "Faur\u00e9")}


def test_damaged_files_are_all_named_or_left_out(two_classes, sound):
    content = (two_classes / "bach" / "0.wav").read_bytes()
    (two_classes / "bach" / "cut.wav").write_bytes(content[: len(content) // 2])
    (two_classes / "bach" / "empty.flac").touch()
    (two_classes / "bach" / "text.mp3").write_text("no sound " * 100)
    (two_classes / "bach" / "gone.wav").symlink_to(two_classes / "nowhere.wav")
    (two_classes / "bach" / "short.mid").write_bytes(MIDI[:26])
    (two_classes / "bach" / "other.mid").write_bytes(b"RIFF")
    (two_classes / "bach" / "silent.mid").write_bytes(MIDI[:18] + bytes.fromhex("00000004 00ff2f00"))
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


def test_without_looking_at_files(two_classes):
    (two_classes / "bach" / "0.wav").write_text("no sound")
    found = read_folder(DataConfig(root=str(two_classes)), files=False)
    assert len(found.recordings) == 12
    assert {entry.duration_s for entry in found.recordings} == {0.0}


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


def outcome(root, seed):
    """The data set, or why there is none."""
    try:
        return read(root, seed=seed)
    except MaestroError as error:
        reasons = {"has one class": "one class", "which leaves none for": "too few"}
        return next((reason for text, reason in reasons.items() if text in str(error)), str(error))


NAMES = st.builds("{}/{}".format, st.sampled_from("abc"), st.sampled_from(["1", "2", "3", "t/1", "t/2", "u/1"]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.integers(0, 20), min_size=6), st.integers(0, 50), st.randoms())
def test_sides_of_any_folder(tmp_path_factory, names, seed, random):
    trees = []
    for order in (sorted(names), random.sample(sorted(names), len(names))):
        root = tmp_path_factory.mktemp("tree") / "root"
        for name in order:
            path = root / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            # One number is one content; classes have no content in common.
            noise = np.random.default_rng([names[name], ord(name[0])]).uniform(-0.1, 0.1, 100)
            soundfile.write(path, noise, RATE_HZ)
        trees.append(root)
    found, again = (outcome(root, seed) for root in trees)
    if isinstance(found, str):
        assert found == again
        assert found in ("one class", "too few")
        return
    assert found.recordings == again.recordings
    assert found.labels == again.labels
    side_of = {}
    for entry in found.recordings:
        assert side_of.setdefault(entry.group, entry.split) == entry.split
        content = (entry.labels["title"], names[entry.file.removesuffix(".wav")])
        assert side_of.setdefault(content, entry.split) == entry.split
    heard = {entry.labels["title"] for entry in found.recordings if entry.split == "train"}
    assert heard == set(found.labels["title"])
