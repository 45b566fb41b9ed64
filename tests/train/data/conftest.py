"""A small corpus of three quick titles, built once, and folders of noise."""

import dataclasses

import numpy as np
import pytest
import soundfile

from train.config import CorpusConfig
from train.data.corpus import as_dataset, build_corpus
from train.data.pieces import BY_TITLE

TITLES = ("Bach: Chorale, BWV 66/6", "Mozart: Allegro, K. 545", "Josquin: Mille regrets")


@pytest.fixture(scope="session")
def small_pieces():
    return tuple(BY_TITLE[title] for title in TITLES)


@pytest.fixture(scope="session")
def small_config():
    return dataclasses.replace(CorpusConfig(), train_performances=2, performance_s=4.0)


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory, small_config, small_pieces):
    return build_corpus(small_config, tmp_path_factory.mktemp("corpus") / "small", small_pieces)


@pytest.fixture(scope="session")
def small_dataset(small_corpus):
    return as_dataset(small_corpus)


@pytest.fixture
def sound(tmp_path):
    """Write a recording of noise: sound('bach/1.wav', seconds) -> path; no two are alike."""
    count = iter(range(1000))

    def write(name, seconds=0.1):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(next(count)).uniform(-0.1, 0.1, round(8000 * seconds))
        kind = {"wav": "WAV", "aif": "AIFF"}.get(path.suffix[1:].lower(), path.suffix[1:].upper())
        soundfile.write(path, noise, 8000, format=kind)
        return path

    return write


@pytest.fixture
def two_classes(tmp_path, sound):
    """Two sub-folders of six recordings each."""
    for title in ("bach", "weber"):
        for number in range(6):
            sound(f"{title}/{number}.wav", 0.1 + 0.1 * number)
    return tmp_path


@pytest.fixture(scope="session")
def one_note():
    """A Standard MIDI File, half a second long: 480 ticks at 480 a quarter note, 120 quarter notes a minute."""
    return bytes.fromhex("4d546864 00000006 0000 0001 01e0 4d54726b 0000000d 00903c40 8360803c00 00ff2f00")


@pytest.fixture
def index(tmp_path):
    """Write an index: index('file,mood', 'a.wav,sad', ...) -> its path as text."""

    def write(*lines):
        path = tmp_path / "index.csv"
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    return write
