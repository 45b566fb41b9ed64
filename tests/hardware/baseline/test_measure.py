"""The section: what is in it with counters and without, and that a kill loses one cell at most."""

import dataclasses
import json
import time

import pytest

from hardware.baseline import measure, waiting
from hardware.baseline.counter import CounterError
from hardware.baseline.device import Device
from hardware.baseline.kept import only_here
from hardware.measurement import Quantity, quantity_of
from train.errors import MaestroError


class Steady:
    """A counter of 20 W by the real clock, which ends after so many readings."""

    name, step_j, wrap, resolution_j, update_s = "steady", 1e-6, None, 1e-6, 1e-3

    def __init__(self, ends=None):
        self.left = ends

    def read(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise CounterError("the counter is gone")
        return int(time.perf_counter() * 1000) * 20_000


def keys_of(entry, path=()):
    """Paths to all numbers, or to the reasons that stand for them."""
    if isinstance(entry, dict) and ("unavailable" in entry or {"value", "unit"} <= entry.keys()):
        return {path}
    if isinstance(entry, dict):
        return {found for key, value in entry.items() for found in keys_of(value, (*path, key))}
    return {path}


def reasons_of(entry):
    if isinstance(entry, dict):
        if "unavailable" in entry:
            return {entry["unavailable"]}
        return {found for value in entry.values() for found in reasons_of(value)}
    return set()


def test_with_a_counter(measured):
    section = measured([Steady()])
    cpu = section["devices"]["cpu"]
    assert section["devices"]["cuda"] == {"unavailable": "no GPU"}
    assert cpu["energy_meter"] == {"name": "steady", "resolution_j": 1e-6, "update_s": 1e-3}
    for when in ("bare", "loaded", "after"):
        idle = quantity_of(cpu["idle"][when])
        assert idle.low <= 20.0 <= idle.high
    for network in ("ann", "snn"):
        ran = cpu["networks"][network]
        assert set(ran["best"]) == {"1", "2"}
        assert ran["parameters"] > 0
        for batch, best in ran["best"].items():
            cell = ran["variants"][best]["batches"][batch]
            power, total = quantity_of(cell["power"]), quantity_of(cell["energy_total"])
            assert (power.unit, total.unit) == ("W", "J")
            assert power.low <= 20.0 <= power.high
            # As much as it takes when idle: nothing is dynamic.
            dynamic = quantity_of(cell["energy_dynamic_loaded"])
            assert dynamic.low <= 0 <= dynamic.high
            latency, one, rate = (quantity_of(cell[key]) for key in ("latency", "per_inference", "throughput"))
            assert latency.value == pytest.approx(one.value * int(batch))
            assert rate.value == pytest.approx(1 / one.value)
    assert "untrained" in cpu["networks"]["ann"]["weights"]


def test_without_one_each_number_is_a_reason_and_nothing_else_changes(measured):
    with_one = measured([Steady()])
    without = measured("no counter here", run=None, neuron="analog")
    one, other = (section["devices"]["cpu"] for section in (with_one, without))
    assert one.pop("energy_meter")["name"] == "steady"
    assert other.pop("energy_meter") == {"unavailable": "no counter here"}
    # Drift is a number, or reason, as a whole.
    for entry in (one, other):
        entry["idle"].pop("drift")
        for ran in entry["networks"].values():
            for variant in ran["variants"].values():
                for cell in variant["batches"].values():
                    cell.pop("drift")
            ran.pop("best")
    assert keys_of(one) == keys_of(other)
    assert keys_of({**with_one, "devices": {}}) == keys_of({**without, "devices": {}})
    assert reasons_of(other) == {"no counter here"}
    cell = other["networks"]["ann"]["variants"]["eager"]["batches"]["1"]
    assert isinstance(quantity_of(cell["latency"]), Quantity)
    for key in ("power", "energy_total", "energy_dynamic_bare", "energy_dynamic_loaded"):
        assert cell[key] == {"unavailable": "no counter here"}


def test_a_device_that_is_not_waited_for_call_by_call(make_run, quick, few_variants, on_device):
    """What stands in for a GPU counts how often it is waited for."""
    waits = []
    gpu = Device("cuda", "a GPU", 1, [Steady()], lambda: waits.append(1))
    on_device("none", gpu)
    section = measure.measure_baseline(make_run("ann"), "cuda", protocol=quick)
    cell = section["devices"]["cuda"]["networks"]["ann"]["variants"]["eager"]["batches"]["2"]
    for key in ("latency", "throughput", "power", "energy_total", "energy_dynamic_bare", "energy_dynamic_loaded"):
        assert isinstance(quantity_of(cell[key]), Quantity)
    assert "was not asked for" in section["devices"]["cpu"]["unavailable"]
    assert waits


def test_a_counter_that_vanishes_midway(measured):
    # Few enough readings that a machine short of time comes to their end too.
    cpu = measured([Steady(ends=60)])["devices"]["cpu"]
    reasons = reasons_of(cpu["networks"]) | reasons_of(cpu["idle"])
    assert any("the counter is gone" in reason for reason in reasons)
    for ran in cpu["networks"].values():
        for variant in ran["variants"].values():
            assert all("value" in cell["latency"] for cell in variant["batches"].values())


def test_an_ann_is_its_own_twin(measured):
    networks = measured("none", "ann")["devices"]["cpu"]["networks"]
    assert list(networks) == ["ann"]
    assert networks["ann"]["weights"] == "as trained"


def test_what_takes_too_long_is_told(quick, make_run, few_variants, on_device):
    on_device("none")
    hasty = dataclasses.replace(quick, longest_call_s=1e-9)
    cpu = measure.measure_baseline(make_run("ann"), protocol=hasty)["devices"]["cpu"]
    cells = cpu["networks"]["ann"]["variants"]["eager"]["batches"]
    assert cells["1"]["latency"]["unavailable"].startswith("a batch takes 0.0 s, more than the 1e-09 s it is given")
    assert cells["2"]["latency"]["unavailable"].startswith("at batch 1 a batch takes")
    assert cpu["networks"]["ann"]["best"] == {}


def test_a_second_call_measures_nothing_and_says_the_same(measured, make_run, monkeypatch):
    run = make_run("ann")
    first = measured("none", run=run)
    monkeypatch.setattr(measure, "time_cell", None)
    second = measured("none", run=run)
    assert first["devices"] == second["devices"]
    assert json.loads(run.measurement.read_text())["baseline"] == second


@pytest.mark.parametrize("change", ["again", "protocol", "network", "machine"])
def test_what_was_measured_otherwise_is_measured_again(measured, make_run, quick, change, monkeypatch):
    run = make_run("ann")
    measured("none", run=run)
    calls = []
    time_cell = measure.time_cell
    monkeypatch.setattr(measure, "time_cell", lambda *words: calls.append(1) or time_cell(*words))
    if change == "again":
        measured("none", run=run, again=True)
    elif change == "protocol":
        measure.measure_baseline(run, protocol=dataclasses.replace(quick, window_s=0.002))
    elif change == "machine":
        machine = {"processor": "another", "cores": 1, "system": "Linux"}
        origin = {**measure.provenance(), "machine": machine}
        monkeypatch.setattr(measure, "provenance", lambda: origin)
        section = measured("none", run=run)
        assert section["devices"]["cpu"]["made"]["machine"] == machine
    else:
        run.checkpoint.write_bytes(run.checkpoint.read_bytes() + b" ")
        measured("none", run=run)
    assert len(calls) == 4


def test_one_device_alone_leaves_the_others(measured, make_run, on_device, quick):
    run = make_run("ann")
    section = measured("none", run=run, device="cuda")
    assert "was not asked for" in section["devices"]["cpu"]["unavailable"]
    assert section["devices"]["cuda"] == {"unavailable": "no GPU"}
    section = measured("none", run=run, device="cpu")
    assert section["devices"]["cuda"] == {"unavailable": "no GPU"}
    assert "networks" in section["devices"]["cpu"]
    section = measured("none", run=run, device="cuda")
    assert "networks" in section["devices"]["cpu"]


def test_a_devices_entry_keeps_when_and_where_it_was_measured(measured, make_run, quick, monkeypatch):
    run = make_run("ann")
    before = measured("none", run=run)["devices"]["cpu"]["made"]
    assert before["protocol"] == quick.as_dict()
    assert {"machine", "versions", "commit", "date", "began"} <= before.keys()
    origin = {**measure.provenance(), "machine": {"processor": "another"}, "commit": "later", "date": "tomorrow"}
    monkeypatch.setattr(measure, "provenance", lambda: origin)
    assert measured("none", run=run, device="cuda")["devices"]["cpu"]["made"] == before


def test_a_device_that_does_not_say_when_is_not_kept(measured, make_run):
    run = make_run("ann")
    section = measured("none", run=run)
    del section["devices"]["cpu"]["made"]
    content = json.loads(run.measurement.read_text())
    run.measurement.write_text(json.dumps({**content, "baseline": section}))
    assert "by another version" in measured("none", run=run, device="cuda")["devices"]["cpu"]["unavailable"]


WHY = "only root may read it"
ENERGY = ("networks", "ann", "variants", "eager", "batches", "1", "energy_total")


def at(entry, path):
    for key in path:
        entry = entry[key]
    return entry


def test_a_counter_that_appears_is_read_and_one_that_goes_leaves_its_energies(measured, make_run, monkeypatch):
    run = make_run("ann")
    assert at(measured(WHY, run=run)["devices"]["cpu"], ENERGY) == {"unavailable": WHY}
    # Times are not measured again for the counter's sake.
    monkeypatch.setattr(measure, "time_cell", None)
    metered = measured([Steady()], run=run)["devices"]["cpu"]
    assert isinstance(quantity_of(at(metered, ENERGY)), Quantity)
    assert isinstance(quantity_of(metered["idle"]["after"]), Quantity)
    assert at(metered, ENERGY[:-1])["session"] == metered["idle"]["session"]
    gone = measured(WHY, run=run)["devices"]["cpu"]
    assert gone["energy_meter"] == {**metered["energy_meter"], "now": WHY}
    assert gone["idle"] == metered["idle"]
    assert gone["networks"] == metered["networks"]
    # With the counter back, nothing is left to meter.
    monkeypatch.setattr(measure, "meter_cell", None)
    assert measured([Steady()], run=run)["devices"]["cpu"] == metered


def test_another_counter_meters_anew(measured, make_run):
    run = make_run("ann")
    first = measured([Steady()], run=run)["devices"]["cpu"]
    other = Steady()
    other.name = "another"
    second = measured([other], run=run)["devices"]["cpu"]
    assert second["energy_meter"]["name"] == "another"
    assert at(first, ENERGY) != at(second, ENERGY)


@pytest.mark.parametrize("at_stretch", ["bare", "loaded", "after"])
def test_a_call_stopped_while_idle_is_metered_is_gone_on_with(measured, make_run, monkeypatch, at_stretch):
    run, take = make_run("ann"), measure.Idle.take

    def stopped(idle, when):
        if when == at_stretch:
            raise KeyboardInterrupt
        take(idle, when)

    monkeypatch.setattr(measure.Idle, "take", stopped)
    with pytest.raises(KeyboardInterrupt):
        measured([Steady()], run=run)
    monkeypatch.setattr(measure.Idle, "take", take)
    cpu = measured([Steady()], run=run)["devices"]["cpu"]
    idle = {when: quantity_of(cpu["idle"][when]) for when in ("bare", "loaded", "after")}
    assert all(isinstance(power, Quantity) for power in idle.values())
    assert ("in a later call" in idle["after"].method) == (at_stretch == "after")
    assert isinstance(quantity_of(at(cpu, ENERGY)), Quantity)
    monkeypatch.setattr(measure.Idle, "take", None)
    assert measured([Steady()], run=run)["devices"]["cpu"] == cpu


def test_two_calls_at_once(measured, make_run):
    run = make_run("ann")
    with only_here(run.path / ".baseline"), pytest.raises(MaestroError, match="is being measured by another call"):
        measured("none", run=run)
    assert "networks" in measured("none", run=run)["devices"]["cpu"]


def test_a_variant_is_tried_again_with_other_tools(measured, make_run, monkeypatch):
    run, make_ready = make_run("ann"), measure.make_ready
    monkeypatch.setattr(measure, "tools", lambda: {"ninja": None})
    monkeypatch.setattr(measure, "make_ready", lambda *_: "ninja is missing")
    variant = measured("none", run=run)["devices"]["cpu"]["networks"]["ann"]["variants"]["eager"]
    assert variant.keys() == {"what", "unavailable"}
    monkeypatch.setattr(measure, "make_ready", None)
    measured("none", run=run)
    monkeypatch.setattr(measure, "make_ready", make_ready)
    monkeypatch.setattr(measure, "tools", lambda: {"ninja": "/usr/bin/ninja"})
    assert "batches" in measured("none", run=run)["devices"]["cpu"]["networks"]["ann"]["variants"]["eager"]


def test_a_damaged_cell_is_measured_again(measured, make_run):
    run = make_run("ann")
    before = measured("none", run=run)
    for path in (run.path / ".baseline").glob("cpu-*.json"):
        path.write_text("{")
    after = measured("none", run=run)
    assert keys_of(before["devices"]["cpu"]) == keys_of(after["devices"]["cpu"])


def test_a_damaged_measurement_is_told_before_anything_is_measured(measured, make_run):
    run = make_run("ann")
    run.measurement.write_text("{")
    with pytest.raises(MaestroError, match="cannot be read as JSON"):
        measured("none", run=run)
    assert not (run.path / ".baseline").exists()


def test_the_command(cli, make_run, quick, few_variants, on_device, monkeypatch):
    from hardware.baseline import command

    on_device([Steady()])
    monkeypatch.setattr(
        command,
        "measure_baseline",
        lambda run, device, again, protocol: measure.measure_baseline(run, device, again, protocol=quick),
    )
    run = make_run("lif")
    result = cli("hardware", "baseline", run.path)
    assert result.exit_code == 0, result.output
    for words in (
        "ms an inference of the ANN, by batch",
        "mJ an inference of the spiking network",
        "fastest: ",
        "idle: bare",
    ):
        assert words in result.output
    result = cli("hardware", "baseline", run.path, "--device", "cuda", "--json")
    assert result.exit_code == 0
    printed = json.loads(result.output[result.output.index("{") :])
    assert printed["devices"] == {"cuda": {"unavailable": "no GPU"}}
    result = cli("hardware", "baseline", run.path.parent / "none")
    assert (result.exit_code, "no such run folder" in result.output) == (1, True)
    result = cli("hardware", "baseline", run.path, "--device", "tpu")
    assert result.exit_code == 2


def test_time_that_others_had_the_core(measured, make_run, tmp_path, monkeypatch):
    monkeypatch.setattr(waiting, "SCHEDSTAT", tmp_path / "none")
    section = measured("none", run=make_run("ann"))
    cell = section["devices"]["cpu"]["networks"]["ann"]["variants"]["eager"]["batches"]["1"]
    assert "does not tell" in cell["waited"]["unavailable"]
    assert "value" in cell["latency"]
