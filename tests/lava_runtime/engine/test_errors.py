"""What the engine cannot run, or not in the memory allowed, it says; a wrong call is told what is allowed."""

import h5py
import numpy as np
import pytest

from export import netx, reference
from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, InputLayer, Network
from lava_runtime.engine.engine import Engine
from lava_runtime.engine.session import Session
from train.errors import CallError, MaestroError

FEW, MANY = np.full((2, 2), 2), np.full((600, 2), 2)


@pytest.fixture(scope="module")
def network():
    weight = np.full((2, 1, 2, 2), 64)
    conv = ConvLayer(weight, (1, 1), (0, 0), (1, 1), 1, Cuba(400, 200, 40), (2, 3, 2))
    return Network((InputLayer((1, 4, 3)), conv), ("input", "conv"))


def dense(weight, neuron, **rest):
    return Network((InputLayer((weight.shape[1],)), DenseLayer(weight, neuron, **rest)), ("input", "out"))


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((1, 4, 3, 9), r"have shape \(1, 4, 3, 9\) \(expected \(sample, 1, 4, 3, time\)\)"),
        ((2, 1, 3, 4, 9), r"have shape \(2, 1, 3, 4, 9\) \(expected \(sample, 1, 4, 3, time\)\)"),
        ((2, 12, 9), r"have shape \(2, 12, 9\)"),
        ((0, 1, 4, 3, 9), r"have shape \(0, 1, 4, 3, 9\)"),
        ((2, 1, 4, 3, 0), r"have shape \(2, 1, 4, 3, 0\)"),
    ],
)
def test_spikes_of_another_shape(network, shape, text):
    for call in (Engine(network).run, Engine(network).blocks):
        with pytest.raises(MaestroError, match=f"^input spikes: {text}"):
            call(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("kind", [np.float32, np.complex64, object])
def test_spikes_that_are_no_whole_numbers(network, kind):
    with pytest.raises(MaestroError, match=r"^input spikes: are of type \w+ \(expected whole numbers\)"):
        Engine(network).run(np.zeros((1, 1, 4, 3, 5), kind))


@pytest.mark.parametrize("value", [2, -1, 255])
def test_spikes_that_are_neither_0_nor_1(network, value):
    spikes = np.zeros((2, 1, 4, 3, 5), np.int16)
    spikes[1, 0, 3, 2, 4] = value
    text = rf"^input spikes: hold {value} in sample 1, step 4 \(expected 0 and 1; this network takes unary spikes\)"
    with pytest.raises(MaestroError, match=text):
        Engine(network).run(spikes)


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ({"path": "sparse"}, r"path 'sparse': no such way \(expected auto, events, dense\)"),
        ({"probes": ["conv", "input"]}, r"probe 'input': no such layer \(expected conv\)"),
        ({"probes": ["conv"], "probe_samples": [1, 2]}, r"probe of sample 2: no such sample \(expected 0 to 1\)"),
        ({"probes": ["conv"], "probe_samples": [-1]}, r"probe of sample -1: no such sample \(expected 0 to 1\)"),
        (
            {"probes": ["conv"], "probe_samples": [1, 0]},
            r"probe of samples \[1, 0\]: not in ascending order, each once",
        ),
        (
            {"probes": ["conv"], "probe_samples": [1, 1]},
            r"probe of samples \[1, 1\]: not in ascending order, each once",
        ),
    ],
)
def test_wishes_that_cannot_be_met(network, wish, text):
    for call in (Engine(network).run, Engine(network).blocks):
        with pytest.raises(CallError, match=f"^{text}"):
            call(np.zeros((2, 1, 4, 3, 5), np.uint8), **wish)


def test_too_little_memory_says_how_much_would_do():
    network = dense(np.full((3000, 1000), 2), Cuba(400, 200, 40))
    with pytest.raises(
        CallError, match=r"^--memory: 1\.0 MiB is too little .* on 2 cores \(expected at least \d+ MiB\)"
    ):
        Engine(network, threads=2, memory_bytes=1 << 20)
    try:
        Engine(network, threads=2, memory_bytes=1 << 20)
    except CallError as error:
        enough = int(error.allowed.split()[-2])
    assert enough > 1
    Engine(network, threads=2, memory_bytes=enough << 20).run(np.ones((3, 1000, 4), np.uint8))


def test_no_cores(network):
    with pytest.raises(CallError, match=r"^threads 0: no such number of cores \(expected 1 or more\)"):
        Engine(network, threads=0)


@pytest.mark.parametrize("weight", [[[-4, -4]], [[-300, 2]], [[256, 2]], [[0, -1], [-1, -1]]])
def test_weights_that_stock_lava_takes_for_others(weight, tmp_path):
    netx.write(dense(np.array(weight), Cuba(400, 200, 40)), tmp_path / "model.net")
    text = r"^layer out: has weights that stock Lava would take for others \(expected -256 to 254.*NX009, NX010"
    with pytest.raises(MaestroError, match=text):
        Engine.from_file(tmp_path / "model.net")


@pytest.mark.parametrize("weight", [[[-4, -6]], [[255, 3]], [[0, 0]], [[-256, 254]], [[-3, 5]]])
def test_weights_that_stock_lava_takes_as_they_are(weight, tmp_path):
    netx.write(dense(np.array(weight), Cuba(400, 200, 40)), tmp_path / "model.net")
    assert Engine.from_file(tmp_path / "model.net").names == ("out",)


@pytest.mark.parametrize("make", [Engine, Session])
@pytest.mark.parametrize(
    ("weight", "neuron", "rest", "text"),
    [
        (np.full((1, 200_000), 256), Cuba(1, 1, 9), {}, r"weights of a neuron, added up, of 51200000 \(expected 0 to"),
        (FEW, Cuba(1, 1, 9), {"recurrent": np.full((2, 2), 20_000_000)}, "weights of a neuron, added up, of 40000004"),
        (FEW, Cuba(1, 1, 9), {"bias": np.array([0, 32768])}, r"biases of 0 to 32768 \(expected -32768 to 32767\)"),
        (FEW, Cuba(1, 1, 9), {"bias": np.array([-40000, 3])}, r"biases of -40000 to 3 \("),
        (FEW, Cuba(4097, 1, 9), {}, r"decays of 1 to 4097 \(expected 0 to 4096\)"),
        (FEW, Cuba(5, np.array([7, -1]), 9), {}, r"decays of -1 to 7 \(expected 0 to 4096\)"),
        (FEW, Cuba(1, 1, 1 << 40), {}, rf"thresholds of {1 << 40} \(expected -16777216 to 16777216\)"),
        (FEW, Cuba(1, 1, -(1 << 30)), {}, rf"thresholds of {-(1 << 30)} \("),
        (FEW, Cuba(1, 1, 9), {"delay": np.array([0, 63])}, r"delays of 0 to 63 \(expected 0 to 62\)"),
        (MANY, DhLif(np.ones(600, int), np.zeros(600, int), 1, 9), {}, r"branches of 600 \(expected 1 to 255\)"),
    ],
)
def test_what_lavas_registers_do_not_hold(make, weight, neuron, rest, text):
    """Lava would go on with what is left of it, without a word."""
    with pytest.raises(MaestroError, match=f"^layer out: has {text}"):
        make(dense(weight, neuron, **rest))


def test_a_current_that_grows_for_good():
    """It wraps once a step, as in Lava; driven harder it leaves any register, and what Lava answers is chance."""
    network = dense(np.full((1, 20_000), 254), Cuba(0, 4096, 131072))
    spikes = np.ones((1, 20_000, 12), np.uint8)
    text = r"^layer out: has a current that grew beyond \d+, though it goes around at 2\^23 once a step\. Scale its"
    assert Engine(network).run(spikes[..., :2]).tally.layers["out"].wraps == 1
    with pytest.raises(MaestroError, match=text):
        Engine(network).run(spikes)
    with pytest.raises(MaestroError, match=text):
        reference.run(network, spikes[0])
    session = Session(network)
    with pytest.raises(MaestroError, match=text):
        [session.push(frame) for frame in spikes[0].T]
    assert session.step > 1
    session.reset()
    assert not session.push(spikes[0, :, 0]).any()


@pytest.mark.parametrize("values", [[600, 0], [0, -600]])
def test_input_that_biases_do_not_hold(values):
    network = Network((InputLayer((2,), Cuba(400, 200, 40), 64, 10),), ("input",))
    text = rf"^input: times 64 plus 10 gives its neurons biases of {min(values) * 64 + 10} to .* 16 bits"
    spikes = np.array(values).reshape(1, 2, 1)
    with pytest.raises(MaestroError, match=text):
        Engine(network).run(spikes)
    session = Session(network)
    with pytest.raises(MaestroError, match=text):
        session.push(spikes[0, :, 0])
    assert session.step == 0


def complex_weights(layer):
    weight = layer["weight"][()]
    del layer["weight"]
    layer["weight/real"], layer["weight/imag"] = weight, weight


def kind(name):
    def change(layer):
        del layer["type"]
        layer.create_dataset("type", (1,), "S10", [name])

    return change


def neuron(name):
    def change(layer):
        del layer["neuron/type"]
        layer["neuron/type"] = np.bytes_(name)

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (neuron("SDNN"), "'SDNN'"),
        (neuron("RF_IZ"), "'RF_IZ'"),
        (complex_weights, "complex"),
        (lambda layer: layer.create_dataset("delay", data=np.ones(2)), "delay"),
        (kind(b"pool"), "'pool'"),
        (kind(b"dense_comp"), "'dense_comp'"),
        (lambda layer: layer["neuron"].create_dataset("messageBits", data=8), "graded"),
    ],
)
def test_files_that_cannot_be_run_are_refused_by_name(network, change, text, tmp_path):
    path = tmp_path / "model.net"
    netx.write(network, path)
    Engine.from_file(path)
    with h5py.File(path, "r+") as file:
        change(file["layer/1"])
    with pytest.raises(MaestroError, match=rf"model\.net, layer 1\b.*{text}"):
        Engine.from_file(path)
