"""A few samples through all layers on one core."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export import fixed_point, reference
from export.graph import InputLayer, Network
from export.limits import CURRENT_MAX
from lava_runtime.engine import tally as counting
from lava_runtime.engine.kernels import (
    BRANCH_MAX,
    SATURATIONS,
    SPIKES_IN,
    SYN_OPS,
    U_MAX,
    V_MAX,
    WRAPS,
    Events,
    Int32,
    Probes,
    State,
    gather_events,
    interruptible,
    run_layer,
    spread_events,
)
from lava_runtime.engine.products import Product
from lava_runtime.engine.program import BRANCH_SAFE, Stage
from lava_runtime.engine.result import EngineResult, Probe, Spikes
from lava_runtime.engine.tally import LayerTally, Tally
from train.errors import MaestroError

NOTHING = np.empty((0, 0, 0), np.int32)
SILENCE = Events(np.zeros(1, np.int64), np.empty(0, np.int32))
UNPROBED = Probes(NOTHING, NOTHING)


@dataclass(frozen=True)
class Wish:
    """What to keep of a block: all layers' spikes, the states of some; and how sums are to be made."""

    layers: bool
    probes: frozenset[str]
    path: str


@dataclass(frozen=True, eq=False)
class Block:
    """Samples to run: their spikes (sample, input shape, time), the first one's number, and which of them to probe.

    ``stop`` is set by who no longer wants them.
    """

    spikes: NDArray[Any]
    first: int
    probed: Sequence[int]
    stop: threading.Event


def run_block(
    network: Network, stages: Sequence[Stage], products: Mapping[str, Product], block: Block, steps: int, wish: Wish
) -> EngineResult:
    """Run a block from rest, at most ``steps`` steps at a time with states carried on.

    Raises
    ------
    MaestroError
        Spikes that are neither 0 nor 1, where the input has no neurons.
    """
    samples, total = len(block.spikes), block.spikes.shape[-1]
    driven = isinstance(stages[0].layer, InputLayer)
    if not driven:
        _check_unary(block)
    states = [rest(stage, samples) for stage in stages]
    counts = np.zeros((samples, len(stages)), np.int64)
    keep = [wish.layers or stage.name in wish.probes or stage is stages[-1] for stage in stages]
    outputs = [
        np.zeros((samples, stage.size, total) if kept else (0, 0, 0), np.uint8)
        for stage, kept in zip(stages, keep, strict=True)
    ]
    probed = [stage for stage in stages if block.probed and stage.name in wish.probes]
    probes = {stage.name: _room(stage, samples, total) for stage in probed}
    tallies: list[LayerTally] = []
    for first in range(0, total, steps):
        part = block.spikes[..., first : first + steps].reshape(samples, -1, min(steps, total - first))
        length = part.shape[-1]
        drive = drive_of(stages[0], part) if driven else NOTHING
        events = SILENCE if driven else Events(*interruptible(gather_events, np.ascontiguousarray(part, np.uint8)))
        found = []
        for index, (stage, state) in enumerate(zip(stages, states, strict=True)):
            if block.stop.is_set():
                raise CancelledError
            into = probes.get(stage.name)
            window = UNPROBED if into is None else _window(into, first, length)
            product = None if wish.path == counting.EVENTS or drive.size else products.get(stage.name)
            events, tally = _run_stage(
                stage, product, events, state, first, length, drive, window, wish.path == counting.PRODUCTS
            )
            drive = NOTHING
            found.append(tally)
            counts[:, index] += np.diff(events.start[::length])
            if keep[index]:
                interruptible(spread_events, *events, stage.order, outputs[index][..., first : first + length])
        tallies = [one + other for one, other in zip(tallies, found, strict=True)] if tallies else found
    names = [stage.name for stage in stages]
    return EngineResult(
        outputs[-1],
        counts,
        Tally(samples, total, dict(zip(names, tallies, strict=True))),
        tuple(o.reshape(samples, *stage.shape, total) for stage, o in zip(stages, outputs, strict=True))
        if wish.layers
        else (),
        {
            stage.name: _probe(stage, output, probes[stage.name], block.probed)
            for stage, output in zip(stages, outputs, strict=True)
            if stage in probed
        },
        _readout(network, outputs[-1]),
    )


def _check_unary(block: Block) -> None:
    spikes = block.spikes
    if spikes.dtype == np.bool_ or (spikes.min() >= 0 and spikes.max() <= 1):
        return
    odd = np.argwhere((spikes < 0) | (spikes > 1))[0]
    found = f"hold {spikes[tuple(odd)]} in sample {block.first + odd[0]}, step {odd[-1]}"
    raise MaestroError("input spikes", found, allowed="0 and 1; this network takes unary spikes")


def _run_stage(
    stage: Stage,
    product: Product | None,
    events: Events,
    state: State,
    begin: int,
    steps: int,
    drive: Int32,
    probes: Probes,
    forced: bool,
) -> tuple[Events, LayerTally]:
    """A layer of a block: by its ``product`` where there is one and it is ``forced`` or cheaper."""
    samples = len(state.v)
    given, how = NOTHING, counting.DRIVEN if drive.size else counting.EVENTS
    if product and (forced or product.is_cheaper(events.index.size, samples * steps)):
        given, how = product.sums(events, samples, steps), counting.PRODUCTS
    guess = samples * steps * stage.size // 16
    layer = (stage.synapses, stage.recurrent, stage.neurons)
    start, index, tally = interruptible(run_layer, events, *layer, state, begin, steps, drive, given, probes, guess)
    check_currents(stage, tally)
    updates = samples * steps * stage.size
    return Events(start, index), LayerTally(
        neurons=stage.size,
        dendrite_updates=updates,
        state_updates=updates * (stage.branches + 1),
        syn_ops=int(tally[SYN_OPS]),
        spikes_in=int(tally[SPIKES_IN]),
        axon_out=int(index.size),
        u_max=int(tally[U_MAX]),
        v_max=int(tally[V_MAX]),
        wraps=int(tally[WRAPS]),
        saturations=int(tally[SATURATIONS]),
        path=how,
    )


def check_currents(stage: Stage, tally: NDArray[np.int64]) -> None:
    """Refuse what was computed after a current got too large for the kernel."""
    limit = max(BRANCH_SAFE, CURRENT_MAX // stage.branches)
    if tally[BRANCH_MAX] >= limit:
        raise reference.outgrown(stage.name, limit)


def rest(stage: Stage, samples: int) -> State:
    """The state of a layer at rest."""
    return State(
        np.zeros((samples, stage.rows), np.int32),
        np.zeros((samples, stage.size), np.int32),
        np.zeros((samples, stage.slots, stage.rows), np.int32),
    )


def drive_of(stage: Stage, part: NDArray[Any]) -> Int32:
    """Biases (sample, step, neuron) that an input population is driven with."""
    layer = stage.layer
    assert isinstance(layer, InputLayer)
    mantissa = reference.input_mantissas(part, layer.weight, layer.offset)
    return np.ascontiguousarray(fixed_point.scale_bias(mantissa)[:, stage.order].swapaxes(1, 2), dtype=np.int32)


def _room(stage: Stage, samples: int, steps: int) -> Probes:
    return Probes(np.empty((samples, steps, stage.rows), np.int32), np.empty((samples, steps, stage.size), np.int32))


def _window(probes: Probes, first: int, steps: int) -> Probes:
    return Probes(probes.u[:, first : first + steps], probes.v[:, first : first + steps])


def _probe(stage: Stage, spikes: Spikes, states: Probes, kept: Sequence[int]) -> Probe:
    """States of chosen samples in the layer's own order, time last."""
    steps = spikes.shape[-1]
    u = np.empty((len(kept), stage.branches, stage.size, steps), np.int32)
    v = np.empty((len(kept), stage.size, steps), np.int32)
    rows = states.u[kept].reshape(len(kept), steps, stage.branches, stage.size)
    u[:, :, stage.order] = rows.transpose(0, 2, 3, 1)
    v[:, stage.order] = states.v[kept].transpose(0, 2, 1)
    shape = (*stage.shape, steps)
    u_shape = (stage.branches, *shape) if stage.has_dendrites else shape
    return Probe(spikes[kept].reshape(len(kept), *shape), u.reshape(len(kept), *u_shape), v.reshape(len(kept), *shape))


def _readout(network: Network, output: Spikes) -> NDArray[np.int64] | None:
    if network.readout is None:
        return None
    return np.stack([reference.readout(network, sample) for sample in output])
