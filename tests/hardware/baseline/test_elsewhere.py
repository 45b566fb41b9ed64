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
    (entry,) = elsewhere(tmp_path)
    assert (entry["name"], entry["file"]) == ("a processor", "a.json")
    assert entry["date"] == section["provenance"]["date"]
    assert entry["machine"] == section["provenance"]["machine"]
    assert entry["command"] == "python -m hardware baseline RUN --device cpu --json"
    assert entry["networks"] == section["devices"]["cpu"]["networks"]


def test_none(tmp_path):
    assert elsewhere(tmp_path) == []
    assert elsewhere(tmp_path / "none") == []


def test_those_that_are_committed():
    for entry in elsewhere(FOLDER):
        assert entry["networks"]


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
        del made["provenance"]
    elif how == "empty":
        made["devices"] = {"cuda": {"unavailable": "no GPU"}}
    return made


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("number", r"x.json: ann, eager, batch 1, latency: \{'value': 'fast'\} is no number of ours"),
        ("outside", r"x.json: ann, eager, batch 1, latency: .*outside"),
        ("best", r"x.json: ann: best at batch 1 is magic, which is not in it"),
        ("keys", r"x.json: is no baseline: KeyError\('provenance'\)"),
        ("empty", r"x.json: holds no device that was measured"),
    ],
)
def test_damaged_ones_are_refused(section, tmp_path, how, text):
    (tmp_path / "x.json").write_text(json.dumps(broken(section, how)))
    with pytest.raises(MaestroError, match=text):
        elsewhere(tmp_path)


def test_no_json(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(MaestroError, match="cannot be read as JSON"):
        elsewhere(tmp_path)
