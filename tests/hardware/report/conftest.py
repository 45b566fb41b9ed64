"""Small exported runs with a measurement.json whose numbers are made up, and pages of them."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from train.artifacts import RunFolder, write_json
from train.config import Config, EncodingConfig, FeatureConfig, NetworkConfig, dump_config
from train.errors import MaestroError

SMALL = {
    "features": FeatureConfig(clip_s=1.0, mfcc=6, chroma=0),
    "encoding": EncodingConfig(name="level", levels=8),
}
SIZES = {"conv_channels": (3, 4), "conv_kernels": (3, 3), "pools": (2, 1), "dense": (8,)}
KINDS = {
    kind: Config(name=kind, network=NetworkConfig(neuron=kind, **SIZES), **SMALL) for kind in ("lif", "dh_lif", "ann")
}

# Networks exported once, by kind, and pages made once, by name.
MADE_RUNS, PAGES = {}, {}


@pytest.fixture
def no_corpus(monkeypatch, fake_clips):
    """Clips of four titles instead of the corpus's, and no sound."""
    from lava_runtime import inputs
    from train.data import corpus

    def refuse(*_):
        raise MaestroError("corpus", "is not built in tests")

    monkeypatch.setattr(corpus, "build_corpus", refuse)
    return fake_clips(inputs)


@pytest.fixture(scope="session")
def made_up():
    """The module that makes measurements up."""
    spec = importlib.util.spec_from_file_location("made_up", Path(__file__).with_name("made_up.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_run(tmp_path, tmp_path_factory, no_corpus, made_up):
    """make_run(kind, name): a measured run, its network untrained and its numbers made up."""

    def make(kind="lif", name=None):
        if kind not in MADE_RUNS:
            folder = RunFolder(tmp_path_factory.mktemp("made") / kind)
            folder.path.mkdir()
            build_run(kind, folder, no_corpus)
            MADE_RUNS[kind] = folder.path
        run = RunFolder(tmp_path / (name or kind))
        shutil.copytree(MADE_RUNS[kind], run.path)
        write_json(run.measurement, made_up.build_measurement(run, kind))
        return run

    return make


def build_run(kind, run, build):
    import torch

    from export.pipeline import export_run
    from train.checkpoint import save_checkpoint
    from train.encoding import make_encoder
    from train.features import Normaliser
    from train.model import new_network

    config = KINDS[kind]
    sets, labels = build(config)
    torch.manual_seed(0)
    network = new_network(config, make_encoder(config.encoding), sum(map(len, labels.values())))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1 and parameter.requires_grad:
                parameter.mul_(4)
    values = {
        "config": dump_config(config),
        "state": network.state_dict(),
        "normaliser": Normaliser.fit(list(sets["train"].sequences)).to_dict(),
        "labels": {head: list(names) for head, names in labels.items()},
        "epoch": 1,
    }
    save_checkpoint(run.checkpoint, values)
    run.config.write_text(dump_config(config))
    write_json(run.metrics, {"provenance": {"versions": {"torch": "2.3.1"}}})
    if kind != "ann":
        export_run(run, 2)


@pytest.fixture
def change():
    """change(run, edit): edit a run's measurement.json as plain data."""

    def apply(run, edit):
        content = json.loads(run.measurement.read_text())
        edit(content)
        write_json(run.measurement, content)

    return apply


@pytest.fixture
def page(make_run):
    """page(kinds): the page of runs of some kinds, made once."""
    from hardware.report.page import render

    def make(*kinds):
        if kinds not in PAGES:
            PAGES[kinds] = render([make_run(kind, f"page-{kind}").path for kind in kinds])
        return PAGES[kinds]

    return make


@pytest.fixture
def section():
    """section(page, id): a section's HTML."""

    def cut(text, name):
        start = text.index(f'<section id="{name}"')
        return text[start : text.index("</section>", start)]

    return cut


@pytest.fixture
def made(made_up):
    """made(value, unit, low, high): a number as plain data."""
    return made_up.quantity
