"""One line of the doctor's report."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "missing", "wrong"]
# Longest piece of somebody else's output that is repeated.
_QUOTED = 160


@dataclass(frozen=True)
class Finding:
    """What was looked at and found, and what to do about it.

    Parameters
    ----------
    topic
        What was looked at, in a word or two.
    state
        missing is no fault: something optional is not here. wrong is: something here contradicts itself or fails.
    found
        What is the case.
    cure
        What to do; empty only where all is well.
    needed
        The way through the simulator ends here if it is not ok.
    """

    topic: str
    state: State
    found: str
    cure: str = ""
    needed: bool = False

    def as_dict(self) -> dict[str, str]:
        return {"topic": self.topic, "state": self.state, "found": self.found, "cure": self.cure}

    def __str__(self) -> str:
        line = f"{self.state:<7}  {self.topic}: {self.found}"
        return f"{line}. {self.cure[0].upper()}{self.cure[1:]}" if self.cure else line


def sound(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong, and all that the simulator needs is here."""
    return all(finding.state == "ok" or (finding.state == "missing" and not finding.needed) for finding in findings)


def quoted(text: str) -> str:
    """Somebody else's output in one line of bounded length that cannot steer a terminal."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(line.split())
    return line if len(line) <= _QUOTED else f"{line[: _QUOTED - 3]}..."
