"""Run a network of integers on many samples at once: Lava's spikes, without Lava.

Layer by layer over the whole time axis: a layer's spikes are lists by step, which the next layer reads. Samples go in
blocks, each through all layers on one core; how large a block is, and whether its steps are cut too, follows from the
memory allowed. The arithmetic is that of :mod:`export.fixed_point`, step t that of a Lava run from rest.
"""

import itertools
import math
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from export import netx
from export.graph import Network
from lava_runtime.engine import tally as counting
from lava_runtime.engine.block import Block, Wish, run_block
from lava_runtime.engine.products import product_of
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
        Bound of the memory it works in, weights included and results not.

    Raises
    ------
    CallError
        The memory is less than one step of one sample needs.
    MaestroError
        A layer's sums could leave 32 bits.
    """

    def __init__(self, network: Network, *, threads: int | None = None, memory_bytes: int = MEMORY_BYTES) -> None:
        self.network = network
        self.threads = threads or _cores()
        self.memory_bytes = memory_bytes
        self.stages = compile_network(network)
        self.names = tuple(stage.name for stage in self.stages)
        self.layer_sizes = tuple(stage.size for stage in self.stages)
        self._products = {stage.name: product for stage in self.stages if (product := product_of(stage))}
        self._libraries = ThreadpoolController()
        self._plan(1)

    @classmethod
    def from_file(cls, net: Path, *, threads: int | None = None, memory_bytes: int = MEMORY_BYTES) -> "Engine":
        """The engine of a .net file; errors as :func:`export.netx.read` has them."""
        return cls(netx.read(net), threads=threads, memory_bytes=memory_bytes)

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
            Layers whose currents and voltages to keep, and of which samples; all by default.
        path
            How sums are made: ``events``, ``dense`` products, or by what is cheaper for each layer.

        Raises
        ------
        MaestroError
            The spikes do not fit the network.
        CallError
            No such layer, sample or path.
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
        size, steps = self._plan(spikes.shape[-1])
        size = max(1, min(size, -(-len(spikes) // self.threads)))
        return self._stream(spikes, size, steps, Wish(layers, frozenset(probes), path), wanted)

    def _stream(
        self, spikes: NDArray[Any], size: int, steps: int, wish: Wish, wanted: set[int]
    ) -> Iterator[EngineResult]:
        def of(start: int) -> EngineResult:
            block = spikes[start : start + size]
            probed = [sample - start for sample in range(start, start + len(block)) if sample in wanted]
            return run_block(self.network, self.stages, self._products, Block(block, start, probed), steps, wish)

        if len(spikes) <= size:
            yield of(0)
            return
        starts = iter(range(0, len(spikes), size))
        waiting: deque[Future[EngineResult]] = deque()
        # One thread a product: the cores are busy with blocks.
        with self._libraries.limit(limits=1, user_api="blas"), ThreadPoolExecutor(self.threads) as pool:
            try:
                while True:
                    for start in itertools.islice(starts, self.threads + 1 - len(waiting)):
                        waiting.append(pool.submit(of, start))
                    if not waiting:
                        return
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _wanted_samples(self, chosen: Sequence[int] | None, samples: int) -> Sequence[int]:
        if chosen is None:
            return range(samples)
        for sample in chosen:
            if not 0 <= sample < samples:
                raise CallError(f"probe of sample {sample}", "no such sample", allowed=f"0 to {samples - 1}")
        return chosen

    def _plan(self, steps: int) -> tuple[int, int]:
        """Samples of a block, and steps it is cut into, that keep within the memory allowed."""
        fixed = sum(stage.nbytes for stage in self.stages)
        states = sum(stage.state_bytes for stage in self.stages)
        # Spikes of a layer and of the next, were all to fire, with room to grow; sums of a product; an input frame.
        sizes = (math.prod(self.network.input_shape), *self.layer_sizes)
        a_step = max(12 * (one + other) for one, other in itertools.pairwise(sizes))
        a_step += 8 * max(stage.rows for stage in self.stages) + 8 * sizes[0] + 4 * sum(sizes)
        room = (self.memory_bytes - fixed) // self.threads
        if room < states + a_step:
            needed = fixed + self.threads * (states + a_step)
            raise CallError(
                "--memory",
                f"{self.memory_bytes / 2**20:.1f} MiB is too little for a step of this network on {self.threads} cores",
                allowed=f"at least {math.ceil(needed / 2**20)} MiB",
            )
        if room < states + steps * a_step:
            return 1, max(1, (room - states) // a_step)
        return int(min(_BLOCK, room // (states + steps * a_step))), steps


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
