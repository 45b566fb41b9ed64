"""The task in a configuration, the features and the code that the seeds hear, and a network trained to tell steps."""

import dataclasses

import numpy as np
import pytest

from export.manifest import load_manifest
from export.pipeline import export_run
from lava_runtime.engine.engine import Engine
from lava_runtime.segment import require_readout
from train import codes
from train.artifacts import RunFolder
from train.config import FeatureConfig, load_config
from train.data.clips import data_clips
from train.errors import CallError, MaestroError
from train.features import feature_names, sound_features, window_features
from train.loop import fit
from train.metrics import accuracy, decide
from train.model import load_run


def test_changes_by_hand():
    x = np.float32([[[1.0, 1.5, 1.6, 1.2, 1.2, -3.0, -2.5]]])
    on, off = codes.change(x, 0.3)[0, :, 0].tolist()
    assert on == [0, 1, 0, 0, 0, 0, 1]
    assert off == [0, 0, 0, 1, 0, 1, 0]
    # A step of exactly the threshold is none.
    assert codes.change(np.float32([[[0, 0.5, 0]]]), 0.5).sum() == 0


def test_mel_bands_are_powers_in_decibels():
    rate_hz, config = 16000, FeatureConfig(mfcc=0, chroma=0, rms=False, mel=64, window=1024, hop_s=0.01)
    assert feature_names(config) == tuple(f"mel{index}" for index in range(64))
    quiet = 0.01 * np.sin(2 * np.pi * 1000 * np.arange(rate_hz) / rate_hz).astype(np.float32)
    soft, loud = (sound_features(gain * quiet, rate_hz, config) for gain in (1, 10))
    assert soft.shape == (64, 101)
    middle = soft[:, 50]
    # The loudest band holds 1 kHz; ten times the amplitude is 20 dB more.
    assert middle.argmax() == loud[:, 50].argmax()
    assert loud[:, 50].max() - middle.max() == pytest.approx(20, abs=0.01)
    assert soft.min() >= -80.001
    around = np.pad(quiet, 512)[50 * 160 : 50 * 160 + 1024]
    np.testing.assert_array_equal(window_features(around, rate_hz, config), middle)


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (
            "task.name=segmentaton",
            r"task.name: is 'segmentaton' \(expected recognition or segmentation\). Did you mean",
        ),
        ("task.order=back", r"task.order: is 'back' \(expected forward or mixed\)"),
        ('task.styles=["Baroque"]', r"task.styles: is \['Baroque'\] \(expected two different styles\)"),
        ('task.styles=["Baroque","Baroque"]', r"task.styles: is .* \(expected two different styles\)"),
        ("task.cut_high=0.2", r"task.cut_high: is 0.2 \(expected 0.3 to 0.99\)"),
        ("task.test_clips=3", r"task.test_clips: is 3 \(expected 4 to 1e\+06\)"),
        ("task.readout_steps=0", r"task.readout_steps: is 0 \(expected 1 to 4096\)"),
        ("network.neuron=ann", r"network.neuron: is 'ann', which tells whole clips alone \(expected lif or dh_lif\)"),
        ("noise.share=0.5", r"noise.share: is 0.5 \(expected 0 where the task is segmentation\)"),
        ("network.dense=[]", r"network.dense: is empty \(expected a layer to read, where there are no heads\)"),
    ],
)
def test_tasks_that_cannot_be(override, text):
    with pytest.raises(CallError, match=text):
        load_config("segmentation", [override])


@pytest.mark.parametrize("neuron", ["lif", "dh_lif"])
def test_deployed_integers_are_right_where_the_trained_network_is(flickering, small, tmp_path, neuron):
    run = RunFolder(tmp_path / "run")
    config = load_config("segmentation", [*small, f"network.neuron={neuron}", "training.learning_rate=0.02"])
    metrics = fit(config, run)
    trained = load_run(run)
    assert trained.network.layer_names == ("dense1",)
    np.testing.assert_allclose(trained.normaliser.std, 10 / np.log(10), rtol=1e-6)
    assert not trained.normaliser.mean.any()
    assert metrics["final"]["test"]["style"]["accuracy"] > 0.7
    export_run(run, 4)
    manifest = load_manifest(run)
    readout = require_readout(manifest, run)
    assert readout.latency_steps == manifest.latency_steps == 1
    engine = Engine.from_file(run.net)
    for side, clips in data_clips(config)[0].items():
        if side == "train":
            continue
        spikes = trained.encoder.encode(trained.normaliser.apply(clips.features(range(len(clips)))))
        found = accuracy(decide(readout.scores(engine.run(spikes).output), manifest.slices), clips.labels)
        assert found == metrics["final"][side]


def test_an_interrupted_training_goes_on_to_the_same_network(flickering, small, tmp_path, monkeypatch):
    from train import loop

    config = load_config("segmentation", small)
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    fit(config, whole)
    report, epochs = loop._report, []

    def stop(state, of):
        epochs.append(state.epoch)
        report(state, of)
        if len(epochs) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_report", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(config, broken)
    fit(config, broken, resume=True)
    ours, theirs = (load_run(run).network.state_dict() for run in (whole, broken))
    assert "readout.weight" in ours
    for name, tensor in ours.items():
        assert (tensor == theirs[name]).all(), name


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        ({"weight": [[1.0]]}, "readout is not weight, readout_steps and latency_steps"),
        (
            {"weight": [[1.0], [1.0, 2.0]], "readout_steps": 5, "latency_steps": 1},
            "readout.weight is no table of finite",
        ),
        ({"weight": [[1.0]], "readout_steps": 0, "latency_steps": 1}, "readout.readout_steps is 0 .expected a whole"),
        ({"weight": [[1.0]], "readout_steps": 5, "latency_steps": 3}, "readout.latency_steps is 3 .expected 1, as the"),
    ],
)
def test_a_manifest_whose_readout_is_damaged(flickering, config, tmp_path, damage, text):
    from export.manifest import save_manifest

    run = RunFolder(tmp_path / "run")
    fit(dataclasses.replace(config, training=dataclasses.replace(config.training, epochs=1)), run)
    manifest = export_run(run, 2)
    save_manifest(run, dataclasses.replace(manifest, readout=damage))
    with pytest.raises(MaestroError, match=f"manifest.json: key {text}"):
        load_manifest(run)
