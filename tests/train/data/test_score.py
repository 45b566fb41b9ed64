"""Scores that cannot be read are named, with what to do."""

import json

import pytest

from train.data import corpus, score
from train.data.pieces import BY_TITLE
from train.data.score import Score, from_rows, read_score
from train.errors import MaestroError

PIECE = BY_TITLE["Bach: Chorale, BWV 66/6"]


def test_a_corpus_without_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(score, "_corpus_folder", lambda: tmp_path)
    with pytest.raises(MaestroError, match=r"missing from music21's corpus\. Reinstall music21 with its corpus"):
        read_score(PIECE)


def test_a_file_that_music21_cannot_read(tmp_path, monkeypatch):
    monkeypatch.setattr(score, "_corpus_folder", lambda: tmp_path)
    path = tmp_path / PIECE.path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no score at all")
    with pytest.raises(MaestroError, match=r"music21 cannot read it: .*\. Reinstall music21 with its corpus"):
        read_score(PIECE)


def test_music21_is_missing(monkeypatch):
    monkeypatch.setattr(score.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MaestroError, match=r"music21: is not installed\. Run `make setup`"):
        read_score(PIECE)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda v: v.pop("pitch"), r"is not a score \(KeyError"),
        (lambda v: v["pitch"].append(60), "columns of different lengths"),
        (lambda v: v.update(pitch=None), r"is not a score \(TypeError"),
    ],
)
def test_a_damaged_stored_score(tmp_path, change, text):
    values = from_rows([(0.0, 1.0, 60, 0), (1.0, 1.0, 62, 0)], []).to_dict()
    assert Score.from_dict(values).pitch.tolist() == [60, 62]
    change(values)
    path = tmp_path / "scores" / f"{PIECE.slug}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(values))
    with pytest.raises(MaestroError, match=text) as caught:
        corpus._load_score(tmp_path, PIECE)
    assert "Delete the file and build the corpus again" in str(caught.value)
