"""DH-LIF of stock neurons: each branch a population of LIF compartments that spike, gathered by a LIF soma.

A compartment has no current (its decay forgets all at once) and its branch's decay as that of its voltage; it spikes
and resets. The soma adds up its compartments' spikes through one weight each, fixed or learned. Two stock layers,
made of processes known to run on Loihi 2; they cost B more neurons a neuron and one more step of latency.

Neurons of the first layer are ordered neuron by neuron, ``neuron * B + branch``, so that the soma is a convolution
of kernel 1 in as many groups as channels.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from train.neurons import lif
from train.neurons.branches import Branching, decay_of, plain_params, refuse_options
from train.neurons.dynamics import DECAY_ONE

# Weights of a soma's branches at the start add up to this; a single one has at most 254 / 64.
_GATHER_SUM = 4.0
_GATHER_MAX = 254 / 64


class BranchNeuron(lif.Neuron):
    """LIF compartments of branches, each branch with its own voltage decay; channels ``neuron * B + branch``.

    Parameters
    ----------
    branch_taus
        Time constant of each branch at the start, in steps.
    channels
        Neurons (channels), each of ``len(branch_taus)`` compartments.
    per_channel
        A decay for each branch of each channel, instead of each branch of the layer; learned apart.
    **options
        As ``slayer.neuron.cuba.Neuron``'s, without decays.
    """

    def __init__(self, branch_taus: list[float], channels: int, per_channel: bool = False, **options: Any) -> None:
        given = {key: value for key, value in options.items() if key not in ("current_decay", "voltage_decay")}
        super().__init__(current_decay=1.0, voltage_decay=1.0, **given)
        del self.voltage_decay
        self.current_decay.requires_grad_(False)
        self.branches, self.channels = len(branch_taus), channels
        size = channels if per_channel else 1
        self.branch_decay = nn.ParameterList(
            nn.Parameter(torch.full((size,), DECAY_ONE * (decay_of(tau))), requires_grad=self.requires_grad)
            for tau in branch_taus
        )

    @property
    def cx_voltage_decay(self) -> NDArray[np.int64]:
        """Decay register of every compartment, shape (neuron * B + branch,)."""
        self.clamp()
        whole: NDArray[np.int64] = self._register("voltage_decay").detach().cpu().numpy().astype(np.int64)
        return whole

    def _register(self, name: str) -> torch.Tensor:
        if name != "voltage_decay":
            return super()._register(name)
        decays = [self._whole(decay).expand(self.channels) for decay in self.branch_decay]
        return torch.stack(decays, dim=1).reshape(-1)

    def clamp(self) -> None:
        """Keep decays within their registers; SLAYER calls it."""
        with torch.no_grad():
            # The first call is of the base class's constructor.
            for decay in getattr(self, "branch_decay", ()):
                decay.data.clamp_(0, self.p_scale)


class BranchDense(Branching, lif.Dense):
    """Dense block of branches' compartments; arguments as ``dh_lif.Dense``'s, neurons' as :class:`BranchNeuron`'s."""

    branch_neuron = BranchNeuron

    def __init__(
        self,
        neuron_params: dict[str, Any],
        in_neurons: int,
        out_neurons: int,
        partition: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        refuse_options(options)
        super().__init__(plain_params(neuron_params), in_neurons, out_neurons, **options)
        self._furnish(neuron_params, in_neurons, out_neurons, partition, options.get("pre_hook_fx") is not None)

    def forward(self, x: torch.Tensor) -> Any:
        """Spikes (sample, neuron * B + branch, time) for spikes (sample, neuron, time)."""
        return self._answer(self.branch_sums(x).transpose(1, 2).flatten(1, 2))


class BranchConv(Branching, lif.Conv):
    """Convolution block of branches' compartments, in one group; options as :class:`BranchDense`'s."""

    branch_neuron = BranchNeuron

    def __init__(
        self,
        neuron_params: dict[str, Any],
        in_features: int,
        out_features: int,
        *args: Any,
        partition: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        refuse_options(options)
        super().__init__(plain_params(neuron_params), in_features, out_features, *args, **options)
        if self.synapse.groups != 1:
            raise ValueError("a convolution with dendrites has one group")
        inputs = self.synapse.weight[0].numel()
        self._furnish(neuron_params, inputs, out_features, partition, options.get("pre_hook_fx") is not None)

    def forward(self, x: torch.Tensor) -> Any:
        """Spikes (sample, channel * B + branch, height, width, time) for spikes of the convolution's input."""
        return self._answer(self.branch_sums(x).transpose(1, 2).flatten(1, 2))


class _Gather(nn.Module):
    """One weight for every branch of every neuron (channel), quantised as a synapse's."""

    def __init__(self, neurons: int, branches: int, learned: bool) -> None:
        super().__init__()
        # The fewer branches, the more each counts, within what eight bits hold.
        start = min(_GATHER_MAX, _GATHER_SUM / branches)
        self.weight = nn.Parameter(torch.full((neurons, branches), start), requires_grad=learned)
        self.pre_hook_fx: Any = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight if self.pre_hook_fx is None else self.pre_hook_fx(self.weight)
        neurons, branches = weight.shape
        parts = x.reshape(len(x), neurons, branches, -1)
        sums: torch.Tensor = torch.matmul(weight.unsqueeze(1), parts)
        return sums.view(len(x), neurons, *x.shape[2:])


class Soma(lif._Fast, nn.Module):
    """Block of LIF somata, each fed by its own compartments.

    Parameters
    ----------
    neuron_params
        As ``lif.Neuron``'s.
    neurons
        Neurons (channels).
    branches
        Compartments of each.
    learned
        Whether the weights of branches, equal at the start, are learned.
    """

    def __init__(self, neuron_params: dict[str, Any], neurons: int, branches: int, learned: bool = True) -> None:
        super().__init__()
        self.synapse = _Gather(neurons, branches, learned)
        self.delay, self.delay_shift, self.count_log = None, True, False
        self._adopt(neuron_params, neurons, True)

    def forward(self, x: torch.Tensor) -> Any:
        """Spikes (sample, neuron, ..., time) for compartments' spikes (sample, neuron * B + branch, ..., time)."""
        return self._answer(self.synapse(x))
