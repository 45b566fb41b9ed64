import json
import math
import subprocess
import sys

import pytest

from hardware.measurement import (
    FORMAT,
    Quantity,
    current,
    exact,
    file_section,
    identity,
    quantity_of,
    read_measurement,
    unavailable,
    weakest,
)
from train.artifacts import RunFolder
from train.errors import MaestroError


@pytest.fixture
def run(tmp_path):
    (tmp_path / "config.toml").write_text('name = "x"\n')
    return RunFolder(tmp_path)


def test_a_quantity_is_as_the_design_has_it():
    power = Quantity(0.5, "W", "measured", "Loihi2Power", 0.4, 0.6)
    assert power.as_dict() == {
        "value": 0.5,
        "unit": "W",
        "kind": "measured",
        "evidence": "measured",
        "method": "Loihi2Power",
        "low": 0.4,
        "high": 0.6,
    }
    assert str(power) == "0.5 W (0.4 to 0.6)"
    assert str(Quantity(3, "operations", "measured", "count", 3, 3)) == "3 operations"
    assert unavailable("no chip") == {"unavailable": "no chip"}


def test_a_quantity_says_what_it_rests_on():
    assert Quantity(1, "J", "estimated", "sum", 0, 2).evidence == "derived"
    from_papers = Quantity(1, "J", "estimated", "sum", 0, 2, "literature")
    assert quantity_of(from_papers.as_dict()) == from_papers
    assert quantity_of(exact(3, "spikes", "counted").as_dict()) == Quantity(3, "spikes", "measured", "counted", 3, 3)
    assert quantity_of(unavailable("no GPU")) == "no GPU"
    with pytest.raises(MaestroError, match="sum: is estimated, on evidence that is measured"):
        Quantity(1, "J", "estimated", "sum", 0, 2, "measured")
    for entry in (3, {}, {"value": 1}, None, {"unavailable": 1}):
        with pytest.raises(MaestroError, match=r"is no number of ours.*Delete it and measure again"):
            quantity_of(entry)


def test_what_follows_rests_on_the_weakest():
    assert weakest(["measured", "calibrated"]) == "calibrated"
    assert weakest(["derived", "measured", "literature", "calibrated"]) == "literature"
    assert weakest([None, "calibrated"]) == "derived"
    assert weakest(["measured"]) == "measured"


def test_two_that_file_at_once_keep_each_others_sections(run, root):
    script = (
        "import sys; from pathlib import Path; from train.artifacts import RunFolder\n"
        "from hardware.measurement import file_section\n"
        "for _ in range(20): file_section(RunFolder(Path(sys.argv[1])), sys.argv[2], {'of': sys.argv[2]})"
    )
    names = ("one", "two", "three")
    started = [subprocess.Popen([sys.executable, "-c", script, run.path, name], cwd=root) for name in names]
    assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    assert set(names) <= read_measurement(run).keys()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(MaestroError, match=r"Loihi2Power: gave .* W: no number"):
        Quantity(value, "W", "measured", "Loihi2Power", 0, 1)
    with pytest.raises(MaestroError, match="no number"):
        Quantity(0.5, "W", "measured", "Loihi2Power", 0, value)


def test_bounds_hold_their_value():
    with pytest.raises(MaestroError, match="Loihi2Power: gave 2 W, outside 0 to 1"):
        Quantity(2, "W", "measured", "Loihi2Power", 0, 1)


def test_sections_are_replaced_one_by_one(run):
    assert read_measurement(run) == {"format": FORMAT}
    file_section(run, "one", {"a": 1, "b": 2})
    file_section(run, "two", {"c": 3})
    file_section(run, "one", {"a": 4})
    found = read_measurement(run)
    assert {key: value for key, value in found["one"].items() if key != "provenance"} == {"a": 4}
    assert found["two"]["c"] == 3
    assert found["one"]["provenance"]["versions"]["numpy"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "measurement.json: cannot be read as JSON.*Delete it and measure again"),
        ("[]", 'measurement.json: is of no known format .expected "format": 1.*Delete it and measure again'),
        ('{"format": 2}', "is of no known format"),
    ],
)
def test_a_damaged_file_is_refused_and_stays(run, text, words):
    run.measurement.write_text(text)
    with pytest.raises(MaestroError, match=words):
        file_section(run, "one", {"a": 1})
    assert run.measurement.read_text() == text


def test_a_number_that_json_has_not_leaves_the_old_file(run):
    file_section(run, "one", {"a": 1})
    before = run.measurement.read_text()
    with pytest.raises(ValueError, match="JSON"):
        file_section(run, "two", {"a": math.nan})
    assert run.measurement.read_text() == before
    assert json.loads(before)["one"]["a"] == 1


def test_a_run_that_is_not_there(tmp_path):
    with pytest.raises(MaestroError, match=r"no such run folder\. Make it with `python -m train fit`"):
        file_section(RunFolder(tmp_path / "none"), "one", {})


def test_sections_of_another_network_are_set_aside(run):
    run.checkpoint.write_bytes(b"weights")
    run.net.write_bytes(b"integers")
    here = identity(run)
    assert all(len(value) == 64 for value in here.values())
    file_section(run, "accuracy", {"identity": here, "clips": 3})
    file_section(run, "energy", {"identity": {**here, "net_sha256": None}})
    # What a chip gave names its network alone.
    file_section(run, "loihi2", {"net_sha256": here["net_sha256"], "energy": {}})
    file_section(run, "simulator_check", {"net_sha256": "0" * 64})
    found = current(run)
    assert found["format"] == FORMAT
    assert found["accuracy"]["clips"] == 3
    assert "energy" in found["loihi2"]
    for name in ("energy", "simulator_check"):
        assert found[name]["unavailable"].startswith("measured of another network: this run was trained or exported")
    run.net.unlink()
    assert "unavailable" in current(run)["accuracy"]
    assert identity(run)["net_sha256"] is None
