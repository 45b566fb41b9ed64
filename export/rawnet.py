"""A NetX file as it lies there, judged by nobody: what the lint looks at. Odd contents never raise."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from export.datasets import attribute
from export.netx import ROOT, open_net
from export.neurons import DENDRITIC
from train.errors import MaestroError


@dataclass(frozen=True, eq=False)
class RawLayer:
    """One layer's datasets by name; those of the neuron as ``neuron/NAME``. Unreadable ones are left out.

    ``root`` is what the file's root says of its dendrites, None if it says nothing.
    """

    where: str
    name: str
    kind: str
    values: Mapping[str, NDArray[np.generic]]
    groups: frozenset[str]
    root: str | None

    @property
    def has_neuron(self) -> bool:
        """Whether there is a group that describes a neuron."""
        return "neuron" in self.groups

    @property
    def needs_neuron(self) -> bool:
        """Whether a layer of this kind cannot do without one."""
        return self.kind in ("conv", "dense", "dense_rec")

    @property
    def dendritic(self) -> bool:
        """Whether its neurons have analog dendrites."""
        return self.text("neuron/type") == DENDRITIC

    def text(self, key: str) -> str | None:
        """A dataset's text, or None."""
        return _text(self.values.get(key))

    def numbers(self, key: str) -> NDArray[np.float64] | None:
        """A dataset's numbers, or None if there are none; NaN stands where something is no number."""
        value = self.values.get(key)
        if value is None:
            return None
        if value.dtype.kind not in "iufb" or not value.size:
            return np.full(1, np.nan)
        return value.astype(np.float64)

    def whole(self, key: str) -> NDArray[np.int64] | None:
        """A dataset's whole numbers, or None if they are not all whole."""
        value = self.numbers(key)
        if value is None or not is_whole(value):
            return None
        return value.astype(np.int64)


def is_whole(values: NDArray[np.float64]) -> bool:
    """Whether all values are whole numbers that fit an integer."""
    return bool((np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < 2.0**53)).all())


def raw_layers(path: Path) -> tuple[RawLayer, ...]:
    """Every layer of a NetX file, in order.

    Raises
    ------
    MaestroError
        Missing, not HDF5, truncated, or without layers.
    """
    with open_net(path) as file:
        group = file["layer"]
        try:
            root = attribute(file, ROOT)
            keys = sorted(group, key=lambda key: (not key.isdecimal(), int(key) if key.isdecimal() else 0, key))
            return tuple(_layer(group, key, root) for key in keys)
        # h5py's, for a file of the right length whose inside was overwritten.
        except (OSError, RuntimeError, KeyError) as error:
            raise MaestroError(str(path), f"is damaged: {error}", cure="export it again") from error


def _layer(parent: h5py.Group, key: str, root: str | None) -> RawLayer:
    values: dict[str, NDArray[np.generic]] = {}
    groups: set[str] = set()
    found = _get(parent, key)
    if isinstance(found, h5py.Group):
        _collect(found, "", values, groups)
    kind = _text(values.get("type")) or "no type"
    name = found.attrs.get("name") if isinstance(found, h5py.Group) else None
    name = name if isinstance(name, str) else ""
    where = f"layer {key} ({name}, {kind})" if name else f"layer {key} ({kind})"
    return RawLayer(where, name or key, kind, values, frozenset(groups), root)


def _collect(group: h5py.Group, prefix: str, values: dict[str, NDArray[np.generic]], groups: set[str]) -> None:
    for key in group:
        entry = _get(group, key)
        if isinstance(entry, h5py.Group) and not prefix:
            groups.add(key)
            _collect(entry, f"{key}/", values, groups)
        elif isinstance(entry, h5py.Dataset):
            try:
                values[prefix + key] = np.asarray(entry[()])
            except (OSError, RuntimeError, TypeError, ValueError):
                continue


def _get(group: h5py.Group, key: str) -> object:
    """A member, or None for a broken link."""
    try:
        return group.get(key)
    except (OSError, RuntimeError, KeyError):
        return None


def _text(value: NDArray[np.generic] | None) -> str | None:
    if value is None or not value.size:
        return None
    first = value.reshape(-1)[0]
    return first.decode("ascii", "replace") if isinstance(first, bytes) else None
