"""The baseline's sweeps over batch sizes, as tables that others read."""

from collections.abc import Mapping
from typing import Any

from hardware.measure.bands import find

Sweep = Mapping[str, Any] | str
NETWORKS = ("ann", "snn")
DEVICES = ("cpu", "cuda")


def sweeps(measurement: Mapping[str, Any]) -> dict[tuple[str, str], Sweep]:
    """By device and network: the measurements of the best variant by batch, or why there are none."""
    baseline = measurement.get("baseline", {})
    if not isinstance(baseline.get("devices"), Mapping):
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


def quickest(sweep: Sweep) -> str:
    """The batch with most inferences a second; 1 where none was measured."""
    if isinstance(sweep, str):
        return "1"
    rates = {batch: find(cell, "throughput") for batch, cell in sweep.items()}
    values = {batch: rate.value for batch, rate in rates.items() if not isinstance(rate, str)}
    return max(values, key=lambda key: values[key], default="1")
