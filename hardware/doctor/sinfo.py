"""Read what SLURM's ``sinfo`` prints: a line a board and partition, or the tables people know.

Lava's own reader (lava/utils/slurm.py of lava-nc 0.10.0) fails where the command is missing, on the output's trailing
empty line, on the star behind the default partition, and takes a partition's first line, of a board that is down, for
the whole (issues 753, 754 and 765 of lava-nc/lava).
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Use = Literal["free", "busy", "no"]

# One line a board and partition: board, partition, partition with its star, state, time limit, partition's state.
FORMAT = "%N|%R|%P|%t|%l|%a"
# States in both spellings (sinfo(1), NODE STATE CODES).
_FREE = {"idle"}
_BUSY = {"alloc", "allocated", "mix", "mixed", "comp", "completing", "plnd", "planned"}
_NO = {
    "block": "is blocked",
    "blocked": "is blocked",
    "boot": "is booting",
    "down": "is down",
    "drain": "is drained",
    "drained": "is drained",
    "drng": "is being drained",
    "draining": "is being drained",
    "fail": "is about to fail",
    "failg": "is failing",
    "failing": "is failing",
    "futr": "is not there yet",
    "future": "is not there yet",
    "inval": "is not configured rightly",
    "maint": "is in maintenance",
    "npc": "has its counters in use",
    "perfctrs": "has its counters in use",
    "pow_dn": "is being powered down",
    "powering_down": "is being powered down",
    "pow_up": "is being powered up",
    "powering_up": "is being powered up",
    "reboot": "is being rebooted",
    "resv": "is reserved",
    "reserved": "is reserved",
    "unk": "is in a state that SLURM does not know",
    "unknown": "is in a state that SLURM does not know",
}
# What a letter behind a state adds; of these a job may still wait for some.
_SUFFIX_NO = {
    "*": "does not answer",
    "!": "is about to be powered down",
    "%": "is being powered down",
    "$": "is reserved for maintenance",
    "^": "is being rebooted",
}
_SUFFIX_WAIT = "~#@-+"
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
# More boards than this in one list is no list.
_MOST = 100_000


@dataclass(frozen=True)
class Board:
    """A board as a member of one partition; it may be in several.

    Parameters
    ----------
    state
        As printed, with its letters: idle, down*, drng.
    limit
        The partition's time limit as printed; empty where the output has none.
    default
        The partition is the default one.
    partition_state
        up, or why nothing can be started there; empty where the output does not say.
    """

    name: str
    partition: str
    state: str
    limit: str = ""
    default: bool = False
    partition_state: str = ""

    @property
    def use(self) -> Use:
        """Whether a job starts at once, waits, or never starts."""
        return _judge(self.state, self.partition_state)[0]

    @property
    def why(self) -> str:
        """Why a job never starts there; empty if it does."""
        return _judge(self.state, self.partition_state)[1]

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "partition": self.partition,
            "state": self.state,
            "use": self.use,
            "limit": self.limit,
            "default": self.default,
        }


@dataclass(frozen=True)
class Reading:
    """What an output held: boards, partitions without any, and lines that could not be read."""

    boards: tuple[Board, ...] = ()
    empty: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def partitions(self) -> tuple[str, ...]:
        """Names of all partitions, in order of appearance."""
        return tuple(dict.fromkeys([*(board.partition for board in self.boards), *self.empty]))

    def named(self, board: str) -> tuple[Board, ...]:
        """A board's memberships; none if it is not known."""
        return tuple(entry for entry in self.boards if entry.name == board)

    def of(self, partition: str) -> tuple[Board, ...]:
        """A partition's boards."""
        return tuple(entry for entry in self.boards if entry.partition == partition)


def _judge(state: str, partition_state: str) -> tuple[Use, str]:
    if partition_state and partition_state != "up":
        return "no", f"is in a partition that is {partition_state}"
    word = state.lower()
    base = word.rstrip("".join(_SUFFIX_NO) + _SUFFIX_WAIT)
    suffixes = word[len(base) :]
    if base in _NO:
        return "no", _NO[base]
    if base not in _FREE | _BUSY:
        return "no", f"is in the unknown state {state}"
    for letter in suffixes:
        if letter in _SUFFIX_NO:
            return "no", _SUFFIX_NO[letter]
    return ("free" if base in _FREE and not suffixes else "busy"), ""


def expand(names: str) -> list[str]:
    """Names of a list such as ``ncl-og-[01-04,07],ncl-kp-1``, in its order.

    Raises
    ------
    ValueError
        It is not such a list.
    """
    found: list[str] = []
    for item in _split(names):
        parts = re.split(r"\[([^\[\]]*)\]", item)
        choices = [_numbers(part) if index % 2 else [part] for index, part in enumerate(parts)]
        for made in itertools.product(*choices):
            name = "".join(made)
            if not _NODE.fullmatch(name):
                raise ValueError(f"{name!r} is no board's name")
            found.append(name)
            if len(found) > _MOST:
                raise ValueError(f"more than {_MOST} boards")
    return found


def _split(names: str) -> Iterator[str]:
    """Items between the commas that stand outside brackets."""
    return (item for item in re.split(r",(?![^\[\]]*\])", names))


def _numbers(text: str) -> list[str]:
    """``01-04,07`` as 01, 02, 03, 04, 07: as wide as they are written."""
    found: list[str] = []
    for item in text.split(","):
        match = _RANGE.fullmatch(item)
        if match is None:
            raise ValueError(f"[{text}] is no range of numbers")
        first, last = match[1], match[2] or match[1]
        if not int(first) <= int(last) <= int(first) + _MOST:
            raise ValueError(f"{item} is no range of numbers")
        found += [f"{number:0{len(first)}}" for number in range(int(first), int(last) + 1)]
    return found


def _gather(rows: Iterator[tuple[str, Mapping[str, str] | None]]) -> Reading:
    """Boards of rows that are already cut into fields; None for one that could not be."""
    boards: dict[tuple[str, str], Board] = {}
    empty: list[str] = []
    unread: list[str] = []
    for line, row in rows:
        if row is None:
            unread.append(line)
            continue
        partition = row["PARTITION"]
        default = partition.endswith("*") and row.get("BARE", "") != partition
        name = partition[:-1] if default else partition
        if not row["NODELIST"]:
            empty.append(name)
            continue
        try:
            nodes = expand(row["NODELIST"])
        except ValueError:
            unread.append(line)
            continue
        for node in nodes:
            board = Board(node, name, row["STATE"], row.get("TIMELIMIT", ""), default, row.get("AVAIL", ""))
            boards.setdefault((node, name), board)
    return Reading(tuple(boards.values()), tuple(dict.fromkeys(empty)), tuple(unread))


def read_lines(text: str) -> Reading:
    """Read the output of ``sinfo -N -h -o FORMAT``."""
    names = ("NODELIST", "BARE", "PARTITION", "STATE", "TIMELIMIT", "AVAIL")

    def rows() -> Iterator[tuple[str, Mapping[str, str] | None]]:
        for line in filter(str.strip, text.splitlines()):
            fields = [field.strip() for field in line.split("|")]
            whole = len(fields) == len(names) and fields[1] and fields[2] and (fields[3] or not fields[0])
            yield line, dict(zip(names, fields, strict=True)) if whole else None

    return _gather(rows())


def read_table(text: str) -> Reading:
    """Read a table of ``sinfo``, ``sinfo -N`` or ``sinfo -N -l``, with whatever stands around it.

    Columns are told by the header; without one no line is read. A partition without boards has an empty last column.
    """
    header: list[str] = []

    def rows() -> Iterator[tuple[str, Mapping[str, str] | None]]:
        for line in filter(str.strip, text.splitlines()):
            fields = line.split()
            if {"PARTITION", "STATE", "NODELIST"} <= set(fields):
                # `sinfo` of several clusters repeats it.
                header[:] = fields
            elif header:
                yield line, _row(header, fields)
            elif not re.match(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d", line):
                # Only the time that -l prints stands above a header.
                yield line, None

    return _gather(rows())


def _row(header: list[str], fields: list[str]) -> Mapping[str, str] | None:
    values = dict(itertools.zip_longest(header, fields[: len(header)], fillvalue=""))
    needed = ["PARTITION", "STATE"] if header[-1] == "NODELIST" else ["PARTITION", "STATE", "NODELIST"]
    return values if all(values[name] for name in needed) else None
