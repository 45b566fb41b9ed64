"""Memory for kernels and what they give back, used again and again.

Fresh memory costs more than what is computed in it: the system hands it out page by page, each zeroed at first touch.
"""

import math
import sys
import threading
from typing import Any, NamedTuple

import numba
import numpy as np
import torch
from numpy.typing import NDArray

# Below this, in numbers, the allocator of torch keeps its memory by itself.
_SMALL = 1 << 14
# A block unused for so many requests goes back to the system when another is asked for.
_PATIENCE = 1000

_kept = threading.local()
_lock = threading.Lock()
_blocks: list[list[Any]] = []
_requests = 0


class Scratch(NamedTuple):
    """Room for every worker, first axis.

    Attributes
    ----------
    plane, volts, spikes
        Frames (time, lane) and (time, neuron), float32; spikes may be of no size.
    room
        States, int32 (5, lane).
    events, first
        Indices of spikes, and where those of a frame begin, int32.
    frames, products
        Four frames of an input with its edges, and four rows of products, float32.
    """

    plane: Any
    volts: Any
    spikes: Any
    room: Any
    events: Any
    first: Any
    frames: Any
    products: Any


def scratch(
    steps: int,
    width: int,
    lanes: int,
    neurons: int,
    inputs: int = 0,
    frame: int = 0,
    products: int = 0,
    turned: bool = False,
) -> tuple[int, Scratch]:
    """How many workers there are, and their room; its contents are whatever was left there."""
    workers = use_torch_threads()
    return workers, Scratch(
        _room("plane", (workers, steps, width), np.float32),
        _room("volts", (workers, steps, neurons), np.float32),
        _room("spikes", (workers, steps if turned else 0, neurons), np.float32),
        _room("room", (workers, 5, lanes), np.int32),
        _room("events", (workers, steps * inputs + 1), np.int32),
        _room("first", (workers, steps + 1), np.int32),
        _room("frames", (workers, 4, frame), np.float32),
        _room("products", (workers, products), np.float32),
    )


def fresh(shape: torch.Size | tuple[int, ...]) -> torch.Tensor:
    """A float32 tensor as ``torch.empty`` gives it, in memory that an earlier one has left if there is such.

    A block is free when nothing but the list of blocks refers to it: tensors, and all views of them, do.
    """
    global _requests  # noqa: PLW0603
    size = math.prod(shape)
    if size < _SMALL:
        return torch.empty(shape, dtype=torch.float32)
    with _lock:
        _requests += 1
        found = None
        for block in _blocks:
            # The list's own reference and the call's argument.
            if sys.getrefcount(block[0]) == 2 and size <= block[0].size <= 2 * size:
                found = block if found is None or block[0].size < found[0].size else found
        if found is None:
            _blocks[:] = [
                block for block in _blocks if sys.getrefcount(block[0]) > 2 or _requests - block[1] < _PATIENCE
            ]
            found = [np.empty(size, np.float32), 0]
            _blocks.append(found)
        found[1] = _requests
        return torch.from_numpy(found[0][:size].reshape(shape))


def use_torch_threads() -> int:
    """Give the kernels as many threads as torch has, so that one setting rules both; how many that is."""
    threads: int = max(1, min(torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS))
    numba.set_num_threads(threads)
    return threads


def _room(name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    size = math.prod(shape)
    have: NDArray[Any] | None = getattr(_kept, name, None)
    if have is None or have.size < size:
        have = np.empty(size, dtype)
        setattr(_kept, name, have)
    return have[:size].reshape(shape)
