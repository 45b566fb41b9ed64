"""How a network is spread over cores: to how many of them a spike is sent, read off a placement."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hardware.placement.conv import MEMORY, NEURONS, kernel_bounds, place_conv
from hardware.placement.demand import ConvDemand, Demand
from hardware.placement.limits import Compiler
from hardware.placement.plan import Placement, Row


@dataclass(frozen=True)
class Spread:
    """A network on its cores.

    Parameters
    ----------
    copies
        By layer: cores that a spike which reaches it is sent to, at most.
    cores
        Of all layers, by the upper bound of the placement.
    chips
        That the placement reckons with.
    """

    copies: Mapping[str, float]
    cores: int
    chips: int


def spread_of(placement: Placement, demands: Sequence[Demand]) -> Spread:
    """The spread of a placement that was made of ``demands``.

    A dense layer's inputs are needed on each of its cores. A spike into a convolution has targets in all pieces of a
    cut along the channels, and along height and width in as many as a kernel can touch.
    """
    copies = {
        row.name: float(
            min(row.cores.high, _touched(demand, row, placement.compiler))
            if isinstance(demand, ConvDemand)
            else row.cores.high
        )
        for row, demand in zip(placement.rows, demands, strict=True)
    }
    return Spread(copies, placement.cores.high, placement.chips)


def _touched(demand: ConvDemand, row: Row, compiler: Compiler) -> int:
    """Pieces that a spike's targets lie on, at most; in any cut that the bounds allow, if there may be more cores."""
    channels, height, width = demand.shape
    tile = place_conv(demand, compiler).tile if row.cores.high == row.cores.most else None
    tile_channels, tile_height, tile_width = tile or (channels, 1, 1)
    pieces = max(-(-channels // tile_channels), _channel_pieces(demand, compiler))
    # Dilation spreads the targets of a kernel, and a stride leaves some of them out.
    dilated = demand.kernel_reach != demand.kernel[1]
    targets = demand.kernel[1] if dilated else -(-demand.kernel[1] // demand.stride_width)
    along_width = min(-(-width // tile_width), targets, 1 + math.ceil((demand.kernel_reach - 1) / tile_width))
    # Stride and dilation along the height are not among a demand's sizes.
    return pieces * min(-(-height // tile_height), demand.kernel[0]) * along_width


def _channel_pieces(demand: ConvDemand, compiler: Compiler) -> int:
    """Pieces that the channels are cut into where a kernel's memory is at its upper bound."""
    channels = tile = demand.shape[0]
    while tile > 1 and (tile > NEURONS or kernel_bounds(demand, tile, compiler)[1] > MEMORY):
        tile = -(-tile // 2)
    return -(-channels // tile)
