"""The reference equals Lava on networks with analog dendrites, every layer, spike for spike.

Few networks of many kinds of layers, because starting Lava is what costs. The samples follow each other without a
gap where the network lets them, so that each starts from what the one before left behind.
"""

import numpy as np
import pytest

from export import netx, reference
from export.graph import ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network, default_names

pytestmark = pytest.mark.lava
STEPS = 30


def masked(generator, branches, out, *rest, low=-30, high=38):
    """Even weights (branch * out, ...), each input on one branch of a neuron."""
    weight = 2 * generator.integers(low, high, (out, *rest))
    owner = generator.integers(0, branches, weight.shape)
    return np.concatenate([np.where(owner == branch, weight, 0) for branch in range(branches)])


def neurons(generator, branches, *channels, vth=40, v_decay=205):
    """Decays from fast to slow, one a branch or one a branch and channel."""
    i_decay = generator.integers(60, 2000, (branches, *channels))
    return DhLif(i_decay, generator.integers(0, 4, branches), v_decay, vth)


def mixed_network(generator):
    """Convolutions with stride, padding and dilation by axis, a pool, a flatten, plain layers between."""
    layers = (
        InputLayer((2, 9, 5)),
        ConvLayer(masked(generator, 3, 4, 2, 3, 2), (2, 1), (2, 1), (1, 2), 1, neurons(generator, 3, 4), (4, 6, 5)),
        ConvLayer(np.full((4, 1, 2, 1), 64), (2, 1), (0, 0), (1, 1), 4, Cuba(4096, 0, 96), (4, 3, 5)),
        ConvLayer(
            masked(generator, 2, 5, 4, 2, 3),
            (1, 2),
            (0, 1),
            (1, 1),
            1,
            neurons(generator, 2, v_decay=np.arange(100, 105)),
            (5, 2, 3),
        ),
        FlattenLayer((30,)),
        DenseLayer(masked(generator, 8, 12, 30), neurons(generator, 8, 12)),
        DenseLayer(2 * generator.integers(-30, 40, (10, 12)), Cuba(410, 205, 40)),
        DenseLayer(masked(generator, 4, 6, 10), neurons(generator, 4, vth=20)),
        DenseLayer(masked(generator, 1, 6, 6), neurons(generator, 1, vth=20, v_decay=np.arange(6) * 600)),
    )
    return Network(layers, default_names(layers))


def biased_network(generator):
    """Biases, which make Lava start afresh for each sample, decays and gains at their ends."""
    ends = DhLif(np.array([0, 4096, 1]), np.array([6, 0, 3]), 0, 60)
    layers = (
        InputLayer((2, 4, 1)),
        ConvLayer(
            masked(generator, 2, 3, 2, 3, 1),
            (1, 1),
            (1, 0),
            (1, 1),
            1,
            neurons(generator, 2),
            (3, 4, 1),
            np.array([9, -5, 0]),
        ),
        FlattenLayer((12,)),
        DenseLayer(masked(generator, 3, 8, 12), ends, np.arange(-4, 12, 2)),
        DenseLayer(masked(generator, 2, 5, 8), neurons(generator, 2, 5)),
    )
    return Network(layers, default_names(layers))


def extreme_network(generator):
    """Branch currents that wrap at 24 bits, and branches that do not but whose sum does, both ways."""
    weight = masked(generator, 4, 20, 400, low=-127, high=128)
    for rows, sign in ((slice(5), 1), (slice(5, 10), -1)):
        weight.reshape(4, 20, 400)[:, rows] = sign * np.abs(weight.reshape(4, 20, 400)[:, rows])
    layers = (
        InputLayer((400,)),
        DenseLayer(weight, DhLif(np.array([1, 1, 40, 40]), np.array([0, 1, 2, 0]), 2000, 100000)),
        DenseLayer(masked(generator, 3, 5, 20), neurons(generator, 3, vth=9)),
    )
    return Network(layers, default_names(layers))


@pytest.mark.parametrize(
    ("make", "options", "memory"),
    [(mixed_network, {"stock": True}, ""), (biased_network, {}, "layer 0 has a bias"), (extreme_network, {}, "")],
)
def test_lava_runs_the_same_spikes(make, options, memory, tmp_path):
    from lava_runtime.network import LavaNetwork

    generator = np.random.default_rng(3)
    network = make(generator)
    path = tmp_path / "model.net"
    netx.write(network, path)
    spikes = (generator.random((2 if memory else 4, *network.input_shape, STEPS)) < 0.4).astype(np.uint8)
    if make is extreme_network:
        registers = {wrap.register for wrap in reference.simulate(network, spikes[0])[0].wraps}
        assert registers >= {"branch 0 current", "branch sum"}
    with LavaNetwork(path, **options) as lava:
        assert lava.description.memory == memory
        assert lava.description.layer_shapes == tuple(layer.shape for _, layer in network.spiking)
        samples = [found for found in lava.stream(spikes) if not isinstance(found, int)]
    read = netx.read(path)
    fired = np.zeros(len(network.spiking_names), int)
    for sample, found in zip(spikes, samples, strict=True):
        for index, (ours, theirs) in enumerate(zip(reference.run(read, sample), found, strict=True)):
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{network.spiking_names[index]}")
            fired[index] += ours.sum()
    assert fired.all(), dict(zip(network.spiking_names, fired, strict=True))
