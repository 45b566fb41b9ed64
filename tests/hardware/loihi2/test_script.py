"""The script that travels to the chip: hashes, passes, result, in the simulator and through the stand-in."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from lava_runtime.network import alive
from lava_runtime.runner import make_runner

LIF, SPIKING = "lif", "dh_lif_spiking"
STANDIN = Path(__file__).parent / "standin"


def events(log, *names):
    return [line["what"] for line in log if not names or line["what"] in names]


def resum(folder):
    """Give a bundle that was changed on purpose its hashes and id."""
    sums = {line[66:]: line[:64] for line in (folder / "SHA256SUMS").read_text().splitlines()}

    def sha(name):
        return hashlib.sha256((folder / name).read_bytes()).hexdigest()

    content = json.loads((folder / "bundle.json").read_text())
    names = sorted(set(sums) - {"bundle.json"})
    content["id"] = hashlib.sha256("".join(f"{name} {sha(name)}\n" for name in names).encode()).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(content))
    (folder / "SHA256SUMS").write_text("".join(f"{sha(name)}  {name}\n" for name in sums))


@pytest.mark.lava
@pytest.mark.slow
@pytest.mark.parametrize("preset", [LIF, SPIKING])
def test_stand_in_gives_the_engines_spikes_and_is_wired_as_documented(bundle_of, chip, preset):
    folder = bundle_of(preset, 3)
    bundle = json.loads((folder / "bundle.json").read_text())
    way = ("--steps", "200", "--partition", "oheogulch_2h", "--board", "ncl-og-05")
    code, said, result, log = chip(folder, *way, STANDIN_IN="3", STANDIN_OUT="1")
    assert code == 0, said
    assert "0 spikes differ" in said
    assert "delay 4 steps" in said
    assert result["failed"] is None
    assert list(result["layers"]) == [layer["name"] for layer in bundle["layers"]]
    assert result["schedule"] == bundle["schedule"]["chip"]
    plan = result["schedule"]
    # Of whole periods, or counters would not be an inference's.
    whole = -(-200 // plan["period"]) * plan["period"]
    assert result["steps_run"] == 3 * plan["period"] + plan["input_delay"] + plan["slack"]
    # A process each for the spikes and the profile.
    first, second = dict.fromkeys(line["process"] for line in log)
    spikes = [line for line in log if line["process"] == first]
    profile = [line for line in log if line["process"] == second]
    # Host -> adapter -> convolution, and every layer's neurons -> adapter -> host, shapes in Lava's order.
    into = [line for line in spikes if line["what"].startswith("PyTo")]
    assert [line["what"] for line in into] == ["PyToN3ConvAdapter", "PyToN3ConvAdapter between"]
    assert into[0]["shape"] == list(np.load(folder / "inputs.npy").shape[3:0:-1])
    assert into[1] == into[1] | {"source": "RingBuffer", "targets": ["Conv"]}
    out = [line for line in spikes if line["what"].startswith("NxToPyAdapter")]
    assert [line["shape"] for line in out if "shape" in line] == [layer["shape"][::-1] for layer in bundle["layers"]]
    assert all(line["source"] == "LIFReset" and line["targets"] == ["RingBuffer"] for line in out if "source" in line)
    # The spikes are recorded without profilers, by models that are named.
    (made,) = [line for line in spikes if line["what"] == "Loihi2HwCfg"]
    assert made["callbacks"] == []
    assert made["models"] == {"lava.proc.io.source": "PySendModelFixed", "lava.proc.io.sink": "FileSink"}
    assert [line["steps"] for line in spikes if line["what"] == "run"] == [result["steps_run"]]
    # The profile is one long run, profilers first made, then handed over, then called around it in that order.
    loggers = ["Loihi2Power", "Loihi2ExecutionTime", "Loihi2Memory", "Loihi2Activity"]
    assert events(profile) == [
        *(f"made {name}" for name in loggers),
        "PyToN3ConvAdapter",
        "Loihi2HwCfg",
        "environment",
        "PyToN3ConvAdapter between",
        *(f"pre {name}" for name in loggers),
        "run",
        *(f"post {name}" for name in loggers),
    ]
    assert next(line for line in profile if line["what"] == "made Loihi2Power")["num_steps"] == whole
    assert [line["steps"] for line in profile if line["what"] == "run"] == [whole]
    chosen = {"SLURM": "1", "NOSLURM": None, "BOARD": "ncl-og-05", "PARTITION": "oheogulch_2h", "LOIHI_GEN": "N3B3"}
    assert all(chosen.items() <= line.items() for line in log if line["what"] == "environment")
    assert result["environment"] == {key: value for key, value in chosen.items() if value}
    # Every number that a profiler has, under its own name.
    found = result["profile"]
    assert (found["steps"], found["sample"], found["period"], found["input"]) == (whole, 0, plan["period"], "host")
    assert found["time"]["avg_time_per_step_us"] == pytest.approx(np.mean(found["time"]["time_per_step"]))
    assert len(found["time"]["time_per_step"]) == whole
    assert found["power"]["static_total_w"] == pytest.approx(0.7 / 3)
    assert found["power"]["vddm_w"][0] == pytest.approx(0.15)
    assert found["activity"]["syn_ops"] == [30 * whole * core for core in range(1, 7)]
    assert list(found["memory"]) == ["core_idx", "small_mpds", "large_mpds", "total_mpds"]
    missing = {"time.learning_time_per_step", "time.pre_lrn_time_per_step", "memory.chip_idx"}
    assert set(found["missing"]) == missing
    assert "input adapter: PyToN3ConvAdapter" in result["compiler_log"]
    assert result["versions"]["lava-loihi"] == "0.6.0"


@pytest.mark.lava
@pytest.mark.slow
def test_adapters_may_be_quicker_than_thought(bundle_of, chip):
    code, said, _, _ = chip(bundle_of(LIF), "--no-profile", STANDIN_IN="0", STANDIN_OUT="2")
    assert code == 0, said
    assert "delay 2 steps" in said


@pytest.mark.lava
@pytest.mark.slow
def test_a_wrong_weight_and_a_wrong_reset_are_found_where_they_are(bundle_of, chip, tmp_path):
    wrong = tmp_path / "weight"
    shutil.copytree(bundle_of(LIF), wrong)
    with h5py.File(wrong / "model.net", "r+") as file:
        weights = next(group["weight"] for group in file["layer"].values() if group["type"][0] == b"dense")
        with np.load(wrong / "golden.npz") as golden:
            busy = golden["dense1"].sum((0, 2), dtype=int)
        swapped = [int(busy.argmin()), int(busy.argmax())]
        values = weights[()]
        values[swapped] = values[swapped[::-1]]
        weights[...] = values
    resum(wrong)
    code, said, result, _ = chip(wrong, "--no-profile", STANDIN_IN="2")
    assert code == 1
    assert result["failed"] is None
    assert any(f"the first: sample 0, layer dense1, neuron ({neuron}), step" in said for neuron in swapped), said
    wrong = tmp_path / "reset"
    shutil.copytree(bundle_of(LIF), wrong)
    content = json.loads((wrong / "bundle.json").read_text())
    # In the middle of a sample.
    content["schedule"]["chip"]["reset_offset"] = 12
    (wrong / "bundle.json").write_text(json.dumps(content))
    resum(wrong)
    code, said, _, _ = chip(wrong, "--no-profile", STANDIN_IN="2")
    assert code == 1
    assert "the first: sample 0, layer conv1, neuron (" in said


@pytest.mark.lava
@pytest.mark.slow
def test_what_a_version_lacks_is_written_down_and_no_error(bundle_of, chip, numbers):
    lacks = "spikes_in,spiking_time_per_step,Loihi2Memory,StateProbe"
    options = ("--samples", "1", "--steps", "70", "--layers", "output", "--profile-input", "cyclic")
    options += ("--loggers", "time,memory,activity", "--probe", "dense1")
    code, said, result, log = chip(bundle_of(LIF), *options, STANDIN_LACKS=lacks)
    assert code == 0, said
    assert list(result["layers"]) == ["heads"]
    found = result["profile"]
    assert found["input"] == "cyclic"
    assert found["memory"] == {}
    assert "spikes_in" not in found["activity"]
    assert "no attribute 'spikes_in'" in found["missing"]["activity.spikes_in"]
    assert "no attribute" in found["missing"]["time.spiking_time_per_step"]
    assert "other arguments" in found["missing"]["Loihi2Memory"]
    assert found["missing"]["memory.total_mpds"] == "no such profiler"
    assert found["power"] == {}
    assert found["missing"]["power.total_power"] == "not asked for"
    # Without probes states are read through adapters, a variable each.
    reads = [line for line in log if line["what"] == "Read"]
    assert [(line["shape"], line["interval"], line["offset"]) for line in reads] == [([12], 1, 0)] * 2
    states = result["states"]["dense1"]
    assert all(numbers(states[key], states["shape"], np.int32).any() for key in ("u", "v"))
    # Nothing of the host's is in a profile that the chip feeds itself: one period of the sample, gap and all.
    (buffer,) = [line for line in log if line["what"] == "CyclicBuffer"]
    inputs = np.load(bundle_of(LIF) / "inputs.npy")
    assert buffer["shape"][-1] == result["schedule"]["period"]
    assert buffer["spikes"] == inputs[0].sum()
    assert sum(line["what"] == "PyToN3ConvAdapter" for line in log) == 2


@pytest.mark.lava
@pytest.mark.slow
def test_states_are_recorded_the_same_here_and_there(bundle_of, script, chip, numbers):
    folder = bundle_of(LIF)
    probes = ("--samples", "1", "--probe", "dense1", "--layers", "output")
    code, said, here = script(folder, "--sim", *probes, standin=STANDIN)
    assert code == 0, said
    code, said, there, log = chip(folder, "--no-profile", *probes, STANDIN_IN="2")
    assert code == 0, said
    assert sum(line["what"] == "StateProbe" for line in log) == 2
    states = []
    for result in (here, there):
        found = result["states"]["dense1"]
        states.append({key: numbers(found[key], found["shape"], np.int32) for key in ("u", "v")})
    steps = here["schedule"]["steps"]
    with make_runner("engine", folder / "model.net") as engine:
        (block,) = engine.blocks(np.load(folder / "inputs.npy")[:1], probes=["dense1"])
    for key in ("u", "v"):
        expected = getattr(block.probes["dense1"], key)[0]
        assert np.any(expected)
        np.testing.assert_array_equal(states[0][key][:, :steps], expected)
        np.testing.assert_array_equal(states[0][key][:, :steps], states[1][key][:, 2 : steps + 2])


@pytest.mark.lava
@pytest.mark.slow
def test_lavas_own_buffers_record_the_same(bundle_of, script):
    options = ("--sim", "--samples", "1")
    code, said, result = script(bundle_of(LIF), *options, "--record", "buffer", standin=STANDIN)
    assert code == 0, said
    assert "0 spikes differ" in said
    assert result["backend"] == "simulator"
    assert result["profile"] is None


@pytest.mark.lava
@pytest.mark.slow
def test_a_pass_that_hangs_is_ended_and_the_result_so_far_kept(bundle_of, chip):
    options = ("--samples", "1", "--steps", "70", "--patience", "15", "--layers", "output")
    code, said, result, log = chip(bundle_of(LIF), *options, STANDIN_HANGS="1")
    assert code == 1
    assert (
        "error: pass profile: nothing moved for 19 s, at step 0: waiting for the board. What there is lies in" in said
    )
    assert result["failed"]["pass"] == "profile"
    assert result["layers"]["heads"]["bits"]
    assert result["samples"] == 1
    assert not [alive(process) for process in {line["process"] for line in log} if alive(process)]


@pytest.mark.lava
@pytest.mark.slow
def test_stopped_in_the_middle_it_leaves_nothing_behind_and_keeps_whole_samples(bundle_of, tmp_path, shared_memory):
    folder = bundle_of(LIF, 12)
    out = tmp_path / "result.json"
    command = [sys.executable, folder / "run_on_loihi.py", "--sim", "--out", out]
    process = subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, text=True)
    try:
        group, end = 0, time.monotonic() + 120
        while not (group and progress(group) > 200) and time.monotonic() < end:
            time.sleep(0.05)
            group = next(iter(children(process.pid)), 0)
        held = shared_memory(group)
        assert held
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        said = process.stderr.read()
    finally:
        process.kill()
    assert process.returncode == 1
    result = json.loads(out.read_text())
    assert "error: pass spikes: stopped by SIGTERM. What there is lies in" in said
    assert 1 <= result["samples"] < 12
    assert result["failed"]["pass"] == "spikes"
    assert not alive(group)
    assert not [file for file in held if file.exists()]


def children(parent):
    """Process ids of the sessions that a script has started."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split()]


def progress(process):
    """The step that a pass has come to, by its command line's folder."""
    words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    clock = Path(words[3].decode()) / "clock.raw"
    return int(np.fromfile(clock, np.int64).min()) if clock.is_file() else 0


def test_a_changed_byte_in_any_file_is_refused_and_named(bundle_of, script, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(bundle_of(LIF), folder)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[len(changed) // 2] ^= 1
        if path.name == "run_on_loihi.py":
            # A comment's byte, so that it still runs.
            changed = bytearray(whole.replace(b"# ---", b"# --=", 1))
        if path.name == "site.sh":
            # What the user is to write into.
            continue
        path.write_bytes(changed)
        code, said, result = script(folder, "--sim")
        assert code == 1
        assert f"error: {path.name}" in said, (path.name, said)
        assert result is None
        path.write_bytes(whole)
        if path.name != "SHA256SUMS":
            path.unlink()
            if path.name != "run_on_loihi.py":
                code, said, _ = script(folder, "--sim")
                assert f"error: {path.name}: listed in SHA256SUMS and not there" in said
            path.write_bytes(whole)


def test_without_the_closed_package_it_says_what_is_missing(bundle_of, script):
    code, said, result = script(bundle_of(LIF))
    assert code == 1
    missing = "lava.utils.loihi2_profiler: not installed, it comes with lava-loihi (INRC members)"
    assert said.strip() == f"error: {missing}. --sim runs without it"
    assert result is None


def test_wrong_calls(bundle_of, script):
    for options, code, said in (
        (("--samples", "0"), 2, "0 is no number from 1 on"),
        (("--sim", "--probe", "dense7"), 1, "error: --probe dense7: no such layer, expected one of conv1"),
        (("--layers", "some"), 2, "invalid choice: 'some'"),
        (("--loggers", "heat"), 2, "heat is no list of power, time, memory, activity"),
    ):
        found, text, _ = script(bundle_of(LIF), *options)
        assert found == code
        assert said in text
