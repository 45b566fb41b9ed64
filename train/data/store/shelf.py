"""A shelf of the store: the features that one configuration takes of any recordings."""

import contextlib
import fcntl
import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.artifacts import key_of
from train.console import say
from train.data.store.files import DamagedError, Place, names_in, places_in, read_frames, write_entries
from train.errors import MaestroError

# Bytes of features in a shard: large enough that hundreds of hours are a few dozen files, small enough for memory.
SHARD_BYTES = 64 * 2**20
# A smaller shard is packed again together with what comes later.
_SMALL = SHARD_BYTES // 4
# What a killed process left half-written is cleared away at this age, in seconds; a younger one may be at work.
_STALE_S = 3600.0
# Times that features are looked for which other processes put from one file into another meanwhile.
_LOOKS = 20


@dataclass(frozen=True)
class Shelf:
    """A folder of the store, with all features of one configuration.

    A recording's features are first kept in a file of their own, in ``pieces``; pieces are then packed into shards. A
    file is written whole or not at all, never changed, and taken away only once its content is in another; so a process
    may be killed at any moment, and any number of them may work on one shelf.

    Attributes
    ----------
    folder
        Where its files lie.
    """

    folder: Path

    @property
    def pieces(self) -> Path:
        """The folder of what is not packed yet."""
        return self.folder / "pieces"

    def keep(self, name: str, features: NDArray[np.float32]) -> None:
        """Keep a recording's features (feature, frame).

        Raises
        ------
        MaestroError
            They cannot be written.
        """
        write_entries(self._piece(name), {name: features})

    def names(self) -> set[str]:
        """Names of all that seems to be there; nothing is checked."""
        found = {piece.stem for piece in self._pieces()}
        for shards in self._looks():
            for shard in shards:
                with contextlib.suppress(DamagedError, OSError):
                    found.update(names_in(shard))
        return found

    def find(self, names: Collection[str]) -> dict[str, "StoredFeatures"]:
        """Those of ``names`` that are there, every byte checked. What is damaged is said, and taken away.

        Raises
        ------
        MaestroError
            A file is there and may not be read.
        """
        return {name: StoredFeatures(self, name, place) for name, place in self.locate(names).items()}

    def locate(self, names: Collection[str]) -> dict[str, Place]:
        """Where those of ``names`` lie that are there; as `find`."""
        found: dict[str, Place] = {}
        missing = set(names)

        def look(file: Path, wanted: set[str]) -> None:
            found.update(self._checked(file, wanted))
            missing.difference_update(found)

        # Pieces first: one that is packed in the meantime is then in a shard.
        for name in sorted(missing & {piece.stem for piece in self._pieces()}):
            look(self._piece(name), {name})
        for shards in self._looks():
            for shard in shards:
                if missing:
                    look(shard, missing)
        return found

    def pack(self) -> None:
        """Put pieces, and shards that are small, together into shards.

        Raises
        ------
        MaestroError
            A shard cannot be written; the pieces stay.
        """
        if not self._pieces():
            return
        with self._locked():
            self._clear()
            small = [shard for shard in self._shards() if _size(shard) < _SMALL]
            taken: list[Path] = []
            size = 0
            for file in [*small, *self._pieces()]:
                taken.append(file)
                size += _size(file)
                if size >= SHARD_BYTES:
                    self._join(taken)
                    taken, size = [], 0
            if taken and taken != small:
                self._join(taken)

    def waiting_bytes(self) -> int:
        """Bytes of all pieces."""
        return sum(map(_size, self._pieces()))

    def _join(self, files: list[Path]) -> None:
        entries: dict[str, NDArray[np.float32]] = {}
        for file in files:
            for name, place in self._checked(file, None).items():
                if name not in entries:
                    with contextlib.suppress(FileNotFoundError):
                        entries[name] = read_frames(place, 0, place.shape[0])
        if not entries:
            return
        shard = self.folder / f"shard-{key_of(sorted(entries))}.h5"
        write_entries(shard, entries)
        for file in files:
            if file != shard:
                file.unlink(missing_ok=True)

    def _checked(self, file: Path, names: Collection[str] | None) -> dict[str, Place]:
        """Whole entries of a file; a damaged file goes, after what is whole in it was saved."""
        try:
            found = dict(places_in(file, names_in(file) if names is None else names))
        except FileNotFoundError:
            return {}
        except OSError as error:
            # Not the file's fault, as far as one knows, and so it may not cost what is kept.
            cure = "check its permissions, the disk and the system's limits; it may be deleted, and is then made again"
            raise MaestroError(str(file), f"cannot be read: {error.strerror or error}", cure=cure) from error
        except DamagedError as error:
            say(f"{file}: damaged ({error}); its features are computed again")
            _take_away(file)
            return {}
        whole = {name: place for name, place in found.items() if place is not None}
        if len(whole) == len(found):
            return whole
        say(f"{file}: damaged ({len(found) - len(whole)} of its entries are not what was written); computed again")
        self._save_rest(file)
        return {name: place for name in whole for place in self._checked(self._piece(name), [name]).values()}

    def _save_rest(self, file: Path) -> None:
        """Take a damaged file apart into pieces, so that what is whole in it is not lost."""
        # Another process that has found the damage as well may be done with it already.
        with contextlib.suppress(DamagedError, FileNotFoundError):
            if file.parent != self.pieces:
                for name, place in places_in(file, names_in(file)):
                    if place is not None:
                        self.keep(name, read_frames(place, 0, place.shape[0]))
        _take_away(file)

    def _piece(self, name: str) -> Path:
        return self.pieces / f"{name}.h5"

    def _shards(self) -> list[Path]:
        return sorted(self.folder.glob("shard-*.h5"))

    def _pieces(self) -> list[Path]:
        return sorted(self.pieces.glob("[!.]*.h5"))

    def _looks(self) -> Iterator[list[Path]]:
        """All shards, and again while other processes make new ones of them."""
        before: list[Path] = []
        for _ in range(_LOOKS):
            shards = self._shards()
            if shards == before:
                return
            yield shards
            before = shards

    def _clear(self) -> None:
        """Remove what killed processes left half-written, and pieces whose shard was written just before."""
        for left in [*self.folder.glob(".*.tmp"), *self.pieces.glob(".*.tmp")]:
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE_S:
                    left.unlink()
        packed: set[str] = set()
        for shard in self._shards():
            packed.update(self._checked(shard, [piece.stem for piece in self._pieces()]))
        for piece in self._pieces():
            if piece.stem in packed:
                piece.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process packs at a time; the lock goes with the process."""
        # The folder itself is locked: a full disk has no room for a file to lock. It may have been cleared away.
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            # Some networks' disks know no locks; without one, work is done twice at worst.
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


class StoredFeatures:
    """Features of a recording, (feature, frame), read from the store when they are asked for: `[:, 10:104]`, say.

    They may be copied, pickled and read by any process or thread.

    Parameters
    ----------
    shelf, name
        Which.
    place
        Where they were found.
    """

    def __init__(self, shelf: Shelf, name: str, place: Place) -> None:
        self._shelf, self._name, self._place = shelf, name, place

    @property
    def shape(self) -> tuple[int, int]:
        """(feature, frame)."""
        return self._place.shape[1], self._place.shape[0]

    @cached_property
    def dtype(self) -> np.dtype[np.float32]:
        """Of the features."""
        return np.dtype(np.float32)

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[np.float32]:
        """A part of them, as an array.

        Raises
        ------
        MaestroError
            They are not there any more.
        """
        rows, frames = key
        first, last, step = frames.indices(self.shape[1])
        if step != 1:
            return self[rows, :][:, frames]
        return self._read(first, max(first, last))[rows]

    def __array__(self, dtype: Any = None) -> NDArray[np.float32]:
        """All of them."""
        return self[:, :] if dtype is None else self[:, :].astype(dtype)

    def __repr__(self) -> str:
        return f"StoredFeatures({self._name}, shape={self.shape})"

    def _read(self, first: int, last: int) -> NDArray[np.float32]:
        for _ in range(_LOOKS):
            try:
                return read_frames(self._place, first, last)
            except (DamagedError, OSError) as error:
                # Another process may have packed them into a shard since.
                reason = getattr(error, "strerror", None) or str(error)
                found = self._shelf.locate([self._name])
                if self._name not in found or found[self._name].shape != self._place.shape:
                    break
                self._place = found[self._name]
        raise MaestroError(
            str(self._place.file),
            f"features that were here cannot be read: {reason}",
            cure="run it again: what is missing is computed anew",
        )


def _take_away(file: Path) -> None:
    # On a disk that may only be read it stays, and is passed over.
    with contextlib.suppress(OSError):
        file.unlink()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
