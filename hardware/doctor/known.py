"""What is known beforehand of versions, boards and compilers (``known.toml``, with sources)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import tomli

# A partition's name may end in its time limit, as oheogulch_2h does.
_LIMIT = re.compile(r"_(\d+[smhd]|inf)$")


@dataclass(frozen=True)
class VersionSet:
    """Versions that go together: ``evidence`` says how that is known, ``runs`` what they ran."""

    versions: Mapping[str, str]
    runs: str
    evidence: Literal["tested", "published", "named"]
    source: str

    def __str__(self) -> str:
        return ", ".join(f"{name} {version}" for name, version in self.versions.items())


@dataclass(frozen=True)
class BoardKind:
    """A kind of board: how its partition is called at INRC, its chips, and the generation of Loihi they are."""

    partition: str
    node: str
    board: str
    chips: int
    loihi: int
    source: str


@dataclass(frozen=True)
class Generation:
    """What LOIHI_GEN has to be on a board of the name ``node``."""

    node: str
    generation: str
    source: str


@cache
def facts() -> dict[str, Any]:
    """The whole file."""
    return tomli.loads((Path(__file__).parent / "known.toml").read_text())


def version_sets() -> tuple[VersionSet, ...]:
    """Sets of versions, best known first."""
    return tuple(VersionSet(**values) for values in facts()["sets"])


def board_kind(partition: str, node: str = "") -> BoardKind | None:
    """The kind of board behind a partition's or board's name, as they are called at INRC; None if not known.

    Parameters
    ----------
    partition
        With or without a time limit: oheogulch, oheogulch_20m. May be empty.
    node
        The board's own name, asked where the partition says nothing: ncl-ext-og-05.
    """
    kinds = [BoardKind(**values) for values in facts()["boards"]]
    name = _LIMIT.sub("", partition)
    for kind in kinds:
        if kind.partition == name:
            return kind
    words = re.split(r"[-_.]", node)
    return next((kind for kind in kinds if kind.node and kind.node in words), None)


def generation(node: str) -> Generation | None:
    """What LOIHI_GEN has to be on a board, if somebody has published it."""
    found = (Generation(**values) for values in facts()["generations"])
    return next((entry for entry in found if entry.node == node), None)
