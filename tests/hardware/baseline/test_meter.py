"""The meter against counters whose power is known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.baseline.counter import CounterError
from hardware.baseline.meter import Edge, Meter

# step in J, renewal in s, range in steps
NVML = (1e-3, 0.1, None)
RAPL = (2.0**-16, 1e-3, 2**32)
# As the kernel shows it: microjoules of a counter of 2^32 steps.
KERNEL = (1e-6, 1e-3, 65_532_610_987)


def metered(world, counter):
    return Meter([counter], world, world.sleep)


def close(stretch, watts, call_s=None):
    assert abs(stretch.power_w - watts) <= stretch.half_w
    if call_s is not None:
        assert stretch.call_s == pytest.approx(call_s, rel=1e-9)
        assert abs(stretch.call_j - watts * call_s) <= stretch.half_j * (1 + 1e-9)


@pytest.mark.parametrize(("step", "update", "wrap"), [NVML, RAPL, KERNEL])
@pytest.mark.parametrize("call_s", [0.0009, 0.0213, 0.73])
def test_energy_of_work_is_recovered_within_the_bounds(make_world, make_counter, step, update, wrap, call_s):
    world = make_world(80.0)
    meter = metered(world, make_counter(world, step, update, wrap))
    stretch = meter.work(lambda: world.spend(call_s, 311.7), 5.0, warm_s=5.0)
    close(stretch, 311.7, call_s)
    assert stretch.seconds >= 5.0
    assert stretch.half_w < 0.05 * stretch.power_w


@given(
    watts=st.floats(0.5, 900.0),
    idle=st.floats(0.5, 400.0),
    call_s=st.floats(1e-3, 0.5),
    phase=st.floats(0.0, 0.0999),
    kind=st.sampled_from([NVML, RAPL, KERNEL]),
)
@settings(max_examples=40, deadline=None)
def test_whatever_power_rhythm_and_call(make_world, make_counter, watts, idle, call_s, phase, kind):
    step, update, wrap = kind
    world = make_world(idle)
    meter = metered(world, make_counter(world, step, update, wrap, phase=phase))
    close(meter.work(lambda: world.spend(call_s, watts), 1.0), watts, call_s)
    for part in meter.idle(2.0, 2)[1:]:
        close(part, idle)


def test_idle_in_parts(make_world, make_counter):
    world = make_world(42.0)
    parts = metered(world, make_counter(world)).idle(60.0, 6)
    assert len(parts) == 6
    assert sum(part.seconds for part in parts) == pytest.approx(60.0, abs=1.0)
    for part in parts:
        close(part, 42.0)
        assert part.half_w < 0.1


def test_a_counter_that_begins_again(make_world, make_counter):
    world = make_world(50.0)
    step, update, wrap = KERNEL
    # 300 J before its end, which 5 s of 200 W pass.
    counter = make_counter(world, step, update, wrap, start=wrap - 300_000_000)
    before = counter.read()
    close(metered(world, counter).work(lambda: world.spend(0.01, 200.0), 5.0), 200.0, 0.01)
    assert counter.read() < before


def test_several_packages_are_added(make_world, make_counter):
    world = make_world(50.0)
    step, update, wrap = KERNEL
    both = [make_counter(world, step, update, wrap), make_counter(world, step, update, wrap, start=wrap - 1_000_000)]
    meter = Meter(both, world, world.sleep)
    close(meter.work(lambda: world.spend(0.004, 70.0), 5.0), 140.0, 0.004)


def test_one_read_too_late(make_world, make_counter):
    world = make_world(50.0)
    step, update, wrap = KERNEL
    meter = metered(world, make_counter(world, step, update, wrap))
    world.sleep(60.0)
    with pytest.raises(CounterError, match="fake: read too late to tell how often it began again"):
        meter.joules()


def test_one_that_goes_backwards(make_world, make_counter):
    world = make_world(50.0)
    counter = make_counter(world, start=10**9)
    meter = metered(world, counter)

    def work():
        world.spend(0.01, 100.0)
        if world.now > 103.0:
            # As when the driver is loaded anew.
            counter.start = 0

    with pytest.raises(CounterError, match="fake: the counter went backwards, from 1000"):
        meter.work(work, 5.0)


def test_one_that_stands_still(make_world, make_counter):
    world = make_world(0.0)
    meter = metered(world, make_counter(world))
    with pytest.raises(CounterError, match="fake: the counter stands still"):
        meter.work(lambda: world.spend(0.01, 0.0), 5.0)
    with pytest.raises(CounterError, match="stands still"):
        meter.idle(60.0, 6)
    with pytest.raises(CounterError, match="stands still"):
        meter.work(lambda: world.spend(3.0, 0.0), 5.0)


def test_one_that_stands_still_after_a_while(make_world, make_counter):
    world = make_world(10.0)
    meter = metered(world, make_counter(world))
    with pytest.raises(CounterError, match="stands still"):
        meter.work(lambda: world.spend(0.01, 100.0 if world.now < 103.0 else 0.0), 5.0)


def test_one_that_vanishes(make_world, make_counter):
    world = make_world(10.0)
    counter = make_counter(world)
    meter = metered(world, counter)
    read = counter.read

    def gone():
        if world.now > 102.0:
            raise CounterError("GPU is lost")
        return read()

    counter.read = gone
    with pytest.raises(CounterError, match="GPU is lost"):
        meter.work(lambda: world.spend(0.01, 100.0), 5.0)


def test_a_stretch_by_hand(make_world, make_counter):
    """Moments of renewal give the power, readings the calls' time; resolution is 0.5 J over 2 s."""
    meter = metered(make_world(10.0), make_counter(make_world(10.0), step_j=0.5))
    stretch = meter._stretch(Edge(0.0, 1.05, 1.0, 0.0), Edge(10.0, 3.2, 3.0, 0.0), 4)
    assert stretch.power_w == 5.0
    assert stretch.half_w == 0.25
    assert stretch.seconds == pytest.approx(2.15)
    # Moments known to 0.1 s, of 2 s: 5 W * 0.2 / 1.8 more.
    loose = meter._stretch(Edge(0.0, 1.1, 1.0, 0.1), Edge(10.0, 3.1, 3.0, 0.1), 4)
    assert loose.half_w == pytest.approx(0.25 + 5 * 0.2 / 1.8)


def test_a_slow_call_is_looked_at_once(make_world, make_counter):
    """A renewal lies at most one period before it is read, however long the call was."""
    world = make_world(10.0)
    stretch = metered(world, make_counter(world)).work(lambda: world.spend(1.3, 100.0), 5.0)
    assert stretch.calls == 5
    assert stretch.half_w / stretch.power_w == pytest.approx(0.1 / 6.4, rel=0.01)
    close(stretch, 100.0, 1.3)
