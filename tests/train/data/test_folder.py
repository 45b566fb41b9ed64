"""A folder of recordings as a data set: classes by sub-folders, or by an index."""

import os
import shutil
import sys
from collections import Counter

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.config import DataConfig, load_config
from train.data.dataset import open_dataset
from train.data.folder import read_folder
from train.data.folder_files import walk_folder
from train.errors import CallError, MaestroError

RATE_HZ = 8000


def read(root, **values):
    return read_folder(DataConfig(source="folder", root=str(root), **values))


def test_sub_folders_are_classes(two_classes):
    found = read(two_classes)
    assert (found.name, found.path) == ("the folder", two_classes)
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


def test_every_kind_of_file_whatever_its_case(tmp_path, sound, one_note):
    for number, suffix in enumerate(("wav", "WAV", "flac", "ogg", "mp3", "Aif", "aiff")):
        for title in "ab":
            sound(f"{title}/{number}.{suffix}", 0.2)
    (tmp_path / "b" / "score.MID").write_bytes(one_note)
    found = read(tmp_path)
    assert len(found.recordings) == 15
    for entry in found.recordings:
        expected = 0.5 if entry.file.endswith("MID") else 0.2
        assert entry.duration_s == pytest.approx(expected, abs=0.15 if entry.file.endswith("mp3") else 1e-3)


def test_hidden_files_and_other_kinds_are_passed_over(two_classes, sound):
    sound(".hidden/1.wav")
    sound("bach/._1.wav")
    (two_classes / "bach" / "notes.txt").write_text("x")
    (two_classes / "bach" / "COVER").write_text("x")
    (two_classes / "weber" / "NOTES.TXT").write_text("x")
    (two_classes / "empty").mkdir()
    sound("loose.wav")
    found = read(two_classes)
    assert len(found.recordings) == 12
    assert found.remarks[:2] == (
        "3 files not taken for recordings by the suffix: .txt 2, no suffix 1",
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


def test_one_performance_as_audio_and_as_midi(two_classes, sound, one_note):
    for number in range(4):
        (two_classes / "bach" / f"{number}.mid").write_bytes(one_note)
    sound("bach/0.flac")
    found = read(two_classes)
    assert "4 files left out: beside audio of the same name" in found.remarks
    assert len(found.recordings) == 13
    assert len({entry.split for entry in found.recordings if entry.group == "bach/0"}) == 1
    (two_classes / "weber" / "9.mid").write_bytes(one_note)
    sound("bach/9.wav")
    assert "weber/9.mid" in [entry.file for entry in read(two_classes).recordings]
    (two_classes / "weber" / "9.mid").unlink()
    assert "4 files left out: not audio" in read(two_classes, media="audio").remarks
    (two_classes / "weber" / "0.mid").write_bytes(one_note)
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


def test_links_are_followed_wherever_they_lead(two_classes, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    shutil.move(two_classes / "weber", away / "weber")
    (two_classes / "weber").symlink_to(away / "weber")
    (two_classes / "bach" / "round").symlink_to(two_classes)
    found = read(two_classes)
    assert len(found.recordings) == 12
    assert found.labels == {"title": ("bach", "weber")}


def test_a_link_to_itself_is_one_damaged_file(two_classes):
    for name in ("1.txt", "x.wav"):
        (two_classes / "bach" / name).symlink_to(name)
    with pytest.raises(MaestroError, match=r"1 file cannot be used: bach/x\.wav: cannot be read: Too many levels"):
        read(two_classes)
    assert len(read(two_classes, skip_bad=True).recordings) == 12


def test_a_folder_deeper_than_python_recurses(two_classes):
    path = two_classes / "bach"
    for _ in range(200):
        path = path / "d"
        path.mkdir()
    depth, frame, limit = 0, sys._getframe(), sys.getrecursionlimit()
    while frame := frame.f_back:
        depth += 1
    sys.setrecursionlimit(depth + 100)
    try:
        assert len(list(walk_folder(two_classes).entries)) == 12
    finally:
        sys.setrecursionlimit(limit)


def test_names_that_are_not_utf8_are_told_with_escapes(two_classes):
    for name in (b"/\xff.wav", b"/bach/x.t\xff"):
        shutil.copy(two_classes / "bach" / "0.wav", os.fsencode(two_classes) + name)
    found = read(two_classes)
    assert found.remarks[:2] == (
        r"1 file not taken for recordings by the suffix: .t\udcff 1",
        r"1 recording in no class's folder, left out: \udcff.wav",
    )
    assert found.details == {"recordings in no class's folder": (r"\udcff.wav",)}


def test_recordings_come_in_the_order_of_their_paths(two_classes, sound):
    sound("bach II/0.wav")
    files = [entry.file for entry in read(two_classes).recordings]
    assert files[:2] == ["bach II/0.wav", "bach/0.wav"]
    assert files == sorted(files)


def test_shares_and_seed_are_the_configurations(tmp_path, sound):
    for title in "ab":
        for number in range(10):
            sound(f"{title}/{number}.wav", 0.01)
    drawn = {seed: read(tmp_path, validation_share=0.1, test_share=0.3, seed=seed) for seed in (1, 2)}
    assert "20 groups put on sides by lot: train 12, validation 2, test 6" in drawn[1].remarks
    assert drawn[1].recordings != drawn[2].recordings


def test_files_of_one_size_are_read_as_a_whole_only_if_they_begin_alike(two_classes, sound, monkeypatch):
    sound("bach/x.wav")
    monkeypatch.setattr("train.data.folder_headers.sha256", lambda path: pytest.fail(f"{path} read"))
    read(two_classes)


def test_accents_are_one_class_in_either_form(tmp_path, sound):
    for title in ("Faur\u00e9", "Faure\u0301", "Bach"):
        for number in range(3):
            sound(f"{title}/{number}.wav")
    assert read(tmp_path).labels == {"title": ("Bach", "Faur\u00e9")}


def test_without_looking_at_files(two_classes):
    (two_classes / "bach" / "0.wav").write_text("no sound")
    shutil.copy(two_classes / "bach" / "1.wav", two_classes / "weber" / "1.wav")
    found = read_folder(DataConfig(root=str(two_classes)), files=False)
    assert len(found.recordings) == 12
    assert {entry.duration_s for entry in found.recordings} == {0.0}


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
