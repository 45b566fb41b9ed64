"""What is committed under hardware/results/segmentation is what its own numbers say."""

import json

import numpy as np
import pytest

from hardware.segmentation.summary import write_summary


@pytest.fixture
def folder(root):
    return root / "hardware" / "results" / "segmentation"


@pytest.fixture
def result(folder):
    return json.loads((folder / "segmentation.json").read_text())


def test_the_summary_is_made_of_the_result(folder, result, tmp_path):
    pictures = [folder / f"{name}.png" for name in ("accuracy_by_seed", "accuracy_around_cuts", "example_raster")]
    assert all(picture.is_file() for picture in pictures)
    write_summary(result, tmp_path / "summary.md", pictures)
    assert (folder / "summary.md").read_text() == (tmp_path / "summary.md").read_text()


def test_differences_are_those_of_the_seeds(result):
    for found in result["orders"].values():
        for side in found["sides"].values():
            ours, theirs = (np.array(side["accuracy"][model]["seeds"]) for model in ("dh_lif", "lif"))
            assert side["differences"]["dh_lif"]["mean"] == pytest.approx((ours - theirs).mean())
            assert side["spikes_compared"] > 0
            assert all(len(values["seeds"]) == len(ours) for values in side["baselines"].values())


def test_neither_baseline_helps_where_orders_are_mixed(result):
    for side in result["orders"]["mixed"]["sides"].values():
        assert side["accuracy"]["lif"]["n"] == side["accuracy"]["dh_lif"]["n"] == 5
        for entry in side["baselines"].values():
            assert abs(entry["mean"] - 0.5) < 0.01
    assert result["orders"]["forward"]["sides"]["test"]["baselines"]["clock"]["mean"] > 0.85
