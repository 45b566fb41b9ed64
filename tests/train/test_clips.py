import pickle

import numpy as np
import pytest
import soundfile

from train import artifacts
from train.config import Config, CorpusConfig, FeatureConfig
from train.data import clips
from train.data.clips import cut_clips, data_clips, join_clips
from train.data.dataset import DataSet, Recording
from train.errors import CallError, MaestroError
from train.features import sound_features

RATE_HZ = 8000
CONFIG = Config(
    corpus=CorpusConfig(sample_rate_hz=RATE_HZ, performance_s=2.0),
    features=FeatureConfig(clip_s=0.5, hop_s=0.032, window=1024),
)
STEPS = 16
LABELS = {"title": ("bourree", "fugue"), "style": ("baroque",), "emotion": ("calm", "happy")}


def ramp(frames, offset=0):
    """Two features whose values tell their frame."""
    return np.stack([np.arange(frames), np.arange(frames) + offset]).astype(np.float32)


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Ten recordings of noise, 2 s each, and a cache folder of their own."""
    monkeypatch.setattr(artifacts, "CACHE", tmp_path / "cache")
    folder = tmp_path / "corpus-abc"
    folder.mkdir()
    splits = ["train"] * 7 + ["validation", "test", "test_keyboards"]
    entries = []
    for index, split in enumerate(splits):
        noise = np.random.default_rng(index).standard_normal(2 * RATE_HZ) * 0.1
        soundfile.write(folder / f"{index}.wav", noise, RATE_HZ)
        title = LABELS["title"][index % 2]
        emotion = LABELS["emotion"][index % 2]
        labels = {"title": title, "style": "baroque", "emotion": emotion}
        name = f"{title}-{index}"
        entries.append(Recording(name, f"{index}.wav", split, 2.0, piece=title, group=name, labels=labels))
    made = DataSet("the folder", folder, tuple(entries), LABELS)
    monkeypatch.setattr(clips, "open_dataset", lambda _config: made)
    return made


def test_windows_start_at_the_first_frame_and_fit_whole():
    made = cut_clips([ramp(10), ramp(4), ramp(11)], 4, 4, names=["a", "b", "c"], labels={"title": [2, 0, 1]})
    assert made.recording.tolist() == [0, 0, 1, 2, 2]
    assert made.start.tolist() == [0, 4, 0, 0, 4]
    assert made.labels["title"].tolist() == [2, 2, 0, 1, 1]
    assert set(made.labels) == {"title"}
    assert (len(made), made.steps, made.names) == (5, 4, ("a", "b", "c"))


def test_windows_slide_with_a_hop():
    made = cut_clips([ramp(9)], 4, 2)
    assert made.start.tolist() == [0, 2, 4]
    assert made.features([2]).tolist() == [[[4, 5, 6, 7], [4, 5, 6, 7]]]


def test_as_many_windows_as_wanted_are_spread_over_each_recording():
    made = cut_clips([ramp(41), ramp(4), ramp(23)], 4, 4, most=3)
    assert made.start.tolist() == [0, 16, 36, 0, 0, 8, 16]
    assert cut_clips([ramp(41)], 4, 4, most=1).start.tolist() == [0]
    assert len(cut_clips([ramp(41)], 4, 4, most=0)) == 10


def test_features_come_in_the_order_asked_for():
    made = cut_clips([ramp(8), ramp(8, offset=100)], 4, 4)
    found = made.features(np.array([3, 0, 3]))
    assert found.dtype == np.float32
    assert found.shape == (3, 2, 4)
    assert found[:, 1, 0].tolist() == [104, 0, 104]
    assert made.features([]).shape == (0, 2, 4)


def test_an_offset_moves_a_clip_and_stops_at_the_ends():
    made = cut_clips([ramp(10)], 4, 4)
    found = made.features([0, 1, 1, 0], np.array([3, -2, 50, -7]))
    assert found[:, 0, 0].tolist() == [3, 2, 6, 0]


def test_features_are_copies():
    made = cut_clips([ramp(4)], 4, 4)
    made.features([0])[:] = -1
    assert made.features([0])[0, 0, 1] == 1


def test_joined_sets_hold_all_clips_in_order():
    one = cut_clips([ramp(8), ramp(4)], 4, 4, names=["a", "b"], labels={"title": [1, 2]})
    other = cut_clips([ramp(9, offset=50)], 4, 4, names=["c"], labels={"title": [3]})
    made = join_clips([one, other])
    assert (len(made), made.steps, made.names) == (5, 4, ("a", "b", "c"))
    assert made.labels["title"].tolist() == [1, 1, 2, 3, 3]
    np.testing.assert_array_equal(made.features(range(3)), one.features(range(3)))
    np.testing.assert_array_equal(made.features([3, 4], np.array([0, 1])), other.features([0, 1], np.array([0, 1])))
    assert all(mine is its for mine, its in zip(made.sequences, one.sequences + other.sequences, strict=True))


def test_a_recording_shorter_than_a_clip():
    message = r"b\.wav: too short: 3 frames \(expected at least one clip, 4 frames\)\. Give a longer recording"
    with pytest.raises(MaestroError, match=message):
        cut_clips([ramp(4), ramp(3)], 4, 4, names=["a.wav", "b.wav"])


def test_data_clips_have_splits_labels_and_the_features_of_their_recordings(corpus):
    sets, labels = data_clips(CONFIG)
    assert labels == LABELS
    assert {split: len(made.names) for split, made in sets.items()} == {
        "train": 7,
        "validation": 1,
        "test": 1,
        "test_keyboards": 1,
    }
    train = sets["train"]
    # 2 s are 1 + 16000 // 256 = 63 frames: 3 clips of 16.
    assert len(train) == 21
    assert train.steps == STEPS
    assert train.start[:4].tolist() == [0, 16, 32, 0]
    assert train.labels["title"].tolist() == [index % 2 for index in range(7) for _ in range(3)]
    assert train.labels["style"].tolist() == [0] * 21
    audio, _ = soundfile.read(corpus.path / "1.wav", dtype="float32")
    whole = sound_features(audio, RATE_HZ, CONFIG.features)
    np.testing.assert_array_equal(train.features([4])[0], whole[:, 16:32])


def test_errors_cross_processes_whole():
    sent = CallError("here", "wrong", allowed="right", cure="mend it")
    came = pickle.loads(pickle.dumps(sent))
    assert type(came) is CallError
    assert str(came) == str(sent) == "here: wrong (expected right). Mend it"
    assert (came.where, came.found, came.cure) == ("here", "wrong", "mend it")
