"""Standard MIDI Files read: the notes as a piano sounds them, its sustain pedal included."""

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
_RENDERING = 2


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
    are left out.

    Raises
    ------
    MaestroError
        No such file, not a MIDI file, truncated, no notes, or hours too long.
    """
    tracks = _read(path).to("second").tracks
    parts = [track.notes.numpy() for track in tracks]
    onset_s, duration_s, pitch, velocity = (
        np.concatenate([np.asarray(part[name], np.float64) for part in parts])
        for name in ("time", "duration", "pitch", "velocity")
    )
    order = np.lexsort((pitch, onset_s))
    onset_s, duration_s, pitch = onset_s[order], duration_s[order], pitch[order]
    key_up_s = onset_s + duration_s
    end_s = _held(onset_s, key_up_s, pitch, _pedal(tracks, float(key_up_s.max())))
    duration_s = np.minimum(end_s - onset_s, LONGEST_NOTE_S)
    return Notes(onset_s, duration_s, pitch.astype(np.int64), velocity[order].astype(np.int64))


def midi_duration_s(path: Path) -> float:
    """When a Standard MIDI File's last key is let go, in seconds; drums are left out.

    Raises
    ------
    MaestroError
        As `midi_notes`.
    """
    return _last_key_s(_read(path).to("second").tracks)


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
    if not _chunks_fit(data):
        raise MaestroError(str(path), "is truncated", cure="copy or download it again, whole")
    try:
        score = symusic.Score.from_midi(data)
    except Exception as error:  # symusic raises RuntimeError, ValueError and its own
        raise MaestroError(str(path), f"is damaged: {error}", cure=cure) from error
    if score.ticks_per_quarter <= 0:
        raise MaestroError(str(path), "is damaged: it counts 0 ticks in a quarter note", cure=cure)
    score.tracks = [track for track in score.tracks if not track.is_drum]
    if score.note_num() == 0:
        raise MaestroError(str(path), "holds no notes (drums aside)", cure=cure)
    length_s = _last_key_s(score.to("second").tracks)
    if not length_s <= LONGEST_S:
        raise MaestroError(str(path), f"is {length_s / 3600:.1f} hours long", allowed="4 hours at most", cure=cure)
    return score


def _last_key_s(tracks: Any) -> float:
    # symusic's own end of a score counts its pedal too.
    return max(float(note.end) for track in tracks for note in track.notes)


def _chunks_fit(data: bytes) -> bool:
    """Whether every chunk of a MIDI file is as long as it says; symusic reads on without the rest."""
    place = 0
    while place < len(data):
        place += 8 + int.from_bytes(data[place + 4 : place + 8], "big")
    return place == len(data) and len(data) >= 14


def _pedal(tracks: Any, end_s: float) -> NDArray[np.float64]:
    """When the pedal goes down and up again in any track, (press, 2) seconds, sorted and apart."""
    presses: list[tuple[float, float]] = []
    for track in tracks:
        down_s: float | None = None
        for event in track.controls:
            if event.number != _DAMPER:
                continue
            if event.value >= _DOWN:
                down_s = event.time if down_s is None else down_s
            elif down_s is not None:
                presses.append((down_s, event.time))
                down_s = None
        if down_s is not None:
            presses.append((down_s, max(end_s, down_s)))
    merged: list[tuple[float, float]] = []
    for down, up in sorted(presses):
        if merged and down <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(up, merged[-1][1])
        else:
            merged.append((down, up))
    return np.array(merged, np.float64).reshape(-1, 2)


def _held(
    onset_s: NDArray[np.float64],
    key_up_s: NDArray[np.float64],
    pitch: NDArray[np.float64],
    presses: NDArray[np.float64],
) -> NDArray[np.float64]:
    """When each note ends: with its key, or with the pedal that is down then, if its key is not struck before."""
    end_s = key_up_s.copy()
    if not len(presses):
        return end_s
    press = np.searchsorted(presses[:, 0], key_up_s, side="right") - 1
    up_s = presses[np.maximum(press, 0), 1]
    held = (press >= 0) & (key_up_s < up_s)
    end_s[held] = up_s[held]
    for key in np.unique(pitch):
        mine = np.flatnonzero(pitch == key)
        again_s = np.maximum(onset_s[mine[1:]], key_up_s[mine[:-1]])
        end_s[mine[:-1]] = np.minimum(end_s[mine[:-1]], again_s)
    return end_s
