"""The performance model: how a score is played, each time a little differently.

Everything is drawn from one numpy Generator, so that a performance is its seed. The parts of the model, with
where each comes from; the amounts are this project's, within the ranges those sources report:

- **Tempo**: a global factor per performance; phrase arches on two levels (Todd 1992, J. Acoust. Soc. Am. 91:3540,
  "The dynamics of dynamics": players speed up into a phrase and slow down out of it, and loudness goes with
  tempo); a slow drift (an autoregressive walk over beats, after the timekeeper of Wing and Kristofferson 1973,
  Percept. Psychophys. 14:5); a final ritardando (Friberg and Sundberg 1999, J. Acoust. Soc. Am. 105:1469:
  the stop of a runner, v(x) = (1 + (v_end^3 - 1) x)^(1/3)).
- **Loudness**: the same arches; high notes and first beats a little louder (KTH rules "high-loud" and
  "metrical accent", Friberg, Bresin and Sundberg 2006, Adv. Cogn. Psychol. 2:145); the top voice brought out
  (Goebl 2001, J. Acoust. Soc. Am. 110:563); noise of the hand on each note.
- **Timing**: the melody leads by some milliseconds (Goebl 2001; Repp 1996, J. Acoust. Soc. Am. 100:3917);
  chords are not struck quite together; every onset has Gaussian noise (KTH rule "noise"; Repp 1992,
  J. Acoust. Soc. Am. 92:2546, on how much pianists differ from each other and from themselves).
- **Articulation**: a share of the written length that is held, per performance and per note; a key that is struck
  again is let go before (KTH rules "articulation" and "repetition").

Onsets keep the score's order whatever is drawn: deviations are bounded by the gaps between onsets.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.data.score import Score

# Log of the tempo factor: standard deviation, largest.
TEMPO_SPREAD, TEMPO_LARGEST = 0.06, 0.15
# Bars in a phrase, and tempo depth (log, top to bottom) of its arch: mean and standard deviation.
ARCHES = ((4, 0.10, 0.03), (16, 0.08, 0.03))
# MIDI velocity gained from the bottom to the top of an arch of depth 1.
ARCH_VELOCITY = 110.0
# Per quarter note: memory of the drift and size of its step (log tempo).
DRIFT_MEMORY, DRIFT_STEP = 0.95, 0.008
# Final tempo of the ritardando as a share, and its length in bars.
RITARD_END, RITARD_BARS = (0.6, 0.85), 2
BASE_VELOCITY, VELOCITY_SPREAD, VELOCITY_NOISE = 66.0, 5.0, 3.5
VELOCITY_BOUNDS = (20, 120)
HIGH_LOUD_PER_SEMITONE = 0.12
ACCENT = (1.0, 6.0)
MELODY_LIFT = (5.0, 14.0)
MELODY_LEAD_S, ONSET_NOISE_S, CHORD_NOISE_S = (0.005, 0.025), 0.008, 0.006
# Share of the gap to the nearest onset that a chord, and a note within its chord, may move.
CHORD_REACH, NOTE_REACH = 0.2, 0.25
ARTICULATION, ARTICULATION_BOUNDS, ARTICULATION_NOISE = (0.92, 0.07), (0.7, 1.05), 0.05
SHORTEST_S, RELEASE_BEFORE_S = 0.04, 0.01
# Before the first note, and between a piece's end and its repeat: the same for every title.
LEAD_IN_S, PAUSE_S = (0.05, 0.5), (0.3, 0.9)
_GRID_QL = 0.25


@dataclass(frozen=True)
class Performance:
    """Notes as played, (note,) each, sorted by their place in the score; velocity and pitch are MIDI's."""

    onset_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    # Which passage through the piece a note belongs to (0 the first).
    passage: NDArray[np.int64]


def perform_score(score: Score, tempo_bpm: float, rng: np.random.Generator, duration_s: float) -> Performance:
    """Play a score from its beginning until ``duration_s`` seconds are filled.

    A shorter piece is repeated; each repeat is played anew with its own details.
    """
    habits = _Habits.draw(rng)
    passages: list[Performance] = []
    start_s = float(rng.uniform(*LEAD_IN_S))
    while start_s < duration_s:
        played, end_s = _pass(score, tempo_bpm, habits, rng)
        inside = played.onset_s + start_s < duration_s
        passages.append(
            Performance(
                (played.onset_s + start_s)[inside],
                played.duration_s[inside],
                played.pitch[inside],
                played.velocity[inside],
                np.full(int(inside.sum()), len(passages), np.int64),
            )
        )
        start_s += end_s + float(rng.uniform(*PAUSE_S))
    return Performance(
        np.concatenate([passage.onset_s for passage in passages]),
        np.concatenate([passage.duration_s for passage in passages]),
        np.concatenate([passage.pitch for passage in passages]),
        np.concatenate([passage.velocity for passage in passages]),
        np.concatenate([passage.passage for passage in passages]),
    )


@dataclass(frozen=True)
class _Habits:
    """What stays the same throughout one performance."""

    log_tempo: float
    depths: tuple[float, ...]
    velocity: float
    accent: float
    melody_lift: float
    melody_lead_s: float
    articulation: float

    @staticmethod
    def draw(rng: np.random.Generator) -> "_Habits":
        return _Habits(
            float(np.clip(rng.normal(0, TEMPO_SPREAD), -TEMPO_LARGEST, TEMPO_LARGEST)),
            tuple(max(0.0, float(rng.normal(mean, spread))) for _, mean, spread in ARCHES),
            float(rng.normal(BASE_VELOCITY, VELOCITY_SPREAD)),
            float(rng.uniform(*ACCENT)),
            float(rng.uniform(*MELODY_LIFT)),
            float(rng.uniform(*MELODY_LEAD_S)),
            float(np.clip(rng.normal(*ARTICULATION), *ARTICULATION_BOUNDS)),
        )


def _pass(score: Score, tempo_bpm: float, habits: _Habits, rng: np.random.Generator) -> tuple[Performance, float]:
    """One passage through the piece from time 0, and when it ends (seconds)."""
    grid = np.arange(0, score.length_ql + _GRID_QL, _GRID_QL)
    arch = _arches(grid, score.bar_ql, habits.depths)
    seconds = _clock(grid, arch, score, tempo_bpm * np.exp(habits.log_tempo), rng)
    onsets_ql, chord = np.unique(score.onset_ql, return_inverse=True)
    chord_s = np.interp(onsets_ql, grid, seconds)
    gap_s = _nearest_gap(chord_s)
    noise_s = rng.normal(0, ONSET_NOISE_S, chord_s.shape)
    chord_s = chord_s + np.clip(noise_s, -CHORD_REACH * gap_s, CHORD_REACH * gap_s)
    melody = _melody(score, chord)
    apart_s = rng.normal(0, CHORD_NOISE_S, chord.shape) - melody * habits.melody_lead_s
    reach_s = NOTE_REACH * gap_s[chord]
    onset_s = np.maximum(chord_s[chord] + np.clip(apart_s, -reach_s, reach_s), 0.0)
    release_s = np.interp(score.onset_ql + score.duration_ql, grid, seconds)
    held = habits.articulation * np.exp(rng.normal(0, ARTICULATION_NOISE, chord.shape))
    written_s = release_s - np.interp(score.onset_ql, grid, seconds)
    velocity = (
        habits.velocity
        + ARCH_VELOCITY * np.interp(score.onset_ql, grid, arch)
        + HIGH_LOUD_PER_SEMITONE * (score.pitch - 60)
        + habits.accent * score.accent
        + habits.melody_lift * melody
        + rng.normal(0, VELOCITY_NOISE, chord.shape)
    )
    duration_s = _let_go(score.pitch, onset_s, np.maximum(written_s * held, SHORTEST_S))
    loud = np.clip(np.rint(velocity), *VELOCITY_BOUNDS).astype(np.int64)
    return Performance(onset_s, duration_s, score.pitch, loud, np.zeros_like(score.pitch)), float(seconds[-1])


def _arches(grid: NDArray[np.float64], bar_ql: float, depths: tuple[float, ...]) -> NDArray[np.float64]:
    """Sum over levels of parabolas of mean 0 over each phrase, (time,); log tempo."""
    total = np.zeros_like(grid)
    for (bars, _, _), depth in zip(ARCHES, depths, strict=True):
        place = (grid / (bars * bar_ql)) % 1.0
        total += depth * (1.0 - 4.0 * (place - 0.5) ** 2 - 2.0 / 3.0)
    return total


def _clock(
    grid: NDArray[np.float64], arch: NDArray[np.float64], score: Score, tempo_bpm: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Seconds at each grid point: the integral of 60 / tempo."""
    beats = int(np.ceil(grid[-1])) + 1
    steps = rng.normal(0, DRIFT_STEP, beats)
    drift = np.empty(beats)
    value = 0.0
    for beat, step in enumerate(steps):
        value = DRIFT_MEMORY * value + step
        drift[beat] = value
    log_tempo = np.log(tempo_bpm) + arch + np.interp(grid, np.arange(beats), drift)
    ritard_ql = min(RITARD_BARS * score.bar_ql, score.length_ql / 4)
    place = np.clip((grid - (score.length_ql - ritard_ql)) / ritard_ql, 0.0, 1.0)
    log_tempo += np.log(1.0 + (rng.uniform(*RITARD_END) ** 3 - 1.0) * place) / 3.0
    slowness = 60.0 / np.exp(log_tempo)
    return np.concatenate([[0.0], np.cumsum((slowness[1:] + slowness[:-1]) / 2 * _GRID_QL)])


def _nearest_gap(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each onset to its nearest neighbour, (onset,); 1 s where there is none."""
    gaps = np.diff(times)
    return np.minimum(np.concatenate([[1.0], gaps]), np.concatenate([gaps, [1.0]]))


def _melody(score: Score, chord: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 for the highest note of each onset (the top voice), (note,)."""
    # Notes are sorted by pitch within an onset: the last of each is the highest.
    top = np.ones(chord.shape)
    top[:-1] = chord[:-1] != chord[1:]
    return top


def _let_go(
    pitch: NDArray[np.int64], onset_s: NDArray[np.float64], duration_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Durations with every key up before it is struck again, seconds."""
    duration_s = duration_s.copy()
    for key in np.unique(pitch):
        mine = np.flatnonzero(pitch == key)
        free_s = np.diff(onset_s[mine])
        # Very fast repetitions keep at least half of the time between the strokes.
        limit_s = np.maximum(free_s - RELEASE_BEFORE_S, free_s / 2)
        duration_s[mine[:-1]] = np.minimum(duration_s[mine[:-1]], limit_s)
    return duration_s
