"""The baseline's sweeps over batch sizes, as tables that others read."""

from collections.abc import Mapping
from typing import Any

Sweep = Mapping[str, Any] | str
NETWORKS = ("ann", "snn")
DEVICES = ("cpu", "cuda")


def sweeps(measurement: Mapping[str, Any]) -> dict[tuple[str, str], Sweep]:
    """By device and network: the measurements of the best variant by batch, or why there are none."""
    baseline = measurement.get("baseline", {})
    if "devices" not in baseline:
        reason = str(baseline.get("unavailable", "the baseline was not measured"))
        return {(device, network): reason for device in DEVICES for network in NETWORKS}
    found: dict[tuple[str, str], Sweep] = {}
    elsewhere = {f"{entry['name']} (another machine)": entry for entry in baseline.get("elsewhere", [])}
    for device, entry in {**baseline["devices"], **elsewhere}.items():
        networks = entry.get("networks")
        if not isinstance(networks, Mapping):
            networks = dict.fromkeys(NETWORKS, entry)
        for network, ran in networks.items():
            if "best" in ran:
                variants = ran["variants"]
                found[device, network] = {
                    batch: variants[name]["batches"][batch]
                    for batch, name in sorted(ran["best"].items(), key=lambda pair: int(pair[0]))
                }
            else:
                found[device, network] = str(ran.get("unavailable", "was not measured"))
    return found


def at_batch(sweep: Sweep, batch: str) -> Mapping[str, Any]:
    """Measurements at a batch, or what says why there are none."""
    if isinstance(sweep, str):
        return {"unavailable": sweep}
    cell: Mapping[str, Any] = sweep.get(batch, {"unavailable": f"nothing was measured at batch {batch}"})
    return cell


def ends(sweep: Sweep) -> tuple[str, ...]:
    """Batch 1 and the sweep's largest; 1 where nothing was measured."""
    return ("1",) if isinstance(sweep, str) else tuple(dict.fromkeys(("1", max(sweep, key=int, default="1"))))
