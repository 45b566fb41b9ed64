"""The emotion labels of the embedded corpus, a proxy computed from the score; title and style are in its table.

The label is a proxy: nobody was asked what they felt. It puts a piece into a quadrant of Russell's
circumplex (1980, J. Pers. Soc. Psychol. 39:1161) by the cues that listeners' ratings follow most (Eerola,
Friberg and Bresin 2013, Front. Psychol. 4:487): valence by mode, arousal by tempo and density of notes.
Every name a person meets begins with "proxy:".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.data.score import Score

# By valence (dark, bright) and arousal (calm, lively).
EMOTIONS = (("proxy: dark-calm", "proxy: dark-lively"), ("proxy: bright-calm", "proxy: bright-lively"))
DEFINITION = (
    "valence is bright where the best major key fits the score's pitch classes (weighted by duration) better than "
    "the best minor key does, by correlation with the probe-tone profiles of Krumhansl and Kessler (1982); arousal "
    "is lively above the corpus's median of log(onsets per second) + log(tempo), both at the table's tempo"
)
# Krumhansl and Kessler 1982, Psychol. Rev. 89:334: how well each pitch class fits C major and C minor.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


@dataclass(frozen=True)
class Proxy:
    """What the emotion proxy of a title was computed from.

    Parameters
    ----------
    valence
        Correlation of the best major minus that of the best minor key, -2 to 2.
    arousal
        Log of onsets per second plus log of tempo in quarter notes a minute.
    onsets_per_s
        Distinct onsets a second at the table's tempo.
    """

    valence: float
    arousal: float
    onsets_per_s: float


def valence_of(score: Score) -> float:
    """Majorness: the correlation of the best major key less that of the best minor key."""
    weights = np.bincount(score.pitch % 12, weights=score.duration_ql, minlength=12).astype(np.float64)
    return _best_fit(weights, _MAJOR) - _best_fit(weights, _MINOR)


def proxy_of(score: Score, tempo_bpm: float) -> Proxy:
    """The numbers behind a title's emotion proxy."""
    seconds = score.length_ql * 60.0 / tempo_bpm
    rate_hz = np.unique(score.onset_ql).size / seconds
    return Proxy(valence_of(score), float(np.log(rate_hz) + np.log(tempo_bpm)), float(rate_hz))


def emotions(proxies: Mapping[str, Proxy]) -> dict[str, str]:
    """Title -> proxy class; the threshold of arousal is the median of the titles given."""
    middle = float(np.median([proxy.arousal for proxy in proxies.values()]))
    return {title: EMOTIONS[int(proxy.valence > 0)][int(proxy.arousal > middle)] for title, proxy in proxies.items()}


def _best_fit(weights: NDArray[np.float64], profile: tuple[float, ...]) -> float:
    """Largest correlation of the pitch classes with the profile, over its twelve transpositions."""
    spread = weights - weights.mean()
    if not spread.any():
        return 0.0
    return max(float(np.corrcoef(weights, np.roll(profile, tonic))[0, 1]) for tonic in range(12))
