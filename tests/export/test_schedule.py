import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import fixed_point, reference
from export.graph import ConvLayer, Cuba, DenseLayer, FlattenLayer, InputLayer, Network
from export.schedule import SLACK_MIN, outlives_reset, require_streamable, schedule
from train.errors import CallError, MaestroError


def network(seed, sizes=(6, 9, 7, 5), **extra):
    """Dense layers that fire much and forget slowly, so that what is left of a sample would show in the next."""
    rng = np.random.default_rng(seed)
    layers = [InputLayer((sizes[0],))]
    for before, after in itertools.pairwise(sizes):
        weight = 2 * rng.integers(-15, 40, (after, before))
        layers.append(DenseLayer(weight, Cuba(int(rng.integers(20, 400)), int(rng.integers(5, 200)), 60), **extra))
        extra = {}
    return Network(tuple(layers), ("input", *(f"dense{index}" for index in range(1, len(layers)))))


def stream(net, spikes, plan, delay):
    """A run of all samples as Lava's simulator steps it, the input being ``delay`` steps late.

    A layer sums what came a step ago; LIFReset zeroes its state before it takes the sum in (lava-nc
    proc/lif/models.py, PyLifResetModelBitAcc; lava-dl netx/hdf5.py numbers the offsets).
    """
    samples, places, _ = spikes.shape
    total = plan.total(samples) + delay + 4
    line = np.zeros((places, total), np.int64)
    for sample in range(samples):
        first = sample * plan.period + delay
        line[:, first : first + plan.steps] = spikes[sample]
    heard = line
    recorded = {}
    for index, (name, layer) in enumerate(net.spiking):
        u, v = np.zeros((2, *layer.shape), np.int64)
        buffered = np.zeros(layer.shape, np.int64)
        sent = np.zeros((*layer.shape, total), np.int64)
        for step in range(total):
            if (step + 1 - plan.reset_offset - index - 1) % plan.period == 0:
                u, v = u * 0, v * 0
            current = fixed_point.next_current(u, buffered, layer.neuron.i_decay)
            u = fixed_point.wrap(current)
            v = fixed_point.next_voltage(v, u, 0, layer.neuron.v_decay)
            fired = fixed_point.fire(v, fixed_point.scale_threshold(layer.neuron.vth_mant))
            v = fixed_point.reset(v, fired)
            sent[:, step] = fired
            buffered = layer.weight @ heard[:, step]
        recorded[name] = sent
        heard = sent
    return recorded


def differing(net, spikes, plan, delay):
    recorded = stream(net, spikes, plan, delay)
    count = 0
    for sample in range(len(spikes)):
        wanted = reference.run(net, spikes[sample])
        for (name, _), layer in zip(net.spiking, wanted, strict=True):
            first = sample * plan.period + delay
            count += np.count_nonzero(recorded[name][..., first : first + plan.steps] != layer)
    return count


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 50), st.integers(0, 3), st.integers(0, 2**32 - 1), st.data())
def test_samples_in_a_stream_are_as_alone_wherever_within_the_slack_they_arrive(steps, nominal, seed, data):
    plan = schedule(steps, 3, input_delay=nominal)
    delay = nominal + data.draw(st.integers(max(-nominal, -plan.slack), plan.slack))
    rng = np.random.default_rng(seed)
    net = network(seed)
    spikes = (rng.random((3, 6, steps)) < 0.4).astype(np.uint8)
    assert differing(net, spikes, plan, delay) == 0


def test_the_ends_of_the_slack():
    plan = schedule(21, 3, input_delay=6)
    assert (plan.period, plan.gap, plan.slack) == (32, 11, 4)
    spikes = np.ones((3, 6, 21), np.uint8)
    net = network(5)
    wrong = [delay for delay in range(13) if differing(net, spikes, plan, delay)]
    assert wrong == [0, 1, 11, 12]


@pytest.mark.parametrize(
    ("steps", "latency", "period"), [(1, 1, 16), (7, 1, 16), (8, 1, 32), (94, 6, 128), (114, 6, 128), (115, 6, 256)]
)
def test_the_period_is_the_least_power_of_two_that_leaves_the_slack(steps, latency, period):
    plan = schedule(steps, latency, input_delay=2)
    assert plan.period == period
    assert plan.slack >= SLACK_MIN
    assert plan.as_dict() == {
        "steps": steps,
        "latency": latency,
        "period": period,
        "input_delay": 2,
        "reset_offset": plan.reset_offset,
        "gap": period - steps,
        "slack": plan.slack,
    }
    assert 0 <= plan.reset_offset < period


def test_a_run_is_long_enough_for_the_last_sample():
    plan = schedule(94, 6, input_delay=2)
    assert plan.total(3) >= 2 * plan.period + 94 + 2 + plan.slack


def test_a_period_that_is_no_power_of_two():
    with pytest.raises(CallError, match="period 100: is no power of two, and the chip resets at no other interval"):
        schedule(50, 3, period=100)
    with pytest.raises(CallError, match="period 0: is no power of two"):
        schedule(50, 3, period=0)


def test_a_period_without_a_gap():
    text = r"period 64: leaves 4 steps after a sample of 60, for a latency of 3 \(expected at least 71\). Use 128"
    with pytest.raises(CallError, match=text):
        schedule(60, 3, period=64)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({}, ""),
        ({"bias": np.array([0, 1] + [0] * 7)}, "dense1 has a bias"),
        ({"bias": np.zeros(9, np.int64)}, ""),
        ({"delay": np.arange(9)}, "dense1 has delays"),
        ({"delay": np.zeros(9, np.int64)}, ""),
        ({"recurrent": np.eye(9, dtype=np.int64)}, "dense1 is recurrent"),
    ],
)
def test_what_outlives_a_reset(extra, words):
    net = network(1, **extra)
    assert outlives_reset(net) == words
    if not words:
        require_streamable(net, "model.net")
        return
    with pytest.raises(MaestroError, match=f"model.net: {words}: it outlives the reset between two samples. Train it"):
        require_streamable(net, "model.net")


def test_input_neurons_outlive_a_reset():
    cuba = Cuba(4096, 100, 50)
    conv = ConvLayer(np.ones((1, 1, 1, 1), np.int64), (1, 1), (0, 0), (1, 1), 1, cuba, (1, 2, 1))
    layers = (InputLayer((1, 2, 1), cuba), conv, FlattenLayer((2,)))
    assert (
        outlives_reset(Network(layers, ("input", "conv1", "flatten1")))
        == "input has neurons that are driven by their bias"
    )
    biased = ConvLayer(conv.weight, (1, 1), (0, 0), (1, 1), 1, cuba, (1, 2, 1), np.array([3]))
    assert outlives_reset(Network((InputLayer((1, 2, 1)), biased), ("input", "conv1"))) == "conv1 has a bias"
