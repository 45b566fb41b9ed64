"""The reference on many samples: here, or in two processes where that pays."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export import netx, reference
from export.graph import Network

Spikes = NDArray[np.uint8]

# Samples from which a second process pays for its start.
_SHARE_FROM = 64


@dataclass(frozen=True)
class Sample:
    """One sample's share of a result: output (neuron, time), spikes of every layer, and these themselves if kept."""

    output: Spikes
    counts: tuple[int, ...]
    layers: tuple[Spikes, ...]


def of_sample(layers: Sequence[Spikes], keep: bool) -> Sample:
    """What is kept of every layer's spikes, (neuron..., time)."""
    output = layers[-1].reshape(-1, layers[-1].shape[-1])
    counts = tuple(int(layer.sum(dtype=np.int64)) for layer in layers)
    return Sample(output.astype(np.uint8), counts, tuple(layers) if keep else ())


@contextmanager
def start(
    network: Network, net: Path, samples: int, keep: bool
) -> Iterator[Callable[[NDArray[Any]], Iterable[Sample]]]:
    """A function that runs samples, in order; ``samples`` says how many there will be in all.

    ``net`` is the file of ``network``, for other processes to read.
    """
    if samples < _SHARE_FROM or (os.cpu_count() or 1) < 2:
        yield lambda spikes: (of_sample(reference.run(network, sample), keep) for sample in spikes)
        return
    # Spawned, because a fork of a process with torch's threads may hang.
    pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), _load, (str(net), keep))
    try:
        yield lambda spikes: pool.map(_run, spikes, chunksize=8)
    finally:
        pool.shutdown(cancel_futures=True)


_shared: tuple[Network, bool] | None = None


def _load(net: str, keep: bool) -> None:
    global _shared  # noqa: PLW0603  (a pool's process has no other place)
    _shared = (netx.read(Path(net)), keep)


def _run(sample: NDArray[Any]) -> Sample:
    assert _shared is not None
    network, keep = _shared
    return of_sample(reference.run(network, sample), keep)
