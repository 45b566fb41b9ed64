"""Neurons as a NetX file has them: CUBA ones, stock's integrator where it says nothing, and analog dendrites."""

from typing import Any

import h5py
import numpy as np

from export.datasets import AGAIN, integers, number, text
from export.graph import Cuba, DhLif, Integers
from export.limits import DECAY_ONE
from train.errors import MaestroError

NEURONS = ("CUBA", "LOIHI")
# Neurons of layers with analog dendrites.
DENDRITIC = "DH-LIF"

# What stock gives a dense layer that has no group `neuron` (lava-dl netx/hdf5.py, create_dense). The voltage is the
# current, which forgets nothing; the threshold, in the state's units 2^23, lies above all that a voltage can reach.
INTEGRATOR = Cuba(0, DECAY_ONE, 1 << (18 - 1))

# Types of neurons that lava-dl exports (slayer/neuron/*.py, device_params) and this project does not run.
_OTHERS = {
    "SDNN": "sigma-delta",
    "ALIF": "adaptive",
    "ADRF_PHASE": "adaptive resonate-and-fire",
    "ADRF_IZHIKEVICH": "adaptive resonate-and-fire",
}


def write_neuron(group: h5py.Group, neuron: Cuba | DhLif) -> None:
    """Write the group `neuron` of a layer, and `dendrite` where it has branches."""
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


def read_neuron(group: h5py.Group, where: str) -> Cuba | DhLif:
    """The neurons of a layer; ``where`` is what an error names.

    Raises
    ------
    MaestroError
        No group `neuron`; a kind of neuron that this project does not run, by its name; a dataset that is missing
        or no whole numbers.
    """
    neuron = group.get("neuron")
    if not isinstance(neuron, h5py.Group):
        raise MaestroError(where, "has no neuron", allowed="a group `neuron`", cure=AGAIN)
    kind = text(neuron, "type", f"{where}, neuron")
    if kind not in (*NEURONS, DENDRITIC):
        known = " or ".join((*NEURONS, DENDRITIC))
        raise MaestroError(
            f"{where}, neuron", f"is of type {kind!r}{_meaning(kind)}, which this project cannot run", allowed=known
        )
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


def _meaning(kind: str) -> str:
    """A type of neuron in words, in brackets; stock takes every type with RF in it for resonate-and-fire."""
    words = _OTHERS.get(kind, "resonate-and-fire" if "RF" in kind else "")
    return f" ({words})" if words else ""


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
