"""The profilers' own figures, as the script on the chip wrote them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.errors import MaestroError

Series = NDArray[np.float64]

_PARTS = ("time", "power", "activity", "memory")
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
        Series in us by name, a value a step; ``avg_time_per_step_us`` a single one.
    power
        Series in W by name, a value a reading; static ones often a single one.
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
            It has no steps, or a series that is not of numbers.
        """

        def damaged(found: str) -> MaestroError:
            return MaestroError(f"{where}, profile", found, cure=_CURE)

        if not isinstance(content, Mapping):
            raise damaged(f"is {content!r}")
        counts = [content.get(key) for key in ("steps", "period", "sample")]
        if any(type(count) is not int or count < 0 for count in counts) or not counts[0] or not counts[1]:
            raise damaged(f"says steps {counts[0]!r}, period {counts[1]!r}, sample {counts[2]!r}")
        parts: dict[str, dict[str, Series]] = {}
        for part in _PARTS:
            values = content.get(part) or {}
            if not isinstance(values, Mapping):
                raise damaged(f"{part} is {values!r}")
            parts[part] = {name: _series(value, damaged, f"{part}.{name}") for name, value in values.items()}
        missing = {str(name): str(why) for name, why in (content.get("missing") or {}).items()}
        steps, period, sample = (int(count) for count in counts if count is not None)
        return Profile(steps, period, sample, str(content.get("input", "host")), missing=missing, **parts)

    @property
    def inferences(self) -> float:
        """How many inferences the run had room for."""
        return self.steps / self.period


def _series(value: Any, damaged: Any, name: str) -> Series:
    try:
        series = np.atleast_1d(np.asarray(value, np.float64))
    except (TypeError, ValueError) as error:
        raise damaged(f"{name} holds no numbers") from error
    if series.ndim != 1 or not series.size or not np.isfinite(series).all():
        raise damaged(f"{name} is no list of finite numbers")
    return series
