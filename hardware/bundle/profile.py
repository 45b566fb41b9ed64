"""The profilers' own figures, as the script on the chip wrote them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.bundle.plain import printable, shown
from train.errors import MaestroError

Series = NDArray[np.float64]

_PARTS = ("time", "power", "activity", "memory")
INDICES = ("chip_idx", "core_idx")
SOURCES = ("host", "cyclic")
# No counter, time or power comes near; sums and squares of such numbers are still numbers.
_LARGEST = 1e15
_CURE = "copy the result again, or run the bundle again"


@dataclass(frozen=True, eq=False)
class Profile:
    """One profiled run of one sample over and over.

    Parameters
    ----------
    steps
        Steps of the run.
    period
        Steps from an inference to the next.
    sample
        Which of the bundle's.
    source
        Where spikes came from: ``host`` (through adapters, every step) or ``cyclic`` (replayed on the chip).
    time
        Series in us by name, a value a step, or of a very long run a mean of several steps; ``avg_time_per_step_us``
        a single one.
    power
        Series in W by name, a value a reading, or a mean of several; static ones often a single one.
    activity
        Counts of the whole run by name, a value a core.
    memory
        Use of the cores' memory by name, a value a core.
    missing
        What could not be read, and why.
    """

    steps: int
    period: int
    sample: int
    source: str
    time: dict[str, Series]
    power: dict[str, Series]
    activity: dict[str, Series]
    memory: dict[str, Series]
    missing: dict[str, str]

    @staticmethod
    def parse(where: str, content: Any) -> "Profile":
        """A profile from its plain data.

        Raises
        ------
        MaestroError
            It has no steps, or a series that is not of numbers, or of numbers that nothing measures.
        """

        def damaged(found: str) -> MaestroError:
            return MaestroError(f"{where}, profile", found, cure=_CURE)

        if not isinstance(content, Mapping):
            raise damaged(f"is {shown(content)}")
        counts = [content.get(key) for key in ("steps", "period", "sample")]
        if any(type(count) is not int or count < 0 for count in counts) or not counts[0] or not counts[1]:
            said = zip(("steps", "period", "sample"), counts, strict=True)
            raise damaged(f"says {', '.join(f'{key} {shown(count)}' for key, count in said)}")
        parts: dict[str, dict[str, Series]] = {}
        for part in _PARTS:
            values = content.get(part) or {}
            if not isinstance(values, Mapping):
                raise damaged(f"{part} is {shown(values)}")
            parts[part] = {name: _series(value, damaged, printable(f"{part}.{name}")) for name, value in values.items()}
        for name in INDICES:
            series = parts["activity"].get(name)
            if series is not None and not (np.equal(series, np.floor(series)) & (series >= 0)).all():
                raise damaged(f"activity.{name} is no list of numbers of chips or cores")
        missing = content.get("missing") or {}
        if not isinstance(missing, Mapping) or not all(isinstance(why, str) for why in missing.values()):
            raise damaged("missing does not say what is missing and why")
        why = {printable(name): printable(text) for name, text in missing.items()}
        source = content.get("input", SOURCES[0])
        if source not in SOURCES:
            raise damaged(f"says input {shown(source)}")
        steps, period, sample = (int(count) for count in counts if count is not None)
        return Profile(steps, period, sample, source, missing=why, **parts)

    @property
    def inferences(self) -> float:
        """How many inferences the run had room for."""
        return self.steps / self.period

    def why(self, attribute: str) -> str:
        """Why a profiler's attribute is not there, as far as the recording says."""
        return f"{attribute}: {self.missing.get(attribute, 'the recording does not hold it')}"

    def count(self, name: str) -> tuple[float, float, float]:
        """A counter an inference, over all cores, and between what it lies.

        Counters are of the whole run. Where its last period was cut short, it counted some part of a sample more than
        its whole periods, anything from nothing to all of it.
        """
        total, whole = float(self.activity[name].sum()), self.steps // self.period
        if whole == self.inferences:
            return (total / whole,) * 3
        return total / self.inferences, total / (whole + 1), total / whole if whole else math.inf


def _series(value: Any, damaged: Any, name: str) -> Series:
    numbers = value if isinstance(value, list) else [value]
    # Not numpy's own reading, to which "1" and true are numbers; nan is in no range.
    if not numbers or not all(type(number) in (int, float) and abs(number) <= _LARGEST for number in numbers):
        raise damaged(f"{name} is no list of finite numbers up to {_LARGEST:g}")
    return np.array(numbers, np.float64)
