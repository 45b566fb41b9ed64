"""Idle power, and that it drifted."""

import pytest

from hardware.baseline.idle import Idle, idle_of, over, session_of
from hardware.baseline.kept import Kept
from hardware.baseline.meter import Meter
from hardware.baseline.protocol import Protocol
from hardware.measurement import quantity_of


@pytest.fixture
def session(make_world, make_counter, tmp_path):
    """session(power): what a session keeps whose idle device takes power(time) watts, half an hour in between."""

    def of(power):
        world = make_world(power)
        kept = Kept(tmp_path, {})
        idle = Idle("cuda", lambda: Meter([make_counter(world)], world, world.sleep), Protocol(), kept)
        for when in ("bare", "loaded", "after"):
            assert not idle.taken(when)
            idle.take(when)
            assert idle.taken(when)
            for _ in range(1800 if when == "loaded" else 0):
                world.sleep(1.0)
        return session_of(kept, "cuda")

    return of


def test_steady_power(session):
    found = session(70.0)
    for when in ("bare", "loaded", "after"):
        power = quantity_of(found["powers"][when])
        assert power.low <= 70.0 <= power.high
        assert power.value == pytest.approx(70.0, rel=1e-3)
    assert not found["drift"]["over"]["drifts"]


def test_rising_power_is_told(session):
    """A GPU that warms up by a watt a minute."""
    found = session(lambda now: 70.0 + now / 60)
    assert found["drift"]["bare"]["drifts"]
    assert found["drift"]["over"]["drifts"]
    assert found["drift"]["over"]["change"] == pytest.approx(31 / 74, rel=0.1)
    # What is taken off holds both ends.
    loaded, after = (quantity_of(found["powers"][when]) for when in ("loaded", "after"))
    taken = idle_of(found["powers"], "loaded")
    assert (taken.value, taken.low, taken.high) == (loaded.value, loaded.low, after.high)
    assert idle_of(found["powers"], "bare") == quantity_of(found["powers"]["bare"])


def test_one_that_was_not_metered():
    none = {"unavailable": "stopped"}
    assert over({"loaded": none, "after": none}) == none
    assert idle_of({"bare": none, "loaded": none, "after": none}, "loaded") == "stopped"


def test_a_counter_that_stands_still(session):
    found = session(0.0)
    assert "stands still" in found["powers"]["bare"]["unavailable"]
    assert "stands still" in found["drift"]["over"]["unavailable"]


def test_no_session(tmp_path):
    assert session_of(Kept(tmp_path, {}), "cuda") is None
