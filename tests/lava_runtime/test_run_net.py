"""`run NET`: files of any length in, whole files or none out."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from export import netx, reference
from export.graph import AverageLayer, Cuba, DenseLayer, DhLif, InputLayer, Network
from lava_runtime.options import Memory
from lava_runtime.outputs import npy_file, npz_file
from lava_runtime.run_net import Outputs, run_net
from lava_runtime.runner import make_runner
from train.errors import MaestroError


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    """A .net file with input neurons, branches and an average of groups of three."""
    generator = np.random.default_rng(3)

    def weights(*shape):
        return 2 * generator.integers(-30, 50, shape)

    layers = (
        InputLayer((8,), Cuba(4096, 300, 40), weight=3, offset=1),
        DenseLayer(weights(20, 8), DhLif(np.array([900, 40]), np.array([0, 2]), 100, 60)),
        DenseLayer(weights(6, 10), Cuba(200, 100, 60)),
        AverageLayer((2,)),
    )
    path = tmp_path_factory.mktemp("nets") / "grouped.net"
    netx.write(Network(layers, ("in", "hidden", "out", "mean")), path)
    return path


@pytest.fixture
def values(tmp_path):
    """Graded input of 40 samples, in a file."""
    spikes = np.random.default_rng(4).integers(-20, 60, (40, 8, 12))
    np.save(tmp_path / "x.npy", spikes)
    return spikes


def test_everything_that_can_be_written(cli, grouped, values, tmp_path):
    files = ("--output", tmp_path / "y.npy", "--readout", tmp_path / "r.npy", "--probes", tmp_path / "p.npz")
    probes = ("--probe", "hidden", "--probe", "in")
    result = cli("lava_runtime", "run", grouped, "--input", tmp_path / "x.npy", *files, *probes)
    assert result.exit_code == 0, result.output
    for name in ("y.npy", "r.npy", "p.npz"):
        assert f"wrote {tmp_path / name}" in result.stderr
    network = netx.read(grouped)
    traces = [reference.simulate(network, sample, probes=True) for sample in values]
    output = np.stack([layers[-1].spikes for layers in traces])
    assert output.any()
    assert np.load(tmp_path / "y.npy").dtype == np.uint8
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), output)
    means = (output.reshape(40, 2, 3, 12).sum(2) / 3).astype(np.float32)
    assert np.load(tmp_path / "r.npy").dtype == np.float32
    np.testing.assert_array_equal(np.load(tmp_path / "r.npy"), means)
    kept = np.load(tmp_path / "p.npz")
    assert set(kept) == {f"{name}.{part}" for name in ("hidden", "in") for part in ("spikes", "u", "v")}
    for index, name in ((0, "in"), (1, "hidden")):
        for part in ("spikes", "u", "v"):
            expected = np.stack([getattr(layers[index], part) for layers in traces])
            np.testing.assert_array_equal(kept[f"{name}.{part}"], expected)
    assert kept["hidden.u"].shape == (40, 2, 10, 12)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.npz", "r.npy", "x.npy", "y.npy"]


def test_the_reference_gives_the_same_files(cli, grouped, values, tmp_path):
    for backend in ("engine", "reference"):
        files = ("--output", tmp_path / f"{backend}_y.npy", "--readout", tmp_path / f"{backend}_r.npy")
        result = cli("lava_runtime", "run", grouped, "--input", tmp_path / "x.npy", "--backend", backend, *files)
        assert result.exit_code == 0, result.output
    for what in ("y", "r"):
        assert (tmp_path / f"engine_{what}.npy").read_bytes() == (tmp_path / f"reference_{what}.npy").read_bytes()


def test_counters_are_told(cli, grouped, values, tmp_path):
    common = ("run", grouped, "--input", tmp_path / "x.npy")
    out = cli("lava_runtime", *common, "--json").stdout
    told = json.loads(out[out.index("{") :])
    assert (told["backend"], told["samples"], told["steps"]) == ("engine", 40, 12)
    counters = told["counters"]
    assert list(counters) == told["layers"] == ["in", "hidden", "out"]
    assert counters["hidden"]["spikes_in"] == counters["in"]["axon_out"] == sum(row[0] for row in told["layer_counts"])
    assert counters["hidden"]["dendrite_updates"] == 40 * 12 * 10
    assert counters["in"]["path"] == "input"
    assert 0 < counters["out"]["v_range"] < 1
    text = cli("lava_runtime", *common).output
    for part in ("the first 20 of 40", "counted by layer; means a sample of 12 steps, over 40", "wraps", "most active"):
        assert part in text
    out = cli("lava_runtime", *common, "--json", "--backend", "reference").stdout
    assert json.loads(out[out.index("{") :]) == {**told, "backend": "reference", "counters": None}


def test_options_that_cannot_be(cli, nets, grouped, values, tmp_path):
    common = ("run", grouped, "--input", tmp_path / "x.npy")
    plain = ("run", nets["bias"], "--input", tmp_path / "x.npy")
    p = tmp_path / "p.npz"
    cases = [
        ((*common, "--probe", "hidden"), 2, "--probe: has no file to go to. Add --probes P.npz"),
        ((*common, "--probes", p), 2, "--probes: is given without a layer. Add --probe LAYER"),
        ((*common, "--probes", tmp_path / "p.npy", "--probe", "in"), 2, "p.npy: does not end in .npz"),
        ((*common, "--probes", p, "--probe", "no"), 2, "--probe no: no such layer (expected in, hidden, out)"),
        (
            (*common, "--probes", p, "--probe", "in", "--backend", "reference"),
            2,
            "--probe: does not go with the backend reference. Use --backend engine",
        ),
        ((*plain, "--readout", tmp_path / "r.npy"), 2, "--readout: the network does not end in an average layer"),
        (
            (*common, "--readout", tmp_path / "y.npy", "--output", tmp_path / "y.npy"),
            2,
            "is the file of --output too. Give each a file of its own",
        ),
        ((*common, "--memory", "plenty"), 2, "--memory: 'plenty' is no amount of memory (expected a size such as 512M"),
        ((*common, "--memory", "-1G"), 2, "'-1G' is no amount of memory"),
        ((*common, "--memory", "nan"), 2, "'nan' is no amount of memory"),
        ((*common, "--memory", "0"), 2, "'0' is no amount of memory"),
        ((*common, "--memory", "99999999T"), 2, "'99999999T' is no amount of memory"),
        ((*common, "--memory", "1K"), 2, "is too little"),
        ((*common, "--threads", "0"), 2, "Invalid value for '--threads'"),
        ((*plain, "--output", tmp_path / "y.npy"), 1, "x.npy: holds "),
    ]
    for arguments, code, text in cases:
        result = cli("lava_runtime", *arguments)
        assert result.exit_code == code, (arguments, result.output)
        assert text in result.output, (arguments, result.output)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


@pytest.mark.parametrize("size", ["512M", "0.5G", "524288K", "512MiB", "512 mb", "536870912"])
def test_sizes_of_memory(size):
    assert Memory().convert(size, None, None) == 512 << 20


def test_memory_and_threads_change_nothing(grouped, values, tmp_path):
    expected = None
    for memory_bytes, threads in ((1 << 30, 2), (60_000, 1)):
        made = make_runner("engine", grouped, threads=threads, memory_bytes=memory_bytes)
        with made as runner:
            run_net(runner, tmp_path / "x.npy", Outputs(output=tmp_path / "y.npy"))
        found = (tmp_path / "y.npy").read_bytes()
        assert expected in (None, found)
        expected = found


def test_an_error_in_a_late_sample_leaves_the_old_file(cli, nets, noise, tmp_path):
    spikes = noise(60, 12, 8)
    spikes[57, 3, 5] = 7
    np.save(tmp_path / "x.npy", spikes)
    (tmp_path / "y.npy").write_bytes(b"old")
    result = cli("lava_runtime", "run", nets["dense"], "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
    assert result.exit_code == 1
    assert "x.npy: holds 7 in sample 57, step 5 (expected 0 and 1; this network takes unary spikes)" in result.output
    assert (tmp_path / "y.npy").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npy"]


def test_a_full_disk_is_one_clear_error(tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    said = "cannot be written: No space left on device"
    with pytest.raises(MaestroError, match=rf"y\.npy: {said}"), npy_file(tmp_path / "y.npy", (1, 2), np.uint8):
        full()
    arrays = {"a": ((1, 2), np.uint8)}
    with pytest.raises(MaestroError, match=rf"p\.npz: {said}"), npz_file(tmp_path / "p.npz", arrays):
        full()
    assert not list(tmp_path.iterdir())


SLOW = """
import sys, time
from lava_runtime import spikes
from lava_runtime.__main__ import main
whole = spikes.CheckedSpikes.__getitem__
def slowly(self, which):
    time.sleep(0.2)
    return whole(self, which)
spikes.CheckedSpikes.__getitem__ = slowly
main()
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_killed_it_leaves_the_old_file_or_none(nets, noise, tmp_path, how):
    np.save(tmp_path / "x.npy", noise(4000, 12, 8))
    output = tmp_path / "y.npy"
    if how == signal.SIGTERM:
        output.write_bytes(b"old")
    command = [sys.executable, "-c", SLOW, "run", nets["dense"], "--input", tmp_path / "x.npy", "--output", output]
    process = subprocess.Popen(
        [*map(str, command)], stderr=subprocess.PIPE, env={**os.environ, "NUMBA_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 60
    # Killed while it writes.
    while not list(tmp_path.glob(".y.npy.*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    assert process.poll() is None, process.stderr.read()
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    if how == signal.SIGTERM:
        assert output.read_bytes() == b"old"
    else:
        assert not output.exists()
    if how != signal.SIGKILL:
        assert process.returncode == 130
        assert b"interrupted: files are whole, old or new" in said
        assert not list(tmp_path.glob(".y.npy.*"))


MEASURED = """
import sys
from lava_runtime.__main__ import main
try:
    main()
finally:
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            print("peak", line.split()[1], file=sys.stderr)
"""


def test_memory_does_not_grow_with_the_samples(nets, noise, tmp_path):
    peaks = []
    block = noise(2000, 12, 100, rate=0.1)
    for times in (1, 40):
        np.save(tmp_path / "x.npy", np.tile(block, (times, 1, 1)))
        command = ["run", nets["dense"], "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy"]
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *map(str, command)], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stderr.split("peak")[1].split()[0]) / 1024)
    # 94 MB of input and 70 MB of output more.
    assert (tmp_path / "x.npy").stat().st_size > 90e6
    assert peaks[1] - peaks[0] < 15, peaks
