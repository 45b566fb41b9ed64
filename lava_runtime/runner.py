"""One way to run a .net file, whatever runs it: checked spikes in, spikes and counts out."""

import math
import multiprocessing
import os
import tokenize
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, UInt8
from numpy.typing import NDArray

from export import netx, reference
from export.graph import Network
from lava_runtime.network import PATIENCE_S, LavaNetwork, Spikes
from train.console import progress
from train.errors import CallError, MaestroError

BACKENDS = ("lava", "reference")
# Samples from which a second process pays for its start.
_SHARE_FROM = 64


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
    """

    output: UInt8[Spikes, "sample neuron time"]
    counts: Int64[NDArray[np.int64], "sample layer"]
    layers: tuple[UInt8[Spikes, "sample *_layer time"], ...] = ()


@runtime_checkable
class Runner(Protocol):
    """Runs samples through a network. Use it in a ``with``: some hold processes."""

    backend: str
    layer_sizes: tuple[int, ...]

    def __enter__(self) -> "Runner": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def run(self, spikes: NDArray[Any], *, where: str = "spikes") -> Result:
        """Run samples of shape (sample, channel, height, width, time) or (sample, neuron, time).

        ``where`` they come from is what an error about them names.
        """
        ...


def make_runner(
    backend: str, net: Path, *, layers: bool = False, patience_s: float = PATIENCE_S, stock: bool = False
) -> Runner:
    """The runner of a backend's name.

    Parameters
    ----------
    backend
        ``lava``: Lava's fixed-point simulator. ``reference``: the arithmetic in numpy.
    net
        A .net file.
    layers
        Keep every layer's spikes in the result.
    patience_s, stock
        Of :class:`lava_runtime.network.LavaNetwork`.

    Raises
    ------
    CallError
        No such backend.
    MaestroError
        The file cannot be run.
    """
    if backend == "lava":
        return LavaRunner(net, layers=layers, patience_s=patience_s, stock=stock)
    if backend == "reference":
        return ReferenceRunner(net, layers=layers)
    raise CallError(f"--backend {backend}", "no such backend", allowed=" or ".join(BACKENDS))


class LavaRunner:
    """Lava's fixed-point simulator behind the protocol."""

    backend = "lava"

    def __init__(self, net: Path, *, layers: bool = False, patience_s: float = PATIENCE_S, stock: bool = False) -> None:
        self._keep = layers
        self._network = LavaNetwork(net, patience_s=patience_s, stock=stock)
        self.layer_sizes = self._network.description.sizes

    def __enter__(self) -> "LavaRunner":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._network.close()

    def run(self, spikes: NDArray[Any], *, where: str = "spikes") -> Result:
        checked = check_spikes(where, spikes, self._network.description.input_shape)
        found = []
        with progress("Lava", checked.shape[0] * checked.shape[-1], "steps") as meter:
            for item in self._network.stream(checked):
                if isinstance(item, int):
                    meter.advance(item)
                else:
                    found.append(_of_sample(item, self._keep))
        return _gather(found)


class ReferenceRunner:
    """The integer arithmetic's own simulator (:mod:`export.reference`), in two processes for many samples."""

    backend = "reference"

    def __init__(self, net: Path, *, layers: bool = False) -> None:
        self._net = net
        self._keep = layers
        self._network = netx.read(net)
        self.layer_sizes = tuple(math.prod(layer.shape) for _, layer in self._network.spiking)

    def __enter__(self) -> "ReferenceRunner":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def run(self, spikes: NDArray[Any], *, where: str = "spikes") -> Result:
        checked = check_spikes(where, spikes, self._network.input_shape)
        found = []
        with progress("reference", len(checked), "samples") as meter:
            for item in self._each(checked):
                found.append(item)
                meter.advance()
        return _gather(found)

    def _each(self, spikes: Spikes) -> Iterator["_Sample"]:
        if len(spikes) < _SHARE_FROM or (os.cpu_count() or 1) < 2:
            for sample in spikes:
                yield _of_sample(reference.run(self._network, sample), self._keep)
            return
        # Spawned, because a fork of a process with torch's threads may hang.
        pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), _load_network, (str(self._net), self._keep))
        try:
            yield from pool.map(_run_reference, spikes, chunksize=8)
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _Sample:
    """One sample's share of a result."""

    output: Spikes
    counts: tuple[int, ...]
    layers: tuple[Spikes, ...]


_shared: tuple[Network, bool] | None = None


def _load_network(net: str, keep: bool) -> None:
    global _shared  # noqa: PLW0603  (a pool's process has no other place)
    _shared = (netx.read(Path(net)), keep)


def _run_reference(sample: Spikes) -> _Sample:
    assert _shared is not None
    network, keep = _shared
    return _of_sample(reference.run(network, sample), keep)


def _of_sample(layers: Sequence[Spikes], keep: bool) -> _Sample:
    output = layers[-1].reshape(-1, layers[-1].shape[-1])
    counts = tuple(int(layer.sum(dtype=np.int64)) for layer in layers)
    return _Sample(output.astype(np.uint8), counts, tuple(layers) if keep else ())


def _gather(samples: Iterable[_Sample]) -> Result:
    found = list(samples)
    layers = tuple(np.stack(layer) for layer in zip(*(sample.layers for sample in found), strict=True))
    output = np.stack([sample.output for sample in found])
    return Result(output, np.array([sample.counts for sample in found], np.int64), layers)


def load_spikes(path: Path) -> NDArray[Any]:
    """Read an array of spikes from a .npy file.

    Raises
    ------
    MaestroError
        Missing, a folder, not a .npy file, cut short, larger than memory, or holding Python objects,
        which are never unpickled.
    """
    cure = "save integer spikes with numpy.save"
    if path.is_dir():
        raise MaestroError(str(path), "is a folder", allowed="a .npy file", cure=cure)
    if not path.is_file():
        raise MaestroError(str(path), "no such file", cure=cure)
    try:
        found = np.load(path, allow_pickle=False)
    except MemoryError as error:
        found = "its header promises more data than fits in memory"
        raise MaestroError(str(path), found, cure=f"{cure}, fewer samples at a time") from error
    except (ValueError, TypeError, OverflowError, EOFError, OSError, zipfile.BadZipFile, tokenize.TokenError) as error:
        if "Object arrays" in str(error):
            raise MaestroError(str(path), "holds Python objects", allowed="an array of 0 and 1", cure=cure) from error
        raise MaestroError(str(path), "is not a whole .npy file", cure=cure) from error
    if not isinstance(found, np.ndarray):
        raise MaestroError(str(path), "holds several arrays", allowed="one array", cure=cure)
    return found


def check_spikes(
    where: str, spikes: NDArray[Any], input_shape: tuple[int, ...]
) -> UInt8[Spikes, "sample *_input time"]:
    """Spikes as a network of ``input_shape`` takes them, uint8, or what is wrong with them.

    A network that takes (neuron,) also takes (channel, height, width) of as many neurons, flattened
    as SLAYER does.

    Raises
    ------
    MaestroError
        Wrong number of axes, shape or kind; no sample or no step; NaN; values other than 0 and 1.
    """
    takes = f"(sample, {', '.join(map(str, input_shape))}, time)"
    if spikes.ndim not in (3, 5):
        raise MaestroError(
            where,
            f"has {spikes.ndim} axes, shape {spikes.shape}",
            allowed=f"(sample, channel, height, width, time) or (sample, neuron, time), here {takes}",
        )
    if spikes.shape[0] == 0 or spikes.shape[-1] == 0:
        what = "sample" if spikes.shape[0] == 0 else "time step"
        raise MaestroError(where, f"has no {what}, shape {spikes.shape}", allowed=takes)
    shape = spikes.shape[1:-1]
    if shape != input_shape and not (len(input_shape) == 1 and math.prod(shape) == input_shape[0]):
        raise MaestroError(where, f"has shape {spikes.shape}", allowed=takes)
    if spikes.dtype.kind == "f":
        if not np.isfinite(spikes).all():
            raise MaestroError(where, "holds NaN or infinity", allowed="0 and 1")
        if not (spikes == np.round(spikes)).all():
            raise MaestroError(where, "holds fractions", allowed="0 and 1, as integers")
    elif spikes.dtype.kind not in "iub":
        raise MaestroError(where, f"holds {spikes.dtype}", allowed="integers 0 and 1")
    odd = spikes[(spikes != 0) & (spikes != 1)]
    if odd.size:
        raise MaestroError(where, f"holds {odd.flat[0]:g}", allowed="0 and 1; the networks take unary spikes")
    return spikes.astype(np.uint8).reshape(len(spikes), *input_shape, spikes.shape[-1])
