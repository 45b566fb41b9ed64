"""The manifest comes back as it was, and is refused when it is not whole or speaks of other files."""

import json

import pytest

from export.manifest import GateRecord, Head, Manifest, load_manifest, save_manifest
from train.artifacts import RunFolder, sha256
from train.config import EncodingConfig, FeatureConfig
from train.errors import MaestroError


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
        input_shape=(8, 33, 1),
        latency_steps=2,
        steps=94,
        sample_rate_hz=16000,
        features=FeatureConfig(mfcc=13),
        encoding=EncodingConfig(name="delta", threshold=0.25),
        normaliser={"mean": [0.1, 1e-7], "std": [1.0, 3.0]},
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
        (lambda v: v.update(format=99), "is not a manifest of format 1"),
        (lambda v: v.pop("heads"), "does not have the keys of format 1: heads"),
        (lambda v: v.update(extra=1), "does not have the keys of format 1: extra"),
        (lambda v: v["features"].update(hop=1), "is damaged: configuration key features.hop: unknown"),
        (lambda v: v["heads"].update(title=3), "is damaged"),
        (lambda v: v.update(layers=None), "is damaged"),
        (lambda v: v["gate"].pop("clips"), "is damaged"),
    ],
)
def test_a_damaged_manifest_is_refused(run, manifest, change, message):
    save_manifest(run, manifest)
    values = json.loads(run.manifest.read_text())
    change(values)
    run.manifest.write_text(json.dumps(values))
    with pytest.raises(MaestroError, match=rf"manifest\.json: {message}.*ake it again with"):
        load_manifest(run)


def test_a_truncated_manifest_is_refused(run, manifest):
    save_manifest(run, manifest)
    run.manifest.write_text(run.manifest.read_text()[:-20])
    with pytest.raises(MaestroError, match="cannot be read as JSON"):
        load_manifest(run)
