"""A pasted log as data: all that is known of it, or an error that says what was looked for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hardware.logs.compiler import Table, Violation, converged, tables, violations
from hardware.logs.lines import Line, read_lines
from hardware.logs.profiler import printed
from hardware.logs.series import SUFFIXES, printed_series, quantities, read_series
from hardware.measurement import Quantity
from train.errors import MaestroError

LOOKED_FOR = (
    "the compiler's table (| AxonIn |NeuronGr| ... | Cores |), its lines 'Violation core_id=...', "
    "'Total Power : ... W', 'Total Energy per inference : ... mJ', 'Throughput : ... fps.', "
    "or arrays named power or time_per_step"
)


@dataclass(frozen=True)
class Log:
    """What a file says."""

    file: str
    tables: tuple[Table, ...] = ()
    violations: tuple[Violation, ...] = ()
    converged: bool | None = None
    iterations: int | None = None
    running_on: str | None = None
    steps: int | None = None
    quantities: dict[str, Quantity] | None = None
    samples: dict[str, int] | None = None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "file": self.file,
            "tables": [table.as_dict() for table in self.tables],
            "violations": [asdict(violation) for violation in self.violations],
            "converged": self.converged,
            "iterations": self.iterations,
            "running_on": self.running_on,
            "steps": self.steps,
            "quantities": {name: quantity.as_dict() for name, quantity in (self.quantities or {}).items()},
            "samples": self.samples or {},
            "notes": list(self.notes),
        }


def read_log(path: Path) -> Log:
    """Read what the compiler, the profilers or a notebook printed, or series that were saved.

    Raises
    ------
    MaestroError
        Missing, damaged or cut off; or nothing in it is known: then the text says what was looked for.
    """
    where = str(path)
    if path.suffix in SUFFIXES:
        series = read_series(path)
        found = quantities(series, where)
        if not found:
            names = ", ".join(series)
            raise MaestroError(
                where, f"has series {names}", allowed="names with power, static, vdd or time_per_step in them"
            )
        return Log(where, quantities=found, samples={name: values.size for name, values in series.items()})
    return log_of(read_lines(path), where)


def log_of(lines: Sequence[Line], where: str) -> Log:
    """What lines of text say; ``where`` is what errors name.

    Raises
    ------
    MaestroError
        Something is cut off, or nothing in it is known.
    """
    notebook, series = printed(lines, where), printed_series(lines, where)
    ended, iterations = converged(lines)
    found = tables(lines, where)
    bare = [
        f"line {table.line}: a table without % signs, in per cent by its column Total or its decimals"
        for table in found
        if not table.signs
    ]
    log = Log(
        where,
        tuple(found),
        tuple(violations(lines, where)),
        ended,
        iterations,
        notebook.running_on,
        notebook.steps,
        {**quantities(series, where), **notebook.quantities},
        {name: values.size for name, values in series.items()},
        (*notebook.notes, *bare),
    )
    if not (log.tables or log.violations or log.quantities or ended is not None):
        raise MaestroError(where, "has nothing in it that is known", allowed=LOOKED_FOR)
    return log
