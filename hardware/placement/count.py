"""Numbers of a placement: each with its bounds, its evidence and the rule it comes from."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hardware.placement.limits import MARKS, Evidence


@dataclass(frozen=True)
class Count:
    """A whole number, or the bounds it lies between, or nothing where no public table tells.

    Parameters
    ----------
    value
        The rule's answer; None if the rule gives bounds alone.
    low, high
        Bounds, both included.
    evidence
        See ``limits.MEANING``.
    rule
        Name of the rule in ``rules.RULES``.
    """

    value: int | None
    low: int
    high: int
    evidence: Evidence
    rule: str

    @property
    def most(self) -> int:
        """What to reckon with: the rule's answer, or the upper bound."""
        return self.high if self.value is None else self.value

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "evidence": self.evidence,
            "rule": self.rule,
        }

    def __str__(self) -> str:
        mark = MARKS[self.evidence]
        if self.value is None:
            return f"{self.low}..{self.high}{mark}"
        if self.low == self.high:
            return f"{self.value}{mark}"
        return f"{self.value}{mark} {self.low}..{self.high}"


def exact(value: int, rule: str, evidence: Evidence = "inferred") -> Count:
    """A number whose bounds are itself."""
    return Count(value, value, value, evidence, rule)


def about(value: int, share: float, rule: str, evidence: Evidence = "inferred") -> Count:
    """A number that may be off by a share of itself either way."""
    return Count(value, math.floor(value * (1 - share)), math.ceil(value * (1 + share)), evidence, rule)


def total(counts: Iterable[Count]) -> Count:
    """The sum of counts: as certain as the least certain of them."""
    parts = list(counts)
    order: tuple[Evidence, ...] = ("stated", "inferred", "estimate", "unknown")
    worst = order[max((order.index(part.evidence) for part in parts), default=0)]
    return Count(sum(p.most for p in parts), sum(p.low for p in parts), sum(p.high for p in parts), worst, "total")
