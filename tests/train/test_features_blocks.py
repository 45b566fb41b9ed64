"""Features of sound in blocks: to the bit those of the whole."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from train import features as module
from train.config import FeatureConfig
from train.errors import MaestroError
from train.features import block_features, sound_features, window_features

RATE_HZ = 8000
CONFIGS = (
    FeatureConfig(window=1024, mfcc=5, chroma=0),
    # Windows that overlap little, that leave samples out, and of an odd length.
    FeatureConfig(hop_s=0.05, window=512, mfcc=0),
    FeatureConfig(hop_s=0.2, window=255, mfcc=0, chroma=0),
)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 30_000),
    cuts=st.lists(st.integers(0, 30_000), max_size=6),
    config=st.sampled_from(CONFIGS),
    frames=st.sampled_from([1, 7, 64]),
)
@example(samples=64 * 400, cuts=[1, 1, 1024], config=CONFIGS[1], frames=64)
def test_blocks_do_not_matter(samples, cuts, config, frames):
    audio = 0.1 * np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_BLOCK_FRAMES", frames)
        whole = sound_features(audio, RATE_HZ, config)
        np.testing.assert_array_equal(block_features(np.split(audio, sorted(cuts)), RATE_HZ, config), whole)
    assert whole.shape[1] == 1 + samples // module.hop_samples(RATE_HZ, config)


def test_every_frame_is_that_of_its_window():
    config = CONFIGS[0]
    audio = 0.1 * np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    found = block_features(np.array_split(audio, 9), RATE_HZ, config)
    hop = module.hop_samples(RATE_HZ, config)
    padded = np.pad(audio, (512, 2048))
    for frame in range(found.shape[1]):
        window = padded[frame * hop : frame * hop + 1024]
        np.testing.assert_array_equal(found[:, frame], window_features(window, RATE_HZ, config))


def test_a_fault_in_the_blocks_comes_through():
    def blocks():
        yield np.zeros(9000, np.float32)
        raise MaestroError("a.wav", "truncated")

    with pytest.raises(MaestroError, match=r"a\.wav: truncated"):
        block_features(blocks(), RATE_HZ, CONFIGS[0])
