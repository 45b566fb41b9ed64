"""Where the other side wins: from which batch size a processor or GPU, from which firing rate the ANN.

A chip's energy an inference does not depend on the batch; a GPU's falls with it (Blouw et al., arXiv:1812.01739, table
2: every win of Loihi is at batch 1). A spiking network's energy is a line over its activity: what synapses and messages
take grows with the spikes, what updates and static power take does not.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hardware.measure.bands import find, inverse, of_both, plain
from hardware.measure.sweeps import Sweep, at_batch, ends, sweeps
from hardware.measurement import Quantity

# Of a batch, and which chip's number stands beside it.
_MEASURES = {"energy_total": "total", "energy_dynamic_bare": "dynamic", "throughput": "throughput"}
# Parts of an energy that grow with the spikes, and what is counted of each.
_GROWS = {"synapses": "syn_ops", "messages": "spikes_in"}
# What a run on silicon measured (hardware/bundle), beside what is estimated.
SILICON = "loihi2, measured"
_BETTER = {"energy_total": "takes less energy", "energy_dynamic_bare": "takes less energy above idle"}


def chips(measurement: Mapping[str, Any]) -> list[str]:
    """Devices that the spiking network's energy was estimated for, and the silicon that ran it."""
    devices = measurement.get("energy", {}).get("devices", {})
    found = [name for name, entry in devices.items() if entry.get("network") == "snn"]
    return [*found, *([SILICON] if "loihi2" in measurement else [])]


def batch_break_even(measurement: Mapping[str, Any]) -> list[dict[str, Any]]:
    """From which batch size each device of the baseline beats each chip, in energy and in inferences a second.

    Returns
    -------
    list of dict
        ``chip``, ``device``, ``network`` (what the device ran), ``measure``, ``chip_value``, ``points`` (the device's
        best at each batch), ``may_win_from``, ``wins_from`` and ``surely_wins_from`` (the batch of the sweep from
        which on bounds allow it, values have it, bounds leave no doubt; None if the largest does not) and
        ``verdict``; or instead of all after ``measure`` the reason, ``unavailable``.
    """
    found = []
    for chip in chips(measurement):
        for (device, network), batches in sweeps(measurement).items():
            for measure, of_chip in _MEASURES.items():
                entry = {"chip": chip, "device": device, "network": network, "measure": measure}
                found.append({**entry, **_crossing(measurement, chip, of_chip, measure, batches)})
    return found


def _crossing(measurement: Mapping[str, Any], chip: str, of_chip: str, measure: str, batches: Sweep) -> dict[str, Any]:
    value = chip_number(measurement, chip, of_chip)
    if isinstance(value, str):
        return {"unavailable": value}
    if isinstance(batches, str):
        return {"unavailable": batches}
    points: list[tuple[int, Quantity]] = []
    for batch in batches:
        at = find(batches, batch, measure)
        if isinstance(at, str):
            return {"unavailable": at}
        points.append((int(batch), at))
    if not points:
        return {"unavailable": "no batch was measured"}
    more = measure == "throughput"

    def first(mine: str, its: str) -> int | None:
        """Where the last unbroken row of wins begins: from there on all batches win."""
        start = None
        for batch, at in reversed(points):
            ours, theirs = getattr(value, mine), getattr(at, its)
            if not (theirs > ours if more else theirs < ours):
                break
            start = batch
        return start

    may = first("low", "high") if more else first("high", "low")
    sure = first("high", "low") if more else first("low", "high")
    wins = first("value", "value")
    return {
        "chip_value": value.as_dict(),
        "points": [{"batch": batch, **at.as_dict()} for batch, at in points],
        "may_win_from": may,
        "wins_from": wins,
        "surely_wins_from": sure,
        "verdict": _batch_verdict(measure, may, wins, sure, points[-1][0]),
    }


def _batch_verdict(measure: str, may: int | None, wins: int | None, sure: int | None, last: int) -> str:
    better = _BETTER.get(measure, "gives more inferences a second")
    if may is None:
        return f"{better} at no batch up to {last}"
    if wins is None:
        return f"{better} at no batch up to {last} by the middle of the bands; within them perhaps from batch {may}"
    text = f"{better} from batch {wins}"
    if sure == wins == may:
        return f"{text}, whatever lies within the bands"
    surely = f"surely from batch {sure}" if sure else f"surely at no batch up to {last}"
    return f"{text} by the middle of the bands; perhaps from batch {may}, {surely}"


def chip_number(measurement: Mapping[str, Any], chip: str, which: str) -> Quantity | str:
    """A chip's ``total`` or ``dynamic`` energy of an inference in J, its ``latency`` in s or ``throughput`` in 1/s.

    Throughput is of one inference after the other: each takes the schedule's period, which is longer than the latency.
    """
    if which == "throughput":
        return inverse(_interval(measurement, chip), "1/s", f"{chip}'s time an inference")
    if chip != SILICON:
        return find(measurement, "energy", "devices", chip, which)
    return _interval(measurement, chip) if which == "latency" else find(measurement, "loihi2", "energy", which)


def _interval(measurement: Mapping[str, Any], chip: str) -> Quantity | str:
    if chip == SILICON:
        return find(measurement, "loihi2", "time", "inference")
    return find(measurement, "energy", "devices", chip, "interval")


def rate_break_even(measurement: Mapping[str, Any]) -> list[dict[str, Any]]:
    """From which mean firing rate the ANN takes less energy, for each device of both.

    The input stays as it is: of synapses and messages the share of the layer that hears it does not grow.

    Returns
    -------
    list of dict
        ``snn`` and ``ann`` (devices; a measured one with its batch), ``compared`` (``total``, or ``dynamic`` where the
        ANN's figure has no static part), ``scale`` (times as many spikes as were counted, in every layer alike) and
        ``rate`` (spikes a neuron and step, 1 at most) from which the ANN wins, and ``verdict``; or ``unavailable``.
    """
    rate = find(measurement, "counters", "total", "rate")
    devices = measurement.get("energy", {}).get("devices", {})
    found = []
    for name in (chip for chip in chips(measurement) if chip != SILICON):
        for ann, compared, energy in _anns(measurement):
            entry = {"snn": name, "ann": ann, "compared": compared}
            found.append({**entry, **_level(measurement, devices[name], energy, compared, rate)})
    return found


def _anns(measurement: Mapping[str, Any]) -> Iterator[tuple[str, str, Quantity | str]]:
    """Name, what of it is compared, and energy of an inference of everything the ANN was priced or measured on."""
    for name, entry in measurement.get("energy", {}).get("devices", {}).items():
        if entry.get("network") == "ann":
            whole = not isinstance(find(entry, "parts", "static"), str)
            compared = "total" if whole else "dynamic"
            yield name, compared, find(entry, compared)
    for (device, network), batches in sweeps(measurement).items():
        if network == "ann":
            for batch in ends(batches):
                yield f"{device}, batch {batch}", "total", find(at_batch(batches, batch), "energy_total")


def _level(
    measurement: Mapping[str, Any],
    device: Mapping[str, Any],
    energy: Quantity | str,
    compared: str,
    rate: Quantity | str,
) -> dict[str, Any]:
    whole, updates = find(device, compared), find(device, "parts", "updates")
    by_input = {part: _by_input(measurement, of) for part, of in _GROWS.items()}
    for number in (energy, rate, whole, updates, *by_input.values()):
        if isinstance(number, str):
            return {"unavailable": number}
    assert isinstance(energy, Quantity)
    assert isinstance(rate, Quantity)
    assert isinstance(whole, Quantity)
    parts = {name: find(device, "parts", name) for name in (*_GROWS, "updates", "static")}
    if compared == "dynamic":
        del parts["static"]
    found = {name: part for name, part in parts.items() if isinstance(part, Quantity)}
    # A part may be within another, as messages in an energy an operation that was measured all in.
    if not math.isclose(_sum(found.values(), "value"), whole.value):
        lacking = next((part for part in parts.values() if isinstance(part, str)), "its parts do not add up")
        return {"unavailable": lacking}

    def grows(bound: str) -> float:
        shares = ((1 - float(by_input[name])) * getattr(found[name], bound) for name in _GROWS if name in found)
        return float(sum(shares))

    def stays(bound: str) -> float:
        return _sum(found.values(), bound) - grows(bound)

    if grows("low") <= 0:
        return {"unavailable": "what its spikes take may be nothing, so no number of them is too many"}

    def scale(ann: float, fixed: str, slope: str) -> float:
        return max(0.0, (ann - stays(fixed)) / grows(slope))

    bounds = scale(energy.low, "high", "high"), scale(energy.high, "low", "low")
    value = scale(energy.value, "value", "value")
    kind, evidence = of_both(energy, *found.values())
    how = "spikes at which both take the same: all layers' scaled alike, the input's as they are; bounds independent"
    times_as_many = Quantity(value, "times", kind, how, *bounds, evidence)
    ends_of_rate = (min(1.0, number) for number in (value * rate.value, bounds[0] * rate.low, bounds[1] * rate.high))
    middle, low, high = ends_of_rate
    level = Quantity(middle, "spikes a neuron and step", kind, f"{how}; no more than 1", low, high, evidence)
    verdict = _rate_verdict(times_as_many, bounds[0] * rate.low)
    return {"scale": plain(times_as_many), "rate": plain(level), "verdict": verdict}


def _by_input(measurement: Mapping[str, Any], counted: str) -> float | str:
    """Share of what was counted that the network's input makes: all that the first layer with synapses does."""
    section = measurement.get("counters", {})
    layers = section.get("layers", {})
    if "unavailable" in section:
        return str(section["unavailable"])
    numbers = [find(layer, counted) for layer in layers.values()]
    values = [number.value for number in numbers if isinstance(number, Quantity)]
    if len(values) < len(numbers) or not any(values):
        return next((number for number in numbers if isinstance(number, str)), "the layers were not counted")
    return next(value for value in values if value) / sum(values)


def _sum(numbers: Iterable[Quantity], bound: str) -> float:
    return float(sum(getattr(number, bound) for number in numbers))


def _rate_verdict(scale: Quantity, least_rate: float) -> str:
    if scale.high == 0:
        return "the ANN takes less even than a network that never fires"
    if least_rate > 1:
        return "the spiking network takes less even if every neuron fires at every step"
    if scale.low > 1:
        return f"the spiking network takes less; the ANN would from {_times(scale)} its spikes"
    if scale.high < 1:
        return f"the ANN takes less; the spiking network would below {_times(scale)} its spikes"
    return f"undecided within the bands: they meet at {_times(scale)} the spikes counted"


def _times(scale: Quantity) -> str:
    return f"{_written(scale.value)} ({_written(scale.low)} to {_written(scale.high)}) times"


def _written(value: float) -> str:
    """A factor to three digits, in groups of three as the page writes numbers, never as a power of ten."""
    if 0 < value < 1e-3:
        return "under 0.001"
    return f"{value:.3g}" if value < 999.5 else f"{float(f'{value:.3g}'):,.0f}".replace(",", "\u202f")
