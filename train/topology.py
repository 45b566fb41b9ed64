"""The one fixed network, as LIF, DH-LIF and ANN, built from one plan of sizes.

Convolutions run along the feature axis (height), each followed by average pooling along it; then
dense layers; then the heads, one dense layer whose outputs are the classes of all heads in a row.
No layer has a bias. What differs between them is the neuron alone: a network with dendrites has the
weights of its LIF twin, as many and in the same places.

Average pooling in spikes: a block of neurons feeds one integrator without leak (current decay 1,
voltage decay 0, weight 1), which fires once for every ``pool_threshold`` passed. With the default
of 1.5 two spikes make one, the average of a pair.
"""

import functools
import math
from typing import Any

import torch
from jaxtyping import Float
from torch import nn
from torch.nn import functional

from train.config import Config
from train.config_checks import SEGMENTATION
from train.neurons import dh_lif, dh_spiking, lif, slayer
from train.neurons.branches import branch_taus, decay_of, gain_of
from train.neurons.dynamics import DECAY_ONE
from train.neurons.dynamics import dh_lif as dh_lif_dynamics
from train.plan import LayerPlan, plan_dendrites, plan_layers
from train.segmentation.step_readout import StepReadout

# vThMant is 17 bits and the threshold times 64.
THRESHOLD_MAX = 2047.0
# Spike densities that the initial weights reckon with: of the input, and that wanted of every layer.
_INPUT_RATE = 0.1
_HIDDEN_RATE = 0.05
# Neurons of a layer differ in rate about as much as their mean rate.
_HIDDEN_SPREAD = 1.5
_TRIAL_NEURONS = 256
_STEPS = 100


class SpikingNetwork(nn.Module):
    """The network of CUBA LIF or DH-LIF neurons, in SLAYER blocks.

    Attributes
    ----------
    plan
        Sizes of every block, in order.
    blocks
        The blocks, one for each entry of ``plan``.
    layer_names
        Names of the spiking layers: ``plan`` without ``flatten``.
    readout
        Where every step is told, what reads the last layer's spikes in place of heads.
    """

    readout: StepReadout | None

    def __init__(self, config: Config, plan: tuple[LayerPlan, ...]) -> None:
        super().__init__()
        self.plan = plan_dendrites(config, plan)
        self.layer_names = tuple(layer.name for layer in self.plan if layer.kind != "flatten")
        starts: list[tuple[float, tuple[float, ...]] | None] = []
        rate, spread = _INPUT_RATE, 0.0
        for layer in self.plan:
            if layer.kind in ("conv", "dense"):
                starts.append(initial_weights(config, layer, rate, spread))
                rate, spread = _HIDDEN_RATE, _HIDDEN_SPREAD
            else:
                starts.append(None)
        self.blocks = nn.ModuleList(
            _block(layer, config, number, start[0] if start else 0.0)
            for number, (layer, start) in enumerate(zip(self.plan, starts, strict=True))
        )
        for block, start in zip(self.blocks, starts, strict=True):
            if start is not None:
                _draw_weights(block, start[1])
        self.readout = None

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
    ) -> Float[torch.Tensor, "sample neuron *step"]:
        """Spike counts (sample, neuron), or the scores (sample, class, step) that the readout gives."""
        output: torch.Tensor = self(spikes)
        return counts(output) if self.readout is None else self.readout(output)


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
    if config.task.name == SEGMENTATION:
        network = SpikingNetwork(config, plan_layers(config.network, channels, features, 0))
        latency = len(network.layer_names)
        network.readout = StepReadout(network.plan[-1].channels_out, outputs, config.task.readout_steps, latency)
        return network
    plan = plan_layers(config.network, channels, features, outputs)
    return AnnNetwork(config, plan) if config.network.neuron == "ann" else SpikingNetwork(config, plan)


def counts(spikes: Float[torch.Tensor, "sample neuron time"]) -> Float[torch.Tensor, "sample neuron"]:
    """Spike counts (sample, neuron) of spikes (sample, neuron, time)."""
    return spikes.sum(dim=-1)


def initial_weights(
    config: Config, layer: LayerPlan, rate: float, spread: float = 0.0
) -> tuple[float, tuple[float, ...]]:
    """A layer's threshold, and the standard deviation of its zero-mean initial weights, one a branch.

    They make neurons fire at ``_HIDDEN_RATE`` where inputs fire independently, their rates (spikes a step) having
    mean ``rate`` and standard deviation ``spread * rate``. Weights follow the threshold, times ``weight_scale``; or
    the threshold follows from ``weight_std``, where that is given. A layer without branches has one deviation.
    """
    lif_config, dendrites = config.lif, config.dendrites
    taus = branch_taus(max(1, layer.branches), dendrites.tau_low, dendrites.tau_high)
    decays = [decay_of(tau) for tau in taus]
    if not layer.branches:
        threshold = lif_config.threshold
        drives = [_drive((lif_config.current_decay,), (0,), lif_config.voltage_decay, rate, spread)]
    elif dendrites.realisation == "analog":
        threshold = dendrites.threshold
        gains = tuple(gain_of(DECAY_ONE * decay) for decay in decays)
        drives = [_drive(tuple(decays), gains, lif_config.voltage_decay, rate, spread)] * layer.branches
    else:
        # Every compartment is a neuron of its own, with its share of the inputs.
        threshold = dendrites.branch_threshold
        drives = [_drive((1.0,), (0,), decay, rate, spread) * math.sqrt(layer.branches) for decay in decays]
    per_threshold = [lif_config.weight_scale * drive / math.sqrt(layer.fan_in) for drive in drives]
    if lif_config.weight_std:
        mean_square = sum(std**2 for std in per_threshold) / len(per_threshold)
        threshold = min(THRESHOLD_MAX, max(1 / 64, lif_config.weight_std / math.sqrt(mean_square)))
    return threshold, tuple(threshold * std for std in per_threshold)


@functools.cache
def _drive(
    current_decays: tuple[float, ...], gains: tuple[int, ...], voltage_decay: float, rate: float, spread: float
) -> float:
    """Weights' standard deviation times the root of the fan-in, in thresholds.

    Found by bisection on a population of ``_TRIAL_NEURONS`` neurons over ``_STEPS`` steps whose inputs have the mean
    and variance of such sums of spikes, shared out evenly among the branches.
    """
    source = torch.Generator().manual_seed(0)
    size = (1, len(current_decays), _TRIAL_NEURONS)
    lasting = torch.randn(*size, 1, generator=source) * rate * math.sqrt(1 + spread**2)
    passing = torch.randn(*size, _STEPS, generator=source) * math.sqrt(rate * (1 - rate))
    sums = (lasting + passing) / math.sqrt(len(current_decays))
    branch_decay = torch.tensor([[round(decay * DECAY_ONE)] for decay in current_decays])
    soma_decay = torch.tensor([round(voltage_decay * DECAY_ONE)])
    gain = 2.0 ** -torch.tensor(gains, dtype=torch.float32)

    def firing(drive: float) -> float:
        # A threshold far above the states' resolution, so that only the ratio counts.
        inputs = sums * (drive * 64.0)
        spikes = dh_lif_dynamics(inputs, branch_decay, gain, soma_decay, 64.0, 64.0, 1.0, DECAY_ONE)
        return float(spikes.mean())

    low, high = -12.0, 6.0
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (low, middle) if firing(2.0**middle) > _HIDDEN_RATE else (middle, high)
    drive: float = 2.0**high
    return drive


def _draw_weights(block: Any, stds: tuple[float, ...]) -> None:
    """Uniform weights; from one seed a network with dendrites draws those of its LIF twin, scaled."""
    weight = block.synapse.weight
    bound = math.sqrt(3) * stds[0]
    nn.init.uniform_(weight, -bound, bound)
    # Without a common drift, a small layer's rate depends less on the draw.
    weight.data -= weight.data.mean()
    if len(stds) > 1:
        scale = torch.tensor(stds) / stds[0]
        weight.data *= scale[block.partition.of_weights()].view(weight.shape)


def _block(layer: LayerPlan, config: Config, number: int, threshold: float) -> nn.Module:
    block: Any
    if layer.kind == "flatten":
        block = lif.Flatten()
        block.shape = [layer.channels_out, 1, 1]
        flatten: nn.Module = block
        return flatten
    if layer.kind == "pool":
        block = lif.Pool(
            {"threshold": config.lif.pool_threshold, "current_decay": 1.0, "voltage_decay": 0.0},
            (layer.kernel, 1),
        )
    elif layer.kind in ("soma", "conv_soma"):
        dendrites = config.dendrites
        neuron = _neuron(config, layer) | {"current_decay": 1.0, "threshold": dendrites.soma_threshold}
        block = dh_spiking.Soma(neuron, layer.channels_out, layer.branches, dendrites.soma_weights == "learned")
    else:
        block = _weighted(layer, config, number, threshold)
    dense = layer.kind in ("dense", "soma")
    block.neuron.settle(torch.Size((layer.channels_out,) if dense else (layer.channels_out, layer.height_out, 1)))
    built: nn.Module = block
    return built


def _weighted(layer: LayerPlan, config: Config, number: int, threshold: float) -> nn.Module:
    """A convolution or dense layer, with dendrites or without."""
    spiking = config.dendrites.realisation == "spiking"
    kinds: Any = (lif.Conv, lif.Dense)
    options: dict[str, Any] = {}
    neuron = _neuron(config, layer) | {"threshold": threshold}
    outputs = layer.channels_out
    if layer.branches:
        dendrites = config.dendrites
        kinds = (dh_spiking.BranchConv, dh_spiking.BranchDense) if spiking else (dh_lif.Conv, dh_lif.Dense)
        del neuron["current_decay"]
        neuron |= {
            "branch_taus": branch_taus(layer.branches, dendrites.tau_low, dendrites.tau_high),
            "per_channel": dendrites.per_channel,
            "shared_param": True,
        }
        if spiking:
            outputs //= layer.branches
        seed = config.training.seed * 1000 + number
        options["partition"] = {"share": dendrites.mask_share, "kind": dendrites.mask, "seed": seed}
    if layer.kind == "conv":
        padding = (layer.kernel // 2, 0)
        built: nn.Module = kinds[0](neuron, layer.channels_in, outputs, (layer.kernel, 1), padding=padding, **options)
    else:
        built = kinds[1](neuron, layer.channels_in, outputs, **options)
    return built


def _neuron(config: Config, layer: LayerPlan) -> dict[str, Any]:
    drops = config.network.dropout > 0 and layer.kind in ("dense", "soma")
    # Of a layer with compartments the somata drop.
    drops = drops and layer.name != "heads" and not layer.name.endswith("_branches")
    return {
        "threshold": config.lif.threshold,
        "current_decay": config.lif.current_decay,
        "voltage_decay": config.lif.voltage_decay,
        "tau_grad": config.lif.tau_grad,
        "scale_grad": config.lif.scale_grad,
        "shared_param": not config.lif.per_channel,
        "requires_grad": config.lif.learn_decays,
        "dropout": slayer.Dropout(config.network.dropout) if drops else None,
    }


def _ann_weight(layer: LayerPlan) -> nn.Parameter:
    shape = [layer.channels_out, layer.channels_in] + ([layer.kernel, 1] if layer.kind == "conv" else [])
    weight = torch.empty(shape)
    nn.init.kaiming_uniform_(weight, nonlinearity="linear" if layer.name == "heads" else "relu")
    return nn.Parameter(weight)
