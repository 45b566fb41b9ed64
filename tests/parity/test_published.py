"""Networks that others published, with traces that others recorded: nobody here wrote either.

lava-dl's wheel ships them among its own tests: N-TIDIGITS with what SLAYER gave, a tiny network fed through input
neurons, and PilotNet with states read from a Loihi 2 (its voltage register reads 128 where a neuron fired). The wheel's
test_hdf5.py and test_hdf5_nx.py say how they belong to their networks. Networks without traces run against Lava.
"""

from dataclasses import dataclass, replace
from importlib import metadata
from itertools import pairwise

import numpy as np
import pytest

from export import netx, reference
from export.graph import ConvLayer, FlattenLayer, InputLayer, Network
from lava_runtime.engine.engine import Engine

# Steps between two resets in the published runs of tinynet and PilotNet.
PERIOD = 17
# A voltage register of Loihi 2 after a spike, in the state's units.
FIRED = 128
PILOTNET = ("conv-0", "conv-1", "conv-2", "conv-3", "conv-4", "fc-0", "fc-1", "fc-2", "fc-3")


@dataclass(frozen=True)
class Trace:
    """What a layer did, each of shape (layer shape, time); ``v`` after its reset."""

    spikes: np.ndarray
    u: np.ndarray
    v: np.ndarray


def reference_traces(network, spikes):
    return [Trace(layer.spikes, layer.u, layer.v) for layer in reference.simulate(network, spikes, probes=True)]


def engine_traces(network, spikes):
    engine = Engine(network)
    found = engine.run(spikes[np.newaxis], probes=engine.names).probes
    return [Trace(*(getattr(found[name], key)[0] for key in ("spikes", "u", "v"))) for name in engine.names]


BACKENDS = {"reference": reference_traces, "engine": engine_traces}


@pytest.fixture(params=sorted(BACKENDS))
def traces(request):
    """traces(network, spikes of one sample) -> a Trace for every layer with neurons, by every backend."""
    return BACKENDS[request.param]


@pytest.fixture(scope="session")
def published():
    """The folder of lava-dl's wheel that has the networks, and in ``gts`` their traces."""
    folder = metadata.distribution("lava-dl").locate_file("tests/lava/lib/dl/netx")
    if not (folder / "gts" / "pilotnet_lif" / "network.net").is_file():
        pytest.skip("lava-dl was installed without the networks of its tests")
    return folder


def load(folder, name):
    """A trace of PilotNet in this project's order: (width, height, channel, time) turned round."""
    found = np.load(folder / f"{name}.npy").astype(np.int64)
    return found.transpose(2, 1, 0, 3) if found.ndim == 4 else found


def plain(network):
    """The network with input neurons that take mantissas as they are: the published inputs are mantissas."""
    return Network((replace(network.input_layer, weight=1, offset=0), *network.layers[1:]), network.names)


def held(mantissas, steps):
    return np.repeat(mantissas.astype(np.int64)[..., np.newaxis], steps, axis=-1)


def bias_as_synapses(layer, shape):
    """The layer alone, its bias the weights of one more input, which can be switched on at a later step.

    An input reaches the neurons a step late and passes the current, which here forgets all at once: so a bias b on the
    voltage and a weight b of an input that fires at every step are the same, from its second step on.
    """
    assert np.all(layer.neuron.i_decay == 4096)
    if isinstance(layer, ConvLayer):
        extra = np.zeros((len(layer.weight), 1, *layer.weight.shape[2:]), np.int64)
        # The place of the kernel that lies on the input wherever the kernel does.
        extra[:, 0, layer.padding[0], layer.padding[1]] = layer.bias
        shape = (shape[0] + 1, *shape[1:])
    else:
        extra = layer.bias[:, np.newaxis]
        shape = (shape[0] + 1,)
    alone = replace(layer, weight=np.concatenate([layer.weight, extra], axis=1), bias=None)
    return Network((InputLayer(shape), alone), ("input", "layer"))


def with_resets(traces, network, mantissas, steps, period=PERIOD, early=0):
    """Every layer's trace as in the published runs: layer i is at rest before steps i, i + period, i + 2 period, ...

    So biases act from the step that brings a layer its first spikes, where a run from rest has them act at once.
    ``early`` moves the resets of all layers but the input's to steps before.
    """
    source = Network(network.layers[:1], network.names[:1])
    cuts = sorted({*range(0, steps, period), steps})
    parts = [traces(source, held(mantissas, last - first))[0] for first, last in pairwise(cuts)]
    found = [joined(parts)]
    shape = network.input_shape
    for layer in network.layers[1:]:
        if isinstance(layer, FlattenLayer):
            shape = layer.shape
            continue
        reset = len(found) - early
        before = found[-1].spikes.reshape(*shape, steps)
        # What reaches the layer at each step: what the last one sent at the step before.
        arriving = np.concatenate([np.zeros_like(before[..., :1]), before], axis=-1)
        alone = bias_as_synapses(layer, shape)
        cuts = sorted({0, *range(reset, steps, period), steps})
        parts = []
        for first, last in pairwise(cuts):
            x = arriving[..., first : last + 1]
            one = traces(alone, np.concatenate([x, np.ones_like(x[:1])]))[0]
            bias = layer.bias.reshape(-1, *[1] * len(layer.shape)) << 6
            parts.append(Trace(one.spikes[..., 1:], one.u[..., 1:] - bias, one.v[..., 1:]))
        found.append(joined(parts))
        shape = layer.shape
    return found


def joined(parts):
    return Trace(*(np.concatenate([getattr(part, key) for part in parts], axis=-1) for key in ("spikes", "u", "v")))


def test_ntidigits_gives_what_slayer_gave_through_delays_and_average(traces, published):
    network = netx.read(published / "gts" / "ntidigits" / "ntidigits.net")
    spikes = np.load(published / "gts" / "ntidigits" / "input.npy").astype(np.uint8)
    expected = np.load(published / "gts" / "ntidigits" / "output.npy").astype(np.uint8)
    assert [(layer.delay.min(), layer.delay.max()) for layer in network.layers[2:4]] == [(0, 62)] * 2
    output = traces(network, spikes.reshape(*network.input_shape, -1))[-1].spikes
    # SLAYER's output layer has a step of delay more than Lava's: the published step t is our step t - 1.
    np.testing.assert_array_equal(output[:, :-1], expected[:, 1:])
    assert not expected[:, 0].any()
    assert expected.sum() == 22572
    groups = expected.reshape(11, 22, -1).sum(axis=1)
    np.testing.assert_array_equal(reference.readout(network, output)[:, :-1], groups[:, 1:])


def test_tinynet_takes_its_input_as_bias(traces, published):
    network, folder = plain(netx.read(published / "tiny.net")), published / "gts" / "tinynet"
    (spikes, current, first, output) = (
        np.load(folder / f"{name}.npy")[0].astype(np.int64) for name in ("input", "current", "layer1", "output")
    )
    mantissas = np.load(folder / "input_bias.npy").transpose(2, 1, 0)
    fresh = traces(network, held(mantissas, 16))
    # SLAYER's input layer sends a step late, and a layer with synapses what arrives at once: so its input is a step
    # behind ours, its first layer beside ours, and its second a step ahead.
    np.testing.assert_array_equal(fresh[0].spikes[..., :-1], spikes[..., 1:])
    np.testing.assert_array_equal(fresh[1].u, current << 6)
    found = with_resets(traces, network, mantissas, 18)
    np.testing.assert_array_equal(found[1].spikes[..., 1:16], first[..., 1:])
    np.testing.assert_array_equal(found[2].spikes[..., 2:17], output[..., 1:])
    # Where a run from rest differs, and why: from step 0 in the four channels whose bias alone exceeds the threshold
    # of 25, because SLAYER has no step 0 and the wheel's test resets layer 1 after it.
    assert not first[..., 0].any()
    channels = np.flatnonzero(network.layers[1].bias > 25)
    assert np.argwhere(fresh[1].spikes[..., 0])[:, 0].tolist() == np.repeat(channels, 36).tolist()
    assert len(channels) == 4


def test_pilotnet_does_on_a_chip_what_it_does_here(traces, published):
    network = plain(netx.read(published / "gts" / "pilotnet_lif" / "network.net"))
    folder = published / "gts" / "pilotnet_lif"
    mantissas = np.load(folder / "image.npy").transpose(2, 1, 0)
    found = with_resets(traces, network, mantissas, 24)
    np.testing.assert_array_equal(found[0].spikes, load(folder, "input"))
    # The last layer's trace is of another run: see below.
    for name, layer in zip(PILOTNET[:-1], found[1:-1], strict=True):
        fired = layer.spikes.astype(bool)
        np.testing.assert_array_equal(layer.spikes, load(folder, name), err_msg=f"{name} spikes")
        np.testing.assert_array_equal(layer.u, load(folder, f"{name}-u"), err_msg=f"{name} u")
        np.testing.assert_array_equal(np.where(fired, FIRED, layer.v), load(folder, f"{name}-v"), err_msg=f"{name} v")
        assert fired.any(), name


def test_pilotnet_is_the_same_from_rest_until_its_layers_are_reset(traces, published):
    """With the biases where the file has them: layer i up to step i - 1, before the published run resets it."""
    network = plain(netx.read(published / "gts" / "pilotnet_lif" / "network.net"))
    folder = published / "gts" / "pilotnet_lif"
    found = traces(network, held(np.load(folder / "image.npy").transpose(2, 1, 0), PERIOD))
    np.testing.assert_array_equal(found[0].spikes, load(folder, "input")[..., :PERIOD])
    for steps, (name, layer) in enumerate(zip(PILOTNET[:-1], found[1:-1], strict=True), start=1):
        spikes, u, v = (load(folder, f"{name}{part}")[..., :steps] for part in ("", "-u", "-v"))
        np.testing.assert_array_equal(layer.spikes[..., :steps], spikes, err_msg=name)
        np.testing.assert_array_equal(layer.u[..., :steps], u, err_msg=name)
        np.testing.assert_array_equal(np.where(spikes, FIRED, layer.v[..., :steps]), v, err_msg=name)
    # conv-0's reset before step 1 is the first difference: the voltage loses the bias of step 0, wherever that did
    # not make the neuron fire.
    published_v, bias = load(folder, "conv-0-v")[..., 1], network.layers[1].bias[:, np.newaxis, np.newaxis] << 6
    kept = np.where(bias > 25 << 6, 0, np.sign(bias) * (np.abs(bias) * 3 >> 2))
    silent = (found[1].spikes[..., 1] == 0) & (published_v != FIRED)
    np.testing.assert_array_equal((found[1].v[..., 1] - kept)[silent], published_v[silent])


def test_pilotnet_as_the_wheel_sends_its_input_in(traces, published):
    """``input-s.npy``, which the wheel's test sends in as spikes, and the last layer are of a second run.

    Its resets come every 16 steps, and in layers with synapses a step too early: before the step that brings the first
    spikes. So what arrives then is lost: at step 8 fc-3 forgets, and the -1536 of the run above never comes.
    """
    folder = published / "gts" / "pilotnet_lif"
    network = plain(netx.read(folder / "network.net"))
    mantissas = np.load(folder / "image.npy").transpose(2, 1, 0)
    found = with_resets(traces, network, mantissas, 25, period=16, early=1)
    np.testing.assert_array_equal(found[0].spikes[..., :24], load(folder, "input-s"))
    for key in ("s", "u", "v"):
        ours = {"s": found[-1].spikes, "u": found[-1].u, "v": found[-1].v}[key]
        np.testing.assert_array_equal(ours, load(folder, f"fc-3-{key}"), err_msg=key)
    assert found[-1].v[0, [7, 8]].tolist() == [-3200, 0]


CASES = {
    # Network, where it lies, samples, steps, and the range of its inputs.
    "oxford": ("shared", "oxford.net", 2, 40, (0, 1)),
    "mnist": ("shared", "mnist.net", 2, 40, (0, 1)),
    "mnist with input neurons": ("published", "mnist.net", 2, 20, (-1, 2)),
    "tinynet": ("published", "tiny.net", 1, 20, (-1, 1)),
    "ntidigits": ("published", "gts/ntidigits/ntidigits.net", 1, 40, (0, 1)),
    "pilotnet": ("published", "gts/pilotnet_lif/network.net", 1, 18, (-1, 1)),
}


SLOW = ("ntidigits", "pilotnet")


@pytest.mark.lava
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in CASES])
def test_lava_runs_the_published_networks_the_same(name, published, shared):
    from lava_runtime.network import LavaNetwork

    where, file, samples, steps, (low, high) = CASES[name]
    path = (shared / "netx" if where == "shared" else published) / file
    network = netx.read(path)
    generator = np.random.default_rng(len(name))
    x = generator.integers(low, high + 1, (samples, *network.input_shape, steps))
    if network.input_layer.neuron is None:
        x = x * (generator.random(x.shape) < (0.02 if name == "oxford" else 0.2))
    with LavaNetwork(path) as lava:
        stream = lava.stream(x.reshape(samples, *lava.description.input_shape, steps))
        found = [layers for layers in stream if not isinstance(layers, int)]
    for sample, layers in zip(x, found, strict=True):
        for backend, traces in BACKENDS.items():
            for layer, ours, theirs in zip(network.spiking_names, traces(network, sample), layers, strict=True):
                np.testing.assert_array_equal(ours.spikes, theirs, err_msg=f"{backend}, layer {layer}")
        # The integrators at the ends of mnist and pilotnet never fire.
        assert sum(layer.any() for layer in layers) >= len(layers) - 2
