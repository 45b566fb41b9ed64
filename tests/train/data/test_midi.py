"""MIDI files as one piano plays them: keys, pedal, and whatever their length in little memory."""

import struct

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.data import midi, synth
from train.errors import MaestroError

TICKS = 480
END = bytes([0xFF, 0x2F, 0])


def length(ticks):
    found = [ticks & 127]
    while ticks := ticks >> 7:
        found.insert(0, 128 | ticks & 127)
    return bytes(found)


def written(path, *tracks):
    """A file of tracks, each of (tick, message); 480 ticks to a quarter of half a second."""
    chunks = [b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), TICKS)]
    for events in tracks:
        body, now = b"", 0
        for tick, message in sorted(events, key=lambda event: event[0]):
            body += length(tick - now) + bytes(message)
            now = tick
        body += b"\0" + END
        chunks.append(b"MTrk" + struct.pack(">I", len(body)) + body)
    path.write_bytes(b"".join(chunks))
    return path


def key(tick, ticks, pitch=60, velocity=80, channel=0):
    return [(tick, (0x90 | channel, pitch, velocity)), (tick + ticks, (0x80 | channel, pitch, 0))]


def pedal(tick, value, channel=0):
    return [(tick, (0xB0 | channel, 64, value))]


def ends(path):
    """(pitch, onset, end) of each note in quarters of half a second."""
    found = midi.midi_notes(path)
    onset, end = 2 * found.onset_s, 2 * (found.onset_s + found.duration_s)
    return [(int(p), round(o, 4), round(e, 4)) for p, o, e in zip(found.pitch, onset, end, strict=True)]


@pytest.mark.parametrize(
    ("tracks", "wanted"),
    [
        ([key(0, 480) + key(480, 480, 62)], [(60, 0, 1), (62, 1, 2)]),
        # Held: pressed before the key is up, or with it; released while the key is down it does nothing.
        ([key(0, 480) + pedal(240, 127) + pedal(1920, 0)], [(60, 0, 4)]),
        ([key(0, 480) + pedal(480, 127) + pedal(960, 0)], [(60, 0, 2)]),
        ([key(0, 480) + pedal(0, 127) + pedal(240, 0)], [(60, 0, 1)]),
        ([key(0, 480) + pedal(481, 127) + pedal(1920, 0)], [(60, 0, 1)]),
        # 64 is down, 63 is up; more of the same changes nothing.
        ([key(0, 480) + pedal(0, 64) + pedal(480, 100) + pedal(960, 63)], [(60, 0, 2)]),
        ([key(0, 480) + pedal(0, 64) + pedal(960, 63)], [(60, 0, 2)]),
        ([key(0, 480) + pedal(0, 63) + pedal(960, 0)], [(60, 0, 1)]),
        # The same key struck again ends what is held of it, and no other's.
        ([key(0, 240) + key(480, 240) + key(0, 240, 64) + pedal(0, 127) + pedal(1440, 0)],
         [(60, 0, 1), (64, 0, 3), (60, 1, 3)]),
        # A pedal that nobody lifts is lifted with the last key.
        ([key(0, 240) + key(960, 480, 62) + pedal(0, 127)], [(60, 0, 3), (62, 2, 3)]),
        ([key(0, 1440) + key(480, 240, 62) + pedal(0, 127)], [(60, 0, 3), (62, 1, 3)]),
        # One piano has one pedal, whichever hand's track tells of it.
        ([key(0, 480) + pedal(0, 127) + pedal(960, 0), key(240, 240, 40, channel=1)], [(60, 0, 2), (40, 0.5, 2)]),
        # Where its program changes a channel becomes two tracks, the pedal down in one and up in the other.
        ([key(0, 480) + pedal(240, 127) + [(600, (0xC0, 5))] + key(720, 480, 62) + pedal(1440, 0) + key(1920, 480, 64)],
         [(60, 0, 3), (62, 1.5, 3), (64, 4, 5)]),
        # Lifted and pressed again at once, as scores have it: what has sounded ends.
        ([key(0, 240) + pedal(0, 127) + pedal(480, 0) + pedal(480, 127) + key(480, 240, 62) + pedal(960, 0)],
         [(60, 0, 1), (62, 1, 2)]),
        # Pedals of several tracks, the one within the other, or out of order.
        ([key(0, 240) + pedal(0, 127) + pedal(1440, 0),
          key(0, 240, 64, channel=1) + pedal(100, 127, 1) + pedal(480, 0, 1)],
         [(60, 0, 3), (64, 0, 3)]),
        ([key(960, 240) + pedal(960, 127) + pedal(1440, 0),
          key(0, 240, 64, channel=1) + pedal(0, 127, 1) + pedal(480, 0, 1)],
         [(64, 0, 1), (60, 2, 3)]),
        # Struck again before it is up, a key sounds until it is.
        ([key(0, 960) + key(480, 960) + pedal(0, 127) + pedal(1920, 0)], [(60, 0, 2), (60, 1, 4)]),
        # What begins together comes by pitch, whichever track it is in.
        ([key(0, 480, 62), key(0, 960, 60, channel=1)], [(60, 0, 2), (62, 0, 1)]),
        # No piano string sounds for a minute.
        ([key(0, 480) + key(480 * 120, 480, 62) + pedal(0, 127)], [(60, 0, 40), (62, 120, 121)]),
        ([key(0, 480 * 120)], [(60, 0, 40)]),
    ],
)  # fmt: skip
def test_a_note_sounds_until_key_and_pedal_are_up(tmp_path, tracks, wanted):
    assert ends(written(tmp_path / "a.mid", *tracks)) == wanted


@settings(max_examples=60, deadline=None)
@given(
    strikes=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(60, 62)), min_size=1, max_size=12),
    levels=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 127)), max_size=8, unique_by=lambda event: event[0]),
)
def test_notes_end_as_a_piano_played_event_by_event_has_them(tmp_path_factory, strikes, levels):
    # Keys that are struck before they are up are another question: MIDI leaves it open.
    free: dict[int, int] = {}
    played = []
    for onset, ticks, pitch in sorted(strikes):
        if onset >= free.get(pitch, 0):
            played.append((onset, onset + ticks, pitch))
            free[pitch] = onset + ticks + 1
    path = tmp_path_factory.mktemp("midi") / "a.mid"
    scale = 48
    events = [event for onset, up, pitch in played for event in key(scale * onset, scale * (up - onset), pitch)]
    # Of one moment's events keys come first, as the file is written.
    events += [event for at, value in levels for event in pedal(scale * at, value)]
    # A lifted pedal after all is over.
    events += pedal(scale * 100, 0)

    down, sounding, wanted = False, {}, {}
    for tick in range(101):
        now = [(at, value) for at, value in levels if at == tick] + ([(100, 0)] if tick == 100 else [])
        for onset, _, pitch in played:
            if onset == tick:
                if pitch in sounding:
                    wanted[sounding.pop(pitch)] = tick
                sounding[pitch] = (onset, pitch)
        down = now[0][1] >= 64 if now else down
        for onset, up, pitch in played:
            if sounding.get(pitch) == (onset, pitch) and up <= tick and not down:
                wanted[sounding.pop(pitch)] = tick
    found = {(pitch, onset): end for pitch, onset, end in ends(written(path, events))}
    assert found == {(p, o / 10): end / 10 for (o, p), end in wanted.items()}


def test_notes_are_where_pretty_midi_has_them(tmp_path):
    """Of any number of tracks, over tempo changes, to the end of an hour."""
    rng = np.random.default_rng(3)
    for number in range(5):
        changes = [
            (0, 500_000),
            *((int(rng.integers(7_000)), int(rng.integers(200_000, 900_000))) for _ in range(number)),
        ]
        tracks = [[(tick, (0xFF, 0x51, 3, *quarter.to_bytes(3, "big"))) for tick, quarter in changes]]
        tracks[0] += key(0, 100, channel=3)
        for channel in range(3):
            tracks.append([])
            for pitch in rng.permutation(128)[:20]:
                for at in (0, 2_000, 4_000, 6_000, 3_000_000):
                    on, ticks, velocity = (int(rng.integers(*ends)) for ends in ((1, 1000), (1, 900), (1, 128)))
                    tracks[-1] += key(at + on, ticks, int(pitch), velocity, channel)
        path = written(tmp_path / f"{number}.mid", *tracks)
        wanted = sorted(
            (note.start, note.pitch, note.end, note.velocity)
            for part in pretty_midi.PrettyMIDI(str(path)).instruments
            for note in part.notes
        )
        found = midi.midi_notes(path)
        columns = (found.onset_s, found.pitch, found.onset_s + found.duration_s, found.velocity)
        np.testing.assert_allclose(sorted(zip(*columns, strict=True)), wanted, rtol=0, atol=1e-9)
        assert midi.midi_duration_s(path) == pytest.approx(max(end for _, _, end, _ in wanted), abs=1e-9)


def test_a_pedal_of_the_tick_of_a_keys_end_holds_it(tmp_path):
    # In symusic's seconds, of 32 bits, the pedal was late for half of these.
    for off in range(481, 5000, 97):
        path = written(tmp_path / "a.mid", key(35, off - 35) + pedal(off, 127) + pedal(off + 960, 0))
        assert midi.midi_notes(path).duration_s[0] == pytest.approx((off + 960 - 35) / 960)


def test_what_is_rendered_does_not_depend_on_the_stretches(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    # Anywhere, not only where 32 bits hold the seconds.
    strikes = [(at + int(rng.integers(240)), int(rng.integers(100, 2000))) for at in range(0, 9600, 240)]
    events = [event for at, ticks in strikes for event in key(at, ticks, int(rng.integers(30, 90)))]
    path = written(tmp_path / "a.mid", events + pedal(0, 127) + pedal(2000, 0) + key(60 * 480, 480))
    found = []
    for stretch_s in (100.0, 30.0, 1.0, 0.3):
        monkeypatch.setattr(synth, "STRETCH_S", stretch_s)
        blocks = list(synth.midi_blocks(path, 16000))
        assert max(block.size for block in blocks[:-1] or [blocks[0][:0]]) <= stretch_s * 16000
        found.append(np.concatenate(blocks))
    assert 30 * 16000 < found[0].size < 32 * 16000
    for other in found[1:]:
        assert other.size == found[0].size
        # Sums of notes in another order.
        np.testing.assert_allclose(other, found[0], atol=1e-6)
    assert np.sqrt(np.mean(found[0].astype(float) ** 2)) == pytest.approx(synth.LEVEL_RMS, rel=1e-4)


def test_the_pedal_is_heard(tmp_path):
    notes = [event for at in range(4) for event in key(480 * at, 120, 60 + at)]
    dry, wet = (
        np.concatenate(list(synth.midi_blocks(written(tmp_path / f"{name}.mid", notes + extra), 16000)))
        for name, extra in (("dry", []), ("wet", pedal(0, 127) + pedal(1920, 0)))
    )
    # Between strokes the dry piano has gone quiet, the other goes on.
    between = slice(int(0.44 * 16000), int(0.49 * 16000))
    assert np.sqrt(np.mean(wet[between] ** 2)) > 2 * np.sqrt(np.mean(dry[between] ** 2))


def test_a_midi_file_of_hours_is_refused_by_its_last_key_and_not_by_its_pedal(tmp_path):
    assert midi.midi_duration_s(written(tmp_path / "a.mid", key(0, 480) + pedal(0, 127) + pedal(48000, 0))) == 0.5
    assert midi.midi_duration_s(written(tmp_path / "b.mid", key(960 * 14400 - 960, 960))) == 4 * 3600
    with pytest.raises(MaestroError, match=r"b\.mid: is 4\.2 hours long \(expected 4 hours at most\)"):
        midi.midi_notes(written(tmp_path / "b.mid", key(480 * 2 * 15000, 480)))
