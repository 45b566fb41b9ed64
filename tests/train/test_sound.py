import io
import os
import struct
import wave

import numpy as np
import pytest
import soundfile

from train.data.sound import load_sound, save_sound
from train.errors import CallError, MaestroError

RATE_HZ = 16000


def tone(seconds=1.0, rate_hz=RATE_HZ, frequency_hz=440.0, amplitude=0.5):
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def test_a_wav_at_the_asked_rate_comes_back_exactly(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ, subtype="FLOAT")
    audio = load_sound(tmp_path / "a.wav", RATE_HZ)
    assert audio.dtype == np.float32
    np.testing.assert_array_equal(audio, tone())


def test_sixteen_bit_samples_are_divided_by_full_scale(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(struct.pack("<3h", 16384, -32768, 1))
    np.testing.assert_array_equal(load_sound(tmp_path / "a.wav", RATE_HZ), np.float32([0.5, -1, 2**-15]))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize("rate_hz", [44100, 8000])
def test_any_container_rate_and_channels_become_mono_at_one_rate(tmp_path, suffix, rate_hz):
    path = tmp_path / f"a.{suffix}"
    left = tone(rate_hz=rate_hz)
    soundfile.write(path, np.stack([left, 0.5 * left, 0 * left][: 2 if suffix == "mp3" else 3], axis=1), rate_hz)
    audio = load_sound(path, RATE_HZ)
    assert audio.ndim == 1
    assert abs(audio.size - RATE_HZ) <= 2 * 1152 * 2
    middle = audio[4000:12000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    assert np.argmax(spectrum) * RATE_HZ / middle.size == pytest.approx(440, abs=2)
    amplitude = 0.375 if suffix == "mp3" else 0.25
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(amplitude, rel=0.05)


def test_a_suffix_does_not_decide_what_a_file_is(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ)
    (tmp_path / "a.wav").rename(tmp_path / "a.song")
    assert load_sound(tmp_path / "a.song", RATE_HZ).size == RATE_HZ


def test_a_wav_from_a_pipe_does_not_know_its_length(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    start = content.index(b"data") + 4
    content[start : start + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(content)
    assert load_sound(tmp_path / "a.wav", RATE_HZ).size == RATE_HZ


def test_chunks_around_the_samples_are_stepped_over(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ)
    content = (tmp_path / "a.wav").read_bytes()
    where = content.index(b"data")
    odd = b"note" + struct.pack("<I", 3) + b"abc\0"
    whole = content[:where] + odd + content[where:] + odd
    (tmp_path / "a.wav").write_bytes(whole)
    assert load_sound(tmp_path / "a.wav", RATE_HZ).size == RATE_HZ


@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
@pytest.mark.parametrize(
    ("suffix", "options", "message"),
    [
        ("wav", {}, r"a\.wav: truncated: its header promises 32044 bytes, the file has \d+\. Copy or download"),
        ("wav", {"endian": "BIG"}, r"a\.wav: truncated: its header promises 32044 bytes"),
        ("aiff", {}, r"a\.aiff: truncated: its header promises \d+ bytes"),
        ("flac", {}, r"a\.flac: (truncated or damaged: flac decoder lost sync|cannot be read as sound)"),
        ("ogg", {}, r"a\.ogg: truncated: the last page of its Ogg stream is missing"),
        ("mp3", {}, r"a\.mp3: (truncated: its header promises 16000 samples|is not a sound file)"),
    ],
)
def test_a_truncated_file_is_refused(tmp_path, suffix, options, message, share):
    path = tmp_path / f"a.{suffix}"
    if suffix == "mp3" and share > 0.99:
        share = 0.8  # A frame or two may be missing: see the slack in sound.py.
    soundfile.write(path, tone() + 0.01 * np.random.default_rng(0).standard_normal(RATE_HZ), RATE_HZ, **options)
    with pytest.raises(MaestroError, match=message):
        load_sound(cut(path, share), RATE_HZ)


def test_an_rf64_states_its_length_in_another_chunk(tmp_path):
    soundfile.write(tmp_path / "a.rf64", tone(), RATE_HZ, format="RF64")
    content = bytearray((tmp_path / "a.rf64").read_bytes())
    assert load_sound(tmp_path / "a.rf64", RATE_HZ).size == RATE_HZ
    (tmp_path / "a.rf64").write_bytes(content[:-100])
    if content[:4] == b"RF64":
        with pytest.raises(MaestroError, match="truncated"):
            load_sound(tmp_path / "a.rf64", RATE_HZ)


@pytest.mark.parametrize("suffix", ["wav", "mid"])
def test_a_missing_file(tmp_path, suffix):
    with pytest.raises(MaestroError, match=rf"gone\.{suffix}: no such file\. Check the path"):
        load_sound(tmp_path / f"gone.{suffix}", RATE_HZ)


def test_a_folder(tmp_path):
    with pytest.raises(MaestroError, match=r"is a folder \(expected a WAV, FLAC, OGG, MP3 or MIDI file\)"):
        load_sound(tmp_path, RATE_HZ)


def test_a_path_through_a_file_cannot_be_read(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(MaestroError, match=r"b\.wav: cannot be read: Not a directory\. Check its permissions"):
        load_sound(tmp_path / "a" / "b.wav", RATE_HZ)


def test_no_bytes(tmp_path):
    (tmp_path / "a.wav").touch()
    with pytest.raises(MaestroError, match=r"a\.wav: is empty \(0 bytes\) \(expected a WAV"):
        load_sound(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize("name", ["a.wav", "a.txt", "a.raw", "a.mp3", "a.ogg"])
def test_something_else(tmp_path, name):
    (tmp_path / name).write_bytes(b"Six suites for a cello alone. " * 50)
    message = "cannot be read as sound: .*"
    if name == "a.mp3":
        message = "is not a sound file that libsndfile can read"
    with pytest.raises(MaestroError, match=rf"{name}: {message} \(expected a WAV, FLAC, OGG, MP3 or MIDI"):
        load_sound(tmp_path / name, RATE_HZ)


@pytest.mark.parametrize("content", [b"Six suites for a cello alone. " * 50, np.random.default_rng(0).bytes(20000)])
def test_the_mp3_decoder_does_not_talk(tmp_path, capfd, content):
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(MaestroError, match=r"a\.mp3: is not a sound file that libsndfile can read"):
        load_sound(tmp_path / "a.mp3", RATE_HZ)
    assert capfd.readouterr().err == ""
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_no_samples(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), RATE_HZ)
    with pytest.raises(MaestroError, match=r"a\.wav: holds no samples\. Give a recording with sound in it"):
        load_sound(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path, value):
    audio = tone()
    audio[[5, 900]] = value
    soundfile.write(tmp_path / "a.wav", audio, RATE_HZ, subtype="FLOAT")
    with pytest.raises(MaestroError, match=r"a\.wav: 2 of its 16000 samples are NaN or infinite\. Export"):
        load_sound(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize("channels", [1, 2])
def test_samples_too_large_for_float32(tmp_path, channels, recwarn):
    audio = np.full((100, channels), 1e39 if channels == 1 else 3e38)
    soundfile.write(tmp_path / "a.wav", audio, RATE_HZ, subtype="DOUBLE")
    with pytest.raises(MaestroError, match=r"a\.wav: 100 of its 100 samples are NaN or infinite"):
        load_sound(tmp_path / "a.wav", RATE_HZ)
    assert not recwarn.list


def test_samples_that_are_no_sound(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(amplitude=1.0) * 2e4, RATE_HZ, subtype="FLOAT")
    message = r"a\.wav: its samples reach 2e\+04 times full scale \(expected at most 10000\)\. Scale the samples"
    with pytest.raises(MaestroError, match=message):
        load_sound(tmp_path / "a.wav", RATE_HZ)


@pytest.mark.parametrize("amplitude", [0.0, 0.5e-4])
def test_silence(tmp_path, amplitude):
    soundfile.write(tmp_path / "a.wav", tone(amplitude=amplitude), RATE_HZ, subtype="FLOAT")
    with pytest.raises(MaestroError, match=r"a\.wav: silent: its peak is below -80 dBFS once mixed to mono\. Give"):
        load_sound(tmp_path / "a.wav", RATE_HZ)


def test_very_soft_is_not_silent(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(amplitude=2e-4), RATE_HZ, subtype="FLOAT")
    assert load_sound(tmp_path / "a.wav", RATE_HZ).size == RATE_HZ


def test_every_message_is_one_line(tmp_path):
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(), RATE_HZ, format="WAV")
    (tmp_path / "a.wav").write_bytes(buffer.getvalue()[:9000])
    with pytest.raises(MaestroError) as caught:
        load_sound(tmp_path / "a.wav", RATE_HZ)
    assert "\n" not in str(caught.value)


# A4 for a second: header, one track, note on, note off after 480 ticks, end.
MIDI = (
    b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\xf0"
    b"MTrk\x00\x00\x00\x0d\x00\x90\x45\x60\x83\x60\x80\x45\x00\x00\xff\x2f\x00"
)


@pytest.mark.parametrize("name", ["a.mid", "a.MIDI"])
def test_a_midi_file_is_rendered(tmp_path, name):
    (tmp_path / name).write_bytes(MIDI)
    audio = load_sound(tmp_path / name, RATE_HZ)
    assert audio.dtype == np.float32
    assert audio.ndim == 1
    assert 0.9 * RATE_HZ < audio.size < 5 * RATE_HZ


def test_a_midi_file_that_is_none(tmp_path):
    (tmp_path / "a.mid").write_bytes(b"Six suites for a cello alone.")
    with pytest.raises(MaestroError, match=r"a\.mid: "):
        load_sound(tmp_path / "a.mid", RATE_HZ)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_saved_sound_is_loaded_again(tmp_path, suffix):
    audio = np.sin(np.arange(8000) * 0.1).astype(np.float32) * 0.5
    save_sound(tmp_path / f"a{suffix}", [audio], 16000)
    np.testing.assert_allclose(load_sound(tmp_path / f"a{suffix}", 16000), audio, atol=2**-15)
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_sound_is_saved_as_a_known_kind_only(tmp_path):
    with pytest.raises(CallError, match=r"a.mp3: ends in '.mp3' \(expected .wav or .flac\)"):
        save_sound(tmp_path / "a.mp3", [np.zeros(10, np.float32)], 16000)
