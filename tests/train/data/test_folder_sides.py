"""Sides drawn by lot: shares, and what holds for any groups."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.data.folder_sides import draw_sides

NAMES = st.sampled_from([f"g{number}" for number in range(12)])
CLASSES = st.sampled_from([("title", "a"), ("title", "b"), ("style", "x"), ("style", "y"), ("mood", "sad")])


def of_one_class(**counts):
    return {f"{name}{number}": {("title", name)} for name, count in counts.items() for number in range(count)}


@pytest.mark.parametrize(
    ("count", "sides"),
    [
        (1, {"train": 1}),
        (2, {"train": 1, "test": 1}),
        (3, {"train": 1, "validation": 1, "test": 1}),
        (10, {"train": 6, "validation": 2, "test": 2}),
        (100, {"train": 70, "validation": 15, "test": 15}),
    ],
)
def test_each_class_is_shared_out(count, sides):
    found = draw_sides(of_one_class(a=count, b=count), 0.15, 0.15, 1)
    for name in "ab":
        assert Counter(side for group, side in found.items() if group[0] == name) == sides


def test_shares_that_leave_training_nothing_leave_it_one_group():
    assert Counter(draw_sides(of_one_class(a=10), 0.5, 0.5, 1).values()) == {"train": 1, "validation": 4, "test": 5}


def test_groups_without_labels_are_shared_out_too():
    found = draw_sides({f"g{number}": () for number in range(20)}, 0.1, 0.2, 1)
    assert Counter(found.values()) == {"train": 14, "validation": 2, "test": 4}


def test_lots_depend_on_the_seed_and_not_on_other_classes():
    groups = of_one_class(a=12, b=5)
    drawn = draw_sides(groups, 0.15, 0.15, 1)
    assert drawn != draw_sides(groups, 0.15, 0.15, 2)
    more = draw_sides(groups | of_one_class(c=7), 0.15, 0.15, 1)
    assert {group: more[group] for group in groups} == drawn


def test_the_rarest_class_is_shared_out_first():
    rare = {f"r{number}": {("title", "r"), ("style", "c")} for number in range(3)}
    groups = rare | {f"c{number}": {("style", "c")} for number in range(20)}
    for seed in range(10):
        found = draw_sides(groups, 0.15, 0.15, seed)
        assert {found[group] for group in rare} == {"train", "validation", "test"}


def test_classes_as_rare_as_each_other_come_by_name_and_training_first():
    groups = {"g0": "b", "g1": "b", "g2": "ab", "g3": "a", "g4": "a"}
    found = draw_sides({group: [("title", name) for name in names] for group, names in groups.items()}, 0.15, 0.15, 1)
    assert found == {"g0": "test", "g1": "train", "g2": "validation", "g3": "test", "g4": "train"}


@given(
    st.dictionaries(NAMES, st.frozensets(CLASSES, max_size=3), min_size=1),
    st.floats(0.01, 0.45),
    st.floats(0.01, 0.45),
    st.integers(0, 100),
    st.randoms(),
)
def test_training_has_every_class_whatever_the_order(groups, validation_share, test_share, seed, random):
    found = draw_sides(groups, validation_share, test_share, seed)
    assert found.keys() == groups.keys()
    assert set(found.values()) <= {"train", "validation", "test"}
    heard = set().union(*(groups[group] for group, side in found.items() if side == "train"))
    assert heard == set().union(*groups.values())
    shuffled = list(groups.items())
    random.shuffle(shuffled)
    assert draw_sides(dict(shuffled), validation_share, test_share, seed) == found
