"""Synaptic sums of whole frames as matrix products: what is faster than events where many neurons fire.

Products of 0 and 1 with integer weights are exact in float32 while no sum can reach 2^24, and in float64 beyond.
"""

import math
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from export.graph import ConvLayer, DenseLayer
from lava_runtime.engine.kernels import Events, Int32, fill_frames, interruptible
from lava_runtime.engine.program import Stage

# Nanoseconds on one core, measured on a Xeon with AVX-512: of an addition that a spike makes, of a spike and of a run
# of additions whatever their length, of a product in a matrix product, of an entry copied into columns or sums.
ADD_NS, SPIKE_NS, RUN_NS, PRODUCT_NS, COPY_NS = 0.15, 5.0, 4.0, 0.036, 0.6
# Frames whose columns are made at a time, in entries.
_COLUMNS = 1 << 19
# Below, sums are exact in float32.
_EXACT = 1 << 24


class _OneCore:
    """Keeps matrix products to one core each while any thread is in it: the other cores have blocks of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._libraries: ThreadpoolController | None = None
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._libraries = self._libraries or ThreadpoolController()
                self._limit = self._libraries.limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


_one_core = _OneCore()


@dataclass(frozen=True, eq=False)
class Product:
    """A layer's weights laid out for frames (place, channel in), and what both ways cost.

    Parameters
    ----------
    matrix
        Shape (input of a sum, branch * channel out).
    target
        Where in a frame each input goes.
    frame
        Shape of a frame: (neuron,), or padded (height, width, channel).
    adds, runs
        Additions that a spike makes, and runs of them, on average over the inputs.
    """

    stage: Stage
    matrix: NDArray[Any]
    target: NDArray[np.int64]
    frame: tuple[int, ...]
    adds: float
    runs: float

    def is_cheaper(self, spikes: int, frames: int) -> bool:
        """Whether a product of ``frames`` beats handling ``spikes`` one by one."""
        by_event = spikes * (SPIKE_NS + self.runs * RUN_NS + self.adds * ADD_NS)
        places = math.prod(self.stage.shape[1:])
        inputs, outputs = self.matrix.shape
        copied = places * (inputs if len(self.frame) > 1 else 0) + self.stage.rows + math.prod(self.frame)
        return frames * (places * inputs * outputs * PRODUCT_NS + copied * COPY_NS) < by_event

    def sums(self, events: Events, samples: int, steps: int) -> Int32:
        """Sums (sample, step, row) of the spikes of every step."""
        frames = samples * steps
        found = np.empty((frames, self.stage.rows), np.int32)
        places = math.prod(self.stage.shape[1:])
        block = frames_at_once(self.stage)
        for first in range(0, frames, block):
            count = min(block, frames - first)
            frame = np.zeros((count, math.prod(self.frame)), self.matrix.dtype)
            interruptible(fill_frames, events.start[first : first + count + 1], events.index, self.target, frame)
            columns = self._columns(frame)
            with _one_core:
                product = columns @ self.matrix
            by_branch = product.reshape(count, places, self.stage.branches, -1).transpose(0, 2, 1, 3)
            found[first : first + count] = by_branch.reshape(count, -1)
        return found.reshape(samples, steps, -1)

    def _columns(self, frame: NDArray[Any]) -> NDArray[Any]:
        layer = self.stage.layer
        if not isinstance(layer, ConvLayer):
            return frame
        images = frame.reshape(-1, *self.frame)
        _, height, width = layer.shape
        kernel = layer.weight.shape[2:]
        count, row, column, entry = images.strides
        windows = np.lib.stride_tricks.as_strided(
            images,
            (len(images), height, width, *kernel, images.shape[3]),
            (
                count,
                row * layer.stride[0],
                column * layer.stride[1],
                row * layer.dilation[0],
                column * layer.dilation[1],
                entry,
            ),
            writeable=False,
        )
        return windows.reshape(len(images) * height * width, -1)


def frames_at_once(stage: Stage) -> int:
    """Frames that are multiplied in one go."""
    return max(1, _COLUMNS // (math.prod(stage.shape[1:]) * _inputs(stage) + 3 * stage.rows))


def product_bytes(stage: Stage, threads: int) -> int:
    """Memory that a product takes: its matrix, and on every core frames, their columns and sums."""
    entries = math.prod(stage.shape[1:]) * _inputs(stage) + 3 * stage.rows + 2 * stage.source_order.size
    wide = 8 if _largest_sum(stage) >= _EXACT else 4
    return wide * (stage.synapses.weight.size + threads * frames_at_once(stage) * entries)


def _inputs(stage: Stage) -> int:
    """Inputs of a sum."""
    return stage.synapses.weight.size // (stage.branches * stage.shape[0])


def _largest_sum(stage: Stage) -> int:
    layer = stage.layer
    assert isinstance(layer, ConvLayer | DenseLayer)
    return int(np.abs(layer.weight).reshape(layer.weight.shape[0], -1).sum(axis=1).max(initial=0))


def product_of(stage: Stage) -> Product | None:
    """The product that gives a stage's sums; None where there is none, or never a use for it.

    Grouped convolutions have so few weights a spike, and delays of single synapses so many products, that events win.
    """
    layer = stage.layer
    if not isinstance(layer, ConvLayer | DenseLayer) or stage.synapses.late.size:
        return None
    if isinstance(layer, ConvLayer) and layer.groups > 1:
        return None
    kind = np.float32 if _largest_sum(stage) < _EXACT else np.float64
    starts = np.concatenate([[0], np.cumsum(stage.synapses.length)])[stage.synapses.runs]
    adds, runs = (float(np.diff(at)[stage.synapses.place].mean()) for at in (starts, stage.synapses.runs))
    if isinstance(layer, DenseLayer):
        size = layer.weight.shape[1]
        matrix = stage.synapses.weight.reshape(size, -1).astype(kind)
        return Product(stage, matrix, np.arange(size, dtype=np.int64), (size,), adds, runs)
    channels, height, width = stage.source
    channel, y, x = np.unravel_index(stage.source_order, (channels, height, width))
    down, across = layer.padding
    frame = (height + 2 * down, width + 2 * across, channels)
    target = np.ravel_multi_index((y + down, x + across, channel), frame).astype(np.int64)
    rows, inner, *kernel = layer.weight.shape
    # Rows (branch, channel out), columns (kernel, channel in).
    matrix = layer.weight.astype(kind).transpose(2, 3, 1, 0).reshape(math.prod(kernel) * inner, rows)
    return Product(stage, matrix, target, frame, adds, runs)
