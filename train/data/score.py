"""A score as one keyboard player reads it: notes in quarter lengths."""

import importlib.util
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.data.pieces import Piece
from train.errors import MaestroError

# The keys of a piano, A0 to C8.
LOWEST, HIGHEST = 21, 108
# A bar where a file has none (the ABC files print no bar lines).
_FREE_BAR_QL = 4.0
_REINSTALL = "reinstall music21 with its corpus: `make setup`"


@dataclass(frozen=True)
class Score:
    """Notes sorted by onset, then pitch; no two sound on one key at once.

    Parameters
    ----------
    onset_ql, duration_ql
        (note,) quarter lengths; the first onset is 0.
    pitch
        (note,) MIDI numbers within a piano's compass.
    part
        (note,) index of the part in the file.
    accent
        (note,) True on the first beat of a bar.
    length_ql, bar_ql
        Length of the piece and of its commonest bar.
    """

    onset_ql: NDArray[np.float64]
    duration_ql: NDArray[np.float64]
    pitch: NDArray[np.int64]
    part: NDArray[np.int64]
    accent: NDArray[np.bool_]
    length_ql: float
    bar_ql: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `from_dict` gives the same score back, bit for bit."""
        return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in vars(self).items()}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "Score":
        """Inverse of `to_dict`; raises KeyError or ValueError on anything else."""
        score = Score(
            np.asarray(values["onset_ql"], float),
            np.asarray(values["duration_ql"], float),
            np.asarray(values["pitch"], np.int64),
            np.asarray(values["part"], np.int64),
            np.asarray(values["accent"], bool),
            float(values["length_ql"]),
            float(values["bar_ql"]),
        )
        notes = (score.onset_ql, score.duration_ql, score.pitch, score.part, score.accent)
        if len({array.shape for array in notes}) != 1 or score.pitch.size == 0:
            raise ValueError("columns of different lengths")
        return score


def read_score(piece: Piece) -> Score:
    """Read a piece from music21's corpus; nothing is written and nothing downloaded.

    Raises
    ------
    MaestroError
        music21 was installed without its corpus, or its file is not the one this project knows.
    """
    path = _corpus_folder() / piece.path
    if not path.is_file():
        raise MaestroError(str(path), "missing from music21's corpus", cure=_REINSTALL)
    # Slow to import, and needed only where a corpus is built.
    from music21 import converter

    with warnings.catch_warnings():
        # Encoders' slips that music21 mends by itself (an overfull bar).
        warnings.simplefilter("ignore")
        try:
            # Its pickles would land in a folder shared by all users of the machine.
            stream = converter.parse(path, forceSource=True, storePickle=False)
            rows, bars = _rows(stream)
        except Exception as error:  # music21 raises whatever its parsers meet
            raise MaestroError(str(path), f"music21 cannot read it: {error}", cure=_REINSTALL) from error
    return from_rows(rows, bars, piece.start_ql, str(path))


def from_rows(
    rows: list[tuple[float, float, int, int]], bars: list[float], start_ql: float = 0.0, where: str = "score"
) -> Score:
    """Make a `Score` of (onset_ql, duration_ql, pitch, part) rows and the onsets of bars.

    Notes outside a piano's compass are dropped; a key that is still down when it is struck again is released
    then, and two parts in unison strike one key once, for the longer of the two.

    Raises
    ------
    MaestroError
        No note is left.
    """
    notes: dict[tuple[float, int], tuple[float, int]] = {}
    for onset, duration, pitch, part in rows:
        if onset < start_ql or duration <= 0 or not LOWEST <= pitch <= HIGHEST:
            continue
        held = notes.get((onset, pitch))
        if held is None or duration > held[0]:
            notes[onset, pitch] = (duration, part)
    if not notes:
        raise MaestroError(where, "holds no notes", cure=_REINSTALL)
    keys = sorted(notes)
    first = keys[0][0]
    onset_ql = np.array([onset for onset, _ in keys])
    pitch_array = np.array([pitch for _, pitch in keys], np.int64)
    duration_ql = np.array([notes[key][0] for key in keys])
    for key in np.unique(pitch_array):
        mine = np.flatnonzero(pitch_array == key)
        duration_ql[mine[:-1]] = np.minimum(duration_ql[mine[:-1]], np.diff(onset_ql[mine]))
    lengths, counts = np.unique(np.diff(bars), return_counts=True) if len(bars) > 1 else ([_FREE_BAR_QL], [1])
    return Score(
        onset_ql - first,
        duration_ql,
        pitch_array,
        np.array([notes[key][1] for key in keys], np.int64),
        np.isin(onset_ql, bars),
        float((onset_ql + duration_ql).max() - first),
        max(float(lengths[int(np.argmax(counts))]), 1.0),
    )


def _corpus_folder() -> Path:
    # find_spec does not run music21, whose import takes seconds.
    spec = importlib.util.find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise MaestroError("music21", "is not installed", cure="run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "corpus"


def _rows(stream: Any) -> tuple[list[tuple[float, float, int, int]], list[float]]:
    """Notes and bar onsets of a music21 Score, or of an Opus whose scores are the voices of one piece."""
    # ABC writes each voice as a tune of its own.
    if hasattr(stream, "scores"):
        voices = [score.parts[0] for score in stream.scores]
    else:
        # Clarinets, horns and trumpets are written at another pitch than they sound.
        stream.toSoundingPitch(inPlace=True)
        voices = list(stream.parts)
    bars = _bars(voices[0])
    rows = []
    for index, voice in enumerate(voices):
        own = _bars(voice)
        # A bar that one part overfills pushes that part's later bars off the others'.
        shift = np.subtract(bars, own) if own and len(own) == len(bars) else None
        voice.stripTies(inPlace=True)
        for element in voice.flatten().notes:
            if "ChordSymbol" in element.classes:
                continue
            # Fractions (triplets) become floats here, once.
            onset, duration = float(element.offset), float(element.duration.quarterLength)
            if shift is not None:
                onset += float(shift[np.searchsorted(own, onset, side="right") - 1])
            rows += [(onset, duration, int(pitch.midi), index) for pitch in element.pitches]
    return rows, bars


def _bars(part: Any) -> list[float]:
    return sorted({float(bar.offset) for bar in part.getElementsByClass("Measure")})
