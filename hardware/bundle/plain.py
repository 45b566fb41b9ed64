"""JSON of somebody else's: read whole, and refused where no program of ours could have written it."""

import math
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from train.artifacts import read_json
from train.errors import MaestroError

# A result has levels for its profile, a part of it, a series and a value; ten are more than enough.
_DEPTH = 10
_INTEGER = 2**63


def read_plain(path: Path, cure: str) -> Any:
    """Read a JSON file whose numbers are finite, whose integers fit 64 bits, and whose text is Unicode.

    Raises
    ------
    MaestroError
        Missing, no JSON, nested too deeply, or with a number or a text that is none; the place is named.
    """
    try:
        content = read_json(path, cure)
    except RecursionError as error:
        raise MaestroError(str(path), "is nested too deeply for a result", cure=cure) from error
    for place, found in _odd(content, "", _DEPTH):
        raise MaestroError(f"{path}{', ' if place else ''}{place}", found, cure=cure)
    return content


def _odd(value: Any, place: str, depth: int) -> Iterator[tuple[str, str]]:
    """Where it is and what it is, of everything that is odd."""
    if isinstance(value, dict | list):
        if not depth:
            yield place, "is nested too deeply for a result"
            return
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            if isinstance(key, str):
                yield from _odd(key, f"a key in {place}" if place else "a key", 1)
            # Names are read by people, and a damaged one may be anything.
            name = key if isinstance(key, int) or key.isidentifier() else shown(key)
            yield from _odd(inner, f"{place}.{name}" if place else str(name), depth - 1)
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield place, f"holds text that is no Unicode: {shown(value)}"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield place, f"is {value}, which is no number"
    elif isinstance(value, int) and abs(value) >= _INTEGER:
        yield place, "is an integer of more than 64 bits"


def shown(value: Any) -> str:
    """A value as Python writes it, on one line and short however long it is."""
    return reprlib.repr(value)


def printable(text: str) -> str:
    """Somebody's text on one line, and without what a terminal would act upon."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
