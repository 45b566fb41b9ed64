"""Datasets of an HDF5 group as numbers and text, or an error that says which is missing or of another kind."""

from typing import Any

import h5py
import numpy as np

from export.graph import Integers
from train.errors import MaestroError

AGAIN = "export the network again"


def value(group: h5py.Group, key: str, where: str) -> Any:
    """A dataset's content."""
    dataset = group.get(key)
    if not isinstance(dataset, h5py.Dataset):
        raise MaestroError(where, f"has no dataset {key!r}", cure=AGAIN)
    return dataset[()]


def text(group: h5py.Group, key: str, where: str) -> str:
    """A dataset's text."""
    found = np.asarray(value(group, key, where)).reshape(-1)
    if not found.size or not isinstance(found[0], bytes):
        raise MaestroError(where, f"has a dataset {key!r} that is no text", cure=AGAIN)
    return found[0].decode("ascii", "replace")


def integers(group: h5py.Group, key: str, where: str) -> Integers:
    """Whole numbers, at least one."""
    found = np.asarray(value(group, key, where))
    if found.dtype.kind not in "iufb" or not np.isfinite(found).all() or (found != np.trunc(found)).any():
        raise MaestroError(where, f"has a dataset {key!r} that is not all whole numbers", cure=AGAIN)
    if not found.size:
        raise MaestroError(where, f"has an empty dataset {key!r}", cure=AGAIN)
    return found.astype(np.int64)


def number(group: h5py.Group, key: str, where: str) -> int:
    """One whole number."""
    found = integers(group, key, where)
    if found.size != 1:
        raise MaestroError(where, f"has {found.size} values of {key!r}", allowed="one")
    return int(found.reshape(-1)[0])


def attribute(group: h5py.Group, key: str) -> str | None:
    """An attribute's text, or in a line how it prints if it is none; None where there is no such attribute."""
    found = group.attrs.get(key)
    return found if found is None or isinstance(found, str) else " ".join(repr(found).split())[:40]


def pair(group: h5py.Group, key: str, where: str) -> tuple[int, int]:
    """One number for height and width, or one for each."""
    found = integers(group, key, where).reshape(-1).tolist()
    if len(found) > 2:
        raise MaestroError(where, f"has {len(found)} values of {key!r}", allowed="one, or height and width")
    return found[0], found[-1]
