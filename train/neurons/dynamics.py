"""The neuron's dynamics, with the numbers of SLAYER's, on numba kernels.

SLAYER's CPU path (lava-dl 0.6.0, ``slayer/neuron/dynamics/leaky_integrator.py`` and ``slayer/spike/spike.py``) loops
over time in Python. The kernels' forward pass is SLAYER's bit for bit; their backward pass is the same formula, and
only the sums that make up the gradients of decays are taken in another order (float64, per neuron of a sample, then
over those in a fixed order, so that the thread count changes nothing).

Kept from SLAYER on purpose: the gradient runs through the leaky chain as if no spike had reset it,
and the gradient of a decay is that with respect to ``1 - decay / 4096`` (see ``train.neurons.lif``
for what is done about it).
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from train.neurons import slayer
from train.neurons.kernels import LANES, blocks_of, leaky_backward, leaky_forward
from train.neurons.memory import fresh, scratch, use_torch_threads
from train.neurons.population import DECAY_ONE, Neuron, decay_gradients, decay_shares, population
from train.neurons.population_kernels import rows_backward, rows_forward
from train.neurons.states import Population

__all__ = ["DECAY_ONE", "cuba_lif", "dh_lif", "leaky_integrator"]


def leaky_integrator(
    x: torch.Tensor,
    decay: torch.Tensor,
    state: torch.Tensor,
    w_scale: int,
    threshold: float | None = None,
) -> torch.Tensor:
    """Leaky integrator, optionally reset where it reaches ``threshold``; drop-in for SLAYER's ``dynamics``.

    Integer states, ``tz`` being truncation towards zero::

        y[t] = tz(y[t-1] * (4096 - decay) / 4096) + tz(w_scale * x[t]);  y[t-1] <- 0 where it reached threshold

    Parameters
    ----------
    x
        Input, shape (sample, channel, ..., time), float32.
    decay
        Whole numbers in 0..4096, shape (1,) or (channel,): the same along everything but channels.
    state
        The output at time -1, shape (1,) or (sample, channel, ...).
    w_scale
        Integer state of an output of 1.
    threshold
        Where the state is reset, in units of the output; None for never.

    Returns
    -------
    torch.Tensor
        ``y / w_scale`` before reset, shape of ``x``.
    """
    if x.is_cuda:
        result: torch.Tensor = slayer.leaky_integrator.dynamics(x, decay, state.contiguous(), w_scale, threshold)
        return result
    output: torch.Tensor = _LeakyIntegrator.apply(  # type: ignore[no-untyped-call]
        x, decay, state, w_scale, -1.0 if threshold is None else threshold
    )
    return output


def cuba_lif(
    x: torch.Tensor,
    current_decay: torch.Tensor,
    voltage_decay: torch.Tensor,
    threshold: float,
    tau_rho: float,
    scale_rho: float,
    w_scale: int,
    shift: int = 0,
) -> torch.Tensor:
    """Spikes of a CUBA LIF neuron at rest at time -1: two leaky integrators and the spike in one kernel. CPU only.

    Equal to SLAYER's ``cuba.Neuron.forward``: spikes bit for bit, gradients but for rounding.
    The surrogate gradient is ``scale_rho / (2 tau_rho) exp(-|v - threshold| / tau_rho)``.

    Parameters
    ----------
    x
        Weighted input, shape (sample, channel, ..., time), float32.
    current_decay, voltage_decay
        Whole numbers in 0..4096, shape (1,) or (channel,).
    threshold
        With SLAYER's ``threshold_eps`` on it, so that reaching it is exceeding the chip's.
    tau_rho, scale_rho
        As ``Spike.apply`` takes them, that is with ``TAU_RHO_MULT`` and ``SCALE_RHO_MULT``.
    w_scale
        Integer state of a voltage of 1.
    shift
        Steps the spikes are delayed by, the synapse's step between layers: 0 or 1.

    Returns
    -------
    torch.Tensor
        Spikes 0 or 1, shape of ``x``.
    """
    return dh_lif(
        x.unsqueeze(1),
        current_decay.unsqueeze(0),
        torch.ones(1),
        voltage_decay,
        threshold,
        tau_rho,
        scale_rho,
        w_scale,
        shift,
    )


def dh_lif(
    x: torch.Tensor,
    branch_decay: torch.Tensor,
    gain: torch.Tensor,
    voltage_decay: torch.Tensor,
    threshold: float,
    tau_rho: float,
    scale_rho: float,
    w_scale: int,
    shift: int = 0,
) -> torch.Tensor:
    """Spikes of a DH-LIF neuron at rest at time -1, all branches and the soma in one kernel. CPU only.

    Equal to one ``leaky_integrator`` a branch, their sum going into one more with the threshold, and SLAYER's
    spike: spikes bit for bit, gradients but for rounding. After DH-SNN (Zheng et al., Nat Commun 15:277, 2024,
    eq. 3 to 5), with CUBA's integer states, power-of-two gains and hard reset.

    Parameters
    ----------
    x
        Weighted input, shape (sample, branch, channel, ..., time), float32.
    branch_decay
        Whole numbers in 0..4096, shape (branch, 1) or (branch, channel).
    gain
        Factors on the branches' input, powers of two, shape (branch,).
    voltage_decay, threshold, tau_rho, scale_rho, w_scale, shift
        As for ``cuba_lif``.

    Returns
    -------
    torch.Tensor
        Spikes 0 or 1, shape (sample, channel, ..., time).
    """
    neuron = Neuron(threshold, tau_rho, scale_rho, w_scale)
    spikes: torch.Tensor = _DhLif.apply(  # type: ignore[no-untyped-call]
        x, branch_decay, gain, voltage_decay, neuron, shift
    )
    return spikes


class _LeakyIntegrator(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, decay: torch.Tensor, state: torch.Tensor, w_scale: int, threshold: float
    ) -> torch.Tensor:
        rows = _rows(x)
        start = (state.detach() * w_scale).to(torch.int64).expand(x.shape[:-1]).reshape(-1).numpy()
        output = fresh(x.shape)
        use_torch_threads()
        limit = np.float32(threshold * w_scale)
        leaky_forward(
            rows, _decays(decay), _span(decay, x), start, np.float32(w_scale), limit, output.view(rows.shape).numpy()
        )
        ctx.save_for_backward(output, decay)
        return output

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        output, decay = ctx.saved_tensors
        grad = _rows(grads[0])
        grad_x = fresh(output.shape)
        sums = np.empty(blocks_of(grad.shape[0]) * LANES, np.float64)
        use_torch_threads()
        leaky_backward(
            grad, _rows(output), _factors(decay), _span(decay, output), grad_x.view(grad.shape).numpy(), sums
        )
        return grad_x, _reduce(sums, decay, output), None, None, None


class _DhLif(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        branch_decay: torch.Tensor,
        gain: torch.Tensor,
        voltage_decay: torch.Tensor,
        neuron: Neuron,
        shift: int,
    ) -> torch.Tensor:
        sums, steps = _branches(x), x.shape[-1]
        spikes = fresh((x.shape[0], *x.shape[2:]))
        channels = sums.shape[2]
        pop = population(branch_decay, gain, voltage_decay, neuron, 1, channels, steps, shift)
        workers, room = scratch(steps, pop.keep.size, pop.keep.size, channels, turned=True)
        rows_forward(sums, pop, workers, room, spikes.view(len(x), channels, steps).numpy())
        ctx.save_for_backward(x, branch_decay, voltage_decay)
        ctx.population = pop
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, branch_decay, voltage_decay = ctx.saved_tensors
        learns = any(ctx.needs_input_grad[1:])
        pop: Population = ctx.population._replace(learns=learns)
        sums, steps = _branches(x), x.shape[-1]
        grad_x = fresh(x.shape)
        grad = grads[0].contiguous().view(len(x), sums.shape[2], steps).numpy()
        shares = decay_shares(pop, len(x))
        workers, room = scratch(steps, pop.keep.size, pop.keep.size, sums.shape[2], turned=True)
        rows_backward(sums, pop, workers, room, grad, _branches(grad_x), *shares)
        grad_branch, grad_voltage = decay_gradients(pop, shares, branch_decay, voltage_decay)
        return grad_x, grad_branch, None, grad_voltage, None, None


def _branches(x: torch.Tensor) -> NDArray[np.float32]:
    """``x`` as (sample, branch, neuron, time)."""
    parts: NDArray[np.float32] = (
        x.detach().contiguous().view(*x.shape[:2], math.prod(x.shape[2:-1]), x.shape[-1]).numpy()
    )
    return parts


def _rows(x: torch.Tensor) -> NDArray[np.float32]:
    """``x`` as (row, time): a row is one neuron of one sample."""
    rows: NDArray[np.float32] = x.detach().contiguous().view(-1, x.shape[-1]).numpy()
    return rows


def _span(decay: torch.Tensor, x: torch.Tensor) -> int:
    """How many rows in sequence share a decay."""
    if decay.numel() == 1:
        return x[..., 0].numel()
    return x[0, 0, ..., 0].numel()


def _decays(decay: torch.Tensor) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = DECAY_ONE - decay.detach().to(torch.int64).reshape(-1).numpy()
    return whole


def _factors(decay: torch.Tensor) -> NDArray[np.float32]:
    factors: NDArray[np.float32] = (1 - decay.detach() / DECAY_ONE).reshape(-1).numpy()
    return factors


def _reduce(sums: NDArray[np.float64], decay: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Sums of rows to the shape of the decay, one thread, one order."""
    sums = sums[: x[..., 0].numel()]
    if decay.numel() == 1:
        total: Any = np.sum(sums)
    else:
        total = sums.reshape(x.shape[0], decay.numel(), -1).sum(axis=(0, 2))
    return torch.as_tensor(total, dtype=torch.float32).reshape(decay.shape)
