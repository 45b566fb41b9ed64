"""Arithmetic with numbers that have bounds, and the way to them in plain data."""

from collections.abc import Mapping
from typing import Any, Literal

from hardware.measurement import Evidence, Quantity, quantity_of, weakest


def find(measurement: Mapping[str, Any], *path: str) -> Quantity | str:
    """The number at a path of ``measurement.json``, or why there is none.

    A part of the path that is unavailable makes the number so, for the same reason.
    """
    here: Any = measurement
    for depth, key in enumerate(path):
        if isinstance(here, Mapping) and "unavailable" in here:
            return str(here["unavailable"])
        if not isinstance(here, Mapping) or key not in here:
            return f"{'.'.join(path[: depth + 1])} was not measured"
        here = here[key]
    return quantity_of(here)


def times(one: Quantity | str, other: Quantity | str, unit: str) -> Quantity | str:
    """Product of two numbers that are not negative; bounds are the products of bounds."""
    reason = next((number for number in (one, other) if isinstance(number, str)), None)
    if reason is not None or isinstance(one, str) or isinstance(other, str):
        return str(reason)
    # A dynamic energy that is below what its method resolves may have a lower bound below zero.
    ends = [left * right for left in (one.low, one.high) for right in (other.low, other.high)]
    kind, evidence = of_both(one, other)
    method = f"product of: {one.method}; and: {other.method}"
    return Quantity(one.value * other.value, unit, kind, method, min(ends), max(ends), evidence)


def inverse(number: Quantity | str, unit: str, what: str) -> Quantity | str:
    """1 over a positive number."""
    if isinstance(number, str):
        return number
    if number.low <= 0:
        return f"{what} may be zero"
    kind, evidence = of_both(number)
    method = f"1 over: {number.method}"
    return Quantity(1 / number.value, unit, kind, method, 1 / number.high, 1 / number.low, evidence)


def of_both(*numbers: Quantity) -> tuple[Literal["measured", "estimated"], Evidence]:
    """Kind and evidence of what follows from some numbers."""
    found = weakest(number.evidence for number in numbers)
    return ("measured" if found == "measured" else "estimated"), found


def plain(number: Quantity | str) -> dict[str, Any]:
    """A number, or the reason for none, as ``measurement.json`` has it."""
    return {"unavailable": number} if isinstance(number, str) else number.as_dict()
