"""Analog dendrites on the chip, as if there were a way: no public process has several currents in one neuron."""

import math
from dataclasses import replace

from export.dendrites import ANALOG
from export.graph import ConvLayer, DenseLayer, Network, branches
from hardware.placement.demand import ConvDemand, Demand, DenseDemand, demands

SPIKING = "spiking"
# Weights from compartments to somata are trained with the network; a file with analog dendrites has none, and no
# weight has more bits.
_SOMA_BITS = 8


def realised(network: Network, realise: str | None) -> tuple[list[Demand], str]:
    """What a network asks for with its analog dendrites realised, and what of it is a supposition, in words.

    Parameters
    ----------
    realise
        ``analog``, also if None: a core with neurons of as many current compartments as branches. ``spiking``: each
        branch a LIF compartment that spikes and a LIF soma that gathers them, as ``train.neurons.dh_spiking`` trains
        and ``export`` writes them.

    Returns
    -------
    demands, what_if
        ``what_if`` is empty for a network without analog dendrites, which is counted as it is.
    """
    counted = demands(network)
    names = network.dendritic_names
    if not names:
        return counted, ""
    which = f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} analog dendrites"
    if realise in (None, ANALOG):
        return counted, (
            f"DH-LIF analog (as if realised): {which}, for which no public chip model exists; each branch is "
            "counted as a current compartment of its own, and nothing else"
        )
    layers = dict(network.spiking)
    found: list[Demand] = []
    for demand in counted:
        layer = layers[demand.name]
        if demand.name in names and isinstance(layer, ConvLayer | DenseLayer):
            found += _spiking(demand, layer)
        else:
            found.append(demand)
    return found, (
        f"DH-LIF spiking (as if realised): {which}; counted as compartments that spike and somata of {_SOMA_BITS} bit "
        "weights, which another training makes (`fit dh_lif_spiking`): this file does not run so"
    )


def _spiking(demand: Demand, layer: ConvLayer | DenseLayer) -> list[Demand]:
    """Compartments, and the somata that gather them."""
    count = branches(layer)
    compartments: Demand = replace(demand, name=f"{demand.name} branches")
    if isinstance(demand, ConvDemand):
        channels, height, width = demand.shape
        shape = (channels // count, height, width)
        size = math.prod(demand.shape)
        return [compartments, ConvDemand(demand.name, shape, channels, (1, 1), _SOMA_BITS, shape[0], size)]
    assert isinstance(demand, DenseDemand)
    soma = DenseDemand(demand.name, demand.neurons // count, demand.neurons, _SOMA_BITS, 1)
    return [compartments, soma]
