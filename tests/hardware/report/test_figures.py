"""Pictures: safe to stand in a page, readable without colour or sight."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from hardware.measurement import Quantity
from hardware.report.clip import Heard, Sound, Spikes
from hardware.report.figures.branches import time_constants
from hardware.report.figures.confusion import confusion
from hardware.report.figures.energy import Band, bands, over_step_time
from hardware.report.figures.raster import raster
from hardware.report.figures.sweep import Curve, sweep


def made(value, unit="J", low=None, high=None, evidence="measured"):
    kind = "measured" if evidence == "measured" else "estimated"
    low, high = (value if end is None else end for end in (low, high))
    return Quantity(value, unit, kind, "made up", low, high, evidence)


def check(figure):
    """The picture's texts, once it is found fit for the page."""
    tree = ElementTree.fromstring(figure.svg)
    assert tree.get("role") == "img"
    assert tree.get("aria-label")
    assert tree.get("width") is None
    ids = [entry.get("id") for entry in tree.iter() if entry.get("id")]
    assert all(name.startswith(f"{figure.name}-") for name in ids)
    references = set(re.findall(r'(?:url\(#|href="#)([^")]+)', figure.svg))
    assert references <= set(ids)
    # Whatever colour is left belongs to pixels or is the page's variable.
    assert not re.search(r"#0[1-5]0[2-6]0[1-6]", figure.svg)
    return " ".join(entry.text or "" for entry in tree.iter())


def test_a_confusion_matrix_tells_its_largest_mistakes():
    table = [[5, 3, 0], [0, 8, 0], [1, 0, 7]]
    figure = confusion("c", "run, test, title", ["a $x$", "b <i>", "c"], table)
    text = check(figure)
    assert "20 of 24 clips" in figure.caption
    assert "a $x$ taken for b <i>, 3" in figure.caption
    assert "a $x$" in text


def test_a_perfect_matrix_says_so():
    assert "No clip was taken for another class" in confusion("c", "w", ["a", "b"], [[3, 0], [0, 4]]).caption


def test_energies_are_drawn_whatever_they_are():
    rows = [
        Band("measured", made(1e-3), group=True),
        Band("estimated", made(2e-6, "J", 1e-6, 4e-6, "literature")),
        Band("below what is resolved", made(-1e-6, "J", -3e-6, 2e-6)),
        Band("nothing", made(0.0), total=False),
        Band("gone", "no meter"),
    ]
    text = check(bands("e", "energies", "caption", rows))
    assert "unavailable" in text
    assert "2.00" in text
    assert "estimated, literature" in text


@pytest.mark.parametrize("found", ["no meter", made(0.0)])
def test_a_picture_without_any_energy_is_made(found):
    check(bands("e", "energies", "caption", [Band("nothing", found)]))


def test_what_lies_beyond_the_axis_is_told():
    rows = [Band("a network", None, group=True), Band("by a device", made(0.004, "1", 0.003, 0.006, "literature"))]
    options = {"unit": "1", "title": "predicted over measured", "reference": 1.0, "limits": (0.1, 10.0)}
    assert "◂ 0.00400" in check(bands("v", "label", "caption", rows, **options))


def test_branches_that_do_not_decay_are_drawn_at_the_edge():
    decays = {"steps": 5.0, "steps_low": 4.0, "steps_high": 6.0}
    endless = dict.fromkeys(decays)
    figure = time_constants("t", "label", "caption", {"conv1": [decays, endless]}, {"conv1": [0.1, 0.5]}, 0.032)
    assert "does not decay" in check(figure)
    assert "does not decay" not in check(time_constants("t", "l", "c", {"conv1": [decays, decays]}, {}, 0.032))
    check(time_constants("t", "l", "c", {"conv1": [endless, endless]}, {}, 0.032))


def test_energy_over_the_step_time_is_drawn():
    points = [{"step_time_s": step, "low_j": step, "value_j": 2 * step, "high_j": 4 * step} for step in (1e-6, 1e-3)]
    marks = {"assumed": (1e-6, 1e-5), "pace": (1e-4, 1e-4)}
    text = check(over_step_time("s", "label", "caption", {"a device": points}, marks))
    assert all(word in text for word in ("a device", "assumed", "pace"))


def test_a_sweep_without_energies_says_so():
    batches = {1: {"latency": made(0.01, "s"), "throughput": made(100.0, "1/s"), "energy_total": "no meter"}}
    assert "unavailable" in check(sweep("b", "label", "caption", [Curve("ANN on the processor", batches)]))


@pytest.fixture
def heard():
    sound = Sound(np.random.default_rng(1).normal(size=16000 + 2048).astype(np.float32) / 10, 16000, 1024)
    features = np.zeros((7, 31), np.float32)
    names = (*(f"mfcc{number}" for number in range(6)), "rms")
    return Heard(3, 12, "chosen", "a recording", 2.0, 0.032, {"title": "a"}, names, features, sound)


def test_a_raster_has_a_panel_a_layer_and_says_what_was_decided(heard):
    layers = {"input": np.eye(14, 31, dtype=np.uint8), "conv1": np.ones((300, 31), np.uint8)}
    figure = raster("r", "run", heard, Spikes(layers, {"title": ("b", 0.7)}, {"title": (0, 4)}, 6))
    text = check(figure)
    assert "input: 14 channels, 14 spikes" in text
    assert "conv1: 300 neurons, 9300 spikes" in text
    assert "title b (wrong: a)" in figure.caption
    assert "In conv1 several neurons share a row" in figure.caption


def test_a_raster_without_spikes_or_sound_says_so(heard):
    silent = Heard(**{**vars(heard), "sound": "the disk is gone"})
    figure = raster("r", "run", silent, None)
    assert "unavailable: the disk is gone" in check(figure)
    assert "has no spikes to show" in figure.caption
