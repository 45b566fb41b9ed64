"""Power, energy and throughput as notebooks print them, and as series."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.logs.log import read_log
from hardware.logs.series import mean
from train.errors import MaestroError


def test_pilotnets_figures_are_read_with_the_bounds_of_their_last_digit(logs, pasted):
    log = read_log(pasted(logs["benchmark"]))
    found = {name: quantity.value for name, quantity in log.quantities.items()}
    assert found == pytest.approx(
        {
            "throughput_hz": 408.91,
            "power_total_w": 0.679012,
            "power_dynamic_w": 0.447004,
            "power_static_w": 0.232008,
            "power_vdd_w": 0.503231,
            "power_vdd_m_w": 0.155781,
            "power_vdd_io_w": 0.02,
            "energy_total_j": 1.660541e-3,
            "energy_dynamic_j": 1.093159e-3,
        }
    )
    total = log.quantities["energy_total_j"]
    assert (total.low, total.high) == pytest.approx((1.6605405e-3, 1.6605415e-3))
    assert (total.unit, total.kind) == ("J", "measured")
    assert (log.running_on, log.steps) == ("oheogulch", 10000)
    assert log.notes == ()


def test_a_notebooks_own_program_is_not_taken_for_what_it_printed(logs, pasted, as_notebook):
    log = read_log(pasted(as_notebook(logs["benchmark"])))
    assert log.quantities["power_total_w"].value == 0.679012
    raw = "print(f'Total Power   : {total_power_mean:.6f} W')\\n\",\n" + logs["benchmark"]
    assert read_log(pasted(raw)).quantities["power_total_w"].value == 0.679012


def test_other_units_and_exponents(pasted):
    log = read_log(pasted("Dynamic Power : -6.1 mW\nStatic Power : 2.5e-1 W\n"))
    assert log.quantities["power_dynamic_w"].value == pytest.approx(-0.0061)
    assert log.quantities["power_static_w"].high == pytest.approx(0.255)


def test_a_difference_below_the_methods_resolution_is_said(pasted):
    # PilotNet SDNN's notebook: dynamic power of -6 mW.
    log = read_log(pasted("Total Power   : 0.220 W\nDynamic Power : -0.006 W\nStatic Power  : 0.226 W\n"))
    assert log.notes == ("a dynamic power of -0.006 W: the difference is below what the method resolves",)


def test_numbers_that_contradict_each_other_are_said(pasted):
    log = read_log(pasted("Total Power : 0.700 W\nDynamic Power : 0.300 W\nStatic Power : 0.200 W\n"))
    assert log.notes == ("total less static power is 0.5 W, and dynamic 0.3 W (0.2995 to 0.3005)",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Total Power   :", r"line 1: has Total Power of '' \(expected a number of W or mW\)"),
        ("Total Power   : 0.67", "has Total Power of '0.67'"),
        ("Total Power   : 0.67 J", "has Total Power of '0.67 J'"),
        ("Total Energy per inference : 3 W", r"expected a number of J or mJ"),
        ("\nThroughput : much fps", r"line 2: has Throughput of 'much fps' \(expected a number of fps\)"),
        ("Total Power : 1 W\nTotal Power : 2 W", "line 2: has Total Power a second time, 2 W"),
    ],
)
def test_prints_that_break_off_or_come_twice_are_refused(pasted, text, message):
    with pytest.raises(MaestroError, match=message):
        read_log(pasted(text))


def series(level, size=400, seed=0):
    return level + 0.01 * np.random.default_rng(seed).normal(size=size)


def test_series_become_mean_static_and_dynamic_power(tmp_path):
    np.savez(tmp_path / "power.npz", total_power=series(0.68), static_total_power=series(0.23, seed=1))
    log = read_log(tmp_path / "power.npz")
    total, static, dynamic = (log.quantities[f"power_{word}_w"] for word in ("total", "static", "dynamic"))
    assert total.low < 0.68 < total.high
    assert total.high - total.low < 0.006
    assert "95 % by the means of 10 batches" in total.method
    assert dynamic.value == pytest.approx(0.45, abs=2e-3)
    assert (dynamic.low, dynamic.high) == pytest.approx((total.low - static.high, total.high - static.low))
    assert log.samples == {"total_power": 400, "static_total_power": 400}


def test_one_array_of_a_file_is_total_power_by_its_name(tmp_path):
    np.save(tmp_path / "vdd_power.npy", series(0.5))
    np.save(tmp_path / "power.npy", series(0.5))
    assert list(read_log(tmp_path / "vdd_power.npy").quantities) == ["power_vdd_w"]
    assert list(read_log(tmp_path / "power.npy").quantities) == ["power_total_w"]


def test_csv_with_and_without_names(pasted):
    rows = "\n".join(f"{0.6 + 0.001 * (i % 3)},{0.2}" for i in range(40))
    log = read_log(pasted(f"total_power,static_total_power\n{rows}\n", "run.csv"))
    assert log.quantities["power_dynamic_w"].value == pytest.approx(0.401, abs=1e-3)
    log = read_log(pasted("0.5\n0.7\n", "power.csv"))
    assert (log.quantities["power_total_w"].low, log.quantities["power_total_w"].high) == (0.5, 0.7)


def test_printed_arrays_are_read_over_lines(pasted):
    log = read_log(pasted("total_power = array([0.67, 0.68,\n       0.69])\nstatic_total_power: [0.2]\nx = [1 2 3]\n"))
    assert log.quantities["power_total_w"].value == pytest.approx(0.68)
    assert log.quantities["power_static_w"].method == "one sample"
    assert log.quantities["power_dynamic_w"].low == pytest.approx(0.47)
    log = read_log(pasted("runtime_logger.time_per_step: [150. 152. 154.]\n"))
    assert log.quantities["time_per_step_s"].value == pytest.approx(152e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("total_power = array([0.6, 0.6, ..., 0.7])", 'total_power: is an array that numpy shortened with "..."'),
        ("\ntotal_power = [0.6 0.7", "line 2, total_power: is an array that breaks off"),
        ("total_power = [0.6 watt]", "has something in it that is no number"),
        ("total_power = []", "has shape"),
        ("total_power = [nan 0.2]", "has samples that are no numbers"),
        ("total_power = [0.2]\ntotal_power = [0.3]", "is there a second time, after line 1"),
    ],
)
def test_printed_arrays_that_are_not_whole_are_refused(pasted, text, message):
    with pytest.raises(MaestroError, match=message):
        read_log(pasted(text))


def test_files_of_series_that_are_none_are_refused(tmp_path, pasted):
    cases = {
        "a.npy": (np.zeros((3, 4)), "has shape"),
        "power.npy": (np.array(["a"]), "is of type"),
        "b.npy": (np.array([0.1, np.inf]), "no numbers"),
        "c.npy": (np.array([], float), "has shape"),
    }
    for name, (values, message) in cases.items():
        np.save(tmp_path / name, values)
        with pytest.raises(MaestroError, match=message):
            read_log(tmp_path / name)
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(MaestroError, match=r"has series x \(expected names with power"):
        read_log(tmp_path / "x.npy")
    for name in ("bad.npy", "bad.npz", "bad.csv"):
        with pytest.raises(MaestroError, match="cannot be read as"):
            read_log(pasted("total_power\n1\n2,3\n", name))
    with pytest.raises(MaestroError, match="has no series"):
        read_log(pasted("\n\n", "empty.csv"))
    with pytest.raises(MaestroError, match="no such file"):
        read_log(tmp_path / "absent.npy")


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=60))
def test_a_mean_lies_within_its_bounds(values):
    quantity = mean(np.array(values), "power_total_w")
    assert quantity.low <= quantity.value <= quantity.high


def test_a_dynamic_power_is_none_in_all(tmp_path):
    path = tmp_path / "series.npz"
    np.savez(path, total_power=np.array([0.7, 0.7]), static_power=np.array([0.2]), dynamic_power=np.array([0.44]))
    found = read_log(path).quantities
    assert found["power_total_w"].value == 0.7
    assert (found["power_dynamic_w"].value, found["power_dynamic_w"].method) == (0.44, "one sample")


def test_two_series_of_one_kind_are_refused(tmp_path):
    path = tmp_path / "series.npz"
    np.savez(path, power_a=np.array([0.7]), power_b=np.array([0.8]))
    with pytest.raises(MaestroError, match=r"series\.npz: power_a and power_b would both be power_total_w\. Keep one"):
        read_log(path)
