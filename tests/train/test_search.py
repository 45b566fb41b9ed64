import json
import re

import pytest

from train import loop, search
from train.config import load_config
from train.errors import CallError, DivergedError, MaestroError

TINY = [
    "encoding.name=level",
    "features.mfcc=6",
    "features.chroma=6",
    "features.clip_s=0.8",
    "network.conv_channels=[4]",
    "network.conv_kernels=[3]",
    "network.pools=[2]",
    "network.dense=[8]",
    "training.batch=12",
    "training.epochs=1",
    "training.threads=1",
]


def test_grid_is_every_combination():
    assert search.parse_grid(["a=1,2", "b=x"]) == [("a=1", "b=x"), ("a=2", "b=x")]
    assert search.parse_grid(["a=[1];[2, 3]"]) == [("a=[1]",), ("a=[2, 3]",)]


@pytest.mark.parametrize("axis", ["a", "a=", "=1", "a=1,,2"])
def test_bad_axis_is_named(axis):
    with pytest.raises(CallError, match=re.escape(f"--grid {axis}: not of the form key=value,value. Write --grid")):
        search.parse_grid([axis])


def test_cells_are_ranked_kept_and_never_trained_twice(fake_clips, tmp_path, monkeypatch):
    fake_clips(loop)
    axes = ["encoding.levels=3,4"]
    first = search.search("lif", TINY, axes, tmp_path)
    assert json.loads((tmp_path / "search.json").read_text())["cells"] == first["cells"]
    assert first["shared"]["training"]["epochs"] == 1
    assert first["shared"]["lif"]["threshold"] == load_config("lif").lif.threshold
    scores = [cell["score"] for cell in first["cells"]]
    assert scores == sorted(scores, reverse=True)
    monkeypatch.setattr(search, "fit", lambda *_args, **_keys: pytest.fail("a finished cell was trained again"))
    assert search.search("lif", TINY, axes, tmp_path)["cells"] == first["cells"]


def test_a_cell_that_diverges_is_a_result(fake_clips, tmp_path, monkeypatch):
    fake_clips(loop)

    def fail(*_args, **_keys):
        raise DivergedError("epoch 1", "the loss became nan")

    monkeypatch.setattr(search, "fit", fail)
    cells = search.search("lif", TINY, ["encoding.levels=3"], tmp_path)["cells"]
    assert cells[0]["failed"] == "epoch 1: the loss became nan"


def test_a_full_disk_is_no_result(fake_clips, tmp_path, monkeypatch):
    fake_clips(loop)

    def full(*_args, **_keys):
        raise MaestroError("resume.pt", "cannot be written: no space left")

    monkeypatch.setattr(search, "fit", full)
    with pytest.raises(MaestroError, match=r"resume\.pt: cannot be written: no space left"):
        search.search("lif", TINY, ["encoding.levels=3"], tmp_path)
    assert not (tmp_path / "search.json").exists()


def test_a_wrong_key_is_found_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "fit", lambda *_args, **_keys: pytest.fail("trained"))
    with pytest.raises(CallError, match=r"encoding.level: unknown. Did you mean encoding.levels\?"):
        search.search("lif", TINY, ["encoding.levels=3", "encoding.level=3"], tmp_path)
