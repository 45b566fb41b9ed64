import json
import re

import numpy as np
import pytest
import torch

from export.manifest import load_manifest
from hardware import cells
from hardware.cells import Job, condition_name, read_cell, require_cell, run_cell
from hardware.counters import activity
from hardware.experiment import Evaluation
from hardware.result import with_latency
from lava_runtime.engine.engine import Engine
from lava_runtime.inputs import encode
from train import loop
from train.config import load_config
from train.errors import MaestroError
from train.model import load_run

EVALUATION = Evaluation(noises=("pink",), snr_db=(10,), gate_clips=2)
SMALL = ("conv1", "pool1", "dense1", "heads")
WITH_BRANCHES = ("conv1_branches", "conv1", "pool1", "dense1_branches", "dense1", "heads_branches", "heads")


@pytest.fixture
def job(experiment, tmp_path):
    def make(preset, overrides=(), evaluation=EVALUATION, name="cell"):
        config = load_config(preset, [*experiment.shared, "training.threads=1", *overrides])
        return Job(name, preset, config, evaluation, tmp_path)

    return make


@pytest.mark.parametrize(
    ("preset", "layers", "states"),
    [("lif", SMALL, 2), ("dh_lif", SMALL, 5), ("dh_lif_spiking", WITH_BRANCHES, 2)],
)
def test_a_cell_is_trained_exported_and_heard(fake_corpus, job, preset, layers, states):
    cell = job(preset)
    assert read_cell(cell) is None
    run_cell(cell)
    found = read_cell(cell)
    assert found["seed"] == cell.config.training.seed
    assert found["gate"]["clips"] == 2
    assert found["gate"]["differing"] == 0
    # What was heard is what training's own evaluation gives.
    metrics = json.loads(cell.run.metrics.read_text())
    for split in ("test", "test_keyboards"):
        assert found["accuracy"][split]["clean"] == metrics["final"][split]
        assert set(found["accuracy"][split]) == {"clean", "pink_10"}
    costs = found["costs"]
    assert tuple(costs["layers"]) == layers
    assert with_latency(costs)["latency_steps"] == json.loads(cell.run.manifest.read_text())["latency_steps"]
    assert costs["layers"]["dense1"]["states"] == 8 * states
    assert costs["layers"]["pool1"]["states"] == 2 * costs["layers"]["pool1"]["neurons"]
    clips = fake_corpus(cell.config)[0]["test"]
    trained = load_run(cell.run)
    _, rates = loop.evaluate(trained.network, clips, trained.encoder, trained.normaliser, trained.heads)
    for name, rate in rates.items():
        size = costs["layers"][name]["neurons"] * clips.steps
        assert costs["layers"][name]["spikes"] == pytest.approx(rate * size, rel=1e-4)
    before, after = (found["time_constants"][when] for when in ("before", "after"))
    assert tuple(after) == layers
    expected = {
        "lif": (),
        "dh_lif": ("conv1", "dense1", "heads"),
        "dh_lif_spiking": ("conv1_branches", "dense1_branches", "heads_branches"),
    }
    branched = {name for name, entry in after.items() if max(map(len, entry.values())) > 1}
    assert branched == set(expected[preset])
    assert [len(entry["current"]) for entry in before.values()] == [len(entry["current"]) for entry in after.values()]


def test_what_is_heard_are_the_deployed_integers(fake_corpus, job, monkeypatch):
    """Neither SLAYER's forward nor a stand-in: what the engine reads from the file decides, on every clip."""
    cell = job("lif")
    run_cell(cell)
    cell.file.unlink()
    monkeypatch.setattr(loop, "evaluate", lambda *_: pytest.fail("heard by SLAYER"))
    seen = []
    run = Engine.run

    def watched(self, spikes, **how):
        seen.append(len(spikes))
        result = run(self, spikes, **how)
        result.output[:] = 0
        for sample, output in enumerate(result.output):
            output[sample % 4] = 1
        return result

    monkeypatch.setattr(Engine, "run", watched)
    run_cell(cell)
    found = read_cell(cell)["accuracy"]
    assert sum(seen) == 4 * 12
    # Three clips a title, of which clips 0, 5, 6 and 11 get their own.
    assert {entry["title"]["correct"] for heard in found.values() for entry in heard.values()} == {4}


@pytest.mark.parametrize("preset", ["lif", "dh_lif", "dh_lif_spiking"])
def test_the_engine_counts_the_operations_that_costs_tell(fake_corpus, job, preset):
    cell = job(preset)
    run_cell(cell)
    costs = read_cell(cell)["costs"]
    clips = fake_corpus(cell.config)[0]["test"]
    inputs = encode(load_manifest(cell.run), clips.features(np.arange(len(clips))))
    tally = Engine.from_file(cell.run.net).run(inputs).tally
    assert costs["syn_ops"] == pytest.approx(tally.syn_ops / len(clips), rel=1e-12)
    assert tally.syn_ops > 0
    assert costs["input_spikes"] == inputs.sum() / len(clips)
    for name, layer in tally.layers.items():
        told = costs["layers"][name]
        assert told["syn_ops"] == layer.syn_ops / len(clips)
        assert told["spikes"] == layer.axon_out / len(clips)
        assert told["neuron_updates"] == layer.state_updates / len(clips)
        assert told["neurons"] == layer.neurons


def test_the_ann_counts_its_multiplications(fake_corpus, job):
    cell = job("ann")
    run_cell(cell)
    found = read_cell(cell)
    assert found["gate"] is None
    assert found["time_constants"] is None
    steps, features = 25, 13
    dense = 8 * (4 * 7) * steps
    conv = 4 * 4 * (3 * features - 2) * steps
    assert found["costs"]["layers"]["conv1"]["macs_dense"] == conv
    assert found["costs"]["layers"]["dense1"]["macs_dense"] == dense
    assert found["costs"]["layers"]["heads"]["macs_dense"] == 8 * 8
    assert 0 < found["costs"]["macs_effective"] < dense + 8 * 8
    assert 0 < found["costs"]["acs_effective"] < conv


def test_what_arrives_at_the_anns_layers_gives_its_answer(fake_corpus, job):
    cell = job("ann", evaluation=None)
    run_cell(cell)
    network = load_run(cell.run).network
    inputs = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (3, 4, 13, 1, 25))).float()
    with torch.no_grad():
        name, x, y = list(activity._layers(network, inputs))[-1]
        assert name == "heads"
        torch.testing.assert_close(x @ network.weights[-1].T, network.scores(inputs))
        torch.testing.assert_close(y, network.scores(inputs))


def test_activity_asks_for_the_right_kind_of_network(fake_corpus, job):
    lif = job("lif", evaluation=None)
    run_cell(lif)
    with pytest.raises(MaestroError, match="lif: is a spiking network, no ANN"):
        activity.layers_of(load_run(lif.run), 25)


def test_a_key_stands_for_all_that_determines_a_cell(job, experiment, monkeypatch):
    base = job("lif")
    others = [
        job("lif", ["training.seed=2"]),
        job("lif", ["lif.threshold=3.0"]),
        job("lif", evaluation=None),
        job("lif", evaluation=Evaluation(noises=("pink",), snr_db=(5,), gate_clips=2)),
    ]
    assert len({cell.key for cell in (base, *others)}) == 5
    assert job("lif", name="other").key == base.key
    monkeypatch.setattr(cells, "versions", lambda: dict.fromkeys(cells._DECIDING, "0"))
    assert job("lif").key != base.key


def test_a_trained_cell_is_not_trained_again(fake_corpus, job, monkeypatch):
    cell = job("lif")
    run_cell(cell)
    expected = read_cell(cell)
    cell.file.unlink()
    monkeypatch.setattr(loop, "fit", lambda *_args, **_keys: pytest.fail("trained again"))
    run_cell(cell)
    found = read_cell(cell)
    assert found["accuracy"] == expected["accuracy"]
    assert found["costs"] == expected["costs"]


def test_a_search_keeps_what_diverges_and_a_comparison_does_not(fake_corpus, job, monkeypatch):
    monkeypatch.setattr(loop, "multi_head_loss", lambda scores, *_: scores.sum() * float("nan"))
    search = job("lif", evaluation=None)
    run_cell(search)
    assert "the loss became nan" in read_cell(search)["failed"]
    assert read_cell(search)["score"] == 0
    compared = job("lif")
    with pytest.raises(MaestroError, match="the loss became nan"):
        run_cell(compared)
    assert read_cell(compared) is None


def test_a_full_disk_is_no_result_of_a_search(fake_corpus, job, monkeypatch):
    def full(*_args, **_keys):
        raise MaestroError("resume.pt", "cannot be written: no space left")

    monkeypatch.setattr(loop, "fit", full)
    cell = job("lif", evaluation=None)
    with pytest.raises(MaestroError, match="no space left"):
        run_cell(cell)
    assert read_cell(cell) is None


def test_a_network_that_deploys_otherwise_is_no_result(fake_corpus, job, monkeypatch):
    from export import gate

    def differs(*_):
        raise MaestroError("layer conv1, neuron 0, step 3", "SLAYER's quantised forward gives 1")

    monkeypatch.setattr(gate, "compare", differs)
    cell = job("lif")
    with pytest.raises(MaestroError, match="SLAYER's quantised forward gives 1"):
        run_cell(cell)
    assert read_cell(cell) is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"key": "other"}'])
def test_a_broken_cell_is_named_with_its_cure(job, text):
    cell = job("lif")
    cell.file.parent.mkdir()
    cell.file.write_text(text)
    found = "cannot be read as JSON: .*" if text == "{" else "is not the result of this cell"
    with pytest.raises(MaestroError, match=rf"{re.escape(cell.file.name)}: {found}\. Delete it; the cell is then run"):
        read_cell(cell)


def test_a_missing_cell_is_named(job):
    with pytest.raises(MaestroError, match=r"json: is missing though its cell was done. Run the same command again"):
        require_cell(job("lif"))


def test_names():
    assert condition_name("pink", 10) == "pink_10"
