"""Weighted sums of spikes, with the numbers of SLAYER's conv3d and faster on the CPU.

Quantised weights are multiples of 2/64 and spikes are 0 or 1, so every partial sum is exact in
float32 and any order of adding gives the same result. Gradients of weights differ by rounding.
"""

from typing import Any

import torch
from torch.nn import functional

from train.neurons.dynamics import pool_rows


def dense(x: torch.Tensor, synapse: Any) -> torch.Tensor:
    """Sums (sample, out, time) of spikes (sample, in, time), or (sample, in, 1, 1, time), as the input's rank asks."""
    weight = _weight(synapse)
    if x.dim() != 3 or weight.shape[2:].numel() != 1:
        result: torch.Tensor = synapse(x)
        return result
    # One product a sample keeps time last; matmul would fold samples into time and copy both ways.
    return torch.bmm(weight.reshape(1, *weight.shape[:2]).expand(x.shape[0], -1, -1), x)


def conv(x: torch.Tensor, synapse: Any) -> torch.Tensor:
    """Sums of spikes (sample, channel, height, width, time); of width 1 as a convolution over height and time."""
    weight = _weight(synapse)
    narrow = x.shape[3] == 1 and weight.shape[3] == 1 and synapse.padding[1] == 0
    if not narrow:
        result: torch.Tensor = synapse(x)
        return result
    flat = functional.conv2d(
        x.squeeze(3),
        weight.squeeze(3),
        None,
        (synapse.stride[0], 1),
        (synapse.padding[0], 0),
        (synapse.dilation[0], 1),
        synapse.groups,
    )
    return flat.unsqueeze(3)


def pool(x: torch.Tensor, synapse: Any) -> torch.Tensor:
    """Sums of spikes over blocks (height, width), the last block filled up with silence.

    SLAYER fills up by ``size % kernel``, which is right for kernels 1 and 2 alone.
    """
    height, width = synapse.kernel_size[:2]
    weight = _weight(synapse).reshape(-1)[0]
    if x.shape[3] == width == 1 and not x.is_cuda and not synapse.weight.requires_grad:
        return pool_rows(x, height, float(weight))
    x = functional.pad(x, (0, 0, 0, -x.shape[3] % width, 0, -x.shape[2] % height))
    sample, channel, rows, columns, time = x.shape
    blocks = x.view(sample, channel, rows // height, height, columns // width, width, time)
    total: torch.Tensor = blocks.sum(dim=(3, 5)) * weight
    return total


def _weight(synapse: Any) -> torch.Tensor:
    hook = synapse.pre_hook_fx
    weight: torch.Tensor = synapse.weight if hook is None else hook(synapse.weight)
    return weight
