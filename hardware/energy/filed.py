"""Counts as ``measurement.json`` has them, read back."""

from collections.abc import Mapping
from typing import Any

from hardware.counters.counts import Counts, LayerCounts
from hardware.energy.copies import copies_of
from hardware.measurement import quantity_of, read_measurement
from train.artifacts import RunFolder
from train.errors import MaestroError

_WHOLE = ("neurons", "states", "weights", "weights_nonzero")
_MEANS = (
    "spikes_in",
    "axon_out",
    "syn_ops",
    "dendrite_updates",
    "state_updates",
    "acs_effective",
    "macs_effective",
    "dense",
)


def filed_counts(run: RunFolder) -> Counts:
    """Counts of the section "counters" of a run's ``measurement.json``.

    Raises
    ------
    MaestroError
        There is no such section, or it is damaged, or lacks a number; the text names it.
    """
    where, cure = str(run.measurement), f"make it with `python -m hardware measure {run.path}`"
    section = read_measurement(run).get("counters")
    if section is None:
        raise MaestroError(where, "has no counts", allowed='a section "counters"', cure=cure)
    try:
        layers = {name: _layer(f"{where}: {name}", entry, cure) for name, entry in section["layers"].items()}
        inputs = _number(f"{where}: total", section["total"], "input_spikes", cure)
        return Counts(layers, int(section["steps"]), int(section["clips"]), inputs)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MaestroError(where, f"its section counters is damaged: {error!r}"[:200], cure=cure) from error


def filed_twin(run: RunFolder, counts: Counts) -> Counts | None:
    """What is known of the ANN of a spiking run's topology, which nobody trained; None if the run is an ANN.

    Raises
    ------
    MaestroError
        The run has no configuration or no exported network.
    """
    from export import netx
    from hardware.counters.ann import twin_counts
    from train.config import load_config
    from train.plan import plan_layers

    if all(layer.kind == "ann" for layer in counts.layers.values()):
        return None
    config = load_config(run.require(run.config, f"python -m train fit --run {run.path}"))
    network = netx.read(run.require(run.net, f"python -m export netx {run.path}"))
    channels, features, *_ = network.input_shape
    plan = plan_layers(config.network, channels, features, network.output_size)
    return twin_counts(plan, counts.steps, counts.clips, counts.input_spikes)


def filed_copies(run: RunFolder) -> dict[str, float] | None:
    """Cores that a spike into each layer is sent to, from the placement of a run's network; None without one."""
    from hardware.placement.plan import place_file

    if not run.net.is_file():
        return None
    return copies_of(place_file(run.net, None, "newer", "oheogulch"))


def has_dendrites(counts: Counts) -> bool:
    """Whether a neuron has more states than a current and a voltage."""
    return any(layer.states > 2 * layer.neurons for layer in counts.layers.values())


def _layer(where: str, entry: Mapping[str, Any], cure: str) -> LayerCounts:
    whole: dict[str, Any] = {name: int(entry[name]) for name in _WHOLE}
    means: dict[str, Any] = {name: _number(where, entry, name, cure) for name in _MEANS}
    footprint = quantity_of(entry["footprint"])
    return LayerCounts(
        kind=entry["kind"],
        **whole,
        **means,
        footprint_bytes=0.0 if isinstance(footprint, str) else footprint.value,
    )


def _number(where: str, entry: Mapping[str, Any], name: str, cure: str) -> float:
    found = quantity_of(entry[name])
    if isinstance(found, str):
        raise MaestroError(f"{where}: {name}", f"unavailable: {found}", cure=cure)
    return found.value
