"""Where the spikes of a layer's input go: how its weights lie for the kernels of ``train.neurons.layer_kernels``."""

import numpy as np
import torch
from numpy.typing import NDArray

from train.neurons.layer_kernels import PIECE, PITCH, Return, Wiring

Whole = NDArray[np.int64]


class Wires:
    """The wiring of a convolution along the height, or of a dense layer as one of height and kernel 1.

    Parameters
    ----------
    channels, height
        Of the input.
    out, kernel, padding
        Of the weights (out, channel, kernel), stride and dilation being 1; padding is below the kernel's size.
    branch
        Branch of every weight, shape (group, channel * kernel), ``share`` outputs in sequence having one group;
        None for neurons without dendrites.
    branches, share
        Of the neurons, see ``train.neurons.branches.Partition``.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        out: int,
        kernel: int,
        padding: int,
        branch: torch.Tensor | None = None,
        branches: int = 1,
        share: int = 1,
    ) -> None:
        self.channels, self.height, self.out, self.branches = channels, height, out, branches
        self.positions = height + 2 * padding - kernel + 1
        self.branch = None if branch is None else branch.clone()
        groups = np.zeros((1, channels * kernel), np.int64) if branch is None else branch.numpy()
        own = np.repeat(groups, share if len(groups) > 1 else out, axis=0)[:out].reshape(out, channels, kernel)
        self._spread(own, kernel, padding, len(groups) == 1)
        self._collect(own, kernel, padding)

    def fits(self, channels: int, height: int, branch: torch.Tensor | None) -> bool:
        """Whether the wiring is still that of the layer: its partition is loaded with a checkpoint."""
        if (channels, height) != (self.channels, self.height) or (branch is None) != (self.branch is None):
            return False
        return branch is None or self.branch is None or torch.equal(branch, self.branch)

    def _spread(self, own: Whole, kernel: int, padding: int, shared: bool) -> None:
        """Forward: a row of weights for each input channel, over positions, branches and outputs."""
        frame = self.branches * self.out
        channel, output = np.arange(self.channels), np.arange(self.out)
        # A spike at height h reaches positions h + padding - k: backwards along the kernel.
        lane = ((kernel - 1 - np.arange(kernel)) * self.branches + own) * self.out + output[:, None, None]
        start = np.zeros(self.channels, np.int64)
        self.reach = kernel * frame
        if kernel == 1 and shared:
            # All of an input's weights are of one branch.
            start, self.reach = own[0, :, 0] * self.out, self.out
        self.spot = (channel[:, None] * self.reach + lane - start[:, None]).reshape(-1)
        heights = np.arange(self.height)[:, None]
        self.wiring = Wiring(
            source=np.tile(channel, self.height).astype(np.int32),
            place=(heights * frame + start).reshape(-1).astype(np.int32),
            low=(kernel - 1 - padding) * frame,
            width=(self.height + kernel - 1) * frame,
        )

    def _collect(self, own: Whole, kernel: int, padding: int) -> None:
        """Backward: for each branch its columns (kernel, channel), in pieces."""
        columns = own.transpose(2, 1, 0).reshape(kernel * self.channels, self.out)
        chosen = [np.flatnonzero((columns == branch).any(axis=1)) for branch in range(self.branches)]
        pieces = max(1, -(-max(len(lanes) for lanes in chosen) // PIECE))
        lanes = np.zeros((self.branches, pieces, PIECE), np.int32)
        widths = np.zeros((self.branches, pieces), np.int32)
        shape = (self.branches, pieces, -(-self.out // 4), 4, PITCH)
        into, taken = [], []
        for branch, found in enumerate(chosen):
            for piece in range(pieces):
                part = found[piece * PIECE : (piece + 1) * PIECE]
                lanes[branch, piece, : len(part)], widths[branch, piece] = part, len(part)
                column, output = np.nonzero(columns[part] == branch)
                k, channel = part[column] // self.channels, part[column] % self.channels
                taken.append((output * self.channels + channel) * kernel + k)
                into.append(np.ravel_multi_index((branch, piece, output // 4, output % 4, column), shape))
        self.into, self.taken, self.packed = np.concatenate(into), np.concatenate(taken), shape
        self.lanes, self.widths = lanes, widths
        self.edge, self.frame = padding * self.channels, (self.height + 2 * padding) * self.channels

    def pack(self, weight: torch.Tensor) -> NDArray[np.float32]:
        """Weights (out, channel, kernel) as rows (channel, lane)."""
        rows = np.zeros(self.channels * self.reach, np.float32)
        rows[self.spot] = weight.detach().reshape(-1).numpy()
        return rows.reshape(self.channels, self.reach)

    def unpack(self, rows: NDArray[np.float32], shape: torch.Size) -> torch.Tensor:
        """Gradients of rows (group, channel, lane), added up, as those of weights."""
        return torch.from_numpy(rows.sum(axis=0).reshape(-1)[self.spot]).view(shape)

    def back(self, weight: torch.Tensor) -> Return:
        """Weights as the input's gradient wants them."""
        packed = np.zeros(self.packed, np.float32)
        packed.reshape(-1)[self.into] = weight.detach().reshape(-1).numpy()[self.taken]
        return Return(
            weight=packed.reshape(*self.packed[:3], 4 * PITCH),
            lanes=self.lanes,
            widths=self.widths,
            straight=self.branches == 1,
            step=self.channels,
            edge=self.edge,
            width=self.frame,
        )
