"""Tables of plain values made into dataclasses, every key and type checked."""

import dataclasses
import difflib
import typing
from typing import Any, TypeVar

from train.errors import CallError

Section = TypeVar("Section")


def build_section(kind: type[Section], values: dict[str, Any], prefix: str) -> Section:
    """A dataclass from a table of plain values; ``prefix`` is what stands before its keys in messages.

    Raises
    ------
    CallError
        An unknown key (with a suggestion), a value of the wrong type.
    """
    hints = typing.get_type_hints(kind)
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints:
            close = difflib.get_close_matches(key, hints, n=1)
            raise CallError(
                f"configuration key {prefix}{key}",
                "unknown",
                cure=f"did you mean {prefix}{close[0]}?" if close else f"the keys here are: {', '.join(hints)}",
            )
        found[key] = _convert(hints[key], value, f"{prefix}{key}")
    return kind(**found)


def _convert(hint: Any, value: Any, key: str) -> Any:
    where = f"configuration key {key}"
    # No name of a file or of anything else holds one, and Python's own functions end in a ValueError.
    if any(isinstance(item, str) and "\0" in item for item in (value if isinstance(value, list) else [value])):
        raise CallError(where, f"is {value!r}", allowed="text without the character NUL")
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise CallError(where, f"is {value!r}", allowed="a section of keys")
        return build_section(typing.cast("type[Any]", hint), value, f"{key}.")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if typing.get_origin(hint) is tuple:
        item_type = typing.get_args(hint)[0]
        if not isinstance(value, list) or not all(type(item) is item_type for item in value):
            raise CallError(
                where, f"is {value!r}", allowed=f"a list of {'whole numbers' if item_type is int else 'words'}"
            )
        return tuple(value)
    if type(value) is not hint:
        raise CallError(where, f"is {value!r}", allowed=hint.__name__)
    return value
