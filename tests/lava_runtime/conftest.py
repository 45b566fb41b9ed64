"""Networks and a tiny trained run for the tests of lava_runtime."""

import os
import shutil

import numpy as np
import pytest
import soundfile

from export import netx, pipeline
from export.graph import AverageLayer, ConvLayer, Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network
from lava_runtime import inputs, runner
from train import loop
from train.artifacts import RunFolder
from train.config import load_config

TINY = [
    "features.mfcc=6",
    "features.chroma=6",
    "features.clip_s=0.8",
    "encoding.name=level",
    "encoding.levels=4",
    "network.conv_channels=[4]",
    "network.conv_kernels=[3]",
    "network.pools=[2]",
    "network.dense=[12]",
    "lif.threshold=2.0",
    "training.batch=8",
    "training.epochs=2",
    "training.threads=1",
    "training.count_scale=1.0",
]


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


@pytest.fixture(scope="session")
def tiny():
    """Settings of a network that trains in a moment."""
    return TINY


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """One run, trained and exported once; tests work on copies."""
    return {"folder": RunFolder(tmp_path_factory.mktemp("exported") / "run"), "made": False}


@pytest.fixture
def run(exported, fake_clips, tmp_path):
    """A trained and exported run, and clips for it instead of the corpus's."""
    fake_clips(loop, inputs)
    folder = exported["folder"]
    if not exported["made"]:
        config = load_config("lif", TINY)
        loop.fit(config, folder)
        pipeline.export_run(folder, 4)
        exported["made"] = True
    shutil.copytree(folder.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


@pytest.fixture
def fake_lava(monkeypatch):
    """Lava's place taken by the reference, with a way to make it err."""
    errors = []

    class Stand(runner.ReferenceRunner):
        backend = "lava"

        def __init__(self, net, *, layers=False, patience_s=0.0, stock=False):
            super().__init__(net, layers=layers)

        def run(self, spikes, *, where="spikes"):
            result = super().run(spikes, where=where)
            for error in errors:
                error(result)
            return result

    monkeypatch.setattr(runner, "LavaRunner", Stand)
    return errors


@pytest.fixture
def sound(tmp_path):
    """Three seconds of two tones, the first of which ends half way."""
    path = tmp_path / "sound.wav"
    time_s = np.arange(3 * 16000) / 16000
    tone = np.sin(2 * np.pi * 440 * time_s) * (time_s < 1.5) + 0.3 * np.sin(2 * np.pi * 997 * time_s)
    soundfile.write(path, (0.5 * tone).astype(np.float32), 16000)
    return path
