"""Notes and MIDI files rendered to sound by symusic's synthesiser with pretty_midi's SoundFont."""

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from numpy.typing import NDArray

from train.data.soundfont import prepared
from train.errors import MaestroError

SOUNDFONT = "TimGM6mb.sf2"
# Loudness of everything rendered: root mean square and highest peak, full scale 1. A SoundFont's programs
# differ by more than 10 dB, which says nothing about the music.
LEVEL_RMS, PEAK = 0.05, 0.98
# Interpolation in prestosynth, 0 to 7; the higher ones remove the grit of low sample rates.
QUALITY = 4
LONGEST_S = 4 * 3600.0
# General MIDI's names, counted from 0, of the programs the corpus is played on. Programs 1 (bright acoustic)
# and 3 (honky-tonk) are left out: in this SoundFont they are program 0 again, the latter a little out of tune.
PROGRAMS = {
    0: "acoustic grand piano",
    2: "electric grand piano",
    4: "electric piano 1",
    5: "electric piano 2",
    6: "harpsichord",
    7: "clavinet",
}


def render(
    onset_s: NDArray[np.float64],
    duration_s: NDArray[np.float64],
    pitch: NDArray[np.int64],
    velocity: NDArray[np.int64],
    program: int,
    sample_rate_hz: int,
) -> NDArray[np.float32]:
    """Render notes, (note,) each, on one General MIDI program (0 to 127).

    Returns
    -------
    NDArray[np.float32], shape (sample,)
        Mono, from time 0 to the end of the last note's release, at `LEVEL_RMS`. The same notes give the
        same samples.
    """
    score = symusic.Score(960, "second")
    track = symusic.Track("", program, False, ttype="second")
    order = np.argsort(onset_s, kind="stable")
    track.notes = symusic.Note.from_numpy(
        onset_s[order].astype(np.float32),
        duration_s[order].astype(np.float32),
        pitch[order].astype(np.int8),
        velocity[order].astype(np.int8),
        "second",
    )
    score.tracks.append(track)
    return _sound(score, sample_rate_hz)


def render_midi(path: Path, sample_rate_hz: int) -> NDArray[np.float32]:
    """Render a Standard MIDI File on the corpus's piano, whatever instruments it names; drums are left out.

    The networks know no other instrument.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
        Mono, at `LEVEL_RMS`.

    Raises
    ------
    MaestroError
        As `read_midi`.
    """
    score = read_midi(path)
    for track in score.tracks:
        track.program = 0
    return _sound(score, sample_rate_hz)


def midi_duration_s(path: Path) -> float:
    """End of a Standard MIDI File's last note, in seconds; drums are left out.

    Raises
    ------
    MaestroError
        As `read_midi`.
    """
    return float(read_midi(path).to("second").end())


def read_midi(path: Path) -> Any:
    """A Standard MIDI File as symusic's score, without its drums.

    Raises
    ------
    MaestroError
        No such file, not a MIDI file, truncated, no notes, or hours too long.
    """
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
    length_s = float(score.to("second").end())
    if not length_s <= LONGEST_S:
        raise MaestroError(str(path), f"is {length_s / 3600:.1f} hours long", allowed="4 hours at most", cure=cure)
    return score


def level(audio: NDArray[np.float32], rms: float = LEVEL_RMS) -> NDArray[np.float32]:
    """Scale samples to a root mean square, or as near to it as `PEAK` allows; silence stays silence."""
    now = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0
    if now == 0.0:
        return audio
    peak = float(np.abs(audio).max())
    return (audio * min(rms / now, PEAK / peak)).astype(np.float32)


def source_soundfont() -> Path:
    """The SoundFont in pretty_midi's wheel.

    Raises
    ------
    MaestroError
        pretty_midi is not installed, or came without it.
    """
    # find_spec does not run pretty_midi.
    spec = importlib.util.find_spec("pretty_midi")
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = Path(folders[0]) / SOUNDFONT if folders else Path(SOUNDFONT)
    if not path.is_file():
        raise MaestroError(str(path), "the SoundFont of pretty_midi is missing", cure="run `make setup`")
    return path


def _chunks_fit(data: bytes) -> bool:
    """Whether every chunk of a MIDI file is as long as it says; symusic reads on without the rest."""
    place = 0
    while place < len(data):
        place += 8 + int.from_bytes(data[place + 4 : place + 8], "big")
    return place == len(data) and len(data) >= 14


def _sound(score: Any, sample_rate_hz: int) -> NDArray[np.float32]:
    mono = np.asarray(_synthesizer(sample_rate_hz).render(score, True)).mean(axis=0)
    return level(np.ascontiguousarray(mono, dtype=np.float32))


@lru_cache(maxsize=4)
def _synthesizer(sample_rate_hz: int) -> Any:
    return symusic.Synthesizer(str(prepared(source_soundfont())), sample_rate_hz, QUALITY)
