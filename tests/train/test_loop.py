import dataclasses
import json
import re

import numpy as np
import pytest
import torch

from train import loop
from train.artifacts import RunFolder
from train.checkpoint import load_checkpoint
from train.config import load_config
from train.data.clips import join_clips
from train.errors import CallError, MaestroError
from train.model import load_run

TINY = [
    "features.mfcc=6",
    "features.chroma=6",
    "features.clip_s=0.8",
    "encoding.name=level",
    "encoding.levels=4",
    "network.conv_channels=[4]",
    "network.conv_kernels=[3]",
    "network.pools=[2]",
    "network.dense=[12]",
    "lif.threshold=2.0",
    "training.batch=8",
    "training.epochs=3",
    "training.threads=1",
    "training.count_scale=1.0",
]


@pytest.fixture
def config(fake_clips):
    fake_clips(loop)
    return load_config("lif", TINY)


def weights(run):
    return load_checkpoint(run.checkpoint)["state"]


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_same_seed_same_checkpoint_and_other_seed_another(config, tmp_path):
    runs = [RunFolder(tmp_path / name) for name in "ab"]
    for run in runs:
        loop.fit(config, run)
    assert_same(weights(runs[0]), weights(runs[1]))
    other = RunFolder(tmp_path / "c")
    loop.fit(load_config("lif", [*TINY, "training.seed=2"]), other)
    assert any(not torch.equal(tensor, weights(other)[name]) for name, tensor in weights(runs[0]).items())


@pytest.mark.parametrize("extra", [[], ["network.dropout=0.3"], ["noise.share=0.5"]])
def test_interrupted_training_goes_on_exactly(config, tmp_path, monkeypatch, extra):
    config = load_config("lif", [*TINY, *extra])
    whole, cut = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "cut")
    expected = loop.fit(config, whole)

    train_epoch = loop._train_epoch

    def interrupted(*arguments):
        if arguments[-1] == 1:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    monkeypatch.setattr(loop, "_train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.fit(config, cut)
    assert cut.resume.is_file()
    assert not cut.metrics.exists()
    monkeypatch.setattr(loop, "_train_epoch", train_epoch)
    found = loop.fit(config, cut, resume=True)

    assert_same(weights(whole), weights(cut))
    assert found["final"] == expected["final"]
    strip = [{**entry, "seconds": 0} for entry in found["epochs"]]
    assert strip == [{**entry, "seconds": 0} for entry in expected["epochs"]]
    assert not cut.resume.exists()


def test_a_run_keeps_what_it_was_trained_on_and_goes_on_with_nothing_else(config, tmp_path):
    run = RunFolder(tmp_path / "run")
    loop.fit(config, run)
    names = [f"train{index}" for index in range(8)]
    assert json.loads(run.recordings.read_text()) == {"train": names}
    run.metrics.unlink()
    run.recordings.write_text(json.dumps({"train": [*names, "gone"]}))
    with pytest.raises(CallError, match=r"other recordings for training: gone came or went"):
        loop.fit(config, run, resume=True)
    loop.fit(config, run, overwrite=True)
    assert json.loads(run.recordings.read_text()) == {"train": names}


def test_it_learns_and_stores_what_evaluation_gives(config, tmp_path):
    run = RunFolder(tmp_path)
    config = load_config("lif", [*TINY, "training.epochs=12", "training.learning_rate=0.01"])
    metrics = loop.fit(config, run)
    assert metrics["final"]["test"]["title"]["accuracy"] > 0.5
    stored = json.loads(run.metrics.read_text())
    assert stored["final"] == metrics["final"]
    trained = load_run(run)
    clips, _ = loop.data_clips(config)
    again, rates = loop.evaluate(trained.network, clips["test"], trained.encoder, trained.normaliser, trained.heads)
    assert again == metrics["final"]["test"]
    assert list(rates) == ["conv1", "pool1", "dense1", "heads"]
    best = max(metrics["epochs"], key=lambda entry: loop.validation_score(entry["validation"], config))
    assert metrics["best_epoch"] == best["epoch"]


def test_the_ann_trains_by_the_same_loop(config, tmp_path):
    metrics = loop.fit(load_config("ann", TINY), RunFolder(tmp_path))
    assert metrics["epochs"][-1]["rates"] == {}
    assert set(metrics["final"]) == {"validation", "test", "test_keyboards"}


def test_early_stopping(config, tmp_path):
    still = ["training.learning_rate=0.0", "lif.learn_decays=false", "training.epochs=9", "training.patience=2"]
    config = load_config("lif", [*TINY, *still])
    metrics = loop.fit(config, RunFolder(tmp_path))
    assert len(metrics["epochs"]) == 3
    assert metrics["best_epoch"] == 1


def test_a_folder_in_use_is_never_taken_silently(config, tmp_path, cli):
    run = RunFolder(tmp_path / "run")
    loop.fit(config, run)
    before = run.checkpoint.read_bytes()
    with pytest.raises(CallError, match=re.escape("is trained already. Use it, or --overwrite to train it again")):
        loop.fit(config, run)
    other = load_config("lif", [*TINY, "training.seed=2"])
    with pytest.raises(CallError, match=r"holds a run of another configuration. Give another --run, or --overwrite"):
        loop.fit(other, run, resume=True)
    run.metrics.unlink()
    with pytest.raises(
        CallError, match=r"holds a half-trained run. --resume goes on with it, --overwrite starts again"
    ):
        loop.fit(config, run)
    assert run.checkpoint.read_bytes() == before
    with pytest.raises(MaestroError, match=r"metrics.json: missing from the run. Make it with .*--resume"):
        load_run(run)


def test_resume_of_a_finished_run_changes_nothing(config, tmp_path, cli):
    run = RunFolder(tmp_path / "run")
    loop.fit(config, run)
    before = {path: path.read_bytes() for path in run.path.iterdir()}
    arguments = [word for override in TINY for word in ("--set", override)]
    result = cli("train", "fit", "lif", *arguments, "--run", run.path, "--resume")
    assert result.exit_code == 0, result.stderr
    assert "is trained already" in result.stderr
    assert "test_keyboards" in result.stdout
    assert {path: path.read_bytes() for path in run.path.iterdir()} == before


def test_training_again_removes_what_was_made_of_the_old_checkpoint(config, tmp_path):
    run = RunFolder(tmp_path)
    loop.fit(config, run)
    run.net.write_text("old")
    run.manifest.write_text("old")
    loop.fit(config, run, overwrite=True)
    assert not run.net.exists()
    assert not run.manifest.exists()


def test_a_configuration_that_cannot_be_built_leaves_the_old_run(config, tmp_path):
    from train.config import DendriteConfig

    run = RunFolder(tmp_path)
    loop.fit(config, run)
    before = {path: path.read_bytes() for path in run.path.iterdir()}
    network = dataclasses.replace(config.network, neuron="dh_lif")
    impossible = dataclasses.replace(config, network=network, dendrites=DendriteConfig(branches=64))
    with pytest.raises(CallError, match=r"dendrites.branches: is 64 where a neuron of layer \w+ has"):
        loop.fit(impossible, run, overwrite=True)
    assert {path: path.read_bytes() for path in run.path.iterdir()} == before


def test_a_loss_that_is_no_number_stops_with_the_cure(config, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "multi_head_loss", lambda scores, *_: scores.sum() * float("nan"))
    with pytest.raises(MaestroError, match=r"epoch 1: the loss became nan. Lower training.learning_rate"):
        loop.fit(config, RunFolder(tmp_path))
    assert not (tmp_path / "checkpoint.pt").exists()


def test_truncated_resume_state_is_named(config, tmp_path, monkeypatch):
    run = RunFolder(tmp_path)
    monkeypatch.setattr(loop, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        loop.fit(config, run)
    run.resume.write_bytes(run.resume.read_bytes()[:1000])
    with pytest.raises(MaestroError, match=r"resume.pt: is not a whole checkpoint file"):
        loop.fit(config, run, resume=True)
    assert run.checkpoint.is_file()


def test_resume_state_of_another_shape_is_one_clear_error(config, tmp_path, monkeypatch):
    run = RunFolder(tmp_path)
    monkeypatch.setattr(loop, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        loop.fit(config, run)
    values = load_checkpoint(run.resume)
    for broken in ({**values, "network": {}}, {key: values[key] for key in ("format", "network")}):
        torch.save(broken, run.resume)
        with pytest.raises(MaestroError, match=r"resume.pt: does not fit this run: .*--overwrite trains from"):
            loop.fit(config, run, resume=True)


def test_training_goes_on_with_no_other_data(config, tmp_path, monkeypatch):
    run = RunFolder(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(loop, "dataset_key", lambda _: "what was there before")
        patched.setattr(loop, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            loop.fit(config, run)
    with pytest.raises(MaestroError, match=r"resume\.pt: its epochs heard other recordings, sides or labels"):
        loop.fit(config, run, resume=True)
    assert run.resume.is_file()
    monkeypatch.setattr(loop, "dataset_key", lambda _: "what was there before")
    loop.fit(config, run, resume=True)
    assert run.metrics.is_file()


def test_checkpoint_of_another_shape_is_one_clear_error(config, tmp_path):
    run = RunFolder(tmp_path)
    loop.fit(config, run)
    values = load_checkpoint(run.checkpoint)
    name = next(key for key in values["state"] if key.endswith("weight"))
    values["state"][name] = torch.zeros(1)
    torch.save(values, run.checkpoint)
    with pytest.raises(MaestroError, match="does not fit its own configuration"):
        load_run(run)


def test_batches_cover_every_clip_once_and_depend_on_seed_and_epoch_alone(config):
    clips, _ = loop.data_clips(config)
    first = list(loop._batches(clips["train"], config, 0))
    again = list(loop._batches(clips["train"], config, 0))
    other = list(loop._batches(clips["train"], config, 1))
    np.testing.assert_array_equal(np.sort(np.concatenate([part for part, _ in first])), np.arange(len(clips["train"])))
    assert all(np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(first, other, strict=True))


def test_no_temporary_file_is_left(config, tmp_path):
    loop.fit(config, RunFolder(tmp_path))
    names = ["checkpoint.pt", "config.toml", "metrics.json", "recordings.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


NOISY = [*TINY, "noise.share=0.6", 'noise.kinds=["white", "pink"]']


def heard(config, epoch=0):
    """One epoch's clips with noise in training: number of the clip and version, in order, and offsets."""
    clips, _ = loop.data_clips(config)
    training = join_clips([clips["train"], *loop.training_variants(config)])
    indices, offsets = map(np.concatenate, zip(*loop._batches(training, config, epoch), strict=True))
    return indices % len(clips["train"]), indices // len(clips["train"]), offsets


def test_clean_training_draws_order_and_offsets_alone(config):
    clips, _ = loop.data_clips(config)
    generator = np.random.default_rng((config.training.seed, 3))
    order = generator.permutation(24)
    for indices, offsets in loop._batches(clips["train"], config, 3):
        np.testing.assert_array_equal(indices, order[:8])
        half = clips["train"].steps // 2
        np.testing.assert_array_equal(offsets, generator.integers(-half, half + 1, size=8))
        order = order[8:]
    assert not len(order)


def test_noise_takes_the_place_of_its_share_of_clips(config):
    noisy = load_config("lif", NOISY)
    versions = []
    for epoch in range(40):
        clip, version, offsets = heard(noisy, epoch)
        same_clip, clean, same_offsets = heard(config, epoch)
        # Order and offsets are those of clean training; every clip comes once, in one version.
        np.testing.assert_array_equal(clip, same_clip)
        np.testing.assert_array_equal(offsets, same_offsets)
        assert not clean.any()
        versions.append(version[np.argsort(clip)])
        np.testing.assert_array_equal(heard(noisy, epoch)[1], version)
    shares = np.bincount(np.concatenate(versions)) / np.size(versions)
    np.testing.assert_allclose(shares, [0.4, 0.3, 0.3], atol=0.05)
    # A clip is heard in all its versions as the epochs pass.
    assert all(len(set(of_clip)) == 3 for of_clip in np.transpose(versions))


def test_with_a_share_of_one_no_clip_is_clean(config):
    assert set(heard(load_config("lif", [*TINY, "noise.share=1.0"]))[1]) == {1, 2, 3}


def test_noise_changes_training_and_not_the_normaliser(config, tmp_path, capsys):
    runs = {name: RunFolder(tmp_path / name) for name in ("clean", "noisy", "again")}
    for name, run in runs.items():
        loop.fit(config if name == "clean" else load_config("lif", NOISY), run)
    assert_same(weights(runs["noisy"]), weights(runs["again"]))
    assert any(not torch.equal(tensor, weights(runs["noisy"])[name]) for name, tensor in weights(runs["clean"]).items())
    kept = [load_checkpoint(run.checkpoint)["normaliser"] for run in runs.values()]
    assert kept[0] == kept[1] == kept[2]
    assert "24 train, 12 validation, 12 test, 12 test_keyboards; noise in 60% of the training clips" in (
        capsys.readouterr().err
    )


def test_training_killed_while_it_makes_noise_is_started_again(config, tmp_path, monkeypatch):
    noisy, cut, whole = load_config("lif", NOISY), RunFolder(tmp_path / "cut"), RunFolder(tmp_path / "whole")
    loop.fit(noisy, whole)
    variants = loop.training_variants

    def killed(_config):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "training_variants", killed)
    with pytest.raises(KeyboardInterrupt):
        loop.fit(noisy, cut)
    monkeypatch.setattr(loop, "training_variants", variants)
    loop.fit(noisy, cut, resume=True)
    assert_same(weights(whole), weights(cut))
