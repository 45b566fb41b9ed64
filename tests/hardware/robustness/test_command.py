"""The verb: tables, JSON, pictures."""

import json

import numpy as np
import pytest

from hardware.robustness.curves import curve, heads, kinds, main_head


@pytest.fixture
def section():
    """Two kinds of noise and levels, of one test set and head that is no title."""

    def number(value):
        plain = {"value": value, "unit": "%", "kind": "measured", "evidence": "measured", "method": "by hand"}
        return {"sets": {"test": {"clips": 10, "heads": {"mood": {**plain, "low": value - 1, "high": value + 1}}}}}

    return {
        "axes": {
            "noise": {"title": "signal-to-noise ratio", "unit": "dB", "clean": None},
            "level": {"title": "level", "unit": "dB", "clean": 0},
        },
        "clean": number(90.0),
        "conditions": [
            {"axis": "noise", "kind": "white", "value": 20, **number(80.0)},
            {"axis": "noise", "kind": "white", "value": 0, **number(20.0)},
            {"axis": "noise", "kind": "hum", "value": 20, **number(70.0)},
            {"axis": "level", "kind": "", "value": 5, **number(60.0)},
            {"axis": "level", "kind": "", "value": -5, **number(50.0)},
        ],
    }


def test_curves_rise_and_have_the_clean_clips_at_their_place(section):
    assert (heads(section), main_head(section), kinds(section)) == (["mood"], "mood", ["white", "hum"])
    noise = curve(section, "noise", "test", "mood", "white")
    assert [(point.value, point.clean) for point in noise] == [(0, False), (20, False), (np.inf, True)]
    level = curve(section, "level", "test", "mood")
    assert [(point.value, point.found["value"]) for point in level] == [(-5, 50), (0, 90), (5, 60)]


def test_what_was_found_is_printed_drawn_and_filed(tried, cli):
    run = tried("lif")
    done = cli("hardware", "robustness", run.path, "--limit", "6", "--workers", "0")
    assert done.exit_code == 0, done.output
    assert "signal-to-noise ratio, dB: title, test, 3 clips" in done.stdout
    assert "tempo, times: other keyboards, 3 clips" in done.stdout
    assert "filed as robustness in" in done.stderr
    assert "drawn: robustness_noise.png, robustness_level.png, robustness_others.png" in done.stderr
    for name in ("noise", "level", "others"):
        assert (run.path / f"robustness_{name}.png").read_bytes().startswith(b"\x89PNG")
    again = cli("hardware", "robustness", run.path, "--limit", "6", "--workers", "0", "--json")
    found = json.loads(again.stdout)
    assert found["clips"] == 6
    assert json.loads(run.measurement.read_text())["robustness"]["conditions"] == found["conditions"]


def test_measured_before_is_told(tried, cli):
    from hardware.measure.accuracy import hear
    from hardware.measurement import file_section, identity

    run = tried("lif")
    measured = hear(run).accuracy
    file_section(run, "accuracy", {"identity": identity(run), **measured})
    done = cli("hardware", "robustness", run.path, "--workers", "0")
    assert "the clean clips are right exactly as often as `measure` found" in done.stderr
    measured["sets"]["test"]["clips"] = 1
    measured["sets"]["test"]["heads"]["title"]["accuracy"] = {"unavailable": "lost"}
    file_section(run, "accuracy", {"identity": identity(run), **measured})
    done = cli("hardware", "robustness", run.path, "--workers", "0")
    assert "the clean clips are not right as often as `measure` found: call it again" in done.stderr


def test_a_run_that_is_not_there(cli, tmp_path):
    done = cli("hardware", "robustness", tmp_path / "none")
    assert done.exit_code == 1
    assert "none: no such run folder. Make it with `python -m train fit" in done.stderr
