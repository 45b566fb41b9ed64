"""What clips are cut together from, and what is on which side."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.config import load_config
from train.data.clips import data_clips
from train.errors import CallError, MaestroError
from train.segmentation.splices import SIDES, Splice, cuts, spliced_sets

few = settings(
    max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_a_splice_is_one_recording_and_then_the_other():
    first, second = np.arange(40.0).reshape(2, 20), 100 + np.arange(60.0).reshape(2, 30)
    splice = Splice(first, 5, second, 11, cut=7, steps=10)
    whole = np.concatenate([first[:, 5:12], second[:, 11:14]], axis=1)
    assert splice.shape == (2, 10)
    for start in range(11):
        for stop in range(start, 11):
            np.testing.assert_array_equal(splice[:, start:stop], whole[:, start:stop])
    np.testing.assert_array_equal(splice[1:, 3:], whole[1:, 3:])


def test_every_step_has_the_label_of_the_recording_it_is_from(numbered, config, recordings):
    sets, labels = data_clips(config)
    assert tuple(sets) == SIDES
    assert labels == {"style": ("Baroque", "Romantic")}
    for side, count in zip(SIDES, (16, 8, 8, 8), strict=True):
        clips = sets[side]
        features = clips.features(range(len(clips)))
        assert features.shape == (count, 6, 50)
        for clip, rows in enumerate(features):
            cut = cuts(clips)[clip]
            assert 15 <= cut <= 35
            assert len(set(rows[0, :cut])) == len(set(rows[0, cut:])) == 1
            assert (np.diff(rows[1, :cut]) == 1).all()
            assert (np.diff(rows[1, cut:]) == 1).all()
            styles = [recordings[int(number)].labels["style"] for number in rows[0]]
            assert [labels["style"][number] for number in clips.labels["style"][clip]] == styles


def test_a_quarter_of_the_clips_each_goes_either_way_or_stays(numbered, config):
    styles = data_clips(config)[0]["train"].labels["style"]
    assert [(int(row[0]), int(row[-1])) for row in styles] == [(0, 1), (1, 0), (0, 0), (1, 1)] * 4


def test_the_seeds_order_is_always_forward(numbered, small):
    sets, _ = data_clips(load_config("segmentation", [*small, "task.order=forward"]))
    for clips in sets.values():
        assert (clips.labels["style"][:, 0] == 0).all()
        assert (clips.labels["style"][:, -1] == 1).all()


@few
@given(seed=st.integers(0, 10_000), held=st.integers(0, 3), order=st.sampled_from(["mixed", "forward"]))
def test_no_recording_and_no_held_out_title_is_on_two_sides(numbered, small, recordings, seed, held, order):
    small = [*small, f"task.seed={seed}", f"task.held_out={held}", f"task.order={order}"]
    sets, _ = spliced_sets(load_config("segmentation", small))
    heard, titles = {}, {}
    for side, clips in sets.items():
        numbers = {int(number) for number in clips.features(range(len(clips)))[:, 0].reshape(-1)}
        heard[side] = numbers
        titles[side] = {recordings[number].piece for number in numbers}
        if side != "test_titles":
            assert {recordings[number].split for number in numbers} == {side}
        for clip in clips.features(range(len(clips)))[:, 0]:
            # A style with one title left has nothing else to be cut to.
            if held < 3 and side != "test_titles":
                assert recordings[int(clip[0])].piece != recordings[int(clip[-1])].piece
    assert ("test_titles" in sets) == bool(held)
    sides = list(sets)
    for one in sides:
        for other in sides[sides.index(one) + 1 :]:
            assert not heard[one] & heard[other]
    for side in set(sides) - {"test_titles"}:
        assert not titles[side] & titles.get("test_titles", set())


def test_a_seed_gives_the_same_clips_and_more_clips_leave_the_others(numbered, small):
    one, again = (spliced_sets(load_config("segmentation", small))[0]["train"] for _ in range(2))
    more = spliced_sets(load_config("segmentation", [*small, "task.train_clips=20"]))[0]["train"]
    other = spliced_sets(load_config("segmentation", [*small, "task.seed=2"]))[0]["train"]
    np.testing.assert_array_equal(one.features(range(16)), again.features(range(16)))
    np.testing.assert_array_equal(one.features(range(16)), more.features(range(16)))
    assert (one.features(range(16)) != other.features(range(16))).any()


def test_bad_recordings_are_left_out(numbered, config, recordings):
    numbered(bad={"0", "41"})
    sets, _ = spliced_sets(config)
    heard = {int(number) for clips in sets.values() for number in clips.features(range(len(clips)))[:, 0].reshape(-1)}
    assert heard
    assert not heard & {0, 41}


def test_a_style_that_is_not_there(numbered, small, recordings):
    with pytest.raises(
        MaestroError, match=r"twin: has no recording of the style 'Gothic' \(expected one of Baroque, C"
    ):
        spliced_sets(load_config("segmentation", [*small, 'task.styles=["Baroque","Gothic"]']))
    numbered([entry for entry in recordings if entry.labels.pop("style")])
    with pytest.raises(
        MaestroError, match=r"of the style 'Baroque' \(expected recordings with styles\). Set task.styles"
    ):
        spliced_sets(load_config("segmentation", small))


def test_too_many_titles_held_out(numbered, small):
    with pytest.raises(CallError, match=r"task.held_out: is 4 where Baroque has 4 titles \(expected at most 3\)"):
        spliced_sets(load_config("segmentation", [*small, "task.held_out=4"]))


def test_a_side_without_a_style(numbered, config, recordings):
    numbered([e for e in recordings if not (e.split == "validation" and e.labels["style"] == "Romantic")])
    with pytest.raises(MaestroError, match=r"twin: has no recording of Romantic for validation. Give more recordings"):
        spliced_sets(config)


def test_a_recording_shorter_than_a_clip(numbered, config):
    numbered(frames=49)
    with pytest.raises(MaestroError, match=r"0: too short: 49 frames \(expected at least one clip, 50 frames\)"):
        spliced_sets(config)
