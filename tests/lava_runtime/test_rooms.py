"""evaluate and parity on a tiny trained run; Lava itself is stood in for, except where marked."""

import json

import numpy as np
import pytest

from export import pipeline
from lava_runtime import inputs
from lava_runtime import parity as parity_room
from lava_runtime.evaluate import equally_right, evaluate
from lava_runtime.identify import identify
from lava_runtime.parity import compare, describe
from train import loop
from train.artifacts import RunFolder
from train.config import load_config
from train.errors import MaestroError


def test_evaluate_says_how_often_it_is_right_and_that_it_is_as_trained(run, fake_lava):
    found = evaluate(run, "lava", limit=6)
    assert {split: entry["clips"] for split, entry in found["splits"].items()} == {"test": 3, "test_keyboards": 3}
    assert {split: entry["clips"] for split, entry in found["engine"].items()} == {"test": 12, "test_keyboards": 12}
    assert found["decisions"] == {"compared": 18, "differing": 0}
    assert found["as_trained"] is True
    trained = json.loads(run.metrics.read_text())["final"]
    for split in ("test", "test_keyboards"):
        for head in ("title", "style", "emotion"):
            assert found["engine"][split]["accuracy"][head] == trained[split][head]
    spikes = found["splits"]["test"]["spikes"]
    assert list(spikes) == ["conv1", "pool1", "dense1", "heads"]
    assert all(value > 0 for value in spikes.values())
    assert {who: speed["clips"] for who, speed in found["speed"].items()} == {"engine": 24, "lava": 6}
    for backend in ("reference", "engine"):
        again = evaluate(run, backend)
        assert again["engine"] == found["engine"]
        for split, entry in again["splits"].items():
            assert entry == {key: found["engine"][split][key] for key in entry}
        assert again["decisions"] == (None if backend == "engine" else {"compared": 72, "differing": 0})


def test_evaluate_counts_by_layer_and_inference(run):
    entry = evaluate(run, "engine")["engine"]["test"]
    counters = entry["counters"]
    assert list(counters) == list(entry["spikes"])
    for name, layer in counters.items():
        assert layer["axon_out"] == pytest.approx(entry["spikes"][name])
        assert layer["dendrite_updates"] == layer["neurons"] * 25
        assert layer["syn_ops"] > 0
        assert layer["u_range"] == layer["u_max"] / 2**23
    assert counters["pool1"]["spikes_in"] == counters["conv1"]["axon_out"]


def test_run_prints_accuracy_spikes_and_whether_it_is_as_trained(cli, run, fake_lava):
    result = cli("lava_runtime", "run", run.path, "--backend", "lava", "--limit", "4")
    assert result.exit_code == 0, result.output
    for text in ("accuracy", "spikes per inference (lava)", "12 decisions of lava and engine", "0 differ", ": yes"):
        assert text in result.output
    result = cli("lava_runtime", "run", run.path)
    assert result.exit_code == 0, result.output
    for text in ("counted by layer, per inference (test, engine)", "syn. ops", "clips a second", "exactly: yes"):
        assert text in result.output
    assert "decisions of" not in result.output
    result = cli("lava_runtime", "run", run.path, "--backend", "reference", "--limit", "4")
    assert "12 decisions of reference and engine on the same clips: 0 differ" in result.output
    values = cli("lava_runtime", "run", run.path, "--json").stdout
    assert json.loads(values[values.index("{") :])["as_trained"] is True


def test_run_fails_when_the_deployed_network_is_another(cli, run, fake_lava):
    metrics = json.loads(run.metrics.read_text())
    metrics["final"]["test"]["title"]["correct"] += 1
    run.metrics.write_text(json.dumps(metrics))
    result = cli("lava_runtime", "run", run.path, "--backend", "lava", "--limit", "4")
    assert result.exit_code == 1
    assert "exactly: NO" in result.output
    assert "not right as often as the trained one" in result.output
    run.metrics.unlink()
    assert (
        "unknown: the run has no metrics.json"
        in cli("lava_runtime", "run", run.path, "--backend", "lava", "--limit", "4").output
    )


def test_run_fails_when_lava_decides_differently(cli, run, fake_lava):
    def silence(result):
        result.output[...] = 0
        result.output[:, -1] = 1

    fake_lava.append(silence)
    result = cli("lava_runtime", "run", run.path, "--backend", "lava", "--limit", "4")
    assert result.exit_code == 1
    assert "lava and the engine decide differently" in result.output


def test_options_that_a_backend_does_not_take(cli, run):
    cases = [
        (("--limit", "4"), "--limit: is for Lava or the reference; the engine runs every clip"),
        (("--backend", "lava", "--memory", "1G"), "--memory: is the engine's and does not go with --backend lava"),
        (("--backend", "reference", "--threads", "1"), "--threads: is the engine's and does not go with"),
        (("--memory", "1K"), "--memory: 0.0 MiB is too little"),
    ]
    for arguments, text in cases:
        result = cli("lava_runtime", "run", run.path, *arguments)
        assert result.exit_code == 2, result.output
        assert text in result.output


def test_equally_right_compares_clips_too():
    right = {"correct": 3, "clips": 4}
    deployed = {"test": {"accuracy": {"title": right}}}
    assert equally_right(deployed, {"test": {"title": dict(right)}})
    assert not equally_right(deployed, {"test": {"title": {"correct": 3, "clips": 5}}})
    assert not equally_right(deployed, {})


@pytest.mark.parametrize("text", ["{}", '{"final": {"test": 3}}'])
def test_damaged_metrics(run, fake_lava, text):
    run.metrics.write_text(text)
    with pytest.raises(MaestroError, match=r"metrics\.json: has no final accuracies"):
        evaluate(run, "engine")


def test_a_changed_net_is_refused(cli, run):
    with run.net.open("ab") as file:
        file.write(b"x")
    for command in (("run", run.path), ("parity", run.path), ("identify", run.path, "x.wav")):
        result = cli("lava_runtime", *command)
        assert result.exit_code == 1
        assert "was made for another model.net" in result.output
        assert "Export again" in result.output


def test_other_labels_are_refused(run, monkeypatch):
    build = inputs.data_clips

    def other(config):
        sets, labels = build(config)
        return sets, {**labels, "style": ("x", "y")}

    monkeypatch.setattr(inputs, "data_clips", other)
    with pytest.raises(MaestroError, match="other labels of style than the data set"):
        evaluate(run, "engine")


def test_parity_of_all_four(cli, run, fake_lava):
    result = cli("lava_runtime", "parity", run.path, "--limit", "5")
    assert result.exit_code == 0, result.output
    record = json.loads(run.parity.read_text())
    assert record["backends"] == ["slayer", "reference", "engine", "lava"]
    assert record["clips"] == {"test": 3, "test_keyboards": 2}
    assert record["steps"] == 25
    assert record["layers"] == ["conv1", "pool1", "dense1", "heads"]
    assert record["first_divergence"] is None
    assert len(record["differing"]) == 6
    assert not any(sum(layers.values()) for layers in record["differing"].values())
    assert all(record["spikes"]["slayer"].values())
    assert record["provenance"]["versions"]["lava-dl"]
    header = result.stdout.replace("\n", " ")
    assert [pair for pair in record["differing"] if pair in header] == [
        "slayer and reference",
        "reference and engine",
        "engine and lava",
    ]


def test_parity_names_the_first_spike_that_differs(cli, run, fake_lava):
    def flip(result):
        result.layers[2][1, 7, 13] ^= 1
        result.layers[3][1, 2, 14] ^= 1

    fake_lava.append(flip)
    result = cli("lava_runtime", "parity", run.path, "--limit", "4")
    assert result.exit_code == 1
    assert "sample 1 (clip 11 of test), layer dense1, neuron (7,), step 13" in result.output
    record = json.loads(run.parity.read_text())
    assert record["differing"]["slayer and reference"]["dense1"] == 0
    assert record["differing"]["slayer and lava"] == {"conv1": 0, "pool1": 0, "dense1": 1, "heads": 1}
    assert record["first_divergence"]["pair"] == "slayer and lava"
    # The table adds the pairs off the chain that differ.
    for column in ("engine and lava", "slayer and lava", "reference and lava"):
        assert column in result.stdout
    assert "slayer and engine" not in result.stdout


def test_layers_of_other_shapes_differ():
    found = {"a": [np.zeros((1, 2, 3), np.uint8)], "b": [np.zeros((1, 4, 3), np.uint8)]}
    first = compare(found, ["only"], [("test", 0)])["first_divergence"]
    assert describe(first) == "a and b differ first in layer only: shapes [[1, 2, 3], [1, 4, 3]]"


def test_an_interrupted_parity_keeps_the_old_record(run, fake_lava, monkeypatch):
    run.parity.write_text("old")

    def stop(result):
        raise KeyboardInterrupt

    fake_lava.append(stop)
    with pytest.raises(KeyboardInterrupt):
        parity_room.parity(run, 2)
    assert run.parity.read_text() == "old"


@pytest.mark.lava
def test_the_whole_ladder_on_a_trained_run(cli, run, sound):
    result = cli("lava_runtime", "parity", run.path, "--limit", "4")
    assert result.exit_code == 0, result.output
    assert json.loads(run.parity.read_text())["first_divergence"] is None
    assert identify(run, sound, "lava") == identify(run, sound, "reference")


@pytest.mark.lava
@pytest.mark.parametrize(("preset", "analog"), [("dh_lif", True), ("dh_lif_spiking", False)])
def test_the_whole_ladder_on_a_run_with_dendrites(cli, fake_clips, tiny, tmp_path, preset, analog):
    fake_clips(loop, inputs)
    folder = RunFolder(tmp_path / "run")
    loop.fit(load_config(preset, [*tiny, "training.epochs=1"]), folder)
    pipeline.export_run(folder, 2)
    result = cli("lava_runtime", "parity", folder.path, "--limit", "4", "--fast")
    assert result.exit_code == 0, result.output
    record = json.loads(folder.parity.read_text())
    assert record["first_divergence"] is None
    assert record["spikes"]["lava"][record["layers"][-2]] > 0
    assert ("simulator only" in result.stderr) is analog
