"""Branches of dendrites: which input goes to which, their time constants and gains, and their weighted sums."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from train.neurons import synapses
from train.neurons.dynamics import DECAY_ONE
from train.neurons.gather import columns

# An activation is a sum of even weights, shifted up by 6 bits: so many bits can go without loss.
GAIN_MAX = 6


def branch_taus(branches: int, low: float, high: float) -> list[float]:
    """Time constants in steps, log-spaced from ``low`` to ``high``; their geometric mean for one branch."""
    if branches == 1:
        return [math.sqrt(low * high)]
    ratio = high / low
    return [low * ratio ** (branch / (branches - 1)) for branch in range(branches)]


def decay_of(tau: float) -> float:
    """Decay, a fraction a step, of a time constant in steps: ``1 - exp(-1 / tau)``."""
    return 1 - math.exp(-1 / tau)


def gain_of(decay: float) -> int:
    """Bits ``g`` by which a branch's input is shifted down: log2(4096 / iDecay), rounded, in 0..6.

    With it the current that a lasting input settles at is about the input, whatever the decay.
    """
    return min(GAIN_MAX, max(0, round(math.log2(DECAY_ONE / max(decay, 1.0)))))


class Partition(nn.Module):
    """Which branch each input of a neuron goes to.

    Parameters
    ----------
    inputs
        Inputs of a neuron: those of its kernel, channel slowest.
    outputs
        Neurons (channels).
    branches
        Branches of a neuron.
    share
        Neurons that share one partition; 0 for all.
    kind
        'random': a random permutation cut into blocks (DH-SNN's masks); 'blocks': contiguous ones.
    seed
        Of the permutations.

    Attributes
    ----------
    branch
        Branch of each input, shape (group, input): a buffer, so that a checkpoint holds it.

    Raises
    ------
    ValueError
        More branches than inputs.
    """

    branch: torch.Tensor

    def __init__(self, inputs: int, outputs: int, branches: int, share: int = 0, kind: str = "random", seed: int = 0):
        super().__init__()
        if not 1 <= branches <= inputs:
            raise ValueError(f"{branches} branches for {inputs} inputs: every branch takes at least one")
        self.branches, self.outputs = branches, outputs
        self.share = share or outputs
        groups = math.ceil(outputs / self.share)
        source = torch.Generator().manual_seed(seed)
        found = torch.empty(groups, inputs, dtype=torch.int64)
        for group in range(groups):
            order = torch.randperm(inputs, generator=source) if kind == "random" else torch.arange(inputs)
            for branch, members in enumerate(torch.tensor_split(order, branches)):
                found[group, members] = branch
        self.register_buffer("branch", found)

    def of_weights(self) -> torch.Tensor:
        """Branch of each weight, shape (neuron, input)."""
        return self.branch.repeat_interleave(self.share, dim=0)[: self.outputs]

    def expand(self, weight: torch.Tensor) -> torch.Tensor:
        """Weights (neuron, input) as (branch, neuron, input): zero, and without gradient, where they do not belong."""
        empty = torch.zeros(self.branches, *weight.shape, dtype=weight.dtype, device=weight.device)
        return empty.scatter(0, self.of_weights().unsqueeze(0), weight.unsqueeze(0))

    def rows(self) -> NDArray[np.int64]:
        """Inputs in the order of their branch, each filled up with -1 to the largest; one partition for all neurons."""
        branch = self.branch[0]
        members = [torch.nonzero(branch == index).flatten() for index in range(self.branches)]
        padded = nn.utils.rnn.pad_sequence(members, batch_first=True, padding_value=-1)
        ordered: NDArray[np.int64] = padded.reshape(-1).numpy()
        return ordered


class Branching:
    """What blocks with branches share: their neuron, a partition, and sums by branch.

    A block says its kind of neuron in ``branch_neuron``.
    """

    branch_neuron: type[Any]
    partition: Partition

    def _furnish(
        self, neuron_params: dict[str, Any], inputs: int, outputs: int, partition: dict[str, Any] | None, quantise: bool
    ) -> None:
        """Give the block its neuron and its partition in place of the plain ones."""
        block: Any = self
        block.neuron = self.branch_neuron(channels=outputs, **neuron_params)
        if quantise:
            block.synapse.pre_hook_fx = block.neuron.quantize_8bit
        block.partition = Partition(inputs, outputs, block.neuron.branches, **(partition or {}))

    def expanded(self, weight: torch.Tensor) -> torch.Tensor:
        """Weights (neuron, in, ...) as (branch, neuron, in, ...), zero where an input is another branch's."""
        return self.partition.expand(weight.flatten(1)).view(self.partition.branches, *weight.shape)

    def branch_sums(self, x: torch.Tensor) -> torch.Tensor:
        """Sums (sample, branch, channel, ..., time) of spikes (sample, in, ..., time)."""
        block: Any = self
        weight = synapses.weight_of(block.synapse)
        if x.dim() == 3 and not x.is_cuda:
            return self._of_columns(x.unsqueeze(2), weight, lambda rows: columns(x.unsqueeze(2), rows)).squeeze(3)
        if x.dim() == 5 and synapses.is_narrow(x, block.synapse):
            sums = self._of_columns(x, weight, lambda rows: synapses.kernel_columns(x, block.synapse, rows))
            return sums.unsqueeze(4)
        return self._of_any(x, weight)

    def _of_columns(
        self, x: torch.Tensor, weight: torch.Tensor, take: Callable[[NDArray[np.int64]], torch.Tensor]
    ) -> torch.Tensor:
        """Sums (sample, branch, neuron, height, time) as products with the columns that ``take`` gives."""
        branches, out = self.partition.branches, weight.shape[0]
        flat = weight.flatten(1)
        if len(self.partition.branch) == 1:
            # One partition for all: a branch needs its own inputs alone, and the sums cost what a LIF layer's cost.
            rows = self.partition.rows()
            taken = take(rows)
            silent = torch.cat([flat, flat.new_zeros(out, 1)], dim=1)
            chosen = silent[:, rows].view(out, branches, -1).transpose(0, 1)
            sums = torch.matmul(chosen, taken.view(len(x), branches, chosen.shape[2], -1))
        else:
            taken = take(np.arange(flat.shape[1]))
            sums = torch.matmul(self.partition.expand(flat).flatten(0, 1), taken.flatten(2))
        return sums.view(len(x), branches, out, taken.shape[2], x.shape[-1])

    def _of_any(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        block: Any = self
        synapse = block.synapse
        spikes = x[:, :, None, None] if x.dim() == 3 else x
        sums = functional.conv3d(
            spikes, self.expanded(weight).flatten(0, 1), None, synapse.stride, synapse.padding, synapse.dilation
        )
        parted = sums.view(len(x), self.partition.branches, weight.shape[0], *sums.shape[2:])
        return parted[:, :, :, 0, 0] if x.dim() == 3 else parted


def refuse_options(options: dict[str, Any]) -> None:
    """Refuse what blocks with branches do not have."""
    for refused in ("delay", "mask"):
        given = options.get(refused)
        if given is not None and given is not False:
            raise ValueError(f"a block with dendrites has no {refused}")


def plain_params(neuron_params: dict[str, Any]) -> dict[str, Any]:
    """Parameters that the stock block, whose neuron is replaced, is content with."""
    own = ("branch_taus", "per_channel")
    return {"current_decay": 1.0, **{key: value for key, value in neuron_params.items() if key not in own}}
