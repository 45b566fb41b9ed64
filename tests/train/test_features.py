import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train import features
from train.config import FeatureConfig
from train.errors import CallError, MaestroError
from train.features import Normaliser, clip_steps, feature_names, hop_samples, sound_features

RATE_HZ = 16000
CONFIG = FeatureConfig()
CHROMA = slice(20, 32)
RMS = 32


def sine(frequency_hz, seconds=2.0, amplitude=0.5):
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


def test_shapes_names_and_steps():
    assert feature_names(CONFIG)[:2] == ("mfcc0", "mfcc1")
    assert feature_names(CONFIG)[RMS] == "rms"
    assert len(feature_names(CONFIG)) == 33
    assert (clip_steps(CONFIG), hop_samples(RATE_HZ, CONFIG)) == (94, 512)
    found = sound_features(sine(440, 3.0), RATE_HZ, CONFIG)
    assert found.shape == (33, 1 + 48000 // 512) == (33, clip_steps(CONFIG))
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        (FeatureConfig(chroma=0, rms=False), slice(0, 20)),
        (FeatureConfig(mfcc=0, rms=False), CHROMA),
        (FeatureConfig(mfcc=0, chroma=0), slice(32, 33)),
    ],
)
def test_each_family_alone_is_its_rows_of_all(config, rows):
    audio = sine(330) + sine(523.25)
    np.testing.assert_array_equal(sound_features(audio, RATE_HZ, config), sound_features(audio, RATE_HZ, CONFIG)[rows])
    assert feature_names(config) == feature_names(CONFIG)[rows]


@pytest.mark.parametrize(("amplitude", "level_db"), [(1.0, 0.0), (0.5, -6.0206), (0.01, -40.0), (0.0, -80.0)])
def test_rms_is_the_level_in_db_of_full_scale(amplitude, level_db):
    found = sound_features(sine(1000, amplitude=amplitude), RATE_HZ, CONFIG)
    np.testing.assert_allclose(found[RMS, 5:-5], level_db, atol=0.02)


@pytest.mark.parametrize(("frequency_hz", "pitch_class"), [(440.0, 9), (261.63, 0), (1567.98, 7), (116.54, 10)])
def test_chroma_names_the_note(frequency_hz, pitch_class):
    found = sound_features(sine(frequency_hz), RATE_HZ, CONFIG)[CHROMA, 5:-5]
    assert (found.argmax(axis=0) == pitch_class).all()
    np.testing.assert_array_equal(found.max(axis=0), 1)


def test_chroma_of_silence_is_nought():
    np.testing.assert_array_equal(sound_features(np.zeros(8000, np.float32), RATE_HZ, CONFIG)[CHROMA], 0)


def test_mfcc_are_the_cosine_transform_of_the_bands():
    # Digital silence: every band at the floor, so the first coefficient is -80 dB * sqrt(bands), the others 0.
    found = sound_features(np.zeros(8000, np.float32), RATE_HZ, CONFIG)
    np.testing.assert_allclose(found[0], -80 * np.sqrt(features.MEL_BANDS), rtol=1e-5)
    np.testing.assert_allclose(found[1:20], 0, atol=1e-3)


def test_louder_moves_the_first_coefficient_alone():
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.01
    soft, loud = (sound_features(gain * noise, RATE_HZ, CONFIG)[:20, 4:-4] for gain in (1, 10))
    np.testing.assert_allclose(loud[0] - soft[0], 20 * np.sqrt(features.MEL_BANDS), rtol=1e-3)
    np.testing.assert_allclose(loud[1:], soft[1:], atol=1e-2)


def test_a_frame_is_centred_and_knows_its_window_alone():
    audio = np.zeros(32000, np.float32)
    audio[16384] = 1.0  # The centre of frame 32.
    level = sound_features(audio, RATE_HZ, CONFIG)[RMS]
    # Frame t looks at samples 512 t - 1024 up to, and not including, 512 t + 1024.
    assert np.flatnonzero(level > -80).tolist() == [31, 32, 33, 34]


def test_a_frame_is_the_same_to_the_bit_wherever_it_is_computed(monkeypatch):
    audio = np.random.default_rng(1).standard_normal(40000).astype(np.float32) * 0.1
    whole = sound_features(audio, RATE_HZ, CONFIG)
    monkeypatch.setattr(features, "_BLOCK_FRAMES", 7)
    np.testing.assert_array_equal(sound_features(audio, RATE_HZ, CONFIG), whole)
    # The same sound 10 frames later in another recording.
    later = sound_features(np.concatenate([audio[:5120], audio]), RATE_HZ, CONFIG)
    np.testing.assert_array_equal(later[:, 13:], whole[:, 3:])


@pytest.mark.parametrize("rate_hz", [8000, 22050, 48000])
@pytest.mark.parametrize("samples", [1, 511, 5000])
def test_any_rate_and_length_gives_finite_features(rate_hz, samples):
    found = sound_features(np.full(samples, 0.1, np.float32), rate_hz, CONFIG)
    assert found.shape[1] == 1 + samples // hop_samples(rate_hz, CONFIG)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("audio", [np.zeros((2, 100), np.float32), np.zeros(0, np.float32)])
def test_audio_of_a_wrong_shape(audio):
    with pytest.raises(MaestroError, match=r"audio: has the shape \(.*\) \(expected a row of samples"):
        sound_features(audio, RATE_HZ, CONFIG)


def test_audio_with_nan():
    with pytest.raises(MaestroError, match=r"audio: has samples that are NaN or infinite\. Export"):
        sound_features(np.float32([0, np.nan, 0]), RATE_HZ, CONFIG)


def test_a_window_too_short_for_the_bands():
    message = r"features\.window: is 128, too short for 64 mel bands at 16000 Hz \(expected at least \d+ samples\)"
    with pytest.raises(CallError, match=message) as caught:
        sound_features(sine(440), RATE_HZ, FeatureConfig(window=128))
    enough = int(str(caught.value).rsplit("at least ", 1)[1].split()[0])
    with np.testing.suppress_warnings() as warned:
        recorded = warned.record(UserWarning)
        assert np.isfinite(sound_features(sine(440), RATE_HZ, FeatureConfig(window=enough))).all()
    assert not recorded  # librosa warns of empty bands


def test_normaliser_by_hand():
    fitted = Normaliser.fit([np.float32([[0, 2], [5, 5]]), np.float32([[4, 6], [5, 5]])])
    np.testing.assert_array_equal(fitted.mean, np.float32([3, 5]))
    np.testing.assert_allclose(fitted.std, [np.sqrt(5), 0], rtol=1e-6)
    applied = fitted.apply(np.float32([[[3, 3 + np.sqrt(5)], [5, 7]]]))
    np.testing.assert_allclose(applied, [[[0, 1], [0, 0]]], atol=1e-6)
    assert applied.dtype == np.float32


def test_normalised_training_features_have_mean_0_and_deviation_1():
    sequences = [np.random.default_rng(seed).normal(-300, 40, (5, 200 + seed)).astype(np.float32) for seed in range(3)]
    fitted = Normaliser.fit(sequences)
    together = np.concatenate([fitted.apply(sequence) for sequence in sequences], axis=1)
    np.testing.assert_allclose(together.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(together.std(axis=1), 1, atol=1e-4)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e4, 1e4, width=32), st.floats(0, 1e4, width=32)), min_size=1, max_size=5))
def test_normaliser_survives_json_exactly(pairs):
    mean, std = np.float32(pairs).T
    back = Normaliser.from_dict(json.loads(json.dumps(Normaliser(mean, std).to_dict())))
    np.testing.assert_array_equal(back.mean, mean)
    np.testing.assert_array_equal(back.std, std)
    assert back.mean.dtype == back.std.dtype == np.float32


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mean": [1.0]}, r"normaliser: cannot be read: KeyError\('std'\) \(expected the lists mean and std\)"),
        ({"mean": ["x"], "std": [1]}, "normaliser: cannot be read: ValueError"),
        ({"mean": [1.0, 2.0], "std": [1.0]}, r"mean and std have the shapes \(2,\) and \(1,\) \(expected one row each"),
        ({"mean": [1.0], "std": [-1.0]}, r"no mean or no deviation \(expected finite, std >= 0\)"),
        ({"mean": [float("nan")], "std": [1.0]}, "no mean or no deviation"),
    ],
)
def test_a_damaged_normaliser(values, message):
    with pytest.raises(MaestroError, match=message):
        Normaliser.from_dict(values)


def test_normaliser_needs_frames():
    with pytest.raises(MaestroError, match=r"no frame to take statistics of \(expected at least one recording"):
        Normaliser.fit([])


def test_normaliser_refuses_other_features():
    fitted = Normaliser(np.zeros(3, np.float32), np.ones(3, np.float32))
    with pytest.raises(
        MaestroError, match=r"features: have the shape \(1, 4, 9\) \(expected \(..., 3 features, time\)"
    ):
        fitted.apply(np.zeros((1, 4, 9), np.float32))
