"""MAESTRO's whole table, which is not ours to keep here, against what is known of it."""

import csv
import dataclasses
from collections import Counter, defaultdict

import pytest

from train.data.maestro.catalogue import COMPOSERS
from train.data.maestro.reader import read_maestro


def said(data, text):
    """The one remark that holds ``text``."""
    (found,) = [remark for remark in data.remarks if text in remark]
    return found


@pytest.fixture(scope="module")
def raw(whole):
    """Rows of MAESTRO's own table, read without a line of ours."""
    with (whole / "maestro-v3.0.0.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_whole_table_is_what_is_known_of_it(raw, whole, config):
    titles = Counter((found["canonical_composer"], found["canonical_title"]) for found in raw)
    counts = [sum(count >= least for count in titles.values()) for least in (1, 2, 3, 5)]
    assert (len(raw), counts) == (1276, [856, 203, 89, 25])
    several = defaultdict(set)
    for found in raw:
        several[found["canonical_composer"], found["canonical_title"]].add(found["split"])
    assert sum(len(sides) > 1 for sides in several.values()) == 5
    data = read_maestro(config(whole), files=False)
    assert len(data.recordings) == 1276
    assert sum(found.duration_s for found in data.recordings) / 3600 == pytest.approx(198.65, abs=0.005)
    # After joining. More takes than recordings stand behind no number here: movements of one take count once.
    takes = defaultdict(set)
    for found in data.recordings:
        takes[found.piece].add(found.group)
    assert [sum(len(found) >= least for found in takes.values()) for least in (1, 2, 3, 5)] == [488, 217, 136, 58]
    assert len({found.group for found in data.recordings}) == 1169
    assert {head: len(names) for head, names in data.labels.items()} == {"title": 133, "style": 4}
    assert len(data.details["joined titles"]) == 183
    assert len(data.details["debatable eras"]) == 25
    assert len(data.details["composers put right"]) == len(COMPOSERS) == 7


def test_the_official_split_comes_between_movements(raw, whole, config):
    data = read_maestro(config(whole, split="official"), files=False)
    assert Counter(found.split for found in data.recordings) == {"train": 962, "test": 177, "validation": 137}
    assert {found.id: found.split for found in data.recordings} == {
        f"{found['year']}__{found['midi_filename'][5:].removesuffix('.midi')}": found["split"] for found in raw
    }
    assert list(data.labels) == ["style"]
    assert len(data.details["takes on several sides"]) == 6
    assert said(data, "no head title").startswith("no head title: 8 of 488 pieces are on more than one side, 2 are")


def test_asap_for_the_whole_table(whole, shared, config):
    data = read_maestro(config(whole, asap=str(shared / "asap" / "metadata.csv")), files=False)
    assert said(data, "ASAP") == "ASAP knows 357 recordings from beginning to end"
    assert len(data.labels["title"]) == 134


def test_part_of_the_whole_table_keeps_names_and_sides(whole, config, tmp_path):
    """Half of the recordings are there: pieces are called alike, and titles all of whose takes are there lie alike."""
    every = read_maestro(config(whole), files=False)
    title = every.labels["title"][0]
    chosen = [found for found in every.recordings if found.labels.get("title") == title or "Bach" in found.piece]
    for found in chosen:
        (tmp_path / found.file).parent.mkdir(exist_ok=True)
        (tmp_path / found.file).touch()
    part = read_maestro(config(tmp_path, table=str(whole / "maestro-v3.0.0.csv")))
    known = {found.id: dataclasses.replace(found, labels={}) for found in every.recordings}
    assert [dataclasses.replace(found, labels={}) for found in part.recordings] == [
        known[found.id] for found in part.recordings
    ]
    assert title in part.labels["title"]
