"""The verb ``baseline``: measure a run's network and its ANN twin, and say what was found."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hardware.baseline.measure import measure_baseline
from hardware.baseline.protocol import protocol_of
from hardware.measure.derived import refresh
from hardware.measurement import Quantity, quantity_of, read_measurement
from train.artifacts import RunFolder
from train.console import emit_json, emit_table, say

__all__ = ["baseline", "measure_baseline"]
_NETWORKS = {"ann": "the ANN", "snn": "the spiking network"}


def baseline(path: Path, device: str, batches: str | None, again: bool, as_json: bool) -> int:
    """Measure, file and print; what follows from it, if that was filed, is worked out anew.

    Returns
    -------
    int
        0.

    Raises
    ------
    MaestroError
        As :func:`hardware.baseline.measure.measure_baseline` and :func:`hardware.baseline.protocol.protocol_of`.
    """
    run = RunFolder(path)
    section = measure_baseline(run, device, again, protocol=protocol_of(batches))
    if "derived" in read_measurement(run):
        refresh(run)
    if as_json:
        emit_json(section if device == "all" else _only(section, device))
        return 0
    for key, entry in section["devices"].items():
        if "unavailable" in entry:
            say(f"{key}: {entry['unavailable']}")
        else:
            _show(key, entry, section["protocol"]["busy_share"])
    before = section["preprocessing"]
    spent = ", ".join(f"{name} {_text(before[name], 'ms')}" for name in ("features", "encoding"))
    say(f"before the network, a clip: {spent}")
    say(f"filed as baseline in {run.measurement}")
    return 0


def _only(section: Mapping[str, Any], device: str) -> dict[str, Any]:
    """What was asked for: others' measurements and devices that an earlier call filed are no part of it."""
    return {**section, "devices": {device: section["devices"][device]}, "elsewhere": []}


def _show(key: str, entry: Mapping[str, Any], busy_share: float) -> None:
    where = f"{key}: {entry['name']}, {entry['threads']} cores"
    for network, ran in entry["networks"].items():
        batches = list(next(iter(cells for cells in map(_batches, ran["variants"].values()) if cells), {}))
        _table(f"{where}: ms an inference of {_NETWORKS[network]}, by batch", ran, batches, "per_inference", 1e3)
        if "unavailable" not in entry["energy_meter"]:
            _table(f"{where}: mJ an inference of {_NETWORKS[network]}, by batch", ran, batches, "energy_total", 1e3)
        say(f"fastest: {', '.join(f'{name} at {batch}' for batch, name in ran['best'].items())}")
        for name, variant in ran["variants"].items():
            if "unavailable" in variant:
                say(f"not measured: {name} ({variant['what']}): {variant['unavailable']}")
    waited = [share for ran in entry["networks"].values() for share in _waited(ran)]
    busy = sum(share > busy_share for share in waited)
    if busy:
        shares = f"more than {100 * busy_share:.0f} % of their time for a core, up to {100 * max(waited):.0f} %"
        say(f"a busy machine: {busy} of {len(waited)} cells waited {shares}, and took longer; --again measures anew")
    meter = entry["energy_meter"]
    if "unavailable" in meter:
        say(f"energy not measured: {meter['unavailable']}")
    else:
        idle = ", ".join(f"{when} {_text(entry['idle'][when], 'W')}" for when in ("bare", "loaded", "after"))
        say(f"idle: {idle}")
        drift = entry["idle"]["drift"].get("over", {})
        if drift.get("drifts"):
            say(f"idle power drifted by {100 * drift['change']:+.1f} % while the cells were metered")


def _waited(ran: Mapping[str, Any]) -> Iterator[float]:
    for variant in ran["variants"].values():
        for cell in _batches(variant).values():
            share = quantity_of(cell["waited"])
            if isinstance(share, Quantity):
                yield share.value


def _batches(variant: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = variant.get("batches", {})
    return found


def _table(title: str, ran: Mapping[str, Any], batches: list[str], number: str, scale: float) -> None:
    rows = []
    for name, variant in ran["variants"].items():
        if "unavailable" in variant:
            continue
        found = [quantity_of(variant["batches"][batch][number]) for batch in batches]
        if any(isinstance(each, Quantity) for each in found):
            rows.append([name, *(f"{each.value * scale:.3g}" if isinstance(each, Quantity) else "" for each in found)])
    emit_table(title, ["", *batches], rows)


def _text(entry: Any, unit: str) -> str:
    found = quantity_of(entry)
    if isinstance(found, str):
        return f"unavailable ({found})"
    scale = 1e3 if unit.startswith("m") else 1.0
    return f"{found.value * scale:.3g} {unit} ({found.low * scale:.3g} to {found.high * scale:.3g})"
