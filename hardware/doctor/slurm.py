"""Ask SLURM for its boards, whatever its ``sinfo`` does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from hardware.boards import board_kind
from hardware.doctor.finding import Finding, State, quoted
from hardware.doctor.known import facts
from hardware.doctor.probe import Answer, Probe
from hardware.doctor.sinfo import FORMAT, Board, Reading, Use, read_lines, read_table

# Names of boards that a table's row or an error spells out; the JSON has all.
SPELT = 8
_FOR_MACHINES = ("sinfo", "-N", "-h", "-o", FORMAT)
# The first has time limits too, the second every board.
_FOR_PEOPLE = (("sinfo",), ("sinfo", "-N"))
_BUNDLE = "carry a bundle there (`python -m hardware bundle RUN`)"
_USES: dict[Use, str] = {"free": "free", "busy": "busy", "no": "unusable"}


@dataclass(frozen=True)
class Slurm:
    """What SLURM answered: boards and partitions, or why there are none."""

    state: State
    found: str
    cure: str = ""
    reading: Reading = field(default_factory=Reading)


def ask(probe: Probe) -> Slurm:
    """Ask ``sinfo`` in the form for machines, then, if it does not know that, for the tables for people."""
    first = probe.run(_FOR_MACHINES)
    if first.failed:
        return _silent(first)
    reading = read_lines(first.out) if first.good else Reading()
    if first.good and not reading.unread:
        return _judged(reading)
    for command in _FOR_PEOPLE:
        answer = probe.run(command)
        if answer.failed:
            return _silent(answer)
        table = read_table(answer.out) if answer.good else Reading()
        if answer.good and not table.unread and len(table.boards) >= len(reading.boards):
            return _judged(table)
        reading = max(reading, table, key=lambda one: len(one.boards))
    if not first.good and not reading.partitions:
        words = quoted(first.err or first.out) or "nothing"
        return Slurm("wrong", f"sinfo failed with exit code {first.code} and said: {words}", _ASK_ADMIN)
    return _judged(reading)


_ASK_ADMIN = "see whether `sinfo` answers in a shell; its controller may be down: then wait, or ask who runs it"


def _silent(answer: Answer) -> Slurm:
    if answer.failed == "absent":
        profile = facts()["inrc"]["profile"]
        cure = f"on an INRC machine `source {profile}` puts it on the PATH; anywhere else {_BUNDLE}"
        return Slurm("missing", "no sinfo on the PATH", cure)
    if answer.failed == "late":
        return Slurm("wrong", "sinfo did not answer in time and was ended", _ASK_ADMIN)
    if answer.failed == "endless":
        return Slurm("wrong", "sinfo printed without end and was ended", "see what `sinfo` is: `command -v sinfo`")
    return Slurm("wrong", f"sinfo cannot be started: {quoted(answer.reason)}", "mend it, or take it off the PATH")


def _judged(reading: Reading) -> Slurm:
    if not reading.partitions:
        if reading.unread:
            found = f"sinfo printed what cannot be read, as {quoted(reading.unread[0])!r}"
            return Slurm("wrong", found, "see what `sinfo` prints in a shell", reading)
        return Slurm("missing", "sinfo lists no boards", "ask who runs SLURM for access to a partition", reading)
    uses = {name: board_uses(reading, name) for name in dict.fromkeys(board.name for board in reading.boards)}
    counts = ", ".join(f"{sum(use == key for use in uses.values())} {word}" for key, word in _USES.items())
    found = f"sinfo lists {_count(len(uses), 'board')} in {_count(len(reading.partitions), 'partition')}: {counts}"
    if reading.unread:
        lines = _count(len(reading.unread), "line")
        found += f"; {lines} could not be read, as {quoted(reading.unread[0])!r}"
        return Slurm("wrong", found, "see what `sinfo` prints in a shell", reading)
    if all(use == "no" for use in uses.values()):
        return Slurm("missing", found, "wait, or ask who runs SLURM why", reading)
    return Slurm("ok", found, "", reading)


def board_uses(reading: Reading, name: str) -> Use:
    """The best use that a board is of in any of its partitions."""
    uses = [board.use for board in reading.named(name)]
    best: Use = "free" if "free" in uses else "busy" if "busy" in uses else "no"
    return best


def findings(slurm: Slurm) -> list[Finding]:
    """Lines of the report."""
    return [Finding("SLURM", slurm.state, slurm.found, slurm.cure)]


COLUMNS = ("partition", "boards", "state", "usable", "chips", "time limit", "names")


def rows(reading: Reading) -> list[tuple[str, ...]]:
    """A table's rows, one for all boards of a partition in one state."""

    def key(board: Board) -> tuple[int, str, str]:
        return reading.partitions.index(board.partition), board.state, board.limit

    made = []
    for _, group in groupby(sorted(reading.boards, key=key), key=key):
        boards = list(group)
        first = boards[0]
        kind = board_kind(first.partition, first.name)
        name = f"{first.partition} (default)" if first.default else first.partition
        usable = {"free": "now", "busy": "later", "no": "no"}[first.use]
        names = spelt([board.name for board in boards])
        row = (name, len(boards), first.state, usable, kind.chips if kind else "?", first.limit or "?", names)
        made.append(tuple(quoted(str(field)) for field in row))
    made += [tuple(quoted(field) for field in (name, "0", "", "no", "", "", "")) for name in reading.empty]
    return made


def spelt(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = len(names) - SPELT
    return ", ".join(names[:SPELT]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
