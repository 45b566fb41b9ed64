"""Numbers as the page writes them."""

import pytest

from hardware.measurement import Quantity
from hardware.report.format import amount, is_quantity, listed, number, prefix_of, read, span, told, with_unit


def made(value, unit, low=None, high=None):
    low, high = (value if end is None else end for end in (low, high))
    return Quantity(value, unit, "measured", "made up", low, high)


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (made(24.13e-6, "J", 12.2e-6, 40.3e-6), "24.1 µJ (12.2 to 40.3)"),
        (made(0.0098, "s"), "9.80 ms"),
        (made(999.6e-9, "J"), "1.00 µJ"),
        (made(98.4375, "%", 97.05, 99.18), "98.4 % (97.0 to 99.2)"),
        (made(1234567, "operations"), "1 234 567"),
        (made(0.08, "spikes a neuron and step", 0.079, 0.081), "0.0800 (0.0790 to 0.0810)"),
        (made(1234.5, "1/s"), "1 234 /s"),
        (made(150_000, "B"), "150 kB"),
        (made(-6e-3, "W", -20e-3, 8e-3), "−6.0 mW (−20.0 to 8.0)"),
        (made(0.0, "J", 0.0, 3e-6), "0.0 µJ (0.0 to 3.0)"),
        (made(0.0, "J"), "0 J"),
        (made(2.5e-9, "J s"), "2.50 nJ s"),
        # Ends that differ from the value by little still differ on the page.
        (made(24.1312, "%", 24.1301, 24.1329), "24.1312 % (24.1301 to 24.1329)"),
        # Ends that no one prefix suits have their own.
        (made(296e-6, "J", 42.1e-6, 6.107e-3), "296 µJ (42.1 µJ to 6.11 mJ)"),
        # As few decimals as a wide band bears.
        (made(30.7e-6, "J", 3.92e-6, 239.9e-6), "30.7 µJ (3.9 to 239.9)"),
        (made(0.731, "times", 0.0, 14.505), "0.7 times (0.0 to 14.5)"),
        (made(4812142.0, "operations", 4779928.0, 4844357.0), "4.812 million (4.780 to 4.844)"),
        (made(2.0, "times", 1.0, 4.0), "2.00 times (1.00 to 4.00)"),
    ],
)
def test_amounts_have_one_prefix_and_as_many_digits_as_they_bear(quantity, text):
    assert amount(quantity).replace("\u202f", " ") == text


def test_an_interval_stands_alone_too():
    assert span(made(1e-3, "J", 0.523e-3, 1.57e-3)).replace("\u202f", " ") == "0.52 to 1.57 mJ"
    assert span(made(1e-3, "J")).replace("\u202f", " ") == "1.00 mJ"


def test_numbers_are_grouped_by_three():
    assert number(1234567.0, 0) == "1\u202f234\u202f567"
    assert number(0) == "0"
    assert number(1.5e-7) == "1.50 × 10⁻⁷"


def test_a_unit_without_prefix_keeps_its_value():
    assert prefix_of(5e6, "spikes") == (1.0, "spikes")
    assert with_unit(2e-4, "s") == "200\u202fµs"


def test_what_could_not_be_had_is_told():
    assert told({"unavailable": "no GPU"}) == "unavailable: no GPU"
    assert read(None) == "not in measurement.json"
    assert amount(read(7)) == "7"
    assert is_quantity({"unavailable": "why"})
    assert not is_quantity({"value": 1})


def test_lists_read_as_sentences():
    assert [listed(words) for words in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]
