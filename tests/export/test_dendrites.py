"""Layers with analog dendrites: refused when they do not fit, read back as written, and run by their rules."""

import math
import subprocess
import sys

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export import netx, reference
from export.dendrites import realisation, simulator_only
from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network
from train.errors import MaestroError

NEVER = 131071
TWO = DhLif(np.array([410, 80]), np.array([0, 4]), 205, 16)


def ints(*shape):
    return np.ones(shape, np.int64)


def conv(weight=(8, 2, 3, 1), neuron=TWO, shape=(4, 7, 1), groups=1):
    return ConvLayer(ints(*weight), (1, 1), (1, 0), (1, 1), groups, neuron, shape)


def dense(out, inputs, neuron=TWO, **options):
    return DenseLayer(ints(out, inputs), neuron, **options)


def test_a_layer_has_as_many_neurons_as_its_rows_are_branches(dendritic_network):
    assert conv().shape == (4, 7, 1)
    assert dense(6, 3).shape == (3,)
    assert TWO.branches == 2
    assert dendritic_network.dendritic_names == ("conv1", "dense1")
    assert dendritic_network.latency == 4
    assert dendritic_network.output_size == 3


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            conv(neuron=DhLif(ints(2), np.array(3), 1, 1)),
            r"layer out: has gains of shape \(\) \(expected one gain a br",
        ),
        (conv(neuron=DhLif(ints(2), np.array([0, 7]), 1, 1)), r"layer out: has gains of 0 to 7 \(expected 0 to 6"),
        (conv(neuron=DhLif(ints(2), np.array([-1, 0]), 1, 1)), "layer out: has gains of -1 to 0"),
        (conv(weight=(7, 2, 3, 1)), "layer out: has 7 rows of weights for 2 branches"),
        (conv(weight=(8, 1, 3, 1), groups=2), r"layer out: has dendrites and 2 groups \(expected one group"),
        (conv(shape=(8, 7, 1)), r"layer out: says its output shape is \(8, 7, 1\) \(expected \(4, 7, 1\)"),
        (
            conv(neuron=DhLif(ints(3), ints(2), 1, 1)),
            r"layer out: has branch decays of shape \(3,\) \(expected \(2,\) or \(2, 4\)",
        ),
        (conv(neuron=DhLif(ints(4, 2), ints(2), 1, 1)), r"layer out: has branch decays of shape \(4, 2\)"),
        (conv(neuron=DhLif(ints(2), ints(2), ints(8), 1)), r"layer out: has vDecay of shape \(8,\)"),
    ],
)
def test_a_convolution_that_does_not_fit_is_refused_by_name(layer, message):
    with pytest.raises(MaestroError, match=message):
        Network((InputLayer((2, 7, 1)), layer), ("input", "out"))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (dense(5, 3), "layer out: has 5 rows of weights for 2 branches"),
        (dense(4, 2), r"layer out: has weights of shape \(4, 2\) \(expected \(branches \* neurons, 3\)"),
        (dense(4, 3, delay=ints(2)), r"layer out: has dendrites and delays \(expected neither"),
        (dense(4, 3, recurrent=ints(2, 2)), "layer out: has dendrites and recurrent weights"),
        (dense(4, 3, bias=ints(4)), r"layer out: has a bias of shape \(4,\) \(expected \(2,\)"),
    ],
)
def test_a_dense_layer_that_does_not_fit_is_refused_by_name(layer, message):
    with pytest.raises(MaestroError, match=message):
        Network((InputLayer((3,)), layer), ("input", "out"))


def draw_neuron(generator, branches, neurons, kinds):
    """Decays per branch or per branch and neuron, voltage decays one or per neuron."""
    decays = generator.integers(0, 4097, (branches, neurons) if kinds & 1 else branches)
    v_decay = generator.integers(0, 4097, neurons) if kinds & 2 and neurons > 1 else int(generator.integers(0, 4097))
    return DhLif(decays, generator.integers(0, 7, branches), v_decay, int(generator.integers(0, 200)))


def draw_network(generator, branches, channels, neurons, kinds):
    weights = [2 * generator.integers(-128, 128, shape) for shape in ((branches * channels, 2, 3, 1),)]
    weights.append(2 * generator.integers(-128, 128, (branches * neurons, 5 * channels)))
    bias = generator.integers(-4096, 4096, neurons) if kinds & 4 else None
    layers = (
        InputLayer((2, 5, 1)),
        ConvLayer(
            weights[0],
            (1, 1),
            (1, 0),
            (1, 1),
            1,
            draw_neuron(generator, branches, channels, kinds),
            (channels, 5, 1),
            bias=generator.integers(-64, 64, channels) if kinds & 8 else None,
        ),
        FlattenLayer((5 * channels,)),
        DenseLayer(weights[1], draw_neuron(generator, branches, neurons, kinds), bias=bias),
    )
    return Network(layers, ("input", "conv", "flatten", "dense"))


NETWORKS = st.builds(
    draw_network,
    st.integers(0, 2**32).map(np.random.default_rng),
    st.sampled_from([1, 2, 3, 4, 8]),
    st.integers(1, 3),
    st.integers(2, 4),
    st.integers(0, 15),
)


@settings(derandomize=True, max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=NETWORKS)
def test_a_network_comes_back_as_it_was(tmp_path, network):
    path = tmp_path / "model.net"
    netx.write(network, path)
    again = netx.read(path)
    assert again.names == network.names
    for ours, theirs in zip(network.spiking, again.spiking, strict=True):
        assert ours[0] == theirs[0]
        assert ours[1].shape == theirs[1].shape
        for field in ("weight", "bias"):
            np.testing.assert_array_equal(getattr(ours[1], field), getattr(theirs[1], field))
        for field in ("i_decay", "gain", "v_decay", "vth_mant"):
            found = getattr(theirs[1].neuron, field)
            np.testing.assert_array_equal(getattr(ours[1].neuron, field), found)
            assert np.shape(found) in ((), np.shape(getattr(ours[1].neuron, field)))
    assert netx.to_bytes(again) == path.read_bytes()


@pytest.fixture
def written(dendritic_network, tmp_path):
    path = tmp_path / "model.net"
    netx.write(dendritic_network, path)
    return path


def test_the_file_says_what_stock_lava_must_know(written, small_network):
    with h5py.File(written) as file:
        assert file.attrs["dendrites"] == "analog"
        layer = file["layer/4"]
        assert layer["weight"].shape == (12, 12)
        assert (layer["outFeatures"][()], layer["shape"][()].tolist()) == (6, [6])
        assert (file["layer/1/outChannels"][()], file["layer/1/shape"][()].tolist()) == (4, [4, 7, 1])
        assert layer["neuron/type"][()] == b"DH-LIF"
        assert sorted(layer["neuron"]) == ["gradedSpike", "refDelay", "type", "vDecay", "vThMant"]
        assert layer["dendrite/numBranches"][()] == 2
        assert layer["dendrite/iDecay"][()].tolist() == [3000, 80]
        assert layer["dendrite/gain"][()].tolist() == [0, 5]
        assert file["layer/1/dendrite/iDecay"].shape == (3, 4)
        assert file["layer/5/neuron/type"][()] == b"CUBA"
        assert "dendrite" not in file["layer/5"]
    netx.write(small_network, written)
    with h5py.File(written) as file:
        assert "dendrites" not in file.attrs


@pytest.mark.lava
@pytest.mark.slow
def test_the_stock_loader_stops_at_the_neuron(written):
    """In a process of its own: lava-dl sets up multiprocessing when it is imported."""
    program = "import sys; from lava.lib.dl.netx import hdf5; hdf5.Network(sys.argv[1])"
    result = subprocess.run([sys.executable, "-c", program, written], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.endswith("AttributeError: 'NoneType' object has no attribute 'pop'\n")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "layer/4/dendrite",
            None,
            r"layer 4 \(dense\): has DH-LIF neurons without branches \(expected a group `dendri",
        ),
        ("layer/5/dendrite/gain", [0], r"layer 5 \(dense\): has a group `dendrite` and neurons of type 'CUBA'"),
        ("layer/4/neuron/iDecay", 3, r"layer 4 \(dense\), neuron: has an iDecay beside those of its branches"),
        ("layer/4/dendrite/numBranches", None, r"layer 4 \(dense\), dendrite: has no dataset 'numBranches'"),
        ("layer/4/dendrite/numBranches", [2, 2], "has 2 values of 'numBranches'"),
        ("layer/4/dendrite/numBranches", 3, r"has 3 branches and decays of shape \(2,\) \(expected \(3,\)"),
        ("layer/4/dendrite/gain", [0, 1, 2], r"has 2 branches and gains of shape \(3,\) \(expected \(2,\)"),
        ("layer/4/dendrite/gain", [0, 0.5], "has a dataset 'gain' that is not all whole numbers"),
        ("layer/4/dendrite/gain", [0, 9], r"layer 4 \(dense\): has gains of 0 to 9 \(expected 0 to 6"),
        (
            "layer/4/dendrite/iDecay",
            np.full((2, 5), 9),
            r"has branch decays of shape \(2, 5\) \(expected \(2,\) or \(2, 6",
        ),
        ("layer/4/dendrite/iDecay", b"fast", "has a dataset 'iDecay' that is not all whole numbers"),
        ("layer/4/weight", np.ones((6, 12)), r"has weights of shape \(6, 12\) \(expected \(12, inputs\)"),
        ("layer/4/weight", np.ones(144), r"has weights of shape \(144,\) \(expected \(12, inputs\)"),
        ("layer/4/delay", np.ones(6), r"layer 4 \(dense\): has dendrites and delays"),
        ("layer/4/type", [b"dense_rec"], r"layer 4 \(dense_rec\): has dendrites and recurrent weights"),
        ("layer/1/weight", np.ones((10, 2, 3, 1)), r"layer 1 \(conv\): has 10 rows of weights for 3 branches"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_layer(written, key, value, message):
    with h5py.File(written, "a") as file:
        if key in file:
            del file[key]
        if value is not None:
            file[key] = value
    with pytest.raises(MaestroError, match=rf"model\.net, .*{message}"):
        netx.read(written)


def test_a_root_that_says_otherwise_is_refused(written, small_network):
    with h5py.File(written, "a") as file:
        file.attrs["dendrites"] = "spiking"
    with pytest.raises(
        MaestroError, match=r"model\.net, root: has an attribute 'dendrites' of 'spiking' .expected 'ana"
    ):
        netx.read(written)
    with h5py.File(written, "a") as file:
        del file.attrs["dendrites"]
    with pytest.raises(MaestroError, match=r"layer conv1: has dendrites, and the file's root no attribute 'dendrites'"):
        netx.read(written)
    netx.write(small_network, written)
    with h5py.File(written, "a") as file:
        file.attrs["dendrites"] = "analog"
    with pytest.raises(MaestroError, match=r"root: says analog dendrites, and no layer has any"):
        netx.read(written)


def test_an_input_layer_has_no_dendrites(written):
    with h5py.File(written, "a") as file:
        for group in ("neuron", "dendrite"):
            file.copy(f"layer/4/{group}", file["layer/0"])
    with pytest.raises(
        MaestroError, match=r"layer 0 \(input\): is an input layer with dendrites .expected neurons of t"
    ):
        netx.read(written)


def test_a_file_may_begin_with_a_layer_of_dendrites(written):
    with h5py.File(written, "a") as file:
        for index, source in enumerate((4, 5)):
            file.copy(f"layer/{source}", f"new/{index}")
        del file["layer"]
        file.move("new", "layer")
    network = netx.read(written)
    assert [layer.shape for layer in network.layers] == [(12,), (6,), (3,)]


def one_layer(layer, shape):
    return Network((InputLayer(shape), layer), ("input", "layer"))


def test_one_neuron_of_two_branches_by_hand():
    neuron = DhLif(np.array([4096, 2048]), np.array([0, 1]), 1024, 3)
    network = one_layer(DenseLayer(np.array([[2, 0], [0, 2]]), neuron), (2,))
    x = np.array([[1, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0]], np.uint8)
    (trace,) = reference.simulate(network, x, probes=True)
    # Branch 0 forgets at once and takes 64 a; branch 1 halves and takes 32 a. Both come one step late.
    assert trace.u[0, 0].tolist() == [0, 128, 0, 0, 0, 0]
    assert trace.u[1, 0].tolist() == [0, 64, 32, 80, 40, 20]
    # v keeps 3/4 and gains both; it fires above 192.
    assert trace.v[0].tolist() == [0, 192, 176, 0, 40, 50]
    assert trace.spikes[0].tolist() == [0, 0, 0, 1, 0, 0]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), kinds=st.integers(0, 3), inputs=st.sampled_from([3, 60, 600]))
def test_one_branch_of_gain_0_is_a_cuba_neuron(seed, kinds, inputs):
    """Bit for bit, wraps and all: 600 full weights leave the 24 bits."""
    generator = np.random.default_rng(seed)
    dendritic = draw_neuron(generator, 1, 4, kinds)
    dendritic = DhLif(dendritic.i_decay, np.array([0]), dendritic.v_decay, 40 * inputs)
    plain = Cuba(
        dendritic.i_decay[0] if kinds & 1 else int(dendritic.i_decay[0]), dendritic.v_decay, dendritic.vth_mant
    )
    weight = 2 * generator.integers(-128 if inputs < 600 else 60, 128, (4, inputs))
    x = generator.integers(0, 2, (inputs, 40))
    ours, theirs = (
        reference.simulate(one_layer(DenseLayer(weight, neuron), (inputs,)), x, probes=True)[0]
        for neuron in (dendritic, plain)
    )
    np.testing.assert_array_equal(ours.spikes, theirs.spikes)
    np.testing.assert_array_equal(ours.u[0], theirs.u)
    np.testing.assert_array_equal(ours.v, theirs.v)
    assert {wrap.register for wrap in ours.wraps} <= {"branch 0 current"}
    assert [(w.neuron, w.step) for w in ours.wraps] == [(w.neuron, w.step) for w in theirs.wraps]


def turn(value):
    """24 bits, once around."""
    if value > 1 << 23:
        return value - (1 << 24), True
    if value <= -(1 << 23):
        return value + (1 << 24), True
    return value, False


def plain_neuron(activation, i_decay, gain, v_decay, vth_mant, bias):
    """One neuron in whole numbers of Python's own, written from the equations; ``activation`` is (branch, step)."""
    u, v = [0] * len(gain), 0
    spikes, branches, voltages, wraps = [], [], [], []
    for step in range(len(activation[0])):
        for b, shift in enumerate(gain):
            raw = math.trunc(u[b] * (4096 - i_decay[b]) / 4096) + ((activation[b][step] << 6) >> shift)
            u[b], wrapped = turn(raw)
            wraps += [(step, f"branch {b} current")] * wrapped
        total, wrapped = turn(sum(u))
        wraps += [(step, "branch sum")] * wrapped
        v = math.trunc(v * (4096 - v_decay) / 4096) + total + (bias << 6)
        v = max(-(1 << 23) + 1, min((1 << 23) - 1, v))
        spikes.append(int(v > vth_mant << 6))
        v = 0 if spikes[-1] else v
        branches.append(list(u))
        voltages.append(v)
    return spikes, np.array(branches).T.tolist(), voltages, wraps


@settings(derandomize=True, max_examples=20, deadline=None)
@given(network=NETWORKS, seed=st.integers(0, 99), scale=st.sampled_from([1, 300]))
def test_layers_against_plain_python(network, seed, scale):
    """Every neuron of both kinds of layer; with weights 300 times too large branches and sums wrap."""
    x = np.random.default_rng(seed).integers(0, 2, (2, 5, 1, 25))
    for index in (1, 3):
        layer = network.layers[index]
        neuron, channels = layer.neuron, layer.shape[0]
        weight = layer.weight * scale
        stock = Cuba(0, 0, NEVER)
        if isinstance(layer, ConvLayer):
            wide = ConvLayer(weight, (1, 1), (1, 0), (1, 1), 1, neuron, layer.shape, layer.bias)
            parts = [
                ConvLayer(w, (1, 1), (1, 0), (1, 1), 1, stock, layer.shape) for w in np.split(weight, neuron.branches)
            ]
        else:
            x = np.random.default_rng(seed).integers(0, 2, (weight.shape[1], 25))
            wide = DenseLayer(weight, neuron, bias=layer.bias)
            parts = [DenseLayer(w, stock) for w in np.split(weight, neuron.branches)]
        (trace,) = reference.simulate(one_layer(wide, x.shape[:-1]), x, probes=True)
        sums = np.stack([reference.synaptic_sums(part, x) for part in parts])
        late = np.concatenate([np.zeros_like(sums[..., :1]), sums[..., :-1]], axis=-1)
        expected = []
        for number, at in enumerate(np.ndindex(layer.shape)):
            decay = neuron.i_decay if neuron.i_decay.ndim == 1 else neuron.i_decay[:, at[0]]
            v_decay = int(np.broadcast_to(neuron.v_decay, channels)[at[0]])
            bias = 0 if layer.bias is None else int(layer.bias[at[0]])
            spikes, u, v, wraps = plain_neuron(
                late[(slice(None), *at)].tolist(), decay.tolist(), neuron.gain.tolist(), v_decay, neuron.vth_mant, bias
            )
            assert trace.spikes[at].tolist() == spikes
            assert trace.u[(slice(None), *at)].tolist() == u
            assert trace.v[at].tolist() == v
            expected += [(step, number, register) for step, register in wraps]
        assert sorted((wrap.step, wrap.neuron, wrap.register) for wrap in trace.wraps) == sorted(expected)
        steps = [wrap.step for wrap in trace.wraps]
        assert steps == sorted(steps)


def test_wraps_name_the_branch_or_the_sum():
    weight = np.zeros((4, 600), np.int64)
    weight[1, :300] = weight[3, 300:] = 254
    neuron = DhLif(np.array([4096, 2048]), np.array([0, 0]), 0, NEVER)
    (trace,) = reference.simulate(one_layer(DenseLayer(weight, neuron), (600,)), np.ones((600, 4), np.uint8))
    # 300 * 254 * 64 = 4876800 fits 24 bits; twice that does not, nor what branch 1 keeps of it plus another.
    # Then it wraps to -9461... and the sum fits again.
    assert trace.wraps == (
        reference.Wrap("layer", 1, 1, "branch sum"),
        reference.Wrap("layer", 1, 2, "branch sum"),
        reference.Wrap("layer", 1, 3, "branch 1 current"),
    )


def test_the_shapes_of_a_trace(dendritic_network):
    x = np.random.default_rng(0).integers(0, 2, (2, 7, 1, 9)).astype(np.uint8)
    conv1, pool1, dense1, heads = reference.simulate(dendritic_network, x, probes=True)
    assert (conv1.u.shape, conv1.v.shape, conv1.spikes.shape) == ((3, 4, 7, 1, 9), (4, 7, 1, 9), (4, 7, 1, 9))
    assert pool1.u.shape == (4, 3, 1, 9)
    assert (dense1.u.shape, dense1.v.shape) == ((2, 6, 9), (6, 9))
    assert heads.u.shape == (3, 9)
    assert conv1.spikes.any()
    assert dense1.spikes.any()
    assert reference.simulate(dendritic_network, x)[0].u is None
    assert reference.run(dendritic_network, x[..., :0])[2].shape == (6, 0)


def test_what_the_tools_say_of_dendrites():
    assert (realisation(()), realisation(("conv1",))) == ("stock", "analog")
    assert simulator_only(("conv1",)).startswith("simulator only: conv1 has analog dendrites, which on Loihi 2 would")
