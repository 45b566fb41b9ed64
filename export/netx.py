"""Write and read the NetX file (HDF5) that stock ``lava.lib.dl.netx.hdf5.Network`` runs.

Names, types and shapes are those of lava-dl's ``slayer/block/base.py`` (``export_hdf5``); the stock loader is
``netx/hdf5.py``. A layer's name travels as an attribute of its group, which the stock loader does not look at.

Layers with analog dendrites are no stock layers: a group `dendrite` and neurons of type DH-LIF, at which the stock
loader stops, and an attribute of the file's root that says so. Only ``lava_runtime`` runs them, in the simulator.
"""

import io
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from export.datasets import AGAIN, attribute, integers, number, pair, text
from export.dendrites import ANALOG
from export.graph import (
    WORDS,
    AverageLayer,
    ConvLayer,
    Cuba,
    DenseLayer,
    DhLif,
    FlattenLayer,
    InputLayer,
    Integers,
    Layer,
    Network,
    check_layer,
    default_names,
)
from export.limits import DELAY_MAX
from train.artifacts import atomic_write
from train.errors import MaestroError

KINDS = ("input", "conv", "dense", "dense_rec", "flatten")
NEURONS = ("CUBA", "LOIHI")
# Neurons of layers with analog dendrites, and what the file's root then says of its dendrites.
DENDRITIC = "DH-LIF"
ROOT = "dendrites"


def write(network: Network, path: Path) -> None:
    """Write ``network`` as a NetX file, whole or not at all; a stock one if it has no analog dendrites.

    Raises
    ------
    MaestroError
        The file cannot be written; an older one stays as it was.
    """
    with atomic_write(path) as temporary:
        temporary.write_bytes(to_bytes(network))


def to_bytes(network: Network) -> bytes:
    """The content of a NetX file.

    Made in memory, to be written in one go: HDF5 reports a full disk in many ways, Python in one.
    """
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for index, (name, layer) in enumerate(zip(network.names, network.layers, strict=True)):
            group = file.create_group(f"layer/{index}")
            group.attrs["name"] = name
            _write_layer(group, layer)
        if network.dendritic_names:
            file.attrs[ROOT] = ANALOG
    return memory.getvalue()


def _write_layer(group: h5py.Group, layer: Layer) -> None:
    kind = WORDS[type(layer)]
    if isinstance(layer, DenseLayer) and layer.recurrent is not None:
        kind = "dense_rec"
    group.create_dataset("type", (1,), "S10", [kind.encode("ascii")])
    # SLAYER flattens to (neuron, 1, 1), and averages to (group, 1, 1).
    shape = (*layer.shape, 1, 1) if isinstance(layer, FlattenLayer | AverageLayer) else layer.shape
    group.create_dataset("shape", data=np.array(shape))
    if isinstance(layer, ConvLayer):
        group.create_dataset("inChannels", data=layer.weight.shape[1] * layer.groups)
        group.create_dataset("outChannels", data=layer.shape[0])
        group.create_dataset("kernelSize", data=layer.weight.shape[2:])
        for key in ("stride", "padding", "dilation", "groups"):
            group.create_dataset(key, data=getattr(layer, key))
    elif isinstance(layer, DenseLayer):
        group.create_dataset("inFeatures", data=layer.weight.shape[1])
        group.create_dataset("outFeatures", data=layer.shape[0])
    if isinstance(layer, ConvLayer | DenseLayer):
        group.create_dataset("weight", data=layer.weight.astype(np.float32))
    if isinstance(layer, DenseLayer):
        if layer.recurrent is not None:
            group.create_dataset("weight_rec", data=layer.recurrent.astype(np.float32))
        if layer.delay is not None:
            group.create_dataset("delay", data=layer.delay.astype(np.float32))
    if isinstance(layer, FlattenLayer | AverageLayer) or layer.neuron is None:
        return
    if layer.bias is not None:
        group.create_dataset("bias", data=layer.bias)
    _write_neuron(group, layer.neuron)


def _write_neuron(group: h5py.Group, neuron: Cuba | DhLif) -> None:
    values: dict[str, Any] = {"type": DENDRITIC if isinstance(neuron, DhLif) else "CUBA"}
    if isinstance(neuron, Cuba):
        values["iDecay"] = neuron.i_decay
    values |= {"vDecay": neuron.v_decay, "vThMant": neuron.vth_mant, "refDelay": 1, "gradedSpike": False}
    for key, data in values.items():
        group.create_dataset(f"neuron/{key}", data=data)
    if isinstance(neuron, DhLif):
        group.create_dataset("dendrite/numBranches", data=neuron.branches)
        group.create_dataset("dendrite/iDecay", data=neuron.i_decay)
        group.create_dataset("dendrite/gain", data=neuron.gain)


def open_net(path: Path) -> h5py.File:
    """Open a NetX file for reading; the caller closes it.

    Raises
    ------
    MaestroError
        Missing, not an HDF5 file or a truncated one, or without layers.
    """
    if not path.is_file():
        raise MaestroError(str(path), "no such file", cure="make it with `python -m export netx RUN`")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise MaestroError(
            str(path), "is not a whole HDF5 file: truncated, or of another kind", cure="export it again"
        ) from error
    try:
        layers = file.get("layer")
        has_layers = isinstance(layers, h5py.Group) and len(layers) > 0
    except (OSError, RuntimeError, KeyError) as error:
        file.close()
        raise MaestroError(str(path), f"is damaged: {error}", cure="export it again") from error
    if not has_layers:
        file.close()
        raise MaestroError(str(path), "has no layers", allowed="a NetX file with a group `layer`")
    return file


def read(path: Path) -> Network:
    """Read a NetX file as integers.

    A file without an input layer gets one in the shape of its first dense layer's input. What a network of
    integers cannot say is refused here; what would run, but wrongly, is for ``export/lint.py``.

    Raises
    ------
    MaestroError
        Missing, truncated or foreign; a layer or neuron that NetX cannot run; a dataset missing, of the wrong
        shape or not whole numbers. The text names the layer.
    """
    with open_net(path) as file:
        try:
            network = _read_layers(file["layer"])
            _check_root(file, network)
            return network
        except MaestroError as error:
            raise MaestroError(f"{path}, {error.where}", error.found, allowed=error.allowed, cure=error.cure) from error
        except (OSError, RuntimeError, KeyError) as error:
            raise MaestroError(str(path), f"is damaged: {error}", cure="export it again") from error


def _check_root(file: h5py.File, network: Network) -> None:
    """Refuse a file whose root and layers disagree on whether there are analog dendrites."""
    said, found = attribute(file, ROOT), network.dendritic_names
    if found and said is None:
        raise MaestroError(
            f"layer {found[0]}", f"has dendrites, and the file's root no attribute {ROOT!r}", allowed=ANALOG, cure=AGAIN
        )
    if said is not None and said != ANALOG:
        raise MaestroError("root", f"has an attribute {ROOT!r} of {said!r}", allowed=repr(ANALOG), cure=AGAIN)
    if said is not None and not found:
        raise MaestroError("root", f"says {said} {ROOT}, and no layer has any", cure=AGAIN)


def _read_layers(group: h5py.Group) -> Network:
    layers: list[Layer] = []
    names: list[str] = []
    for index in range(len(group)):
        where = f"layer {index}"
        entry = group.get(str(index))
        if not isinstance(entry, h5py.Group):
            raise MaestroError(where, "is missing", allowed=f"layers 0 to {len(group) - 1}")
        kind = layer_kind(entry, where)
        where += f" ({kind})"
        if not layers and kind != "input":
            layers.append(_implied_input(entry, kind, where))
            names.append("input")
        layers.append(_read_layer(entry, kind, layers[-1].shape if layers else (), where))
        name = entry.attrs.get("name", "")
        names.append(name if isinstance(name, str) else "")
        check_layer(where.removeprefix("layer "), layers[-1], layers[-2].shape if len(layers) > 1 else layers[-1].shape)
    if not all(names) or len(set(names)) != len(names):
        names = list(default_names(layers))
    return Network(tuple(layers), tuple(names))


def layer_kind(group: h5py.Group, where: str) -> str:
    """The layer's type, one that NetX can run."""
    kind = text(group, "type", where)
    if kind not in KINDS:
        raise MaestroError(
            where,
            f"is of type {kind!r}, which NetX cannot run",
            allowed=", ".join(KINDS),
            cure="export pooling as a grouped convolution with weight 64" if kind == "pool" else AGAIN,
        )
    if isinstance(group.get("weight"), h5py.Group):
        raise MaestroError(where, "has complex weights, which NetX cannot run here", allowed="real weights", cure=AGAIN)
    return kind


def _implied_input(group: h5py.Group, kind: str, where: str) -> InputLayer:
    if kind not in ("dense", "dense_rec"):
        raise MaestroError(where, "has no input layer before it to say its input's shape", cure=AGAIN)
    return InputLayer((_dense_weight(group, _read_neuron(group, where), where).shape[1],))


def _read_layer(group: h5py.Group, kind: str, shape: tuple[int, ...], where: str) -> Layer:
    if kind == "flatten":
        return FlattenLayer((math.prod(shape),))
    stated = tuple(integers(group, "shape", where).reshape(-1).tolist())
    if kind == "input":
        if len(stated) not in (1, 3) or min(stated) < 1:
            raise MaestroError(where, f"has shape {stated}", allowed="(neuron) or (channel, height, width)")
        own = _read_neuron(group, where) if "neuron" in group else None
        if isinstance(own, DhLif):
            raise MaestroError(where, "is an input layer with dendrites", allowed=f"neurons of type {NEURONS[0]}")
        return InputLayer(stated, own)
    neuron = _read_neuron(group, where)
    if isinstance(neuron, DhLif) and (kind == "dense_rec" or "delay" in group):
        extra = "recurrent weights" if kind == "dense_rec" else "delays"
        raise MaestroError(where, f"has dendrites and {extra}", allowed="neither delays nor recurrent weights")
    bias = integers(group, "bias", where).reshape(-1) if "bias" in group else None
    if kind == "conv":
        return _read_conv(group, neuron, bias, stated, where)
    weight = _dense_weight(group, neuron, where)
    recurrent = integers(group, "weight_rec", where) if kind == "dense_rec" else None
    delay = _read_delay(group, weight, where) if "delay" in group else None
    return DenseLayer(weight, neuron, bias, delay, recurrent)


def _read_conv(
    group: h5py.Group, neuron: Cuba | DhLif, bias: Integers | None, stated: tuple[int, ...], where: str
) -> ConvLayer:
    weight = integers(group, "weight", where)
    if weight.ndim == 5 and weight.shape[4] == 1:
        weight = weight[..., 0]
    if len(stated) != 3:
        raise MaestroError(where, f"has shape {stated}", allowed="(channel, height, width)")
    if "delay" in group:
        raise MaestroError(where, "has delays, which NetX leaves out of convolutions", cure="train it without delay")
    return ConvLayer(
        weight,
        pair(group, "stride", where),
        pair(group, "padding", where),
        pair(group, "dilation", where),
        number(group, "groups", where),
        neuron,
        (stated[0], stated[1], stated[2]),
        bias,
    )


def _dense_weight(group: h5py.Group, neuron: Cuba | DhLif, where: str) -> Integers:
    """Weights as (branch * neuron out, neuron in); the stock loader takes a flat array of its layers too."""
    weight = integers(group, "weight", where)
    size = math.prod(integers(group, "shape", where).reshape(-1).tolist())
    rows = size * (neuron.branches if isinstance(neuron, DhLif) else 1)
    if weight.ndim == 1 and isinstance(neuron, Cuba) and rows and weight.size % rows == 0:
        weight = weight.reshape(rows, -1)
    if weight.ndim != 2 or weight.shape[0] != rows:
        raise MaestroError(where, f"has weights of shape {weight.shape}", allowed=f"({rows}, inputs)")
    return weight


def _read_delay(group: h5py.Group, weight: Integers, where: str) -> Integers:
    """Delays as the stock loader spreads them: one a neuron, else one an input, else one a synapse."""
    delay = integers(group, "delay", where)
    if delay.size and (delay.min() < 0 or delay.max() > DELAY_MAX):
        raise MaestroError(where, f"has delays of {delay.min()} to {delay.max()}", allowed=f"0 to {DELAY_MAX}")
    if delay.shape in (weight.shape[:1], weight.shape):
        return delay
    if delay.ndim == 0 or delay.shape == weight.shape[1:]:
        return np.ascontiguousarray(np.broadcast_to(delay, weight.shape))
    raise MaestroError(where, f"has delays of shape {delay.shape}", allowed=f"one a neuron, ({weight.shape[0]},)")


def _read_neuron(group: h5py.Group, where: str) -> Cuba | DhLif:
    neuron = group.get("neuron")
    if not isinstance(neuron, h5py.Group):
        raise MaestroError(where, "has no neuron", allowed="a group `neuron`", cure=AGAIN)
    kind = text(neuron, "type", f"{where}, neuron")
    if kind not in (*NEURONS, DENDRITIC):
        known = " or ".join((*NEURONS, DENDRITIC))
        raise MaestroError(f"{where}, neuron", f"is of type {kind!r}, which this project cannot run", allowed=known)
    for key in ("gradedSpike", "messageBits"):
        if key in neuron and np.any(integers(neuron, key, f"{where}, neuron")):
            raise MaestroError(f"{where}, neuron", f"sends graded spikes ({key})", allowed="binary spikes")
    v_decay = _decay(neuron, "vDecay", f"{where}, neuron")
    vth_mant = number(neuron, "vThMant", f"{where}, neuron")
    if kind == DENDRITIC:
        return _read_dendrite(group, v_decay, vth_mant, where)
    if "dendrite" in group:
        raise MaestroError(
            where, f"has a group `dendrite` and neurons of type {kind!r}", allowed=f"type {DENDRITIC!r}", cure=AGAIN
        )
    return Cuba(_decay(neuron, "iDecay", f"{where}, neuron"), v_decay, vth_mant)


def _read_dendrite(group: h5py.Group, v_decay: int | Integers, vth_mant: int, where: str) -> DhLif:
    dendrite = group.get("dendrite")
    if not isinstance(dendrite, h5py.Group):
        raise MaestroError(where, f"has {DENDRITIC} neurons without branches", allowed="a group `dendrite`", cure=AGAIN)
    if "iDecay" in group["neuron"]:
        raise MaestroError(f"{where}, neuron", "has an iDecay beside those of its branches", allowed="none", cure=AGAIN)
    where += ", dendrite"
    count = number(dendrite, "numBranches", where)
    i_decay, gain = integers(dendrite, "iDecay", where), integers(dendrite, "gain", where)
    for word, found in (("decays", i_decay), ("gains", gain)):
        if found.shape[:1] != (count,):
            raise MaestroError(where, f"has {count} branches and {word} of shape {found.shape}", allowed=f"({count},)")
    return DhLif(i_decay, gain, v_decay, vth_mant)


def _decay(group: h5py.Group, key: str, where: str) -> int | Integers:
    """One for all, or an array."""
    found = integers(group, key, where)
    return int(found.reshape(-1)[0]) if found.size == 1 else found
