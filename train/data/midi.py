"""Standard MIDI Files read: the notes as a piano sounds them, its sustain pedal included."""

import bisect
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from numpy.typing import NDArray

from train.data import soundfont
from train.errors import MaestroError

LONGEST_S = 4 * 3600.0
# A string has died away by then (TimGM6mb lets its piano fall by 100 dB in 5 to 30 s); the synthesiser would hold it.
LONGEST_NOTE_S = 20.0
# MIDI 1.0 Detailed Specification (MMA, 1996), controller 64, damper pedal: 0 to 63 is off, 64 to 127 is on.
_DAMPER, _DOWN = 64, 64
# Raise it when the rendering of one and the same MIDI file changes.
_RENDERING = 3


@dataclass(frozen=True)
class Notes:
    """Notes of a MIDI file, (note,) each, sorted by onset.

    Attributes
    ----------
    onset_s, duration_s
        When each begins, and how long it sounds: until its key and the sustain pedal are both up, its key is struck
        again, or `LONGEST_NOTE_S` have passed.
    pitch, velocity
        As in the file, 0 to 127.
    """

    onset_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]


def midi_notes(path: Path) -> Notes:
    """Read a Standard MIDI File as one piano plays it: all its tracks but the drums, with one pedal.

    The sustain pedal (controller 64) is down or up; one in a track without notes is not seen. Sostenuto and soft pedal
    are left out. Notes are held as transcription holds them (Hawthorne et al. 2018, "Onsets and Frames", ISMIR).

    Raises
    ------
    MaestroError
        No such file, not a MIDI file, truncated, damaged, in SMPTE time, no notes, or hours too long.
    """
    score = _read(path)
    onset, duration, pitch, velocity = _columns(score, "time", "duration", "pitch", "velocity")
    order = np.lexsort((pitch, onset))
    onset, pitch = onset[order], pitch[order]
    key_up = onset + duration[order]
    # In ticks, where a pedal of the very moment that a key goes up is no later than it.
    end = _held(onset, key_up, pitch, _pedal(score.tracks, int(key_up.max())))
    onset_s = _seconds(score, onset)
    duration_s = np.minimum(_seconds(score, end) - onset_s, LONGEST_NOTE_S)
    return Notes(onset_s, duration_s, pitch, velocity[order])


def midi_duration_s(path: Path) -> float:
    """When a Standard MIDI File's last key is let go, in seconds; drums are left out.

    Raises
    ------
    MaestroError
        As `midi_notes`.
    """
    return _last_key_s(_read(path))


def rendered_by() -> list[Any]:
    """What decides, besides the file, which samples a MIDI file is rendered to."""
    return [_RENDERING, soundfont.FORMAT, metadata.version("symusic"), metadata.version("pretty_midi")]


def _read(path: Path) -> Any:
    """A Standard MIDI File as symusic's score, without its drums."""
    cure = "give a Standard MIDI File (.mid) that a player can play"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MaestroError(str(path), f"cannot be read: {error.strerror or error}", cure=cure) from error
    if data[:4] != b"MThd":
        raise MaestroError(str(path), "is not a MIDI file", allowed="a file that begins with MThd", cure=cure)
    if not _is_whole(data):
        raise MaestroError(str(path), "is truncated", cure="copy or download it again, whole")
    if data[12] & 0x80:
        cure = "export it with ticks to a quarter note"
        raise MaestroError(str(path), "counts time in SMPTE frames, which is not read", cure=cure)
    try:
        score = symusic.Score.from_midi(data)
    except Exception as error:  # symusic raises RuntimeError, ValueError and its own
        raise MaestroError(str(path), f"is damaged: {error}", cure=cure) from error
    if score.ticks_per_quarter <= 0:
        raise MaestroError(str(path), "is damaged: it counts 0 ticks in a quarter note", cure=cure)
    score.tracks = [track for track in score.tracks if not track.is_drum]
    if score.note_num() == 0:
        raise MaestroError(str(path), "holds no notes (drums aside)", cure=cure)
    if min(column.min() for column in _columns(score, "time", "duration", "pitch", "velocity")) < 0:
        raise MaestroError(str(path), "is damaged: it has numbers that MIDI cannot count to", cure=cure)
    length_s = _last_key_s(score)
    if length_s > LONGEST_S:
        raise MaestroError(str(path), f"is {length_s / 3600:.1f} hours long", allowed="4 hours at most", cure=cure)
    if length_s == 0:
        raise MaestroError(str(path), "is 0 s long: no note of it lasts", cure=cure)
    return score


def _last_key_s(score: Any) -> float:
    # symusic's own end of a score counts its pedal too.
    onset, duration = _columns(score, "time", "duration")
    return float(_seconds(score, onset + duration).max())


def _columns(score: Any, *names: str) -> list[NDArray[np.int64]]:
    """What all notes have, (note,) each, in ticks and MIDI's numbers; symusic counts with 32 and 8 bits."""
    parts = [track.notes.numpy() for track in score.tracks]
    return [np.concatenate([np.asarray(part[name], np.int64) for part in parts]) for name in names]


def _seconds(score: Any, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
    """When ticks come, by the score's tempo changes; symusic's own seconds have 32 bits, which is 1 ms after hours."""
    changes = score.tempos.numpy()
    order = np.argsort(changes["time"], kind="stable")
    # Until told otherwise a quarter note lasts half a second (Standard MIDI Files 1.0, tempo).
    start = np.array([0, *changes["time"][order]], np.int64)
    tick_s = np.array([500_000, *changes["mspq"][order]], np.int64) / (1e6 * score.ticks_per_quarter)
    start_s = np.concatenate([[0.0], np.cumsum(np.diff(start) * tick_s[:-1])])
    part = np.searchsorted(start, ticks, side="right") - 1
    found: NDArray[np.float64] = start_s[part] + (ticks - start[part]) * tick_s[part]
    return found


def _is_whole(data: bytes) -> bool:
    """Whether all tracks that a MIDI file's header promises are there, each as long as it says.

    symusic reads on without the rest. What follows the last track is nobody's.
    """
    if len(data) < 14:
        return False
    missing, place = int.from_bytes(data[10:12], "big"), 8 + int.from_bytes(data[4:8], "big")
    while missing and place + 8 <= len(data):
        missing -= data[place : place + 4] == b"MTrk"
        place += 8 + int.from_bytes(data[place + 4 : place + 8], "big")
    return not missing and place <= len(data)


def _pedal(tracks: Any, end: int) -> NDArray[np.int64]:
    """When the pedal goes down and up again in any track, (press, 2) ticks, sorted and apart."""
    moves = [[event for event in track.controls if event.number == _DAMPER] for track in tracks]
    lifts = sorted(event.time for track in moves for event in track if event.value < _DOWN)
    presses: list[tuple[int, int]] = []
    for track in moves:
        down: int | None = None
        for event in track:
            if event.value >= _DOWN:
                down = event.time if down is None else down
            elif down is not None:
                presses.append((down, event.time))
                down = None
        if down is not None:
            # symusic cuts a channel in two where its program changes, and the lift may be in the other part.
            later = bisect.bisect(lifts, down)
            presses.append((down, lifts[later] if later < len(lifts) else max(end, down)))
    merged: list[tuple[int, int]] = []
    for down, up in sorted(presses):
        # Not where one ends as the next begins: that is how a pedal is changed.
        if merged and down < merged[-1][1]:
            merged[-1] = merged[-1][0], max(up, merged[-1][1])
        else:
            merged.append((down, up))
    return np.array(merged, np.int64).reshape(-1, 2)


def _held(
    onset: NDArray[np.int64], key_up: NDArray[np.int64], pitch: NDArray[np.int64], presses: NDArray[np.int64]
) -> NDArray[np.int64]:
    """When each note ends: with its key, or with the pedal that is down then, if its key is not struck before."""
    end = key_up.copy()
    if not len(presses):
        return end
    press = np.searchsorted(presses[:, 0], key_up, side="right") - 1
    up = presses[np.maximum(press, 0), 1]
    held = (press >= 0) & (key_up < up)
    end[held] = up[held]
    for key in np.unique(pitch):
        mine = np.flatnonzero(pitch == key)
        again = np.maximum(onset[mine[1:]], key_up[mine[:-1]])
        end[mine[:-1]] = np.minimum(end[mine[:-1]], again)
    return end
