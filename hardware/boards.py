"""Boards with Loihi chips, by the names that they and their partitions have at INRC (``boards.toml``, with sources)."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tomli

from train.errors import CallError

# A partition's name may end in its time limit, as oheogulch_2h does; sinfo marks the default one with a star.
_LIMIT = re.compile(r"(_(\d+[smhd]|inf))?\*?$")


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
def _facts() -> dict[str, Any]:
    return tomli.loads((Path(__file__).parent / "boards.toml").read_text())


@cache
def board_kinds() -> tuple[BoardKind, ...]:
    """All kinds that are known."""
    return tuple(BoardKind(**values) for values in _facts()["boards"])


def board_kind(partition: str, node: str = "") -> BoardKind | None:
    """The kind of board behind a partition's and a board's name, as they are called at INRC.

    Parameters
    ----------
    partition
        With or without a time limit: oheogulch, oheogulch_20m. May be empty.
    node
        The board's own name: ncl-ext-og-05. May be empty.

    Returns
    -------
    BoardKind or None
        None where neither name is known, and where they say different things.
    """
    name, words = _LIMIT.sub("", partition), re.split(r"[-_.]", node)
    by_partition = next((kind for kind in board_kinds() if kind.partition == name), None)
    by_node = next((kind for kind in board_kinds() if kind.node and kind.node in words), None)
    if by_partition and by_node and by_partition.board != by_node.board and by_node.board not in by_partition.board:
        return None
    return by_node if by_partition is None else by_partition


def loihi2_board(name: str) -> BoardKind:
    """A board of Loihi 2 by any name: Oheo Gulch, kapoho-point, a partition, or a board's own.

    Raises
    ------
    CallError
        There is none of that name, or it is of the first Loihi.
    """
    word = _plain(name)
    usable = [kind for kind in board_kinds() if kind.loihi == 2]
    for kind in usable:
        if word in {_plain(kind.partition), _plain(kind.board), _plain(kind.node or kind.board)}:
            return kind
    found = board_kind(name, name)
    if found is None or found.loihi != 2:
        titles = dict.fromkeys(kind.board for kind in usable)
        raise CallError(f"--board {name}", "is no board of Loihi 2 known here", allowed=f"one of {', '.join(titles)}")
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def generation(node: str) -> Generation | None:
    """What LOIHI_GEN has to be on a board, if somebody has published it."""
    found = (Generation(**values) for values in _facts()["generations"])
    return next((entry for entry in found if entry.node == node), None)
