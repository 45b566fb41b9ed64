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
        to_meter = metered_at(kept, device.key, subject.key, list(of_network), protocol)
        networks[subject.key] = {
            "parameters": subject.parameters,
            "weights": subject.weights,
            "variants": {
                name: _variant(device, subject.key, name, variant, kept, to_meter[name])
                for name, variant in of_network.items()
            },
            "best": best_of(kept, device.key, subject.key, list(of_network), protocol),
        }
    return {
        "name": device.name,
        "threads": device.threads,
        "driver": device.driver,
        "made": kept.get(device.key, "made"),
        "load_before": (kept.get(device.key, "load") or {}).get("load"),
        "energy_meter": _energy_meter(device, kept),
        "idle": _idle(device, kept),
        "networks": networks,
    }


def metered_at(
    kept: Kept, device: str, network: str, names: Sequence[str], protocol: Protocol
) -> dict[str, dict[str, bool]]:
    """Whether energy is metered, by variant and batch: of the first variant and of the fastest."""
    best = best_of(kept, device, network, names, protocol)
    batches = list(map(str, protocol.batches))
    return {name: {batch: name in (names[0], best.get(batch)) for batch in batches} for name in names}


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
    device: Device, network: str, name: str, variant: Variant, kept: Kept, to_meter: Mapping[str, bool]
) -> dict[str, Any]:
    record = kept.get(device.key, network, name) or {}
    if "unavailable" in record:
        return {"what": variant.what, "unavailable": record["unavailable"]}
    cells = {batch: _cell(device, (network, name, batch), kept, wanted) for batch, wanted in to_meter.items()}
    return {"what": variant.what, "threads": record.get("threads", device.threads), "batches": cells}


def _cell(device: Device, at: tuple[str, str, str], kept: Kept, wanted: bool) -> dict[str, Any]:
    timed = kept.get(device.key, *at) or unavailable(_STOPPED)
    if "unavailable" in timed:
        numbers = dict.fromkeys((*TIMED, *METERED), timed)
        return {**numbers, "session": None, "drift": {"latency": timed, "power": timed}}
    metered = kept.get(device.key, *at, "energy") or _unmetered(device, kept, wanted)
    found = {**{key: timed[key] for key in TIMED}, **_metered(metered, device, kept)}
    power_drift = unavailable(metered["unavailable"]) if "unavailable" in metered else metered["drift"]
    return {**found, "session": metered.get("session"), "drift": {"latency": timed["drift"], "power": power_drift}}


def _unmetered(device: Device, kept: Kept, wanted: bool) -> dict[str, str]:
    """Why a cell that ran has no energy."""
    ever = session_of(kept, device.key) is not None
    if not wanted and (ever or device.meter is not None):
        return unavailable(_NOT_METERED)
    return unavailable(device.counters if isinstance(device.counters, str) else _STOPPED)


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


def _energy_meter(device: Device, kept: Kept) -> dict[str, Any]:
    """What meters energy; or what metered the energies that are kept, and why it cannot be read any more."""
    if not isinstance(device.counters, str):
        return dict(device.meter or {})
    session = session_of(kept, device.key)
    return {**session["meter"], "now": device.counters} if session else unavailable(device.counters)


def _idle(device: Device, kept: Kept) -> dict[str, Any]:
    """Idle powers of the latest session, whether or not the counters can still be read."""
    session = session_of(kept, device.key)
    if session is None:
        why = device.counters if isinstance(device.counters, str) else _STOPPED
        return {**dict.fromkeys(TIMES, unavailable(why)), "session": None, "drift": unavailable(why)}
    return {**session["powers"], "session": session["name"], "drift": session["drift"]}
