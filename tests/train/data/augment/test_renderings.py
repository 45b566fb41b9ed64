"""MIDI files rendered ahead: once, in parallel, where there is room."""

import shutil
from types import SimpleNamespace

import pytest

from train import artifacts
from train.data.augment import renderings
from train.data.augment.renderings import render_ahead, rendered
from train.data.dataset import DataSet, Recording
from train.data.sound import load_sound
from train.errors import MaestroError


@pytest.fixture
def midi_set(data, small_midi, tmp_path):
    """Two MIDI files with a note each, and one of sound."""
    other = tmp_path / "b.midi"
    other.write_bytes(small_midi.read_bytes().replace(b"\x45", b"\x40"))
    names = (small_midi.name, other.name, data.recordings[0].file)
    found = tuple(Recording(name, name, "train", 1.0, name, name, {"title": "a"}) for name in names)
    return DataSet("three", tmp_path, found, {"title": ("a",)})


def kept():
    return sorted((artifacts.CACHE / "rendered").glob("*"))


def test_what_is_missing_is_rendered_and_what_is_kept_left_alone(midi_set, capsys, monkeypatch):
    render_ahead(midi_set, midi_set.recordings[:1], 8000)
    (first,) = kept()
    render_ahead(midi_set, midi_set.recordings, 8000)
    assert len(kept()) == 2
    said = capsys.readouterr().err
    assert said.count("rendering: 0.00 hours of 1 MIDI file; up to 0.0 MB of disk") == 2
    monkeypatch.setattr(renderings, "in_parallel", lambda *_: pytest.fail("rendered again"))
    render_ahead(midi_set, midi_set.recordings, 8000)
    for recording in midi_set.recordings[:2]:
        path = midi_set.file_of(recording)
        assert abs(load_sound(rendered(path, 8000), 8000) - load_sound(path, 8000)).max() <= 2**-15
    assert first in kept()


def test_a_disk_without_room_is_named_before(midi_set, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000))
    words = r"rendered: three's MIDI files need up to 0\.0 MB of disk as sound, 0\.0 MB are free\. Free some disk"
    with pytest.raises(MaestroError, match=words):
        render_ahead(midi_set, midi_set.recordings, 8000)
    assert not kept()


def test_a_damaged_file_is_named_and_the_others_are_kept(midi_set):
    render_ahead(midi_set, midi_set.recordings[1:], 8000)
    midi_set.file_of(midi_set.recordings[0]).write_bytes(b"RIFF")
    with pytest.raises(MaestroError, match=r"a\.mid: is not a MIDI file"):
        render_ahead(midi_set, midi_set.recordings, 8000)
    assert len(kept()) == 1
