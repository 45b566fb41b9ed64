"""The estimate of what the way from the host costs, and where the lint has it from."""

import json

import h5py
import numpy as np
import pytest

from export import netx
from export.chip_checks import host_io
from export.graph import Cuba, DenseLayer, InputLayer, Network
from export.host_io import SHARE_MAX, US_PER_PLACE, US_PER_STEP, HostIo
from export.lint import lint
from export.pages import PAGES
from export.rawnet import raw_layers

STEPS = 94


@pytest.mark.parametrize(("places", "binds"), [(6, False), (7, True), (66, True)])
def test_host_io_is_an_estimate_from_published_figures(tmp_path, cli, places, binds):
    weight = np.full((2, places), 2)
    weight[0, 0] = -2
    path = tmp_path / "model.net"
    netx.write(Network((InputLayer((places,)), DenseLayer(weight, Cuba(4096, 0, 64))), ("input", "layer")), path)
    findings = lint(path, STEPS, chip=True)
    assert {finding.code for finding in findings} == ({"HW011"} if binds else set())
    report = json.loads(cli("export", "lint", path, "--chip", "--json", "--steps", STEPS).stdout)
    estimate = report["chip"]["host_io"]
    assert estimate["places"] == places
    assert estimate["kind"] == "estimated"
    assert "PilotNet SDNN" in estimate["method"]
    assert (estimate["us_per_step"] > SHARE_MAX * estimate["against_us_per_step"]) == binds
    with h5py.File(path, "a") as file:
        del file["layer/0"]
        file.move("layer/1", "layer/0")
    assert host_io(raw_layers(path)) == HostIo(places)


def test_the_figures_of_the_estimate_are_the_published_ones():
    assert pytest.approx(1e6 / 11.18) == US_PER_PLACE * 39600
    assert round(US_PER_PLACE, 2) == 2.26
    assert round(US_PER_STEP, 1) == 152.8
    assert round(HostIo(66).us_per_step) == 149
    found = PAGES["HW011"]
    assert "66 places x 2.26 us = 149 us a step" in found.example


def test_where_the_input_is_not_said_nothing_is_estimated(clean, cli):
    with h5py.File(clean, "a") as file:
        del file["layer/0"]
        for index in range(4):
            file.move(f"layer/{index + 1}", f"layer/{index}")
    assert host_io(raw_layers(clean)) is None
    report = json.loads(cli("export", "lint", clean, "--chip", "--json").stdout)
    assert report["chip"]["host_io"] is None
    assert host_io(()) is None
