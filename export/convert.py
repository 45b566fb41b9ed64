"""From SLAYER's blocks to integers. The only module of this stage that needs torch to be imported."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from export.graph import (
    ConvLayer,
    Cuba,
    DenseLayer,
    DhLif,
    FlattenLayer,
    InputLayer,
    Integers,
    Layer,
    Network,
    conv_shape,
)
from train.errors import MaestroError
from train.neurons import dh_lif, dh_spiking, slayer
from train.neurons.branches import Branching


class Blocks(Protocol):
    """What is converted: SLAYER blocks in order, and the names of those that spike."""

    @property
    def blocks(self) -> Any: ...

    @property
    def layer_names(self) -> Sequence[str]: ...


def from_slayer(network: Blocks, input_shape: tuple[int, ...]) -> Network:
    """The integers that SLAYER's quantised forward computes with.

    Pooling becomes a convolution in groups of one channel with SLAYER's own (constant) weights.

    Parameters
    ----------
    network
        ``train.topology.SpikingNetwork``, or anything with its ``blocks`` and ``layer_names``.
    input_shape
        (channel, height, width) or (neuron,) of the spikes it takes.

    Raises
    ------
    MaestroError
        A block that has no integer form: another kind, batch normalisation, graded spikes, no quantisation,
        delays on a convolution. The text names the layer.
    """
    blocks = list(network.blocks)
    outputs = _settle(blocks, input_shape)
    names = iter(network.layer_names)
    layers: list[Layer] = [InputLayer(input_shape)]
    labels = ["input"]
    for block, output in zip(blocks, outputs, strict=True):
        if isinstance(block, slayer.block.cuba.Flatten):
            layers.append(FlattenLayer((output[0],)))
            labels.append("flatten")
            continue
        name = next(names, f"block {len(labels)}")
        layers.append(_layer(block, f"layer {name}", layers[-1].shape, output))
        labels.append(name)
    return Network(tuple(layers), tuple(labels))


def _settle(blocks: Sequence[Any], input_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Output shape of every block. A forward of silence also brings weight normalisation up to date."""
    shapes = []
    with torch.no_grad():
        x = torch.zeros(1, *input_shape, 1)
        for block in blocks:
            x = block(x)
            shapes.append(tuple(x.shape[1:-1]))
    return shapes


def _layer(block: Any, where: str, shape: tuple[int, ...], output: tuple[int, ...]) -> Layer:
    kinds = slayer.block.cuba
    if isinstance(block, dh_spiking.Soma):
        return _soma(block, where, output)
    if not isinstance(block, kinds.Conv | kinds.Pool | kinds.Dense):
        raise MaestroError(
            where,
            f"is a {type(block).__name__} block, which cannot be exported",
            allowed="Conv, Pool, Dense and Flatten of slayer.block.cuba",
        )
    neuron = _neuron(block.neuron, where)
    if block.delay_shift is not True:
        raise MaestroError(where, "leaves out the step that the chip takes", cure="build it with delay_shift=True")
    weight = _weight(block.synapse, where)
    if isinstance(block, Branching):
        weight = _by_branch(block, weight)
    if isinstance(block, kinds.Dense):
        delay = None
        if block.delay is not None:
            delay = _whole(torch.floor(block.delay.delay).flatten(), where, "delays")
            delay = np.broadcast_to(delay, weight.shape[:1]).copy()
        return DenseLayer(weight.reshape(weight.shape[0], -1), neuron, delay=delay)
    if block.delay is not None:
        raise MaestroError(where, "has delays, which NetX leaves out of convolutions", cure="build it with delay=False")
    stride, padding, dilation = (_pair(getattr(block.synapse, word)) for word in ("stride", "padding", "dilation"))
    if isinstance(block, kinds.Pool):
        return _pool(weight, _cuba(block.neuron, where), stride, padding, dilation, shape, output, where)
    layer = ConvLayer(weight, stride, padding, dilation, block.synapse.groups, neuron, (0, 0, 0))
    return replace(layer, shape=conv_shape(layer, shape))


def _by_branch(block: Any, weight: Integers) -> Integers:
    """A block's weights with a row for every branch of every neuron, zero where an input is another branch's.

    Branch by branch for analog dendrites, as the dendrite group has them; neuron by neuron for compartments.
    """
    expanded: Integers = block.expanded(torch.from_numpy(weight)).numpy()
    if isinstance(block.neuron, dh_spiking.BranchNeuron):
        expanded = expanded.swapaxes(0, 1)
    return np.ascontiguousarray(expanded.reshape(-1, *weight.shape[1:]))


def _soma(block: dh_spiking.Soma, where: str, output: tuple[int, ...]) -> Layer:
    """Somata as a stock layer: dense, every neuron from its own compartments; or a convolution of as many groups."""
    neuron = _cuba(block.neuron, where)
    synapse = block.synapse
    weight = _whole(synapse.pre_hook_fx(synapse.weight, descale=True), where, "weights")
    neurons, branches = weight.shape
    if len(output) == 3:
        grouped = weight[:, :, np.newaxis, np.newaxis]
        return ConvLayer(grouped, (1, 1), (0, 0), (1, 1), neurons, neuron, (output[0], output[1], output[2]))
    full = np.zeros((neurons, neurons, branches), dtype=np.int64)
    full[np.arange(neurons), np.arange(neurons)] = weight
    return DenseLayer(full.reshape(neurons, -1), neuron)


def _pool(
    weight: Integers,
    neuron: Cuba,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    shape: tuple[int, ...],
    output: tuple[int, ...],
    where: str,
) -> ConvLayer:
    """Pooling as a grouped convolution.

    SLAYER pads an input that the kernel does not divide, at its end alone; NetX pads both ends alike. So the
    kernel grows by as many zeros at its front, which the padding at the front then lies under.
    """
    kernel = weight.shape[2:]
    if stride != kernel or padding != (0, 0) or dilation != (1, 1):
        found = f"pools by {kernel} with stride {stride}, padding {padding}, dilation {dilation}"
        raise MaestroError(where, found, allowed="stride equal to the kernel, no padding, no dilation")
    extra = tuple(max(0, output[1 + axis] * kernel[axis] - shape[1 + axis]) for axis in (0, 1))
    grown = np.pad(weight, ((0, 0), (0, 0), (extra[0], 0), (extra[1], 0)))
    channels = shape[0]
    return ConvLayer(
        np.repeat(grown, channels, axis=0),
        stride,
        (extra[0], extra[1]),
        (1, 1),
        channels,
        neuron,
        (output[0], output[1], output[2]),
    )


def _neuron(neuron: Any, where: str) -> Cuba | DhLif:
    if isinstance(neuron, dh_lif.Neuron):
        gain = neuron.gain.cpu().numpy().astype(np.int64)
        return DhLif(neuron.cx_branch_decay, gain, _decay(neuron.cx_voltage_decay), int(neuron.v_th_mant))
    return _cuba(neuron, where)


def _cuba(neuron: Any, where: str) -> Cuba:
    if not isinstance(neuron, slayer.cuba.Neuron):
        raise MaestroError(where, f"has neurons of kind {type(neuron).__name__}", allowed="slayer.neuron.cuba.Neuron")
    if neuron.norm is not None:
        raise MaestroError(
            where,
            f"normalises its current by {type(neuron.norm).__name__}, which NetX does not fold in",
            cure="train it without; weight_norm=True can be exported",
        )
    if neuron.graded_spike:
        raise MaestroError(where, "sends graded spikes", allowed="binary spikes", cure="train with graded_spike=False")
    decays = [_decay(neuron.cx_current_decay), _decay(neuron.cx_voltage_decay)]
    return Cuba(decays[0], decays[1], int(neuron.v_th_mant))


def _decay(register: Any) -> int | Integers:
    """One number where all are the same: nothing public shows an array of them on the chip (lint HW007)."""
    values = np.asarray(register, dtype=np.int64)
    return int(values.flat[0]) if (values == values.flat[0]).all() else values


def _weight(synapse: Any, where: str) -> Integers:
    if synapse.pre_hook_fx is None:
        raise MaestroError(
            where, "was trained without quantised weights", cure="leave the block's pre_hook_fx as it is"
        )
    return _whole(synapse.pre_hook_fx(synapse.weight, descale=True)[..., 0], where, "weights")


def _whole(values: torch.Tensor, where: str, what: str) -> Integers:
    array: NDArray[np.float64] = values.detach().cpu().numpy().astype(np.float64)
    if not np.isfinite(array).all() or (array != np.rint(array)).any():
        raise MaestroError(where, f"has {what} that do not come to whole numbers", cure="train again")
    return array.astype(np.int64)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    return int(values[0]), int(values[1])
