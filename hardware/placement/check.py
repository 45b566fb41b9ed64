"""The rules held against the compiler's published tables, row by row."""

from dataclasses import dataclass
from typing import Any

from hardware.boards import loihi2_board
from hardware.placement.count import Count
from hardware.placement.limits import COLUMNS, COMPILERS
from hardware.placement.plan import Placement, place_demands
from hardware.placement.published import TABLES, Published
from train.console import emit_table


@dataclass(frozen=True)
class Compared:
    """A published row beside the one foretold."""

    layer: str
    printed: dict[str, int]
    foretold: dict[str, Count]

    def error(self, column: str) -> float:
        """What is foretold too much, as a share of what was printed; 0 where both are nothing."""
        printed, found = self.printed[column], self.foretold[column].most
        if printed:
            return found / printed - 1
        return 0.0 if found == 0 else float("inf")

    def holds(self, column: str) -> bool:
        """Whether what was printed lies within the bounds."""
        count = self.foretold[column]
        return count.low <= self.printed[column] <= count.high

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "layer": self.layer,
            "columns": {
                name: {"printed": self.printed[name], "foretold": count.as_dict(), "within": self.holds(name)}
                for name, count in self.foretold.items()
            },
        }


def placed(table: Published) -> Placement:
    """The rules' placement of a published network."""
    return place_demands(table.demands, COMPILERS[table.compiler], loihi2_board("kp"))


def compare(table: Published) -> list[Compared]:
    """A published table beside the one foretold."""
    return against(placed(table), [dict(zip((*COLUMNS, "Cores"), row, strict=True)) for row in table.rows])


def against(placement: Placement, printed: list[dict[str, int]]) -> list[Compared]:
    """A placement beside rows that a compiler printed, both in order from the input."""
    return [
        Compared(row.name, values, {name: {**row.columns, "Cores": row.cores}[name] for name in values})
        for row, values in zip(placement.rows, printed, strict=True)
    ]


def check_json() -> list[dict[str, Any]]:
    """All published tables beside those foretold, as plain data."""
    return [
        {
            "name": table.name,
            "compiler": table.compiler,
            "source": table.source,
            "synapses_foretold": table.synapses,
            "cores": {"printed": sum(row[-1] for row in table.rows), "foretold": placed(table).cores.as_dict()},
            "rows": [row.as_dict() for row in compare(table)],
        }
        for table in TABLES
    ]


def summary() -> list[str]:
    """A Markdown table of how near the rules come to each published table; in this folder's README."""
    lines = ["| network | compiler | cores printed | foretold | largest error of SynMem | AxonMem within bounds |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for table in TABLES:
        rows, cores = compare(table), placed(table).cores
        printed = sum(row[-1] for row in table.rows)
        error = f"{max(abs(row.error('Synapses')) for row in rows):.1%}" if table.synapses else "not foretold"
        held = sum(row.holds("AxonMem") for row in rows)
        bounds = f"{cores.value} ({cores.low} to {cores.high})"
        cells = (table.name, table.compiler, str(printed), bounds, error, f"{held} of {len(rows)} rows")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def emit_check() -> None:
    """Print every published row beside the one foretold, and the errors."""
    for table in TABLES:
        cores = placed(table).cores
        printed = sum(row[-1] for row in table.rows)
        title = f"{table.name}, compiler {table.compiler}: {printed} cores printed, {cores.value} foretold"
        title += f" ({cores.low}..{cores.high}). {table.source}"
        emit_rows(title, compare(table), table.synapses)


def emit_rows(title: str, rows: list[Compared], synapses: bool = True) -> None:
    """Print rows: what was printed, what is foretold, and the error of what differs."""
    columns = [name for name in rows[0].printed if name != "NeuronGr"]
    cells = [[row.layer, *(_cell(row, name, synapses) for name in columns)] for row in rows]
    emit_table(title, ["layer", *columns], cells)


def _cell(row: Compared, column: str, synapses: bool) -> str:
    """``printed`` alone where the rule says the same, else both and the error."""
    printed, count = row.printed[column], row.foretold[column]
    if column == "Synapses" and not synapses:
        return f"({printed})"
    if count.value == printed:
        return str(printed)
    if count.value is None:
        return f"{printed} in {count}" if row.holds(column) else f"{printed} not in {count}"
    error = row.error(column)
    return f"{printed}, {count.value} {error:+.1%}" if printed else f"{printed}, {count.value}"
