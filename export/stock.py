"""What stock Lava makes of a dense layer's weights before it sums them.

NetX scales the weights up to eight bits and tells the synapse how many of them count (lava-dl
``netx/utils.py``, ``optimize_weight_bits``); the synapse then clips and truncates by a sign mode that it works
out for itself (lava-nc ``utils/weightutils.py``, ``clip_weights`` and ``truncate_weights``), because NetX's
never reaches it. For weights of both signs the two agree; for others they need not.
"""

import numpy as np

from export.graph import DenseLayer, Integers, Network
from export.limits import WEIGHT_MAX, WEIGHT_MIN
from train.errors import MaestroError

_BITS = 8


def stock_weights(weight: Integers, recurrent: Integers | None = None) -> list[Integers]:
    """The weights that stock Lava sums with, for a dense layer and its recurrent weights.

    Parameters
    ----------
    weight, recurrent
        Whole numbers in the chip's range, not all zero; recurrent ones are scaled together with the others.
    """
    return [kept >> scale_bits for _, kept, scale_bits in _scaled(weight, recurrent)]


def _scaled(weight: Integers, recurrent: Integers | None) -> list[tuple[Integers, Integers, int]]:
    """Of each matrix what NetX scales it to, what the synapse keeps of it, and by how many bits sums go down again."""
    matrices = [weight] if recurrent is None else [weight, recurrent]
    scale_bits, weight_bits = netx_scaling(np.concatenate([matrix.reshape(-1) for matrix in matrices]))
    scaled = [matrix << scale_bits for matrix in matrices]
    return [(matrix, _synapse_weights(matrix, weight_bits), scale_bits) for matrix in scaled]


def refuse_altered(network: Network) -> Network:
    """The network, if stock Lava would run its weights as they are.

    Raises
    ------
    MaestroError
        It would run others (rules NX009 and NX010), so that no answer is both the file's and Lava's.
    """
    for name, layer in network.spiking:
        if isinstance(layer, DenseLayer) and _is_altered(layer):
            raise MaestroError(
                f"layer {name}",
                "has weights that stock Lava would take for others",
                allowed=f"{WEIGHT_MIN} to {WEIGHT_MAX}, one of them above zero",
                cure="`python -m export lint` tells which (NX009, NX010)",
            )
    return network


def _is_altered(layer: DenseLayer) -> bool:
    matrices = [layer.weight] if layer.recurrent is None else [layer.weight, layer.recurrent]
    low, high = min(int(m.min()) for m in matrices), max(int(m.max()) for m in matrices)
    if low < WEIGHT_MIN or high > WEIGHT_MAX + (low >= 0):
        return True
    # Of weights that are all zero nothing can be altered; stock Lava cannot load them (NX007).
    if low == high == 0:
        return False
    # As scaled: it is sums that Lava scales down again, so that a bit lost in a weight may not show in it alone.
    return any((scaled != kept).any() for scaled, kept, _ in _scaled(layer.weight, layer.recurrent))


def netx_scaling(weight: Integers) -> tuple[int, int]:
    """Bits that NetX shifts the weights up by, and number of bits that it says they have."""
    largest, smallest = int(weight.max()), int(weight.min())
    signed = smallest < 0 <= largest
    if signed:
        scale = min(127 / largest if largest else np.inf, -128 / smallest)
    else:
        scale = -256 / smallest if largest < 0 else 255 / largest
    scale_bits = int(np.floor(np.log2(scale))) + signed
    common = next((bits for bits in range(_BITS, 0, -1) if not (weight % (1 << bits)).any()), 0)
    return scale_bits, _BITS - scale_bits - (common - signed)


def _synapse_weights(weight: Integers, weight_bits: int) -> Integers:
    """Clip and truncate as the synapse does, by the sign mode that it sees."""
    mixed = bool(weight.min() < 0 < weight.max())
    flip = -1 if weight.max() <= 0 and weight.min() < 0 else 1
    lowest = -(1 << _BITS) if mixed else 0
    clipped = np.clip(flip * weight, lowest, (1 << _BITS) - 1)
    cut = _BITS - weight_bits + mixed
    return flip * ((clipped >> cut) << cut)
