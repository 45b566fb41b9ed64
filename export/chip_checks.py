"""How each rule of ``export/chip_rules.py`` is checked on a file, as it lies there, and on how it is to be run."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from export.host_io import US_PER_STEP, HostIo
from export.limits import DECAY_ONE, MESSAGE_BITS_MAX, SUM_MAX, SUM_MIN, V_DECAY_CHIP_MAX
from export.neurons import NEURONS
from export.rawnet import RawLayer
from export.schedule import schedule
from train.errors import CallError

# Neurons that public material shows running on the chip: LIF and the sigma-delta family.
_SHOWN = (*NEURONS, "SDNN")
_SYNAPSES = ("weight", "weight_rec")
# What a finding about the run, and not about a layer, names as its place.
RUN = "the run"


@dataclass(frozen=True)
class Plan:
    """How a network is to be run: steps of a sample, None if not known, and from one sample to the next.

    Without a ``period`` samples are as far apart as ``export.schedule`` puts them, which breaks no rule.
    """

    steps: int | None
    period: int | None = None


# Yields where something is wrong, and what, in words.
ChipCheck = Callable[[Sequence[RawLayer], Plan], Iterator[tuple[str, str]]]


def each(check: Callable[[RawLayer], Iterator[str]]) -> ChipCheck:
    """A check of one layer, made on every layer."""

    def checked(layers: Sequence[RawLayer], _plan: Plan) -> Iterator[tuple[str, str]]:
        for layer in layers:
            for found in check(layer):
                yield layer.where, found

    return checked


def interval(_layers: Sequence[RawLayer], plan: Plan) -> Iterator[tuple[str, str]]:
    """HW001, reset interval that is no power of two."""
    period = plan.period
    if period is not None and (period < 1 or period & (period - 1)):
        yield RUN, f"has a period of {period} steps, which is no power of two"


def gap(layers: Sequence[RawLayer], plan: Plan) -> Iterator[tuple[str, str]]:
    """HW002, samples too close for the adapters."""
    if plan.period is None or plan.steps is None or any(interval(layers, plan)):
        return
    if plan.period < plan.steps:
        yield RUN, f"has a period of {plan.period} steps, shorter than a sample of {plan.steps}"
        return
    try:
        schedule(plan.steps, latency(layers), period=plan.period)
    except CallError as error:
        yield RUN, f"{error.found} (expected {error.allowed})"


def latency(layers: Sequence[RawLayer]) -> int:
    """Layers with synapses, each a step later than the one before."""
    return sum(layer.needs_neuron for layer in layers)


def outliving(layer: RawLayer) -> Iterator[str]:
    """HW003, state that outlives the reset."""
    if layer.kind == "input":
        if layer.has_neuron:
            yield "has neurons that are driven by their bias, which the reset leaves"
        return
    bias, delay = layer.numbers("bias"), layer.numbers("delay")
    if bias is not None and bias.any():
        yield "has a bias, which drives its neurons between two samples"
    if delay is not None and delay.any():
        yield "has delays, out of which spikes come after the reset"
    if layer.kind == "dense_rec":
        yield "is recurrent, and sends itself spikes across the reset"


def no_model(layer: RawLayer) -> Iterator[str]:
    """HW004, process without a public model for the chip."""
    kind = layer.text("neuron/type")
    if layer.dendritic:
        yield "has analog dendrites, several currents in one neuron, which no public process has on the chip"
    elif kind is not None and kind not in _SHOWN:
        yield f"has neurons of type {kind!r}, which no public material shows on the chip"


def message_bits(layer: RawLayer) -> Iterator[str]:
    """HW005, messages of too many bits."""
    bits = layer.numbers("neuron/messageBits")
    if bits is not None and (bits > MESSAGE_BITS_MAX).any():
        yield f"sends messages of {bits.max():.0f} bits; a spike of the chip's carries up to {MESSAGE_BITS_MAX}"


def voltage_decay(layer: RawLayer) -> Iterator[str]:
    """HW006, voltage decay beyond its register."""
    decay = layer.whole("neuron/vDecay")
    # More than all is NX012's.
    if decay is not None and decay.max() <= DECAY_ONE and decay.max() > V_DECAY_CHIP_MAX:
        yield f"has vDecay {decay.max()}; its register holds up to {V_DECAY_CHIP_MAX}"


def several_decays(layer: RawLayer) -> Iterator[str]:
    """HW007, several decays in one population."""
    if layer.dendritic:
        return
    for key in ("iDecay", "vDecay"):
        decay = layer.numbers(f"neuron/{key}")
        if decay is not None and decay.size > 1:
            different = len(np.unique(decay))
            words = f"{different} of them different" if different > 1 else "all the same"
            yield f"has {decay.size} numbers for {key}, {words}, in one population"


def delayed(layer: RawLayer) -> Iterator[str]:
    """HW008, delayed synapses."""
    if layer.kind == "dense" and "delay" in layer.values:
        yield "is a dense layer with delays, which NetX makes a DelayDense process of"


def special_convolution(layer: RawLayer) -> Iterator[str]:
    """HW009, convolution in groups or with dilation."""
    if layer.kind != "conv":
        return
    groups, dilation = layer.whole("groups"), layer.whole("dilation")
    if groups is not None and groups.max() > 1:
        yield f"is a convolution in {groups.max()} groups"
    if dilation is not None and dilation.max() > 1:
        yield f"is a convolution with dilation {dilation.max()}"


def wide_sum(layer: RawLayer) -> Iterator[str]:
    """HW010, sum of synapses beyond 16 bits."""
    found = [layer.whole(key) for key in _SYNAPSES] if layer.kind != "input" else []
    rows = [matrix.reshape(matrix.shape[0], -1) for matrix in found if matrix is not None and matrix.ndim > 1]
    if not rows or layer.dendritic or len({row.shape[0] for row in rows}) > 1:
        return
    up = sum(np.maximum(row, 0).sum(axis=1) for row in rows)
    down = sum(np.minimum(row, 0).sum(axis=1) for row in rows)
    for reach, beyond in ((up, np.max(up) > SUM_MAX), (down, np.min(down) < SUM_MIN)):
        if beyond:
            neuron = int(np.argmax(np.abs(reach)))
            total = int(np.ravel(reach)[neuron])
            yield f"neuron {neuron}'s synapses can come to {total} in a step; 16 bits hold {SUM_MIN} to {SUM_MAX}"
            return


def host(layers: Sequence[RawLayer], _plan: Plan) -> Iterator[tuple[str, str]]:
    """HW011, input from the host that takes much of a step."""
    estimate = host_io(layers)
    if estimate is not None and estimate.binds:
        yield (
            RUN,
            f"takes the host about {estimate.us_per_step:.0f} us a step (estimate) for {estimate.places} input places "
            f"that all send, where PilotNet LIF's whole step took {US_PER_STEP:.0f}",
        )


def host_io(layers: Sequence[RawLayer]) -> HostIo | None:
    """The estimate for a file's input places, None where it does not say how many there are."""
    if not layers:
        return None
    first = layers[0]
    shape, weight = first.whole("shape"), first.values.get("weight")
    if first.kind == "input" and shape is not None and shape.min() > 0:
        return HostIo(math.prod(shape.reshape(-1).tolist()))
    if first.kind in ("dense", "dense_rec") and weight is not None and weight.ndim == 2:
        return HostIo(int(weight.shape[1]))
    return None
