"""Windows of sound: what a whole recording has there, whatever its file."""

import contextlib
import dataclasses
import re

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train import artifacts
from train.data.augment import renderings
from train.data.augment.windows import clip_span, read_window, sound_samples
from train.data.sound import load_sound
from train.errors import MaestroError
from train.features import clip_steps, sound_features

KINDS = {
    "16 bits, mono.wav": (8000, 1, "PCM_16"),
    "24 bits, stereo.wav": (8000, 2, "PCM_24"),
    "floats.wav": (8000, 2, "FLOAT"),
    "lossless.flac": (8000, 2, "PCM_16"),
}
CONVERTED = {
    "cd.wav": (44100, 2, "PCM_16"),
    "studio.flac": (96000, 2, "PCM_24"),
    "telephone.wav": (6000, 1, "PCM_16"),
    "vorbis.ogg": (44100, 2, "VORBIS"),
    "layer 3.mp3": (44100, 2, "MPEG_LAYER_III"),
}


def write(folder, name, kinds, music):
    own_rate_hz, channels, subtype = kinds[name]
    sound = np.stack([music(number, 1.5, own_rate_hz) for number in range(channels)], axis=1)
    soundfile.write(folder / name, sound, own_rate_hz, subtype=subtype)
    return folder / name


def expected(path, rate_hz, first, samples):
    whole = load_sound(path, rate_hz)
    padded = np.pad(whole, (20000, 20000))
    return padded[20000 + first : 20000 + first + samples]


@pytest.mark.parametrize("name", KINDS)
def test_at_the_file_s_own_rate_they_are_the_same_to_the_bit(tmp_path, music, name):
    path = write(tmp_path, name, KINDS, music)
    assert sound_samples(path, 8000) == 12000
    for first, samples in ((0, 100), (3, 5000), (-50, 80), (11900, 500), (-90, 40), (13000, 5), (-100, 13000)):
        found = read_window(path, first, samples, 8000)
        assert (found.shape, found.dtype) == ((samples,), np.float32)
        np.testing.assert_array_equal(found, expected(path, 8000, first, samples))


@pytest.mark.parametrize("name", CONVERTED)
def test_at_another_rate_they_are_the_same_but_for_rounding(tmp_path, music, name):
    path = write(tmp_path, name, CONVERTED, music)
    whole = load_sound(path, 8000)
    assert sound_samples(path, 8000) == whole.size
    for first, samples in ((0, 100), (3, 5000), (4321, 777), (-50, 80), (whole.size - 300, 400), (whole.size, 5)):
        found = read_window(path, first, samples, 8000)
        assert found.shape == (samples,)
        # An MP3's frames hang together: one begun in the middle is decoded a little differently.
        tolerance = 1e-3 if name.endswith("mp3") else 2e-6
        np.testing.assert_allclose(found, expected(path, 8000, first, samples), atol=tolerance)


@settings(derandomize=True, max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hop_s=st.sampled_from([0.01, 0.02, 0.032]),
    window=st.sampled_from([512, 1000, 1025, 2048]),
    clip_s=st.floats(0.2, 0.9),
    share=st.floats(0, 1),
)
def test_a_clip_s_features_are_those_of_its_recording_to_the_bit(config, music, hop_s, window, clip_s, share):
    features = dataclasses.replace(config.features, hop_s=hop_s, window=window, clip_s=clip_s, mfcc=5)
    audio, steps = music(1, 1.5), clip_steps(features)
    whole = sound_features(audio, 8000, features)
    start = round(share * (whole.shape[1] - steps))
    span = clip_span(start, 8000, features)
    heard = np.pad(audio, 8000)[8000 + span.first : 8000 + span.first + span.samples]
    found = sound_features(heard, 8000, features)[:, span.lead : span.lead + steps]
    np.testing.assert_array_equal(found, whole[:, start : start + steps])


def test_a_midi_file_is_rendered_once_and_kept(small_midi, data, monkeypatch):
    whole = load_sound(small_midi, 8000)
    found = read_window(small_midi, 1000, 3000, 8000)
    np.testing.assert_allclose(found, whole[1000:4000], atol=2**-15)
    assert sound_samples(small_midi, 8000) == whole.size
    (kept,) = (artifacts.CACHE / "rendered").iterdir()
    assert kept.suffix == ".flac"
    monkeypatch.setattr(renderings, "sound_blocks", lambda *_: pytest.fail("rendered again"))
    renderings._kept.cache_clear()
    np.testing.assert_array_equal(read_window(small_midi, 1000, 3000, 8000), found)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("none.wav", None, "none.wav: no such file"),
        ("empty.wav", b"", "empty.wav: is empty (0 bytes)"),
        ("text.flac", b"no sound at all", "text.flac: cannot be read as sound: "),
    ],
)
def test_errors(tmp_path, name, content, text):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MaestroError, match=re.escape(text)):
        read_window(tmp_path / name, 0, 10, 8000)


def test_what_is_cut_off_is_never_taken_for_silence(tmp_path, music, data, small_midi):
    # As it is where a file changes while a network is trained: its header was read before.
    wav = tmp_path / "cut.wav"
    soundfile.write(wav, music(1), 8000)
    read_window(wav, 0, 100, 8000)
    wav.write_bytes(wav.read_bytes()[:8044])
    with pytest.raises(MaestroError, match=r"cut\.wav: truncated: its header promised 24000 samples, 4000 are"):
        read_window(wav, 3000, 2000, 8000)
    assert read_window(wav, 3000, 1000, 8000).any()
    read_window(small_midi, 0, 100, 8000)
    (kept,) = artifacts.CACHE.rglob("rendered/*.flac")
    kept.write_bytes(kept.read_bytes()[:2000])
    with pytest.raises(MaestroError, match=r"\.flac: .*\. Delete it: it is rendered again"):
        read_window(small_midi, 0, 8000, 8000)


def test_a_decoder_s_own_talk_is_not_heard(tmp_path, music, capfd):
    path = tmp_path / "a.mp3"
    soundfile.write(path, music(1, rate_hz=44100), 44100, format="MP3")
    content = path.read_bytes()
    path.write_bytes(content[:9000] + bytes(700) + content[9700:])
    for first in (0, 20000, 60000):
        with contextlib.suppress(MaestroError):
            read_window(path, first, 30000, 44100)
    assert capfd.readouterr().err == ""


def test_what_is_no_number_is_refused(tmp_path, music):
    sound = music(1)
    sound[500] = np.nan
    soundfile.write(tmp_path / "nan.wav", sound, 8000, subtype="FLOAT")
    assert np.isfinite(read_window(tmp_path / "nan.wav", 0, 500, 8000)).all()
    with pytest.raises(
        MaestroError, match=r"nan.wav: has samples that are NaN or infinite. Export the recording again"
    ):
        read_window(tmp_path / "nan.wav", 400, 200, 8000)
