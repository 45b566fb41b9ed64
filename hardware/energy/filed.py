"""What a run's files say that an energy is made of: counts, placement, and the schedule on the chip."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from hardware.counters.counts import Counts, LayerCounts
from hardware.energy.copies import Spread, spread_of
from hardware.measurement import current, quantity_of
from train.artifacts import RunFolder
from train.errors import MaestroError

_WHOLE = ("neurons", "states", "weights", "weights_nonzero")
_MEANS = {
    "spikes_in": ("spikes", "values"),
    "axon_out": ("spikes", "values"),
    "syn_ops": ("operations",),
    "syn_ops_stored": ("operations",),
    "dendrite_updates": ("updates",),
    "state_updates": ("updates",),
    "acs_effective": ("operations",),
    "macs_effective": ("operations",),
    "dense": ("operations",),
    "footprint": ("B",),
}


def filed_counts(run: RunFolder) -> Counts:
    """Counts of the section "counters" of a run's ``measurement.json``.

    Raises
    ------
    MaestroError
        There is no such section, or it is of another network, or damaged, or lacks a number; the text names file and
        field.
    """
    return _Filed(run).counts()


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

    if is_ann(counts):
        return None
    config = load_config(run.require(run.config, f"python -m train fit --run {run.path}"))
    network = netx.read(run.require(run.net, f"python -m export netx {run.path}"))
    channels, features, *_ = network.input_shape
    plan = plan_layers(config.network, channels, features, network.output_size)
    return twin_counts(plan, counts.steps, counts.clips, counts.input_spikes)


def filed_copies(run: RunFolder) -> Spread | None:
    """How the placement of a run's network spreads it over cores; None without a network."""
    from export import netx
    from hardware.placement.plan import place_file
    from hardware.placement.realise import realised

    if not run.net.is_file():
        return None
    demands, _ = realised(netx.read(run.net), None)
    return spread_of(place_file(run.net, None, "newer", "oheogulch"), demands)


def filed_schedule(run: RunFolder, counts: Counts) -> dict[str, int]:
    """``period`` and ``answer_steps`` of a run on the chip, from its manifest; nothing of an ANN.

    Raises
    ------
    MaestroError
        The manifest is missing, damaged, of another network, or of clips of another length than were counted.
    """
    from export.manifest import load_manifest
    from export.schedule import CHIP_INPUT_DELAY, schedule

    if is_ann(counts):
        return {}
    manifest = load_manifest(run)
    if manifest.steps != counts.steps:
        raise MaestroError(
            f"{run.measurement}: counters.steps",
            f"is {counts.steps}",
            allowed=f"{manifest.steps}, as manifest.json has it",
            cure=_cure(run),
        )
    found = schedule(manifest.steps, manifest.latency_steps, input_delay=CHIP_INPUT_DELAY)
    return {"period": found.period, "answer_steps": found.steps + found.latency + found.input_delay}


def is_ann(counts: Counts) -> bool:
    """Whether the counts are of an ANN."""
    return all(layer.kind == "ann" for layer in counts.layers.values())


def has_dendrites(counts: Counts) -> bool:
    """Whether a neuron has more states than a current and a voltage."""
    return any(layer.states > 2 * layer.neurons for layer in counts.layers.values())


def _cure(run: RunFolder) -> str:
    return f"make it with `python -m hardware measure {run.path}`"


class _Filed:
    """A run's section of counts, read field by field."""

    def __init__(self, run: RunFolder) -> None:
        self._file, self._cure = str(run.measurement), _cure(run)
        section = current(run).get("counters")
        if section is None:
            raise MaestroError(self._file, "has no counts", allowed='a section "counters"', cure=self._cure)
        self._section = self._table(section, "counters")

    def counts(self) -> Counts:
        """All of them."""
        layers = self._table(self._section.get("layers"), "counters.layers")
        if not layers:
            raise self._wrong("counters.layers", "is empty", "a layer at least")
        found = {name: self._layer(entry, f"counters.layers.{name}") for name, entry in layers.items()}
        if len({layer.kind for layer in found.values()}) > 1:
            raise self._wrong("counters.layers", "mixes spiking and ann layers", "one kind")
        steps, clips = (self._integer(self._section, "counters", name, 1) for name in ("steps", "clips"))
        for name, layer in found.items():
            self._consistent(layer, f"counters.layers.{name}", steps)
        total = self._table(self._section.get("total"), "counters.total")
        inputs = self._number(total, "counters.total", "input_spikes", ("spikes",))
        return Counts(found, steps, clips, inputs)

    def _layer(self, entry: Any, where: str) -> LayerCounts:
        table = self._table(entry, where)
        kind: Literal["spiking", "ann"]
        if table.get("kind") == "spiking":
            kind = "spiking"
        elif table.get("kind") == "ann":
            kind = "ann"
        else:
            raise self._wrong(f"{where}.kind", f"is {table.get('kind')!r}", "spiking or ann")
        whole: dict[str, Any] = {name: self._integer(table, where, name, 0) for name in _WHOLE}
        if whole["weights_nonzero"] > whole["weights"]:
            raise self._wrong(f"{where}.weights_nonzero", f"is {whole['weights_nonzero']}", "no more than weights")
        means: dict[str, Any] = {name: self._number(table, where, name, units) for name, units in _MEANS.items()}
        if means["syn_ops_stored"] < means["syn_ops"]:
            raise self._wrong(f"{where}.syn_ops_stored", f"is {means['syn_ops_stored']:g}", "no less than syn_ops")
        return LayerCounts(kind=kind, **whole, footprint_bytes=means.pop("footprint"), **means)

    def _consistent(self, layer: LayerCounts, where: str, steps: int) -> None:
        """Every neuron and every state of a spiking layer is stepped at every step."""
        if layer.kind == "ann":
            return
        if layer.states < 2 * layer.neurons:
            raise self._wrong(f"{where}.states", f"is {layer.states}", "at least a current and a voltage a neuron")
        for name, number in (("dendrite_updates", layer.neurons), ("state_updates", layer.states)):
            if getattr(layer, name) != number * steps:
                raise self._wrong(f"{where}.{name}", f"is {getattr(layer, name):g}", f"{number * steps}, one a step")

    def _table(self, entry: Any, where: str) -> Mapping[str, Any]:
        if not isinstance(entry, Mapping):
            raise self._wrong(where, f"is {entry!r}"[:60], "a table")
        if isinstance(entry.get("unavailable"), str):
            raise self._wrong(where, f"unavailable: {entry['unavailable']}")
        return entry

    def _integer(self, table: Mapping[str, Any], where: str, name: str, least: int) -> int:
        value = table.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self._wrong(f"{where}.{name}", f"is {value!r}"[:60], f"a whole number from {least} on")
        return value

    def _number(self, table: Mapping[str, Any], where: str, name: str, units: tuple[str, ...]) -> float:
        field = f"{where}.{name}"
        if name not in table:
            raise self._wrong(field, "is missing")
        try:
            found = quantity_of(table[name])
        except MaestroError as error:
            raise self._wrong(field, f"is damaged: {error}") from error
        if isinstance(found, str):
            raise self._wrong(field, f"unavailable: {found}")
        if found.unit not in units:
            raise self._wrong(field, f"is in {found.unit!r}", " or ".join(units))
        if found.value < 0 or not math.isfinite(found.value):
            raise self._wrong(field, f"is {found.value:g}", "no number below 0")
        return found.value

    def _wrong(self, field: str, found: str, allowed: str = "") -> MaestroError:
        return MaestroError(f"{self._file}: {field}", found, allowed=allowed, cure=self._cure)
