"""Labels from CSV files: what they give, what is counted and told, what is refused."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.config import DataConfig
from train.data.dataset import DataSet, Recording
from train.data.label_files import attach_labels, write_template
from train.data.label_votes import agreement, majority
from train.errors import MaestroError

SIDES = ("train", "train", "validation", "test")


@pytest.fixture
def data():
    """Three pieces, p, q and r, of four recordings each: two for training, one for validation, one for test."""
    recordings = tuple(
        Recording(f"{piece}{take}", f"{piece}{take}.wav", side, 60.0, piece, f"{piece}{take}", {"title": piece})
        for piece in "pqr"
        for take, side in enumerate(SIDES)
    )
    return DataSet("the pieces", Path(), recordings, {"title": ("p", "q", "r")}, ("told before",), {"before": ("x",)})


@pytest.fixture
def attach(tmp_path, monkeypatch, data):
    """Attach label files to the pieces: attach(content, ..., heads=, min_coverage=)."""
    monkeypatch.chdir(tmp_path)

    def call(*contents, header="piece,label,value,annotator,source,licence", to=data, **values):
        names = []
        for number, content in enumerate(contents, start=1):
            names.append(f"{number}.csv")
            Path(names[-1]).write_text(f"{header}\n{content}\n")
        return attach_labels(to, DataConfig(labels=tuple(names), **values))

    return call


def labels(found, head="emotion"):
    return {entry.id: entry.labels[head] for entry in found.recordings if head in entry.labels}


def test_labels_of_pieces_reach_every_recording_of_theirs(attach, data):
    found = attach("p,emotion,sad,anna,own ears,CC0\nq,emotion,gay,anna,own ears,CC0\nr,emotion,sad,anna,a book,CC0")
    assert labels(found) == {entry.id: "gay" if entry.piece == "q" else "sad" for entry in data.recordings}
    assert labels(found, "title") == labels(data, "title")
    assert list(found.labels.items()) == [("title", ("p", "q", "r")), ("emotion", ("gay", "sad"))]
    assert found.remarks == (
        "told before",
        "emotion: labels for 12 of 12 (100 %) recordings: train 6 of 6 (100 %); validation 3 of 3 (100 %); "
        "test 3 of 3 (100 %)",
        "emotion is tested on pieces heard in training: 3 of 3 test recordings",
    )
    assert found.details == {
        "before": ("x",),
        "emotion: sources and licences of its labels": (
            "source a book, licence CC0: 1 row",
            "source own ears, licence CC0: 2 rows",
        ),
    }


def test_a_recordings_own_label_counts_for_more_than_its_pieces(attach):
    found = labels(attach("p,mood,sad,a,,\nq,mood,gay,a,,\np1,mood,gay,a,,", min_coverage=0.1), "mood")
    assert {name: value for name, value in found.items() if name < "q"} == {
        "p0": "sad",
        "p1": "gay",
        "p2": "sad",
        "p3": "sad",
    }


def test_pieces_heard_again_are_counted_where_they_are(attach, data):
    """A recording whose piece training has no label of is no piece known by heart, and titles are meant to be."""
    rows = [f"{piece}{take},emotion,{value},a,," for piece, take, value in
            (("p", 0, "sad"), ("q", 1, "gay"), ("q", 3, "gay"), ("r", 2, "sad"), ("r", 3, "sad"))]  # fmt: skip
    found = attach("\n".join(rows), min_coverage=0.1)
    assert "emotion is tested on pieces heard in training: 1 of 2 test recordings" in found.remarks
    apart = attach("\n".join(rows[:2] + rows[3:]), min_coverage=0.1)
    assert not any("heard in training" in remark for remark in apart.remarks)
    assert not any("heard in training" in remark for remark in attach("p,title,one,a,,\nq,title,two,a,,").remarks)


def test_names_with_spaces_around_them_are_keys_all_the_same(attach, data):
    spaced = [
        dataclasses.replace(entry, piece=f" {entry.piece}e\u0301 ", id=f" {entry.id} ") for entry in data.recordings
    ]
    rows = "p\u00e9,emotion,sad,a,,\nqe\u0301,emotion,gay,a,,\nr0,emotion,gay,a,,"
    found = attach(rows, to=dataclasses.replace(data, recordings=tuple(spaced)))
    assert Counter(labels(found).values()) == {"sad": 4, "gay": 5}


def test_a_recordings_own_tie_leaves_it_unlabelled_whatever_its_piece_has(attach):
    found = attach("p,mood,sad,a,,\nq,mood,gay,a,,\np1,mood,gay,a,,\np1,mood,sad,b,,")
    assert set(labels(found, "mood")) == {"p0", "p2", "p3", "q0", "q1", "q2", "q3"}


def test_further_test_sets_are_counted_with_the_others(attach, data):
    live = [dataclasses.replace(e, split="test_live" if e.split == "test" else e.split) for e in data.recordings]
    found = attach("p,emotion,sad,a,,\nq,emotion,gay,a,,", to=dataclasses.replace(data, recordings=tuple(live)))
    assert found.remarks[1].endswith("; test_live 2 of 3 (67 %)")
    assert found.remarks[2] == "emotion is tested on pieces heard in training: 2 of 2 test recordings"


def test_the_coverage_asked_for_is_enough(attach):
    assert attach("p,emotion,sad,a,,\nq,emotion,gay,a,,\nr,emotion,gay,a,,", min_coverage=1.0).labels["emotion"]


def test_what_is_not_spoken_of_stays_unlabelled_and_three_columns_are_enough(attach):
    found = attach("p,emotion,sad\nq,emotion,gay", header="piece,label,value")
    assert set(labels(found)) == {f"{piece}{take}" for piece in "pq" for take in range(4)}
    assert found.remarks[1].startswith("emotion: labels for 8 of 12 (67 %) recordings: train 4 of 6 (67 %)")
    assert found.details["emotion: sources and licences of its labels"] == (
        "source not stated, licence not stated: 2 rows",
    )


def test_a_head_that_is_there_already_is_replaced_as_a_whole(attach):
    found = attach("p,title,one,a,,\nq,title,two,a,,")
    assert found.labels["title"] == ("one", "two")
    assert set(labels(found, "title").values()) == {"one", "two"}
    assert "title: the labels of 1.csv take the place of the data set's own" in found.remarks


def test_heads_come_in_one_order_and_only_those_asked_for(attach):
    rows = "\n".join(
        f"{piece},{head},{piece}{head},a,," for head in ("zeal", "emotion", "style", "form") for piece in "pq"
    )
    assert list(attach(rows).labels) == ["title", "style", "emotion", "form", "zeal"]
    found = attach(rows, heads=("title", "form"))
    assert list(found.labels) == ["title", "form"]
    assert "1.csv: emotion, style, zeal not among data.heads, left out" in found.remarks


def test_a_template_is_filled_in_line_by_line(tmp_path, data):
    path = tmp_path / "moods.csv"
    assert write_template(path, dataclasses.replace(data, recordings=data.recordings[::-1])) == 3
    lines = path.read_text().splitlines()
    assert lines == ["piece,label,value,annotator,source,licence", "p,,,,,", "q,,,,,", "r,,,,,"]
    path.write_text("\n".join([lines[0], "p,mood,calm,,,", lines[2], "r,mood,merry,,,"]) + "\n")
    found = attach_labels(data, DataConfig(labels=(str(path),)))
    assert {entry.piece: entry.labels.get("mood") for entry in found.recordings} == {
        "p": "calm",
        "q": None,
        "r": "merry",
    }
    for there in (path, tmp_path):
        with pytest.raises(MaestroError, match=r"is there already\. Name another file; labels in it would be lost"):
            write_template(there, data)


def test_several_files_are_one(attach):
    found = attach("p,emotion,sad,a,,", "q,emotion,gay,a,,\np,emotion,sad,a,,")
    assert found.labels["emotion"] == ("gay", "sad")
    assert "emotion: 1 of 3 rows say again what their annotator said; counted once" in found.remarks


def test_the_majority_decides_and_ties_stay_unlabelled(attach):
    rows = ["p,emotion,sad,a,,", "p,emotion,sad,b,,", "p,emotion,gay,c,,", "q,emotion,gay,a,,",
            "r,emotion,sad,a,,", "r,emotion,gay,b,,"]  # fmt: skip
    found = attach("\n".join(rows))
    assert Counter(labels(found).values()) == {"sad": 4, "gay": 4}
    assert "emotion: 1 tie between annotators left unlabelled" in found.remarks
    assert found.details["emotion: ties between annotators"] == ("r: gay, sad",)
    # Observed: p's three labels agree in one pair of three, r's in none; 3 of the 5 labels are sad.
    told = "emotion: 2 of 3 keys have several annotators, pairs of whom agree in 20 %, Krippendorff's alpha -0.33"
    assert told in found.remarks


def test_unknown_keys_are_counted_and_named(attach):
    keys = [f"x{number}" for number in range(12)]
    rows = ["p,emotion,sad,a,,", "q,emotion,gay,a,,", *(f"{key},emotion,sad,a,," for key in ("q00", *keys))]
    found = attach("\n".join(rows))
    told = "emotion: 13 of 15 keys name no piece or recording of the pieces: 'q00' (did you mean 'q0'?), 'x0', 'x1' and"
    assert any(remark.startswith(told) for remark in found.remarks)
    assert found.details["emotion: unknown keys of 1.csv"][0] == "'q00' (did you mean 'q0'?)"
    assert len(found.details["emotion: unknown keys of 1.csv"]) == 13
    assert found.details["emotion: sources and licences of its labels"] == (
        "source not stated, licence not stated: 15 rows",
    )


def test_a_class_that_test_lacks_is_told(attach):
    found = attach("p,emotion,sad,a,,\nq,emotion,gay,a,,\nr0,emotion,calm,a,,")
    assert "emotion: no recording for validation of 1 of 3 classes: calm" in found.remarks
    assert "emotion: no recording for test of 1 of 3 classes: calm" in found.remarks


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "p,emotion,sad,a,,\np,emotion,gay,a,,",
            r"1\.csv, line 3: emotion of 'p' is 'gay', but 'sad' in 1\.csv, line 2, by annotator 'a'\. Keep one",
        ),
        ("p,emotion,sad,,,\np,emotion,gay,,,", r"by one and the same annotator\. Keep one of the rows, or name who"),
        ("p,emotion,sad,a,,\nq,emotion,gay,,,", r"line 3: annotator is blank, as it is not in other rows\. Name"),
        (",emotion,sad,a,,", r"line 2: piece is blank\. Fill it, or leave the row out"),
        ("p,emotion,NaN,a,,", r"line 2: value is 'NaN'\. Fill it"),
        ("p,Key Signature,C,a,,", r"'Key Signature' is no name of a head \(expected a-z.*\. Call it 'key_signature'"),
        ("p,mood!,C,a,,", r"'mood!' is no name of a head \(expected a-z.*\. Call it 'mood'"),
        ("p,emotion,so sad,a,,\nq,emotion,sosad,a,,", r"emotion is both 'so sad' and 'sosad'\. Spell"),
        ("p,7,C,a,,", r"'7' is no name of a head \(expected a-z, 0-9 and _, a letter first\)$"),
        ("p,emotion,sad,a,,\nq,emotion,Sad,a,,", r"1\.csv: emotion is both 'Sad' and 'sad'\. Spell the class in one"),
        (
            "P,emotion,sad,a,,",
            r"1\.csv: no key of emotion is a piece or a recording of the pieces: 'P' \(expected keys like 'p'\)",
        ),
        ("p,emotion,sad,a,,", r"emotion: labels for 4 of 12 \(33 %\).*\(expected at least 50 %\)\. Label more"),
        ("p,emotion,sad,a,,\nq,emotion,sad,a,,", r"emotion has one class, 'sad': nothing to tell apart\. Give a"),
        (
            "p,emotion,sad,a,,\nq,emotion,gay,a,,\nr3,emotion,calm,a,,",
            r"1 of 3 classes of emotion have no recording for training: calm\. Label recordings of that side",
        ),
        ("p,emotion,sad,a,", r"line 2: has 5 cells"),
    ],
)
def test_what_is_refused(attach, content, message):
    with pytest.raises(MaestroError, match=message):
        attach(content)


def test_an_unknown_column(attach):
    with pytest.raises(MaestroError, match=r"unknown column 'license' \(did you mean 'licence'\?\)"):
        attach("p,emotion,sad,CC0", header="piece,label,value,license")


def test_no_label_at_all_is_refused_whatever_the_coverage_asked_for(attach):
    with pytest.raises(MaestroError, match=r"labels for 0 of 12"):
        attach("p,emotion,sad,a,,\np,emotion,gay,b,,", min_coverage=0)


@given(
    st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from("abcd"), st.sampled_from(("sad", "gay"))), min_size=1)
)
def test_votes_have_no_order(rows):
    votes = {}
    for key, annotator, value in rows:
        votes[key, annotator] = value
    by_key = {key: [value for (name, _), value in votes.items() if name == key] for key in "pqr"}
    for values in by_key.values():
        if values:
            assert majority(values) == majority(values[::-1])
            assert majority(values) is None or values.count(majority(values)) * 2 > len(values)
    assert agreement(list(by_key.values())) == agreement(list(by_key.values())[::-1])


def test_nothing_is_attached_to_nothing(attach, data):
    empty = dataclasses.replace(data, recordings=())
    assert attach("p,emotion,sad,a,,", to=empty) is empty


def test_alpha_is_krippendorffs():
    # Krippendorff 2011, section C: twelve units by four observers, nominal alpha 0.743.
    table = [
        (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
        (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
        (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
        (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
    ]
    units = [[str(value) for value in column if value] for column in zip(*table, strict=True)]
    found = agreement(units)
    assert found.units == 11
    assert found.alpha == pytest.approx(0.743, abs=5e-4)


def test_agreement_at_its_ends():
    assert agreement([["a"], []]) is None
    assert agreement([["a", "a"], ["a", "a"]]).alpha is None
    whole = agreement([["a", "a"], ["b", "b", "b"]])
    assert (whole.share, whole.alpha) == (1.0, 1.0)
    assert agreement([["a", "b"], ["b", "a"]]).share == 0.0
