"""A small experiment on made-up recordings, its cells done in this process."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from train.data.dataset import DataSet, Recording

SHARED = [
    "features.clip_s=1.0",
    "features.hop_s=0.02",
    "features.mel=6",
    "task.train_clips=16",
    "task.validation_clips=8",
    "task.test_clips=8",
    "task.held_out=1",
    "task.readout_steps=8",
    "network.dense=[8]",
    "training.epochs=2",
    "training.batch=4",
]


@pytest.fixture
def values():
    """The experiment as plain values: two models, two seeds."""
    return {
        "name": "segmentation",
        "seeds": 2,
        "head": "style",
        "baselines": ["lif"],
        "shared": list(SHARED),
        "tuning": {"epochs": 1},
        "evaluation": {"splits": ["test"], "noises": [], "snr_db": [], "gate_clips": 2},
        "models": {
            "lif": {
                "label": "LIF",
                "preset": "segmentation",
                "overrides": ["network.neuron=lif"],
                "grid": ["lif.current_decay=0.2,0.6"],
            },
            "dh_lif": {"label": "DH-LIF", "preset": "segmentation", "grid": ["dendrites.tau_high=4,8"]},
        },
    }


@pytest.fixture
def made_up(monkeypatch):
    """Recordings of two styles, told apart by which bands move."""
    from train.segmentation import splices

    recordings = tuple(
        Recording(f"{style}{title}{split}", "", split, 3.0, f"{style} {title}", f"{split}{title}", {"style": style})
        for style in ("Baroque", "Romantic")
        for title in range(3)
        for split in ("train", "validation", "test")
    )
    data = DataSet("made up", Path(), recordings, {"style": ("Baroque", "Romantic")})

    def features(data, wanted, config, changes):
        sequences = []
        for number, recording in enumerate(wanted):
            generator = np.random.default_rng(number)
            rows = generator.normal(-60, 0.1, (6, 150)).astype(np.float32)
            busy = slice(0, 3) if recording.labels["style"] == "Baroque" else slice(3, 6)
            rows[busy] += generator.normal(0, 10, (3, 150)).astype(np.float32)
            sequences.append(rows)
        return [sequences]

    monkeypatch.setattr(splices, "open_dataset", lambda config: data)
    monkeypatch.setattr(splices, "changed_features", features)
    return data


@pytest.fixture
def here(monkeypatch):
    """Do jobs in this process; gives the names of those that were done."""
    from hardware import compare

    names = []

    def run_jobs(work, jobs, workers, done, failed):
        module, _, name = work.partition(":")
        function = getattr(importlib.import_module(module), name)
        for job in jobs:
            names.append(job.name)
            function(job)
            done(job)

    monkeypatch.setattr(compare, "run_jobs", run_jobs)
    return names
