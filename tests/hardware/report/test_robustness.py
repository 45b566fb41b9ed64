"""The page's part on noise, level and the rest."""

import pytest

from hardware.measurement import identity
from hardware.report.page import render


@pytest.fixture
def tried(make_run, change, made):
    """A run whose section robustness is made up: white noise, and levels, of two heads."""
    run = make_run("lif")

    def at(value):
        heads = {"title": made(value, "%", value - 5, value + 5), "style": {"unavailable": "no clip is labelled"}}
        return {"test": {"clips": 30, "heads": heads}}

    section = {
        "identity": identity(run),
        "method": "the exported integers through the engine",
        "limit": None,
        "clips": 30,
        "axes": {
            "noise": {"title": "signal-to-noise ratio", "unit": "dB", "clean": None},
            "level": {"title": "level", "unit": "dB", "clean": 0},
        },
        "clean": {"sets": at(91.0)},
        "conditions": [
            {"axis": "noise", "kind": "white", "value": 10, "sets": at(41.0)},
            {"axis": "level", "kind": "", "value": -20, "sets": at(31.0)},
        ],
    }
    change(run, lambda content: content.update(robustness=section))
    return run


def test_what_was_tried_is_drawn_and_told(tried, section):
    text = section(render([tried.path], only=["robustness"]), "robustness")
    assert "lif: all clips of the test sets; the exported integers through the engine" in text
    assert text.count("<svg") == 1
    for caption in ("Signal-to-noise ratio, dB: title, test", "Level, dB: test"):
        assert caption in text
    for number in ("91", "41", "31"):
        assert number in text
    assert "no clip is labelled" in text


def test_a_part_of_the_clips_is_told(tried, section, change):
    change(tried, lambda content: content["robustness"].update(limit=8, clips=8))
    assert "lif: 8 clips of the test sets" in section(render([tried.path], only=["robustness"]), "robustness")


def test_a_run_that_was_not_tried_names_the_command(make_run, section):
    run = make_run("ann")
    text = section(render([run.path], only=["robustness"]), "robustness")
    assert "measurement.json has no section robustness" in text
    assert f"python -m hardware robustness {run.path}" in text


def test_a_damaged_section_is_left_out(tried, section, change):
    change(tried, lambda content: content["robustness"].pop("axes"))
    text = section(render([tried.path], only=["robustness"]), "robustness")
    assert "section robustness of" in text
    assert "cannot be read" in text
