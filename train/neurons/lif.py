"""CUBA LIF neuron and blocks: SLAYER's, with the fast kernels in their place.

They are subclasses of ``lava.lib.dl.slayer``'s, so whatever takes SLAYER's blocks takes these, and
a network of stock blocks with the same weights gives the same spikes.

Two things SLAYER (lava-dl 0.6.0) gets wrong are right here:

* ``shared_param=False``, a decay per channel, works in convolution blocks. SLAYER broadcasts the
  decays along the width.
* The gradient of a decay points the right way. SLAYER returns the gradient with respect to
  ``1 - decay / 4096`` (``sum(grad_x[1:] * y[:-1])``) as that with respect to ``decay``: with
  ``y[t] = (1 - decay / 4096) y[t-1] + x[t]`` it lacks a factor of -1/4096, so a learnable decay
  climbs the loss. The neuron puts the factor in with a hook.
"""

from typing import Any

import torch

from train.neurons import layers, slayer, synapses
from train.neurons.dynamics import DECAY_ONE, dh_lif, leaky_integrator
from train.neurons.population import Neuron as Constants
from train.neurons.wiring import Wires

# From here on float32 at the state's scale cannot hold SLAYER's threshold_eps of 0.01.
_COARSE_STATE = 1 << 18


class Neuron(slayer.cuba.Neuron):  # type: ignore[misc]
    """SLAYER's CUBA LIF neuron on fast kernels.

    Parameters
    ----------
    *args, **kwargs
        As for ``slayer.neuron.cuba.Neuron``. With ``shared_param=False`` a decay given as (low, high)
        is spread evenly over the channels, one given as a number is the same in all; nothing is drawn.
    channels
        Number of decays with ``shared_param=False``, if known; otherwise taken from the first input.
    """

    current_state: torch.Tensor
    voltage_state: torch.Tensor

    def __init__(self, *args: Any, channels: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A whole state v exceeds the threshold where v >= threshold + eps, for every eps below 1.
        if self.threshold * self.s_scale >= _COARSE_STATE:
            self.threshold_eps = 0.5 / self.s_scale
        if not self.shared_param:
            self._given = {"current_decay": kwargs.get("current_decay"), "voltage_decay": kwargs.get("voltage_decay")}
            if args[1:2]:
                self._given["current_decay"] = args[1]
            if args[2:3]:
                self._given["voltage_decay"] = args[2]
            if channels is not None:
                self._spread(channels)

    def settle(self, shape: torch.Size) -> None:
        """Fix the shape (channel, ...) of the population; a later input of another shape is an error."""
        self.shape = shape
        self.num_neurons = shape.numel()
        if not self.shared_param and self.current_decay.numel() != shape[0]:
            self._spread(shape[0])

    def dynamics(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: A002
        """Current and voltage (before reset), each of the input's shape (sample, channel, ..., time)."""
        self._check(input)
        if not self.persistent_state or self.current_state.shape != input.shape[:-1]:
            self.current_state = torch.zeros(1, device=input.device)
            self.voltage_state = torch.zeros(1, device=input.device)
        current = leaky_integrator(input, self._register("current_decay"), self.current_state, self.s_scale)
        if self.norm is not None:
            current = self.norm(current)
        limit = self.threshold + self.threshold_eps
        voltage = leaky_integrator(current, self._register("voltage_decay"), self.voltage_state, self.s_scale, limit)
        if self.persistent_state:
            self.current_state = current[..., -1].detach().clone()
            self.voltage_state = voltage[..., -1].detach().clone()
        return current, voltage

    def fuses(self, input: torch.Tensor) -> bool:  # noqa: A002
        """Whether one kernel can do it all: on the CPU, nothing between current and voltage, no state kept."""
        plain = self.norm is None and not self.graded_spike and not self.persistent_state and not self.debug
        return plain and not input.is_cuda and input.dtype == torch.float32

    def forward(self, input: torch.Tensor, shift: int = 0) -> torch.Tensor:  # noqa: A002
        """Spikes for the weighted input, ``shift`` steps late (only where ``fuses`` holds)."""
        if not self.fuses(input):
            spikes: torch.Tensor = super().forward(input)
            return spikes
        self._check(input)
        branch_decay, gain, voltage_decay = self.registers()
        spikes = dh_lif(input.unsqueeze(1), branch_decay, gain, voltage_decay, *self.constants(), shift)
        return self.dropped(spikes)

    def prepare(self, shape: torch.Size) -> None:
        """Take input for a population of shape (sample, channel, ..., time): what comes before any step."""
        if self.shape is None:
            self.settle(shape[1:-1])
        if shape[1:-1] != self.shape:
            raise AssertionError(f"input of shape {tuple(shape)} for neurons of shape {tuple(self.shape)}")
        if self.requires_grad:
            self.clamp()

    def registers(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Decays (branch, 1 or channel), gains (branch,) and voltage decay (1 or channel,) as the kernels take them."""
        return self._register("current_decay").unsqueeze(0), torch.ones(1), self._register("voltage_decay")

    def constants(self) -> Constants:
        """What else the kernels take."""
        return Constants(
            self.threshold + self.threshold_eps,
            self.tau_rho * slayer.cuba.TAU_RHO_MULT,
            self.scale_rho * slayer.cuba.SCALE_RHO_MULT,
            self.s_scale,
        )

    def dropped(self, spikes: torch.Tensor) -> torch.Tensor:
        """Spikes after dropout."""
        return spikes if self.drop is None else self.drop(spikes)

    def _check(self, x: torch.Tensor) -> None:
        self.prepare(x.shape)

    def _register(self, name: str) -> torch.Tensor:
        """A decay as the chip's whole number, its gradient put right on the way back."""
        return self._whole(getattr(self, name))

    @staticmethod
    def _whole(decay: torch.Tensor) -> torch.Tensor:
        register: torch.Tensor = slayer.utils.quantize(decay)
        if register.requires_grad:
            register.register_hook(lambda grad: grad * (-1.0 / DECAY_ONE))  # type: ignore[no-untyped-call]
        return register

    def _spread(self, channels: int) -> None:
        for name, given in self._given.items():
            low, high = given if isinstance(given, (tuple, list)) else (given, given)
            parameter = getattr(self, name)
            parameter.data = self.p_scale * torch.linspace(low, high, channels, device=parameter.device)


class _Fast:
    """What the blocks share: the fast neuron in the stock one's place, and the way from sums to spikes."""

    def _adopt(self, neuron_params: dict[str, Any], channels: int | None, pre_hook: bool) -> None:
        block: Any = self
        block.neuron = Neuron(**neuron_params, channels=channels)
        if pre_hook:
            block.synapse.pre_hook_fx = block.neuron.quantize_8bit

    def _answer(self, sums: torch.Tensor) -> Any:
        block: Any = self
        if block.neuron.fuses(sums):
            spikes = block.neuron(sums, shift=int(block.delay_shift))
        else:
            spikes = block.neuron(sums)
            if block.delay_shift:
                spikes = slayer.step_delay(block, spikes)
        return self._sent(spikes)

    def _layer(self, x: torch.Tensor, partition: Any = None) -> Any:
        """Spikes of weights and neurons in one, for input and a synapse that ``synapses.is_plain`` of."""
        block: Any = self
        neuron, synapse = block.neuron, block.synapse
        weight = synapses.weight_of(synapse)
        height, branch = (x.shape[2] if x.dim() == 5 else 1), (None if partition is None else partition.branch)
        wires: Wires | None = getattr(block, "_wires", None)
        if wires is None or not wires.fits(x.shape[1], height, branch):
            parted = {} if partition is None else {"branches": partition.branches, "share": partition.share}
            out, _, kernel = weight.shape[:3]
            wires = block._wires = Wires(x.shape[1], height, out, kernel, synapse.padding[0], branch, **parted)
        space = (wires.positions, 1) if x.dim() == 5 else ()
        neuron.prepare(torch.Size((len(x), wires.out, *space, x.shape[-1])))
        decay, gain, decay_v = neuron.registers()
        spikes = layers.layer(x, weight, wires, decay, gain, decay_v, neuron.constants(), int(block.delay_shift))
        return self._sent(neuron.dropped(spikes))

    def _sent(self, spikes: torch.Tensor) -> Any:
        block: Any = self
        if block.delay is not None:
            spikes = block.delay(spikes)
        return (spikes, (spikes > 0).float().mean()) if block.count_log else spikes


class Dense(_Fast, slayer.block.cuba.Dense):  # type: ignore[misc]
    """Dense block; arguments as ``slayer.block.cuba.Dense``'s."""

    def __init__(self, neuron_params: dict[str, Any], in_neurons: int, out_neurons: int, **options: Any) -> None:
        super().__init__(dict(neuron_params), in_neurons, out_neurons, **options)
        self._adopt(neuron_params, out_neurons, options.get("pre_hook_fx") is None)

    def forward(self, x: torch.Tensor) -> Any:
        """Spikes (sample, neuron, time) for spikes (sample, neuron, time)."""
        if self.mask is not None:
            self.synapse.weight.data *= self.mask
        if self.neuron.fuses(x) and synapses.is_plain(x, self.synapse):
            return self._layer(x)
        return self._answer(synapses.dense(x, self.synapse))


class Conv(_Fast, slayer.block.cuba.Conv):  # type: ignore[misc]
    """Convolution block; arguments as ``slayer.block.cuba.Conv``'s."""

    def __init__(self, neuron_params: dict[str, Any], in_features: int, out_features: int, *args: Any, **options: Any):
        super().__init__(dict(neuron_params), in_features, out_features, *args, **options)
        self._adopt(neuron_params, out_features, options.get("pre_hook_fx") is None)

    def forward(self, x: torch.Tensor) -> Any:
        """Spikes for spikes, each (sample, channel, height, width, time)."""
        if self.neuron.fuses(x) and synapses.is_plain(x, self.synapse):
            return self._layer(x)
        return self._answer(synapses.conv(x, self.synapse))


class Pool(_Fast, slayer.block.cuba.Pool):  # type: ignore[misc]
    """Pooling block whose kernels do not overlap; arguments as ``slayer.block.cuba.Pool``'s."""

    def __init__(self, neuron_params: dict[str, Any], kernel_size: int | tuple[int, int], **options: Any) -> None:
        super().__init__(dict(neuron_params), kernel_size, **options)
        self._adopt({**neuron_params, "norm": None}, None, options.get("pre_hook_fx") is None)
        plain = self.synapse.stride == self.synapse.kernel_size and self.synapse.dilation == (1, 1, 1)
        if not plain or any(self.synapse.padding):
            raise ValueError("a pooling block strides by its kernel, unpadded and undilated")

    def forward(self, x: torch.Tensor) -> Any:
        """Spikes for spikes, each (sample, channel, height, width, time)."""
        size, width = self.synapse.kernel_size[:2]
        if (
            not (self.neuron.fuses(x) and x.dim() == 5 and x.shape[3] == width == 1)
            or self.synapse.weight.requires_grad
        ):
            return self._answer(synapses.pool(x, self.synapse))
        self.neuron.prepare(torch.Size((*x.shape[:2], -(-x.shape[2] // size), *x.shape[3:])))
        weight = float(synapses.weight_of(self.synapse).reshape(-1)[0])
        (current_decay,), _, voltage_decay = self.neuron.registers()
        shift = int(self.delay_shift)
        spikes = layers.pool(x, size, weight, current_decay, voltage_decay, self.neuron.constants(), shift)
        return self._sent(self.neuron.dropped(spikes))


class Flatten(slayer.block.cuba.Flatten):  # type: ignore[misc]
    """Flatten block: (sample, channel, height, width, time) to (sample, neuron, time), channel slowest."""

    shape: Any

    def forward(self, x: torch.Tensor) -> Any:
        """Spikes (sample, neuron, time), in frames on the CPU as the layers before and after have them."""
        if not x.is_cuda and x.dim() == 5:
            if self.shape is None:
                self.shape = [x.shape[1:-1].numel(), 1, 1]
            flat = x.permute(0, 4, 1, 2, 3).flatten(2).transpose(1, 2)
            return (flat, None) if self.count_log else flat
        return super().forward(x)


class Input(_Fast, slayer.block.cuba.Input):  # type: ignore[misc]
    """Input block; arguments as ``slayer.block.cuba.Input``'s."""

    def __init__(self, neuron_params: dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(None if neuron_params is None else dict(neuron_params), **options)
        if neuron_params is not None:
            self.neuron = Neuron(**neuron_params)
            self.pre_hook_fx = self.neuron.quantize_8bit
