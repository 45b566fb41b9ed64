"""A file of the store: HDF5 with the features of one recording or of many, each with its checksum.

An entry is a dataset of 32-bit floats (frame, feature), contiguous, so that a clip is one stretch of bytes at a known
place, which any process or thread reads without HDF5. Its attribute ``crc32`` is the CRC-32 of those bytes; the file's
own structures have HDF5's checksums (its format of version 1.10).
"""

import io
import os
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from train.artifacts import atomic_write

_FORMAT = 1
# What h5py raises where bytes are not what HDF5 wrote.
_HDF5 = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True)
class Place:
    """Where an entry's bytes lie.

    Attributes
    ----------
    file
        The HDF5 file.
    offset
        Bytes before them.
    shape
        (frame, feature).
    """

    file: Path
    offset: int
    shape: tuple[int, int]


class DamagedError(Exception):
    """A file, or an entry in it, is not what was written."""


def write_entries(path: Path, entries: Mapping[str, NDArray[np.float32]]) -> None:
    """Write entries, each (feature, frame), whole or not at all.

    Raises
    ------
    MaestroError
        The disk is full, or the folder cannot be written.
    """
    # Made in memory: HDF5 cannot be relied on where a disk is full in the middle of its own writing.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=("v110", "v110")) as file:
        file.attrs["format"] = _FORMAT
        for name, features in entries.items():
            frames = np.ascontiguousarray(features.T, np.float32)
            entry = file.create_dataset(name, data=frames, track_times=False)
            entry.attrs["crc32"] = np.uint32(zlib.crc32(frames.data))
    with atomic_write(path) as temporary, temporary.open("wb") as target:
        target.write(buffer.getbuffer())


def names_in(path: Path) -> list[str]:
    """Names of a file's entries.

    Raises
    ------
    DamagedError
        It is no file of the store, or not whole.
    OSError
        It is gone, or cannot be read.
    """
    with _opened(path) as file:
        return _list(file)


def places_in(path: Path, names: Collection[str]) -> Iterator[tuple[str, Place | None]]:
    """Those entries of ``names`` that the file has and where they lie, None for a damaged one; every byte is checked.

    Raises
    ------
    DamagedError, OSError
        As `names_in`.
    """
    with _opened(path) as file:
        chosen = sorted(set(names) & set(_list(file)))
        found = [(name, *_place(path, file, name)) for name in chosen]
    for name, place, crc in found:
        whole = place is not None and zlib.crc32(read_bytes(place, 0, place.shape[0])) == crc
        yield name, place if whole else None


def read_frames(place: Place, first: int, last: int) -> NDArray[np.float32]:
    """Frames ``first`` to ``last`` of an entry, shape (feature, frame).

    Raises
    ------
    DamagedError
        The file is shorter than it was.
    OSError
        It is gone, or cannot be read.
    """
    frames = np.frombuffer(read_bytes(place, first, last), np.float32)
    # In the order in memory that computed features have, on which the last bits of sums over them depend.
    return np.ascontiguousarray(frames.reshape(last - first, place.shape[1]).T)


def read_bytes(place: Place, first: int, last: int) -> bytes:
    """The bytes of frames ``first`` to ``last``; errors as `read_frames`."""
    size = place.shape[1] * np.dtype(np.float32).itemsize
    # Opened for every read: no handle is kept that could run out, be shared with a forked process or outlive its file.
    handle = os.open(place.file, os.O_RDONLY)
    try:
        read = os.pread(handle, (last - first) * size, place.offset + first * size)
    finally:
        os.close(handle)
    if len(read) != (last - first) * size:
        raise DamagedError("it ends within an entry")
    return read


def _list(file: h5py.File) -> list[str]:
    with _damage("its list of entries is not whole"):
        return list(file)


def _place(path: Path, file: h5py.File, name: str) -> tuple[Place | None, int]:
    try:
        with _damage("of an entry"):
            entry = file[name]
            offset, shape, crc = entry.id.get_offset(), entry.shape, int(entry.attrs["crc32"])
            fits = len(shape) == 2 and entry.dtype == np.float32 and offset is not None
    except DamagedError:
        return None, 0
    return (Place(path, offset, (shape[0], shape[1])) if fits else None), crc


@contextmanager
def _damage(found: str) -> Iterator[None]:
    """What h5py says of a file's content becomes a DamagedError; what the system says stays its word."""
    try:
        yield
    except _HDF5 as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedError(found) from error


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    # Opened here, as HDF5 cannot tell a file that is gone from one that is damaged. Files never change, so that nothing
    # need be locked (not every network's disk can).
    with path.open("rb") as source:
        with _damage("it is no whole HDF5 file"):
            file = h5py.File(source, "r")
        with file:
            with _damage("it is no file of the feature store"):
                written = int(file.attrs["format"])
            if written != _FORMAT:
                raise DamagedError(f"its format is {written}, not {_FORMAT}")
            yield file
