"""Numbers that are known only between two bounds, and their middle."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """Two bounds of a number that is not negative, in SI units.

    Raises
    ------
    ValueError
        ``low`` is negative or above ``high``, or one of them is no number.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and 0 <= self.low <= self.high):
            raise ValueError(f"{self.low} to {self.high} are no bounds")

    @property
    def middle(self) -> float:
        """The geometric middle, as far in ratio from either bound; the arithmetic one where ``low`` is 0.

        The bounds are what is known. The middle stands for them where one number is asked for, and is no more likely
        than others between them.
        """
        middle = math.sqrt(self.low) * math.sqrt(self.high) if self.low else self.high / 2
        # Rounding is not to carry it out of its bounds.
        return min(max(middle, self.low), self.high)

    def __add__(self, other: "Band") -> "Band":
        return Band(self.low + other.low, self.high + other.high)

    def __mul__(self, other: "Band") -> "Band":
        return Band(self.low * other.low, self.high * other.high)

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high


def exactly(number: float) -> Band:
    """A band of one number."""
    return Band(number, number)
