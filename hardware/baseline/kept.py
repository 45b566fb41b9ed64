"""What was measured already, one small file a cell, so that a call that was stopped goes on where it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from train.artifacts import key_of, read_json, write_json
from train.errors import MaestroError


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
