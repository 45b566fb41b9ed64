"""Spikes that a user gives, in memory or in a .npy file larger than memory: read block by block, and checked."""

import math
import tokenize
import zipfile
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from export.graph import InputLayer, Network
from export.reference import input_mantissas
from train.errors import MaestroError

_CURE = "save integer spikes with numpy.save"
_FAR = 1 << 40


@runtime_checkable
class Samples(Protocol):
    """An array, or what is sliced like one: samples first, time last."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, which: slice, /) -> NDArray[Any]: ...


class SpikeFile:
    """A .npy file, mapped anew for every slice, so that what was read does not stay in this process's memory.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    MaestroError
        Missing, a folder, not a .npy file, cut short, or holding Python objects, which are never unpickled.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            raise MaestroError(str(path), "is a folder", allowed="a .npy file", cure=_CURE)
        if not path.is_file():
            raise MaestroError(str(path), "no such file", cure=_CURE)
        found = self._map()
        self.shape: tuple[int, ...] = found.shape
        self.dtype: np.dtype[Any] = found.dtype
        self.ndim = found.ndim

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 0

    def __getitem__(self, which: slice) -> NDArray[Any]:
        return self._map()[which]

    def _map(self) -> NDArray[Any]:
        try:
            found = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, TypeError, OverflowError, EOFError, OSError, zipfile.BadZipFile, tokenize.TokenError) as e:
            # numpy's words, of np.load and of a mapped one.
            if "Object arrays" in str(e) or "Python objects" in str(e):
                found = "holds Python objects"
                raise MaestroError(str(self.path), found, allowed="an array of whole numbers", cure=_CURE) from e
            raise MaestroError(str(self.path), "is not a whole .npy file", cure=_CURE) from e
        if not isinstance(found, np.ndarray):
            raise MaestroError(str(self.path), "holds several arrays", allowed="one array", cure=_CURE)
        return found


class CheckedSpikes:
    """Samples as a network takes them: shape and kind are checked at once, values when a slice is taken.

    A network that takes (neuron,) also takes (channel, height, width) of as many neurons, flattened as SLAYER does.
    Slices are of uint8; where the input has neurons, of int64.

    Parameters
    ----------
    where
        What the samples come from, for messages.
    spikes
        Of shape (sample, channel, height, width, time) or (sample, neuron, time).
    network
        What they are for.

    Raises
    ------
    MaestroError
        Wrong number of axes, shape or kind; no sample or no step. From a slice: NaN, fractions, values other than 0
        and 1, or beyond what an input neuron's bias can hold.
    """

    def __init__(self, where: str, spikes: Samples, network: Network) -> None:
        self._where, self._spikes = where, spikes
        self._input = network.input_layer
        check_shape(where, spikes, network.input_shape)
        self.shape = (spikes.shape[0], *network.input_shape, spikes.shape[-1])
        self.ndim = len(self.shape)
        self.dtype = np.dtype(np.uint8 if self._input.neuron is None else np.int64)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: slice) -> NDArray[Any]:
        first, stop, _ = which.indices(len(self))
        block = self._spikes[first:stop]
        _check_values(self._where, block, first, self._input)
        return block.astype(self.dtype).reshape(len(block), *self.shape[1:])


def check_spikes(where: str, spikes: NDArray[Any], network: Network) -> NDArray[Any]:
    """All samples of an array as :class:`CheckedSpikes` gives them; errors as it has them."""
    return CheckedSpikes(where, spikes, network)[:]


def check_shape(where: str, spikes: Samples, input_shape: tuple[int, ...]) -> None:
    """Refuse samples of the wrong number of axes, shape or kind, or none at all."""
    takes = f"(sample, {', '.join(map(str, input_shape))}, time)"
    if len(spikes.shape) not in (3, 5):
        raise MaestroError(
            where,
            f"has {len(spikes.shape)} axes, shape {spikes.shape}",
            allowed=f"(sample, channel, height, width, time) or (sample, neuron, time), here {takes}",
        )
    if spikes.shape[0] == 0 or spikes.shape[-1] == 0:
        what = "sample" if spikes.shape[0] == 0 else "time step"
        raise MaestroError(where, f"has no {what}, shape {spikes.shape}", allowed=takes)
    shape = spikes.shape[1:-1]
    if shape != input_shape and not (len(input_shape) == 1 and math.prod(shape) == input_shape[0]):
        raise MaestroError(where, f"has shape {spikes.shape}", allowed=takes)
    if spikes.dtype.kind not in "iubf":
        raise MaestroError(where, f"holds {spikes.dtype}", allowed="integers")


def _check_values(where: str, block: NDArray[Any], first: int, layer: InputLayer) -> None:
    driven = layer.neuron is not None
    allowed = "whole numbers" if driven else "0 and 1"
    if block.dtype.kind == "f":
        _refuse(where, block, ~np.isfinite(block), first, allowed, "NaN or infinity")
        _refuse(where, block, block != np.round(block), first, f"{allowed}, as integers", "fractions")
    if driven:
        # Far beyond any bias, and still 64 bits.
        ends = [min(max(int(value), -_FAR), _FAR) for value in (block.min(), block.max())]
        input_mantissas(np.array(ends), layer.weight, layer.offset)
        return
    if block.dtype.kind == "b" or (block.dtype.kind == "u" and block.max() <= 1):
        return
    _refuse(where, block, (block != 0) & (block != 1), first, "0 and 1; this network takes unary spikes", "")


def _refuse(where: str, block: NDArray[Any], odd: NDArray[np.bool_], first: int, allowed: str, what: str) -> None:
    if odd.any():
        at = tuple(np.argwhere(odd)[0])
        found = f"holds {what or f'{block[at]:g}'} in sample {first + at[0]}, step {at[-1]}"
        raise MaestroError(where, found, allowed=allowed)
