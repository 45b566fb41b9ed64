import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.measure.bands import find, inverse, times
from hardware.measure.derived import derive
from hardware.measurement import Quantity, quantity_of


def test_products_and_throughputs(measured):
    found = derive(measured)
    product = found["energy_delay_product"]["chip"]
    assert [product[key] for key in ("low", "value", "high")] == pytest.approx([2.7e-5, 1.125e-4, 4.2e-4])
    assert (product["unit"], product["evidence"], product["kind"]) == ("J s", "literature", "estimated")
    product = found["energy_delay_product"]["cuda ann"]
    assert product["value"] == pytest.approx(40e-3 * 0.01)
    assert product["kind"] == "measured"
    assert found["energy_delay_product"]["cpu ann"] == {"unavailable": "no counter"}
    assert found["energy_delay_product"]["cpu snn"] == {"unavailable": "not exported"}
    rates = {name: entry.get("value") for name, entry in found["throughput"].items()}
    assert rates["chip"] == pytest.approx(50)
    assert rates["cpu ann, batch 1"] == pytest.approx(100)
    assert rates["cpu ann, batch 16"] == pytest.approx(16 / 0.025)
    assert rates["cpu snn, batch 1"] is None


def test_a_product_keeps_its_sign_and_bounds():
    power, time = Quantity(-0.1, "W", "measured", "a", -0.2, 0.1), Quantity(2.0, "s", "measured", "b", 1.0, 3.0)
    found = times(power, time, "J")
    assert (found.low, found.value, found.high) == pytest.approx((-0.6, -0.2, 0.3))
    assert times("no counter", time, "J") == times(power, "no counter", "J") == "no counter"
    assert inverse(power, "1/W", "the power") == "the power may be zero"
    assert inverse("no clock", "1/s", "it") == "no clock"


def test_a_path_says_where_it_ends(measured):
    assert find(measured, "energy", "devices", "none", "total") == "energy.devices.none was not measured"
    assert find({"energy": {"unavailable": "old"}}, "energy", "devices", "chip") == "old"


def leaves(value, path=()):
    if isinstance(value, dict) and ("unavailable" in value or "unit" in value):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))


# The fixture is only read.
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_without_a_number_what_needs_it_says_why_and_nothing_else_changes(data, measured):
    before = derive(measured)
    gone = data.draw(st.sampled_from(sorted(leaves(measured))))
    part = copy.deepcopy(measured)
    inner = part
    for key in gone[:-1]:
        inner = inner[key]
    inner[gone[-1]] = {"unavailable": "taken away by a test"}
    after = derive(part)
    json.dumps(after, allow_nan=False)
    for name in ("energy_delay_product", "throughput"):
        assert after[name].keys() == before[name].keys()
        for key, entry in after[name].items():
            assert entry == before[name][key] or entry == {"unavailable": "taken away by a test"}, (gone, key)
            quantity_of(entry)
    for of, entries in after["break_even"].items():
        assert len(entries) == len(before["break_even"][of])
        for entry in entries:
            assert entry in before["break_even"][of] or entry["unavailable"] == "taken away by a test", (gone, entry)
