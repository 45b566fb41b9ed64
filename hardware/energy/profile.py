"""Devices as data: what an operation takes on each, every constant with its source (``profiles/*.toml``).

A constant belongs to a part of the energy and says what it is multiplied with; those without a part are numbers that
others need (hops, copies). What a device gives no constant for is in ``unpriced``, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import tomli

from hardware.energy.bands import Band
from hardware.measurement import Evidence
from train.errors import MaestroError

PROFILES = Path(__file__).parent / "profiles"
PARTS = ("synapses", "updates", "messages", "static")
# What a constant is multiplied with, and its unit; hardware/energy/estimate.py counts them.
PER = {
    "synaptic operation": "J",
    "neuron update": "J",
    "state update": "J",
    "neuron": "J",
    "spike": "J",
    "message": "J",
    "hop east-west": "J",
    "hop north-south": "J",
    "step": "J",
    "second": "W",
    "product": "J",
    "sum": "J",
    "dense multiply-accumulate": "J",
}
# Of an ANN these alone are counted, and of a spiking network all but the products and sums.
ANN_PER = ("neuron", "product", "sum", "dense multiply-accumulate")
# Constants that others are multiplied with: a profile that prices the first word needs the second.
NEEDS = {
    "step": "cores",
    "message": "copies",
    "hop east-west": "hops_east_west",
    "hop north-south": "hops_north_south",
}
_CURE = "correct it, or take the file from the repository again"


@dataclass(frozen=True)
class Constant:
    """A number of a device's, with its source.

    Parameters
    ----------
    low, high
        Bounds, in ``unit``.
    unit
        J, W, or 1.
    evidence
        What it rests on, as in :mod:`hardware.measurement`.
    source
        Paper and table, file and commit.
    part, per
        Part of the energy it belongs to, and what it is multiplied with; empty of numbers that others need.
    """

    name: str
    low: float
    high: float
    unit: str
    evidence: Evidence
    source: str
    part: str = ""
    per: str = ""

    @property
    def band(self) -> Band:
        """Its bounds."""
        return Band(self.low, self.high)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, in the order of the contract of ``measurement.json``."""
        return {name: getattr(self, name) for name in ("name", "low", "high", "unit", "evidence", "source")}


@dataclass(frozen=True)
class Profile:
    """A device.

    Parameters
    ----------
    network
        Whose operations it prices: of a spiking network, or of an ANN.
    applies, applies_analog
        What its energies stand for; the second for a network with analog dendrites, if that differs.
    leaves_out
        What is in none of its numbers.
    unpriced
        Parts without a constant, and why.
    order
        Place in a list of devices.
    loihi
        Whether it is one: then weights that are zero but stored may be worked on, and samples follow each other at
        the period of its reset.
    """

    name: str
    title: str
    network: Literal["snn", "ann"]
    order: int
    applies: str
    leaves_out: tuple[str, ...]
    constants: Mapping[str, Constant]
    unpriced: Mapping[str, str]
    applies_analog: str = ""
    loihi: bool = False

    def of(self, part: str) -> list[Constant]:
        """Constants of a part of the energy."""
        return [constant for constant in self.constants.values() if constant.part == part]


@cache
def load_profiles(folder: Path = PROFILES) -> tuple[Profile, ...]:
    """All devices, in order of display.

    Raises
    ------
    MaestroError
        A file is damaged, or has an unknown key, or lacks one; the text names both.
    """
    return tuple(sorted(map(read_profile, sorted(folder.glob("*.toml"))), key=lambda profile: profile.order))


def profile(name: str) -> Profile:
    """The device of that name.

    Raises
    ------
    MaestroError
        There is none.
    """
    for found in load_profiles():
        if found.name == name:
            return found
    raise MaestroError(name, "no such device", allowed=f"one of {', '.join(found.name for found in load_profiles())}")


def read_profile(path: Path) -> Profile:
    """A device from its file.

    Raises
    ------
    MaestroError
        As :func:`load_profiles`.
    """
    try:
        values = tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise MaestroError(str(path), f"cannot be read: {error}", cure=_CURE) from error
    known = [field.name for field in fields(Profile) if field.name != "name"]
    _keys(path, values, known, ("applies_analog", "unpriced", "loihi"))
    if values["network"] not in ("snn", "ann"):
        raise MaestroError(f"{path}: network", f"is {values['network']!r}", allowed="snn or ann", cure=_CURE)
    for key in ("title", "applies", "applies_analog"):
        _text(f"{path}: {key}", values.get(key, "none"))
    leaves_out, order = values["leaves_out"], values["order"]
    if not isinstance(leaves_out, list) or not all(isinstance(entry, str) for entry in leaves_out):
        raise MaestroError(f"{path}: leaves_out", "is no list of texts", cure=_CURE)
    if not isinstance(order, int) or isinstance(order, bool):
        raise MaestroError(f"{path}: order", f"is {order!r}", allowed="a whole number", cure=_CURE)
    if not isinstance(values.get("loihi", False), bool):
        raise MaestroError(f"{path}: loihi", f"is {values['loihi']!r}", allowed="true or false", cure=_CURE)
    constants = {name: _constant(path, name, entry) for name, entry in _table(path, values, "constants").items()}
    unpriced = dict(_table(path, values, "unpriced"))
    for part, why in unpriced.items():
        _text(f"{path}: unpriced.{part}", why)
    found = Profile(
        **{**values, "name": path.stem, "leaves_out": tuple(leaves_out)}
        | {"constants": constants, "unpriced": unpriced}
    )
    _complete(path, found)
    return found


def _constant(path: Path, name: str, entry: Any) -> Constant:
    where = f"{path}: constants.{name}"
    if not isinstance(entry, Mapping):
        raise MaestroError(where, "is no table", cure=_CURE)
    _keys(where, entry, [field.name for field in fields(Constant) if field.name != "name"], ("part", "per"))
    for key in ("unit", "evidence", "source"):
        _text(f"{where}.{key}", entry[key])
    if entry["evidence"] not in get_args(Evidence):
        raise MaestroError(f"{where}.evidence", f"is {entry['evidence']!r}", allowed=" or ".join(get_args(Evidence)))
    numbers = [entry["low"], entry["high"]]
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        raise MaestroError(where, f"low and high are {numbers}", allowed="two numbers", cure=_CURE)
    try:
        Band(*numbers)
    except ValueError as error:
        raise MaestroError(where, str(error), allowed="0 <= low <= high", cure=_CURE) from error
    part, per = entry.get("part", ""), entry.get("per", "")
    if bool(part) != bool(per) or (part and (part not in PARTS or per not in PER)):
        allowed = f"one of {', '.join(PARTS)}, per one of {', '.join(PER)}; or neither"
        raise MaestroError(where, f"belongs to {part!r}, per {per!r}", allowed=allowed, cure=_CURE)
    unit = PER.get(per, "1")
    if entry["unit"] != unit:
        raise MaestroError(f"{where}.unit", f"is {entry['unit']!r}", allowed=unit, cure=_CURE)
    return Constant(name=name, **{**entry, "low": float(numbers[0]), "high": float(numbers[1])})


def _complete(path: Path, found: Profile) -> None:
    for part in PARTS:
        if bool(found.of(part)) == (part in found.unpriced):
            said = "both priced and unpriced" if part in found.unpriced else "neither priced nor said to be unpriced"
            raise MaestroError(f"{path}: {part}", f"is {said}", allowed="one of the two", cure=_CURE)
    if unknown := set(found.unpriced) - set(PARTS):
        raise MaestroError(f"{path}: unpriced", f"no part {sorted(unknown)[0]!r}", allowed=", ".join(PARTS), cure=_CURE)
    for constant in found.constants.values():
        where = f"{path}: constants.{constant.name}"
        counted = ANN_PER if found.network == "ann" else [word for word in PER if word not in ANN_PER[1:]]
        if constant.per and constant.per not in counted:
            raise MaestroError(where, f"is per {constant.per!r}", allowed=f"one of {', '.join(counted)}", cure=_CURE)
        needed = NEEDS.get(constant.per)
        if needed and needed not in found.constants:
            raise MaestroError(where, f"needs constants.{needed}", cure=_CURE)


def _keys(where: Any, values: Mapping[str, Any], known: Sequence[str], optional: Sequence[str]) -> None:
    for key in values:
        if key not in known:
            raise MaestroError(str(where), f"unknown key {key!r}", allowed=f"one of {', '.join(known)}", cure=_CURE)
    for key in known:
        if key not in values and key not in optional:
            raise MaestroError(str(where), f"has no {key!r}", cure=_CURE)


def _table(path: Path, values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = values.get(key, {})
    if not isinstance(table, Mapping):
        raise MaestroError(f"{path}: {key}", "is no table", cure=_CURE)
    return table


def _text(where: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise MaestroError(where, f"is {value!r}", allowed="a text", cure=_CURE)
