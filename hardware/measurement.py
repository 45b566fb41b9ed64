"""``measurement.json``: what is known of a run's accuracy, spikes, energy and place on the chip, section by section.

A number is ``{value, unit, kind, evidence, method, low, high}`` with ``kind`` measured or estimated, or
``{unavailable: why}``; there is no number for want of a better one. A section is written by one command and replaced
as a whole by its next call; the others are kept.
"""

import fcntl
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from train.artifacts import RunFolder, provenance, read_json, sha256, write_json
from train.config import Config
from train.config_checks import RECOGNITION
from train.errors import CallError, MaestroError

FORMAT = 1
# What a number rests on: an instrument or a counter; constants fitted to an instrument's readings; constants that a
# paper gives; or other numbers, by arithmetic alone.
Evidence = Literal["measured", "calibrated", "literature", "derived"]
_STRENGTH: tuple[Evidence, ...] = ("literature", "derived", "calibrated", "measured")
_CURE = "delete it and measure again"


def require_recognition(run: RunFolder, config: Config) -> None:
    """Refuse a run that tells something of every step, where clips are decided.

    Raises
    ------
    CallError
        Its task is another.
    """
    if config.task.name != RECOGNITION:
        raise CallError(
            str(run.path),
            f"is a run of {config.task.name}",
            allowed=f"a run of {RECOGNITION}",
            cure=f"`python -m hardware {config.task.name}` measures such runs",
        )


@dataclass(frozen=True)
class Quantity:
    """A number with its unit, where it comes from and between what it lies.

    Parameters
    ----------
    kind
        measured (by an instrument or a counter) or estimated (worked out from other numbers).
    method
        How, in a few words.
    low, high
        Bounds, what they are being part of the method; equal to the value where it is exact.
    evidence
        What it rests on; if not given, measured or derived, as ``kind`` has it.

    Raises
    ------
    MaestroError
        A number that is none, or bounds that do not hold it.
    """

    value: float
    unit: str
    kind: Literal["measured", "estimated"]
    method: str
    low: float
    high: float
    evidence: Evidence | None = None

    def __post_init__(self) -> None:
        if self.evidence is None:
            object.__setattr__(self, "evidence", "measured" if self.kind == "measured" else "derived")
        if (self.evidence == "measured") != (self.kind == "measured"):
            raise MaestroError(self.method, f"is {self.kind}, on evidence that is {self.evidence}")
        if not all(math.isfinite(number) for number in (self.value, self.low, self.high)):
            raise MaestroError(self.method, f"gave {self.value} ({self.low} to {self.high}) {self.unit}: no number")
        if not self.low <= self.value <= self.high:
            raise MaestroError(self.method, f"gave {self.value} {self.unit}, outside {self.low} to {self.high}")

    def as_dict(self) -> dict[str, Any]:
        """Plain data, in the order of design.md."""
        return {
            "value": self.value,
            "unit": self.unit,
            "kind": self.kind,
            "evidence": self.evidence,
            "method": self.method,
            "low": self.low,
            "high": self.high,
        }

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.value:.4g} {self.unit}"
        return f"{self.value:.4g} {self.unit} ({self.low:.4g} to {self.high:.4g})"


def weakest(classes: Iterable[Evidence | None]) -> Evidence:
    """What a number rests on that follows from others: on no better than the worst of them."""
    return min((evidence or "derived" for evidence in classes), key=_STRENGTH.index)


def quantity_of(entry: Any) -> Quantity | str:
    """The number that plain data hold, or the reason why there is none.

    Raises
    ------
    MaestroError
        It is neither.
    """
    if isinstance(entry, Mapping) and isinstance(entry.get("unavailable"), str):
        return str(entry["unavailable"])
    try:
        numbers = [float(entry[key]) for key in ("value", "low", "high")]
        words = [str(entry[key]) for key in ("unit", "kind", "method")]
        evidence = entry.get("evidence")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MaestroError("measurement.json", f"{str(entry)[:80]} is no number of ours", cure=_CURE) from error
    kind: Any = words[1]
    return Quantity(numbers[0], words[0], kind, words[2], numbers[1], numbers[2], evidence)


def exact(value: float, unit: str, method: str) -> Quantity:
    """A number that was counted, without uncertainty."""
    return Quantity(float(value), unit, "measured", method, float(value), float(value))


def unavailable(why: str) -> dict[str, str]:
    """What stands where a number could not be had."""
    return {"unavailable": why}


def read_measurement(run: RunFolder) -> dict[str, Any]:
    """All sections of a run; none where there is no file yet.

    Raises
    ------
    MaestroError
        The file is damaged, or of another program's format.
    """
    if not run.measurement.is_file():
        return {"format": FORMAT}
    content = read_json(run.measurement, cure=_CURE)
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise MaestroError(str(run.measurement), "is of no known format", allowed=f'"format": {FORMAT}', cure=_CURE)
    return dict(content)


def identity(run: RunFolder) -> dict[str, str | None]:
    """What a section was made of: hashes of the network's files, None where there is no such file."""
    paths = {"net_sha256": run.net, "checkpoint_sha256": run.checkpoint}
    return {key: sha256(path) if path.is_file() else None for key, path in paths.items()}


def current(run: RunFolder) -> dict[str, Any]:
    """As :func:`read_measurement`, but sections of another network's files are unavailable, and say so."""
    of_run = identity(run)
    stale = unavailable("measured of another network: this run was trained or exported anew since")
    return {name: stale if _is_stale(section, of_run) else section for name, section in read_measurement(run).items()}


def _is_stale(section: Any, of_run: Mapping[str, Any]) -> bool:
    if not isinstance(section, Mapping):
        return False
    # What came back from a chip names its network alone.
    stated = section.get("identity", {key: section[key] for key in ("net_sha256",) if key in section})
    return not isinstance(stated, Mapping) or any(of_run.get(key) != value for key, value in stated.items())


def file_section(run: RunFolder, section: str, content: Mapping[str, Any]) -> None:
    """Put a section into a run's ``measurement.json``, with its provenance; other sections stay.

    Raises
    ------
    MaestroError
        The run folder is missing, or its file damaged: then nothing is written.
    """
    run.require(run.config, "python -m train fit")
    # Two commands may finish at the same time, and each is to keep the other's section.
    with run.config.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        merged = read_measurement(run)
        merged[section] = {**content, "provenance": provenance()}
        write_json(run.measurement, merged)
