"""The whole way of a user's own recordings, by the commands of the embedded corpus: no line of code is changed."""

import json

import pytest

pytestmark = pytest.mark.slow


def whole_way(stage, run, fit, sound):
    """Train, export, run and identify; what run and identify say."""
    stage("train", "fit", *fit, "--run", run)
    stage("export", "netx", run)
    told = json.loads(stage("lava_runtime", "run", run, "--json").stdout)
    named = json.loads(stage("lava_runtime", "identify", run, sound, "--json").stdout)
    return told, named


def test_maestro_goes_the_whole_way(maestro, stage, small, tmp_path):
    summary = json.loads(stage("train", "data", "maestro", "--root", maestro, "--summary", "--json").stdout)
    assert summary["recordings"] == 16
    run = tmp_path / "run"
    (sound,) = maestro.glob("2017/*PIANO003*--1.wav")
    told, named = whole_way(stage, run, ["maestro", "--set", f"data.root={maestro}", *small], sound)
    metrics = json.loads((run / "metrics.json").read_text())
    assert set(metrics["final"]) == {"validation", "test"}
    # What runs is what was trained, to the clip.
    trained = {head: entry["correct"] for head, entry in metrics["final"]["test"].items()}
    assert {head: entry["correct"] for head, entry in told["splits"]["test"]["accuracy"].items()} == trained
    assert set(trained) == set(named["overall"]) == {"title", "style"}
    assert json.loads((run / "manifest.json").read_text())["heads"]["title"]["labels"][0].startswith("Claude Debussy")


def test_features_are_made_of_midi_where_there_is_no_sound(maestro, stage, small, tmp_path):
    for path in maestro.rglob("*.midi"):
        copy = tmp_path / path.relative_to(maestro)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "maestro-v3.0.0.csv").write_bytes((maestro / "maestro-v3.0.0.csv").read_bytes())
    found = stage("train", "data", "maestro", "--root", tmp_path, *small)
    assert "16 recordings" in found.stderr


def test_folders_with_labels_of_a_head_of_their_own_go_the_whole_way(folders, moods, stage, small, tmp_path):
    told = json.loads(stage("train", "data", "folder", "--root", folders, "--summary", "--json").stdout)
    assert told["recordings"] == 8
    labels = ["--set", f'data.labels=["{moods(["prélude", "rag"])}"]']
    run = tmp_path / "folder"
    found, named = whole_way(
        stage, run, ["folder", "--set", f"data.root={folders}", *labels, *small], folders / "rag" / "take 1.flac"
    )
    assert set(found["splits"]["test"]["accuracy"]) == {"title", "mood"}
    assert named["overall"]["mood"]["label"] in ("calm", "merry")
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["heads"]["mood"]["labels"] == ["calm", "merry"]
    assert manifest["heads"]["title"]["labels"] == ["prélude", "rag"]
