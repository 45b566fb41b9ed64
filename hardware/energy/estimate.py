"""What an inference takes on a device: every constant times how often it is met.

Where that is not known either, it is a band. A neuron with analog dendrites has more states than the current and the
voltage that the published constants stand for: its update counts once (low), or in proportion to its states (high). A
spike is sent once to every core that has targets of it, and a core lies some hops away.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hardware.counters.counts import Counts, LayerCounts
from hardware.energy.bands import Band, exactly
from hardware.energy.profile import PARTS, Profile
from hardware.measurement import Evidence, weakest

# States that a published neuron update stands for: a current and a voltage.
_STATES = 2


@dataclass(frozen=True)
class Estimate:
    """Energy of an inference on a device.

    Parameters
    ----------
    parts
        In J: synapses, updates, messages, static, as far as the profile has constants for them.
    missing
        The other parts, and why there is nothing.
    evidence
        Of each part: of the weakest constant in it.
    latency_s
        Steps times step time; None where the device has no clock.
    """

    profile: Profile
    parts: Mapping[str, Band]
    missing: Mapping[str, str]
    evidence: Mapping[str, Evidence]
    latency_s: Band | None
    notes: tuple[str, ...] = ()

    @property
    def dynamic(self) -> Band:
        """All parts but the static one."""
        return _total(band for part, band in self.parts.items() if part != "static")

    @property
    def total(self) -> Band | None:
        """All parts; None without a static one, because a sum without it is no total."""
        return _total(self.parts.values()) if "static" in self.parts else None

    def middle(self, *, static: bool) -> float:
        """Sum of the parts' middles, with the static one or without."""
        return sum(band.middle for part, band in self.parts.items() if static or part != "static")


def estimate(
    counts: Counts, profile: Profile, step_time_s: Band, copies: Mapping[str, float] | None = None
) -> Estimate:
    """Energy of an inference.

    Parameters
    ----------
    counts
        Of a spiking network for a profile of one, of an ANN for a profile of one.
    step_time_s
        Of a step, in seconds; devices without a clock leave it out.
    copies
        Cores that a spike which reaches a layer is sent to at most, by layer; else the profile's own.

    Raises
    ------
    ValueError
        The counts are of the other kind of network.
    """
    wanted = "ann" if profile.network == "ann" else "spiking"
    if any(layer.kind != wanted for layer in counts.layers.values()):
        raise ValueError(f"{profile.name} prices the operations of {wanted} layers")
    times = _times(counts, profile, step_time_s, copies)
    parts, evidence = {}, {}
    for part in PARTS:
        constants = profile.of(part)
        if constants:
            parts[part] = _total(constant.band * times[constant.per] for constant in constants)
            evidence[part] = rests_on(constant.evidence for constant in constants)
    latency = exactly(counts.steps) * step_time_s if "static" in parts else None
    return Estimate(profile, parts, profile.unpriced, evidence, latency, _notes(counts))


def _notes(counts: Counts) -> tuple[str, ...]:
    if any(math.isnan(layer.macs_effective) for layer in counts.layers.values()):
        return ("an ANN that was not trained: its activations are not known, so no zero is left out",)
    return ()


def rests_on(classes: Iterable[Evidence]) -> Evidence:
    """The evidence of an estimate from several: an estimate is itself no measurement."""
    found = weakest(classes)
    return "calibrated" if found == "measured" else found


def _times(counts: Counts, profile: Profile, step_time_s: Band, copies: Mapping[str, float] | None) -> dict[str, Band]:
    """How often a constant is met, by what it is per."""
    units = exactly(counts.total("dendrite_updates"))
    if profile.network == "ann":
        dense = exactly(counts.total("dense"))
        return {"multiply-accumulate": _products(counts), "dense multiply-accumulate": dense, "neuron": units}
    states = sum(layer.dendrite_updates * _more_states(layer) for layer in counts.layers.values())
    found = {
        "synaptic operation": exactly(counts.total("syn_ops")),
        "neuron update": Band(units.low, states),
        "state update": exactly(counts.total("state_updates")),
        "neuron": units,
        "spike": exactly(counts.total("axon_out")),
        "step": exactly(counts.steps),
        "second": exactly(counts.steps) * step_time_s,
    }
    numbers = {name: constant.band for name, constant in profile.constants.items() if not constant.part}
    if "copies" in numbers:
        sent = _total(
            exactly(layer.spikes_in)
            * (Band(1, max(1.0, copies[name])) if copies and name in copies else numbers["copies"])
            for name, layer in counts.layers.items()
        )
        found["message"] = sent
        for way in ("east_west", "north_south"):
            found[f"hop {way.replace('_', '-')}"] = sent * numbers.get(f"hops_{way}", exactly(0))
    return found


def _products(counts: Counts) -> Band:
    """From those with a weight and an input that are not zero to all; all where activations are not known."""
    effective, dense = counts.total("macs_effective") + counts.total("acs_effective"), counts.total("dense")
    return exactly(dense) if math.isnan(effective) else Band(min(effective, dense), dense)


def _more_states(layer: LayerCounts) -> float:
    return max(1.0, layer.states / (_STATES * layer.neurons)) if layer.neurons else 1.0


def _total(bands: Iterable[Band]) -> Band:
    return sum(bands, exactly(0))
