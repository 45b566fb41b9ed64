"""What the section ``robustness`` holds, as curves: accuracy over an axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hardware.measurement import Quantity, quantity_of


@dataclass(frozen=True)
class Point:
    """Accuracy somewhere on an axis: ``found`` is a number of ``measurement.json``, or says why there is none."""

    value: float
    clean: bool
    found: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Its value for an axis or a column."""
        return "clean" if self.clean else f"{self.value:g}"


def heads(section: Mapping[str, Any]) -> list[str]:
    """The heads that were measured, in their order."""
    return list(next(iter(section["clean"]["sets"].values()))["heads"])


def main_head(section: Mapping[str, Any]) -> str:
    """The head that the noise's table and picture are about: the title, or the first there is."""
    return "title" if "title" in heads(section) else heads(section)[0]


def kinds(section: Mapping[str, Any]) -> list[str]:
    """Kinds of noise, in their order."""
    return list(dict.fromkeys(entry["kind"] for entry in section["conditions"] if entry["axis"] == "noise"))


def curve(section: Mapping[str, Any], axis: str, split: str, head: str, kind: str = "") -> list[Point]:
    """Accuracies over an axis, by rising value, with the clean clips where they are on it.

    On the axis of noise the clean clips come last, at infinity.
    """
    clean = section["axes"][axis]["clean"]
    points = [
        Point(entry["value"], False, entry["sets"][split]["heads"][head])
        for entry in section["conditions"]
        if (entry["axis"], entry["kind"]) == (axis, kind)
    ]
    points.append(Point(float("inf") if clean is None else clean, True, section["clean"]["sets"][split]["heads"][head]))
    return sorted(points, key=lambda point: point.value)


def intervals(places: Sequence[float], points: Sequence[Point]) -> dict[str, Any]:
    """Points with a number, as matplotlib's ``errorbar`` takes them: ``x``, ``y`` and ``yerr``."""
    known = [
        (place, found)
        for place, point in zip(places, points, strict=True)
        if isinstance(found := quantity_of(point.found), Quantity)
    ]
    values = [found.value for _, found in known]
    low, high = [found.value - found.low for _, found in known], [found.high - found.value for _, found in known]
    return {"x": [place for place, _ in known], "y": values, "yerr": [low, high]}
