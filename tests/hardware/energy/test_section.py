"""The section of ``measurement.json``: whole, in bounds, and linear in the step time."""

import json
from dataclasses import replace

import pytest

from export.host_io import US_PER_PLACE
from hardware.energy import section as module
from hardware.energy.bands import Band
from hardware.energy.copies import Spread
from hardware.energy.profile import PARTS, load_profiles
from hardware.energy.section import STEP_TIMES_S, energy_section
from hardware.energy.tables import scaled
from hardware.measurement import Quantity, quantity_of

ANN = {found.name for found in load_profiles() if found.network == "ann"}

WHOLE = ("dynamic", "total", "latency", "interval")


@pytest.fixture(autouse=True)
def unchecked(monkeypatch):
    """Without PilotNet, which takes seconds; test_validate.py has it."""
    monkeypatch.setattr(module, "validation", list)


def test_a_spiking_network_gets_all_devices_and_an_ann_its_own(counts, untrained, ann):
    both = energy_section(counts, untrained, analog=False)
    assert list(both["devices"]) == [found.name for found in load_profiles()]
    assert set(energy_section(counts, None, analog=False)["devices"]) == set(both["devices"]) - ANN
    assert set(energy_section(ann, None, analog=False)["devices"]) == ANN
    json.dumps(both, allow_nan=False)


def test_every_device_has_all_keys_and_numbers_with_evidence(counts, untrained):
    for device in energy_section(counts, untrained, analog=False)["devices"].values():
        assert set(device) == {
            *("title", "network", "applies", "parts", "dynamic", "total", "latency", "interval", "notes", "constants"),
        }
        assert set(device["parts"]) == set(PARTS)
        for entry in (*device["parts"].values(), *(device[key] for key in WHOLE)):
            found = quantity_of(entry)
            if isinstance(found, Quantity):
                assert found.kind == "estimated"
                assert found.evidence in ("calibrated", "literature", "derived")
            else:
                assert found
        for constant in device["constants"]:
            assert constant["source"]
            assert constant["evidence"]
        assert any(note.startswith("left out: ") for note in device["notes"])


def test_sums_are_of_the_parts(counts):
    device = energy_section(counts, None, analog=False)["devices"]["loihi2"]
    parts = {name: quantity_of(entry) for name, entry in device["parts"].items()}
    dynamic, total = quantity_of(device["dynamic"]), quantity_of(device["total"])
    for key in ("low", "value", "high"):
        assert getattr(total, key) == pytest.approx(sum(getattr(part, key) for part in parts.values()))
        assert getattr(total, key) - getattr(dynamic, key) == pytest.approx(getattr(parts["static"], key))


def test_without_a_static_part_there_is_no_total(counts):
    device = energy_section(counts, None, analog=False)["devices"]["loihi1"]
    assert device["total"] == {"unavailable": "no source for the static power of Loihi 1 was found"}
    for key in ("latency", "interval"):
        assert "no step time goes with this device" in device[key]["unavailable"]
    assert quantity_of(device["dynamic"]).value > 0


def test_the_step_time_is_between_what_was_published_or_as_asked_for(counts):
    # Half an input spike a step, 2.26 us each: less than the shortest step published.
    assumed = energy_section(counts, None, analog=False)["assumed"]["step_time"]
    assert (assumed["low"], assumed["high"], assumed["unit"]) == (1.1637e-6, 182.59e-6, "s")
    assert assumed["value"] == pytest.approx((1.1637e-6 * 182.59e-6) ** 0.5)
    assert assumed["evidence"] == "literature"
    assert "NECOTIS" in assumed["method"]
    asked = energy_section(counts, None, analog=False, step_time_s=0.032)
    assert asked["assumed"]["step_time"]["method"] == "as asked for"
    static = quantity_of(asked["devices"]["loihi2"]["parts"]["static"])
    assert (static.low, static.high) == (pytest.approx(0.212 * 0.32), pytest.approx(0.352 * 0.32))
    for key in ("latency", "interval"):
        assert quantity_of(asked["devices"]["loihi2"][key]).value == pytest.approx(0.32)
    assert not any(note.startswith("step time: ") for note in asked["devices"]["loihi2"]["notes"])


def test_input_from_the_host_makes_the_low_bound_and_replayed_input_is_told(counts):
    busy = replace(counts, input_spikes=100.0)
    found = energy_section(busy, None, analog=False)
    assumed, device = found["assumed"]["step_time"], found["devices"]["loihi2"]
    assert assumed["low"] == pytest.approx(10 * US_PER_PLACE * 1e-6)
    assert assumed["high"] == 182.59e-6
    assert "input from the host" in assumed["method"]
    assert quantity_of(device["parts"]["static"]).low == pytest.approx(0.212 * 10 * 10 * US_PER_PLACE * 1e-6)
    (note,) = (note for note in device["notes"] if note.startswith("step time: "))
    low = quantity_of(device["dynamic"]).low + 0.212 * 10 * 1.1637e-6
    assert note.endswith(f"could take 1.16 us, as one of two neurons did, and the total begins at {scaled(low, 'J')}")
    # Between two clips nothing comes in, and the mean is less.
    longer = energy_section(busy, None, analog=False, period=16)["assumed"]["step_time"]
    assert longer["low"] == pytest.approx(100 / 16 * US_PER_PLACE * 1e-6)
    # More input than any step that was published: then nothing is quicker than the host.
    flooded = energy_section(replace(counts, input_spikes=1e4), None, analog=False)["assumed"]["step_time"]
    assert flooded["low"] == flooded["high"] == pytest.approx(1e3 * US_PER_PLACE * 1e-6)


def test_times_rest_on_the_step_time(counts):
    for seconds, evidence in ((None, "literature"), (0.032, "derived")):
        device = energy_section(counts, None, analog=False, step_time_s=seconds)["devices"]["loihi2"]
        for entry in (device["latency"], device["interval"], device["parts"]["static"]):
            assert entry["evidence"] == evidence


def test_dynamic_energy_does_not_rest_on_the_step_time(counts, monkeypatch):
    found = next(one for one in load_profiles() if one.name == "loihi2")
    measured = {name: replace(constant, evidence="measured") for name, constant in found.constants.items()}
    monkeypatch.setattr(module, "load_profiles", lambda: (replace(found, constants=measured),))
    device = energy_section(counts, None, analog=False)["devices"]["loihi2"]
    assert device["dynamic"]["evidence"] == "calibrated"
    assert device["parts"]["static"]["evidence"] == device["total"]["evidence"] == "literature"


def test_an_inference_keeps_the_chip_for_its_period(counts):
    placed = Spread({"layer0": 2.0}, 130, 2)
    found = energy_section(counts, None, analog=False, step_time_s=1e-5, copies=placed, period=16, answer_steps=13)
    device, assumed = found["devices"]["loihi2"], found["assumed"]
    assert (assumed["period"]["value"], assumed["answer"]["value"], assumed["chips"]["value"]) == (16, 13, 2)
    assert quantity_of(device["latency"]).value == pytest.approx(13e-5)
    assert quantity_of(device["interval"]).value == pytest.approx(16e-5)
    assert quantity_of(device["parts"]["static"]).high == pytest.approx(0.352 * 16e-5 * 2)
    (row,) = (row for row in found["over_step_time"]["loihi2"] if row["step_time_s"] == pytest.approx(1e-5))
    total = quantity_of(device["total"])
    assert [row[key] for key in ("low_j", "value_j", "high_j")] == pytest.approx([total.low, total.value, total.high])
    plain = energy_section(counts, None, analog=False)["assumed"]
    assert (plain["period"]["value"], plain["answer"]["value"], plain["chips"]["value"]) == (10, 10, 1)
    assert "no placement" in plain["chips"]["method"]
    assert "power of two" in assumed["period"]["method"]


def test_the_twins_first_layer_adds_what_the_networks_own_does(counts, untrained):
    """The same spikes meet the same synapses, and here as many weights are stored: 250 with the zeros."""
    found = energy_section(counts, untrained, analog=False)["devices"]["digital_45nm_int8"]
    assert quantity_of(found["parts"]["synapses"]).low == pytest.approx(250 * 0.03e-12)
    assert "first layer alone" in found["notes"][0]


def test_total_energy_over_the_step_time_is_a_line_with_the_static_power_as_slope(counts):
    found = energy_section(counts, None, analog=False)
    assert found["over_step_time"]["loihi1"] == []
    rows = found["over_step_time"]["loihi2"]
    times = [row["step_time_s"] for row in rows]
    assert times == sorted(STEP_TIMES_S)
    assert (times[0], times[-1]) == (pytest.approx(2e-7), 0.064)
    assert 0.032 in times
    dynamic = quantity_of(found["devices"]["loihi2"]["dynamic"])
    power = Band(0.212, 0.352)
    for key, start, slope in (
        ("low_j", dynamic.low, power.low),
        ("value_j", dynamic.value, power.middle),
        ("high_j", dynamic.high, power.high),
    ):
        for row in rows:
            # 10 steps.
            assert row[key] == pytest.approx(start + 10 * slope * row["step_time_s"])


def test_over_step_time_at_the_time_asked_for_is_the_total(counts):
    found = energy_section(counts, None, analog=False, step_time_s=0.032)
    total = quantity_of(found["devices"]["loihi2"]["total"])
    (row,) = [row for row in found["over_step_time"]["loihi2"] if row["step_time_s"] == 0.032]
    assert [row[key] for key in ("low_j", "value_j", "high_j")] == pytest.approx([total.low, total.value, total.high])


def test_analog_dendrites_are_said_to_be_as_if_realised(dendritic):
    plain, analog = (energy_section(dendritic, None, analog=flag)["devices"] for flag in (False, True))
    assert "as if realised" not in plain["loihi2"]["applies"]
    assert "no public path" in analog["loihi2"]["applies"]


def test_a_placement_narrows_the_messages(counts):
    wide, narrow = (
        quantity_of(energy_section(counts, None, analog=False, copies=copies)["devices"]["loihi2"]["parts"]["messages"])
        for copies in (None, Spread({"layer0": 1.0}, 1, 1))
    )
    assert narrow.low == wide.low
    assert narrow.high < wide.high
