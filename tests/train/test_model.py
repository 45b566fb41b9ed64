"""A run that is not what it says is one clear line, whatever part of it is wrong."""

import pytest

from train.artifacts import RunFolder, write_json
from train.checkpoint import save_checkpoint
from train.config import Config, dump_config
from train.errors import MaestroError
from train.model import load_run, new_network


@pytest.fixture
def values():
    from train.encoding import make_encoder

    config = Config()
    return {
        "config": dump_config(config),
        "state": new_network(config, make_encoder(config.encoding), 4).state_dict(),
        "normaliser": {"mean": [0.0] * 33, "std": [1.0] * 33},
        "labels": {"title": ["a", "b"], "style": ["s", "t"]},
        "epoch": 1,
    }


def run_of(path, values):
    run = RunFolder(path)
    save_checkpoint(run.checkpoint, values)
    write_json(run.metrics, {})
    return run


def test_a_run_comes_back_whole(tmp_path, values):
    trained = load_run(run_of(tmp_path, values))
    assert trained.config == Config()
    assert trained.heads == {"title": (0, 2), "style": (2, 4)}
    assert trained.network.training is False


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"config": "[training"}, ""),
        ({"config": "[training]\nepoch = 3"}, "configuration key training.epoch: unknown"),
        ({"config": None}, ""),
        ({"normaliser": {"mean": [0.0], "std": [-1.0]}}, "normaliser: has values that are no mean or no deviation"),
        ({"labels": ["title"]}, ""),
        ({"labels": {"title": ["a"]}}, "Error.s. in loading state_dict"),
        ({"state": {}}, "Error.s. in loading state_dict"),
    ],
)
def test_a_checkpoint_that_does_not_fit_itself_is_named(tmp_path, values, change, text):
    run = run_of(tmp_path, {**values, **change})
    message = rf"checkpoint\.pt: does not fit its own configuration: .*{text}.*\. Train again$"
    with pytest.raises(MaestroError, match=message) as caught:
        load_run(run)
    assert caught.value.exit_code == 1
