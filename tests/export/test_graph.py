"""Networks say what they are, and refuse layers that do not fit, by name."""

import numpy as np
import pytest

from export.graph import AverageLayer, ConvLayer, Cuba, DenseLayer, FlattenLayer, InputLayer, Network, default_names
from train.errors import MaestroError

CUBA = Cuba(410, 205, 16)


def conv(shape=(4, 7, 1), groups=1, weight=(4, 2, 3, 1), stride=(1, 1), **options):
    return ConvLayer(
        np.ones(weight, np.int64), stride, (1, 0), (1, 1), groups, options.pop("neuron", CUBA), shape, **options
    )


def dense(out, inputs, **options):
    return DenseLayer(np.ones((out, inputs), np.int64), options.pop("neuron", CUBA), **options)


def test_a_network_knows_its_shapes_and_latency(small_network):
    assert small_network.input_shape == (2, 7, 1)
    assert small_network.output_size == 3
    assert small_network.latency == 5
    assert small_network.spiking_names == ("conv1", "pool1", "late", "biased", "recurrent")
    assert default_names(small_network.layers) == ("input", "conv1", "conv2", "flatten1", "dense1", "dense2", "dense3")


def test_input_neurons_add_no_latency():
    network = Network((InputLayer((3,), CUBA), dense(2, 3)), ("input", "out"))
    assert network.latency == 1
    assert network.spiking_names == ("input", "out")


def test_an_average_reads_out_and_has_no_neurons():
    layers = (InputLayer((3,)), dense(6, 3), AverageLayer((2,)))
    network = Network(layers, ("input", "out", "average"))
    assert network.readout is layers[2]
    assert network.spiking_names == ("out",)
    assert (network.latency, network.output_size) == (1, 6)
    assert default_names(layers) == ("input", "dense1", "average1")
    assert Network(layers[:2], ("input", "out")).readout is None


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((dense(6, 3), AverageLayer((4,))), r"layer last: averages 6 neurons in groups \(4,\) .expected groups of one"),
        ((dense(6, 3), AverageLayer((0,))), r"layer last: averages 6 neurons in groups \(0,\)"),
        (
            (AverageLayer((3,)), dense(2, 3)),
            r"layer first: averages before layer last .expected an average as the last",
        ),
    ],
)
def test_an_average_that_does_not_fit_is_refused_by_name(layers, message):
    with pytest.raises(MaestroError, match=message):
        Network((InputLayer((3,)), *layers), ("input", "first", "last"))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (dense(3, 4), r"layer second: is dense on an input of shape \(2, 7, 1\) \(expected a flatten layer before it"),
        (FlattenLayer((13,)), r"layer second: flattens \(2, 7, 1\) into \(13,\)"),
        (InputLayer((3,)), "layer second: is a second input"),
        (InputLayer((2, 7, 1)), "layer second: is a second input"),
        (conv(weight=(4, 2, 3)), "layer second: has weights of shape .* four axes"),
        (conv(weight=(4, 3, 3, 1)), "layer second: has weights of shape .* for 2 channels"),
        (conv(groups=3), "layer second: has weights of shape .* in 3 groups"),
        (conv(stride=(0, 1)), r"layer second: has stride \(0, 1\)"),
        (conv(shape=(4, 6, 1)), r"layer second: says its output shape is \(4, 6, 1\) \(expected \(4, 7, 1\)"),
        (conv(neuron=Cuba(np.array([1, 2]), 205, 16)), r"layer second: has iDecay of shape \(2,\)"),
        (conv(neuron=Cuba(1, np.array([1, 2]), 16)), r"layer second: has vDecay of shape \(2,\)"),
        (conv(bias=np.zeros(3, np.int64)), r"layer second: has a bias of shape \(3,\)"),
    ],
)
def test_a_layer_that_does_not_fit_is_refused_by_name(layer, message):
    with pytest.raises(MaestroError, match=message):
        Network((InputLayer((2, 7, 1)), layer, dense(3, 4)), ("input", "second", "third"))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (conv(), r"layer out: is a convolution of an input of shape \(3,\)"),
        (dense(2, 4), r"layer out: has weights of shape \(2, 4\) \(expected \(neurons, 3\)"),
        (dense(2, 3, recurrent=np.ones((2, 3), np.int64)), "layer out: has recurrent weights of shape"),
        (dense(2, 3, delay=np.ones(3, np.int64)), "layer out: has delays of shape"),
        (
            dense(2, 3, delay=np.ones(2, np.int64), recurrent=np.ones((2, 2), np.int64)),
            "layer out: is recurrent and has delays",
        ),
    ],
)
def test_a_dense_layer_that_does_not_fit_is_refused_by_name(layer, message):
    with pytest.raises(MaestroError, match=message):
        Network((InputLayer((3,)), layer), ("input", "out"))


def test_a_network_needs_input_neurons_and_distinct_names():
    with pytest.raises(MaestroError, match="does not begin with an input layer"):
        Network((dense(2, 3),), ("out",))
    with pytest.raises(MaestroError, match="has no layer with neurons"):
        Network((InputLayer((3,)),), ("input",))
    with pytest.raises(MaestroError, match="has 2 layers and names"):
        Network((InputLayer((3,)), dense(2, 3)), ("same", "same"))
