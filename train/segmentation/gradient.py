"""The readout of every step in training: leaky counts that a gradient goes back through."""

from typing import Any

import torch

from train.segmentation.readout import leaky_counts


def trained_scores(spikes: torch.Tensor, latency_steps: int, readout_steps: int) -> torch.Tensor:
    """As ``train.segmentation.readout.step_scores``, for tensors: (sample, neuron, step) of (sample, neuron, time)."""
    counted: torch.Tensor = _LeakyCounts.apply(spikes, readout_steps)  # type: ignore[no-untyped-call]
    return counted[..., latency_steps:]


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
