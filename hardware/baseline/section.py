"""A device's entry in ``measurement.json``, put together from the cells that were kept.

Its keys do not depend on what could be measured: a number that could not be had is the reason why.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.baseline.device import Device
from hardware.baseline.idle import TIMES, idle_of, session_of
from hardware.baseline.kept import Kept
from hardware.baseline.protocol import Protocol
from hardware.baseline.subject import Subjects
from hardware.baseline.trials import less_idle
from hardware.baseline.variants import Variant
from hardware.measurement import Quantity, quantity_of, unavailable

TIMED = ("latency", "per_inference", "throughput", "waited")
METERED = ("power", "energy_total", "energy_dynamic_bare", "energy_dynamic_loaded")
_NOT_METERED = "energy is metered of the plainest variant and of the fastest at each batch; this is neither"
_STOPPED = "the measurement was stopped before this"


def device_entry(
    subjects: Subjects,
    device: Device,
    protocol: Protocol,
    kept: Kept,
    variants: Mapping[str, Mapping[str, Variant]],
) -> dict[str, Any]:
    """All that is known of a device."""
    networks = {}
    for subject in subjects.networks:
        of_network = variants[subject.key]
        networks[subject.key] = {
            "parameters": subject.parameters,
            "weights": subject.weights,
            "variants": {
                name: _variant(device, subject.key, name, variant, protocol, kept)
                for name, variant in of_network.items()
            },
            "best": best_of(kept, device.key, subject.key, list(of_network), protocol),
        }
    return {
        "name": device.name,
        "threads": device.threads,
        "load_before": (kept.get(device.key, "load") or {}).get("load"),
        "energy_meter": _energy_meter(device),
        "idle": _idle(device, kept),
        "networks": networks,
    }


def best_of(kept: Kept, device: str, network: str, names: Sequence[str], protocol: Protocol) -> dict[str, str]:
    """The variant with the highest throughput at each batch that anything ran at."""
    found = {}
    for batch in protocol.batches:
        rates = {}
        for name in names:
            cell = kept.get(device, network, name, str(batch))
            if cell is not None and "unavailable" not in cell:
                rates[name] = cell["throughput"]["value"]
        if rates:
            found[str(batch)] = max(rates, key=lambda name: rates[name])
    return found


def _variant(
    device: Device, network: str, name: str, variant: Variant, protocol: Protocol, kept: Kept
) -> dict[str, Any]:
    record = kept.get(device.key, network, name) or {}
    if "unavailable" in record:
        return {"what": variant.what, **record}
    cells = {str(batch): _cell(device, network, name, str(batch), kept) for batch in protocol.batches}
    return {"what": variant.what, "threads": record.get("threads", device.threads), "batches": cells}


def _cell(device: Device, network: str, name: str, batch: str, kept: Kept) -> dict[str, Any]:
    timed = kept.get(device.key, network, name, batch) or unavailable(_STOPPED)
    if "unavailable" in timed:
        return {**dict.fromkeys((*TIMED, *METERED), timed), "drift": {"latency": timed, "power": timed}}
    metered = kept.get(device.key, network, name, batch, "energy") or unavailable(_NOT_METERED)
    if isinstance(device.counters, str):
        metered = unavailable(device.counters)
    found = {**{key: timed[key] for key in TIMED}, **_metered(metered, device, kept)}
    power_drift = metered if "unavailable" in metered else metered["drift"]
    return {**found, "drift": {"latency": timed["drift"], "power": power_drift}}


def _metered(cell: Mapping[str, Any], device: Device, kept: Kept) -> dict[str, Any]:
    if "energy_total" not in cell:
        return dict.fromkeys(METERED, unavailable(str(cell["unavailable"])))
    found = {key: cell[key] for key in ("power", "energy_total")}
    total, seconds = quantity_of(cell["energy_total"]), quantity_of(cell["seconds"])
    session = session_of(kept, device.key, cell["session"])
    for when in ("bare", "loaded"):
        idle = idle_of(session["powers"], when) if session else "its idle power was lost"
        if isinstance(total, Quantity) and isinstance(seconds, Quantity) and isinstance(idle, Quantity):
            found[f"energy_dynamic_{when}"] = less_idle(total, idle, seconds).as_dict()
        else:
            found[f"energy_dynamic_{when}"] = unavailable(f"no idle power to take off: {idle}")
    return found


def _energy_meter(device: Device) -> dict[str, Any]:
    if isinstance(device.counters, str):
        return unavailable(device.counters)
    return {
        "name": ", ".join(counter.name for counter in device.counters),
        "resolution_j": sum(max(counter.resolution_j, counter.step_j) for counter in device.counters),
        "update_s": max(counter.update_s for counter in device.counters),
    }


def _idle(device: Device, kept: Kept) -> dict[str, Any]:
    why = device.counters if isinstance(device.counters, str) else _STOPPED
    session = None if isinstance(device.counters, str) else session_of(kept, device.key)
    if session is None:
        return {**dict.fromkeys(TIMES, unavailable(why)), "drift": unavailable(why)}
    return {**session["powers"], "drift": session["drift"]}
