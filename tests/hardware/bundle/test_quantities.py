"""Power, time and energy of an inference: the published protocol, its intervals, and what is said where one is missing.

PilotNet's figures are those that lava-dl's tutorials/lava/lib/dl/netx/pilotnet_snn/benchmark.ipynb prints for its LIF
network on Oheo Gulch: 0.679 W in all, 0.232 W static, 0.447 W dynamic, 152.8 us a step (408.91 inferences a second of
16 steps), 1.661 mJ in all and 1.094 mJ dynamic an inference.
"""

import numpy as np
import pytest

from hardware.bundle.profile import Profile
from hardware.bundle.quantities import BATCHES, Chips, chips_of, energy_of, mean_of, power_of, profile_section, time_of
from train.errors import MaestroError

ONE = Chips(1, 1, "oheogulch")


def profile(**parts):
    values = {"steps": 10_000, "period": 16, "sample": 0, "time": {}, "power": {}, "activity": {}, "memory": {}}
    return Profile.parse("result.json", {**values, "missing": {}, **parts})


def noisy(mean, spread, count=2000, memory=0.0, seed=0):
    """Readings around a mean, each remembering a part of the one before."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=count)
    for index in range(1, count):
        noise[index] = memory * noise[index - 1] + np.sqrt(1 - memory**2) * noise[index]
    return (mean + spread * (noise - noise.mean())).tolist()


def test_pilotnet_as_published():
    measured = profile(
        power={"total_w": noisy(0.679, 0.01), "static_total_w": 0.232}, time={"time_per_step": [152.8] * 50}
    )
    power, time = power_of(measured, ONE), time_of(measured)
    energy = energy_of(power, time, 16)
    assert power["total"].value == pytest.approx(0.679)
    assert power["static"].value == pytest.approx(0.232)
    assert power["dynamic"].value == pytest.approx(0.447)
    assert 1 / time["inference"].value == pytest.approx(408.91, rel=1e-3)
    # The published energies come of powers with more digits than are printed.
    assert energy["total"].value == pytest.approx(1.661e-3, rel=1e-3)
    assert energy["dynamic"].value == pytest.approx(1.094e-3, rel=2e-3)
    for quantity in (*power.values(), *energy.values()):
        assert quantity.kind == "measured"
        assert quantity.low < quantity.value < quantity.high
    assert energy["total"].high - energy["total"].low < 0.01e-3


def test_a_difference_below_the_methods_resolution_spans_zero_and_says_so():
    """PilotNet SDNN was published with a dynamic power of -6 mW (pilotnet_sdnn/benchmark.ipynb)."""
    measured = profile(
        power={"total_w": noisy(0.226, 0.02), "static_total_w": 0.232}, time={"time_per_step": [5590.0] * 9}
    )
    dynamic = power_of(measured, ONE)["dynamic"]
    assert dynamic.value == pytest.approx(-0.006)
    assert dynamic.low < 0 <= dynamic.high
    assert "widened to zero" in dynamic.method
    assert "not told from zero: it is below what this method resolves" in dynamic.method
    energy = energy_of(power_of(measured, ONE), time_of(measured), 16)["dynamic"]
    assert energy.low < 0 <= energy.high


def test_a_difference_among_its_own_noise_spans_zero_too():
    measured = profile(power={"total_w": noisy(0.236, 0.05, count=100), "static_total_w": 0.232})
    dynamic = power_of(measured, ONE)["dynamic"]
    assert dynamic.low < 0 < dynamic.value < dynamic.high
    assert "widened" not in dynamic.method
    assert "not told from zero" in dynamic.method


def test_readings_in_steps_resolve_no_more_than_a_step():
    measured = profile(power={"total_w": [0.25, 0.25, 0.26, 0.25], "static_total_w": 0.25})
    dynamic = power_of(measured, ONE)["dynamic"]
    assert dynamic.high - dynamic.low >= 0.01
    assert dynamic.low < 0 < dynamic.high


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_interval_holds_the_mean_as_often_as_it_says(memory):
    """95 of 100 would be right; single readings' standard error would hold it about half as often with memory."""
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        noise = generator.normal(size=2000)
        for index in range(1, 2000):
            noise[index] = memory * noise[index - 1] + np.sqrt(1 - memory**2) * noise[index]
        found = mean_of(noise + 5, "W", "test")
        held += found.low <= 5 <= found.high
    assert 180 <= held <= 199


def test_few_readings_and_one():
    few = mean_of(np.array([1.0, 2.0, 3.0]), "W", "test")
    assert (few.low, few.high) == pytest.approx((2 - 2.484, 2 + 2.484), abs=1e-3)
    assert "95 % t-interval" in few.method
    assert f"{BATCHES} batch means" in mean_of(np.arange(100.0), "W", "test").method
    one = mean_of(np.array([1.5]), "W", "test")
    assert (one.low, one.value, one.high) == (1.5, 1.5, 1.5)
    assert "a single value, whose own uncertainty nobody told" in one.method


@pytest.mark.parametrize(
    ("environment", "chips"),
    [
        ({"PARTITION": "oheogulch"}, 1),
        ({"PARTITION": "oheogulch_2h"}, 1),
        ({"PARTITION": "kp"}, 8),
        ({"PARTITION": "kp_stack"}, 8),
        ({"PARTITION": "kp_build"}, 8),
        ({"PARTITION": "nahuku08"}, 8),
        ({"PARTITION": "nahuku32"}, 32),
        ({"BOARD": "ncl-ext-og-04"}, 1),
        ({"PARTITION": "", "BOARD": "ncl-og-05"}, 1),
        ({"PARTITION": "other"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_chips_of_a_board(environment, chips):
    assert chips_of(environment, {"chip_idx": np.array([0.0, 0.0])}).board == chips


def test_active_chips_are_those_with_a_core_at_work():
    kp = {"PARTITION": "kp"}
    assert chips_of(kp, {"chip_idx": np.array([0.0, 0.0, 3.0])}).active == 2
    assert chips_of(kp, {}).active is None
    assert chips_of({"PARTITION": "oheogulch"}, {}).active == 1
    # A board is called by all that names it, and by names that contradict each other it is unknown.
    assert chips_of({"PARTITION": "kp", "BOARD": "ncl-ext-kp-01"}, {}).name == "kp and ncl-ext-kp-01"
    assert chips_of({"PARTITION": "oheogulch", "BOARD": "ncl-ext-kp-01"}, {}).board is None
    # More at work than the board is thought to have: then it is another board.
    assert chips_of({"PARTITION": "kp"}, {"chip_idx": np.arange(9.0)}).board is None


def test_idle_chips_static_power_is_taken_off():
    measured = profile(power={"total_w": noisy(2.0, 0.001), "static_total_w": 1.6})
    found = power_of(measured, Chips(8, 1, "kp"))
    assert found["board"].value == pytest.approx(2.0)
    assert found["total"].value == pytest.approx(2.0 - 7 / 8 * 1.6)
    assert found["static"].value == pytest.approx(0.2)
    assert found["dynamic"].value == pytest.approx(0.4)
    assert found["total"].value == pytest.approx(found["static"].value + found["dynamic"].value)
    assert "chips: 8 on kp, active 1" in found["total"].method


@pytest.mark.parametrize(
    ("chips", "lowest"),
    [
        (Chips(None, 1, "other"), 2.0 - 31 / 32 * 1.6),
        (Chips(8, None, "kp"), 2.0 - 7 / 8 * 1.6),
        (Chips(None, None, ""), 2.0 - 31 / 32 * 1.6),
    ],
)
def test_an_unknown_board_gives_both_bounds_and_says_so(chips, lowest):
    measured = profile(power={"total_w": noisy(2.0, 0.001), "static_total_w": 1.6})
    total = power_of(measured, chips)["total"]
    assert total.value == pytest.approx(2.0)
    assert total.low == pytest.approx(lowest, abs=0.002)
    assert "unknown" in total.method
    assert "the value has none taken off" in total.method
    assert power_of(measured, chips)["dynamic"].value == pytest.approx(0.4)


@pytest.mark.parametrize("chips", [ONE, Chips(8, 1, "kp"), Chips(None, None, "")])
@pytest.mark.parametrize("static", [0.0, -0.01])
def test_a_static_power_of_nothing_or_less_is_none(static, chips):
    found = power_of(profile(power={"total_w": [0.5, 0.6], "static_total_w": static}), chips)
    why = f"power.static_total_w: 1 of 1 values are zero or below (least {static:.4g} W)"
    assert found["static"] == found["dynamic"] == why
    if chips.board == 1:
        assert found["total"] == found["board"]
    else:
        assert found["total"] == f"idle chips' static power cannot be taken off: {why}"


def test_a_static_power_above_the_whole_is_filed_as_it_was_read_where_nothing_is_taken_off():
    found = power_of(profile(power={"total_w": [0.5, 0.6], "static_total_w": 5.0}), ONE)
    assert found["dynamic"].value == pytest.approx(0.55 - 5.0)
    assert found["dynamic"].low < found["dynamic"].high == 0.0
    odd = profile(power={"total_w": [0.5, 0.6], "static_total_w": 5.0}, time={"avg_time_per_step_us": 9.0})
    found = power_of(odd, Chips(8, 1, "kp"))
    assert found["total"] == (
        "is -3.825 W once idle chips' static power of 5 W is taken off (chips: 8 on kp, active 1)"
    )
    assert energy_of(found, time_of(odd), 16)["total"] == found["total"]


@pytest.mark.parametrize("bad", [0.0, -150.0])
def test_times_and_powers_of_nothing_or_less_measure_nothing(bad):
    """One such value among good ones too: a place that was never written, or a clock that ran over."""
    for series in ([150.0, bad, 151.0], [bad]):
        many = f"1 of {len(series)} values are zero or below (least {bad:.4g} "
        odd = profile(time={"time_per_step": series}, power={"total_w": [0.5, 0.6], "static_total_w": 0.2})
        section = profile_section(odd, {"PARTITION": "oheogulch"})
        why = {"unavailable": f"time.time_per_step: {many}us)"}
        assert section["time"] == {"step": why, "inference": why}
        assert section["energy"] == {"total": why, "dynamic": why}
        assert section["power"]["total"]["value"] == pytest.approx(0.55)
        odd = profile(time={"time_per_step": [9.0]}, power={"total_w": series, "static_total_w": 0.2})
        section = profile_section(odd, {"PARTITION": "oheogulch"})
        why = {"unavailable": f"power.total_w: {many}W)"}
        assert section["power"] == dict.fromkeys(("board", "total", "static", "dynamic"), why)
        assert section["energy"] == {"total": why, "dynamic": why}


def test_time_has_its_median_and_its_slowest_hundredth():
    series = np.concatenate([np.full(985, 150.0), np.full(15, 900.0)])
    found = time_of(profile(time={"time_per_step": series.tolist(), "avg_time_per_step_us": 1.0}))
    assert found["step"].value == pytest.approx(series.mean())
    assert (found["step_p50"].value, found["step_p99"].value) == (150.0, 900.0)
    assert found["inference"].value == pytest.approx(series.mean() * 16e-6)
    alone = time_of(profile(time={"avg_time_per_step_us": 152.8}))
    assert alone["step"].value == 152.8
    assert alone["step_p99"] == "only the mean of the steps was recorded"


def test_a_rail_of_nothing_is_none():
    found = power_of(profile(power={"total_w": [0.5], "vdd_w": [0.0, 0.3]}), ONE)
    assert found["board_vdd"] == "power.vdd_w: 1 of 2 values are zero or below (least 0 W)"
    assert found["board"].value == 0.5


def test_values_that_are_no_single_steps_are_not_called_so():
    """The script bins very long series (script/chip.py), so that percentiles are those of means."""

    def method(values, steps):
        return time_of(profile(time={"time_per_step": [150.0, 160.0] * (values // 2)}, steps=steps))["step_p99"].method

    assert method(64, 64) == "Loihi2ExecutionTime: 99 % of 64 steps take no longer"
    assert method(64, 160) == (
        "Loihi2ExecutionTime: 99 % of 64 values of a run of 160 steps are no greater; "
        "if they are means of about 2.5 steps each, single steps scatter more"
    )
    assert method(64, 60) == "Loihi2ExecutionTime: 99 % of 64 values of a run of 60 steps are no greater"


def test_what_was_not_recorded_is_unavailable_and_never_a_number():
    section = profile_section(profile(missing={"power.total_power": "AttributeError: gone"}), {})
    assert section["power"]["total"] == {"unavailable": "power.total_power: AttributeError: gone"}
    assert section["energy"]["dynamic"] == section["power"]["dynamic"]
    assert section["time"]["step"] == {"unavailable": "time.time_per_step: the recording does not hold it"}
    assert section["memory"] == {"unavailable": "memory.total_mpds: the recording does not hold it"}
    assert section["activity"]["syn_ops"] == {"unavailable": "activity.syn_ops: the recording does not hold it"}


def test_without_static_power_one_chips_board_still_has_its_total():
    measured = profile(power={"total_w": [0.6, 0.7]}, time={"avg_time_per_step_us": 100.0})
    assert power_of(measured, ONE)["total"].value == pytest.approx(0.65)
    assert "static_total_power" in power_of(measured, ONE)["dynamic"]
    assert "cannot be taken off" in power_of(measured, Chips(8, 1, "kp"))["total"]
    assert "cannot be taken off" in energy_of(power_of(measured, Chips(8, 1, "kp")), time_of(measured), 16)["total"]


def test_energys_interval_grows_with_those_of_power_and_time():
    power = {"total_w": noisy(0.5, 0.05, count=400, seed=1), "static_total_w": 0.2}
    sharp = profile(power=power, time={"time_per_step": [100.0] * 400})
    blurred = profile(power=power, time={"time_per_step": noisy(100.0, 30.0, count=400, seed=2)})

    def width(measured):
        found = energy_of(power_of(measured, ONE), time_of(measured), 16)["total"]
        return found.high - found.low

    assert width(blurred) > 1.5 * width(sharp) > 0


def test_counters_are_an_inferences_in_all_and_core_by_core():
    measured = profile(activity={"core_idx": [4, 7], "syn_ops": [6250.0, 12500.0]}, steps=10_000)
    found = profile_section(measured, {"PARTITION": "oheogulch"})["activity"]
    assert found["syn_ops"]["value"] == pytest.approx(30.0)
    assert found["syn_ops"]["unit"] == "1/inference"
    assert found["cores"] == {"core_idx": [4, 7], "syn_ops": [10.0, 20.0]}
    assert found["syn_ops"]["low"] == found["syn_ops"]["high"] == found["syn_ops"]["value"]


@pytest.mark.parametrize("part", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("steps", [17, 24, 40, 10_007])
def test_a_counter_of_a_period_cut_short_lies_between_bounds(steps, part):
    """100 an inference, and of the last, whose steps are not all run, any part."""
    whole = steps // 16
    measured = profile(activity={"syn_ops": [100.0 * (whole + part)]}, steps=steps)
    found = profile_section(measured, None)["activity"]["syn_ops"]
    assert found["low"] <= 100.0 * (1 + 1e-12)
    assert found["high"] >= 100.0 * (1 - 1e-12)
    assert found["low"] < found["value"] < found["high"]
    assert found["low"] == pytest.approx(100.0 * (whole + part) / (whole + 1))
    assert found["high"] == pytest.approx(100.0 * (whole + part) / whole)
    assert "bounds for all and for nothing of a sample in the last, which was cut short" in found["method"]


def test_counters_that_count_nothing_of_an_inference():
    short = profile_section(profile(activity={"syn_ops": [5.0]}, steps=9), None)["activity"]["syn_ops"]
    assert short == {"unavailable": "activity.syn_ops: 9 steps are less than one inference"}
    negative = profile_section(profile(activity={"syn_ops": [5.0, -1.0]}), None)["activity"]["syn_ops"]
    assert negative == {"unavailable": "activity.syn_ops: holds a count below zero"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([], r"profile: is \[\]"),
        ({"steps": 10, "period": 16, "sample": 0, "time": {"a": True}}, r"time\.a is no list of finite numbers"),
        ({"steps": 10, "period": 16, "sample": 0, "time": {"a": ["1"]}}, r"time\.a is no list of finite numbers"),
        ({"steps": 10, "period": 16, "sample": 0, "time": {"a": [10**400]}}, r"time\.a is no list of finite numbers"),
        ({"steps": 10, "period": 16}, "says steps 10, period 16, sample None"),
        ({"steps": True, "period": 16, "sample": 0}, "says steps True"),
        ({"steps": 10, "period": 16, "sample": 0, "time": 3}, "time is 3"),
        ({"steps": 10, "period": 16, "sample": 0, "time": {"a": [[1.0]]}}, r"time\.a is no list of finite numbers"),
        ({"steps": 10, "period": 16, "sample": 0, "time": {"a": []}}, r"time\.a is no list of finite numbers"),
    ],
)
def test_a_damaged_profile_is_named(content, text):
    with pytest.raises(MaestroError, match=text):
        Profile.parse("result.json", content)
