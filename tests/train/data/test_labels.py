"""The emotion proxy: what its numbers are computed from, and where its thresholds lie."""

import numpy as np
import pytest

from train.data.labels import EMOTIONS, Proxy, emotions, proxy_of, valence_of
from train.data.score import Score

C_MAJOR, C_MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


def score(notes, length_ql=8.0):
    """A score of (onset, duration, pitch)."""
    onset, duration, pitch = (np.array(column) for column in zip(*notes, strict=True))
    return Score(onset * 1.0, duration * 1.0, pitch, np.zeros(len(notes), int), onset == 0, length_ql, 4.0)


def scale(steps, tonic=60, duration=1.0):
    return [(number, duration, tonic + step) for number, step in enumerate(steps)]


def test_valence_is_that_of_any_key_and_weighs_notes_by_their_length():
    found = {valence_of(score(scale(C_MAJOR, tonic))) for tonic in range(48, 60)}
    assert max(found) - min(found) < 1e-9
    assert min(found) > 0.01
    assert valence_of(score(scale(C_MAJOR) + scale(C_MINOR, duration=0.1))) > 0.01
    assert valence_of(score(scale(C_MAJOR, duration=0.1) + scale(C_MINOR))) < 0


def test_a_score_of_all_keys_alike_is_neither():
    assert valence_of(score(scale(range(12)))) == 0.0


def test_arousal_is_of_distinct_onsets_a_second_and_of_the_tempo():
    found = proxy_of(score([(0, 1, 60), (0, 1, 64), (2, 1, 60), (3, 1, 60)], length_ql=4.0), 120)
    assert found.onsets_per_s == pytest.approx(1.5)
    assert found.arousal == pytest.approx(np.log(1.5) + np.log(120))


def test_the_median_is_calm_and_no_valence_is_dark():
    found = emotions({name: Proxy(0.0, arousal, 1.0) for name, arousal in (("a", 0.0), ("b", 5.0), ("c", 6.0))})
    assert list(found.values()) == [EMOTIONS[0][0], EMOTIONS[0][0], EMOTIONS[0][1]]
