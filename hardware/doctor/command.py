"""``python -m hardware doctor``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from hardware.boards import board_kind
from hardware.doctor import environment, gpu, machine, packages
from hardware.doctor.environment import Choice
from hardware.doctor.finding import Finding, sound
from hardware.doctor.probe import Probe
from hardware.doctor.slurm import COLUMNS, Slurm, ask, rows
from hardware.doctor.slurm import findings as slurm_findings
from train.console import emit_json, emit_table, say

_WORKS = ("training", "export", "the engine", "Lava's simulator")


@dataclass(frozen=True)
class Report:
    """All findings, the boards, and what they sum up to."""

    findings: tuple[Finding, ...]
    slurm: Slurm
    summary: tuple[str, ...]

    def as_dict(self, choice: Choice | None) -> dict[str, Any]:
        boards = []
        for board in self.slurm.reading.boards:
            kind = board_kind(board.partition, board.name)
            more = {"board": kind.board, "chips": kind.chips, "source": kind.source} if kind else {"chips": None}
            boards.append({**board.as_dict(), **more})
        return {
            "sound": sound(self.findings),
            "findings": [finding.as_dict() for finding in self.findings],
            "boards": boards,
            "partitions": list(self.slurm.reading.partitions),
            "summary": list(self.summary),
            "environment": {"set": dict(choice.set), "unset": list(choice.unset)} if choice else None,
            "remarks": list(choice.remarks) if choice else [],
        }


def examine(probe: Probe) -> Report:
    """Look at everything."""
    slurm = ask(probe)
    chip = [*slurm_findings(slurm), *environment.check(probe, slurm)]
    found = [*packages.check(probe), *chip, *gpu.check(probe), *machine.check(probe)]
    return Report(tuple(found), slurm, tuple(_summary(found, probe, slurm)))


def doctor(board: str | None, as_json: bool, probe: Probe | None = None) -> int:
    """Print what is here and what is not; with ``board`` only the variables that send a run there.

    Parameters
    ----------
    board
        A board, a partition, or ``host:ADDRESS``; None to look at everything.
    as_json
        The same as JSON.
    probe
        What to ask instead of this machine.

    Returns
    -------
    int
        0 if the way through the simulator is sound, chip or not; 1 if something is wrong.

    Raises
    ------
    MaestroError
        The board is not there, or cannot be used.
    """
    probe = probe or Probe()
    if board is not None and not as_json:
        return _exports(board, probe)
    say("looking; trying whether the packages can be imported takes some seconds")
    report = examine(probe)
    choice = environment.choose(board, probe, report.slurm) if board is not None else None
    if as_json:
        emit_json(report.as_dict(choice))
    else:
        for finding in report.findings:
            click.echo(str(finding))
        if report.slurm.reading.partitions:
            emit_table("boards and partitions", COLUMNS, rows(report.slurm.reading))
        for line in report.summary:
            click.echo(line)
    return 0 if sound(report.findings) else 1


def _exports(board: str, probe: Probe) -> int:
    """Lines for ``eval`` on stdout; all else on stderr, so that nothing else is evaluated."""
    slurm = Slurm("missing", "not asked") if board.startswith("host:") else ask(probe)
    choice = environment.choose(board, probe, slurm)
    for remark in choice.remarks:
        say(remark)
    if not probe.closed().complete:
        say("lava-loihi cannot be imported in this Python: these variables alone run nothing on a chip")
    click.echo(choice.shell())
    return 0


def _summary(findings: Sequence[Finding], probe: Probe, slurm: Slurm) -> list[str]:
    bad = [finding.topic for finding in findings if finding.needed and finding.state != "ok"]
    if bad:
        lines = [f"works here: not before this is mended: {', '.join(bad)}"]
    else:
        lines = [f"works here: {', '.join(_WORKS[:-1])} and {_WORKS[-1]}"]
    wanting = []
    if not probe.closed().complete:
        wanting.append("lava-loihi")
    usable = any(board.use != "no" for board in slurm.reading.boards)
    if not usable and "NXSDKHOST" not in probe.environment:
        wanting.append("a board, by SLURM or by a host of its own")
    if wanting:
        lines.append(f"the chip: not from here, for want of {' and of '.join(wanting)}")
        lines.append(
            "the way by bundle: `python -m hardware bundle RUN` packs one zip for a machine with lava-loihi; what "
            "comes back is read by `python -m hardware bundle RUN --read result.json`"
        )
    else:
        lines.append("the chip: `python -m hardware deploy RUN`, after choosing a board with --board NAME")
    return lines
