"""Streaming through Lava is exact, and nothing of Lava is ever left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from export import netx, reference
from lava_runtime.network import LavaNetwork, alive
from lava_runtime.runner import make_runner
from train.errors import MaestroError

pytestmark = pytest.mark.lava


def expected(path, spikes):
    """Every sample alone in a fresh network, by the reference."""
    network = netx.read(path)
    each = [reference.run(network, sample) for sample in spikes]
    return [np.stack(layer) for layer in zip(*each, strict=True)]


def samples_of(network, spikes, **how):
    items = list(network.stream(spikes, **how))
    # Steps are reported as they pass, and add up.
    assert sum(item for item in items if isinstance(item, int)) == spikes.shape[0] * spikes.shape[-1]
    found = [item for item in items if not isinstance(item, int)]
    return [np.stack(layer) for layer in zip(*found, strict=True)]


def assert_equal(found, wanted):
    assert len(found) == len(wanted)
    for index, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        assert theirs.any(), f"layer {index} is silent: the test shows nothing"
        np.testing.assert_array_equal(ours, theirs, err_msg=f"layer {index}")


def test_samples_back_to_back_are_each_as_in_a_fresh_run(nets, noise):
    spikes = noise(7, 12, 15)
    wanted = expected(nets["dense"], spikes)
    with LavaNetwork(nets["dense"]) as network:
        assert network.description.memory == ""
        assert network.description.input_shape == (12,)
        assert network.description.sizes == (16, 14, 9)
        # Three samples a block: the last block is short, and the next call starts within the files.
        assert_equal(samples_of(network, spikes, block_steps=45), wanted)
        assert_equal(samples_of(network, spikes[::-1], block_steps=45), [layer[::-1] for layer in wanted])
        # Another length is another period.
        assert_equal(samples_of(network, spikes[..., :11]), expected(nets["dense"], spikes[..., :11]))
        # A sample of one step, shorter than the network is deep.
        found = samples_of(network, spikes[:3, :, :1])
        assert all(layer.shape[-1] == 1 and not layer.any() for layer in found)


def test_more_layers_than_a_sink_takes(nets, noise):
    spikes = noise(3, 6, 12, rate=0.1)
    with LavaNetwork(nets["deep"]) as network:
        assert_equal(samples_of(network, spikes), expected(nets["deep"], spikes))


def test_convolutions_and_pools_in_their_axes(nets, noise):
    spikes = noise(3, 2, 6, 3, 20)
    wanted = expected(nets["conv"], spikes)
    for stock in (False, True):
        with make_runner("lava", nets["conv"], layers=True, stock=stock) as runner:
            result = runner.run(spikes)
        assert_equal(result.layers, wanted)
        np.testing.assert_array_equal(result.output, wanted[-1])
        np.testing.assert_array_equal(result.counts, np.stack([x.reshape(3, -1).sum(1) for x in wanted], axis=1))


def test_an_input_that_is_flattened_at_once_comes_in_slayers_order(nets, noise):
    spikes = noise(3, 3, 2, 1, 20)
    wanted = expected(nets["pair"], spikes)
    for stock in (False, True):
        with make_runner("lava", nets["pair"], layers=True, stock=stock) as runner:
            assert_equal(runner.run(spikes).layers, wanted)


def test_dendrites_start_each_sample_from_rest(nets, noise):
    spikes = noise(5, 2, 6, 3, 20)
    with LavaNetwork(nets["dendrites"]) as network:
        assert network.description.memory == ""
        assert network.description.layer_shapes == ((4, 6, 2), (4, 3, 2), (5,))
        assert_equal(samples_of(network, spikes, block_steps=40), expected(nets["dendrites"], spikes))


def test_input_neurons_take_whole_numbers_and_an_average_is_left_off(nets):
    spikes = np.random.default_rng(5).integers(-2, 3, (5, 2, 6, 3, 14))
    wanted = expected(nets["fed"], spikes)
    with LavaNetwork(nets["fed"]) as network:
        assert network.description.memory == ""
        assert network.description.transform == (36, 34)
        assert network.description.layer_shapes == ((2, 6, 3), (4, 6, 2), (6,))
        # Sample after sample: the input neurons start each from rest, a step earlier than layers with synapses.
        assert_equal(samples_of(network, spikes, block_steps=28), wanted)
        (found, *others) = samples_of(network, spikes[..., :1] + 1)
        np.testing.assert_array_equal(found, expected(nets["fed"], spikes[..., :1] + 1)[0])
        assert found.any()
        assert not any(layer.any() for layer in others)
        with pytest.raises(MaestroError, match=r"input: times 36 plus 34 gives its neurons biases of .* 16 bits"):
            next(network.stream(spikes * 1000))


def test_a_dense_layer_without_neurons_integrates_in_silence(nets, tmp_path, noise):
    path = tmp_path / "silent.net"
    path.write_bytes(nets["pair"].read_bytes())
    with h5py.File(path, "a") as file:
        del file["layer/2/neuron"]
        file["layer/2/bias"] = [4000.0]
    spikes = noise(1, 3, 2, 1, 60, rate=0.9)
    wanted = expected(path, spikes)
    with LavaNetwork(path) as network:
        (found,) = samples_of(network, spikes.reshape(1, 6, 60))
    np.testing.assert_array_equal(found, wanted[0])
    assert not found.any()


def older(file, key, value):
    del file[key]
    file[key] = value


def test_lava_takes_older_layouts_as_they_are_read_here(nets, tmp_path):
    """Kernels with an axis of time, flat weights, one bias for all, no transform, and neurons of type LOIHI."""
    path = tmp_path / "older.net"
    path.write_bytes(nets["fed"].read_bytes())
    with h5py.File(path, "a") as file, h5py.File(nets["recurrent"]) as recurrent:
        del file["layer/0/weight"], file["layer/0/bias"]
        older(file, "layer/0/shape", [2.0, 6.0, 3.0])
        older(file, "layer/1/weight", file["layer/1/weight"][()][..., np.newaxis])
        older(file, "layer/1/neuron/type", b"LOIHI")
        file["layer/1/neuron/theta"], file["layer/1/neuron/wgtExp"] = 3840, 0
        older(file, "layer/2/shape", [1, 1, 48])
        older(file, "layer/3/weight", file["layer/3/weight"][()].reshape(-1))
        older(file, "layer/3/shape", [6, 1, 1])
        file["layer/3/bias"] = np.float32([9])
        recurrent.copy("layer/1", file["layer"], "4x")
        del file["layer/4"]
        file.move("layer/4x", "layer/4")
        older(file, "layer/4/weight", file["layer/4/weight"][()][:, :6].reshape(-1))
        older(file, "layer/4/weight_rec", file["layer/4/weight_rec"][()].reshape(-1))
    spikes = np.random.default_rng(8).integers(-1, 3, (2, 2, 6, 3, 25))
    with LavaNetwork(path) as network:
        assert network.description.transform == (64, 0)
        assert_equal(samples_of(network, spikes), expected(path, spikes))


@pytest.mark.parametrize(("kind", "why"), [("delay", "delays"), ("recurrent", "recurrent"), ("bias", "bias")])
def test_networks_that_remember_get_a_fresh_run_each(nets, noise, kind, why):
    spikes = noise(2, 8, 90 if kind == "delay" else 20)
    with LavaNetwork(nets[kind]) as network:
        assert why in network.description.memory
        assert_equal(samples_of(network, spikes), expected(nets[kind], spikes))


def wait_for_lava(parent, limit_s=60):
    """The process group that Lava runs in below a process, once Lava has started its processes."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[1]) == parent and int(fields[2]) == int(entry.name) and len(alive(int(entry.name))) > 6:
                    return int(entry.name)
        time.sleep(0.05)
    raise AssertionError("Lava did not start")


def wait_until_gone(group, limit_s=20):
    end = time.monotonic() + limit_s
    while alive(group):
        assert time.monotonic() < end, f"left behind: {alive(group)}"
        time.sleep(0.05)


def folders(parent):
    return list(parent.glob("maestro-lava-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_leaves_no_process_no_shared_memory_and_no_folder(nets, noise, tmp_path, root, shared_memory, number):
    np.save(tmp_path / "x.npy", noise(2000, 12, 100))
    command = [sys.executable, "-m", "lava_runtime", "run", str(nets["dense"]), "--backend", "lava"]
    with subprocess.Popen(
        [*command, "--input", str(tmp_path / "x.npy"), "--output", str(tmp_path / "y.npy")],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        group = wait_for_lava(process.pid)
        assert folders(tmp_path)
        time.sleep(0.5)
        held = shared_memory(group)
        assert held
        process.send_signal(number)
        _, talk = process.communicate(timeout=30)
    wait_until_gone(group)
    assert not [file for file in held if file.exists()]
    assert not folders(tmp_path)
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert talk.decode().strip() == "interrupted: files are whole, old or new"
    assert not (tmp_path / "y.npy").exists()


def worker_of(network):
    return network._worker.pid


def test_a_dead_process_of_lava_is_an_error(nets, noise):
    with LavaNetwork(nets["dense"]) as network:
        group = worker_of(network)
        stream = network.stream(noise(2000, 12, 100), block_steps=200_000)
        next(stream)
        # The last started is one of Lava's Processes or its runtime service.
        os.kill(max(alive(group)), signal.SIGKILL)
        with pytest.raises(
            MaestroError, match=r"dense\.net: one of Lava's \d+ processes ended early, killed by SIGKILL"
        ):
            list(stream)
    assert not alive(group)


def test_a_hang_is_an_error(nets, noise):
    with LavaNetwork(nets["dense"], patience_s=2) as network:
        group = worker_of(network)
        stream = network.stream(noise(2000, 12, 100), block_steps=200_000)
        next(stream)
        os.kill(max(alive(group)), signal.SIGSTOP)
        with pytest.raises(MaestroError, match=r"Lava did nothing for 2 s, at time step \d+.*--patience"):
            list(stream)
    assert not alive(group)


def test_a_dead_worker_is_an_error(nets, noise):
    with LavaNetwork(nets["dense"]) as network:
        group = worker_of(network)
        os.kill(group, signal.SIGKILL)
        with pytest.raises(MaestroError, match="Lava's process ended without an answer"):
            list(network.stream(noise(2, 12, 10)))
    assert not alive(group)


REFUSALS = """
import json, sys
import h5py, numpy as np
from lava_runtime.netx_loader import RefusedError, load

def change(name, edit, source=1):
    with h5py.File(sys.argv[source]) as good, h5py.File(f"{sys.argv[3]}/{name}.net", "w") as bad:
        good.copy("layer", bad)
        bad.attrs.update(good.attrs)
        edit(bad["layer"])
    try:
        load(f"{sys.argv[3]}/{name}.net", None)
        found[name] = "loaded"
    except RefusedError as error:
        found[name] = f"{error.found}. {error.cure}"

def kind(layer, name):
    del layer["type"]
    layer.create_dataset("type", (1,), "S10", [name.encode()])

def neuron(layer, **values):
    for key, value in values.items():
        layer["neuron"].pop(key, None)
        layer["neuron"][key] = value

found = {}
change("pool", lambda layers: kind(layers["2"], "pool"))
change("type", lambda layers: neuron(layers["1"], type=np.bytes_("SDNN")))
change("unknown", lambda layers: neuron(layers["1"], type=np.bytes_("ALIF")))
change("delay", lambda layers: layers["1"].create_dataset("delay", data=np.ones(4)))
change("graded", lambda layers: neuron(layers["1"], messageBits=8))
change("shape", lambda layers: layers["1"].pop("shape"))
change("resonate", lambda layers: neuron(layers["1"], type=np.bytes_("RF_IZ")))
def delta(layers):
    layers.copy(layers["1/neuron"], layers["0"], "neuron")
    neuron(layers["0"], type=np.bytes_("SDNN"))
change("input", delta)
change("average", lambda layers: kind(layers["2"], "average"))
def groups(layers):
    for name in list(layers)[1:]:
        del layers[name]
    layers["0/shape"][...] = (130, 1, 1)
    g = layers.create_group("1")
    g.create_dataset("type", (1,), "S10", [b"conv"])
    for key, value in dict(shape=(130, 1, 1), stride=1, padding=0, dilation=1, groups=130).items():
        g[key] = value
    g["weight"] = np.full((130, 1, 1, 1), 64)
    g["neuron/type"] = np.bytes_("CUBA")
    for key in ("iDecay", "vDecay", "vThMant", "refDelay"):
        g[f"neuron/{key}"] = 1
change("groups", groups)
change("gain", lambda layers: layers["1/dendrite/gain"].write_direct(np.array([0, 7])), 2)
change("branches", lambda layers: layers["4"].pop("dendrite"), 2)
change("echo", lambda layers: kind(layers["4"], "dense_rec"), 2)
change("stray", lambda layers: layers.copy(layers["1/neuron"], layers["4"], "dendrite"))
# Loaded by now, without what ours adds to it while it loads.
from lava.lib.dl.netx import hdf5
try:
    hdf5.Network(net_config=sys.argv[2])
    found["stock"] = "loaded"
except AttributeError as error:
    found["stock"] = str(error)
print(json.dumps(found))
"""


def test_what_lava_would_run_wrongly_is_refused(nets, tmp_path, root):
    command = [sys.executable, "-W", "ignore", "-c", REFUSALS, str(nets["conv"]), str(nets["dendrites"]), str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    parts = {
        "pool": "has a layer that NetX cannot run: pool is not implemented.",
        "type": "has SigmaDelta neurons",
        "unknown": "cannot be loaded by lava-dl",
        "delay": "has delays, which NetX gets wrong",
        "graded": "sends graded spikes",
        "shape": "cannot be loaded by lava-dl",
        "groups": "more than 127 groups",
        "resonate": "has resonate-and-fire neurons. this runner knows CUBA LIF and DH-LIF alone",
        "gain": "layer 1 (conv) has gains of 0 to 7 (expected 0 to 6). export it again",
        "branches": "layer 4 (dense) has DH-LIF neurons without branches",
        "echo": "layer 4 (dense_rec) has dendrites and recurrent weights",
        "stray": "layer 4 (dense) has a group `dendrite` and neurons of type 'CUBA'",
        "stock": "'NoneType' object has no attribute 'pop'",
        "input": "layer 0 (input), neuron is of type 'SDNN' (sigma-delta), which this project cannot run",
        "average": "layer 2 (average) averages before layer 3 (expected an average as the last layer only)",
    }
    assert found.keys() == parts.keys()
    for name, part in parts.items():
        assert part in found[name], (name, found[name])


def test_the_file_can_be_written_while_a_network_runs_it(nets, noise, tmp_path):
    path = tmp_path / "again.net"
    network = netx.read(nets["dense"])
    netx.write(network, path)
    with LavaNetwork(path) as runner:
        netx.write(network, path)
        assert samples_of(runner, noise(1, 12, 5))


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(MaestroError, match=r"none\.net: no such file.*export netx"):
        LavaNetwork(tmp_path / "none.net")
    (tmp_path / "cut.net").write_bytes(b"\x89HDF\r\n\x1a\n cut")
    with pytest.raises(MaestroError, match=r"cut\.net: cannot be loaded by lava-dl: .*export lint"):
        LavaNetwork(tmp_path / "cut.net")
