"""The section "energy" of ``measurement.json``: every device's band, in parts, and what it rests on."""

from collections.abc import Mapping
from typing import Any

from hardware.counters.counts import Counts
from hardware.energy.bands import Band, exactly
from hardware.energy.estimate import Estimate, estimate, rests_on
from hardware.energy.profile import PARTS, Profile, load_profiles
from hardware.energy.published import own_pace, step_times
from hardware.energy.validate import validation
from hardware.measurement import Evidence, Quantity, unavailable

# Real time: a step for each 32 ms of sound, as features.hop_s has it.
HOP_S = 0.032
# From about the shortest step a chip could make to twice the sound's pace.
STEP_TIMES_S = (*(digit * 10.0**power for power in range(-7, -1) for digit in (1, 2, 5)), HOP_S, 0.064)[1:]
_METHOD = "counts times the profile's constants: bounds, and their geometric middle"
_SUM = "sum of the parts' bounds, and of their middles"


def energy_section(
    counts: Counts,
    twin: Counts | None,
    *,
    analog: bool,
    step_time_s: float | None = None,
    copies: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Energies of an inference on all devices that apply.

    Parameters
    ----------
    counts
        Of the network; an ANN's go to the devices for ANNs alone.
    twin
        Of the ANN of the same topology, where there is one.
    analog
        Whether the network has analog dendrites, which run on no chip.
    step_time_s
        Of a step on the chip; else between what was measured on Loihi 2.
    copies
        Cores a spike into each layer is sent to at most (:func:`hardware.energy.copies.copies_of`); else the
        profile's own.

    Returns
    -------
    dict
        The section without its identity.
    """
    pace = own_pace() if step_time_s is None else exactly(step_time_s)
    kinds = {layer.kind for layer in counts.layers.values()}
    networks = {"ann": counts} if kinds == {"ann"} else {"snn": counts, **({} if twin is None else {"ann": twin})}
    found = [
        estimate(networks[profile.network], profile, pace, copies)
        for profile in load_profiles()
        if profile.network in networks
    ]
    return {
        "assumed": _assumed(pace, given=step_time_s is not None, placed=copies is not None),
        "devices": {one.profile.name: _device(one, analog) for one in found},
        "over_step_time": {one.profile.name: over_step_time(one, networks[one.profile.network].steps) for one in found},
        "validation": validation(),
    }


def over_step_time(found: Estimate, steps: int) -> list[dict[str, float]]:
    """Total energy for step times from 0.2 us to 64 ms, the sound's own pace among them; none without a static part.

    The dynamic energy does not depend on the step time, and the static energy grows in proportion to it.
    """
    power = static_power(found.profile)
    if power is None:
        return []
    rows = []
    for seconds in sorted(STEP_TIMES_S):
        static = power * exactly(steps * seconds)
        total = found.dynamic + static
        middle = found.middle(static=False) + static.middle
        rows.append({"step_time_s": seconds, "low_j": total.low, "value_j": middle, "high_j": total.high})
    return rows


def static_power(profile: Profile) -> Band | None:
    """Static power of a device in W, if it has one."""
    powers = profile.of("static")
    return sum((constant.band for constant in powers), exactly(0)) if powers else None


def _assumed(pace: Band, *, given: bool, placed: bool) -> dict[str, Any]:
    named = "; ".join(f"{entry.seconds * 1e6:.4g} us: {entry.name} ({entry.source})" for entry in step_times())
    method = "as asked for" if given else f"between the step times measured on Loihi 2, and their middle: {named}"
    where = "as placement has it" if placed else "as the profile has it, without a placement"
    return {
        "step_time": _quantity(pace, "s", method, "derived" if given else "literature"),
        "chips": Quantity(1, "1", "estimated", "one chip in use; no other is counted", 1, 1).as_dict(),
        "copies": f"cores a spike is sent to: {where}",
    }


def _device(found: Estimate, analog: bool) -> dict[str, Any]:
    profile = found.profile
    parts = {
        part: _quantity(found.parts[part], "J", _METHOD, found.evidence[part])
        if part in found.parts
        else unavailable(found.missing[part])
        for part in PARTS
    }
    total = found.total
    return {
        "title": profile.title,
        "network": profile.network,
        "applies": profile.applies_analog if analog and profile.applies_analog else profile.applies,
        "parts": parts,
        "dynamic": _quantity(found.dynamic, "J", _SUM, _weakest(found, static=False), found.middle(static=False)),
        "total": unavailable(found.missing["static"])
        if total is None
        else _quantity(total, "J", _SUM, _weakest(found, static=True), found.middle(static=True)),
        "latency": unavailable("no step time goes with this device: it is priced by operations alone")
        if found.latency_s is None
        else _quantity(found.latency_s, "s", "steps times the step time assumed", "literature"),
        "notes": [*found.notes, *(f"left out: {entry}" for entry in profile.leaves_out)],
        "constants": [constant.as_dict() for constant in profile.constants.values()],
    }


def _weakest(found: Estimate, *, static: bool) -> Evidence:
    return rests_on(value for part, value in found.evidence.items() if static or part != "static")


def _quantity(band: Band, unit: str, method: str, evidence: Evidence, middle: float | None = None) -> dict[str, Any]:
    value = band.middle if middle is None else min(max(middle, band.low), band.high)
    return Quantity(value, unit, "estimated", method, band.low, band.high, evidence).as_dict()
