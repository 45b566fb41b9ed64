"""Networks and a tiny trained run for the tests of lava_runtime."""

import os

import numpy as np
import pytest

from export import netx
from export.graph import AverageLayer, ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Where Python may not keep compiled files, every start of Lava compiles all of it again: keep them here."""
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        yield


def _weights(generator, *shape):
    return 2 * generator.integers(-30, 40, shape)


@pytest.fixture(scope="session")
def nets(tmp_path_factory):
    """Paths of .net files by kind; all are busy, so that a spike left over from a sample would show."""
    folder = tmp_path_factory.mktemp("nets")
    generator = np.random.default_rng(7)
    slow = Cuba(200, 100, 60)

    def dense(out, size, **extras):
        return DenseLayer(_weights(generator, out, size), slow, **extras)

    # Slow branches, whose currents a reset has to clear.
    branches = DhLif(np.array([900, 40]), np.array([0, 3]), 100, 60)

    slow_input = Cuba(4096, 100, 90)
    kinds = {
        "dense": (InputLayer((12,)), dense(16, 12), dense(14, 16), dense(9, 14)),
        "conv": (
            InputLayer((2, 6, 3)),
            ConvLayer(_weights(generator, 4, 2, 3, 2), (1, 1), (1, 0), (1, 1), 1, slow, (4, 6, 2)),
            ConvLayer(np.full((4, 1, 2, 1), 64), (2, 1), (0, 0), (1, 1), 4, Cuba(4096, 0, 96), (4, 3, 2)),
            FlattenLayer((24,)),
            dense(5, 24),
        ),
        "delay": (InputLayer((8,)), dense(7, 8, delay=np.array([0, 1, 5, 17, 31, 61, 62])), dense(5, 7)),
        "recurrent": (InputLayer((8,)), dense(7, 8, recurrent=_weights(generator, 7, 7)), dense(5, 7)),
        "bias": (InputLayer((8,)), dense(7, 8, bias=np.arange(0, 14, 2)), dense(5, 7)),
        "deep": (InputLayer((6,)), *(DenseLayer(np.full((6, 6), 64), Cuba(4096, 4096, 60)) for _ in range(9))),
        "dendrites": (
            InputLayer((2, 6, 3)),
            ConvLayer(_weights(generator, 8, 2, 3, 2), (1, 1), (1, 0), (1, 1), 1, branches, (4, 6, 2)),
            ConvLayer(np.full((4, 1, 2, 1), 64), (2, 1), (0, 0), (1, 1), 4, Cuba(4096, 0, 96), (4, 3, 2)),
            FlattenLayer((24,)),
            DenseLayer(_weights(generator, 10, 24), branches),
        ),
        "fed": (
            InputLayer((2, 6, 3), slow_input, 36, 34),
            ConvLayer(_weights(generator, 4, 2, 3, 2), (1, 1), (1, 0), (1, 1), 1, slow, (4, 6, 2)),
            FlattenLayer((48,)),
            dense(6, 48),
            AverageLayer((3,)),
        ),
        "pair": (InputLayer((3, 2, 1)), FlattenLayer((6,)), dense(4, 6)),
    }
    paths = {}
    for kind, layers in kinds.items():
        names = tuple(f"l{index}" for index in range(len(layers)))
        paths[kind] = folder / f"{kind}.net"
        netx.write(Network(layers, names), paths[kind])
    return paths


@pytest.fixture
def noise():
    """noise(shape): busy random input spikes, seeded."""

    def make(*shape, rate=0.4, seed=1):
        return (np.random.default_rng(seed).random(shape) < rate).astype(np.uint8)

    return make
