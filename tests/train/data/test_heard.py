"""What a run was trained on is no test of it, whatever came and went since."""

import json

import numpy as np
import pytest

from train.artifacts import RunFolder
from train.data.clips import cut_clips
from train.data.heard import keep_heard, refuse_heard
from train.errors import CallError, MaestroError


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path)


def clips(*names):
    return cut_clips([np.zeros((1, 4), np.float32)] * len(names), 2, 2, names=names)


def test_test_sets_that_were_heard_are_refused(run):
    keep_heard(run, clips("a", "b", "c"))
    assert json.loads(run.recordings.read_text()) == {"train": ["a", "b", "c"]}
    # Validation is not what is measured, and training is what was heard.
    refuse_heard(run, {"train": clips("a"), "validation": clips("b"), "test": clips("d"), "test_far": clips("e")})
    text = r"2 of 3 recordings of test_far were heard in training: a, c\. Train again, or put the data set back as it"
    with pytest.raises(MaestroError, match=text):
        refuse_heard(run, {"test": clips("d"), "test_far": clips("c", "a", "d")})


def test_training_goes_on_with_the_same_recordings_alone(run):
    keep_heard(run, clips("a", "b"))
    keep_heard(run, clips("b", "a"))
    text = r"was begun with other recordings for training: b, c came or went\. .* or --overwrite to start again"
    with pytest.raises(CallError, match=text):
        keep_heard(run, clips("a", "c"))


def test_a_run_without_names_is_taken_at_its_word(run):
    refuse_heard(run, {"test": clips("a")})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"recordings\.json: cannot be read as JSON"),
        ("[]", r"recordings\.json: names no recordings\. Train"),
        ('{"train": "ab"}', r"recordings\.json: names no recordings"),
        ('{"train": [1]}', r"recordings\.json: names no recordings"),
    ],
)
def test_a_damaged_file_is_told(run, text, message):
    run.recordings.write_text(text)
    with pytest.raises(MaestroError, match=message):
        refuse_heard(run, {"test": clips("a")})
