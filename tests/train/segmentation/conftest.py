"""A data set of two styles whose features say which recording and frame they are, or which style."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from train.config import load_config
from train.data.dataset import DataSet, Recording
from train.segmentation import splices

SMALL = [
    "features.clip_s=1.0",
    "features.hop_s=0.02",
    "features.mel=6",
    "task.train_clips=16",
    "task.validation_clips=8",
    "task.test_clips=8",
    "task.held_out=1",
    "task.readout_steps=8",
    "network.dense=[8]",
    "dendrites.tau_low=1",
    "dendrites.tau_high=8",
    "training.epochs=3",
    "training.batch=4",
]


@pytest.fixture
def small():
    """Overrides of a preset that trains in a moment."""
    return list(SMALL)


@pytest.fixture
def config(small):
    return load_config("segmentation", small)


@pytest.fixture
def recordings():
    """Two styles of four titles, five recordings each, and one style more; ids are numbers."""
    found = []
    for style in ("Baroque", "Classical", "Romantic"):
        for title in range(4):
            for split in ("train", "train", "validation", "test", "test_keyboards"):
                name = str(len(found))
                piece = f"{style} {title}"
                labels = {"style": style, "title": piece}
                found.append(Recording(name, f"{name}.wav", split, 3.0, piece, name, labels))
    return tuple(found)


@pytest.fixture
def numbered(monkeypatch, recordings):
    """numbered(recordings, frames=...): features of which row 0 is the recording's number and row 1 the frame's."""

    def build(chosen=recordings, frames=150, bad=(), size=6):
        def features(data, wanted, config, changes):
            assert changes == [None]
            sequences = []
            for recording in wanted:
                rows = np.zeros((size, frames), np.float32)
                rows[0], rows[1] = int(recording.id), np.arange(frames)
                sequences.append(None if recording.id in bad else rows)
            return [sequences]

        styles = tuple(sorted({recording.labels["style"] for recording in chosen if "style" in recording.labels}))
        data = DataSet("twin", Path(), tuple(chosen), {"style": styles} if styles else {})
        monkeypatch.setattr(splices, "open_dataset", lambda config: data)
        monkeypatch.setattr(splices, "changed_features", features)
        return data

    build()
    return build


@pytest.fixture
def flickering(monkeypatch, recordings):
    """Features told apart by which bands move: the lower ones in Baroque, the upper ones in Romantic."""

    def features(data, wanted, config, changes):
        size = config.features.mel
        sequences = []
        for recording in wanted:
            generator = np.random.default_rng(int(recording.id))
            rows = generator.normal(size=(size, 150)).astype(np.float32) * 0.1 - 60
            busy = slice(0, size // 2) if recording.labels["style"] == "Baroque" else slice(size // 2, size)
            rows[busy] += generator.normal(size=rows[busy].shape) * 10
            sequences.append(rows)
        return [sequences]

    data = DataSet("twin", Path(), recordings, {"style": ("Baroque", "Classical", "Romantic")})
    monkeypatch.setattr(splices, "open_dataset", lambda config: data)
    monkeypatch.setattr(splices, "changed_features", features)
    return dataclasses.replace(data)
