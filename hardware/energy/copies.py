"""To how many cores a spike is sent: read off a placement."""

from hardware.placement.plan import Placement

# A kernel's targets lie close together: where a map is cut along both axes, on four pieces at most, as long as no
# piece is smaller than the kernel's reach.
_CORNER = 4.0


def copies_of(placement: Placement) -> dict[str, float]:
    """Cores that a spike which reaches a layer is sent to at most, by layer's name.

    A dense layer's inputs are needed on each of its cores, by the upper bound of their number; a convolution's on no
    more than four.
    """
    return {
        row.name: float(row.cores.high) if row.kind.startswith("dense") else min(float(row.cores.high), _CORNER)
        for row in placement.rows
    }
