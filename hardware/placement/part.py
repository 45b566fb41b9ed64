"""How one layer is cut over cores, and what each of them then holds."""

from dataclasses import dataclass

from hardware.placement.count import Count


@dataclass(frozen=True)
class Part:
    """A layer's cut.

    Parameters
    ----------
    cores, neurons, synapses, axons_in, groups
        Cores of the layer, and what is on one of them, as the compiler prints it.
    on_core
        Neurons on the core that has most.
    tile
        (channel, height, width) of a convolution's full tile; None for other layers.
    binds
        The limit (``limits.LIMITS`` or ``dense cut``) that decided the cut; empty if the layer fits one core.
    cut
        The cut in words.
    """

    cores: Count
    neurons: Count
    synapses: Count
    axons_in: Count
    groups: Count
    on_core: int
    tile: tuple[int, int, int] | None
    binds: str
    cut: str
