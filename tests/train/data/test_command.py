"""``python -m train data``."""

import json
import shlex

import numpy as np
import pytest
import soundfile


@pytest.fixture
def classes(tmp_path):
    """A folder of two classes, six recordings each."""
    for number, name in enumerate(("calm", "fast")):
        for take in range(6):
            path = tmp_path / "own" / name / f"{take}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            tone = np.sin(np.arange(48_000) * (0.01 + 0.05 * number) * (1 + 0.1 * take))
            soundfile.write(path, 0.3 * tone, 16_000, subtype="PCM_16")
    return tmp_path / "own"


def test_summary_as_tables_and_as_json(cli, classes):
    shown = cli("train", "data", "folder", "--root", classes, "--summary")
    assert shown.exit_code == 0
    for text in ("train", "validation", "test", "all", "title: 2 classes", "calm", "fast", "with title"):
        assert text in shown.stdout
    found = json.loads(cli("train", "data", "folder", "--root", classes, "--summary", "--json").stdout)
    assert (found["recordings"], found["groups"]) == (12, 12)
    assert found["hours"] == pytest.approx(12 * 3 / 3600, abs=1e-4)
    assert sum(found["heads"]["title"]["calm"].values()) == 6
    assert {side: counts["labelled"]["title"] for side, counts in found["sides"].items()} == {
        side: counts["recordings"] for side, counts in found["sides"].items()
    }


def test_features_are_made_once_and_the_next_step_is_told(cli, classes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = cli("train", "data", "folder", "--root", "own", "--set", "data.sample_rate_hz=16000")
    assert made.exit_code == 0, made.output
    assert made.stdout.strip() == ".cache/features"
    assert "features of 12 of 12 recordings" in made.stderr
    assert (
        """train fit folder --set data.source=folder --set data.sample_rate_hz=16000 --set 'data.root="own"'`"""
        in made.stderr
    )
    again = cli("train", "data", "folder", "--root", "own", "--json")
    assert json.loads(again.stdout)["recordings"] == 12


def test_the_next_step_can_be_copied_whatever_the_folder_is_called(cli, classes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    classes.rename("it's a $HOME")
    made = cli("train", "data", "folder", "--root", "it's a $HOME")
    command = made.stderr.split("`")[1]
    assert shlex.split(command)[-1] == """data.root="it's a $HOME\""""


def test_damaged_recordings_are_left_out_when_asked(cli, classes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (classes / "calm" / "0.wav").write_bytes((classes / "calm" / "0.wav").read_bytes()[:9000])
    refused = cli("train", "data", "folder", "--root", classes)
    assert refused.exit_code == 1
    assert "0.wav" in refused.stderr
    left = cli("train", "data", "folder", "--root", classes, "--skip-bad")
    assert left.exit_code == 0, left.output


def test_a_label_file_and_a_summary_in_one_call(cli, classes, tmp_path):
    """And without a summary, the file alone."""
    one = cli("train", "data", "folder", "--root", classes, "--pieces", tmp_path / "one.csv")
    assert (one.exit_code, one.stdout) == (0, "")
    assert "one.csv: 2 pieces; fill in a line for each label, then name it in data.labels" in one.stderr
    both = cli("train", "data", "folder", "--root", classes, "--pieces", tmp_path / "two.csv", "--summary", "--json")
    assert json.loads(both.stdout)["recordings"] == 12
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text()
    again = cli("train", "data", "folder", "--root", classes, "--pieces", tmp_path / "two.csv", "--summary")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "two.csv: is there already" in again.stderr


def test_wrong_calls(cli, tmp_path):
    nowhere = cli("train", "data", "maestro", "--summary")
    assert nowhere.exit_code == 2
    assert "data.root: is empty. Set it to the folder of the maestro" in nowhere.stderr
    empty = cli("train", "data", "maestro", "--summary", "--root", tmp_path)
    assert empty.exit_code == 1
    assert "holds no table of MAESTRO" in empty.stderr
    wrong = cli("train", "data", "maestro", "--root", tmp_path, "--set", "data.split=random")
    assert wrong.exit_code == 2
    assert "data.split: is 'random'" in wrong.stderr
