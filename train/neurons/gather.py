"""Spikes rearranged for weighted sums: a convolution's columns. CPU only."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from train.neurons.kernels import columns_backward, columns_forward
from train.neurons.memory import fresh, use_torch_threads


def columns(
    x: torch.Tensor, rows: NDArray[np.int64], kernel: int = 1, stride: int = 1, padding: int = 0, dilation: int = 1
) -> torch.Tensor:
    """What each entry of a kernel along the height sees, chosen and ordered by ``rows``.

    Parameters
    ----------
    x
        Shape (sample, channel, height, time), float32.
    rows
        Entries ``channel * kernel + k``, -1 for one that is always 0, shape (row,).
    kernel, stride, padding, dilation
        Of the convolution, along the height.

    Returns
    -------
    torch.Tensor
        Shape (sample, row, height out, time).
    """
    taken: torch.Tensor = _Columns.apply(x, rows, kernel, stride, padding, dilation)  # type: ignore[no-untyped-call]
    return taken


class _Columns(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, rows: NDArray[np.int64], kernel: int, stride: int, padding: int, dilation: int
    ) -> torch.Tensor:
        sample, _, height, time = x.shape
        out = (height + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        y = fresh((sample, rows.size, out, time))
        use_torch_threads()
        columns_forward(x.detach().contiguous().numpy(), rows, kernel, stride, padding, dilation, y.numpy())
        ctx.shape, ctx.layout = x.shape, (rows, kernel, stride, padding, dilation)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        grad_x = fresh(ctx.shape)
        use_torch_threads()
        columns_backward(grads[0].contiguous().numpy(), *ctx.layout, grad_x.numpy())
        return grad_x, None, None, None, None, None
