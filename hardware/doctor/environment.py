"""The variables that send a run to a chip: whether those set agree, and those to set for a board.

Which variables Lava and the closed package read, and their values: lava/utils/loihi.py, lava/utils/slurm.py and
lava/utils/system.py of lava-nc 0.10.0.
"""

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hardware.boards import board_kind, generation
from hardware.doctor.finding import Finding, quoted
from hardware.doctor.known import facts
from hardware.doctor.probe import Probe
from hardware.doctor.sinfo import Board, Reading
from hardware.doctor.slurm import Slurm, spelt
from train.errors import CallError, MaestroError

VARIABLES = ("SLURM", "NOSLURM", "LOIHI_GEN", "PARTITION", "BOARD", "NXSDKHOST", "HOST_BINARY")
_CHOOSE = '`eval "$(python -m hardware doctor --board NAME)"` sets all of them'
# Compiling, booting and two passes should end in this; an estimate, no silicon has run it.
_RUN_S = 600
_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Choice:
    """What to set and what to take away, and what to know about it."""

    set: Mapping[str, str]
    unset: tuple[str, ...]
    remarks: tuple[str, ...] = field(default=())

    def shell(self) -> str:
        """Lines for ``eval``."""
        lines = [f"unset {' '.join(self.unset)}"]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in self.set.items()]
        return "\n".join(lines)


def check(probe: Probe, slurm: Slurm) -> list[Finding]:
    """Whether the variables that are set agree with each other and with what SLURM lists."""
    values = {name: probe.environment[name] for name in VARIABLES if name in probe.environment}
    if not values:
        return [Finding("environment", "missing", "no variable names a board", f"for the chip: {_CHOOSE}")]
    faults = [Finding("environment", "wrong", found, cure) for found, cure in _faults(values, slurm)]
    listed = ", ".join(f"{name}={quoted(value)}" for name, value in values.items())
    if faults:
        return faults
    if not {"SLURM", "NXSDKHOST"} & set(values):
        found = f"{listed}, but neither SLURM nor a host is set"
        return [Finding("environment", "missing", found, f"set SLURM=1, or {_CHOOSE}")]
    return [Finding("environment", "ok", listed)]


def _faults(values: Mapping[str, str], slurm: Slurm) -> Iterator[tuple[str, str]]:
    if "SLURM" in values and "NOSLURM" in values:
        yield "SLURM and NOSLURM are both set", f"unset one of them, or {_CHOOSE}"
    for name in ("SLURM", "NOSLURM"):
        if values.get(name, "1") != "1":
            found = f"{name}={quoted(values[name])}: Lava asks only whether it is set, not to what"
            yield found, f"set it to 1 or unset it; {_CHOOSE}"
    allowed = facts()["loihi_gen"]["allowed"]
    if values.get("LOIHI_GEN", allowed[0]) not in allowed:
        found = f"LOIHI_GEN={quoted(values['LOIHI_GEN'])} is no generation of the chip"
        yield found, f"set one of {', '.join(allowed)}; {_CHOOSE}"
    if "SLURM" in values and "NXSDKHOST" in values:
        yield "SLURM and NXSDKHOST are both set: two ways to a board", f"unset one of them, or {_CHOOSE}"
    if "NOSLURM" in values and "NXSDKHOST" not in values:
        yield "NOSLURM is set and NXSDKHOST names no host", f"set NXSDKHOST to the host's address, or {_CHOOSE}"
    if "HOST_BINARY" in values and "NXSDKHOST" not in values:
        yield "HOST_BINARY is set and NXSDKHOST names no host", f"set NXSDKHOST to the host's address, or {_CHOOSE}"
    if "SLURM" in values and not slurm.reading.partitions:
        yield f"SLURM is set, but {slurm.found}", "unset SLURM, or mend what the line above says"
    if slurm.reading.partitions:
        yield from _places(values, slurm.reading)


def _places(values: Mapping[str, str], reading: Reading) -> Iterator[tuple[str, str]]:
    board, partition = values.get("BOARD", ""), values.get("PARTITION", "")
    if partition and partition not in reading.partitions:
        yield f"PARTITION={quoted(partition)}, which sinfo does not list", f"choose of {spelt(reading.partitions)}"
    elif partition and all(entry.use == "no" for entry in reading.of(partition)):
        yield f"PARTITION={quoted(partition)} has no usable board", f"choose another: {_CHOOSE}"
    if not board:
        return
    entries = reading.named(board)
    if not entries:
        yield f"BOARD={quoted(board)}, which sinfo does not list", f"choose another: {_CHOOSE}"
    elif all(entry.use == "no" for entry in entries):
        yield f"BOARD={quoted(board)} {entries[0].why} ({entries[0].state})", f"choose another: {_CHOOSE}"
    elif partition and partition not in {entry.partition for entry in entries}:
        theirs = spelt([entry.partition for entry in entries])
        yield f"BOARD={quoted(board)} is not in PARTITION={quoted(partition)}", f"it is in {theirs}; {_CHOOSE}"


def choose(name: str, probe: Probe, slurm: Slurm) -> Choice:
    """The environment for a board, a partition, or a board's own host (``host:ADDRESS``).

    Raises
    ------
    CallError
        No address behind ``host:``.
    MaestroError
        No such board or partition, none of it usable, or the host does not answer.
    """
    if name.startswith("host:"):
        return _host(name.removeprefix("host:"), probe)
    where, reading = f"--board {quoted(name)}", slurm.reading
    if not reading.partitions:
        cure = f"{slurm.cure}. A board with a host of its own is `--board host:ADDRESS`"
        raise MaestroError(where, f"cannot be looked up: {slurm.found}", cure=cure)
    entries = reading.named(name) or reading.of(name)
    if not entries and name not in reading.empty:
        raise MaestroError(where, "no board or partition of that name", allowed=_offers(name, reading))
    usable = [entry for entry in entries if entry.use != "no"]
    if not usable:
        why = f"the board {entries[0].why} ({entries[0].state})" if reading.named(name) else "it has no usable board"
        raise MaestroError(where, why, allowed=_offers("", reading), cure="wait for it, or choose another")
    if reading.named(name):
        return _board(usable, probe)
    return _partition(usable, probe)


def _offers(name: str, reading: Reading) -> str:
    """What could have been meant, or simply what there is: usable boards and partitions."""
    usable = list(dict.fromkeys(entry.name for entry in reading.boards if entry.use != "no"))
    partitions = [name for name in reading.partitions if any(entry.use != "no" for entry in reading.of(name))]
    near = difflib.get_close_matches(name, [*usable, *partitions], n=3)
    meant = f"perhaps {' or '.join(near)}; " if near else ""
    if not usable:
        return "a usable board, and there is none"
    return quoted(f"{meant}partitions {spelt(partitions)}; boards {spelt(usable)}")


def _board(entries: list[Board], probe: Probe) -> Choice:
    """A board that is usable in each of the partitions ``entries``."""
    remarks = []
    mine = [entry for entry in entries if entry.partition == probe.environment.get("PARTITION")]
    chosen = mine[0] if mine else min(entries, key=_preference)
    others = [f"{entry.partition} ({entry.limit or 'no limit given'})" for entry in entries if entry is not chosen]
    if others:
        remarks.append(f"it is in {chosen.partition} ({chosen.limit or 'no limit given'}) and {', '.join(others)}")
    gen, remark = _generation(chosen, probe)
    remarks.append(remark)
    if chosen.use == "busy":
        remarks.append(f"the board is {chosen.state}: a run waits until it is free")
    values = {"SLURM": "1", "LOIHI_GEN": gen, "PARTITION": chosen.partition, "BOARD": chosen.name}
    return _choice(values, ("NOSLURM", "NXSDKHOST", "HOST_BINARY"), [*remarks, *_kind(chosen)])


def _partition(entries: list[Board], probe: Probe) -> Choice:
    """Any board of a partition, of those usable."""
    remarks = []
    told = {entry.name: generation(entry.name) for entry in entries}
    known = {found.generation for found in told.values() if found}
    if len(known) == 1 and all(told.values()):
        gen = known.pop()
        remarks.append(f"LOIHI_GEN={gen}: all its boards are known to be of it")
    else:
        gen, remark = _generation(Board("", entries[0].partition, ""), probe)
        remarks.append(remark)
        strange = [f"{name} ({found.generation})" for name, found in told.items() if found and found.generation != gen]
        if strange:
            remarks.append(f"not of this generation: {', '.join(strange)}. Name a board to be sure")
    if all(entry.use == "busy" for entry in entries):
        remarks.append("no board of it is free: a run waits")
    values = {"SLURM": "1", "LOIHI_GEN": gen, "PARTITION": entries[0].partition}
    return _choice(values, ("NOSLURM", "BOARD", "NXSDKHOST", "HOST_BINARY"), [*remarks, *_kind(entries[0])])


def _host(address: str, probe: Probe) -> Choice:
    where = f"--board host:{quoted(address)}"
    if not _ADDRESS.fullmatch(address):
        raise CallError(where, "names no host", allowed="host:ADDRESS, as host:192.168.0.5")
    remarks = []
    answer = probe.run(("ping", "-c", "1", "-W", "2", address), patience_s=5)
    if answer.failed in ("absent", "unstartable"):
        remarks.append("whether it answers was not tried: no ping here")
    elif not answer.good:
        cure = "see that it is switched on and in your network; Lava's use_ethernet_host asks it in the same way"
        raise MaestroError(where, "does not answer a ping", cure=cure)
    binary = probe.environment.get("HOST_BINARY") or facts()["ethernet"]["host_binary"]
    remarks.append(f"HOST_BINARY={quoted(binary)}: export another where the host has its driver elsewhere")
    gen, remark = _generation(Board("", "", ""), probe)
    values = {"NOSLURM": "1", "LOIHI_GEN": gen, "NXSDKHOST": address, "HOST_BINARY": binary}
    return _choice(values, ("SLURM", "PARTITION", "BOARD"), [*remarks, remark])


def _choice(values: Mapping[str, str], unset: tuple[str, ...], remarks: list[str]) -> Choice:
    return Choice(values, unset, tuple(remarks))


def _generation(board: Board, probe: Probe) -> tuple[str, str]:
    """LOIHI_GEN for a board, and where it comes from: published, the user's own, or the usual one."""
    told, known = probe.environment.get("LOIHI_GEN", ""), generation(board.name)
    allowed = facts()["loihi_gen"]["allowed"]
    if known:
        instead = f" (it was {quoted(told)})" if told and told != known.generation else ""
        return known.generation, f"LOIHI_GEN={known.generation}{instead}: {known.source}"
    if told in allowed:
        return told, f"LOIHI_GEN={told}: as it was set already"
    usual: str = facts()["loihi_gen"]["usual"]
    return usual, f"LOIHI_GEN={usual}: that of most boards at INRC; N3C1 is the other one seen there"


def _kind(board: Board) -> list[str]:
    kind = board_kind(board.partition, board.name)
    if kind is None:
        return ["its kind of board is not known here"]
    chips = "1 chip" if kind.chips == 1 else f"{kind.chips} chips"
    if kind.loihi == 1:
        return [f"{kind.board}, {chips} of the first Loihi: what this project exports is for Loihi 2"]
    return [f"{kind.board}, {chips}: {kind.source}"]


def _preference(board: Board) -> tuple[bool, float, bool]:
    """Sort partitions: the shortest limit that a run fits into, else the longest; the default one of equals."""
    seconds = limit_s(board.limit)
    fits = seconds >= _RUN_S
    return not fits, seconds if fits else -seconds, not board.default


def limit_s(text: str) -> float:
    """Seconds of a time limit as sinfo prints it (days-hours:minutes:seconds); infinite where it has none."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if match is None:
        return float("inf")
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
