"""Properties of the performance model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.data import performance as model
from train.data.performance import perform_score
from train.data.score import Score, from_rows
from train.errors import MaestroError

NOTES = st.lists(
    st.tuples(st.integers(0, 64), st.integers(1, 16), st.integers(15, 115), st.integers(0, 3)), min_size=1, max_size=40
)


def scale() -> Score:
    return from_rows([(i / 2, 0.5, 60 + i % 12, 0) for i in range(64)], [4.0 * i for i in range(8)])


def test_a_seed_is_a_performance():
    first, again, other = (perform_score(scale(), 100, np.random.default_rng(seed), 30.0) for seed in (3, 3, 4))
    for name in ("onset_s", "duration_s", "pitch", "velocity", "passage"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    size = min(first.onset_s.size, other.onset_s.size)
    assert not np.array_equal(first.onset_s[:size], other.onset_s[:size])
    assert not np.array_equal(first.velocity[:size], other.velocity[:size])


@settings(derandomize=True, deadline=None, max_examples=40)
@given(NOTES, st.integers(0, 1000), st.floats(40, 220))
def test_order_and_bounds_hold_for_any_score(notes, seed, tempo_bpm):
    rows = [(onset / 8, duration / 8, pitch, part) for onset, duration, pitch, part in notes]
    if not any(21 <= pitch <= 108 for _, _, pitch, _ in rows):
        with pytest.raises(MaestroError, match="holds no notes"):
            from_rows(rows, [])
        return
    score = from_rows(rows, [0.0, 4.0, 8.0])
    played = perform_score(score, tempo_bpm, np.random.default_rng(seed), 20.0)
    low, high = model.VELOCITY_BOUNDS
    assert low <= played.velocity.min()
    assert played.velocity.max() <= high
    assert played.onset_s.min() >= 0
    assert played.onset_s.max() < 20.0
    assert played.duration_s.min() > 0
    first = played.passage == 0
    if first.sum() < score.onset_ql.size:
        return
    chord_start = np.flatnonzero(np.diff(score.onset_ql) > 0)
    ends = [played.onset_s[first][: i + 1].max() for i in chord_start]
    begins = [played.onset_s[first][i + 1 :].min() for i in chord_start]
    assert all(end < begin for end, begin in zip(ends, begins, strict=True))


def test_a_key_is_up_before_it_is_struck_again():
    score = from_rows([(i / 4, 0.25, 60, 0) for i in range(32)], [])
    played = perform_score(score, 120, np.random.default_rng(0), 3.0)
    assert np.all(played.onset_s[:-1] + played.duration_s[:-1] < played.onset_s[1:])


def test_a_short_piece_is_repeated_with_new_details():
    played = perform_score(scale(), 240, np.random.default_rng(1), 30.0)
    assert played.passage.max() >= 2
    first, second = (played.onset_s[played.passage == passage] for passage in (0, 1))
    assert not np.allclose(np.diff(first), np.diff(second), atol=1e-6)


def test_the_tempo_stays_near_the_table_s():
    lengths = [
        np.ptp(perform_score(scale(), 100, np.random.default_rng(seed), 60.0).onset_s[:48]) for seed in range(40)
    ]
    written = 47 / 2 * 60 / 100
    assert abs(np.mean(lengths) / written - 1) < 0.05
    assert 0.02 < np.std(lengths) / written < 0.15


def test_a_score_strikes_a_key_once_at_a_time():
    score = from_rows([(0.0, 4.0, 60, 0), (0.0, 2.0, 60, 1), (1.0, 1.0, 60, 2), (2.0, 0.0, 62, 0)], [])
    assert score.pitch.tolist() == [60, 60]
    assert score.duration_ql.tolist() == [1.0, 1.0]
    assert Score.from_dict(score.to_dict()).to_dict() == score.to_dict()
