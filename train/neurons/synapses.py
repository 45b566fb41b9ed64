"""Weighted sums of spikes, with the numbers of SLAYER's conv3d and faster on the CPU.

Quantised weights are multiples of 2/64 and spikes are 0 or 1, so every partial sum is exact in
float32 and any order of adding gives the same result. Gradients of weights differ by rounding, but
not from call to call, as those of oneDNN's convolutions do.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from train.neurons.gather import columns


def dense(x: torch.Tensor, synapse: Any) -> torch.Tensor:
    """Sums (sample, out, time) of spikes (sample, in, time), or (sample, in, 1, 1, time), as the input's rank asks."""
    weight = weight_of(synapse)
    if x.dim() != 3 or weight.shape[2:].numel() != 1:
        result: torch.Tensor = synapse(x)
        return result
    return _product(weight.reshape(weight.shape[0], -1), x)


def conv(x: torch.Tensor, synapse: Any) -> torch.Tensor:
    """Sums of spikes (sample, channel, height, width, time); of width 1 as one product with the kernel's columns."""
    if not is_narrow(x, synapse):
        result: torch.Tensor = synapse(x)
        return result
    weight = weight_of(synapse)
    taken = kernel_columns(x, synapse, np.arange(weight[0].numel()))
    sums = _product(weight.reshape(weight.shape[0], -1), taken.flatten(2))
    return sums.view(x.shape[0], weight.shape[0], taken.shape[2], 1, x.shape[4])


def pool(x: torch.Tensor, synapse: Any) -> torch.Tensor:
    """Sums of spikes over blocks (height, width), the last block filled up with silence.

    SLAYER fills up by ``size % kernel``, which is right for kernels 1 and 2 alone.
    """
    height, width = synapse.kernel_size[:2]
    weight = weight_of(synapse).reshape(-1)[0]
    x = functional.pad(x, (0, 0, 0, -x.shape[3] % width, 0, -x.shape[2] % height))
    sample, channel, rows, columns_, time = x.shape
    blocks = x.view(sample, channel, rows // height, height, columns_ // width, width, time)
    total: torch.Tensor = blocks.sum(dim=(3, 5)) * weight
    return total


def is_narrow(x: torch.Tensor, synapse: Any) -> bool:
    """Whether a convolution runs along the height alone, on the CPU, in one group."""
    along = x.dim() == 5 and x.shape[3] == 1 and synapse.weight.shape[3:].numel() == 1 and synapse.padding[1] == 0
    return along and not x.is_cuda and synapse.groups == 1 and x.dtype == torch.float32


def is_plain(x: torch.Tensor, synapse: Any) -> bool:
    """Whether weights and neurons can be one: a dense layer, or a narrow convolution step by step."""
    weight = synapse.weight
    if x.shape[1] != weight.shape[1]:
        return False
    if x.dim() == 3:
        return weight.shape[2:].numel() == 1 and synapse.groups == 1 and not any(synapse.padding)
    stepwise = synapse.stride[0] == 1 and synapse.dilation[0] == 1 and synapse.padding[0] < weight.shape[2]
    return stepwise and is_narrow(x, synapse) and x.shape[2] + 2 * synapse.padding[0] >= weight.shape[2]


def kernel_columns(x: torch.Tensor, synapse: Any, rows: NDArray[np.int64]) -> torch.Tensor:
    """``columns`` (sample, row, height out, time) of a narrow convolution's input."""
    return columns(
        x.squeeze(3), rows, synapse.weight.shape[2], synapse.stride[0], synapse.padding[0], synapse.dilation[0]
    )


def weight_of(synapse: Any) -> torch.Tensor:
    """The weights as the synapse uses them, quantised if it has a hook for that."""
    hook = synapse.pre_hook_fx
    weight: torch.Tensor = synapse.weight if hook is None else hook(synapse.weight)
    return weight


def _product(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Sums (sample, out, ...) of (out, in) by (sample, in, ...).

    One product a sample keeps time last; matmul would fold samples into time and copy both ways.
    """
    return torch.bmm(weight.unsqueeze(0).expand(x.shape[0], -1, -1), x)
