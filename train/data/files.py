"""Files and folders that users name: looked at and read so that every fault is told, and none is a traceback."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from train.errors import MaestroError

_PERMISSIONS = "check its permissions"


def is_file(path: Path) -> bool:
    """Whether a file is there.

    Raises
    ------
    MaestroError
        That cannot be found out: a folder on the way must not be entered, or the name is longer than a disk allows.
    """
    return _looked_at(path, path.is_file)


def is_folder(path: Path) -> bool:
    """Whether a folder is there; errors as `is_file`."""
    return _looked_at(path, path.is_dir)


def _looked_at(path: Path, look: Callable[[], bool]) -> bool:
    try:
        return look()
    except OSError as error:
        raise MaestroError(
            str(path), f"cannot be looked at: {error.strerror or error}", cure="check its name, and its permissions"
        ) from error


def read_bytes(path: Path, missing: str = "check the path") -> bytes:
    """The content of a file.

    Raises
    ------
    MaestroError
        No such file, for which ``missing`` is the cure, or it cannot be read. Pipes and devices, which may never end,
        are no files.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise MaestroError(str(path), "is a pipe or a device", allowed="a file")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MaestroError(str(path), "no such file", cure=missing) from error
    except OSError as error:
        raise MaestroError(str(path), f"cannot be read: {error.strerror or error}", cure=_PERMISSIONS) from error


def read_json(path: Path, cure: str, missing: str = "check the path") -> Any:
    """A JSON file in UTF-8, with or without a byte order mark.

    Raises
    ------
    MaestroError
        As `read_bytes`; or it is not JSON, for which ``cure`` is the cure.
    """
    where = str(path)
    try:
        return json.loads(read_bytes(path, missing).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise MaestroError(where, "is not text in UTF-8", cure=cure) from error
    except RecursionError as error:
        raise MaestroError(where, "cannot be read as JSON: brackets within brackets without end", cure=cure) from error
    except ValueError as error:
        raise MaestroError(where, f"cannot be read as JSON: {error}", cure=cure) from error
