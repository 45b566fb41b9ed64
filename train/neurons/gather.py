"""Spikes rearranged for weighted sums: a convolution's columns, and sums over blocks of rows. CPU only."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from train.neurons.dynamics import use_torch_threads
from train.neurons.kernels import columns_backward, columns_forward, pool_backward, pool_forward


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


def pool_rows(x: torch.Tensor, size: int, weight: float) -> torch.Tensor:
    """``weight`` times sums over blocks of ``size`` along the height, the last block filled up with silence.

    Shapes (sample, channel, height, width, time) with width 1, to ``ceil(height / size)``.
    """
    sums: torch.Tensor = _PoolRows.apply(x, size, weight)  # type: ignore[no-untyped-call]
    return sums


class _Columns(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, rows: NDArray[np.int64], kernel: int, stride: int, padding: int, dilation: int
    ) -> torch.Tensor:
        sample, _, height, time = x.shape
        out = (height + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        y = torch.empty((sample, rows.size, out, time), dtype=torch.float32)
        use_torch_threads()
        columns_forward(x.detach().contiguous().numpy(), rows, kernel, stride, padding, dilation, y.numpy())
        ctx.shape, ctx.layout = x.shape, (rows, kernel, stride, padding, dilation)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        grad_x = torch.empty(ctx.shape, dtype=torch.float32)
        use_torch_threads()
        columns_backward(grads[0].contiguous().numpy(), *ctx.layout, grad_x.numpy())
        return grad_x, None, None, None, None, None


class _PoolRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, size: int, weight: float) -> torch.Tensor:
        sample, channel, height, width, time = x.shape
        output = torch.empty((sample, channel, -(-height // size), width, time), dtype=torch.float32)
        use_torch_threads()
        pool_forward(_groups(x), size, np.float32(weight), _groups(output))
        ctx.height, ctx.size, ctx.weight = height, size, np.float32(weight)
        return output

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        sample, channel, _, width, time = grads[0].shape
        grad_x = torch.empty((sample, channel, ctx.height, width, time), dtype=torch.float32)
        use_torch_threads()
        pool_backward(_groups(grads[0]), ctx.size, ctx.weight, _groups(grad_x))
        return grad_x, None, None


def _groups(x: torch.Tensor) -> NDArray[np.float32]:
    """``x`` of width 1 as (sample and channel, height, time)."""
    groups: NDArray[np.float32] = x.detach().contiguous().view(-1, x.shape[2], x.shape[4]).numpy()
    return groups
