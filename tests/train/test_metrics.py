import numpy as np
import pytest

from train.metrics import accuracy, confidence, decide, head_slices, percent, wilson

HEADS = {"title": (0, 3), "style": (3, 5)}


def test_heads_lie_one_after_the_other_in_the_data_sets_order():
    slices = head_slices({"mood": ["x", "y"], "title": ["a", "b", "c"], "style": ["s"]})
    assert slices == {"mood": (0, 2), "title": (2, 5), "style": (5, 6)}


def test_largest_count_wins_and_the_first_of_equals():
    scores = np.array([[1, 5, 2, 7, 7], [0, 0, 0, 1, 3]])
    decided = decide(scores, HEADS)
    np.testing.assert_array_equal(decided["title"], [1, 0])
    np.testing.assert_array_equal(decided["style"], [0, 1])


def test_unlabelled_clips_do_not_count():
    decided = {"title": np.array([0, 1, 2, 2])}
    result = accuracy(decided, {"title": np.array([0, 1, 0, -1])})["title"]
    assert (result["correct"], result["clips"]) == (2, 3)
    assert result["accuracy"] == pytest.approx(2 / 3)
    nothing = accuracy(decided, {"title": np.array([-1, -1, -1, -1])})["title"]
    assert nothing["clips"] == 0
    assert percent(nothing) == "no labels"


def test_wilson_interval_against_published_values():
    # Newcombe 1998, Stat. Med. 17:857, table I, method 3: 81 of 263 and 15 of 148.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_confidence_is_a_softmax_of_scaled_counts():
    counts = np.array([[2, 0, 0, 10, 10]])
    found = confidence(counts, HEADS, count_scale=0.5)
    np.testing.assert_allclose(found["title"][0], np.array([np.e, 1, 1]) / (np.e + 2))
    np.testing.assert_allclose(found["style"][0], [0.5, 0.5])
