"""The section "energy" of ``measurement.json``: every device's band, in parts, and what it rests on."""

from typing import Any

from hardware.counters.counts import Counts
from hardware.energy.bands import Band, exactly
from hardware.energy.copies import Spread
from hardware.energy.estimate import Estimate, estimate, rests_on
from hardware.energy.pace import Deployment, asked_pace, paced
from hardware.energy.profile import PARTS, Profile, load_profiles
from hardware.energy.tables import scaled
from hardware.energy.twin import with_known_input
from hardware.energy.validate import validation
from hardware.measurement import Evidence, Quantity, unavailable

# Real time: a step for each 32 ms of sound, as features.hop_s has it.
HOP_S = 0.032
# From about the shortest step a chip could make to twice the sound's pace.
STEP_TIMES_S = (*(digit * 10.0**power for power in range(-7, -1) for digit in (1, 2, 5)), HOP_S, 0.064)[1:]
_PERIOD = "from a clip to the next on a Loihi, whose reset has a power of two for its period: all of it is stepped"
_ANSWER = "until the answer is complete: a clip, the way in, and a step for each layer"
_METHOD = "counts times the profile's constants: bounds, and their geometric middle"
_SUM = "sum of the parts' bounds, and of their middles"


def energy_section(
    counts: Counts,
    twin: Counts | None,
    *,
    analog: bool,
    step_time_s: float | None = None,
    copies: Spread | None = None,
    period: int | None = None,
    answer_steps: int | None = None,
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
        Of a step on the chip; else between what the input allows and what was published of Loihi 2.
    copies
        Cores a spike into each layer is sent to at most, and cores and chips in all
        (:func:`hardware.energy.filed.filed_copies`); else the profile's own, and one chip.
    period
        Steps that an inference keeps the chip (:func:`export.schedule.schedule`); else those of a clip.
    answer_steps
        Steps until the answer is complete; else those of a clip.

    Returns
    -------
    dict
        The section without its identity.
    """
    pace = paced(counts, period) if step_time_s is None else asked_pace(step_time_s)
    deployment = Deployment(pace, period, answer_steps, copies)
    kinds = {layer.kind for layer in counts.layers.values()}
    networks = {"ann" if kinds == {"ann"} else "snn": counts}
    if "snn" in networks and twin is not None:
        networks["ann"] = with_known_input(twin, counts)
    found = [
        estimate(networks[profile.network], profile, deployment)
        for profile in load_profiles()
        if profile.network in networks
    ]
    return {
        "assumed": _assumed(deployment, counts),
        "devices": {one.profile.name: _device(one, analog, counts) for one in found},
        "over_step_time": {one.profile.name: over_step_time(one, counts) for one in found},
        "validation": validation(),
    }


def over_step_time(found: Estimate, counts: Counts) -> list[dict[str, float]]:
    """Total energy for step times from 0.2 us to 64 ms, the sound's own pace among them; none without a static part.

    The dynamic energy does not depend on the step time, and the static energy grows in proportion to it.
    """
    rows = []
    for seconds in sorted(STEP_TIMES_S):
        static = static_energy(found, counts, seconds)
        if static is None:
            return []
        total, middle = found.dynamic + static, found.middle(static=False) + static.middle
        rows.append({"step_time_s": seconds, "low_j": total.low, "value_j": middle, "high_j": total.high})
    return rows


def static_energy(found: Estimate, counts: Counts, step_time_s: float) -> Band | None:
    """Static energy of an inference at a step time, if the device has a static power: of its chips, for its period."""
    power = static_power(found.profile)
    steps = found.deployment.occupied(counts) * found.deployment.chips
    return None if power is None else power * exactly(steps * step_time_s)


def static_power(profile: Profile) -> Band | None:
    """Static power of one chip of a device in W, if it has one."""
    powers = profile.of("static")
    return sum((constant.band for constant in powers), exactly(0)) if powers else None


def _assumed(deployment: Deployment, counts: Counts) -> dict[str, Any]:
    pace, spread = deployment.pace, deployment.spread
    where = "as the profile has it, without a placement" if spread is None else "as placement has it"
    told = "one, as no placement is at hand" if spread is None else "as placement reckons"
    occupied, answer = deployment.occupied(counts), deployment.answer(counts)
    whole = "the steps of a clip; none goes by besides"
    return {
        "step_time": _quantity(pace.step_time_s, "s", pace.method, pace.evidence),
        "period": _whole(occupied, "steps", whole if deployment.period is None else _PERIOD),
        "answer": _whole(answer, "steps", whole if deployment.answer_steps is None else _ANSWER),
        "chips": _whole(deployment.chips, "1", f"{told}; idle chips of the board are left out"),
        "copies": f"cores a spike is sent to: {where}",
    }


def _whole(number: int, unit: str, what: str) -> dict[str, Any]:
    return Quantity(number, unit, "estimated", what, number, number).as_dict()


def _device(found: Estimate, analog: bool, counts: Counts) -> dict[str, Any]:
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
        "latency": _time(found, found.latency_s, "steps until the answer is complete"),
        "interval": _time(found, found.interval_s, "steps of the period: one inference every so long"),
        "notes": [*found.notes, *_replayed(found, counts), *(f"left out: {entry}" for entry in profile.leaves_out)],
        "constants": [constant.as_dict() for constant in profile.constants.values()],
    }


def _time(found: Estimate, time: Band | None, what: str) -> dict[str, Any]:
    if time is None:
        return unavailable("no step time goes with this device: it is priced by operations alone")
    return _quantity(time, "s", f"{what} times the step time assumed", found.deployment.pace.evidence)


def _replayed(found: Estimate, counts: Counts) -> list[str]:
    """What the total comes down to if the input does not come from the host."""
    seconds = found.deployment.pace.replayed_s
    static = None if seconds is None else static_energy(found, counts, seconds)
    if seconds is None or static is None:
        return []
    low = (found.dynamic + static).low
    return [
        f"step time: the input comes from the host; kept on the chip and replayed, a step could take "
        f"{scaled(seconds, 's')}, as one of two neurons did, and the total begins at {scaled(low, 'J')}"
    ]


def _weakest(found: Estimate, *, static: bool) -> Evidence:
    return rests_on(value for part, value in found.evidence.items() if static or part != "static")


def _quantity(band: Band, unit: str, method: str, evidence: Evidence, middle: float | None = None) -> dict[str, Any]:
    value = band.middle if middle is None else min(max(middle, band.low), band.high)
    return Quantity(value, unit, "estimated", method, band.low, band.high, evidence).as_dict()
