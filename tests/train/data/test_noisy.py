"""Noisy clips of a small corpus: exact ratios, fixed noise, caches."""

import dataclasses
import json
import shutil
import zlib

import numpy as np
import pytest

from train import artifacts
from train.config import Config, FeatureConfig, NoiseConfig
from train.config_checks import ALL_NOISES, NOISES
from train.data import noisy
from train.data.clips import recording_clips
from train.data.noise import make_noise, mix_clips
from train.data.noisy import noisy_clips, noisy_sets, training_variants
from train.data.recordings import changed_features
from train.data.sound import load_sound, save_sound
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
def corpus(small_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(noisy, "heard_dataset", lambda _config: small_dataset)
    return small_dataset


def of_split(corpus, split):
    return corpus.of_split(split)


def sounds(corpus, split, but):
    return [
        load_sound(corpus.path / recording.file, 16000)
        for recording in of_split(corpus, split)
        if recording.piece != but.piece
    ]


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
        seed = (config.noise.seed, 1, zlib.crc32(recording.id.encode()), ALL_NOISES.index(kind))
        # The background is of validation recordings, of other titles.
        noise = make_noise(kind, audio.size, 16000, seed, sounds(corpus, "validation", recording))
        mixed = mix_clips(audio, noise, [snr_db] * SEGMENTS, SEGMENT)
        np.testing.assert_array_equal(found.sequences[index], sound_features(mixed, 16000, config.features))
        assert found.names[index] == recording.id


def test_conditions_come_together_in_their_order_with_the_clean_clips_labels(corpus, config, no_process_left):
    together = noisy_sets(config, "test_keyboards", CONDITIONS)
    assert list(together) == CONDITIONS
    members = of_split(corpus, "test_keyboards")
    (sequences,) = changed_features(corpus, members, config, [None])
    clean = recording_clips(corpus, members, sequences, config)
    for (kind, snr_db), clips in together.items():
        assert_same(noisy_clips(config, "test_keyboards", kind, snr_db), clips)
        np.testing.assert_array_equal(clips.start, clean.start)
        for head, labels in clean.labels.items():
            np.testing.assert_array_equal(clips.labels[head], labels)


def test_what_decides_the_noise_is_in_the_name_of_what_is_kept(corpus, config):
    def key(kind="white", snr_db=(0,), **noise):
        changed = dataclasses.replace(config, noise=dataclasses.replace(config.noise, **noise))
        return json.dumps(noisy._noise(changed, corpus, kind, snr_db, noisy._EVALUATION).key())

    assert len({key(), key(seed=2), key("pink"), key("babble"), key(snr_db=(1,)), key(snr_db=(0, 1))}) == 6
    # What says how much noise training hears is not asked in evaluation, and 0 and 0.0 decibels are one condition.
    assert key() == key(share=0.1, kinds=("pink",)) == key(snr_db=(0.0,))


def test_babble_is_named_by_the_content_and_the_pieces_it_is_made_of(corpus, config, tmp_path):
    def key(data, kind="babble", purpose=noisy._EVALUATION):
        return json.dumps(noisy._noise(config, data, kind, (5,), purpose).key())

    copy = dataclasses.replace(corpus, path=tmp_path / corpus.path.name)
    shutil.copytree(corpus.path, copy.path)
    assert key(copy) == key(corpus)
    first = corpus.of_split("validation")[0]
    renamed = tuple(dataclasses.replace(one, piece="x") if one is first else one for one in corpus.recordings)
    assert key(dataclasses.replace(corpus, recordings=renamed)) != key(corpus)
    save_sound(copy.file_of(first), [np.full(16000, 0.5, np.float32)], 16000)
    assert key(copy) != key(corpus)
    assert key(copy, "white") == key(corpus, "white")
    # Training hears other recordings, which are as they were.
    assert key(copy, purpose=noisy._TRAINING) == key(corpus, purpose=noisy._TRAINING)
    copy.file_of(first).unlink()
    with pytest.raises(MaestroError, match="no such file"):
        key(copy)


def test_a_folder_s_noise_is_heard_and_its_content_named(corpus, config, tmp_path):
    folder = tmp_path / "noise"
    tone = np.sin(np.arange(8000) * 0.3).astype(np.float32) / 2
    save_sound(folder / "a.wav", [tone], 16000)
    heard = dataclasses.replace(config, noise=dataclasses.replace(config.noise, folder=str(folder)))
    found = noisy_clips(heard, "test", "folder", 5)
    for index, recording in enumerate(of_split(corpus, "test")):
        audio = load_sound(corpus.path / recording.file, 16000)
        seed = (config.noise.seed, 1, zlib.crc32(recording.id.encode()), ALL_NOISES.index("folder"))
        noise = make_noise("folder", audio.size, 16000, seed, [load_sound(folder / "a.wav", 16000)])
        mixed = mix_clips(audio, noise, [5] * SEGMENTS, SEGMENT)
        np.testing.assert_array_equal(found.sequences[index], sound_features(mixed, 16000, config.features))
    assert "noise a.wav" in str(noisy._noise(heard, corpus, "folder", (5,), noisy._EVALUATION).key())


def test_training_copies_have_noise_of_their_own_at_drawn_levels(corpus, config, monkeypatch):
    levels = []
    monkeypatch.setattr(noisy, "mix_clips", lambda *given: levels.append(given[2]) or mix_clips(*given))
    made = noisy._noise(config, corpus, "babble", config.noise.snr_db, noisy._TRAINING)
    for recording in of_split(corpus, "train"):
        audio = load_sound(corpus.path / recording.file, 16000)
        seed = (config.noise.seed, 2, zlib.crc32(recording.id.encode()), ALL_NOISES.index("babble"))
        noise = make_noise("babble", audio.size, 16000, seed, sounds(corpus, "train", recording))
        np.testing.assert_array_equal(made.apply(audio, recording), mix_clips(audio, noise, levels[-1], SEGMENT))
    drawn = np.array(levels)
    assert drawn.shape == (6, SEGMENTS)
    assert set(drawn.ravel()) == {0, 20}
    assert len({tuple(row) for row in drawn}) > 1


def test_training_hears_one_copy_a_kind(corpus, config):
    made = training_variants(config)
    assert len(made) == len(NOISES)
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
    monkeypatch.setattr(noisy, "heard_dataset", lambda _config: pytest.fail("asked for the corpus"))
    assert training_variants(dataclasses.replace(config, noise=NoiseConfig())) == ()


def test_a_recording_with_a_silent_clip_is_named(corpus, config):
    recording = of_split(corpus, "train")[1]
    sound = load_sound(corpus.file_of(recording), 16000)
    sound[SEGMENT : 2 * SEGMENT] = 0
    noise = noisy._noise(config, corpus, "white", [5], noisy._EVALUATION)
    text = rf"{recording.file}, signal: silent from sample {SEGMENT} to {2 * SEGMENT}, .* In training, section augment"
    with pytest.raises(MaestroError, match=text):
        noise.apply(sound, recording)


def test_errors(corpus, config):
    with pytest.raises(
        CallError, match=r"split 'tests': not in the embedded corpus \(expected one of train, validation"
    ):
        noisy_clips(config, "tests", "white", 0)
    with pytest.raises(CallError, match=r"noise: of the kind 'pin' .* Did you mean 'pink'\?"):
        noisy_sets(config, "test", [("white", 0), ("pin", 0)])
    with pytest.raises(MaestroError, match="snr_db: has ratios that are NaN"):
        noisy_clips(config, "test", "white", np.nan)
    assert noisy_sets(config, "test", []) == {}
