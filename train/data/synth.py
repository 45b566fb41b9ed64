"""Notes and MIDI files rendered to sound by symusic's synthesiser with pretty_midi's SoundFont."""

import importlib.util
import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from numpy.typing import NDArray

from train.data.midi import Notes, midi_notes
from train.data.soundfont import prepared
from train.errors import MaestroError

SOUNDFONT = "TimGM6mb.sf2"
# Loudness of everything rendered: root mean square and highest peak, full scale 1. A SoundFont's programs
# differ by more than 10 dB, which says nothing about the music.
LEVEL_RMS, PEAK = 0.05, 0.98
# Interpolation in prestosynth, 0 to 7; the higher ones remove the grit of low sample rates.
QUALITY = 4
# Seconds of a MIDI file rendered at a time.
STRETCH_S = 30.0
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
    order = np.argsort(onset_s, kind="stable")
    score = _score(onset_s[order], duration_s[order], pitch[order], velocity[order], program)
    return level(_mono(score, sample_rate_hz))


def midi_blocks(path: Path, sample_rate_hz: int) -> Iterator[NDArray[np.float32]]:
    """Render a Standard MIDI File on the corpus's piano, whatever instruments it names; drums are left out.

    The networks know no other instrument. What is in memory at a time does not grow with the file's length.

    Yields
    ------
    NDArray[np.float32], shape (sample,)
        Mono, from time 0 to the end of the last note's release, the whole at `LEVEL_RMS`. The same file gives the
        same samples.

    Raises
    ------
    MaestroError
        As `train.data.midi.midi_notes`.
    """
    notes = midi_notes(path)
    # Rendered twice, as the level is known only at the end, and neither memory nor disk is to hold the whole.
    squares = peak = 0.0
    samples = 0
    for block in _stretches(notes, sample_rate_hz):
        squares += float(np.sum(np.square(block, dtype=np.float64)))
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        samples += block.size
    gain = _gain(math.sqrt(squares / max(samples, 1)), peak, LEVEL_RMS)
    for block in _stretches(notes, sample_rate_hz):
        yield (block * gain).astype(np.float32)


def level(audio: NDArray[np.float32], rms: float = LEVEL_RMS) -> NDArray[np.float32]:
    """Scale samples to a root mean square, or as near to it as `PEAK` allows; silence stays silence."""
    now = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0
    return (audio * _gain(now, float(np.abs(audio).max(initial=0.0)), rms)).astype(np.float32)


def _gain(now: float, peak: float, rms: float) -> float:
    return min(rms / now, PEAK / peak) if now else 1.0


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


def _score(
    onset_s: NDArray[np.float64],
    duration_s: NDArray[np.float64],
    pitch: NDArray[np.int64],
    velocity: NDArray[np.int64],
    program: int,
) -> Any:
    """Notes sorted by onset as symusic's score."""
    score = symusic.Score(960, "second")
    track = symusic.Track("", program, False, ttype="second")
    track.notes = symusic.Note.from_numpy(
        onset_s.astype(np.float32),
        duration_s.astype(np.float32),
        pitch.astype(np.int8),
        velocity.astype(np.int8),
        "second",
    )
    score.tracks.append(track)
    return score


def _stretches(notes: Notes, sample_rate_hz: int) -> Iterator[NDArray[np.float32]]:
    """The sum of all notes, rendered stretch by stretch: what of a note lasts longer is added to the next ones."""
    size = round(STRETCH_S * sample_rate_hz)
    # Half a sample off, as the synthesiser's rounding up would fall either way on whole ones.
    start = np.floor(notes.onset_s * sample_rate_hz).astype(np.int64)
    duration_s = (np.floor(notes.duration_s * sample_rate_hz) + 0.5) / sample_rate_hz
    rest = np.zeros(0, np.float32)
    last = int(start[-1]) // size
    for number in range(last + 1):
        here = slice(*np.searchsorted(start, (number * size, (number + 1) * size)))
        onset_s = (start[here] - number * size + 0.5) / sample_rate_hz
        score = _score(onset_s, duration_s[here], notes.pitch[here], notes.velocity[here], 0)
        sound = _mono(score, sample_rate_hz) if onset_s.size else np.zeros(0, np.float32)
        both = np.zeros(max(rest.size, sound.size, 0 if number == last else size), np.float32)
        both[: rest.size] += rest
        both[: sound.size] += sound
        if number == last:
            yield both
        else:
            yield both[:size]
            rest = both[size:]


def _mono(score: Any, sample_rate_hz: int) -> NDArray[np.float32]:
    stereo = np.asarray(_synthesizer(sample_rate_hz).render(score, True))
    return np.ascontiguousarray(stereo.mean(axis=0), dtype=np.float32)


@lru_cache(maxsize=4)
def _synthesizer(sample_rate_hz: int) -> Any:
    return symusic.Synthesizer(str(prepared(source_soundfont())), sample_rate_hz, QUALITY)
