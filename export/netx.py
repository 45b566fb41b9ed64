"""Write and read the NetX file (HDF5) that stock ``lava.lib.dl.netx.hdf5.Network`` runs.

Names, types and shapes are those of lava-dl's ``slayer/block/base.py`` (``export_hdf5``); the stock loader is
``netx/hdf5.py``. A layer's name travels as an attribute of its group, which the stock loader does not look at.

Layers with analog dendrites are no stock layers: a group `dendrite` and neurons of type DH-LIF, at which the stock
loader stops, and an attribute of the file's root that says so. Only ``lava_runtime`` runs them, in the simulator.

Two things that SLAYER exports and stock leaves to others are read here as what they mean: the transform of input
neurons, which whoever writes their bias has to apply, and an average as the last layer, at which stock stops.
"""

import io
import math
from pathlib import Path

import h5py
import numpy as np

from export.datasets import AGAIN, attribute, integers, number, pair, text
from export.dendrites import ANALOG
from export.graph import (
    INPUT_OFFSET,
    INPUT_WEIGHT,
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
from export.neurons import INTEGRATOR, NEURONS, read_neuron, write_neuron
from train.artifacts import atomic_write
from train.errors import MaestroError

# Layers that stock NetX runs, and the one more that is read here.
STOCK_KINDS = ("input", "conv", "dense", "dense_rec", "flatten")
AVERAGE = "average"
KINDS = (*STOCK_KINDS, AVERAGE)
DENSE = ("dense", "dense_rec")
# The attribute of a file's root that says of its dendrites what they are.
ROOT = "dendrites"


def write(network: Network, path: Path) -> None:
    """Write ``network`` as a NetX file, whole or not at all; a stock one if it has no analog dendrites and no average.

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
    if isinstance(layer, InputLayer):
        group.create_dataset("weight", data=[layer.weight])
        group.create_dataset("bias", data=[layer.offset])
    elif layer.bias is not None:
        group.create_dataset("bias", data=layer.bias)
    write_neuron(group, layer.neuron)


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
        if kind == "input":
            if layers:
                raise MaestroError(where, "is a second input", allowed="one input layer, the first")
            layers.append(_read_input(entry, group.get(str(index + 1)), where))
        else:
            if kind == AVERAGE and index + 1 < len(group):
                found = f"averages before layer {index + 1}"
                raise MaestroError(where, found, allowed="an average as the last layer only")
            layers.append(_read_layer(entry, kind, layers[-1].shape, where))
        name = entry.attrs.get("name", "")
        names.append(name if isinstance(name, str) else "")
        check_layer(where.removeprefix("layer "), layers[-1], layers[-2].shape if len(layers) > 1 else layers[-1].shape)
    if not all(names) or len(set(names)) != len(names):
        names = list(default_names(layers))
    return Network(tuple(layers), tuple(names))


def layer_kind(group: h5py.Group, where: str) -> str:
    """The layer's type, one that can be run."""
    if not len(group):
        raise MaestroError(where, "is empty, as SLAYER's KWTA block leaves it, which NetX cannot run", cure=AGAIN)
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
    if kind not in DENSE:
        raise MaestroError(where, "has no input layer before it to say its input's shape", cure=AGAIN)
    return InputLayer((_dense_weight(group, _dense_neuron(group, where), where).shape[1],))


def _read_input(group: h5py.Group, following: object, where: str) -> InputLayer:
    """An input layer; ``following`` is the group of the layer after it, which may have to say the shape."""
    neuron = read_neuron(group, where) if "neuron" in group else None
    if isinstance(neuron, DhLif):
        raise MaestroError(where, "is an input layer with dendrites", allowed=f"neurons of type {NEURONS[0]}")
    stated = tuple(integers(group, "shape", where).reshape(-1).tolist())
    if len(stated) not in (1, 3) or min(stated) < 1:
        raise MaestroError(where, f"has shape {stated}", allowed="(neuron) or (channel, height, width)")
    # (neuron, 1, 1), in either order, is a row of neurons for the dense layer that takes it.
    if sorted(stated)[:-1] == [1, 1] and _is_dense(following):
        stated = (max(stated),)
    if neuron is None:
        return InputLayer(stated)
    weight = number(group, "weight", where) if "weight" in group else INPUT_WEIGHT
    offset = number(group, "bias", where) if "bias" in group else INPUT_OFFSET
    return InputLayer(stated, neuron, weight, offset)


def _is_dense(group: object) -> bool:
    """Whether a group is a dense layer's; one that cannot be read is not, and is refused at its turn."""
    try:
        return isinstance(group, h5py.Group) and text(group, "type", "") in DENSE
    except MaestroError:
        return False


def _read_layer(group: h5py.Group, kind: str, shape: tuple[int, ...], where: str) -> Layer:
    if kind == "flatten":
        return FlattenLayer((math.prod(shape),))
    stated = tuple(integers(group, "shape", where).reshape(-1).tolist())
    if kind == AVERAGE:
        return AverageLayer((math.prod(stated),))
    neuron = read_neuron(group, where) if kind == "conv" else _dense_neuron(group, where)
    if isinstance(neuron, DhLif) and (kind == "dense_rec" or "delay" in group):
        extra = "recurrent weights" if kind == "dense_rec" else "delays"
        raise MaestroError(where, f"has dendrites and {extra}", allowed="neither delays nor recurrent weights")
    bias = integers(group, "bias", where).reshape(-1) if "bias" in group else None
    if kind == "conv":
        return _read_conv(group, neuron, bias, stated, where)
    weight = _dense_weight(group, neuron, where)
    recurrent = integers(group, "weight_rec", where) if kind == "dense_rec" else None
    # Stock takes flat weights, of both matrices, and one bias for all neurons of a dense layer.
    if recurrent is not None and recurrent.ndim == 1 and recurrent.size == len(weight) ** 2:
        recurrent = recurrent.reshape(len(weight), -1)
    if bias is not None and bias.size == 1:
        bias = np.full(math.prod(stated), bias[0])
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


def _dense_neuron(group: h5py.Group, where: str) -> Cuba | DhLif:
    """A dense layer's neurons; without a description they are stock's integrator."""
    return read_neuron(group, where) if "neuron" in group or "dendrite" in group else INTEGRATOR


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
