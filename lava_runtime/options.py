"""Values of the command line that click has no type for."""

import math
import re

import click

from train.errors import CallError

_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}


class Memory(click.ParamType[int]):
    """An amount of memory as a person writes it: 512M, 1.5G, a plain number of bytes; powers of 1024."""

    name = "SIZE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
        size = float(match[1]) * (1 << _UNITS[match[2].upper()]) if match else 0.0
        if not 1 <= size < 1 << 63:
            allowed = "a size such as 512M, 2G or a number of bytes"
            raise CallError("--memory", f"{value!r} is no amount of memory", allowed=allowed)
        return int(size)


def finite_seconds(_context: click.Context, _param: click.Parameter, value: float) -> float:
    """Refuse NaN and infinity, which click's ranges let pass: with them Lava would be waited for without an end."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number of seconds.")
    return value
