"""Work of a spiking network on clips, as the engine runs them, held against what the engine itself counted."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.counters.spiking import SpikingCounter
from hardware.counters.work import Work, join
from lava_runtime.engine.engine import Engine
from lava_runtime.engine.tally import Tally
from train.errors import MaestroError

_COUNTED = ("spikes_in", "axon_out", "syn_ops")


def spiking_work(engine: Engine, inputs: Iterable[NDArray[Any]], done: Callable[[int], None] = lambda _: None) -> Work:
    """Work on all clips of ``inputs``, arrays (sample, input shape, time); ``done`` is told of clips done.

    Raises
    ------
    MaestroError
        Spikes and weights give another number than the engine's own counters.
    """
    counter = SpikingCounter(engine.network)
    return join([part for spikes in inputs for part in _blocks(engine, counter, spikes, done)])


def _blocks(
    engine: Engine, counter: SpikingCounter, inputs: NDArray[Any], done: Callable[[int], None]
) -> Iterator[Work]:
    first = 0
    for block in engine.blocks(inputs, layers=True):
        came = inputs[first : first + len(block.output)]
        first += len(came)
        sent = dict(zip(engine.names, block.layers, strict=True))
        spikes = {name: values.sum(axis=-1, dtype=np.int64) for name, values in sent.items()}
        # Of each clip and step, over all places.
        at_once = sum(_at_once(values) for values in ((came != 0), *sent.values()))
        work = counter.work(
            np.count_nonzero(came, axis=-1),
            spikes,
            binary=bool(came.min() >= -1 and came.max() <= 1),
            peak=int(np.max(at_once)),
        )
        _compare(work, block.tally)
        done(work.clips)
        yield work


def _at_once(spikes: NDArray[Any]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = spikes.reshape(len(spikes), -1, spikes.shape[-1]).sum(axis=1, dtype=np.int64)
    return found


def _compare(work: Work, tally: Tally) -> None:
    for name, counted in tally.layers.items():
        for word in _COUNTED:
            ours, theirs = int(getattr(work.layers[name], word).sum()), getattr(counted, word)
            if ours != theirs:
                raise MaestroError(
                    f"layer {name}", f"has {ours} {word} by spikes and weights, and {theirs} by the engine's counters"
                )
