"""A .net file as Lava Processes: stock lava-dl's loader, taught what it leaves out and held to what it runs rightly.

It learns analog dendrites, input neurons that take their input, and to stop before an average at the end.

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

from export.graph import InputLayer, Network


class RefusedError(Exception):
    """A network that Lava cannot run rightly; carries what was found and what to do."""

    def __init__(self, found: str, cure: str) -> None:
        super().__init__(found)
        self.found = found
        self.cure = cure


def load(path: str, period: int | None) -> Any:
    """The network of a .net file, resetting every ``period`` steps; its file closed.

    Layers with analog dendrites become blocks of lava-dl's own synapses and of
    :class:`lava_runtime.processes.dh_lif.DhLif`, input neurons
    :class:`lava_runtime.processes.biased_lif.BiasedLif`; all others are stock. An average at the end is left out.

    Raises
    ------
    RefusedError
        lava-dl cannot load the file, or would run it wrongly.
    """
    _import_without_torch()
    from lava.lib.dl.netx import hdf5

    try:
        ours = _read_ours(path)
        # The offset is 1, and 0 with input neurons, which take no step: a layer's neurons reset on the step
        # that brings them the sample's first spikes. Others give wrong spikes without an error.
        offset = 1 if period and not (ours and ours.input_layer.neuron) else 0
        with _taught(hdf5.Network, ours):
            net = hdf5.Network(
                net_config=path, num_layers=_stock_layers(path, ours), reset_interval=period, reset_offset=offset
            )
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


def _read_ours(path: str) -> Network | None:
    """The network of a file with something that the stock loader passes over or stops at; None for any other.

    Refuses what is not whole and in range there, at which the stock loader would not look.
    """
    import h5py

    from export import netx
    from train.errors import MaestroError

    with h5py.File(path, "r") as file:
        layers = file.get("layer", {}).values()
        if netx.ROOT not in file.attrs and not any(_is_ours(layer) for layer in layers):
            return None
    try:
        return netx.read(Path(path))
    except MaestroError as error:
        where = error.where.removeprefix(path).removeprefix(", ")
        allowed = f" (expected {error.allowed})" if error.allowed else ""
        raise RefusedError(f"{where} {error.found}{allowed}".strip(), error.cure or "export it again") from error


def _is_ours(layer: Any) -> bool:
    kind = _kind(layer) if "type" in layer else ""
    return "dendrite" in layer or (kind == "input" and "neuron" in layer) or kind == "average"


def _kind(layer: Any) -> str:
    return bytes(np.ravel(layer["type"][()])[0]).decode("ascii", "replace")


def _stock_layers(path: str, ours: Network | None) -> int | None:
    """How many layers of the file NetX shall build: all but an average at the end."""
    import h5py

    if ours is None or ours.readout is None:
        return None
    with h5py.File(path, "r") as file:
        return len(file["layer"]) - 1


@contextlib.contextmanager
def _taught(network: Any, ours: Network | None) -> Iterator[None]:
    """Have NetX's ``Network`` build layers with dendrites and input neurons too, while this lasts.

    By its own hooks, in place: a subclass would be a Process of its own, and Lava would import every file
    that lies beside it.
    """
    hooks = {"create_dense": _create_dense, "create_conv": _create_conv}
    stock = {name: getattr(network, name) for name in (*hooks, "create_input")}
    for name, create in hooks.items():
        setattr(network, name, staticmethod(partial(create, stock[name])))
    if ours is not None:
        network.create_input = staticmethod(partial(_create_input, ours.input_layer))
    try:
        yield
    finally:
        for name, create in stock.items():
            setattr(network, name, staticmethod(create))


def _create_input(layer: InputLayer, layer_config: Any, **options: Any) -> tuple[Any, str | None]:
    """As ``hdf5.Network.create_input``, with neurons that take the input as their bias.

    ``spike_exp``, of neurons that are none of ours, is left out.
    """
    from lava.lib.dl.netx import hdf5
    from lava.lib.dl.netx.blocks.process import Input

    from lava_runtime.processes.biased_lif import BiasedLif, BiasedLifReset

    resets = {key: options[key] for key in ("reset_interval", "reset_offset")}
    params = hdf5.Network.get_neuron_params(layer_config["neuron"], input=True, **resets)
    params["neuron_proc"] = BiasedLif if resets["reset_interval"] is None else BiasedLifReset
    transform = {"weight": layer.weight, "bias": layer.offset}
    block = Input(shape=layer.shape[::-1], neuron_params=params, transform=transform)
    block.inp.connect(block.neuron.bias_in)
    return block, None


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


def transform_of(net: Any) -> tuple[int, int] | None:
    """Weight and offset that make bias mantissas of the input, where the input layer has neurons."""
    transform = getattr(net.in_layer, "transform", None)
    return None if transform is None else (transform["weight"], transform["bias"])


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
        # Input neurons have no synapse, and reset on a sample's first step.
        if hasattr(layer, "synapse") and type(layer.synapse).__name__.startswith("Delay"):
            return f"layer {index} has delays"
        if np.any(layer.neuron.bias_mant.init != 0):
            return f"layer {index} has a bias"
        if np.any(np.asarray(layer.neuron.vth.init) < 0):
            return f"layer {index} has a threshold below 0"
    return ""
