"""The simulator against hand-computed steps, a real chip's trace, and a neuron written out in plain Python."""

import math

import numpy as np
import pytest

from export import netx, reference
from export.graph import AverageLayer, ConvLayer, Cuba, DenseLayer, InputLayer, Network
from train.errors import MaestroError


def one_layer(layer, shape):
    return Network((InputLayer(shape), layer), ("input", "layer"))


def test_one_neuron_by_hand():
    network = one_layer(DenseLayer(np.array([[2]]), Cuba(2048, 1024, 3)), (1,))
    (trace,) = reference.simulate(network, np.array([[1, 0, 1, 0, 0, 0]], np.uint8), probes=True)
    # a arrives one step late: 0 2 0 2 0 0; u halves and gains 64 a; v keeps 3/4 and gains u; fires above 192.
    assert trace.u[0].tolist() == [0, 128, 64, 160, 80, 40]
    assert trace.v[0].tolist() == [0, 128, 160, 0, 80, 100]
    assert trace.spikes[0].tolist() == [0, 0, 0, 1, 0, 0]


def test_delays_bias_and_recurrence_by_hand():
    cuba = Cuba(4096, 4096, 1)
    x = np.array([[1, 0, 0, 0, 0, 0]], np.uint8)
    late = one_layer(DenseLayer(np.array([[2], [2]]), cuba, delay=np.array([0, 3])), (1,))
    assert reference.run(late, x)[0].tolist() == [[0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]]
    per_synapse = one_layer(DenseLayer(np.array([[2]]), cuba, delay=np.array([[9]])), (1,))
    assert not reference.run(per_synapse, x)[0].any()
    biased = one_layer(DenseLayer(np.array([[2]]), cuba, bias=np.array([2])), (1,))
    assert reference.run(biased, x)[0].tolist() == [[1] * 6]
    echo = one_layer(DenseLayer(np.array([[2]]), cuba, recurrent=np.array([[2]])), (1,))
    assert reference.run(echo, x)[0].tolist() == [[0, 1, 1, 1, 1, 1]]


def test_input_neurons_take_their_input_as_bias():
    neuron = Cuba(4096, 0, 3)
    network = Network(
        (InputLayer((1,), neuron, weight=1), DenseLayer(np.array([[2]]), Cuba(4096, 4096, 1))), ("in", "out")
    )
    spikes = reference.run(network, np.array([[2, 2, -1, 1, 5, 0]]))
    # v in units of 64: 2, 4 (fires above 3), -1, 0, 5 (fires), 0; no step of delay.
    assert spikes[0].tolist() == [[0, 1, 0, 0, 1, 0]]
    assert spikes[1].tolist() == [[0, 0, 1, 0, 0, 1]]


def test_input_neurons_transform_their_input():
    x = np.array([[0, 1, -1, 2, 0, 0]])
    (transformed,) = reference.simulate(
        Network((InputLayer((1,), Cuba(4096, 0, 300), weight=36, offset=34),), ("in",)), x, probes=True
    )
    # Mantissas 34, 70, -2, 106, 34, 34; v in units of 64 is their sum: 34, 104, 102, 208, 242, 276.
    assert (transformed.v[0] // 64).tolist() == [34, 104, 102, 208, 242, 276]
    (plain,) = reference.simulate(Network((InputLayer((1,), Cuba(4096, 4096, 300)),), ("in",)), x, probes=True)
    assert (plain.v[0] // 64).tolist() == [0, 64, -64, 128, 0, 0]


def test_inputs_beyond_what_lava_holds_are_refused():
    network = Network((InputLayer((2,), Cuba(4096, 0, 3), weight=-2, offset=1),), ("in",))
    reference.run(network, np.array([[16384, -16383]] * 2))
    with pytest.raises(
        MaestroError, match=r"input: times -2 plus 1 gives its neurons biases of -32769 to 1 .expected -32768 to 32767"
    ):
        reference.run(network, np.array([[0, 16385]] * 2))
    with pytest.raises(MaestroError, match="input: times -2 plus 1"):
        reference.run(network, np.array([[0, -(1 << 62)]] * 2))


def test_an_average_reads_out_groups_of_neurons():
    weight = np.array([[2], [0], [2], [2]])
    layers = (InputLayer((1,)), DenseLayer(weight, Cuba(4096, 4096, 1)), AverageLayer((2,)))
    network = Network(layers, ("input", "dense", "average"))
    (output,) = reference.run(network, np.array([[1, 0, 1]], np.uint8))
    assert output.tolist() == [[0, 1, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert reference.readout(network, output).tolist() == [[0, 1, 0], [0, 2, 0]]
    with pytest.raises(MaestroError, match="network: has no average layer to read out"):
        reference.readout(one_layer(layers[1], (1,)), output)


@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_is_the_sum_it_says(groups):
    generator = np.random.default_rng(1)
    weight = generator.integers(-9, 9, (4, 4 // groups, 3, 2))
    layer = ConvLayer(weight, (2, 1), (1, 2), (2, 1), groups, Cuba(1, 1, 1), (4, 3, 8))
    x = generator.integers(0, 2, (4, 7, 5, 3))
    sums = reference.synaptic_sums(layer, x)
    padded = np.pad(x, ((0, 0), (1, 1), (2, 2), (0, 0)))
    for out, row, column in np.ndindex(4, 3, 8):
        first = out // (4 // groups) * (4 // groups)
        window = padded[first : first + 4 // groups, 2 * row : 2 * row + 5 : 2, column : column + 2]
        expected = np.einsum("chw,chwt->t", weight[out], window)
        np.testing.assert_array_equal(sums[out, row, column], expected)


def test_the_trace_of_a_real_loihi_2(shared):
    lava = np.loadtxt(shared / "loihi2_lif_trace" / "lava_cpu.csv", delimiter=",")
    chip = np.loadtxt(shared / "loihi2_lif_trace" / "loihi2.csv", delimiter=",")
    # Register units as the data's README gives them; iDecay is du + 1.
    network = one_layer(DenseLayer(np.array([[10]]), Cuba(4096, 163, 25)), (1,))
    (trace,) = reference.simulate(network, chip[:, 0].astype(np.uint8)[np.newaxis], probes=True)
    assert np.flatnonzero(trace.spikes[0]).tolist() == [461, 511, 711, 761]
    assert np.flatnonzero(chip[:, 2]).tolist() == [461, 511, 711, 761]
    np.testing.assert_array_equal(trace.v[0], lava[:, 1])


@pytest.mark.parametrize(("name", "inputs", "sizes"), [("oxford", 200, (256, 200)), ("mnist", 784, (128, 64, 10))])
def test_networks_of_the_tutorials_load_and_run(shared, name, inputs, sizes):
    network = netx.read(shared / "netx" / f"{name}.net")
    assert network.input_shape == (inputs,)
    spikes = (np.random.default_rng(0).random((inputs, 40)) < 0.1).astype(np.uint8)
    layers = reference.run(network, spikes)
    assert [layer.shape for layer in layers] == [(size, 40) for size in sizes]
    assert layers[0].any()


def plain_neuron(activation, i_decay, v_decay, vth_mant, bias=0):
    """One neuron in whole numbers of Python's own, written from the equations."""
    u = v = 0
    spikes = []
    for a in activation:
        u = math.trunc(u * (4096 - i_decay) / 4096) + (a << 6)
        if u > 1 << 23:
            u -= 1 << 24
        elif u <= -(1 << 23):
            u += 1 << 24
        v = math.trunc(v * (4096 - v_decay) / 4096) + u + (bias << 6)
        v = max(-(1 << 23) + 1, min((1 << 23) - 1, v))
        spikes.append(int(v > vth_mant << 6))
        v = 0 if spikes[-1] else v
    return spikes


@pytest.mark.parametrize(
    ("i_decay", "v_decay", "vth"), [(0, 0, 900), (410, 205, 64), (4096, 4096, 3), (1, 4095, 131071)]
)
def test_a_layer_against_plain_python(i_decay, v_decay, vth):
    generator = np.random.default_rng(i_decay + v_decay)
    weight = 2 * generator.integers(-128, 128, (3, 40))
    x = (generator.random((40, 300)) < 0.5).astype(np.uint8)
    network = one_layer(DenseLayer(weight, Cuba(i_decay, v_decay, vth), bias=np.array([7, 0, -7])), (40,))
    (spikes,) = reference.run(network, x)
    for neuron, bias in enumerate((7, 0, -7)):
        late = np.concatenate([[0], (weight[neuron] @ x)[:-1]]).tolist()
        assert spikes[neuron].tolist() == plain_neuron(late, i_decay, v_decay, vth, bias)


def test_wraps_are_reported_by_layer_neuron_and_step():
    weight = np.zeros((2, 600), np.int64)
    weight[1] = 254
    network = one_layer(DenseLayer(weight, Cuba(0, 0, 131071)), (600,))
    (trace,) = reference.simulate(network, np.ones((600, 4), np.uint8), probes=True)
    # 600 * 254 * 64 = 9753600 is beyond 2^23 at once.
    assert trace.wraps[0] == reference.Wrap("layer", 1, 1)
    assert trace.u[1, 1] == 9753600 - (1 << 24)


def test_a_voltage_is_held_at_its_lowest_and_that_is_told():
    # A current of -64 * 254 * 40 a step: the voltage falls by that each step, and 12.9 steps reach its lowest.
    network = one_layer(DenseLayer(np.full((1, 40), -254), Cuba(4096, 0, 3)), (40,))
    (trace,) = reference.simulate(network, np.ones((40, 20), np.uint8), probes=True)
    assert trace.v[0, 12:14].tolist() == [-12 * 64 * 254 * 40, 1 - 2**23]
    assert [floor.step for floor in trace.floors] == list(range(13, 20))
    assert trace.floors[0] == reference.Wrap("layer", 0, 13, "voltage")
    assert not trace.wraps


def test_input_that_does_not_fit_is_refused(tiny_network):
    with pytest.raises(MaestroError, match=r"input spikes: have shape \(4, 9\) \(expected \(3, 'time'\)"):
        reference.run(tiny_network, np.zeros((4, 9), np.uint8))
    with pytest.raises(MaestroError, match=r"are of type float64 .expected whole numbers"):
        reference.run(tiny_network, np.zeros((3, 9)))
    with pytest.raises(MaestroError, match=r"lie in 0 to 2 .expected 0 or 1"):
        reference.run(tiny_network, np.full((3, 9), 2) * np.arange(9).clip(0, 1))


def test_no_steps_give_no_spikes(tiny_network):
    assert [layer.shape for layer in reference.run(tiny_network, np.zeros((3, 0), np.uint8))] == [(4, 0), (2, 0)]
