"""The manifest comes back as it was, and is refused when it is not whole or speaks of other files."""

import dataclasses
import json

import pytest

from export.manifest import GateRecord, Head, Manifest, load_manifest, save_manifest
from train.artifacts import RunFolder, sha256
from train.config import EncodingConfig, FeatureConfig
from train.errors import MaestroError
from train.features import clip_steps


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.net.write_bytes(b"net")
    folder.checkpoint.write_bytes(b"checkpoint")
    return folder


@pytest.fixture
def manifest(run):
    return Manifest(
        name="lif",
        net_sha256=sha256(run.net),
        checkpoint_sha256=sha256(run.checkpoint),
        layers=("conv1", "heads"),
        realisation="stock",
        input_shape=(2, 3, 1),
        latency_steps=2,
        steps=94,
        sample_rate_hz=16000,
        features=FeatureConfig(mfcc=2, chroma=0),
        encoding=EncodingConfig(name="delta", threshold=0.25),
        normaliser={"mean": [0.1, 1e-7, 0.0], "std": [1.0, 3.0, 0.0]},
        heads={"title": Head(0, 2, ("a", "b")), "style": Head(2, 4, ("s", "t"))},
        count_scale=0.5,
        gate=GateRecord(64, 94, {"conv1": 100, "heads": 7}, 0),
        versions={"torch": "2.3.1"},
        created="2026-11-22T02:00:00+00:00",
    )


def test_a_manifest_comes_back_as_it_was(run, manifest):
    save_manifest(run, manifest)
    assert load_manifest(run) == manifest
    assert manifest.slices == {"title": (0, 2), "style": (2, 4)}
    run.checkpoint.unlink()
    assert load_manifest(run) == manifest


def test_clips_longer_than_the_default_performance_are_no_damage(run, manifest):
    features = dataclasses.replace(manifest.features, clip_s=100.0)
    longer = dataclasses.replace(manifest, features=features, steps=clip_steps(features))
    save_manifest(run, longer)
    assert load_manifest(run) == longer


@pytest.mark.parametrize("name", ["net", "checkpoint"])
def test_a_manifest_of_other_files_is_refused(run, manifest, name):
    save_manifest(run, manifest)
    getattr(run, name).write_bytes(b"other")
    with pytest.raises(MaestroError, match=r"was made for another (model\.net|checkpoint\.pt)\. Export again with"):
        load_manifest(run)


def test_missing_parts_name_the_command_that_makes_them(run, manifest):
    with pytest.raises(
        MaestroError, match=r"manifest\.json: missing from the run\. Make it with `python -m export netx"
    ):
        load_manifest(run)
    run.net.unlink()
    with pytest.raises(MaestroError, match=r"model\.net: missing from the run"):
        load_manifest(run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(format=99), "is not a manifest of format 2"),
        (lambda v: v.pop("heads"), "does not have the keys of format 2: heads"),
        (lambda v: v.update(extra=1), "does not have the keys of format 2: extra"),
        (lambda v: v["features"].update(hop=1), "is damaged: configuration key features.hop: unknown"),
        (lambda v: v.update(features=3), "is damaged: configuration key features: is 3"),
        (lambda v: v["features"].pop("rms"), "key features lacks rms"),
        (lambda v: v.update(steps=0), r"key steps is 0 \(expected a whole number above 0\)"),
        (lambda v: v.update(steps="94"), "key steps is '94'"),
        (lambda v: v.update(steps=95), r"key steps is 95 \(expected 94, as the section features says"),
        (lambda v: v["features"].update(clip_s=6.0), r"key steps is 94 \(expected 188"),
        (lambda v: v.update(sample_rate_hz=16000.5), r"key sample_rate_hz is 16000\.5"),
        (lambda v: v.update(latency_steps=True), "key latency_steps is True"),
        (lambda v: v.update(latency_steps=-1), "key latency_steps is -1"),
        (lambda v: v.update(layers=None), r"key layers is None \(expected a list of different names"),
        (lambda v: v.update(layers="conv1"), "key layers is 'conv1'"),
        (lambda v: v.update(layers=[]), r"key layers is \[\]"),
        (lambda v: v.update(layers=["a", "a"]), r"key layers is \['a', 'a'\]"),
        (lambda v: v.update(layers=["a", ""]), r"key layers is \['a', ''\]"),
        (lambda v: v.update(realisation="spiking"), r"key realisation is 'spiking' \(expected stock or analog"),
        (lambda v: v.update(input_shape=[2, 4, 1]), r"key input_shape is \[2, 4, 1\] \(expected \[2, 3, 1\], as"),
        (lambda v: v.update(input_shape=[2, 3.0, 1]), r"key input_shape is \[2, 3\.0, 1\]"),
        (lambda v: v["encoding"].update(name="level"), r"key input_shape is \[2, 3, 1\] \(expected \[8, 3, 1\]"),
        (lambda v: v.update(normaliser=[]), "key normaliser is not the lists mean and std"),
        (lambda v: v["normaliser"].update(mean=1), r"key normaliser\.mean is 1 \(expected a list of 3"),
        (lambda v: v["normaliser"]["std"].pop(), r"key normaliser\.std has 2 entries \(expected a list of 3, one a"),
        (lambda v: v["normaliser"].update(mean=[0, 0, "0"]), r"key normaliser\.mean holds '0'"),
        (lambda v: v["normaliser"].update(mean=[0, 0, 1e39]), r"key normaliser\.mean holds 1e\+39"),
        (
            lambda v: v["normaliser"].update(std=[1, -1, 1]),
            r"key normaliser\.std holds -1 \(expected finite numbers, n",
        ),
        (lambda v: v["normaliser"].update(std=[1, float("nan"), 1]), r"key normaliser\.std holds nan"),
        (lambda v: v["normaliser"].update(std=[0, 0, 0]), r"key normaliser\.std is 0 for every feature"),
        (lambda v: v.update(heads={}), r"key heads is \{\} \(expected at least one head"),
        (lambda v: v["heads"].update(title=3), r"key heads\.title is 3 \(expected start, stop and labels"),
        (lambda v: v["heads"]["title"].update(labels="ab"), r"key heads\.title\.labels is 'ab'"),
        (lambda v: v["heads"]["title"].update(labels=["a", "a"]), r"key heads\.title\.labels is \['a', 'a'\]"),
        (lambda v: v["heads"]["title"].update(start=1), r"key heads\.title\.start is 1 \(expected 0, "),
        (lambda v: v["heads"]["style"].update(start=3), r"key heads\.style\.start is 3 \(expected 2, where the head"),
        (lambda v: v["heads"]["style"].update(stop="4"), r"key heads\.style\.stop is '4' \(expected 4, a neuron for"),
        (lambda v: v["heads"]["style"].update(stop=9), r"key heads\.style\.stop is 9 \(expected 4, a neuron for each"),
        (lambda v: v.update(count_scale=0), "key count_scale is 0 .expected a finite number above 0"),
        (lambda v: v["gate"].pop("clips"), "is damaged"),
    ],
)
def test_a_damaged_manifest_is_refused(run, manifest, change, message):
    save_manifest(run, manifest)
    values = json.loads(run.manifest.read_text())
    change(values)
    run.manifest.write_text(json.dumps(values))
    with pytest.raises(MaestroError, match=rf"manifest\.json: {message}.*\. Export again with"):
        load_manifest(run)


def test_a_truncated_manifest_is_refused(run, manifest):
    save_manifest(run, manifest)
    run.manifest.write_text(run.manifest.read_text()[:-20])
    with pytest.raises(MaestroError, match="cannot be read as JSON"):
        load_manifest(run)
