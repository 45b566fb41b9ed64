"""A .net file as Lava Processes: stock lava-dl's loader, taught analog dendrites and held to what it runs rightly.

Only :mod:`lava_runtime.worker` uses it, in a process of its own: torch is barred from where this has run.
"""

import contextlib
import sys
import types
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np


class RefusedError(Exception):
    """A network that Lava cannot run rightly; carries what was found and what to do."""

    def __init__(self, found: str, cure: str) -> None:
        super().__init__(found)
        self.found = found
        self.cure = cure


def load(path: str, period: int | None) -> Any:
    """The network of a .net file, resetting every ``period`` steps; its file closed.

    Layers with analog dendrites become blocks of lava-dl's own synapses and of
    :class:`lava_runtime.processes.dh_lif.DhLif`; all others are stock.

    Raises
    ------
    RefusedError
        lava-dl cannot load the file, or would run it wrongly.
    """
    _import_without_torch()
    from lava.lib.dl.netx import hdf5

    try:
        _check_dendrites(path)
        with _dendrites_in(hdf5.Network):
            # The offset is 1: a layer's neurons reset on the step that brings them the sample's first
            # spikes. Others give wrong spikes without an error.
            net = hdf5.Network(net_config=path, reset_interval=period, reset_offset=1 if period else 0)
    except (OSError, KeyError, AttributeError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        # What NetX says of each layer type that it names and never built (lava-dl 0.6.0, netx/hdf5.py).
        if str(error).endswith(" is not implemented."):
            raise RefusedError(
                f"has a layer that NetX cannot run: {str(error).rstrip('.')}",
                "export it again; pooling goes out as convolution",
            ) from error
        raise RefusedError(
            f"cannot be loaded by lava-dl: {type(error).__name__}: {error}",
            "`python -m export lint` says what is wrong with it",
        ) from error
    try:
        _check(net)
    finally:
        # lava-dl keeps the file open, and nobody could write it again.
        net.net_config.f.close()
    return net


def _import_without_torch() -> None:
    """Load NetX without torch and OpenCV, which cost it seconds and 300 MB and this process has no use for.

    NetX takes ``neuron_params`` of resonate-and-fire neurons from SLAYER; networks with these are
    refused here. ``sequential_modules`` is not used. Only this process sees the stand-ins.
    """
    if "lava.lib.dl.netx.hdf5" in sys.modules:
        return

    def neuron_params(*_: Any, **__: Any) -> None:
        raise RefusedError("has resonate-and-fire neurons", "this runner knows CUBA LIF and DH-LIF alone")

    rf = types.ModuleType("lava.lib.dl.slayer.neuron.rf")
    rf.neuron_params = neuron_params  # type: ignore[attr-defined]
    sequential = types.ModuleType("lava.lib.dl.netx.sequential_modules")
    names = ("lava.lib.dl.slayer", "lava.lib.dl.slayer.neuron")
    sys.modules.update({name: types.ModuleType(name) for name in names})
    sys.modules.update({module.__name__: module for module in (rf, sequential)})
    # While it compiles, Lava runs every file beside a Process's file: these may not bring torch back.
    sys.modules["torch"] = None  # type: ignore[assignment]
    from lava.lib.dl.netx import hdf5

    # Lava asks every module of the package for its file.
    sequential.__file__ = hdf5.__file__


def _check_dendrites(path: str) -> None:
    """Refuse a file with dendrites that are not whole and in range; the stock loader would not look at them."""
    import h5py

    from export import netx
    from train.errors import MaestroError

    with h5py.File(path, "r") as file:
        layers = file.get("layer", {}).values()
        if netx.ROOT not in file.attrs and not any("dendrite" in layer for layer in layers):
            return
    try:
        netx.read(Path(path))
    except MaestroError as error:
        where = error.where.removeprefix(path).removeprefix(", ")
        allowed = f" (expected {error.allowed})" if error.allowed else ""
        raise RefusedError(f"{where} {error.found}{allowed}".strip(), error.cure or "export it again") from error


@contextlib.contextmanager
def _dendrites_in(network: Any) -> Iterator[None]:
    """Have NetX's ``Network`` build layers with dendrites too, while this lasts.

    By its own hooks, in place: a subclass would be a Process of its own, and Lava would import every file
    that lies beside it.
    """
    ours = {"create_dense": _create_dense, "create_conv": _create_conv}
    stock = {name: getattr(network, name) for name in ours}
    for name, create in ours.items():
        setattr(network, name, staticmethod(partial(create, stock[name])))
    try:
        yield
    finally:
        for name, create in stock.items():
            setattr(network, name, staticmethod(create))


def _create_dense(stock: Callable[..., Any], layer_config: Any, **options: Any) -> tuple[Any, str | None]:
    """As ``hdf5.Network.create_dense``; the text, a line of a table, is None for layers with dendrites."""
    if "dendrite" not in layer_config.f:
        return stock(layer_config, **options)  # type: ignore[no-any-return]
    from lava.lib.dl.netx.blocks.process import Dense
    from lava.lib.dl.netx.utils import optimize_weight_bits

    shape = (int(np.prod(layer_config["shape"])),)
    rows = shape[0] * _branches(layer_config)
    weight, bits, exponent, _ = optimize_weight_bits(layer_config["weight"].reshape(rows, -1))
    block = Dense(
        shape=(rows,),
        neuron_params={"neuron_proc": _neurons(layer_config, shape, **options)},
        weight=weight,
        num_weight_bits=bits,
        weight_exponent=exponent,
        input_message_bits=options["input_message_bits"],
    )
    block.shape = shape
    return block, None


def _create_conv(stock: Callable[..., Any], layer_config: Any, **options: Any) -> tuple[Any, str | None]:
    """As ``hdf5.Network.create_conv``; the text, a line of a table, is None for layers with dendrites."""
    if "dendrite" not in layer_config.f:
        return stock(layer_config=layer_config, **options)  # type: ignore[no-any-return]
    from lava.lib.dl.netx.blocks.process import Conv

    # Lava counts (width, height, channel), and convolves where SLAYER correlates.
    weight = layer_config["weight"].reshape(layer_config["weight"].shape[:4])[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)
    shape = tuple(int(size) for size in layer_config["shape"][::-1])
    sizes = {key: np.broadcast_to(layer_config[key], 2)[::-1].astype(int) for key in ("stride", "padding", "dilation")}
    block = Conv(
        shape=(*shape[:2], weight.shape[0]),
        input_shape=options["input_shape"],
        neuron_params={"neuron_proc": _neurons(layer_config, shape, **options)},
        weight=weight,
        groups=1,
        input_message_bits=options["input_message_bits"],
        **sizes,
    )
    # The block was told the synapse's shape; this is what the next layer takes.
    block.shape = shape
    return block, None


def _branches(layer_config: Any) -> int:
    return int(np.ravel(layer_config.f["dendrite/numBranches"][()])[0])


def _neurons(
    layer_config: Any, shape: tuple[int, ...], *, reset_interval: int | None, reset_offset: int, **_: Any
) -> Callable[..., Any]:
    """What a block calls to make neurons of ``shape``; it passes the synapse's shape, with a channel a branch."""
    from lava_runtime.processes.dh_lif import DhLif, DhLifReset

    dendrite, neuron = layer_config.f["dendrite"], layer_config["neuron"]
    bias = layer_config["bias"] if "bias" in layer_config.f else 0
    values: dict[str, Any] = {
        "shape": shape,
        "branches": _branches(layer_config),
        "gain": dendrite["gain"][()].astype(int),
        # Lava's register holds one less (``ds_offset``).
        "du": dendrite["iDecay"][()].astype(int) - 1,
        "dv": np.asarray(neuron["vDecay"]).astype(int),
        "vth": int(np.ravel(neuron["vThMant"])[0]),
        "bias_mant": np.broadcast_to(bias, shape).copy(),
        # NetX's, of every CUBA neuron.
        "bias_exp": 6,
    }
    if reset_interval is None:
        return lambda **_: DhLif(**values)
    return lambda **_: DhLifReset(**values, reset_interval=reset_interval, reset_offset=reset_offset)


def _check(net: Any) -> None:
    """Refuse what Lava would run with wrong spikes and no error, or not at all (``export/rulebook.py`` says why)."""
    from lava.proc.lif.process import LIF

    from lava_runtime.processes.dh_lif import DhLif

    for index, layer in enumerate(net.layers):
        kind = type(layer).__name__
        where = f"layer {index} ({kind})"
        if kind == "Input":
            raise RefusedError(f"{where} has neurons of its own, which NetX does not connect to its input", "drop them")
        if not isinstance(layer.neuron, LIF | DhLif):
            found = f"{where} has {type(layer.neuron).__name__} neurons"
            raise RefusedError(found, "this runner knows CUBA LIF and DH-LIF alone")
        if kind == "Conv" and int(np.max(layer.synapse.groups.init)) > 127:
            raise RefusedError(
                f"{where} has more than 127 groups, which Lava's model keeps in 8 bits", "use fewer channels"
            )
    for name, config in net.net_config.f["layer"].items():
        kind = np.ravel(config["type"][()])[0].decode()
        if kind in ("conv", "dense_rec") and "delay" in config:
            raise RefusedError(f"layer {name} ({kind}) has delays, which NetX gets wrong", "export it without")
        neuron = config.get("neuron", {})
        # messageBits does not even load: NetX's dictionary does not know the key.
        if "messageBits" in neuron or ("gradedSpike" in neuron and np.any(neuron["gradedSpike"][()])):
            raise RefusedError(f"layer {name} sends graded spikes, which NetX gets wrong", "export with unary spikes")


def memory_of(net: Any) -> str:
    """What in the network outlives a reset of its neurons, in words; empty if nothing does.

    A neuron resets on the step that brings it the next sample's first spikes, and what its synapse
    summed before is gone by then. That is exact for plain layers, with branches or without. It is not
    where a spike can stay on the way for longer (delays, recurrence), nor where a layer is active before
    its first spikes (bias), because in a fresh run it starts at step 1 and not at its reset.
    """
    for index, layer in enumerate(net.layers):
        if hasattr(layer, "synapse_rec"):
            return f"layer {index} is recurrent"
        if type(layer.synapse).__name__.startswith("Delay"):
            return f"layer {index} has delays"
        if np.any(layer.neuron.bias_mant.init != 0):
            return f"layer {index} has a bias"
        if np.any(np.asarray(layer.neuron.vth.init) < 0):
            return f"layer {index} has a threshold below 0"
    return ""
