"""A network's place on the chip: every layer's rows, cores in all, chips and boards, and what binds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from export import netx
from hardware.boards import BoardKind, board_kinds, loihi2_board
from hardware.placement.advice import help_for
from hardware.placement.axons import axon_map, axon_memory
from hardware.placement.conv import place_conv, place_input
from hardware.placement.count import Count, total
from hardware.placement.demand import ConvDemand, Demand, DenseDemand
from hardware.placement.dense import place_dense
from hardware.placement.limits import (
    CHIP_CORES,
    COLUMNS,
    DENSE_CUT,
    LIMITS,
    Compiler,
    compiler_of,
)
from hardware.placement.part import Part
from hardware.placement.realise import realised
from train.errors import MaestroError


@dataclass(frozen=True)
class Row:
    """A layer: the compiler's columns for one of its cores, its cores, and what decides them.

    Parameters
    ----------
    binds
        The column whose limit cuts the layer; empty if it fits one core.
    fullest
        The column that is fullest on a core, and by how much of its limit.
    advice
        What would take fewer cores, worked out.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    weight_bits: int
    columns: dict[str, Count]
    cores: Count
    binds: str
    fullest: tuple[str, float]
    cut: str
    advice: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "shape": list(self.shape),
            "weight_bits": self.weight_bits,
            **{name: count.as_dict() for name, count in self.columns.items()},
            "Cores": self.cores.as_dict(),
            "binds": self.binds or None,
            "fullest": {"column": self.fullest[0], "share": round(self.fullest[1], 4)},
            "cut": self.cut,
            "advice": list(self.advice),
        }


@dataclass(frozen=True)
class Placement:
    """All layers' rows, and what they need together.

    Parameters
    ----------
    what_if
        What was counted that the file does not hold, in words; empty if the file was counted as it is.
    """

    rows: tuple[Row, ...]
    compiler: Compiler
    board: BoardKind
    what_if: str = ""

    @property
    def cores(self) -> Count:
        """Cores of all layers."""
        return total(row.cores for row in self.rows)

    @property
    def chips(self) -> int:
        """Chips that hold them; a layer may lie on two."""
        return -(-self.cores.most // CHIP_CORES)

    @property
    def boards(self) -> int:
        """Boards that hold the chips."""
        return -(-self.chips // self.board.chips)

    @property
    def fits(self) -> bool:
        """Whether one board is enough."""
        return self.boards <= 1

    @property
    def surely(self) -> bool:
        """Whether one board is enough by the upper bound too."""
        return self.cores.high <= self.board.chips * CHIP_CORES

    @property
    def largest(self) -> Row:
        """The layer with most cores."""
        return max(self.rows, key=lambda row: row.cores.most)

    @property
    def binds(self) -> str:
        """The limit that cuts the layer with most cores, or is fullest where none is cut."""
        cut = [row for row in self.rows if row.binds]
        if cut:
            return max(cut, key=lambda row: row.cores.most).binds
        return max(self.rows, key=lambda row: row.fullest[1]).fullest[0]

    def require_fit(self) -> None:
        """Refuse a network that is larger than the board.

        Raises
        ------
        MaestroError
            Names the largest layer, the cores it takes and all take, and the board's.
        """
        if self.fits:
            return
        row = self.largest
        raise MaestroError(
            f"layer {row.name}",
            f"takes {row.cores.most} of the network's {self.cores.most} cores, {self.chips} chips",
            allowed=f"up to {self.board.chips * CHIP_CORES} cores, {self.board.board}'s",
            cure=self._cure(row),
        )

    def _cure(self, row: Row) -> str:
        cure = f"give {row.name} {row.advice[0]}" if row.advice else "use fewer or smaller layers"
        if self.board.chips < max(kind.chips for kind in board_kinds() if kind.loihi == 2):
            cure += "; or take a larger board, --board kp"
        return cure

    def as_dict(self) -> dict[str, Any]:
        """Plain data: numbers with bounds, evidence and rule; sources are in ``report.sources``."""
        return {
            "compiler": self.compiler.name,
            "board": {"name": self.board.partition, "chips": self.board.chips, "cores_per_chip": CHIP_CORES},
            "what_if": self.what_if or None,
            "layers": [row.as_dict() for row in self.rows],
            "cores": self.cores.as_dict(),
            "chips": self.chips,
            "boards": self.boards,
            "fits": self.fits,
            "surely": self.surely,
            "binds": self.binds,
        }


def place_file(net: Path, realise: str | None = None, compiler: str = "newer", board: str = "oheogulch") -> Placement:
    """Place the network of a NetX file.

    Parameters
    ----------
    realise
        ``spiking`` or ``analog``: how analog dendrites are counted, which have no public chip model; None as analog.

    Raises
    ------
    MaestroError
        The file cannot be read, or a layer can never be cut small enough. A network that only needs more boards
        than one is placed: see ``Placement.require_fit``.
    CallError
        No such compiler or board.
    """
    chosen, on = compiler_of(compiler), loihi2_board(board)
    asked, what_if = realised(netx.read(net), realise)
    return replace(place_demands(asked, chosen, on), what_if=what_if)


def place_demands(asked: Sequence[Demand], compiler: Compiler, board: BoardKind) -> Placement:
    """Place layers, given in order from the input."""
    parts = [_place(demand, compiler) for demand in asked]
    rows = []
    for index, (demand, part) in enumerate(zip(asked, parts, strict=True)):
        following = asked[index + 1] if index + 1 < len(asked) else None
        after = parts[index + 1] if index + 1 < len(parts) else None
        rows.append(_row(demand, part, following, after, compiler))
    return Placement(tuple(rows), compiler, board)


def _place(demand: Demand, compiler: Compiler) -> Part:
    if isinstance(demand, DenseDemand):
        return place_dense(demand, compiler)
    return place_conv(demand, compiler) if isinstance(demand, ConvDemand) else place_input(demand, compiler)


def _row(demand: Demand, part: Part, following: Demand | None, after: Part | None, compiler: Compiler) -> Row:
    columns = {
        "AxonIn": part.axons_in,
        "NeuronGr": part.groups,
        "Neurons": part.neurons,
        "Synapses": part.synapses,
        "AxonMap": axon_map(demand, part, following, compiler),
        "AxonMem": axon_memory(demand, part, following, after, compiler),
    }
    assert tuple(columns) == COLUMNS
    # A group of neurons is 12.5 % of what a core holds, however small: it says nothing of how full the core is.
    shares = {name: count.most / LIMITS[name].value for name, count in columns.items() if name != "NeuronGr"}
    fullest = max(shares, key=lambda name: shares[name])
    return Row(
        demand.name,
        {DenseDemand: "dense", ConvDemand: "conv"}.get(type(demand), "input"),
        demand.shape,
        getattr(demand, "bits", 0),
        columns,
        part.cores,
        part.binds,
        (fullest, shares[fullest]),
        part.cut,
        help_for(demand, part, lambda changed: _place(changed, compiler).cores.most),
    )


def limit_title(binds: str) -> str:
    """A binding limit in words."""
    limit = DENSE_CUT if binds == "dense cut" else LIMITS[binds]
    return f"{limit.name} ({limit.value})"
