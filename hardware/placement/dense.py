"""How the compiler places dense layers: synaptic memory and the cut into cores."""

import math

from hardware.placement.count import Count, about, exact
from hardware.placement.demand import DenseDemand, is_separate
from hardware.placement.limits import COMPILERS, DENSE_CUT, HEAD_BITS, LIMITS, WORD_BITS, Compiler, stored_bits
from hardware.placement.part import Part
from train.errors import MaestroError

MEMORY = LIMITS["Synapses"].value
# Largest error that is granted to the formula of synaptic memory, as a share; published rows lie within 2 %.
ERROR = 0.05


def list_words(neurons: int, bits: int, extra: int) -> int:
    """Memory words of one axon's synapses to ``neurons`` neurons of a core, ``extra`` bits each beside the weight."""
    return -(-(neurons * (stored_bits(bits) + extra) + HEAD_BITS) // WORD_BITS)


def allocation(demand: DenseDemand, neurons: int, compiler: Compiler) -> int:
    """Memory words of a core with ``neurons`` of the layer's neurons."""
    return demand.axons * list_words(neurons, demand.bits, compiler.extra_bits)


def place_dense(demand: DenseDemand, compiler: Compiler) -> Part:
    """Cut a dense layer.

    Raises
    ------
    MaestroError
        One neuron alone is too much for a core: names layer, what it takes, and the limit.
    """
    _check_single(demand, compiler)
    piece, binds = _piece(demand, compiler)
    cores = -(-demand.neurons // piece)
    sizes = [piece] * (cores - 1) + [demand.neurons - piece * (cores - 1)]
    if compiler.prints == "mean":
        neurons = demand.neurons // cores
        words = sum(allocation(demand, size, compiler) for size in sizes) // cores
    else:
        neurons, words = piece, allocation(demand, piece, compiler)
    return Part(
        _cores(demand, compiler, cores),
        exact(neurons, "neurons"),
        _synapses(demand, compiler, piece, words),
        exact(demand.axons, "axons"),
        exact(1, "neuron groups"),
        piece,
        None,
        binds,
        "" if cores == 1 else f"{cores - 1} of {piece} neurons, 1 of {sizes[-1]}",
    )


def _check_single(demand: DenseDemand, compiler: Compiler) -> None:
    single = allocation(demand, 1, compiler)
    cure = "prune its inputs, or split them over two layers whose outputs a third adds up"
    if demand.axons > LIMITS["AxonIn"].value:
        found = f"has {demand.axons} inputs, each an axon of every core it is cut into"
        raise MaestroError(f"layer {demand.name}", found, allowed=f"AxonIn up to {LIMITS['AxonIn'].value}", cure=cure)
    if single > MEMORY:
        found = f"takes {single} words of SynMem for a single neuron with {demand.axons} inputs"
        raise MaestroError(f"layer {demand.name}", found, allowed=f"up to {MEMORY} a core", cure=cure)


def _piece(demand: DenseDemand, compiler: Compiler) -> tuple[int, str]:
    """Neurons of a full piece, and what binds."""
    if allocation(demand, demand.neurons, compiler) <= MEMORY:
        most = LIMITS["Neurons"].value
        return (demand.neurons, "") if demand.neurons <= most else (most, "Neurons")
    piece = _divided(demand, compiler) if compiler.fill is None else _filled(demand, compiler, compiler.fill)
    piece = min(piece, DENSE_CUT.value)
    # Memory binds unless it alone would take fewer cores.
    alone = max(piece, _filled(demand, compiler, compiler.fill or 1.0))
    fewer = piece == DENSE_CUT.value and -(-demand.neurons // alone) < -(-demand.neurons // piece)
    return piece, "dense cut" if fewer else "Synapses"


def _divided(demand: DenseDemand, compiler: Compiler) -> int:
    """Neurons of a piece where the most that a piece may have is divided by what the memory is too small by."""
    piece = min(demand.neurons, DENSE_CUT.value)
    while (words := allocation(demand, piece, compiler)) > MEMORY:
        piece = -(-piece // -(-words // MEMORY))
    return piece


def _filled(demand: DenseDemand, compiler: Compiler, fill: float) -> int:
    """Most neurons of the layer that take no more than a share ``fill`` of a core's memory, and one at least."""
    words = math.floor(fill * MEMORY) // max(1, demand.axons)
    return max(1, (words * WORD_BITS - HEAD_BITS) // (stored_bits(demand.bits) + compiler.extra_bits))


def _cores(demand: DenseDemand, compiler: Compiler, cores: int) -> Count:
    """Cores, at least as many as full ones would be, at most as the ways known of cutting give."""
    least = -(-demand.neurons // _filled(demand, compiler, 1.0))
    ways = [cores]
    if allocation(demand, demand.neurons, compiler) > MEMORY:
        for other in COMPILERS.values():
            piece = _divided(demand, compiler) if other.fill is None else _filled(demand, compiler, other.fill)
            ways.append(-(-demand.neurons // min(piece, DENSE_CUT.value)))
    elif demand.neurons > DENSE_CUT.value:
        # No public table has so many neurons of a dense layer on one core.
        ways.append(-(-demand.neurons // DENSE_CUT.value))
    if is_separate(demand):
        words = demand.axons * list_words(demand.fan_out, demand.bits, compiler.extra_bits)
        least = min(least, max(-(-words // MEMORY), -(-demand.neurons // LIMITS["Neurons"].value)))
    if demand.delay_bits:
        entry = stored_bits(demand.bits) + compiler.extra_bits
        ways.append(-(-max(ways) * (entry + demand.delay_bits) // entry))
    low, high = max(1, min(least, cores)), max(ways)
    return Count(cores, low, high, "inferred" if low == high else "estimate", "dense cut")


def _synapses(demand: DenseDemand, compiler: Compiler, piece: int, words: int) -> Count:
    if is_separate(demand):
        least = demand.axons * list_words(demand.fan_out, demand.bits, compiler.extra_bits)
        least = least * piece // demand.neurons
        return Count(words, min(words, least), math.ceil(words * (1 + ERROR)), "estimate", "dense separate")
    if demand.delay_bits:
        most = demand.axons * list_words(piece, demand.bits, compiler.extra_bits + demand.delay_bits)
        return Count(words, words, max(words, most), "estimate", "dense delays")
    return about(words, ERROR, "dense synapses")
