"""Sound in pieces gives the frames and spikes of the whole, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.config import EncodingConfig, FeatureConfig
from train.config_checks import ENCODINGS
from train.encoding import make_encoder
from train.errors import MaestroError
from train.features import feature_names, sound_features
from train.streaming import CAUSAL, FrameStream, StepEncoder


@settings(derandomize=True, max_examples=25, deadline=None)
@given(
    st.integers(1, 9000),
    st.integers(1, 3000),
    st.sampled_from([(0.032, 2048), (0.02, 513), (0.5, 1024)]),
    st.integers(0, 99),
)
def test_frames_of_pieces_are_those_of_the_whole(size, piece, shape, seed):
    config = FeatureConfig(hop_s=shape[0], window=shape[1], mfcc=0 if shape[1] < 1024 else 20)
    generator = np.random.default_rng(seed)
    audio = (generator.normal(size=size) * 10.0 ** generator.integers(-6, 0)).astype(np.float32)
    stream = FrameStream(16000, config)
    windows = [w for start in range(0, size, piece) for w in stream.push(audio[start : start + piece])]
    windows += stream.finish()
    found = np.stack([stream.features(window) for window in windows], axis=1)
    assert stream.look_ahead_s == pytest.approx(shape[1] / 2 / 16000, abs=1e-4)
    np.testing.assert_array_equal(found, sound_features(audio, 16000, config))
    assert len(found) == len(feature_names(config))


def test_a_frame_comes_as_soon_as_its_window_is_whole():
    stream = FrameStream(16000, FeatureConfig(window=2048))
    assert not list(stream.push(np.ones(1023, np.float32)))
    assert len(list(stream.push(np.ones(1, np.float32)))) == 1
    assert not list(stream.push(np.ones(511, np.float32)))
    assert len(list(stream.push(np.ones(1, np.float32)))) == 1


@pytest.mark.parametrize("name", CAUSAL)
@settings(derandomize=True, max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    steps=st.integers(1, 40),
    levels=st.integers(1, 9),
    period=st.integers(2, 16),
    scale=st.sampled_from([0.01, 1.0, 30.0]),
)
def test_spikes_step_by_step_are_those_of_the_whole(name, seed, steps, levels, period, scale):
    config = EncodingConfig(name=name, levels=levels, period=period, seed=seed)
    x = (np.random.default_rng(seed).normal(size=(2, 5, steps)) * scale).astype(np.float32)
    expected = make_encoder(config).encode(x)
    stream = StepEncoder(config, 5)
    for sample in (0, 1):
        found = np.stack([stream.push(x[sample, :, step]) for step in range(steps)], axis=-1)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected[sample])
        stream.reset()


@pytest.mark.parametrize("name", sorted(set(ENCODINGS) - set(CAUSAL)))
def test_codes_that_look_ahead_are_refused(name):
    with pytest.raises(
        MaestroError, match=rf"the code '{name}': sends the mean of \d+ steps from the first of them on"
    ):
        StepEncoder(EncodingConfig(name=name), 5)


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((5, 1)), np.full(5, np.nan)])
def test_frames_that_do_not_fit(values):
    with pytest.raises(MaestroError, match=r"frame: of shape .*or not finite \(expected \(5,\) numbers\)"):
        StepEncoder(EncodingConfig(name="delta"), 5).push(values)
