"""Committed measurements of other machines."""

import copy
import json

import pytest

from hardware.baseline import measure
from hardware.baseline.elsewhere import FOLDER, elsewhere
from train.errors import MaestroError


@pytest.fixture
def section(make_run, quick, few_variants, on_device):
    """What ``--json`` prints of a tiny run."""
    on_device("no counter")
    return json.loads(json.dumps(measure.measure_baseline(make_run("ann"), protocol=quick)))


def test_what_is_printed_can_be_committed(section, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(section))
    (entry,) = elsewhere(section, tmp_path)
    assert (entry["name"], entry["file"]) == ("a processor, ann (results/a.json)", "a.json")
    made = section["devices"]["cpu"]["made"]
    assert {key: entry[key] for key in ("machine", "date", "commit")} == {
        key: made[key] for key in ("machine", "date", "commit")
    }
    assert entry["protocol"] == section["protocol"]
    assert (entry["run"]["name"], entry["run"]["neuron"]) == ("ann", "ann")
    assert entry["identity"] == section["identity"]
    assert entry["command"] == "python -m hardware baseline RUN --device cpu --json"
    assert entry["networks"] == section["devices"]["cpu"]["networks"]


def test_none(tmp_path):
    assert elsewhere({}, tmp_path) == []
    assert elsewhere({}, tmp_path / "none") == []


def test_those_that_are_committed():
    for path in FOLDER.glob("*.json"):
        for entry in elsewhere(json.loads(path.read_text()), FOLDER):
            assert entry["networks"]


def test_two_files_of_one_device_have_names_of_their_own(section, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(section))
    first, second = elsewhere(section, tmp_path)
    assert first["name"] != second["name"]


def test_another_network_is_shown_for_its_ann_alone_where_sizes_agree(section, tmp_path):
    both = copy.deepcopy(section)
    networks = both["devices"]["cpu"]["networks"]
    networks["snn"] = networks["ann"]
    (tmp_path / "a.json").write_text(json.dumps(both))
    assert set(elsewhere(section, tmp_path)[0]["networks"]) == {"ann", "snn"}
    other = {**section, "identity": {"net_sha256": None, "checkpoint_sha256": "0"}}
    assert set(elsewhere(other, tmp_path)[0]["networks"]) == {"ann"}
    layers = copy.deepcopy(section["run"]["layers"])
    layers[0][3] += 1
    assert elsewhere({**other, "run": {**section["run"], "layers": layers}}, tmp_path) == []


def broken(section, how):
    made = copy.deepcopy(section)
    networks = made["devices"]["cpu"]["networks"]
    cell = networks["ann"]["variants"]["eager"]["batches"]["1"]
    if how == "number":
        cell["latency"] = {"value": "fast"}
    elif how == "outside":
        cell["latency"]["low"] = 1e9
    elif how == "best":
        networks["ann"]["best"]["1"] = "magic"
    elif how == "keys":
        del made["devices"]["cpu"]["made"]
    elif how == "empty":
        made["devices"] = {"cuda": {"unavailable": "no GPU"}}
    return made


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("number", r"x.json: ann, eager, batch 1, latency: \{'value': 'fast'\} is no number of ours"),
        ("outside", r"x.json: ann, eager, batch 1, latency: .*outside"),
        ("best", r"x.json: ann: best at batch 1 is magic, which is not in it"),
        ("keys", r"x.json: is no baseline: KeyError\('made'\)"),
        ("empty", r"x.json: holds no device that was measured"),
    ],
)
def test_damaged_ones_are_refused(section, tmp_path, how, text):
    (tmp_path / "x.json").write_text(json.dumps(broken(section, how)))
    with pytest.raises(MaestroError, match=text):
        elsewhere(section, tmp_path)


def test_no_json(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(MaestroError, match="cannot be read as JSON"):
        elsewhere({}, tmp_path)
