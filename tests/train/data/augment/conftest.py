"""A data set of a few seconds, in every kind of file, and how its clips are heard."""

import dataclasses

import numpy as np
import pytest
import soundfile

from train import artifacts
from train.config import AugmentConfig, Config, FeatureConfig
from train.data.augment import renderings, windows
from train.data.dataset import DataSet, Recording

RATE_HZ = 8000


@pytest.fixture
def rate_hz():
    return RATE_HZ


@pytest.fixture
def config():
    """Clips of 16 frames, with noise, rooms and all other changes likely; no process beside."""
    return Config(
        corpus=dataclasses.replace(Config().corpus, sample_rate_hz=RATE_HZ),
        features=FeatureConfig(clip_s=0.512, hop_s=0.032, window=1024, mfcc=8, chroma=0),
        augment=AugmentConfig(
            share=0.6, reverb=0.5, pitch=0.5, tempo=0.5, rooms=2, rt60_low_s=0.15, rt60_high_s=0.2, workers=0
        ),
    )


@pytest.fixture
def music():
    """music(seed, seconds=3, rate_hz=8000): two octaves of a chord that comes and goes, peak one half."""

    def play(seed, seconds=3.0, rate_hz=RATE_HZ):
        rng = np.random.default_rng(seed)
        time_s = np.arange(round(seconds * rate_hz)) / rate_hz
        tones = np.sin(2 * np.pi * rng.uniform(200, 800, (4, 1)) * time_s + rng.uniform(0, 6, (4, 1)))
        sound = tones.sum(axis=0) * (1.2 + np.sin(2 * np.pi * 3 * time_s))
        return (0.5 * sound / np.abs(sound).max()).astype(np.float32)

    return play


@pytest.fixture
def data(tmp_path, music, monkeypatch):
    """Two recordings of three pieces for training, one of each on the other sides; nothing is kept of its files."""
    monkeypatch.setattr(artifacts, "CACHE", tmp_path / "cache")
    for found in (windows._header, renderings._kept):
        found.cache_clear()
    recordings = []
    for split, takes in (("train", 2), ("validation", 1), ("test", 1)):
        for piece in "abc":
            for take in range(takes):
                name = f"{split}-{piece}{take}"
                soundfile.write(tmp_path / f"{name}.wav", music(len(recordings)), RATE_HZ)
                recordings.append(Recording(name, f"{name}.wav", split, 3.0, piece, name, {"title": piece}))
    return DataSet("a small set", tmp_path, tuple(recordings), {"title": ("a", "b", "c")})


@pytest.fixture
def small_midi(tmp_path):
    """A4 for a second: header, one track, note on, note off after 480 ticks, end."""
    header, track = b"MThd\0\0\0\6\0\0\0\1\0\xf0", b"MTrk\0\0\0\x0d\0\x90\x45\x60\x83\x60\x80\x45\0\0\xff\x2f\0"
    path = tmp_path / "a.mid"
    path.write_bytes(header + track)
    return path
