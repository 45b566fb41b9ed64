"""A small corpus: three quick titles, built once."""

import dataclasses

import pytest

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
