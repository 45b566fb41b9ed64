"""Which clip is shown, and what is shown of it."""

import numpy as np
import pytest
import soundfile

from hardware.report import clip
from hardware.report.subject import gather
from train.data.dataset import DataSet, Recording
from train.errors import CallError, MaestroError


@pytest.fixture
def subject(make_run):
    return gather([make_run().path])[0]


def test_the_clip_is_the_one_whose_features_change_most(subject, no_corpus, monkeypatch):
    from train.data import clips

    sets, labels = no_corpus(subject.config)
    chosen = sets["test"]
    # Nothing changes but in clip 7, which is the second of the third recording.
    for sequence in chosen.sequences:
        sequence[:] = 1.0
    start = int(chosen.start[7])
    chosen.sequences[int(chosen.recording[7])][:, start + 3] = 5.0
    monkeypatch.setattr(clips, "data_clips", lambda _: (sets, labels))
    heard = clip.choose(subject, None)
    assert heard.index == 7
    assert heard.recording == chosen.names[int(chosen.recording[7])]
    assert heard.truth == {head: labels[head][int(numbers[7])] for head, numbers in chosen.labels.items()}
    assert heard.why == clip.RULE


def test_features_are_in_standard_deviations_of_the_test_set(subject):
    features = np.concatenate([clip.choose(subject, number).features for number in range(12)], axis=1)
    np.testing.assert_allclose(features.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(features.std(axis=1), 1, atol=1e-5)


def test_a_clip_beyond_the_set_is_refused(subject):
    with pytest.raises(CallError, match=r"--clip: is 12 \(expected 0 to 11, the test set's clips\)"):
        clip.choose(subject, 12)


def test_spikes_are_those_of_the_reference(subject):
    from export import netx, reference
    from lava_runtime.inputs import run_clips

    found = clip.spikes_of(subject, clip.choose(subject, 4))
    inputs = run_clips(subject.run).spikes([("test", 4)])
    network = netx.read(subject.run.net)
    truth = reference.run(network, inputs[0])
    np.testing.assert_array_equal(found.layers["input"], inputs[0].reshape(-1, inputs.shape[-1]))
    for (name, _), spikes in zip(network.spiking, truth, strict=True):
        np.testing.assert_array_equal(found.layers[name], spikes.reshape(-1, spikes.shape[-1]), err_msg=name)
    assert all(rows.any() for rows in found.layers.values())


def test_a_run_of_other_clips_is_refused(subject):
    heard = clip.choose(subject, 4)
    other = clip.Heard(**{**vars(heard), "recording": "elsewhere"})
    with pytest.raises(MaestroError, match="has another test set than the first run"):
        clip.spikes_of(subject, other)


def test_the_sound_is_the_recordings_with_half_a_window_either_side(subject, tmp_path, monkeypatch):
    from train.data import dataset

    rate_hz = subject.config.corpus.sample_rate_hz
    audio = np.linspace(-0.5, 0.5, 10 * rate_hz, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", audio, rate_hz, subtype="FLOAT")
    recording = Recording("a", "a.wav", "test", 10.0, "t", "a", {})
    monkeypatch.setattr(dataset, "open_dataset", lambda _: DataSet("the folder", tmp_path, (recording,), {}))
    found = clip._sound(subject.config, "a", 2.0, 1.0)
    half = subject.config.features.window // 2
    assert found.first == half
    np.testing.assert_array_equal(found.samples, audio[2 * rate_hz - half : 3 * rate_hz + half])
    assert clip._sound(subject.config, "b", 2.0, 1.0) == "the folder has no recording b"


def test_without_a_corpus_the_reason_is_given(subject):
    assert clip.choose(subject, 0).sound == "corpus: is not built in tests"
