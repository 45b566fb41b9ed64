"""Numbers as the page writes them: one prefix a quantity, as many digits as the interval bears, the reason for none."""

import math
from collections.abc import Mapping
from typing import Any

from hardware.measurement import Quantity, quantity_of

# Narrow no-break space: digits in groups, and a number and its unit, stay together at the end of a line.
THIN = "\u202f"
_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
# Units that take a prefix; others are counts, shares and per cent, and are written out.
_PREFIXED = ("s", "J", "W", "B", "Hz", "J s")
_DIGITS = 3
# Means of counts are written out up to here; counts themselves always.
_COUNTED, _MILLION = ("spikes", "operations", "updates"), 1e6
# Ends further apart than this do not fit one prefix.
_FAR = 100.0
# Beyond this an interval's digits are noise to a reader.
_MOST_DIGITS = 6
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, decimals: int | None = None) -> str:
    """A number in groups of three digits; with three significant ones unless ``decimals`` are given."""
    if value == 0 and decimals is None:
        return "0"
    if decimals is None:
        if abs(value) < 1e-3:
            return _power_of_ten(value)
        decimals = _decimals(value, _DIGITS)
    text = f"{value:,.{max(0, decimals)}f}".replace(",", THIN)
    return text.replace("-", "−")


def _power_of_ten(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.replace('-', '−')} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def _decimals(value: float, digits: int) -> int:
    """Decimals that show so many significant digits of a value, none beyond the point where it is large."""
    if value == 0:
        return 0
    # As it will be once rounded: 0.9996 is 1.00.
    rounded = float(f"{abs(value):.{digits - 1}e}")
    return max(0, digits - 1 - math.floor(math.log10(rounded)))


def prefix_of(value: float, unit: str) -> tuple[float, str]:
    """What to divide by and the unit with its prefix, so that ``value`` has one to three digits before the point."""
    if unit not in _PREFIXED or value == 0 or not math.isfinite(value):
        return 1.0, unit
    # A value that rounds up to the next prefix takes it: 999.6 nJ is 1.00 µJ.
    rounded = float(f"{abs(value):.{_DIGITS - 1}e}")
    power = 3 * math.floor(math.log10(rounded) / 3)
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return 10.0**power, f"{_PREFIXES[power]}{unit}"


def with_unit(value: float, unit: str) -> str:
    """A plain number with its unit: 12.3 µJ, 98.4 %, 1 234."""
    factor, word = prefix_of(value, unit)
    return f"{number(value / factor)}{_spaced(word)}"


def _spaced(word: str) -> str:
    if word == "1/s":
        return f"{THIN}/s"
    # What is counted is named by the heading that the number stands under.
    shown = word in ("%", "times", "million") or any(
        word.endswith(unit) for unit in _PREFIXED if len(word) <= len(unit) + 1
    )
    return f"{THIN}{word}" if shown else ""


def amount(quantity: Quantity) -> str:
    """A number with its interval, both in one unit: 24.1 µJ (12.2 to 40.3); the unit of counts is the heading's."""
    factor, word = prefix_of(quantity.value or quantity.high or quantity.low, quantity.unit)
    if quantity.unit in _COUNTED and quantity.low < quantity.high and abs(quantity.value) >= _MILLION:
        factor, word = _MILLION, "million"
    value, low, high = (end / factor for end in (quantity.value, quantity.low, quantity.high))
    if low == high:
        return f"{_exact(value, quantity)}{_spaced(word)}"
    if _far(quantity):
        return f"{with_unit(quantity.value, quantity.unit)} ({_apart(quantity)})"
    largest = max(abs(value), abs(low), abs(high))
    if largest < 1e-3:
        return f"{number(value)}{_spaced(word)} ({number(low)} to {number(high)})"
    # Three significant digits, but so many decimals that the ends are told apart and no more than they bear.
    leading = math.floor(math.log10(high - low))
    wanted = _decimals(value, _DIGITS) if value else _decimals(largest, 2)
    decimals = min(max(wanted, 1 - leading), 2 - leading)
    if low > 0:
        decimals = max(decimals, _decimals(low, 2))
    decimals = max(0, min(decimals, _decimals(largest, _MOST_DIGITS)))
    return f"{number(value, decimals)}{_spaced(word)} ({number(low, decimals)} to {number(high, decimals)})"


def _far(quantity: Quantity) -> bool:
    """Whether the ends are too far apart to be read in one unit."""
    return quantity.unit in _PREFIXED and 0 < quantity.low < quantity.high / _FAR


def _apart(quantity: Quantity) -> str:
    """Both ends, each in its own unit."""
    return f"{with_unit(quantity.low, quantity.unit)} to {with_unit(quantity.high, quantity.unit)}"


def span(quantity: Quantity) -> str:
    """Where a number lies, without the number: 0.52 to 1.57 mJ."""
    factor, word = prefix_of(quantity.high or quantity.low, quantity.unit)
    low, high = quantity.low / factor, quantity.high / factor
    if low == high:
        return f"{number(high)}{_spaced(word)}"
    if _far(quantity):
        return _apart(quantity)
    decimals = _decimals(max(abs(low), abs(high)), _DIGITS)
    return f"{number(low, decimals)} to {number(high, decimals)}{_spaced(word)}"


def _exact(value: float, quantity: Quantity) -> str:
    # A count is whole and is given whole.
    if value == round(value) and abs(value) < 1e15 and quantity.unit not in _PREFIXED:
        return number(value, 0)
    return number(value)


def told(entry: Any) -> str:
    """A number of ``measurement.json`` in words, or ``unavailable: why``."""
    found = read(entry)
    return f"unavailable: {found}" if isinstance(found, str) else amount(found)


def read(entry: Any) -> Quantity | str:
    """A number of ``measurement.json``, or why there is none; an entry that is not there is none either."""
    if entry is None:
        return "not in measurement.json"
    if isinstance(entry, (int, float)) and not isinstance(entry, bool):
        return Quantity(float(entry), "", "measured", "counted", float(entry), float(entry))
    return quantity_of(entry)


def is_quantity(entry: Any) -> bool:
    """Whether plain data are a number with its unit, or the reason for none."""
    return isinstance(entry, Mapping) and ("unavailable" in entry or {"value", "unit", "low", "high"} <= entry.keys())


def listed(words: list[str]) -> str:
    """``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
