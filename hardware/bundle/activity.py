"""Counters of an inference and use of memory, core by core, and the counters beside the engine's."""

import math
from typing import Any

from hardware.bundle.profile import INDICES, Profile
from hardware.measurement import Quantity, unavailable
from lava_runtime.engine.tally import Tally

COUNTERS = ("syn_ops", "dendrite_updates", "axon_out", "spikes_in", "spike_axon_in")


def activity_of(profile: Profile) -> dict[str, Any]:
    """Counters an inference, summed over cores and core by core."""
    found: dict[str, Any] = {}
    cores = {name: profile.activity[name].astype(int).tolist() for name in INDICES if name in profile.activity}
    for name in COUNTERS:
        if name not in profile.activity:
            found[name] = unavailable(profile.why(f"activity.{name}"))
            continue
        if (profile.activity[name] < 0).any():
            found[name] = unavailable(f"activity.{name}: holds a count below zero")
            continue
        each = profile.activity[name] / profile.inferences
        value, low, high = profile.count(name)
        how = f"Loihi2Activity: all cores, {profile.steps} steps are {profile.inferences:g} inferences"
        if not math.isfinite(high):
            found[name] = unavailable(f"activity.{name}: {profile.steps} steps are less than one inference")
            continue
        if low != high:
            how += "; bounds for all and for nothing of a sample in the last, which was cut short"
        found[name] = Quantity(value, "1/inference", "measured", how, low, high).as_dict()
        cores[name] = each.tolist()
    return {**found, "cores": cores}


def memory_of(profile: Profile) -> dict[str, Any]:
    """Use of the cores' memory, as the profiler gives it."""
    if not profile.memory:
        return unavailable(profile.why("memory.total_mpds"))
    return {"cores": {name: values.tolist() for name, values in profile.memory.items()}}


def cross_check(profile: Profile, tally: Tally) -> dict[str, Any]:
    """The chip's counters beside the engine's, for the sample that was repeated.

    The engine counts a spike once a layer, the chip once a core that it leaves or reaches, input from the host
    included; synaptic operations are to agree best. The chip updates its neurons in every step of a period.
    """
    engine = {name: sum(getattr(layer, name) for layer in tally.layers.values()) for name in COUNTERS[:4]}
    neurons = sum(layer.neurons for layer in tally.layers.values())
    engine["dendrite_updates"] = neurons * profile.period
    found: dict[str, Any] = {}
    for name, count in engine.items():
        if name not in profile.activity or (profile.activity[name] < 0).any():
            found[name] = {"engine": count, "chip": None, "chip_over_engine": None}
            continue
        chip, *ends = profile.count(name)
        low, high = (end / count if count and math.isfinite(end) else None for end in ends)
        ratio = chip / count if count else None
        found[name] = {"engine": count, "chip": chip, "chip_over_engine": ratio, "low": low, "high": high}
    return {"sample": profile.sample, "counters": found}
