"""Recordings of noise, and a store of their own."""

import numpy as np
import pytest
import soundfile

from train import artifacts
from train.config import Config, DataConfig, FeatureConfig
from train.data.dataset import DataSet, Recording
from train.data.store import contents, making

RATE_HZ = 16000


@pytest.fixture
def config():
    return Config(data=DataConfig(source="folder", root="x"), features=FeatureConfig(clip_s=0.5))


@pytest.fixture
def skipping():
    return Config(data=DataConfig(source="folder", root="x", skip_bad=True), features=FeatureConfig(clip_s=0.5))


@pytest.fixture
def make_set(tmp_path, monkeypatch):
    """make_set(seconds...): a data set of noise, sides in turn, and a cache folder of its own."""
    monkeypatch.setattr(artifacts, "CACHE", tmp_path / "cache")
    # Files that were just written are taken for old ones, which are not read again to be known.
    monkeypatch.setattr(contents, "_RACY_NS", 0)

    def make(*seconds, rate_hz=RATE_HZ, name="sounds", sides=("train", "validation", "test")):
        folder = tmp_path / name
        folder.mkdir()
        recordings = []
        for number, duration_s in enumerate(seconds):
            noise = 0.1 * np.random.default_rng(number).standard_normal(round(duration_s * rate_hz))
            soundfile.write(folder / f"{number}.wav", noise, rate_hz)
            entry = Recording(
                id=f"r{number}",
                file=f"{number}.wav",
                split=sides[number % len(sides)],
                duration_s=duration_s,
                piece=f"piece {number}",
                group=f"r{number}",
                labels={"title": "ab"[number // len(sides) % 2]},
            )
            recordings.append(entry)
        return DataSet(name, folder, tuple(recordings), {"title": ("a", "b")})

    return make


@pytest.fixture
def computed(monkeypatch):
    """Jobs that were handed to processes since, by recording."""
    jobs = []
    real = making.in_parallel

    def counting(work, chosen, *arguments, **options):
        done = real(work, chosen, *arguments, **options)
        jobs.extend(job.recording.id for job, made in zip(chosen, done, strict=True) if made.computed)
        return done

    monkeypatch.setattr(making, "in_parallel", counting)
    return jobs
