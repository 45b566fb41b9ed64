"""Sizes of every layer of the one fixed network, whatever its neurons."""

import math
from dataclasses import dataclass, replace

from train.config import Config, NetworkConfig
from train.errors import CallError


@dataclass(frozen=True)
class LayerPlan:
    """Sizes of a layer. Dense layers have height 1 and their neurons as channels.

    ``kind`` is conv, pool, flatten or dense; conv_soma and soma are the second of the two layers that a layer with
    spiking dendrites becomes. ``height_in`` and ``height_out`` count along the feature axis; ``kernel`` is along
    it too. ``branches`` is 0 for a layer without dendrites.
    """

    name: str
    kind: str
    channels_in: int
    channels_out: int
    height_in: int
    height_out: int
    kernel: int = 1
    branches: int = 0

    @property
    def fan_in(self) -> int:
        return self.channels_in * self.kernel


def plan_layers(network: NetworkConfig, channels: int, features: int, outputs: int) -> tuple[LayerPlan, ...]:
    """Every layer's sizes, from input (channel, feature) to the heads' ``outputs`` neurons; 0 for no heads.

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
    if outputs:
        layers.append(LayerPlan("heads", "dense", neurons, outputs, 1, 1))
    return tuple(layers)


def plan_dendrites(config: Config, plan: tuple[LayerPlan, ...]) -> tuple[LayerPlan, ...]:
    """The plan with dendrites on the layers that ``dendrites.layers`` names.

    A layer with spiking dendrites becomes two, that of its compartments (``NAME_branches``) and that of its somata.

    Raises
    ------
    CallError
        A layer has fewer inputs a neuron than branches.
    """
    dendrites = config.dendrites
    kinds = {"all": ("conv", "dense"), "early": ("conv",), "late": ("dense",), "none": ()}[dendrites.layers]
    if config.network.neuron != "dh_lif":
        return plan
    found = []
    for layer in plan:
        if layer.kind not in kinds:
            found.append(layer)
            continue
        if layer.fan_in < dendrites.branches:
            raise CallError(
                "configuration key dendrites.branches",
                f"is {dendrites.branches} where a neuron of layer {layer.name} has {layer.fan_in} inputs",
                allowed=f"at most {layer.fan_in}",
            )
        branched = replace(layer, branches=dendrites.branches)
        if dendrites.realisation == "analog":
            found.append(branched)
            continue
        compartments = layer.channels_out * dendrites.branches
        found.append(replace(branched, name=f"{layer.name}_branches", channels_out=compartments))
        kind = "soma" if layer.kind == "dense" else "conv_soma"
        sizes = (compartments, layer.channels_out, layer.height_out, layer.height_out)
        found.append(LayerPlan(layer.name, kind, *sizes, branches=dendrites.branches))
    return tuple(found)
