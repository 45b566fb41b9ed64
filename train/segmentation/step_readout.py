"""The readout of every step in training: weighted leaky counts that a gradient goes back through."""

from typing import Any

import torch
from torch import nn

from train.segmentation.readout import Readout, leaky_counts


class StepReadout(nn.Module):
    """What a network for segmentation has in place of heads; the host computes it, see ``train.segmentation.readout``.

    Parameters
    ----------
    neurons, classes
        Sizes.
    readout_steps, latency_steps
        Of :class:`train.segmentation.readout.Readout`.
    """

    def __init__(self, neurons: int, classes: int, readout_steps: int, latency_steps: int) -> None:
        super().__init__()
        self.readout_steps, self.latency_steps = readout_steps, latency_steps
        # Counts are large: a neuron that fires at a fifth of the steps has one of readout_steps / 5.
        bound = 1 / neurons
        self.weight = nn.Parameter(torch.empty(classes, neurons).uniform_(-bound, bound))

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """Scores (sample, class, time - latency_steps) for spikes (sample, neuron, time)."""
        counted: torch.Tensor = _LeakyCounts.apply(spikes, self.readout_steps)  # type: ignore[no-untyped-call]
        return torch.matmul(self.weight, counted[..., self.latency_steps :])

    def plain(self) -> Readout:
        """The same without torch."""
        weight = self.weight.detach().double().numpy().copy()
        return Readout(weight, self.readout_steps, self.latency_steps)


class _LeakyCounts(torch.autograd.Function):
    """A linear filter; its transpose is the same filter, run backwards in time."""

    @staticmethod
    def forward(ctx: Any, spikes: torch.Tensor, readout_steps: int) -> torch.Tensor:
        ctx.readout_steps = readout_steps
        return torch.from_numpy(leaky_counts(spikes.detach().numpy(), readout_steps)).to(spikes.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        back = leaky_counts(grads[0].flip(-1).numpy(), ctx.readout_steps)
        return torch.from_numpy(back[..., ::-1].copy()).to(grads[0].dtype), None
