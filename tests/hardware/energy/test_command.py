"""``python -m hardware energy``: devices, the check, a counted run, and calls that are wrong."""

import json

import pytest

from hardware.energy import section as module
from hardware.energy.profile import load_profiles
from hardware.energy.tables import cell, scaled
from hardware.measurement import Quantity


@pytest.fixture(autouse=True)
def unchecked(monkeypatch):
    monkeypatch.setattr(module, "validation", list)


def test_devices_are_printed_with_constants_and_sources(cli):
    result = cli("hardware", "energy")
    assert result.exit_code == 0
    for profile in load_profiles():
        assert f"{profile.name}: {profile.title}" in result.output
    for word in ("synaptic_operation", "23.6 pJ to 35.5 pJ", "212 mW to 352 mW", "literature", "measured"):
        assert word in result.output


def test_devices_as_json(cli):
    found = json.loads(cli("hardware", "energy", "--json").output)
    assert [device["name"] for device in found] == [profile.name for profile in load_profiles()]
    assert found[0]["parts"]["static"] == "no source for the static power of Loihi 1 was found"
    assert found[0]["parts"]["updates"] == ["neuron_update"]


def test_an_ann_that_was_counted_is_priced(cli, run, ann, filed_section):
    folder = run({"counters": filed_section(ann)})
    result = cli("hardware", "energy", folder)
    assert result.exit_code == 0, result.output
    for word in ("digital_45nm_int8 (ann)", "int8_accelerator (ann)", "synapses", "dynamic", "unavailable: "):
        assert word in result.output
    assert "loihi" not in result.output
    found = json.loads(cli("hardware", "energy", folder, "--json").output)
    assert found["devices"]["int8_accelerator"]["dynamic"]["high"] == pytest.approx(20_000e-12)


def test_a_spiking_run_is_priced_with_its_twin_and_placement(cli, run, counts, untrained, monkeypatch, filed_section):
    monkeypatch.setattr("hardware.energy.command.filed_twin", lambda _run, _counts: untrained)
    chip = {"period": 32, "answer_steps": 16}
    monkeypatch.setattr("hardware.energy.command.filed_schedule", lambda _run, _counts: chip)
    folder = run({"counters": filed_section(counts)})
    found = json.loads(cli("hardware", "energy", folder, "--step-time", "32000", "--json").output)
    assert found["assumed"]["step_time"]["value"] == pytest.approx(0.032)
    assert found["devices"]["loihi2"]["network"] == "snn"
    assert found["devices"]["loihi2"]["latency"]["value"] == pytest.approx(16 * 0.032)
    assert found["devices"]["loihi2"]["interval"]["value"] == pytest.approx(32 * 0.032)
    assert found["devices"]["digital_45nm_fp32"]["network"] == "ann"
    assert "without a placement" in found["assumed"]["copies"]
    # What it comes down to without the host is told beside the table.
    told = cli("hardware", "energy", folder).output
    assert "kept on the chip and replayed" in told
    assert "left out: " not in told


CALLS = {
    "check with a run": (("--check", "some/run"), 2, "--check: goes without RUN. Leave one out"),
    "a step time of nothing": (("--step-time", "10"), 2, "--step-time: says nothing without RUN. Name a measured run"),
    "a step time of no length": (("--step-time", "0"), 2, "0"),
    "no such run": (("no/such/run",), 1, r"no/such/run/measurement.json: has no counts"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_is_told(cli, name):
    arguments, code, text = CALLS[name]
    result = cli("hardware", "energy", *arguments)
    assert result.exit_code == code
    assert text in result.output
    assert "Traceback" not in result.output


def test_a_run_without_counts_is_told_how_to_get_them(cli, run):
    result = cli("hardware", "energy", run({}))
    assert result.exit_code == 1
    assert 'has no counts (expected a section "counters"). Make it with `python -m hardware measure ' in result.output


def test_a_spiking_run_without_its_network_is_told(cli, run, counts, filed_section):
    result = cli("hardware", "energy", run({"counters": filed_section(counts)}))
    assert result.exit_code == 1
    assert "config.toml" in result.output


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.661e-3, "1.66 mJ"), (0, "0 J"), (568e-6, "568 uJ"), (3e-15, "0.00300 pJ"), (2.0, "2.00 J"), (1234.5, "1234 J")],
)
def test_numbers_have_three_digits_and_a_prefix(number, text):
    assert scaled(number, "J") == text


def test_bounds_are_in_the_unit_of_the_value():
    found = Quantity(1.38e-3, "J", "estimated", "test", 0.9e-6, 2.147, "literature")
    assert cell(found) == "1.38 (0.000900 to 2147) mJ"
    assert cell("why") == "unavailable"
