"""TOML files and presets, read into plain values."""

from pathlib import Path
from typing import Any

import tomli

from train.errors import CallError


def read_preset(source: str | Path, folder: Path, kind: str) -> dict[str, Any]:
    """Values of a TOML file, or of the preset of that name in ``folder``; ``kind`` is what an error calls it.

    Raises
    ------
    CallError
        No such file, or not TOML.
    """
    path = Path(source)
    if not path.suffix:
        path = folder / f"{source}.toml"
    try:
        if not path.is_file():
            presets = ", ".join(sorted(preset.stem for preset in folder.glob("*.toml")))
            raise CallError(str(source), f"no such {kind}", cure=f"give a TOML file or one of: {presets}")
        return tomli.loads(path.read_text())
    except OSError as error:
        raise CallError(str(path), f"cannot be read: {error.strerror or error}", cure="mend its permissions") from error
    except (ValueError, RecursionError) as error:
        raise CallError(str(path), f"not valid TOML: {error}", cure="mend the line it names") from error
