"""What came back: only this bundle's, only whole, compared spike by spike, filed beside what was there."""

import json
import zipfile

import numpy as np
import pytest

from hardware.bundle.check import unpacked
from hardware.bundle.pack import pack
from hardware.bundle.read import file_result, read_result
from hardware.measurement import file_section
from train.artifacts import RunFolder, read_json
from train.errors import MaestroError

PROFILE = {
    "steps": 6400,
    "sample": 0,
    "period": 64,
    "time": {"time_per_step": [150.0, 155.0, 152.0, 153.0], "avg_time_per_step_us": 152.5},
    "power": {"total_w": [0.70, 0.66, 0.68, 0.67, 0.69], "static_total_w": 0.232},
    "activity": {"chip_idx": [0, 0], "core_idx": [3, 4], "syn_ops": [500.0, 700.0], "axon_out": [100.0, 200.0]},
    "memory": {"core_idx": [3, 4], "total_mpds": [0.25, 0.5]},
    "missing": {"activity.spikes_in": "AttributeError: no such thing"},
}


def read(cli, run, path, *more):
    return cli("hardware", "bundle", run.path, "--read", path, *more)


def test_a_result_without_fault_is_compared_and_filed(packed, run, cli, answer, write):
    done = read(cli, run, write(answer(packed)))
    assert done.exit_code == 0, done.output
    assert "loihi2: spikes of 4 samples, found 2 steps late" in done.output
    assert "no spike differs" in done.output
    assert "nothing measured: the bundle was run with --no-profile" in done.output
    filed = read_json(run.measurement, "")["loihi2"]
    assert filed["comparison"]["total"] == 0
    assert filed["comparison"]["delay"] == 2
    assert filed["comparison"]["not_recorded"] == []
    assert filed["bundle_id"] == packed.content["id"]
    assert filed["clips"] == packed.content["clips"]
    with np.load(zipfile.ZipFile(packed.path).open(f"lif-{packed.content['id'][:8]}/golden.npz")) as golden:
        assert filed["comparison"]["expected"] == {name: int(golden[name].sum()) for name in golden.files}


@pytest.mark.parametrize("delay", [0, 5])
def test_the_way_in_and_out_may_take_other_steps_than_thought(packed, run, cli, answer, write, delay):
    done = read(cli, run, write(answer(packed, delay=delay)))
    assert done.exit_code == 0, done.output
    assert f"found {delay} steps late" in done.output


def test_a_changed_spike_is_located(packed, run, cli, answer, write, flip):
    content = answer(packed)
    plan = content["schedule"]
    shape = {layer["name"]: layer["shape"] for layer in packed.content["layers"]}["conv2"]
    place = (shape[0] - 1, shape[1] - 2, 0)
    flip(content, "conv2", (*place, 2 * plan["period"] + plan["input_delay"] + 17))
    flip(content, "heads", (1, 3 * plan["period"] + plan["input_delay"] + 3))
    done = read(cli, run, write(content))
    assert done.exit_code == 1
    where = f"sample 2, layer conv2, neuron ({', '.join(map(str, place))}), step 17: "
    assert f"first divergence: {where}" in done.output
    found = read_json(run.measurement, "")["loihi2"]["comparison"]
    assert found["differing"] == {"conv1": 0, "pool1": 0, "conv2": 1, "dense1": 0, "heads": 1}
    assert found["first"]["neuron"] == list(place)


def test_a_simulators_result_is_filed_apart_and_has_no_energy(packed, run, cli, answer, write):
    assert read(cli, run, write(answer(packed, "simulator"))).exit_code == 0
    filed = read_json(run.measurement, "")
    assert set(filed) == {"format", "simulator_check"}
    assert not {"energy", "power", "profile"} & set(filed["simulator_check"])
    assert filed["simulator_check"]["comparison"]["delay"] == 0


def test_reading_twice_is_reading_once_and_other_sections_stay(packed, run, cli, answer, write):
    file_section(run, "other", {"kept": [1, 2]})
    path = write({**answer(packed), "profile": PROFILE})
    assert read(cli, run, path).exit_code == 0
    first = read_json(run.measurement, "")
    assert read(cli, run, path).exit_code == 0
    second = read_json(run.measurement, "")
    assert first["other"] == second["other"]
    for content in (first, second):
        content["loihi2"].pop("provenance")
    assert first == second


def test_what_was_measured_is_filed_with_its_method_and_what_was_not_with_why(packed, run, cli, answer, write):
    done = read(cli, run, write({**answer(packed), "profile": PROFILE}))
    assert done.exit_code == 0, done.output
    filed = read_json(run.measurement, "")["loihi2"]
    assert filed["chips"] == {"board": 1, "active": 1, "named_by": "oheogulch"}
    assert filed["power"]["total"]["value"] == pytest.approx(0.68)
    assert filed["power"]["dynamic"]["value"] == pytest.approx(0.68 - 0.232)
    assert filed["energy"]["total"]["value"] == pytest.approx(0.68 * 152.5e-6 * 64)
    assert filed["energy"]["total"]["kind"] == "measured"
    assert filed["activity"]["syn_ops"]["value"] == pytest.approx(12.0)
    assert filed["activity"]["cores"]["syn_ops"] == [5.0, 7.0]
    assert filed["activity"]["cores"]["core_idx"] == [3, 4]
    assert filed["memory"]["cores"]["total_mpds"] == [0.25, 0.5]
    assert filed["activity"]["spikes_in"] == {"unavailable": "activity.spikes_in: AttributeError: no such thing"}
    assert "not measured: activity spikes in: activity.spikes_in: AttributeError" in done.output
    assert (
        "not measured: activity dendrite updates: activity.dendrite_updates: the recording does not hold" in done.output
    )
    assert "energy, dynamic" in done.output
    assert "spikes came from the host in every step" in done.output


def test_the_chips_counters_stand_beside_the_engines(packed, run, cli, answer, write):
    """The engine's own counts, put in as the chip's, come out as a ratio of 1."""
    from export import netx
    from hardware.bundle.golden import tally_of_period

    with unpacked(packed.path) as bundle:
        sample, plan = bundle.inputs()[0], bundle.plans["chip"]
    tally = tally_of_period(netx.read(run.net), sample, plan)
    alone = tally_of_period(netx.read(run.net), sample[..., :20], plan)
    assert tally.steps == alone.steps == plan.period - plan.slack
    layers = tally.layers.values()
    counts = {name: [100.0 * getattr(layer, name) for layer in layers] for name in ("syn_ops", "spikes_in", "axon_out")}
    counts["dendrite_updates"] = [100.0 * plan.period * layer.neurons for layer in layers]
    done = read(cli, run, write({**answer(packed), "profile": {**PROFILE, "activity": counts}}))
    assert done.exit_code == 0, done.output
    found = read_json(run.measurement, "")["loihi2"]["engine"]["counters"]
    assert {name: entry["chip_over_engine"] for name, entry in found.items()} == dict.fromkeys(counts, 1.0)
    assert "syn_ops an inference: chip" in done.output


TABLE = """Per core distribution:
----------------------------------------------------------------
| AxonIn |NeuronGr| Neurons|Synapses| AxonMap| AxonMem|  Cores |
|--------------------------------------------------------------|
|     256|       1|     100|    8064|     100|       0|       2|
|     200|       1|      85|    5400|      85|       0|       3|
|--------------------------------------------------------------|
| Total                                               |       5|
----------------------------------------------------------------
"""


def test_the_compilers_table_stands_beside_what_was_foretold(packed, run, cli, answer, write):
    done = read(cli, run, write({**answer(packed), "compiler_log": TABLE}))
    assert done.exit_code == 0, done.output
    filed = read_json(run.measurement, "")["loihi2"]["compiler"]
    assert filed["cores"] == 5
    assert filed["cores_foretold"] == packed.content["placement"]["cores"]
    assert "the compiler took 5 cores; " in done.output
    read(cli, run, write({**answer(packed), "compiler_log": TABLE[:300]}))
    assert "unavailable" in read_json(run.measurement, "")["loihi2"]["compiler"]
    read(cli, run, write(answer(packed)))
    why = "compiler_log: the recording does not hold it"
    assert read_json(run.measurement, "")["loihi2"]["compiler"] == {"unavailable": why}


def test_probed_states_are_said_to_stay(packed, run, cli, answer, write):
    done = read(cli, run, write({**answer(packed), "states": {"conv1": {}}}))
    assert "states recorded of conv1: not compared, they stay in the result" in done.output


def test_output_alone_is_enough_and_what_is_missing_is_said(packed, run, cli, answer, write):
    done = read(cli, run, write(answer(packed, layers=["heads"])))
    assert done.exit_code == 0, done.output
    assert "not recorded, so not compared: conv1, pool1, conv2, dense1" in done.output
    assert read_json(run.measurement, "")["loihi2"]["comparison"]["not_recorded"] == [
        "conv1",
        "pool1",
        "conv2",
        "dense1",
    ]


def test_a_run_that_failed_in_its_profile_has_its_spikes(packed, run, cli, answer, write):
    failed = {"pass": "profile", "error": "no board"}
    done = read(cli, run, write({**answer(packed), "failed": failed}))
    assert done.exit_code == 0, done.output
    assert "the run was not finished: pass profile: no board" in done.output
    assert "nothing measured: pass profile: no board" in done.output


def test_fewer_samples_than_packed_are_compared(packed, run, cli, answer, write):
    done = read(cli, run, write({**answer(packed), "samples": 3}))
    assert "spikes of 3 samples" in done.output
    assert len(read_json(run.measurement, "")["loihi2"]["clips"]) == 3


def test_a_bomb_is_not_blown_up(packed, answer, write):
    import base64
    import zlib

    content = answer(packed)
    content["layers"]["conv1"]["bits"] = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    with unpacked(packed.path) as bundle, pytest.raises(MaestroError, match="layer conv1: has bits that go on"):
        read_result(write(content), bundle)


def test_spikes_after_a_reset_are_said_and_are_a_fault(packed, run, cli, answer, write, flip):
    content = answer(packed)
    plan = content["schedule"]
    step = 2 * plan["period"] + plan["input_delay"] - 1
    flip(content, "dense1", (5, step))
    done = read(cli, run, write(content))
    output = " ".join(done.output.split())
    assert done.exit_code == 1
    assert "no spike differs" not in output
    assert "1 spikes after resets, where there are to be none: dense1 1" in output
    assert f"the first of them: layer dense1, neuron (5), step {step} of the recording" in output
    found = read_json(run.measurement, "")["loihi2"]["comparison"]
    assert (found["total"], found["faults"], found["spurious"]["dense1"]) == (0, 1, 1)
    assert found["first_spurious"] == {"layer": "dense1", "neuron": [5], "step": step}


def test_where_nothing_was_expected_nothing_is_shown(packed, run, cli, answer, write, monkeypatch):
    content = answer(packed, layers=["heads"])
    shape = content["layers"]["heads"]["shape"]
    from hardware.bundle.check import Bundle

    none = {name: np.zeros((4, *layer["shape"], 31), np.uint8) for name, layer in shapes(packed).items()}
    monkeypatch.setattr(Bundle, "golden", lambda _, samples: none)
    content["layers"]["heads"]["bits"] = silence(shape)
    done = read(cli, run, write(content))
    output = " ".join(done.output.split())
    assert done.exit_code == 0, done.output
    assert "found 2 steps late" in output
    assert "no spike was expected of any layer, and none was found: neither the network nor the delay" in output
    assert "no spike differs" not in output


def shapes(packed):
    return {layer["name"]: layer for layer in packed.content["layers"]}


def silence(shape):
    import base64
    import zlib

    return base64.b64encode(zlib.compress(bytes(-(-int(np.prod(shape)) // 8)))).decode()


def test_a_replayed_sample_is_said_to_rest_on_the_buffer(packed, run, cli, answer, write):
    done = read(cli, run, write({**answer(packed), "profile": {**PROFILE, "input": "cyclic"}}))
    assert "that every period had all of them rests on how its buffer repeats" in " ".join(done.output.split())


def test_a_missing_result(packed, run, cli, tmp_path):
    done = read(cli, run, tmp_path / "none.json")
    assert done.exit_code == 1
    assert "none.json: no such file" in done.output


def test_another_runs_result_is_refused(packed, run, make_run, cli, answer, write):
    other = make_run("spiking", "other")
    foreign = pack(other, 4, other.path / "bundle.zip")
    done = read(cli, run, write(answer(foreign)))
    assert done.exit_code == 1
    assert (
        f"is of bundle {foreign.content['id'][:8]}, and this is {packed.content['id'][:8]}. Name the bundle"
        in done.output
    )
    done = read(cli, run, write(answer(foreign)), "--out", foreign.path)
    assert done.exit_code == 1
    assert "model.net: is another network than the bundle's. Name the run that was packed" in done.output
    assert not run.measurement.exists()


def test_samples_do_not_go_with_read_and_a_bundle_must_be_there(run, cli, write):
    done = read(cli, run, write({}), "--samples", "2")
    assert done.exit_code == 2
    assert "--samples: does not go with --read" in done.output
    done = read(cli, run, write({}))
    assert done.exit_code == 1
    assert "bundle.zip: no such bundle. Name the one that the result is of with --out FILE.zip" in done.output


def test_a_folder_is_read_as_the_zip_is(packed, run, unzip, answer, write):
    reading = file_result(run, unzip(packed.path), write(answer(packed)))
    assert (reading.section, reading.comparison.total) == ("loihi2", 0)


def test_json_is_what_is_filed(packed, run, cli, answer, write):
    done = read(cli, run, write(answer(packed)), "--json")
    filed = read_json(run.measurement, "")["loihi2"]
    filed.pop("provenance")
    assert json.loads(done.stdout) == filed


def test_a_damaged_measurement_is_not_overwritten(packed, run, cli, answer, write):
    RunFolder(run.path).measurement.write_text("{")
    done = read(cli, run, write(answer(packed)))
    assert done.exit_code == 1
    assert run.measurement.read_text() == "{"
