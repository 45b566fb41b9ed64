"""Noisy clips of a small corpus: exact ratios, fixed noise, caches."""

import dataclasses
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from train import artifacts
from train.config import Config, FeatureConfig, NoiseConfig
from train.config_checks import NOISES
from train.data import noisy, recordings
from train.data.clips import recording_clips
from train.data.noise import make_noise, mix_clips
from train.data.noisy import noisy_clips, noisy_sets, training_variants
from train.data.recordings import changed_features
from train.data.sound import load_sound
from train.errors import CallError, MaestroError
from train.features import sound_features

# Recordings of 4 s: 4 clips of 31 frames, 15872 samples, and a short rest.
SEGMENT, SEGMENTS = 31 * 512, 4
CONDITIONS = [("white", 0), ("pink", 10.0), ("babble", 5)]


@pytest.fixture
def config(small_config):
    return Config(
        corpus=small_config,
        features=FeatureConfig(clip_s=1.0),
        noise=NoiseConfig(share=0.5, snr_db=(0, 20)),
    )


@pytest.fixture
def corpus(small_corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(noisy, "build_corpus", lambda _config: small_corpus)
    return small_corpus


def of_split(corpus, split):
    return [recording for recording in corpus.recordings if recording.split == split]


def sounds(corpus, split, but):
    return [
        load_sound(corpus.path / recording.file, 16000)
        for recording in of_split(corpus, split)
        if recording.title != but.title
    ]


def caches():
    return sorted(artifacts.CACHE.glob("features-*.npz"))


def assert_same(one, other):
    assert one.names == other.names
    for first, second in zip(one.sequences, other.sequences, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("kind", "snr_db"), CONDITIONS)
def test_evaluation_clips_are_the_recordings_with_that_noise_at_that_ratio(corpus, config, kind, snr_db):
    found = noisy_clips(config, "test", kind, snr_db)
    assert (len(found), found.steps) == (12, 31)
    for index, recording in enumerate(of_split(corpus, "test")):
        audio = load_sound(corpus.path / recording.file, 16000)
        seed = (config.noise.seed, 1, zlib.crc32(recording.id.encode()), NOISES.index(kind))
        # The background is of validation recordings, of other titles.
        noise = make_noise(kind, audio.size, 16000, seed, sounds(corpus, "validation", recording))
        mixed = mix_clips(audio, noise, [snr_db] * SEGMENTS, SEGMENT)
        np.testing.assert_array_equal(found.sequences[index], sound_features(mixed, 16000, config.features))
        assert found.names[index] == recording.id


def test_conditions_come_together_in_their_order_with_the_clean_clips_labels(corpus, config, no_process_left):
    together = noisy_sets(config, "test_keyboards", CONDITIONS)
    assert list(together) == CONDITIONS
    assert len(caches()) == 3
    members = of_split(corpus, "test_keyboards")
    (sequences,) = changed_features(corpus, members, config, [None])
    clean = recording_clips(corpus, members, sequences, config)
    for (kind, snr_db), clips in together.items():
        assert_same(noisy_clips(config, "test_keyboards", kind, snr_db), clips)
        np.testing.assert_array_equal(clips.start, clean.start)
        for head, labels in clean.labels.items():
            np.testing.assert_array_equal(clips.labels[head], labels)


def test_what_is_cached_is_not_computed_again(corpus, config, monkeypatch):
    first = noisy_sets(config, "test", CONDITIONS[:2])
    asked = []
    compute = recordings._compute
    monkeypatch.setattr(recordings, "_compute", lambda *given: asked.append(given[3]) or compute(*given))
    again = noisy_sets(config, "test", [*reversed(CONDITIONS[:2]), ("white", 20)])
    for condition in CONDITIONS[:2]:
        assert_same(first[condition], again[condition])
    ((change,),) = asked
    assert (change.kind, change.snr_db) == ("white", (20.0,))
    # 0 and 0.0 decibels are one condition.
    noisy_clips(config, "test", "white", 0.0)
    assert len(asked) == 1


def test_caches_are_named_by_all_that_decides_the_noise(corpus, config):
    noisy_clips(config, "test", "white", 0)
    seeded = dataclasses.replace(config, noise=dataclasses.replace(config.noise, seed=2))
    other = noisy_clips(seeded, "test", "white", 0)
    assert len(caches()) == 2
    assert not np.array_equal(other.sequences[0], noisy_clips(config, "test", "white", 0).sequences[0])
    noisy_clips(config, "validation", "white", 0)
    noisy_clips(dataclasses.replace(config, features=FeatureConfig(clip_s=0.9)), "test", "white", 0)
    assert len(caches()) == 4
    # What says how much noise training hears is not asked in evaluation.
    shared = dataclasses.replace(config, noise=NoiseConfig(share=0.1, kinds=("pink",), snr_db=(3,)))
    noisy_clips(shared, "test", "white", 0)
    assert len(caches()) == 4


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_a_damaged_cache_is_computed_again(corpus, config, capsys, damage):
    first = noisy_sets(config, "test", CONDITIONS)
    cache = caches()[1]
    content = bytearray(cache.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    else:
        content = content[: len(content) // 2]
    cache.write_bytes(content)
    again = noisy_sets(config, "test", CONDITIONS)
    for condition in CONDITIONS:
        assert_same(first[condition], again[condition])
    assert capsys.readouterr().err.count("npz: damaged (") == 1
    assert len(list(artifacts.CACHE.iterdir())) == 3


def test_training_copies_have_noise_of_their_own_at_drawn_levels(corpus, config, monkeypatch):
    levels = []
    monkeypatch.setattr(noisy, "mix_clips", lambda *given: levels.append(given[2]) or mix_clips(*given))
    made = noisy._noise(config, corpus, "babble", config.noise.snr_db, noisy._TRAINING)
    for recording in of_split(corpus, "train"):
        audio = load_sound(corpus.path / recording.file, 16000)
        seed = (config.noise.seed, 2, zlib.crc32(recording.id.encode()), NOISES.index("babble"))
        noise = make_noise("babble", audio.size, 16000, seed, sounds(corpus, "train", recording))
        np.testing.assert_array_equal(made.apply(audio, recording), mix_clips(audio, noise, levels[-1], SEGMENT))
    drawn = np.array(levels)
    assert drawn.shape == (6, SEGMENTS)
    assert set(drawn.ravel()) == {0, 20}
    assert len({tuple(row) for row in drawn}) > 1


def test_training_hears_one_copy_a_kind(corpus, config):
    made = training_variants(config)
    assert len(made) == len(NOISES)
    assert len(caches()) == len(NOISES)
    names = tuple(recording.id for recording in of_split(corpus, "train"))
    assert all(part.names == names and len(part) == 24 for part in made)
    assert not np.array_equal(made[0].sequences[0], made[1].sequences[0])
    # Even of the same recordings, evaluation hears other noise.
    alone = dataclasses.replace(config, noise=NoiseConfig(share=1, kinds=("white",), snr_db=(20,)))
    (heard,) = training_variants(alone)
    assert not np.array_equal(heard.sequences[0], noisy_clips(alone, "train", "white", 20).sequences[0])
    (again,) = training_variants(alone)
    assert_same(heard, again)


def test_clean_training_makes_no_noise(config, monkeypatch):
    monkeypatch.setattr(noisy, "build_corpus", lambda _config: pytest.fail("asked for the corpus"))
    assert training_variants(dataclasses.replace(config, noise=NoiseConfig())) == ()


def test_errors(corpus, config):
    with pytest.raises(CallError, match=r"split 'tests': not in the corpus \(expected one of train, validation"):
        noisy_clips(config, "tests", "white", 0)
    with pytest.raises(CallError, match=r"noise: of the kind 'pin' .* Did you mean 'pink'\?"):
        noisy_sets(config, "test", [("white", 0), ("pin", 0)])
    with pytest.raises(MaestroError, match="snr_db: has ratios that are NaN"):
        noisy_clips(config, "test", "white", np.nan)
    assert not caches()
    assert noisy_sets(config, "test", []) == {}


def test_a_kill_leaves_whole_caches_and_no_process(small_corpus, small_config, tmp_path):
    script = f"""
import os, sys, time
from pathlib import Path
from train import artifacts
from train.config import Config, CorpusConfig, FeatureConfig
from train.data import noisy
from train.data.corpus import load_corpus

artifacts.CACHE = Path(sys.argv[1])
noisy.build_corpus = lambda _: load_corpus(Path(sys.argv[2]))
mix_clips = noisy.mix_clips

def slow(audio, noise, snr_db, segment_samples):
    if snr_db[0] == 7:
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(60)
    return mix_clips(audio, noise, snr_db, segment_samples)

noisy.mix_clips = slow
config = Config(corpus={small_config!r}, features=FeatureConfig(clip_s=1.0))
noisy.noisy_clips(config, "test", "white", 0)
noisy.noisy_clips(config, "test", "white", 7)
"""
    cache = tmp_path / "cache"
    words = [sys.executable, "-c", script, str(cache), str(small_corpus.path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        child = Path("/proc") / run.stdout.readline().decode().strip()
        run.kill()
    deadline = time.monotonic() + 20
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert child.name.isdigit()
    assert not child.exists()
    (finished,) = cache.iterdir()
    assert finished.suffix == ".npz"
