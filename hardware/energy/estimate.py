"""What an inference takes on a device: every constant times how often it is met.

Where that is not known either, it is a band. Whether a Loihi works on weights that are zero but stored nobody
published: a synaptic operation is met without them (low) or with them (high). A neuron with analog dendrites has more
states than the current and the voltage that the published constants stand for: its update counts once (low), or in
proportion to its states (high). A spike is sent once to every core that has targets of it, and a core lies some hops
away. Samples follow each other on a Loihi at its reset's period, and neurons are stepped to the end of it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hardware.counters.counts import Counts, LayerCounts
from hardware.energy.bands import Band, exactly
from hardware.energy.pace import Deployment
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
    deployment
        How the network runs there.
    latency_s
        Until the answer is complete; None where the device has no clock.
    interval_s
        From one inference to the next; likewise.
    """

    profile: Profile
    parts: Mapping[str, Band]
    missing: Mapping[str, str]
    evidence: Mapping[str, Evidence]
    deployment: Deployment
    latency_s: Band | None
    interval_s: Band | None
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


def estimate(counts: Counts, profile: Profile, deployment: Deployment) -> Estimate:
    """Energy of an inference.

    Parameters
    ----------
    counts
        Of a spiking network for a profile of one, of an ANN for a profile of one.
    deployment
        Pace, period and cores; devices without a clock leave the pace out, and all but Loihis the rest.

    Raises
    ------
    ValueError
        The counts are of the other kind of network.
    """
    wanted = "ann" if profile.network == "ann" else "spiking"
    if any(layer.kind != wanted for layer in counts.layers.values()):
        raise ValueError(f"{profile.name} prices the operations of {wanted} layers")
    times = _ann_times(counts) if wanted == "ann" else _times(counts, profile, deployment)
    parts, evidence = {}, {}
    for part in PARTS:
        constants = profile.of(part)
        if constants:
            parts[part] = _total(constant.band * times[constant.per] for constant in constants)
            of_pace = [deployment.pace.evidence] if part == "static" else []
            evidence[part] = rests_on([*of_pace, *(constant.evidence for constant in constants)])
    latency = interval = None
    if "static" in parts:
        step = deployment.pace.step_time_s
        latency, interval = (exactly(n) * step for n in (deployment.answer(counts), deployment.occupied(counts)))
    return Estimate(profile, parts, profile.unpriced, evidence, deployment, latency, interval, _notes(counts, profile))


def _notes(counts: Counts, profile: Profile) -> tuple[str, ...]:
    unknown = any(math.isnan(layer.macs_effective) for layer in counts.layers.values())
    if unknown and any(constant.per == "sum" for constant in profile.constants.values()):
        return (
            "an ANN that was not trained: low, the additions of its first layer alone, whose input is known, as if no "
            "weight of it were zero; activations of the other layers are not known and could all be zero",
        )
    return ()


def rests_on(classes: Iterable[Evidence]) -> Evidence:
    """The evidence of an estimate from several: an estimate is itself no measurement."""
    found = weakest(classes)
    return "calibrated" if found == "measured" else found


def _times(counts: Counts, profile: Profile, deployment: Deployment) -> dict[str, Band]:
    """How often a constant of a device for spiking networks is met, by what it is per."""
    operations = counts.total("syn_ops")
    period = deployment.occupied(counts) if profile.loihi else counts.steps
    longer = period / counts.steps
    units = counts.total("dendrite_updates") * longer
    states = sum(layer.dendrite_updates * _more_states(layer) for layer in counts.layers.values()) * longer
    found = {
        "synaptic operation": Band(operations, counts.total("syn_ops_stored") if profile.loihi else operations),
        "neuron update": Band(units, max(units, states)),
        "state update": exactly(counts.total("state_updates") * longer),
        "neuron": exactly(units),
        "spike": exactly(counts.total("axon_out")),
        "second": exactly(period * deployment.chips) * deployment.pace.step_time_s,
    }
    numbers = {name: constant.band for name, constant in profile.constants.items() if not constant.part}
    if "cores" in numbers:
        cores = numbers["cores"] if deployment.spread is None else Band(1, max(1, deployment.spread.cores))
        found["step"] = exactly(period) * cores
    if "copies" in numbers:
        copies = {} if deployment.spread is None else deployment.spread.copies
        sent = _total(
            exactly(layer.spikes_in) * (Band(1, max(1.0, copies[name])) if name in copies else numbers["copies"])
            for name, layer in counts.layers.items()
        )
        found["message"] = sent
        for way in ("east_west", "north_south"):
            found[f"hop {way.replace('_', '-')}"] = sent * numbers.get(f"hops_{way}", exactly(0))
    return found


def _ann_times(counts: Counts) -> dict[str, Band]:
    """How often a constant of a device for ANNs is met: low without zeros, high with them.

    A layer that only adds makes no products. What is not known of a layer may be nothing, and is all at most.
    """
    products, sums = exactly(0), exactly(0)
    for layer in counts.layers.values():
        adds, multiplies = (_least(number) for number in (layer.acs_effective, layer.macs_effective))
        only_adds = layer.macs_effective == 0 and layer.acs_effective != 0
        sums += Band(min(adds + multiplies, layer.dense), layer.dense)
        products += exactly(0) if only_adds else Band(min(multiplies, layer.dense), layer.dense)
    return {
        "product": products,
        "sum": sums,
        "dense multiply-accumulate": exactly(counts.total("dense")),
        "neuron": exactly(counts.total("dendrite_updates")),
    }


def _least(number: float) -> float:
    return 0.0 if math.isnan(number) else number


def _more_states(layer: LayerCounts) -> float:
    return max(1.0, layer.states / (_STATES * layer.neurons)) if layer.neurons else 1.0


def _total(bands: Iterable[Band]) -> Band:
    return sum(bands, exactly(0))
