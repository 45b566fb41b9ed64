"""Run a network of integers on many samples at once: Lava's spikes, without Lava.

Layer by layer over the whole time axis: a layer's spikes are lists by step, which the next layer reads. Samples go in
blocks, each through all layers on one core; how large a block is, and whether its steps are cut too, follows from the
memory allowed. The arithmetic is that of :mod:`export.fixed_point`, step t that of a Lava run from rest.
"""

import itertools
import math
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export import netx
from export.graph import InputLayer, Network
from export.stock import refuse_altered
from lava_runtime.engine import tally as counting
from lava_runtime.engine.block import Block, Wish, run_block
from lava_runtime.engine.products import Product, product_bytes, product_of
from lava_runtime.engine.program import compile_network
from lava_runtime.engine.result import EngineResult, join
from train.errors import CallError, MaestroError

AUTO = "auto"
PATHS = (AUTO, counting.EVENTS, counting.PRODUCTS)
MEMORY_BYTES = 1 << 30
# Samples of a block: enough that Python's share is small, few enough to stay in a core's cache.
_BLOCK = 16


class Engine:
    """An executor of a network.

    Parameters
    ----------
    network
        As :func:`export.netx.read` gives it.
    threads
        Cores to use; all by default.
    memory_bytes
        Bound of the memory it works in: weights and tables, states, spikes under way and the results of the blocks
        under way. What is joined of them, and one sample's input as it is given, come on top, as does the network.

    Raises
    ------
    CallError
        The memory is too little for one sample, or the number of threads is none.
    MaestroError
        A layer's parameters lie outside Lava's registers, or its sums could leave 32 bits.
    """

    def __init__(self, network: Network, *, threads: int | None = None, memory_bytes: int = MEMORY_BYTES) -> None:
        self.network = network
        if threads is not None and threads < 1:
            raise CallError(f"threads {threads}", "no such number of cores", allowed="1 or more")
        self.threads = threads or _cores()
        self.memory_bytes = memory_bytes
        self.stages = compile_network(network)
        self.names = tuple(stage.name for stage in self.stages)
        self._fixed = sum(stage.nbytes for stage in self.stages)
        self.layer_sizes = tuple(stage.size for stage in self.stages)
        self._products = self._affordable()
        self._plan(1, Wish(False, frozenset(), AUTO))

    @classmethod
    def from_file(cls, net: Path, *, threads: int | None = None, memory_bytes: int = MEMORY_BYTES) -> "Engine":
        """The engine of a .net file; errors as ``export.netx.read`` and ``export.stock.refuse_altered`` have them."""
        return cls(refuse_altered(netx.read(net)), threads=threads, memory_bytes=memory_bytes)

    def run(
        self,
        spikes: NDArray[Any],
        *,
        layers: bool = False,
        probes: Sequence[str] = (),
        probe_samples: Sequence[int] | None = None,
        path: str = AUTO,
    ) -> EngineResult:
        """Run samples.

        Parameters
        ----------
        spikes
            Whole numbers, shape (sample, input shape, time): 0 and 1, or any where the input has neurons.
        layers
            Keep every layer's spikes.
        probes, probe_samples
            Layers whose currents and voltages to keep, and of which samples, given in ascending order; all by default.
        path
            How sums are made: ``events``, ``dense`` products, or by what is cheaper for each layer. Where convolutions
            are grouped, single synapses have delays, or the memory is short, there is no product, and events do it.

        Raises
        ------
        MaestroError
            The spikes do not fit the network, or a current grew beyond 32 bits.
        CallError
            No such layer, sample or path; or too little memory for what is to be kept.
        """
        wanted = self._wanted_samples(probe_samples, len(spikes))
        blocks = list(self.blocks(spikes, layers=layers, probes=probes, probe_samples=wanted, path=path))
        return join(blocks)

    def blocks(
        self,
        spikes: NDArray[Any],
        *,
        layers: bool = False,
        probes: Sequence[str] = (),
        probe_samples: Sequence[int] | None = None,
        path: str = AUTO,
    ) -> Iterator[EngineResult]:
        """As :meth:`run`, a few samples at a time and in order, so that memory does not grow with their number.

        ``spikes`` may be mapped from a file: it is read block by block.
        """
        spikes = np.asarray(spikes)
        if path not in PATHS:
            raise CallError(f"path {path!r}", "no such way", allowed=", ".join(PATHS))
        for name in probes:
            if name not in self.names:
                raise CallError(f"probe {name!r}", "no such layer", allowed=", ".join(self.names))
        expected = self.network.input_shape
        if spikes.ndim != len(expected) + 2 or spikes.shape[1:-1] != expected or 0 in spikes.shape:
            found = f"have shape {spikes.shape}"
            raise MaestroError("input spikes", found, allowed=f"(sample, {', '.join(map(str, expected))}, time)")
        if spikes.dtype.kind not in "iub":
            raise MaestroError("input spikes", f"are of type {spikes.dtype}", allowed="whole numbers")
        wanted = set(self._wanted_samples(probe_samples, len(spikes)))
        wish = Wish(layers, frozenset(probes), path)
        size, steps = self._plan(spikes.shape[-1], wish)
        size = max(1, min(size, -(-len(spikes) // self.threads)))
        return self._stream(spikes, size, steps, wish, wanted)

    def _stream(
        self, spikes: NDArray[Any], size: int, steps: int, wish: Wish, wanted: set[int]
    ) -> Iterator[EngineResult]:
        stop = threading.Event()

        def of(start: int) -> EngineResult:
            block = spikes[start : start + size]
            probed = [sample - start for sample in range(start, start + len(block)) if sample in wanted]
            return run_block(self.network, self.stages, self._products, Block(block, start, probed, stop), steps, wish)

        if len(spikes) <= size:
            yield of(0)
            return
        starts = iter(range(0, len(spikes), size))
        waiting: deque[Future[EngineResult]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                while True:
                    for start in itertools.islice(starts, self.threads + 1 - len(waiting)):
                        waiting.append(pool.submit(of, start))
                    if not waiting:
                        return
                    yield waiting.popleft().result()
            finally:
                stop.set()
                for future in waiting:
                    future.cancel()

    def _wanted_samples(self, chosen: Sequence[int] | None, samples: int) -> Sequence[int]:
        if chosen is None:
            return range(samples)
        for sample in chosen:
            if not 0 <= sample < samples:
                raise CallError(f"probe of sample {sample}", "no such sample", allowed=f"0 to {samples - 1}")
        if any(one >= other for one, other in itertools.pairwise(chosen)):
            raise CallError(f"probe of samples {list(chosen)}", "not in ascending order, each once")
        return chosen

    def _affordable(self) -> dict[str, Product]:
        """Products of the layers, as far as half the memory goes: without one a layer is run by events."""
        found: dict[str, Product] = {}
        left = self.memory_bytes // 2 - self._fixed
        for stage in self.stages:
            if isinstance(stage.layer, InputLayer) or (needed := product_bytes(stage, self.threads)) > left:
                continue
            if product := product_of(stage):
                found[stage.name] = product
                left -= needed
                self._fixed += needed
        return found

    def _plan(self, steps: int, wish: Wish) -> tuple[int, int]:
        """Samples of a block, and steps it is cut into, that keep within the memory allowed."""
        states = sum(stage.state_bytes for stage in self.stages)
        # Spikes of a layer and of the next, were all to fire, with room to grow; sums of a product; an input frame,
        # twice as 64 bits where it drives neurons.
        sizes = (math.prod(self.network.input_shape), *self.layer_sizes)
        a_step = max(12 * (one + other) for one, other in itertools.pairwise(sizes))
        a_step += 8 * max(stage.rows for stage in self.stages)
        a_step += (24 if isinstance(self.stages[0].layer, InputLayer) else 8) * sizes[0]
        # What is kept for the result, of all steps.
        kept = sum(2 * stage.size for stage in self.stages if wish.layers or stage is self.stages[-1])
        kept += sum(9 * (stage.rows + stage.size) for stage in self.stages if stage.name in wish.probes)
        room = (self.memory_bytes - self._fixed) // self.threads - kept * steps
        if room < states + a_step:
            needed = self._fixed + self.threads * (states + a_step + kept * steps)
            raise CallError(
                "--memory",
                f"{self.memory_bytes / 2**20:.1f} MiB is too little for this network on {self.threads} cores",
                allowed=f"at least {math.ceil(needed / 2**20)} MiB",
                cure="allow more, use fewer --threads or fewer probes",
            )
        if room < states + steps * a_step:
            return 1, max(1, (room - states) // a_step)
        return int(min(_BLOCK, (room + kept * steps) // (states + steps * (a_step + kept)))), steps


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
