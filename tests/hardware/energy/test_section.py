"""The section of ``measurement.json``: whole, in bounds, and linear in the step time."""

import json

import pytest

from hardware.energy import section as module
from hardware.energy.bands import Band
from hardware.energy.profile import PARTS, load_profiles
from hardware.energy.section import STEP_TIMES_S, energy_section
from hardware.measurement import Quantity, quantity_of

ANN = {found.name for found in load_profiles() if found.network == "ann"}


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
            *("title", "network", "applies", "parts", "dynamic", "total", "latency", "notes", "constants"),
        }
        assert set(device["parts"]) == set(PARTS)
        for entry in (*device["parts"].values(), device["dynamic"], device["total"], device["latency"]):
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
    assert "no step time goes with this device" in device["latency"]["unavailable"]
    assert quantity_of(device["dynamic"]).value > 0


def test_the_step_time_is_assumed_between_those_measured_or_as_asked_for(counts):
    assumed = energy_section(counts, None, analog=False)["assumed"]["step_time"]
    assert (assumed["low"], assumed["high"], assumed["unit"]) == (1.1637e-6, 182.59e-6, "s")
    assert assumed["value"] == pytest.approx((1.1637e-6 * 182.59e-6) ** 0.5)
    assert "NECOTIS" in assumed["method"]
    asked = energy_section(counts, None, analog=False, step_time_s=0.032)
    assert asked["assumed"]["step_time"]["method"] == "as asked for"
    static = quantity_of(asked["devices"]["loihi2"]["parts"]["static"])
    assert (static.low, static.high) == (pytest.approx(0.1 * 0.32), pytest.approx(0.352 * 0.32))
    assert quantity_of(asked["devices"]["loihi2"]["latency"]).value == pytest.approx(0.32)


def test_total_energy_over_the_step_time_is_a_line_with_the_static_power_as_slope(counts):
    found = energy_section(counts, None, analog=False)
    assert found["over_step_time"]["loihi1"] == []
    rows = found["over_step_time"]["loihi2"]
    times = [row["step_time_s"] for row in rows]
    assert times == sorted(STEP_TIMES_S)
    assert (times[0], times[-1]) == (pytest.approx(2e-7), 0.064)
    assert 0.032 in times
    dynamic = quantity_of(found["devices"]["loihi2"]["dynamic"])
    power = Band(0.10, 0.352)
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
        for copies in (None, {"layer0": 1.0})
    )
    assert narrow.low == wide.low
    assert narrow.high < wide.high
