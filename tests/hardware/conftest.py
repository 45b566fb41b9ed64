"""A small experiment, small runs, and what stands in for the corpus and for cells."""

import shutil

import pytest

from train.artifacts import RunFolder, write_json
from train.config import Config, DendriteConfig, EncodingConfig, FeatureConfig, NetworkConfig, dump_config

SMALL = {
    "features": FeatureConfig(clip_s=1.0, mfcc=6, chroma=0),
    "encoding": EncodingConfig(name="level", levels=8),
}
SIZES = {"conv_channels": (3, 4), "conv_kernels": (3, 3), "pools": (2, 1), "dense": (8,)}
KINDS = {
    "lif": Config(name="lif", network=NetworkConfig(neuron="lif", **SIZES), **SMALL),
    "spiking": Config(
        name="dh_lif_spiking",
        network=NetworkConfig(neuron="dh_lif", **SIZES),
        dendrites=DendriteConfig(realisation="spiking"),
        **SMALL,
    ),
    "analog": Config(name="dh_lif", network=NetworkConfig(neuron="dh_lif", **SIZES), **SMALL),
    "ann": Config(name="ann", network=NetworkConfig(neuron="ann", **SIZES), **SMALL),
}

TINY = (
    "encoding.name=level",
    "encoding.levels=4",
    "features.mfcc=6",
    "features.chroma=6",
    "features.clip_s=0.8",
    "network.conv_channels=[4]",
    "network.conv_kernels=[3]",
    "network.pools=[2]",
    "network.dense=[8]",
    "training.batch=12",
    "training.epochs=2",
)


@pytest.fixture
def values():
    """An experiment as plain values: four models, two seeds, one noise."""
    return {
        "seeds": 2,
        "shared": list(TINY),
        "tuning": {"epochs": 1},
        "evaluation": {"noises": ["pink"], "snr_db": [10, 0], "gate_clips": 2},
        "models": {
            "ann": {"label": "ANN", "preset": "ann", "grid": ["training.learning_rate=0.005,0.01"]},
            "lif": {"label": "LIF", "preset": "lif", "grid": ["lif.threshold=2,4"]},
            "dh_all": {"preset": "dh_lif", "grid": ["dendrites.threshold=1,2"]},
            "dh_all_b2": {"preset": "dh_lif", "overrides": ["dendrites.branches=2"], "tuned_as": "dh_all"},
        },
    }


@pytest.fixture
def experiment(values):
    from hardware.experiment import parse_experiment

    return parse_experiment(values)


@pytest.fixture
def fake_corpus(fake_clips, monkeypatch):
    """Clips of four titles instead of the corpus's, clean and with noise."""
    import dataclasses

    import numpy as np

    from train import loop
    from train.data import noisy

    build = fake_clips(loop)

    def noisy_sets(config, split, conditions):
        clean = build(config)[0][split]
        generator = np.random.default_rng(5)
        found = {}
        for kind, snr_db in conditions:
            scale = np.float32(10 ** (-snr_db / 20))
            heard = [x + scale * generator.normal(size=x.shape).astype(np.float32) for x in clean.sequences]
            found[kind, snr_db] = dataclasses.replace(clean, sequences=tuple(heard))
        return found

    monkeypatch.setattr(noisy, "noisy_sets", noisy_sets)
    return build


@pytest.fixture
def fake_cell():
    """A finished cell's file, without any training: made-up accuracies that depend on model and seed."""
    import zlib

    from train.artifacts import write_json
    from train.config_checks import HEADS

    def costs(spiking):
        plain = {"neurons": 8, "states": 16, "weights_nonzero": 30, "neuron_updates": 400}
        more = {"spikes": 9.5, "syn_ops": 70.0} if spiking else {"macs_dense": 900, "macs_effective": 300.0}
        return {**plain, **more}

    def write(job, score=None):
        seed, ann = job.config.training.seed, job.config.network.neuron == "ann"
        generator_seed = zlib.crc32(f"{job.model} {seed}".encode())
        value = (generator_seed % 1000) / 1000
        entry = {head: {"accuracy": value, "correct": 1, "clips": 12, "low": 0.0, "high": 1.0} for head in HEADS}
        validation = {head: {"accuracy": value} for head in HEADS}
        cell = {
            "name": job.name,
            "key": job.key,
            "kind": job.kind,
            "model": job.model,
            "seed": seed,
            "score": value if score is None else score,
            "validation": validation,
            "epochs": 2,
            "best_epoch": 1,
            "history": [value, value],
            "rates": {},
            "parameters": 40,
            "train_s": 1.0,
            "seconds": {"wall": 2.0, "cpu": 1.5},
            "config": {},
            "provenance": {"commit": f"{'abcd' * 10} with local changes"},
        }
        if job.evaluation is not None:
            names = ["clean", *(f"{kind}_{snr_db}" for kind, snr_db in job.evaluation.conditions)]
            taus = [{"steps": 2.0 * 3**b, "ms": 64.0 * 3**b} for b in range(job.config.dendrites.branches)]
            layer = {"current": taus if job.config.network.neuron == "dh_lif" else taus[:1], "voltage": taus[:1]}
            cell |= {
                "accuracy": {split: dict.fromkeys(names, entry) for split in job.evaluation.splits},
                "costs": {**costs(not ann), "layers": {"conv1": costs(not ann)}},
                "gate": None if ann else {"clips": 2, "differing": 0},
                "time_constants": None if ann else {"before": {"conv1": layer}, "after": {"conv1": layer}},
            }
        write_json(job.file, cell)

    return write


@pytest.fixture
def in_this_process(monkeypatch):
    """Run cells here, by a function that is given, instead of in processes; returns the jobs done."""
    from hardware import compare as module
    from train.errors import MaestroError

    def install(work):
        ran = []

        def run_jobs(_work, jobs, _workers, done, failed):
            for job in jobs:
                ran.append(job.name)
                try:
                    work(job)
                except MaestroError as error:
                    failed(job, str(error))
                else:
                    done(job)

        monkeypatch.setattr(module, "run_jobs", run_jobs)
        monkeypatch.setattr(module, "prepare", lambda _: None)
        return ran

    return install


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Folders of networks, by kind; tests work on copies."""
    return tmp_path_factory.mktemp("exported"), set()


@pytest.fixture
def make_run(tmp_path, fake_clips, exported):
    """make_run(kind): an untrained network of a kind, exported but for the ANN, its layers busy enough to compare."""
    import torch

    from export.pipeline import export_run
    from lava_runtime import inputs
    from train.checkpoint import save_checkpoint
    from train.encoding import make_encoder
    from train.features import Normaliser
    from train.model import new_network

    build = fake_clips(inputs)

    def make(kind, folder="run"):
        here, made = exported
        if kind not in made:
            build_run(kind, RunFolder(here / kind))
            made.add(kind)
        shutil.copytree(here / kind, tmp_path / folder)
        return RunFolder(tmp_path / folder)

    def build_run(kind, run):
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
        write_json(run.metrics, {"final": {}})
        if kind != "ann":
            export_run(run, 2)

    return make
