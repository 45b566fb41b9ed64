"""Sound block by block: the samples and the faults are those of the whole, whatever the blocks."""

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from train.data import sound
from train.data.sound import load_sound, sound_blocks
from train.errors import MaestroError


def noise(samples, channels=1, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal((samples, channels))).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 60_000),
    rate_hz=st.sampled_from([8000, 11025, 16000, 22050, 44056, 44100, 48000, 96000]),
    channels=st.integers(1, 3),
    block=st.sampled_from([997, 4096, 50_000]),
)
def test_samples_do_not_depend_on_blocks(tmp_path_factory, samples, rate_hz, channels, block):
    path = tmp_path_factory.mktemp("sound") / "a.wav"
    soundfile.write(path, noise(samples, channels), rate_hz, subtype="FLOAT")
    whole = load_sound(path, 16000)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sound, "_BLOCK", block)
        blocks = list(sound_blocks(path, 16000))
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    # What a user of librosa has.
    mono = soundfile.read(path, dtype="float32", always_2d=True)[0].mean(axis=1)
    np.testing.assert_array_equal(whole, librosa.resample(mono, orig_sr=rate_hz, target_sr=16000))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_every_container_comes_in_blocks(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, noise(100_000, 2), 44100)
    whole = load_sound(path, 16000)
    monkeypatch.setattr(sound, "_BLOCK", 10_000)
    blocks = list(sound_blocks(path, 16000))
    assert len(blocks) > 5
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def heard_until_refused(path, message):
    heard = []
    with pytest.raises(MaestroError, match=message):
        heard.extend(sound_blocks(path, 16000))
    assert all(np.isfinite(block).all() for block in heard)
    return sum(block.size for block in heard)


def test_what_is_not_finite_never_comes_out_and_is_counted_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(sound, "_BLOCK", 1000)
    content = noise(10_000)
    content[[3500, 9999]] = np.nan
    soundfile.write(tmp_path / "a.wav", content, 16000, subtype="FLOAT")
    assert heard_until_refused(tmp_path / "a.wav", "2 of its 10000 samples are NaN or infinite") == 3000


def test_what_is_far_beyond_full_scale_never_comes_out(tmp_path, monkeypatch):
    monkeypatch.setattr(sound, "_BLOCK", 1000)
    content = noise(10_000)
    content[4500], content[8000] = -2e4, 5e4
    soundfile.write(tmp_path / "a.wav", content, 16000, subtype="FLOAT")
    assert heard_until_refused(tmp_path / "a.wav", r"its samples reach 5e\+04 times full scale") == 4000


def test_silence_and_a_missing_end_are_told_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(sound, "_BLOCK", 1000)
    soundfile.write(tmp_path / "a.wav", np.zeros(5000), 16000)
    assert heard_until_refused(tmp_path / "a.wav", "silent: its peak") == 5000
    soundfile.write(tmp_path / "b.flac", noise(50_000), 16000)
    content = (tmp_path / "b.flac").read_bytes()
    (tmp_path / "b.flac").write_bytes(content[: len(content) // 2])
    assert heard_until_refused(tmp_path / "b.flac", "truncated or damaged") > 1000


def test_a_reader_that_stops_closes_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sound, "_BLOCK", 1000)
    soundfile.write(tmp_path / "a.wav", noise(5000), 16000)
    opened = []
    real = soundfile.SoundFile
    monkeypatch.setattr(sound.soundfile, "SoundFile", lambda path: opened.append(real(path)) or opened[-1])
    blocks = sound_blocks(tmp_path / "a.wav", 16000)
    next(blocks)
    assert not opened[0].closed
    blocks.close()
    assert opened[0].closed
