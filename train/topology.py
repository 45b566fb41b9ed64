"""The one fixed network, as LIF and as ANN, built from one plan of sizes.

Convolutions run along the feature axis (height), each followed by average pooling along it; then
dense layers; then the heads, one dense layer whose outputs are the classes of all heads in a row.
No layer has a bias. What differs between the two is the neuron alone.

Average pooling in spikes: a block of neurons feeds one integrator without leak (current decay 1,
voltage decay 0, weight 1), which fires once for every ``pool_threshold`` passed. With the default
of 1.5 two spikes make one, the average of a pair.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import nn
from torch.nn import functional

from train.config import Config, LifConfig, NetworkConfig
from train.errors import CallError
from train.neurons import lif, slayer
from train.neurons.dynamics import DECAY_ONE, cuba_lif

# Spike densities that the initial weights reckon with: of the input, and that wanted of every layer.
_INPUT_RATE = 0.1
_HIDDEN_RATE = 0.05
# Neurons of a layer differ in rate about as much as their mean rate.
_HIDDEN_SPREAD = 1.5
_TRIAL_NEURONS = 256
_STEPS = 100


@dataclass(frozen=True)
class LayerPlan:
    """Sizes of a layer. Dense layers have height 1 and their neurons as channels.

    ``height_in`` and ``height_out`` count along the feature axis; ``kernel`` is along it too.
    """

    name: str
    kind: str
    channels_in: int
    channels_out: int
    height_in: int
    height_out: int
    kernel: int = 1

    @property
    def fan_in(self) -> int:
        return self.channels_in * self.kernel


def plan_layers(network: NetworkConfig, channels: int, features: int, outputs: int) -> tuple[LayerPlan, ...]:
    """Every layer's sizes, from input (channel, feature) to the heads' ``outputs`` neurons.

    Raises
    ------
    CallError
        An even convolution kernel, or a pool larger than what is left of the feature axis.
    """
    layers = []
    height = features
    for index, (size, kernel, pool) in enumerate(
        zip(network.conv_channels, network.conv_kernels, network.pools, strict=True), start=1
    ):
        if kernel % 2 == 0:
            raise CallError("configuration key network.conv_kernels", f"has {kernel}", allowed="odd sizes")
        layers.append(LayerPlan(f"conv{index}", "conv", channels, size, height, height, kernel))
        channels = size
        if pool > height:
            raise CallError(
                "configuration key network.pools",
                f"has {pool} where {height} features are left",
                allowed=f"at most {height}",
            )
        if pool > 1:
            pooled = math.ceil(height / pool)
            layers.append(LayerPlan(f"pool{index}", "pool", channels, channels, height, pooled, pool))
            height = pooled
    neurons = channels * height
    layers.append(LayerPlan("flatten", "flatten", channels, neurons, height, 1))
    for index, size in enumerate(network.dense, start=1):
        layers.append(LayerPlan(f"dense{index}", "dense", neurons, size, 1, 1))
        neurons = size
    layers.append(LayerPlan("heads", "dense", neurons, outputs, 1, 1))
    return tuple(layers)


class SpikingNetwork(nn.Module):
    """The network of CUBA LIF neurons, in SLAYER blocks.

    Attributes
    ----------
    plan
        Sizes of every block, in order.
    blocks
        The blocks, one for each entry of ``plan``.
    layer_names
        Names of the spiking layers: ``plan`` without ``flatten``.
    """

    def __init__(self, config: Config, plan: tuple[LayerPlan, ...]) -> None:
        super().__init__()
        self.plan = plan
        self.layer_names = tuple(layer.name for layer in plan if layer.kind != "flatten")
        self.blocks = nn.ModuleList(_block(layer, config) for layer in plan)
        rate, spread = _INPUT_RATE, 0.0
        for layer, block in zip(plan, self.blocks, strict=True):
            if layer.kind in ("conv", "dense"):
                bound = math.sqrt(3) * initial_weight_std(config.lif, layer.fan_in, rate, spread)
                nn.init.uniform_(block.synapse.weight, -bound, bound)
                # Without a common drift, a small layer's rate depends less on the draw.
                block.synapse.weight.data -= block.synapse.weight.data.mean()
                rate, spread = _HIDDEN_RATE, _HIDDEN_SPREAD

    def forward(
        self, spikes: Float[torch.Tensor, "sample channel feature 1 time"]
    ) -> Float[torch.Tensor, "sample neuron time"]:
        """Output spikes (sample, neuron, time) for spikes (sample, channel, feature, 1, time)."""
        for block in self.blocks:
            spikes = block(spikes)
        return spikes

    def layers(
        self, spikes: Float[torch.Tensor, "sample channel feature 1 time"]
    ) -> list[Float[torch.Tensor, "sample *_layer time"]]:
        """Every spiking layer's output spikes, in the order of ``layer_names``."""
        found = []
        for layer, block in zip(self.plan, self.blocks, strict=True):
            spikes = block(spikes)
            if layer.kind != "flatten":
                found.append(spikes)
        return found

    def scores(
        self, spikes: Float[torch.Tensor, "sample channel feature 1 time"]
    ) -> Float[torch.Tensor, "sample neuron"]:
        """Spike counts (sample, neuron)."""
        return counts(self(spikes))


class AnnNetwork(nn.Module):
    """The same sizes with ReLU: each time step on its own, their mean goes to the heads."""

    def __init__(self, config: Config, plan: tuple[LayerPlan, ...]) -> None:
        super().__init__()
        self.plan = plan
        self.dropout = config.network.dropout
        self.weights = nn.ParameterList(_ann_weight(layer) for layer in plan if layer.kind in ("conv", "dense"))

    def forward(self, x: Float[torch.Tensor, "sample channel feature 1 time"]) -> Float[torch.Tensor, "sample neuron"]:
        """Logits (sample, neuron) for an input (sample, channel, feature, 1, time)."""
        x = x.squeeze(3)
        weights = iter(self.weights)
        for layer in self.plan:
            if layer.kind == "flatten":
                x = x.flatten(1, 2)
            elif layer.kind == "pool":
                x = functional.pad(x, (0, 0, 0, -layer.height_in % layer.kernel))
                x = functional.avg_pool2d(x, (layer.kernel, 1))
            elif layer.kind == "conv":
                x = functional.relu(functional.conv2d(x, next(weights), padding=(layer.kernel // 2, 0)))
            elif layer.name == "heads":
                x = functional.linear(x.mean(dim=-1), next(weights))
            else:
                x = functional.relu(torch.matmul(next(weights), x))
                # A neuron is dropped for all time, as in the spiking network.
                x = functional.dropout1d(x, self.dropout, self.training)
        return x

    def scores(self, x: Float[torch.Tensor, "sample channel feature 1 time"]) -> Float[torch.Tensor, "sample neuron"]:
        """Logits (sample, neuron)."""
        logits: torch.Tensor = self(x)
        return logits


def build_network(config: Config, channels: int, features: int, outputs: int) -> SpikingNetwork | AnnNetwork:
    """The configured network for inputs of (channel, feature) and ``outputs`` classes in all heads together.

    Weights come from torch's global generator: seed it first.
    """
    plan = plan_layers(config.network, channels, features, outputs)
    return AnnNetwork(config, plan) if config.network.neuron == "ann" else SpikingNetwork(config, plan)


def counts(spikes: Float[torch.Tensor, "sample neuron time"]) -> Float[torch.Tensor, "sample neuron"]:
    """Spike counts (sample, neuron) of spikes (sample, neuron, time)."""
    return spikes.sum(dim=-1)


def initial_weight_std(config: LifConfig, fan_in: int, rate: float, spread: float = 0.0) -> float:
    """Standard deviation of zero-mean initial weights that makes neurons fire at ``_HIDDEN_RATE``.

    The ``fan_in`` inputs fire independently, their rates (spikes a step) having mean ``rate`` and standard
    deviation ``spread * rate``. Scales with the threshold, times ``weight_scale``.
    """
    drive = _drive(config.current_decay, config.voltage_decay, rate, spread)
    return config.weight_scale * config.threshold * drive / math.sqrt(fan_in)


@functools.cache
def _drive(current_decay: float, voltage_decay: float, rate: float, spread: float) -> float:
    """Weights' standard deviation times the root of the fan-in, in thresholds.

    Found by bisection on a population of ``_TRIAL_NEURONS`` neurons over ``_STEPS`` steps whose inputs have the mean
    and variance of such sums of spikes.
    """
    source = torch.Generator().manual_seed(0)
    lasting = torch.randn(1, _TRIAL_NEURONS, 1, generator=source) * rate * math.sqrt(1 + spread**2)
    passing = torch.randn(1, _TRIAL_NEURONS, _STEPS, generator=source) * math.sqrt(rate * (1 - rate))
    sums = lasting + passing
    decays = [torch.tensor([round(decay * DECAY_ONE)]) for decay in (current_decay, voltage_decay)]

    def firing(drive: float) -> float:
        # A threshold far above the states' resolution, so that only the ratio counts.
        spikes = cuba_lif(sums * (drive * 64.0), decays[0], decays[1], 64.0, 64.0, 1.0, DECAY_ONE)
        return float(spikes.mean())

    low, high = -12.0, 6.0
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (low, middle) if firing(2.0**middle) > _HIDDEN_RATE else (middle, high)
    drive: float = 2.0**high
    return drive


def _block(layer: LayerPlan, config: Config) -> nn.Module:
    if layer.kind == "flatten":
        block = lif.Flatten()
        block.shape = [layer.channels_out, 1, 1]
        return block
    if layer.kind == "pool":
        block = lif.Pool(
            {"threshold": config.lif.pool_threshold, "current_decay": 1.0, "voltage_decay": 0.0},
            (layer.kernel, 1),
        )
    elif layer.kind == "conv":
        block = lif.Conv(
            _neuron(config.lif, None),
            layer.channels_in,
            layer.channels_out,
            (layer.kernel, 1),
            padding=(layer.kernel // 2, 0),
        )
    else:
        drops = config.network.dropout > 0 and layer.name != "heads"
        dropout = slayer.Dropout(config.network.dropout) if drops else None
        block = lif.Dense(_neuron(config.lif, dropout), layer.channels_in, layer.channels_out)
    shape = (layer.channels_out,) if layer.kind == "dense" else (layer.channels_out, layer.height_out, 1)
    block.neuron.settle(torch.Size(shape))
    return block


def _neuron(config: LifConfig, dropout: Any) -> dict[str, Any]:
    return {
        "threshold": config.threshold,
        "current_decay": config.current_decay,
        "voltage_decay": config.voltage_decay,
        "tau_grad": config.tau_grad,
        "scale_grad": config.scale_grad,
        "shared_param": not config.per_channel,
        "requires_grad": config.learn_decays,
        "dropout": dropout,
    }


def _ann_weight(layer: LayerPlan) -> nn.Parameter:
    shape = [layer.channels_out, layer.channels_in] + ([layer.kernel, 1] if layer.kind == "conv" else [])
    weight = torch.empty(shape)
    nn.init.kaiming_uniform_(weight, nonlinearity="linear" if layer.name == "heads" else "relu")
    return nn.Parameter(weight)
