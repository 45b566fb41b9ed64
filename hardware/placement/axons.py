"""Axons out: entries that the compiler keeps on a core for where its neurons' spikes go."""

import math

from hardware.placement.count import Count, exact
from hardware.placement.demand import ConvDemand, Demand
from hardware.placement.limits import Compiler
from hardware.placement.part import Part

# AxonMem words for a place of the map that reaches more than one core of the next convolution. 2022: PilotNet's five
# rows that have any; newer: YOLO-KP's nine, for every place of the tile.
_MEMORY = {"mean": (2.4, 7.2), "fullest": (0.5, 8.0)}


def axon_map(demand: Demand, part: Part, following: Demand | None, compiler: Compiler) -> Count:
    """Entries of a core: one a neuron, or one a place (and power of two of channels) before a convolution."""
    cores = part.cores.most
    if isinstance(following, ConvDemand) and len(demand.shape) == 3:
        if compiler.prints == "mean":
            return exact(math.prod(demand.shape[1:]) * part.axons_in.most // cores, "axons out")
        assert part.tile is not None
        return exact(math.prod(part.tile[1:]), "axons out")
    if compiler.prints == "mean":
        return exact(math.prod(demand.shape) // cores, "axons out")
    return exact(part.on_core, "axons out")


def axon_memory(demand: Demand, part: Part, following: Demand | None, after: Part | None, compiler: Compiler) -> Count:
    """Words of a core for spikes that go to more than one core of the next layer."""
    if not isinstance(following, ConvDemand) or after is None or part.tile is None:
        return exact(0, "axon memory none")
    least, most = _MEMORY[compiler.prints]
    if after.cores.high == 1:
        return Count(0, 0, 0, "estimate", "axon memory")
    if compiler.prints == "fullest" or after.tile is None or after.tile[1:2] != following.shape[1:2]:
        places = math.prod(part.tile[1:])
        low = 0 if after.cores.low == 1 else math.floor(least * places)
        return Count(None, low, math.ceil(_MEMORY["fullest"][1] * places), "estimate", "axon memory")
    shared = _shared_columns(demand.shape[2], following, after.tile[2]) * demand.shape[1] * part.axons_in.most
    cores = part.cores.most
    low, high = math.floor(least * shared / cores), math.ceil(most * shared / cores)
    return Count(None if high else 0, low, high, "estimate", "axon memory")


def _shared_columns(width: int, following: ConvDemand, strip: int) -> int:
    """Columns of a map of ``width`` that more than one strip of the next layer looks at."""
    seen = [0] * width
    for first in range(0, following.shape[2], strip):
        last = min(first + strip, following.shape[2]) - 1
        start = first * following.stride_width - following.padding_width
        stop = last * following.stride_width - following.padding_width + following.kernel_reach
        for column in range(max(0, start), min(width, stop)):
            seen[column] += 1
    return sum(count > 1 for count in seen)
