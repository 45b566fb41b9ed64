"""What must be said of analog dendrites wherever a network of them is written, judged or run."""

from collections.abc import Sequence

STOCK = "stock"
ANALOG = "analog"
REALISATIONS = (STOCK, ANALOG)


def realisation(names: Sequence[str]) -> str:
    """``analog`` for a network in which layers ``names`` have analog dendrites, ``stock`` if there are none."""
    return ANALOG if names else STOCK


def simulator_only(names: Sequence[str]) -> str:
    """Say of layers with analog dendrites where they run, in a line."""
    return (
        f"simulator only: {', '.join(names)} {'has' if len(names) == 1 else 'have'} analog dendrites, which on Loihi 2 "
        "would need neuron microcode that is not public; for the chip train spiking dendrites (`fit dh_lif_spiking`)"
    )
