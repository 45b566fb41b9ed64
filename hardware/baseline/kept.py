"""What was measured already, one small file a cell, so that a call that was stopped goes on where it was."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from train.artifacts import key_of, read_json, write_json
from train.errors import MaestroError


@contextmanager
def only_here(folder: Path) -> Iterator[None]:
    """Make the folder and hold it: two calls at once would slow each other, and mix their cells.

    Raises
    ------
    MaestroError
        Another call holds it, or it cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise MaestroError(str(folder), f"cannot be used: {error.strerror}", cure="make it writable") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        cure = "wait for it to end, or stop it: what it measured is kept"
        raise MaestroError(str(folder.parent), "is being measured by another call", cure=cure) from error
    try:
        yield
    finally:
        os.close(handle)


class Kept:
    """Finished cells in a run's folder.

    Parameters
    ----------
    folder
        Where they lie.
    made_of
        All that decides them: network, versions, machine, protocol. A cell of anything else counts as missing.
    """

    def __init__(self, folder: Path, made_of: Mapping[str, Any]) -> None:
        self.folder, self.key = folder, key_of(made_of)

    def get(self, *names: str) -> dict[str, Any] | None:
        """A finished cell, or None; one that is damaged is measured again."""
        path = self._path(names)
        if not path.is_file():
            return None
        try:
            found = read_json(path, cure="")
        except MaestroError:
            return None
        if not isinstance(found, dict) or found.get("key") != self.key or not isinstance(found.get("cell"), dict):
            return None
        cell: dict[str, Any] = found["cell"]
        return cell

    def put(self, cell: Mapping[str, Any], *names: str) -> None:
        """Keep a cell, whole or not at all."""
        write_json(self._path(names), {"key": self.key, "cell": cell})

    def forget(self, device: str) -> None:
        """Throw a device's cells away."""
        for path in self.folder.glob(f"{device}-*.json"):
            path.unlink(missing_ok=True)

    def _path(self, names: tuple[str, ...]) -> Path:
        return self.folder / f"{'-'.join(names)}.json"
