"""``python -m hardware energy``: devices, the check, a counted run, and calls that are wrong."""

import json
from dataclasses import asdict

import pytest

from hardware.energy import section as module
from hardware.energy.profile import load_profiles
from hardware.energy.tables import cell, scaled
from hardware.measurement import FORMAT, Quantity, exact


@pytest.fixture(autouse=True)
def unchecked(monkeypatch):
    monkeypatch.setattr(module, "validation", list)


def filed(counts):
    """Counts as the room of counters files them."""
    layers = {}
    for name, layer in counts.layers.items():
        entry = asdict(layer)
        for key in ("spikes_in", "axon_out", "syn_ops", "dendrite_updates", "state_updates", "acs_effective"):
            entry[key] = exact(entry[key], "operations", "counted").as_dict()
        for key in ("macs_effective", "dense"):
            entry[key] = exact(entry[key], "operations", "counted").as_dict()
        entry["footprint"] = exact(entry.pop("footprint_bytes"), "B", "counted").as_dict()
        layers[name] = entry
    total = {"input_spikes": exact(counts.input_spikes, "spikes", "counted").as_dict()}
    return {"steps": counts.steps, "clips": counts.clips, "layers": layers, "total": total}


@pytest.fixture
def run(tmp_path):
    def build(content):
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "measurement.json").write_text(json.dumps({"format": FORMAT, **content}))
        return folder

    return build


def test_devices_are_printed_with_constants_and_sources(cli):
    result = cli("hardware", "energy")
    assert result.exit_code == 0
    for profile in load_profiles():
        assert f"{profile.name}: {profile.title}" in result.output
    for word in ("synaptic_operation", "23.6 pJ to 35.5 pJ", "100 mW to 352 mW", "literature", "calibrated"):
        assert word in result.output


def test_devices_as_json(cli):
    found = json.loads(cli("hardware", "energy", "--json").output)
    assert [device["name"] for device in found] == [profile.name for profile in load_profiles()]
    assert found[0]["parts"]["static"] == "no source for the static power of Loihi 1 was found"
    assert found[0]["parts"]["updates"] == ["neuron_update"]


def test_an_ann_that_was_counted_is_priced(cli, run, ann):
    folder = run({"counters": filed(ann)})
    result = cli("hardware", "energy", folder)
    assert result.exit_code == 0, result.output
    for word in ("digital_45nm_int8 (ann)", "int8_accelerator (ann)", "synapses", "dynamic", "unavailable: "):
        assert word in result.output
    assert "loihi" not in result.output
    found = json.loads(cli("hardware", "energy", folder, "--json").output)
    assert found["devices"]["int8_accelerator"]["dynamic"]["high"] == pytest.approx(20_000e-12)


def test_a_spiking_run_is_priced_with_its_twin_and_placement(cli, run, counts, untrained, monkeypatch):
    monkeypatch.setattr("hardware.energy.command.filed_twin", lambda _run, _counts: untrained)
    folder = run({"counters": filed(counts)})
    found = json.loads(cli("hardware", "energy", folder, "--step-time", "32000", "--json").output)
    assert found["assumed"]["step_time"]["value"] == pytest.approx(0.032)
    assert found["devices"]["loihi2"]["network"] == "snn"
    assert found["devices"]["digital_45nm_fp32"]["network"] == "ann"
    assert "without a placement" in found["assumed"]["copies"]


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


DAMAGE = {
    "no layers": (lambda section: section.pop("layers"), "its section counters is damaged: KeyError('layers')"),
    "a layer without a count": (
        lambda section: section["layers"]["first"].pop("dense"),
        "its section counters is damaged: KeyError('dense')",
    ),
    "a count that is unavailable": (
        lambda section: section["layers"]["first"].update(dense={"unavailable": "no idea"}),
        "first: dense: unavailable: no idea",
    ),
    "a count that is no number": (
        lambda section: section["layers"]["first"].update(dense=7),
        "measurement.json: 7 is no number of ours",
    ),
    "steps that are none": (lambda section: section.update(steps="many"), "its section counters is damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_counts_are_told(cli, run, ann, name):
    change, text = DAMAGE[name]
    section = filed(ann)
    change(section)
    result = cli("hardware", "energy", run({"counters": section}))
    assert result.exit_code == 1
    assert text in result.output
    assert "Traceback" not in result.output


def test_a_spiking_run_without_its_network_is_told(cli, run, counts):
    result = cli("hardware", "energy", run({"counters": filed(counts)}))
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
