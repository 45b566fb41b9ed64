"""``python -m hardware log``: pasted logs as data, and beside what placement foretells."""

import math
from pathlib import Path
from typing import Any

import click

from export.lint import net_file
from hardware.logs.compiler import CORES, Table
from hardware.logs.log import Log, read_log
from hardware.placement.check import Compared, against, emit_rows
from hardware.placement.limits import COLUMNS, LIMITS
from hardware.placement.plan import Placement, place_file
from train.console import emit_json, emit_table
from train.errors import MaestroError


def log(file: Path, as_json: bool, net: Path | None = None) -> int:
    """Print what FILE says; with ``net``, its table beside the placement of that network.

    Returns
    -------
    int
        0.

    Raises
    ------
    MaestroError
        The file cannot be read or says nothing known; or table and network do not belong together.
    """
    found = read_log(file)
    rows = None if net is None else compare(found, net_file(net))
    if as_json:
        content: dict[str, Any] = found.as_dict()
        if rows is not None:
            content["compared"] = {"net": str(net), "rows": [row.as_dict() for row in rows]}
        emit_json(content)
        return 0
    emit(found)
    if rows is not None:
        emit_rows(f"{file} beside the placement of {net}: printed, foretold where it differs", rows)
    return 0


def compare(found: Log, net: Path) -> list[Compared]:
    """The last table of a log beside the placement of a network, in order from the input.

    Raises
    ------
    MaestroError
        The log has no table, or one of another number of layers.
    """
    if not found.tables:
        raise MaestroError(found.file, "has no table of the compiler's to hold against a network")
    table = found.tables[-1]
    placement = place_file(net, compiler=table.compiler)
    if len(placement.rows) != len(table.rows):
        names = ", ".join(row.name for row in placement.rows)
        text = f"has a table of {len(table.rows)} layers, and {net} has {len(placement.rows)}: {names}"
        raise MaestroError(found.file, text, cure="give the network that was compiled")
    return against(placement, _counts(table, placement))


def _counts(table: Table, placement: Placement) -> list[dict[str, int]]:
    """Rows of a table as counts, from the input on. Per cent are rounded: of the counts that round so the foretold."""
    counts = []
    for printed, row in zip(reversed(table.rows), placement.rows, strict=True):
        values = {name: round(printed.values[name]) for name in COLUMNS}
        if table.unit == "percent":
            for name in COLUMNS:
                share, limit = printed.values[name], LIMITS[name].value
                low, high = (math.ceil((share - 0.005) * limit / 100), math.floor((share + 0.005) * limit / 100))
                foretold = row.columns[name].most
                values[name] = foretold if low <= foretold <= high else round(share * limit / 100)
        counts.append({**values, CORES: printed.cores})
    return counts


def emit(found: Log) -> None:
    """Print what a log says, for people."""
    for table in found.tables:
        _emit_table(table)
    if found.converged is not None:
        after = f" after {found.iterations} iterations" if found.iterations else ""
        click.echo(f"partitioning {'converged' + after if found.converged else 'did not converge'}")
    tried: dict[tuple[str, int, int, int], int] = {}
    for each in found.violations:
        key = (each.register, each.core, each.allocation, each.limit)
        tried[key] = tried.get(key, 0) + 1
    for (register, core, allocation, limit), times in tried.items():
        often = "once" if times == 1 else f"{times} times"
        ratio = f"{allocation / limit:.2f} times the limit"
        click.echo(f"violation: core {core}, {register} {allocation} of {limit}, {ratio}, printed {often}")
    if found.running_on:
        click.echo(f"ran on {found.running_on}")
    if found.steps:
        click.echo(f"{found.steps} steps")
    for name, quantity in (found.quantities or {}).items():
        click.echo(f"{name}: {quantity}, {quantity.method}")
    for note in found.notes:
        click.echo(f"note: {note}")


def _emit_table(table: Table) -> None:
    sign = "%" if table.unit == "percent" else ""
    columns = list(table.rows[0].values)
    rows = [
        [row.note or "-", *(f"{row.values[name]:g}{sign}" for name in columns), str(row.cores)] for row in table.rows
    ]
    title = f"line {table.line}: {table.total} cores, compiler {table.compiler}, the last layer first"
    emit_table(title, ["tile", *columns, CORES], rows)
