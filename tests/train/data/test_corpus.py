"""The embedded corpus: built, interrupted, opened, and its labels and card."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from train.artifacts import sha256
from train.config import CorpusConfig
from train.data import corpus as room
from train.data.corpus import build_corpus, chosen, load_corpus, perform, planned
from train.data.labels import EMOTIONS, emotions, proxy_of, valence_of
from train.data.pieces import PIECES, STYLES
from train.data.score import from_rows
from train.errors import CallError, MaestroError


def files(folder):
    return {str(path.relative_to(folder)): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_table_is_sound():
    assert len(PIECES) == len({piece.title for piece in PIECES}) == len({piece.slug for piece in PIECES}) == 24
    for style in STYLES:
        assert sum(piece.style == style for piece in PIECES) == 6
    assert all(piece.licence and piece.encoder for piece in PIECES)


def test_recordings_are_whole_level_and_audible(small_corpus, small_config):
    assert len(small_corpus.recordings) == 15
    for recording in small_corpus.recordings:
        audio, rate_hz = soundfile.read(small_corpus.path / recording.file, dtype="float32")
        assert rate_hz == small_config.sample_rate_hz
        assert audio.shape == (round(small_config.performance_s * rate_hz),)
        assert recording.duration_s == small_config.performance_s
        assert 0.03 < np.sqrt(np.mean(audio**2)) < 0.07


def test_splits_share_no_seed_and_only_the_keyboards_leave_the_piano():
    recordings = planned(CorpusConfig())
    assert len(recordings) == 24 * 8
    assert len({recording.id for recording in recordings}) == len(recordings)
    seeds = {split: {r.seed for r in recordings if r.split == split} for split in room.SPLITS}
    assert sum(map(len, seeds.values())) == len(set().union(*seeds.values()))
    for recording in recordings:
        assert (recording.program == 0) == (recording.split != "test_keyboards")
    assert {r.program for r in recordings if r.split == "test_keyboards"} == set(room.KEYBOARDS)


def test_labels(small_corpus, small_pieces):
    assert set(small_corpus.labels) == {"title", "style", "emotion"}
    assert small_corpus.labels["title"] == tuple(sorted(piece.title for piece in small_pieces))
    assert small_corpus.labels["style"] == ("Baroque", "Classical", "Renaissance")
    for recording in small_corpus.recordings:
        assert recording.emotion.startswith("proxy: ")
        for head, names in small_corpus.labels.items():
            assert getattr(recording, head) in names


def test_the_proxy_knows_mode_and_density():
    major = from_rows(
        [(float(i), 1.0, pitch, 0) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60))], []
    )
    minor = from_rows(
        [(float(i), 1.0, pitch, 0) for i, pitch in enumerate((60, 62, 63, 65, 67, 68, 70, 72, 67, 63, 60))], []
    )
    assert valence_of(major) > 0 > valence_of(minor)
    found = emotions(
        {"a": proxy_of(major, 60), "b": proxy_of(minor, 60), "c": proxy_of(major, 160), "d": proxy_of(minor, 160)}
    )
    assert [found[key] for key in "abcd"] == [EMOTIONS[1][0], EMOTIONS[0][0], EMOTIONS[1][1], EMOTIONS[0][1]]


def test_the_card_says_it_all(small_corpus, small_pieces):
    card = (small_corpus.path / "card.md").read_text()
    for piece in small_pieces:
        assert all(text in card for text in (piece.title, piece.path, piece.encoder, piece.licence))
    for text in ("a proxy", "Splits", "Performance model", "Known limits", "SoundFont", "symusic"):
        assert text in card


def test_perform_plays_a_recording_again_and_new_ones(small_corpus, small_config):
    recording = next(r for r in small_corpus.recordings if r.split == "test")
    stored, _ = soundfile.read(small_corpus.path / recording.file, dtype="float32")
    again = perform(recording.title, recording.seed, small_config, recording.program)
    np.testing.assert_allclose(stored, again, atol=1 / 32767)
    assert not np.allclose(again, perform(recording.title, 777, small_config), atol=0.01)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("Mozart: Allegro, K. 54", 0), r"not in the corpus\. Did you mean 'Mozart: Allegro, K\. 545'"),
        (("zzzz", 0), "the titles are in|did you mean"),
        (("Mozart: Allegro, K. 545", -1), "is negative"),
        (("Mozart: Allegro, K. 545", 0, 128), "not a General MIDI program"),
    ],
)
def test_wrong_calls(arguments, text, small_config):
    title, seed, *program = arguments
    with pytest.raises(CallError, match=f"(?i){text}"):
        perform(title, seed, small_config, *program)


def test_a_finished_corpus_returns_at_once_and_a_lost_file_is_made_again(
    small_corpus, small_config, small_pieces, tmp_path, monkeypatch
):
    folder = tmp_path / "copy"
    shutil.copytree(small_corpus.path, folder)
    before = files(folder)
    with monkeypatch.context() as patch:
        patch.setattr(room, "in_parallel", lambda *_: pytest.fail("built again"))
        assert build_corpus(small_config, folder, small_pieces).recordings == small_corpus.recordings
    (folder / small_corpus.recordings[0].file).unlink()
    (folder / small_corpus.recordings[1].file).write_bytes(b"RIFF")
    build_corpus(small_config, folder, small_pieces)
    assert files(folder) == before


def test_a_killed_build_goes_on_to_the_same_files(small_corpus, small_config, small_pieces, tmp_path):
    folder = tmp_path / "killed"
    script = (
        "import dataclasses, pathlib, sys\n"
        "from train.config import CorpusConfig\n"
        "from train.data.corpus import build_corpus\n"
        "from train.data.pieces import BY_TITLE\n"
        "config = dataclasses.replace(CorpusConfig(), train_performances=2, performance_s=4.0)\n"
        "build_corpus(config, pathlib.Path(sys.argv[1]), [BY_TITLE[title] for title in sys.argv[2:]])\n"
    )
    titles = [piece.title for piece in small_pieces]
    build = subprocess.Popen([sys.executable, "-c", script, str(folder), *titles], start_new_session=True)
    end = time.monotonic() + 60
    while build.poll() is None and not list(folder.rglob("*.wav")) and time.monotonic() < end:
        time.sleep(0.005)
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()
    for leftover in folder.rglob(".*.tmp"):
        leftover.unlink()
    assert json.loads((folder / "configuration.json").read_text())
    build_corpus(small_config, folder, small_pieces)
    assert files(folder) == files(small_corpus.path)


def test_folders_that_are_something_else(small_corpus, small_config, small_pieces, tmp_path):
    other = CorpusConfig(seed=2)
    with pytest.raises(MaestroError, match="holds a corpus of another configuration"):
        build_corpus(other, small_corpus.path, small_pieces)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(MaestroError, match="is not empty and holds no corpus"):
        build_corpus(small_config, tmp_path, small_pieces)
    with pytest.raises(MaestroError, match="is a file"):
        build_corpus(small_config, tmp_path / "thesis.txt", small_pieces)
    with pytest.raises(MaestroError, match=r"no such file\. Build it with"):
        load_corpus(tmp_path)
    (tmp_path / "corpus.json").write_text("{}")
    with pytest.raises(MaestroError, match="not a corpus's index"):
        load_corpus(tmp_path)
    (tmp_path / "corpus.json").write_text('{"format": 99}')
    with pytest.raises(MaestroError, match="is of format 99"):
        load_corpus(tmp_path)


def test_fewer_titles_still_come_from_every_era():
    assert chosen(CorpusConfig()) == PIECES
    for titles in (4, 6, 9):
        pieces = chosen(CorpusConfig(titles=titles))
        assert len(pieces) == titles
        assert {piece.style for piece in pieces} == {piece.style for piece in PIECES}
