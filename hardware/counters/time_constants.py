"""Time constants of neurons, from the registers of their decays."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.graph import DhLif, Network
from export.limits import DECAY_ONE
from train.config import Config


def branch_layers(config: Config, names: tuple[str, ...]) -> dict[str, int]:
    """Layers that are the spiking realisation's branches, and how many a neuron has."""
    spiking = config.network.neuron == "dh_lif" and config.dendrites.realisation == "spiking"
    return {name: config.dendrites.branches for name in names if spiking and name.endswith("_branches")}


def time_constants(network: Network, hop_s: float, branches: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Time constants of every layer's decays, from the registers: tau = -1 / ln(1 - decay / 4096) steps.

    Parameters
    ----------
    network
        What was exported.
    hop_s
        Length of a step.
    branches
        Layers that are the branches of the next one's neurons (the spiking realisation), and how many a neuron has.

    Returns
    -------
    dict of layer name -> dict
        ``current`` and ``voltage``, lists of one entry, or of one a branch. An entry holds ``steps`` and ``ms``,
        medians over channels or neurons, and ``steps_low`` and ``steps_high``, the smallest and largest; None stands
        for no decay at all.
    """
    found = {}
    for name, layer in network.spiking:
        neuron = layer.neuron
        assert neuron is not None
        current, voltage = (np.atleast_1d(np.asarray(decay)) for decay in (neuron.i_decay, neuron.v_decay))
        if isinstance(neuron, DhLif):
            rows = {"current": list(current), "voltage": [voltage]}
        else:
            count = branches.get(name, 1)
            rows = {"current": _by_branch(current, count), "voltage": _by_branch(voltage, count)}
        found[name] = {word: [_summary(row, hop_s) for row in entries] for word, entries in rows.items()}
    return found


def _by_branch(decays: NDArray[Any], branches: int) -> list[NDArray[Any]]:
    """A row a branch from decays of compartments that lie neuron by neuron, one row if they are all the same."""
    if decays.size == 1:
        return [decays]
    return list(decays.reshape(-1, branches).T)


def decay_to_tau(decay: Any) -> NDArray[np.float64]:
    """Time constant in steps of a decay in 1/4096 a step: infinite for 0, none for 4096."""
    with np.errstate(divide="ignore"):
        tau: NDArray[np.float64] = -1 / np.log1p(-np.asarray(decay, np.float64) / DECAY_ONE)
    return np.abs(tau)


def _summary(decays: NDArray[Any], hop_s: float) -> dict[str, float | None]:
    tau = decay_to_tau(decays)
    values = {
        "steps": np.median(tau),
        "steps_low": tau.min(),
        "steps_high": tau.max(),
        "ms": np.median(tau) * hop_s * 1e3,
    }
    return {key: float(value) if math.isfinite(value) else None for key, value in values.items()}
