"""DH-LIF: CUBA LIF neurons with dendritic branches, in blocks that look like SLAYER's own.

Every input of a neuron goes to one of its B branches (``train/neurons/branches.py``). A branch is a current
compartment with a decay of its own and a power-of-two gain on its input; the branches' currents add up in the
soma, which spikes and resets as CUBA LIF does (integers: ``export/fixed_point.py``)::

    u_b <- tz(u_b (4096 - iDecay_b) / 4096) + ((a_b << 6) >> g_b)
    v   <- tz(v (4096 - vDecay) / 4096) + sum_b u_b;  s <- v > vth;  v <- 0 where s

After DH-SNN (Zheng et al., Nat Commun 15:277, 2024). Its gain is (1 - beta_b)(1 - alpha), here the power of two
nearest to a branch's decay; its reset is soft and a step late, here CUBA's, so that LIF and DH-LIF differ in
dendrites alone.

This is the analog realisation, which runs in the simulator only: no public microcode of Loihi 2 has such a neuron.
``train/neurons/dh_spiking.py`` is the one for the chip.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from train.neurons import lif, slayer, synapses
from train.neurons.branches import Branching, decay_of, gain_of, plain_params, refuse_options
from train.neurons.dynamics import DECAY_ONE, dh_lif, leaky_integrator


class Neuron(lif.Neuron):
    """DH-LIF neuron.

    Parameters
    ----------
    branch_taus
        Time constant of each branch at the start, in steps: decay ``1 - exp(-1 / tau)``.
    per_channel
        A decay for each branch of each channel, instead of each branch of the layer; learned apart.
    **options
        As ``slayer.neuron.cuba.Neuron``'s, without ``current_decay``.

    Attributes
    ----------
    branch_decay
        Decay registers, one tensor a branch, each of shape (1,) or (channel,).
    gain
        Bits that a branch's input is shifted down by, shape (branch,).
    """

    gain: torch.Tensor

    def __init__(
        self, branch_taus: list[float], channels: int | None = None, per_channel: bool = False, **options: Any
    ) -> None:
        for refused in ("norm", "persistent_state", "graded_spike"):
            if options.get(refused):
                raise ValueError(f"a neuron with dendrites has no {refused}")
        if not options.get("shared_param", True):
            raise ValueError("somata of one layer share their decay; per_channel is for branches")
        super().__init__(current_decay=1.0, channels=channels, **options)
        del self.current_decay
        self.branches = len(branch_taus)
        decays = [DECAY_ONE * (decay_of(tau)) for tau in branch_taus]
        size = (channels or 1) if per_channel else 1
        self.branch_decay = nn.ParameterList(
            nn.Parameter(torch.full((size,), decay), requires_grad=self.requires_grad) for decay in decays
        )
        self.register_buffer("gain", torch.tensor([gain_of(decay) for decay in decays]))

    def clamp(self) -> None:
        """Keep decays within their registers; SLAYER calls it."""
        with torch.no_grad():
            self.voltage_decay.data.clamp_(0, self.p_scale)
            # The first call is of the base class's constructor.
            for decay in getattr(self, "branch_decay", ()):
                decay.data.clamp_(0, self.p_scale)

    @property
    def device(self) -> Any:
        """Where the neuron lives."""
        return self.voltage_decay.device

    @property
    def cx_branch_decay(self) -> NDArray[np.int64]:
        """Decay registers as whole numbers, shape (branch,) or (branch, channel)."""
        self.clamp()
        whole = torch.stack([slayer.utils.quantize(decay).detach() for decay in self.branch_decay])
        values: NDArray[np.int64] = whole.cpu().numpy().astype(np.int64)
        return values[:, 0] if values.shape[1] == 1 else values

    def dynamics(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: A002
        """Sum of the branches' currents, and voltage before reset, for (sample, branch, channel, ..., time)."""
        self._check_branches(input)
        start = torch.zeros(1, device=input.device)
        current = torch.zeros(1, device=input.device)
        for branch, (gain, decay) in enumerate(zip(self.gain.tolist(), self._branch_registers(), strict=True)):
            current = current + leaky_integrator(input[:, branch] * 2.0**-gain, decay, start, self.s_scale)
        limit = self.threshold + self.threshold_eps
        return current, leaky_integrator(current, self._register("voltage_decay"), start, self.s_scale, limit)

    def forward(self, input: torch.Tensor, shift: int = 0) -> torch.Tensor:  # noqa: A002
        """Spikes (sample, channel, ..., time) for weighted input (sample, branch, channel, ..., time).

        ``shift`` steps late, only where ``fuses`` holds.
        """
        if not self.fuses(input):
            _, voltage = self.dynamics(input)
            self.voltage_state = torch.zeros(1, device=input.device)
            spikes: torch.Tensor = self.spike(voltage)
            return spikes
        self._check_branches(input)
        branch_decay, gain, voltage_decay = self.registers()
        return self.dropped(dh_lif(input, branch_decay, gain, voltage_decay, *self.constants(), shift))

    def registers(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Decays (branch, 1 or channel), gains (branch,) and voltage decay (1,) as the kernels take them."""
        return torch.stack(self._branch_registers()), 2.0 ** -self.gain.float(), self._register("voltage_decay")

    def _check_branches(self, x: torch.Tensor) -> None:
        if x.shape[1] != self.branches:
            raise AssertionError(f"input of shape {tuple(x.shape)} for neurons of {self.branches} branches")
        self._check(x[:, 0])

    def _branch_registers(self) -> list[torch.Tensor]:
        return [self._whole(decay) for decay in self.branch_decay]


class Dense(Branching, lif.Dense):
    """Dense block of DH-LIF neurons (analog branches).

    Parameters
    ----------
    neuron_params
        Of :class:`Neuron`.
    in_neurons, out_neurons
        Sizes.
    partition
        Options of :class:`Partition`: share, kind, seed.
    **options
        As ``slayer.block.cuba.Dense``'s, without delay and mask.
    """

    branch_neuron = Neuron

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
        """Spikes (sample, neuron, time) for spikes (sample, neuron, time)."""
        if self.neuron.fuses(x) and synapses.is_plain(x, self.synapse):
            return self._layer(x, self.partition)
        return self._answer(self.branch_sums(x))


class Conv(Branching, lif.Conv):
    """Convolution block of DH-LIF neurons (analog branches), in one group; options as :class:`Dense`'s."""

    branch_neuron = Neuron

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
        """Spikes for spikes, each (sample, channel, height, width, time)."""
        if self.neuron.fuses(x) and synapses.is_plain(x, self.synapse):
            return self._layer(x, self.partition)
        return self._answer(self.branch_sums(x))
