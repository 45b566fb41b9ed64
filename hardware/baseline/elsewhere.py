"""Measurements of named machines that are committed beside this module, to be shown beside one's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hardware.measurement import quantity_of
from train.artifacts import read_json
from train.errors import MaestroError

FOLDER = Path(__file__).with_name("results")
_CURE = "the file is what `python -m hardware baseline RUN --json` prints, unchanged (hardware/baseline/README.md)"
_NUMBERS = ("latency", "per_inference", "throughput", "power", "energy_total")


def elsewhere(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """One entry for every device of every file.

    Returns
    -------
    list of dict
        ``name`` (of the device), ``machine``, ``date``, ``commit``, ``command``, ``file``, and the device's own keys.

    Raises
    ------
    MaestroError
        A file is no section of ours, or a number in it is none.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        content = read_json(path, cure=_CURE)
        try:
            origin = content["provenance"]
            machine, date, commit = origin["machine"], str(origin["date"]), str(origin["commit"])
            measured = {key: entry for key, entry in content["devices"].items() if "unavailable" not in entry}
            for key, entry in measured.items():
                _check(path, entry)
                origin = {"machine": machine, "date": date, "commit": commit, "file": path.name}
                command = f"python -m hardware baseline RUN --device {key} --json"
                found.append({**entry, "name": str(entry["name"]), **origin, "command": command})
        except (KeyError, TypeError, AttributeError) as error:
            raise MaestroError(str(path), f"is no baseline: {error!r}", cure=_CURE) from error
        if not measured:
            raise MaestroError(str(path), "holds no device that was measured", cure=_CURE)
    return found


def _check(path: Path, entry: Mapping[str, Any]) -> None:
    for network, ran in entry["networks"].items():
        for batch, name in ran["best"].items():
            if name not in ran["variants"] or batch not in ran["variants"][name].get("batches", {}):
                raise MaestroError(
                    str(path), f"{network}: best at batch {batch} is {name}, which is not in it", cure=_CURE
                )
        for name, variant in ran["variants"].items():
            for batch, cell in variant.get("batches", {}).items():
                for key in _NUMBERS:
                    try:
                        quantity_of(cell[key])
                    except MaestroError as error:
                        where = f"{path}: {network}, {name}, batch {batch}, {key}"
                        raise MaestroError(where, error.found, cure=_CURE) from error
