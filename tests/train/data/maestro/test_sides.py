"""Sides: nothing that belongs together is divided, and nothing is tested that was not learned."""

import dataclasses
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.config import DataConfig
from train.data.dataset import SPLITS
from train.data.maestro.sides import Entry, by_files, by_performances, by_table, divided_takes, share_out, takes_of
from train.errors import CallError, MaestroError


@st.composite
def entries(draw):
    """Recordings of random pieces, takes and official sides."""
    found = []
    for piece in range(draw(st.integers(1, 6))):
        for take in range(draw(st.integers(1, 9))):
            official = draw(st.sampled_from(SPLITS))
            found += [
                Entry(f"{piece}-{take}-{part}", f"piece {piece}", f"take {piece}-{take}", official)
                for part in range(draw(st.integers(1, 3)))
            ]
    return found


CONFIGS = st.builds(
    DataConfig,
    min_recordings=st.integers(1, 6),
    validation_share=st.floats(0.01, 0.45),
    test_share=st.floats(0.01, 0.45),
    seed=st.integers(0, 99),
)


@given(entries(), CONFIGS, st.randoms())
def test_performances(found, config, random):
    placed = by_performances(found, config)
    side = {entry.id: entry.side for entry in placed}
    assert set(side) == {entry.id for entry in found}
    assert set(side.values()) <= set(SPLITS)
    assert not divided_takes(placed)
    for piece, takes in takes_of(placed).items():
        sides = [entry.side for take in takes for entry in placed if entry.take == take]
        if len(takes) >= max(2, config.min_recordings):
            # What is tested was learned, and from three takes on every side has one.
            assert {"train", "test"} <= set(sides)
            assert len(takes) < 3 or set(sides) == set(SPLITS)
        else:
            # Too few to share out: together, where the table has most of them.
            (own,) = set(sides)
            official = Counter(entry.official for entry in found if entry.piece == piece)
            assert official[own] == max(official.values())
    shuffled = list(found)
    random.shuffle(shuffled)
    assert {entry.id: entry.side for entry in by_performances(shuffled, config)} == side
    # Other titles may come and go.
    part = [entry for entry in found if entry.piece != "piece 0"]
    assert all(side[entry.id] == entry.side for entry in by_performances(part, config))


@pytest.mark.parametrize(
    ("count", "share", "counts"),
    [(2, 0.15, (1, 0, 1)), (3, 0.15, (1, 1, 1)), (10, 0.15, (6, 2, 2)), (20, 0.15, (14, 3, 3)), (3, 0.45, (1, 1, 1))],
)
def test_shares(count, share, counts):
    config = DataConfig(validation_share=share, test_share=share)
    sides = list(share_out("a", [str(n) for n in range(count)], config).values())
    assert tuple(sides.count(side) for side in SPLITS) == counts


def test_the_seed_decides():
    takes = [str(n) for n in range(10)]
    drawn = {json.dumps(share_out("a", takes, DataConfig(seed=seed)), sort_keys=True) for seed in range(5)}
    assert len(drawn) == 5


@given(entries())
def test_official_sides_are_kept_and_no_take_is_divided(found):
    placed = by_table(found)
    assert all(entry.side == entry.official for entry in placed)
    assert not divided_takes(placed)


@pytest.fixture
def files(tmp_path):
    def write(**sides):
        for name, ids in sides.items():
            (tmp_path / f"{name}.json").write_text(ids if isinstance(ids, str) else json.dumps(ids))
        return str(tmp_path)

    return write


FOUND = [Entry(f"2013__{name}", "piece", f"take {name}", "train") for name in "abcd"]
IDS = [entry.id for entry in FOUND]


@pytest.mark.parametrize("validation", ["val", "validation"])
def test_files_give_sides(files, validation):
    folder = files(**{"train": IDS[:1], validation: IDS[1:2], "test": IDS[2:3]})
    placed = by_files(FOUND, IDS, folder)
    assert [(entry.id, entry.side) for entry in placed] == list(zip(IDS, ("train", "validation", "test"), strict=False))
    # Of a part of the data set only those count that are there.
    assert [entry.id for entry in by_files(FOUND[1:], IDS, folder)] == IDS[1:3]


def test_files_may_begin_with_a_byte_order_mark(files):
    folder = files(train=IDS[:1], val="\ufeff[]", test=[])
    assert [entry.id for entry in by_files(FOUND, IDS, folder)] == IDS[:1]


def test_files_may_divide_a_take(files):
    found = [dataclasses.replace(entry, take="one") for entry in FOUND]
    placed = by_files(found, IDS, files(train=IDS[:2], val=IDS[2:3], test=IDS[3:]))
    assert [entry.take for entry in placed] == IDS


@pytest.mark.parametrize(
    ("sides", "text"),
    [
        ({"val": [], "test": []}, "train.json: no such file. Data.split_files needs train.json, val.json, test.json"),
        ({"train": "{", "val": [], "test": []}, "train.json: cannot be read as JSON"),
        ({"train": "[" * 100_000, "val": [], "test": []}, "train.json: cannot be read as JSON: brackets within"),
        ({"train": {}, "val": [], "test": []}, "train.json: is no list of ids"),
        ({"train": [1], "val": [], "test": []}, "train.json: is no list of ids"),
        ({"train": ["2013__e"], "val": [], "test": []}, "'2013__e' is no recording of the table. Did you mean '2013__"),
        ({"train": ["zzz"], "val": [], "test": []}, "'zzz' is no recording of the table. Give ids of MAESTRO v3.0.0"),
        ({"train": IDS[:1] * 2, "val": [], "test": []}, "train.json: holds '2013__a' twice. A recording has one side"),
        ({"train": IDS[:1], "val": IDS[:1], "test": []}, "val.json: holds '2013__a', which .*train.json holds too"),
    ],
)
def test_wrong_files_are_refused(files, sides, text):
    with pytest.raises(MaestroError, match=text):
        by_files(FOUND, IDS, files(**sides))


def test_a_file_that_must_not_be_read(files, monkeypatch):
    folder = files(train=[], val=[], test=[])

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(MaestroError, match=r"train\.json: cannot be read: Permission denied\. Check its permissions"):
        by_files(FOUND, IDS, folder)


def test_no_folder_of_files():
    with pytest.raises(CallError, match=r"data.split_files: is empty. Set it to the folder of train.json"):
        by_files(FOUND, IDS, "")
