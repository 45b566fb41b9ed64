"""From a neuron's registers to what its kernels read, and from what they add up to gradients of decays."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from train.neurons.states import Population

DECAY_ONE = 1 << 12


class Neuron(NamedTuple):
    """What a neuron is besides its decays and gains; see ``train.neurons.dynamics.cuba_lif``."""

    threshold: float
    tau_rho: float
    scale_rho: float
    w_scale: int


def population(
    branch_decay: torch.Tensor,
    gain: torch.Tensor,
    voltage_decay: torch.Tensor,
    neuron: Neuron,
    positions: int,
    channels: int,
    steps: int,
    shift: int,
) -> Population:
    """What the kernels read of a population of (position, channel), for samples of so many steps.

    Parameters
    ----------
    branch_decay, gain, voltage_decay
        As for ``train.neurons.dynamics.dh_lif``: shapes (branch, 1 or n), (branch,), (1 or n,), n decays serving
        ``channels / n`` neurons in sequence.
    neuron
        Its constants.
    positions, channels, steps, shift
        See :class:`Population`.
    """
    branches = len(branch_decay)
    decays = branch_decay.detach().numpy().astype(np.int64)
    lanes = (positions, branches, channels)
    decay = np.broadcast_to(np.repeat(decays, channels // decays.shape[1], axis=1), lanes).reshape(-1)
    decays = voltage_decay.detach().numpy().astype(np.int64)
    decay_v = np.broadcast_to(np.repeat(decays, channels // decays.size), (positions, channels)).reshape(-1)
    gains = np.broadcast_to(gain.detach().numpy().astype(np.float32)[:, None], lanes).reshape(-1)
    scale = np.float32(neuron.w_scale)
    factor = gains * scale
    return Population(
        channels=channels,
        branches=branches,
        keep=(DECAY_ONE - decay).astype(np.int32),
        keep_v=(DECAY_ONE - decay_v).astype(np.int32),
        factor=factor,
        reach=factor * _reach(decay, steps).astype(np.float32),
        reach_v=float(_reach(decay_v, steps).max(initial=1.0)),
        scale=scale,
        whole=neuron.w_scale > 0 and neuron.w_scale & (neuron.w_scale - 1) == 0,
        limit=np.float32(neuron.threshold * neuron.w_scale),
        fade=_fade(decay),
        fade_v=_fade(decay_v),
        gain=gains,
        threshold=np.float32(neuron.threshold),
        tau=np.float32(neuron.tau_rho),
        height=np.float32(neuron.scale_rho) / np.float32(2) / np.float32(neuron.tau_rho),
        learns=False,
        shift=shift,
    )


def decay_shares(pop: Population, samples: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Room for what every sample's lanes and neurons add to the gradients of decays."""
    return np.empty((samples, pop.keep.size)), np.empty((samples, pop.keep_v.size))


def decay_gradients(
    pop: Population,
    shares: tuple[NDArray[np.float64], NDArray[np.float64]],
    branch_decay: torch.Tensor,
    voltage_decay: torch.Tensor,
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Gradients with respect to ``1 - decay / 4096`` in the decays' shapes, added up in one order."""
    if not pop.learns:
        return None, None
    of_branches = shares[0].reshape(-1, pop.branches, branch_decay.shape[1], pop.channels // branch_decay.shape[1])
    of_voltage = shares[1].reshape(-1, voltage_decay.numel(), pop.channels // voltage_decay.numel())
    return (
        torch.from_numpy(of_branches.sum(axis=(0, 3)).astype(np.float32)),
        torch.from_numpy(of_voltage.sum(axis=(0, 2)).astype(np.float32)).reshape(voltage_decay.shape),
    )


def _reach(decay: NDArray[np.int64], steps: int) -> NDArray[np.float64]:
    """The most that a leaky sum makes of a steady input of 1 in so many steps."""
    lasting = np.where(decay > 0, DECAY_ONE / np.maximum(decay, 1), np.inf)
    return np.minimum(lasting, steps)


def _fade(decay: NDArray[np.int64]) -> NDArray[np.float32]:
    return (1 - decay.astype(np.float32) / np.float32(DECAY_ONE)).astype(np.float32)
