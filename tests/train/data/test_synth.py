"""Rendering: sound that is there, the same each time, and clear errors for bad MIDI files."""

import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from train.data import synth
from train.data.midi import midi_notes as read_notes
from train.errors import MaestroError

END = bytes([0, 0xFF, 0x2F, 0])
NOTE = bytes([0, 0x90, 60, 80, 0x83, 0x60, 0x80, 60, 0]) + END
# An empty text, as late as one event can be: 2 ** 28 - 1 ticks.
LATER = bytes([0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 1, 0])


def midi(body: bytes = NOTE, ticks: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, 1, 1, ticks) + b"MTrk" + struct.pack(">I", len(body)) + body


def rendered(path: Path) -> np.ndarray:
    return np.concatenate(list(synth.midi_blocks(path, 16000)))


def sound(program: int = 0) -> np.ndarray:
    onset_s = np.arange(24) * 0.1
    pitch = 48 + 5 * np.arange(24) % 30
    return synth.render(onset_s, np.full(24, 0.3), pitch, np.full(24, 70), program, 16000)


@pytest.mark.parametrize("program", synth.PROGRAMS)
def test_every_program_sounds_alike_each_time_and_unlike_the_piano(program):
    audio = sound(program)
    np.testing.assert_array_equal(audio, sound(program))
    assert np.isfinite(audio).all()
    assert np.sqrt(np.mean(audio**2)) == pytest.approx(synth.LEVEL_RMS, rel=0.01)
    assert np.abs(audio).max() <= synth.PEAK + 1e-6
    if program:
        piano = sound(0)
        size = min(piano.size, audio.size)
        assert abs(np.corrcoef(piano[:size], audio[:size])[0, 1]) < 0.8


@pytest.mark.parametrize("program", synth.PROGRAMS)
def test_every_key_is_rendered_at_a_low_rate(program):
    # With the SoundFont as it is symusic hangs here at 8 kHz.
    pitch = np.arange(21, 109)
    audio = synth.render(pitch * 0.1, np.full(88, 0.3), pitch, np.full(88, 80), program, 8000)
    assert 10.0 < audio.size / 8000 < 13.0


def test_silence_stays_silence():
    assert not synth.level(np.zeros(10, np.float32)).any()


def test_peaks_bound_the_level():
    click = np.zeros(10_000, np.float32)
    click[5] = 0.1
    assert synth.level(click).max() == pytest.approx(synth.PEAK)


def test_a_midi_file_is_rendered_on_the_piano(tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(midi())
    piano = rendered(path)
    assert piano.dtype == np.float32
    assert piano.size > 8000
    half = 0.5 + 0.5 / 16000
    whole = synth.render(np.array([half - 0.5]), np.array([half]), np.array([60]), np.array([80]), 0, 16000)
    np.testing.assert_allclose(piano, whole, atol=1e-6)
    path.write_bytes(midi(bytes([0, 0xC0, 7]) + NOTE))
    np.testing.assert_array_equal(rendered(path), piano)
    # With a chunk of another kind.
    path.write_bytes(midi()[:14] + b"more" + bytes(4) + midi()[14:])
    np.testing.assert_array_equal(rendered(path), piano)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is not a MIDI file"),
        (b"RIFF" + bytes(100), "is not a MIDI file"),
        (midi()[:14], "is truncated"),
        (midi(END), "holds no notes"),
        (midi()[:-1], "is truncated"),
        (midi()[:11] + b"\2" + midi()[12:], "is truncated"),
        (midi()[:11] + b"\2" + midi()[12:] + b"MTrk\0", "is truncated"),
        (midi(ticks=0xE728), r"counts time in SMPTE frames, which is not read\. Export it with ticks to a quarter"),
        (midi(bytes([0, 0x90, 60, 80, 0, 0x80, 60, 0]) + END), r"is 0 s long: no note of it lasts"),
        (midi(LATER * 8 + NOTE), "hours long"),
        (midi(LATER * 9 + NOTE), "is damaged: it has numbers that MIDI cannot count to"),
        (midi(NOTE[:3] + bytes([200]) + NOTE[4:]), "is damaged: it has numbers"),
        (midi(NOTE[:2] + bytes([200]) + NOTE[3:7] + bytes([200]) + NOTE[8:]), "is damaged: it has numbers"),
        (midi()[:-6], "is truncated"),
        (b"MThd\x00", "is truncated"),
        (b"MThd" + bytes(4), "is truncated"),
        (midi()[:14] + b"more" + bytes(4) + midi()[14:-1], "is truncated"),
        (midi(b"\xff" * 20), "is damaged"),
        (midi(ticks=0), "0 ticks in a quarter note"),
        (midi(bytes([0, 0x99]) + NOTE[2:5] + bytes([0x60, 0x89]) + NOTE[7:]), r"holds no notes \(drums aside\)"),
        (midi(bytes([0, 0x90, 60, 80, 0xFF, 0xFF, 0xFF, 0x7F, 0x80]) + NOTE[7:]), "hours long"),
    ],
)
def test_bad_midi_files_are_refused(tmp_path, data, text):
    path = tmp_path / "bad.mid"
    path.write_bytes(data)
    with pytest.raises(MaestroError, match=text):
        rendered(path)


def test_the_most_ticks_in_a_quarter_note(tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(midi(ticks=0x7FFF))
    assert read_notes(path).duration_s[0] == pytest.approx(0.5 * 480 / 0x7FFF)


def test_what_follows_the_last_track_is_nobodys(tmp_path):
    path = tmp_path / "a.mid"
    for more in (b"\0", bytes(100), b"TAG of another program"):
        path.write_bytes(midi() + more)
        assert 0.5 < rendered(path).size / 16000 < 2


def test_a_missing_soundfont_is_named(tmp_path, monkeypatch):
    bare = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    for spec in (None, bare):
        monkeypatch.setattr(synth.importlib.util, "find_spec", lambda _, spec=spec: spec)
        with pytest.raises(MaestroError, match=r"TimGM6mb\.sf2: the SoundFont .* is missing\. Run `make setup`"):
            synth.source_soundfont()


def test_a_missing_midi_file_is_named(tmp_path):
    with pytest.raises(MaestroError, match=r"none\.mid: cannot be read: No such file"):
        rendered(tmp_path / "none.mid")
