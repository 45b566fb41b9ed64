"""Every backend speaks alike, and `run NET` says what is wrong before it works in vain."""

import json

import numpy as np
import pytest

from export import netx
from lava_runtime import reference_pool
from lava_runtime.runner import make_runner
from train.errors import CallError


def test_unknown_backend(nets):
    with pytest.raises(CallError, match=r"--backend gpu: no such backend .expected engine or lava or reference"):
        make_runner("gpu", nets["dense"])


def test_reference_alone_and_in_two_processes(nets, noise, monkeypatch):
    spikes = noise(6, 12, 8)
    with make_runner("reference", nets["dense"], layers=True) as alone:
        expected = alone.run(spikes)
    assert alone.layer_sizes == (16, 14, 9)
    assert expected.output.shape == (6, 9, 8)
    assert expected.counts.tolist() == [[int(layer[i].sum()) for layer in expected.layers] for i in range(6)]
    monkeypatch.setattr(reference_pool, "_SHARE_FROM", 2)
    with make_runner("reference", nets["dense"]) as shared:
        found = shared.run(spikes)
    np.testing.assert_array_equal(found.output, expected.output)
    np.testing.assert_array_equal(found.counts, expected.counts)
    assert found.layers == ()


def test_a_network_that_begins_by_flattening_takes_images(nets, noise):
    spikes = noise(2, 3, 2, 1, 9)
    with make_runner("reference", nets["pair"], layers=True) as images:
        assert images.run(spikes).output.any()


def test_run_net_writes_the_output(cli, nets, noise, tmp_path):
    spikes = noise(3, 12, 8)
    np.save(tmp_path / "x.npy", spikes)
    common = ("run", nets["dense"], "--backend", "reference", "--input", tmp_path / "x.npy")
    result = cli("lava_runtime", *common, "--output", tmp_path / "y.npy", "--json")
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout[result.stdout.index("{") :])
    written = np.load(tmp_path / "y.npy")
    with make_runner("reference", nets["dense"]) as reference:
        expected = reference.run(spikes)
    np.testing.assert_array_equal(written, expected.output)
    assert written.dtype == np.uint8
    assert values["output_counts"] == expected.output.sum(-1).tolist()
    assert values["layer_counts"] == expected.counts.tolist()
    assert "most active neuron" in cli("lava_runtime", *common).output


def test_run_says_of_dendrites_that_they_need_the_simulator(cli, nets, noise, tmp_path):
    np.save(tmp_path / "x.npy", noise(1, 2, 6, 3, 8))
    for kind, said in (("dendrites", True), ("conv", False)):
        result = cli("lava_runtime", "run", nets[kind], "--backend", "reference", "--input", tmp_path / "x.npy")
        assert result.exit_code == 0, result.output
        assert ("simulator only: l1, l4 have analog dendrites" in result.stderr) is said
        assert "simulator only" not in result.stdout


def test_run_net_says_what_is_wrong(cli, nets, tmp_path):
    np.save(tmp_path / "odd.npy", np.full((1, 12, 4), 2))
    (tmp_path / "y.npy").mkdir()
    cases = [
        (("run", tmp_path / "none.net"), 1, "no such run folder or .net file"),
        (("run", nets["dense"]), 2, "no spikes given for a .net file"),
        (
            ("run", tmp_path, "--input", "x.npy"),
            2,
            "--input, --output, --readout, --probe and --probes: go with a .net file",
        ),
        (("run", nets["dense"], "--input", tmp_path / "x.npy", "--output", "y.txt"), 2, "does not end in .npy"),
        (("run", nets["dense"], "--input", tmp_path / "x.npy"), 1, "x.npy: no such file"),
        (("run", nets["dense"], "--input", "x.npy", "--limit", "64"), 2, "--limit: goes with a run folder"),
        (("run", nets["dense"], "--input", "x.npy", "--output", tmp_path / "y.npy"), 2, "y.npy: is a folder"),
        (
            ("run", nets["dense"], "--input", tmp_path / "odd.npy"),
            1,
            "odd.npy: holds 2 in sample 0, step 0 (expected 0 and 1",
        ),
        (("run", nets["dense"], "--limit", "0"), 2, "--limit"),
        (("run", nets["dense"], "--backend", "loihi"), 2, "is not one of"),
        (("run", tmp_path), 1, "missing from the run"),
    ]
    for arguments, code, text in cases:
        result = cli("lava_runtime", *arguments)
        assert result.exit_code == code, (arguments, result.output)
        assert text in result.output, (arguments, result.output)


@pytest.mark.parametrize("command", ["run", "parity", "identify"])
@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1"])
def test_patience_is_a_finite_time(cli, tmp_path, command, seconds):
    sound = [tmp_path / "x.wav"] if command == "identify" else []
    result = cli("lava_runtime", command, tmp_path, *sound, "--patience", seconds)
    assert result.exit_code == 2
    assert "Invalid value for '--patience'" in result.output
    assert "is not " in result.output


def test_a_damaged_net_is_one_clear_line(cli, nets, tmp_path):
    damaged = tmp_path / "cut.net"
    damaged.write_bytes(nets["dense"].read_bytes()[:500])
    np.save(tmp_path / "x.npy", np.zeros((1, 12, 4), np.uint8))
    result = cli("lava_runtime", "run", damaged, "--backend", "reference", "--input", tmp_path / "x.npy")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "error: " in result.output
    assert "cut.net" in result.output


def test_writing_where_one_may_not_loses_nothing(cli, nets, noise, tmp_path):
    np.save(tmp_path / "x.npy", noise(1, 12, 4))
    (tmp_path / "file").write_text("kept")
    arguments = ("--input", tmp_path / "x.npy", "--output", tmp_path / "file" / "y.npy")
    result = cli("lava_runtime", "run", nets["dense"], "--backend", "reference", *arguments)
    assert result.exit_code == 1
    assert f"y.npy: cannot be written: {tmp_path / 'file'} is not a folder. Choose another folder" in result.output
    assert "reference:" not in result.output, "it was run in vain"
    assert (tmp_path / "file").read_text() == "kept"
    assert netx.read(nets["dense"])
