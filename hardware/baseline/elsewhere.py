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


def elsewhere(of: Mapping[str, Any], folder: Path = FOLDER) -> list[dict[str, Any]]:
    """One entry for every device of every file that has something to say of a run.

    A file of this very network is shown whole. One of another is shown for its ANN alone, whose time does not depend
    on the weights, and only where the layers' sizes are this run's; else it is left out.

    Parameters
    ----------
    of
        The run's own section, of which ``identity`` and ``run`` are read.

    Returns
    -------
    list of dict
        ``name`` (of device, run and file: no two alike), ``machine``, ``date``, ``commit``, ``command``, ``file``,
        ``run``, ``identity``, ``protocol``, and the device's own keys.

    Raises
    ------
    MaestroError
        A file is no section of ours, or a number in it is none.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        content = read_json(path, cure=_CURE)
        try:
            run, identity = content["run"], content["identity"]
            measured = {key: entry for key, entry in content["devices"].items() if "unavailable" not in entry}
            for key, entry in measured.items():
                _check(path, entry)
                networks = _comparable(entry["networks"], same=identity == of["identity"], layers=run["layers"], of=of)
                if not networks:
                    continue
                made = entry["made"]
                origin = {"machine": made["machine"], "date": str(made["date"]), "commit": str(made["commit"])}
                origin |= {"protocol": made["protocol"], "run": run, "identity": identity, "file": path.name}
                name = f"{entry['name']}, {run['name']} (results/{path.name})"
                command = f"python -m hardware baseline RUN --device {key} --json"
                found.append({**entry, "networks": networks, "name": name, **origin, "command": command})
        except (KeyError, TypeError, AttributeError) as error:
            raise MaestroError(str(path), f"is no baseline: {error!r}", cure=_CURE) from error
        if not measured:
            raise MaestroError(str(path), "holds no device that was measured", cure=_CURE)
    return found


def _comparable(networks: Mapping[str, Any], *, same: bool, layers: Any, of: Mapping[str, Any]) -> dict[str, Any]:
    if same:
        return dict(networks)
    alike = layers == of["run"]["layers"]
    return {key: ran for key, ran in networks.items() if key == "ann" and alike}


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
