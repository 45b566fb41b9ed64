"""One way to run a .net file, whatever runs it: checked spikes in, spikes and counts out."""

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, UInt8
from numpy.typing import NDArray

from export import netx, reference
from export.graph import Network
from export.stock import refuse_altered
from lava_runtime import reference_pool
from lava_runtime.engine.engine import MEMORY_BYTES, Engine
from lava_runtime.engine.result import Probe
from lava_runtime.engine.tally import Tally
from lava_runtime.network import PATIENCE_S, LavaNetwork, Spikes
from lava_runtime.reference_pool import Sample, of_sample
from lava_runtime.spikes import CheckedSpikes, Samples
from train.console import progress, say
from train.errors import CallError

ENGINE, LAVA, REFERENCE = BACKENDS = ("engine", "lava", "reference")
# Samples that Lava and the reference are given at a time.
_BLOCK = 256
# Samples that the engine is given at a time, at most.
_ENGINE_BLOCK = 1024
# Seconds after which a start is said to be slow.
_SLOW_S = 2.0


@dataclass(frozen=True)
class Result:
    """What a run of samples gave.

    Parameters
    ----------
    output
        The last spiking layer's spikes, shape (sample, neuron, time); step t is step t of a run of
        that sample alone in a fresh network, no latency taken off.
    counts
        Spikes of every spiking layer, shape (sample, layer).
    layers
        Every spiking layer's spikes, each of shape (sample, neuron..., time); empty unless asked for.
    readout
        Where the network ends in averages: output spikes added up by group, shape (sample, group, time).
    tally
        What was counted by layer; only the engine counts.
    probes
        Spikes and states of the layers asked for; of the engine only.
    """

    output: UInt8[Spikes, "sample neuron time"]
    counts: Int64[NDArray[np.int64], "sample layer"]
    layers: tuple[UInt8[Spikes, "sample *_layer time"], ...] = ()
    readout: Int64[NDArray[np.int64], "sample group time"] | None = None
    tally: Tally | None = None
    probes: Mapping[str, Probe] = field(default_factory=dict)


@runtime_checkable
class Runner(Protocol):
    """Runs samples through a network. Use it in a ``with``: some hold processes."""

    backend: str
    network: Network
    layer_sizes: tuple[int, ...]

    def __enter__(self) -> "Runner": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def run(self, spikes: Samples, *, where: str = "spikes") -> Result:
        """Run samples of shape (sample, channel, height, width, time) or (sample, neuron, time).

        ``where`` they come from is what an error about them names.
        """
        ...

    def blocks(self, spikes: Samples, *, where: str = "spikes", probes: Sequence[str] = ()) -> Iterator[Result]:
        """As ``run``, some samples at a time and in order; they are read as they are run.

        ``probes`` names layers whose spikes and states to keep.
        """
        ...


def make_runner(
    backend: str,
    net: Path,
    *,
    layers: bool = False,
    patience_s: float = PATIENCE_S,
    stock: bool = False,
    threads: int | None = None,
    memory_bytes: int = MEMORY_BYTES,
) -> Runner:
    """The runner of a backend's name.

    Parameters
    ----------
    backend
        ``engine``: batched integers, by far the fastest. ``lava``: Lava's fixed-point simulator. ``reference``: the
        arithmetic in numpy.
    net
        A .net file.
    layers
        Keep every layer's spikes in the result.
    patience_s, stock
        Of :class:`lava_runtime.network.LavaNetwork`.
    threads, memory_bytes
        Of :class:`lava_runtime.engine.engine.Engine`.

    Raises
    ------
    CallError
        No such backend, or too little memory.
    MaestroError
        The file cannot be run.
    """
    if backend == ENGINE:
        return EngineRunner(net, layers=layers, threads=threads, memory_bytes=memory_bytes)
    if backend == LAVA:
        return LavaRunner(net, layers=layers, patience_s=patience_s, stock=stock)
    if backend == REFERENCE:
        return ReferenceRunner(net, layers=layers)
    raise CallError(f"--backend {backend}", "no such backend", allowed=" or ".join(BACKENDS))


class _Runner:
    """What all have in common: to run samples is to join their blocks."""

    backend: str
    network: Network
    layer_sizes: tuple[int, ...]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def run(self, spikes: Samples, *, where: str = "spikes") -> Result:
        return join(list(self.blocks(spikes, where=where)))

    def blocks(self, spikes: Samples, *, where: str = "spikes", probes: Sequence[str] = ()) -> Iterator[Result]:
        raise TypeError(f"{type(self).__name__} runs nothing")


class EngineRunner(_Runner):
    """The project's own executor behind the protocol."""

    backend = ENGINE

    def __init__(
        self, net: Path, *, layers: bool = False, threads: int | None = None, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._keep = layers
        self.network = refuse_altered(netx.read(net))
        self._engine = Engine(self.network, threads=threads, memory_bytes=memory_bytes)
        self.layer_sizes = self._engine.layer_sizes

    def __enter__(self) -> "EngineRunner":
        with _told_if_slow("engine: compiling its kernels, which are kept for the next time"):
            self._engine.run(np.zeros((1, *self.network.input_shape, 1), np.uint8))
        return self

    def blocks(self, spikes: Samples, *, where: str = "spikes", probes: Sequence[str] = ()) -> Iterator[Result]:
        checked = CheckedSpikes(where, spikes, self.network)
        sample_bytes = math.prod(checked.shape[1:]) * checked.dtype.itemsize
        # What is read at a time comes on top of the memory that the engine works in, and is to be little beside it.
        size = max(1, min(_ENGINE_BLOCK, self._engine.memory_bytes // (8 * sample_bytes)))
        with progress("engine", len(checked), "samples") as meter:
            for first in range(0, len(checked), size):
                for block in self._engine.blocks(checked[first : first + size], layers=self._keep, probes=probes):
                    yield Result(block.output, block.counts, block.layers, block.readout, block.tally, block.probes)
                    meter.advance(len(block.output))


@contextmanager
def _told_if_slow(text: str) -> Iterator[None]:
    timer = threading.Timer(_SLOW_S, say, (text,))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class LavaRunner(_Runner):
    """Lava's fixed-point simulator behind the protocol."""

    backend = LAVA

    def __init__(self, net: Path, *, layers: bool = False, patience_s: float = PATIENCE_S, stock: bool = False) -> None:
        self._keep = layers
        self._lava = LavaNetwork(net, patience_s=patience_s, stock=stock)
        try:
            self.network = netx.read(net)
        except BaseException:
            self._lava.close()
            raise
        self.layer_sizes = self._lava.description.sizes

    def __enter__(self) -> "LavaRunner":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lava.close()

    def blocks(self, spikes: Samples, *, where: str = "spikes", probes: Sequence[str] = ()) -> Iterator[Result]:
        _refuse_probes(self.backend, probes)
        checked = CheckedSpikes(where, spikes, self.network)
        with progress("Lava", len(checked) * checked.shape[-1], "steps") as meter:
            for first in range(0, len(checked), _BLOCK):
                found = []
                for item in self._lava.stream(checked[first : first + _BLOCK]):
                    if isinstance(item, int):
                        meter.advance(item)
                    else:
                        found.append(of_sample(item, self._keep))
                yield _gather(found, self.network)


class ReferenceRunner(_Runner):
    """The integer arithmetic's own simulator (:mod:`export.reference`), in two processes for many samples."""

    backend = REFERENCE

    def __init__(self, net: Path, *, layers: bool = False) -> None:
        self._net = net
        self._keep = layers
        self.network = refuse_altered(netx.read(net))
        self.layer_sizes = tuple(math.prod(layer.shape) for _, layer in self.network.spiking)

    def __enter__(self) -> "ReferenceRunner":
        return self

    def blocks(self, spikes: Samples, *, where: str = "spikes", probes: Sequence[str] = ()) -> Iterator[Result]:
        _refuse_probes(self.backend, probes)
        checked = CheckedSpikes(where, spikes, self.network)
        working = reference_pool.start(self.network, self._net, len(checked), self._keep)
        with progress("reference", len(checked), "samples") as meter, working as each:
            for first in range(0, len(checked), _BLOCK):
                found = []
                for item in each(checked[first : first + _BLOCK]):
                    found.append(item)
                    meter.advance()
                yield _gather(found, self.network)


def _refuse_probes(backend: str, probes: Sequence[str]) -> None:
    if probes:
        raise CallError("--probe", f"does not go with the backend {backend}", cure="use --backend engine")


def _gather(found: Sequence[Sample], network: Network) -> Result:
    layers = tuple(np.stack(layer) for layer in zip(*(sample.layers for sample in found), strict=True))
    output = np.stack([sample.output for sample in found])
    readout = None if network.readout is None else np.stack([reference.readout(network, each) for each in output])
    return Result(output, np.array([sample.counts for sample in found], np.int64), layers, readout)


def join(blocks: Sequence[Result]) -> Result:
    """One result of several blocks' samples, in their order; without probes."""
    tallies = [block.tally for block in blocks if block.tally is not None]
    readouts = [block.readout for block in blocks if block.readout is not None]
    return Result(
        np.concatenate([block.output for block in blocks]),
        np.concatenate([block.counts for block in blocks]),
        tuple(np.concatenate(parts) for parts in zip(*(block.layers for block in blocks), strict=True)),
        np.concatenate(readouts) if readouts else None,
        add_up(tallies) if tallies else None,
    )


def add_up(tallies: Sequence[Tally]) -> Tally:
    """One tally of several, at least one."""
    total = tallies[0]
    for tally in tallies[1:]:
        total = total + tally
    return total
