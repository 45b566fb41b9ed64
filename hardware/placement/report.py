"""A placement for people: the compiler's columns, what binds, what would help, and where the numbers come from."""

from typing import Any

import click

from hardware.placement.limits import CHIP_CORES, COLUMNS, DENSE_CUT, LIMITS, MARKS, MEANING, Limit
from hardware.placement.plan import Placement, Row, limit_title
from hardware.placement.rules import RULES
from train.console import emit_table


def emit(placement: Placement, net: str) -> None:
    """Print a placement, on stdout."""
    if placement.what_if:
        click.echo(f"What if: {placement.what_if}")
    headings = ["SynMem" if name == "Synapses" else name for name in COLUMNS]
    rows = [
        [row.name, *(str(row.columns[name]) for name in COLUMNS), str(row.cores), _binds(row)] for row in placement.rows
    ]
    rows.append(["in all", *[""] * len(COLUMNS), str(placement.cores), ""])
    title = f"{net}: on one core of each layer, compiler {placement.compiler.name}"
    emit_table(title, ["layer", *headings, "Cores", "binds"], rows)
    click.echo(verdict(placement))
    for row in placement.rows:
        if row.advice:
            click.echo(f"{row.name} would take less with {'; with '.join(row.advice)}")
    marks = ", ".join(f"{MARKS[word]} = {word} ({MEANING[word]})" for word in ("inferred", "estimate"))
    click.echo(f"Marks: {marks}; a..b are bounds. Sources: --json, and hardware/placement/README.md")


def _binds(row: Row) -> str:
    """The limit that cuts a layer."""
    if row.binds == "dense cut":
        return f"{DENSE_CUT.value} neurons"
    return LIMITS[row.binds].name if row.binds else "none"


def verdict(placement: Placement) -> str:
    """Cores, chips, boards and the binding limit in a line."""
    cores, board = placement.cores, placement.board
    bounds = f" ({cores.low} to {cores.high})" if cores.low < cores.high else ""
    line = f"{_count(cores.most, 'core')}{bounds} of {CHIP_CORES} a chip: {_count(placement.chips, 'chip')}, "
    line += f"{_count(placement.boards, board.board)}; "
    cut = any(row.binds for row in placement.rows)
    line += f"binding: {limit_title(placement.binds)}"
    if cut:
        line += f" of {_binding_row(placement).name}"
    else:
        row = max(placement.rows, key=lambda each: each.fullest[1])
        line += f", fullest in {row.name} ({row.fullest[1]:.0%}); no layer is cut"
    if placement.fits and not placement.surely:
        line += f". By the upper bound it would not fit {board.board}"
    return line


def _binding_row(placement: Placement) -> Row:
    return max((row for row in placement.rows if row.binds), key=lambda row: row.cores.most)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def sources(placement: Placement) -> dict[str, Any]:
    """Limits and rules that a placement rests on, each with evidence and source."""
    rules = {count.rule for row in placement.rows for count in (*row.columns.values(), row.cores)}
    limits = {**LIMITS, "dense cut": DENSE_CUT}
    return {
        "limits": {name: _limit(limit) for name, limit in limits.items()},
        "rules": {name: RULES[name] for name in RULES if name in rules or name == "total"},
        "evidence": MEANING,
        "compiler_source": placement.compiler.source,
    }


def _limit(limit: Limit) -> dict[str, Any]:
    return {"name": limit.name, "value": limit.value, "evidence": limit.evidence, "source": limit.source}
