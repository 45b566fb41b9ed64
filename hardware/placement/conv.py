"""How the compiler places convolutions: one kernel a core, and the cut into strips (2022) or tiles (newer)."""

import math
from dataclasses import dataclass

from hardware.placement.count import Count, exact
from hardware.placement.demand import ConvDemand, InputDemand
from hardware.placement.limits import HEAD_BITS, LIMITS, WORD_BITS, Compiler
from hardware.placement.part import Part
from train.errors import MaestroError

MEMORY = LIMITS["Synapses"].value
NEURONS = LIMITS["Neurons"].value
# Bits beside its weight that a synapse has at most in YOLO-KP's table: its head's 48 channels take 12 bits each.
_MORE_BITS = 4

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class _Cut:
    """A full tile (channel, height, width) and the number of tiles."""

    tile: Shape
    cores: int
    binds: str


def powers(channels: int) -> list[int]:
    """The powers of two that add up to ``channels``, largest first: the compiler keeps a list of weights for each."""
    return [1 << bit for bit in reversed(range(channels.bit_length())) if channels >> bit & 1]


def kernel_words(demand: ConvDemand, channels: int) -> int:
    """Memory words of the kernel that a core with ``channels`` of the output channels keeps."""
    if demand.words_per_channel is not None:
        return math.ceil(demand.elements * demand.words_per_channel * channels)
    return demand.elements * sum(_words(part * demand.bits) for part in powers(channels))


def _words(bits: int) -> int:
    return -(-(bits + HEAD_BITS) // WORD_BITS)


def kernel_bounds(demand: ConvDemand, channels: int, compiler: Compiler) -> tuple[int, int]:
    """Least and most that the kernel's words can be, as far as public tables tell."""
    words = kernel_words(demand, channels)
    if demand.words_per_channel is not None:
        return words, words
    low = high = words
    if compiler.tiles:
        low = min(words, math.ceil(demand.elements * channels * demand.bits / WORD_BITS))
        high = max(words, demand.elements * _words(channels * (demand.bits + _MORE_BITS)))
    if demand.groups > 1:
        low = min(low, demand.elements * _words(-(-channels // demand.groups) * demand.bits))
        reach = demand.kernel[0] * demand.kernel[1] * -(-channels // demand.groups)
        high = max(high, demand.input_size * _words(reach * (demand.bits + compiler.extra_bits)))
    return low, high


def place_conv(demand: ConvDemand, compiler: Compiler) -> Part:
    """Cut a convolution.

    Raises
    ------
    MaestroError
        The kernel of one output channel is too much for a core: names layer, what it takes, and the limit.
    """
    if (single := kernel_bounds(demand, 1, compiler)[0]) > MEMORY:
        found = f"takes {single} words of SynMem for the kernel of a single channel over {demand.inputs} channels"
        cure = "use a smaller kernel, or fewer channels before it"
        raise MaestroError(f"layer {demand.name}", found, allowed=f"up to {MEMORY} a core", cure=cure)
    tiles = _tiles(demand, compiler)
    strips = None if compiler.tiles else _strips(demand.shape)
    # Strips are known only of layers whose kernel fits and whose columns do.
    if strips is None or kernel_words(demand, demand.shape[0]) > MEMORY:
        cut, rule = tiles, "conv tiles"
    else:
        cut, rule = strips, "conv strips"
    words, (low, high) = kernel_words(demand, cut.tile[0]), kernel_bounds(demand, cut.tile[0], compiler)
    if demand.groups > 1:
        synapses = Count(words, low, high, "estimate", "conv grouped")
    else:
        synapse_rule = "conv synapses newer" if compiler.tiles else "conv synapses"
        synapses = Count(words, low, high, "inferred" if low == high else "estimate", synapse_rule)
    parts = len(powers(cut.tile[0]))
    return Part(
        _bounded(demand, cut, tiles, _strips(demand.shape), compiler, rule),
        exact(math.prod(cut.tile), "neurons"),
        synapses,
        exact(parts, "axons"),
        exact(parts if compiler.tiles else 1, "neuron groups"),
        math.prod(cut.tile),
        cut.tile,
        cut.binds,
        "" if cut.cores == 1 else f"tiles of {cut.tile[0]} x {cut.tile[1]} x {cut.tile[2]} (channel, height, width)",
    )


def place_input(demand: InputDemand, compiler: Compiler) -> Part:
    """Cut a population without synapses: a map as convolutions are cut (PilotNet's input), a row as it comes."""
    if len(demand.shape) == 3:
        channels, height, width = demand.shape
        shape: Shape = (channels, height, width)
        tiles = _tiles(ConvDemand(demand.name, shape, 0, (1, 1), 1), compiler)
        cut = (None if compiler.tiles else _strips(shape)) or tiles
        rule = "conv tiles" if cut is tiles else "conv strips"
        bounded = _bounded(ConvDemand(demand.name, shape, 0, (1, 1), 1), cut, tiles, _strips(shape), compiler, rule)
        held, tile, binds = math.prod(cut.tile), cut.tile, cut.binds
    else:
        held, tile = min(demand.neurons, NEURONS), None
        binds = "Neurons" if demand.neurons > NEURONS else ""
        cores = -(-demand.neurons // held)
        bounded = Count(cores, cores, cores, "estimate", "conv strips")
    one = exact(1, "axons")
    nothing = exact(0, "conv synapses")
    return Part(bounded, exact(held, "neurons"), nothing, one, exact(1, "neuron groups"), held, tile, binds, "")


def _strips(shape: Shape) -> _Cut | None:
    """Strips of a power of two of columns; None where one column is too much, of which no table tells."""
    channels, height, width = shape
    columns = NEURONS // (channels * height)
    if columns < 1:
        return None
    strip = min(width, 1 << (columns.bit_length() - 1))
    cores = -(-width // strip)
    return _Cut((channels, height, strip), cores, "Neurons" if cores > 1 else "")


def _tiles(demand: ConvDemand, compiler: Compiler, high: bool = False) -> _Cut:
    """Tiles: channels halved for the kernel, then width and height in turn for the neurons; ``high``: by its bound."""
    channels, height, width = demand.shape

    def words(count: int) -> int:
        return kernel_bounds(demand, count, compiler)[1] if high else kernel_words(demand, count)

    tile_channels, binds = channels, ""
    while tile_channels > 1 and words(tile_channels) > MEMORY:
        tile_channels, binds = -(-tile_channels // 2), "Synapses"
    tile_height, tile_width, turn = height, width, 0
    while tile_channels * tile_height * tile_width > NEURONS:
        binds = binds or "Neurons"
        if tile_height == tile_width == 1:
            tile_channels = -(-tile_channels // 2)
        elif tile_width > 1 and (turn % 2 == 0 or tile_height % 2):
            # To the next power of two.
            tile_width = 1 << (-(-tile_width // 2) - 1).bit_length()
        else:
            tile_height = -(-tile_height // 2)
        turn += 1
    cores = -(-channels // tile_channels) * -(-height // tile_height) * -(-width // tile_width)
    return _Cut((tile_channels, tile_height, tile_width), cores, binds)


def _bounded(demand: ConvDemand, cut: _Cut, tiles: _Cut, strips: _Cut | None, compiler: Compiler, rule: str) -> Count:
    """Cores of a cut: at least as many as full ones would be, at most as the ways known of cutting give."""
    least = max(-(-demand.neurons // NEURONS), -(-kernel_bounds(demand, demand.shape[0], compiler)[0] // MEMORY))
    ways = [cut.cores, tiles.cores, _tiles(demand, compiler, high=True).cores]
    if strips is not None:
        ways.append(strips.cores)
    low, most = min(least, cut.cores), max(ways)
    return Count(cut.cores, low, most, "inferred" if low == most else "estimate", rule)
