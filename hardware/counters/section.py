"""The section "counters" of ``measurement.json``: every count as a number with its unit, method and interval."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hardware.counters.ann import AnnLayer
from hardware.counters.counts import Counts, LayerCounts
from hardware.counters.footprint import ANN_INTEGER, ANN_METHOD, FLOAT_BITS, SPIKING_METHOD, WEIGHT_BITS, Footprint
from hardware.counters.quantities import Values, mean_over_clips, worked_out
from hardware.counters.work import LayerWork, Work
from hardware.measurement import Quantity, exact, unavailable

_SPIKING = "counted by the engine on the exported integers"
_ANN = "counted on the trained ANN's values, in float32"
_ANN_8_BITS = ANN_METHOD.format(bits=WEIGHT_BITS) + ANN_INTEGER
UNTRAINED = "depends on weights and activations, and no ANN of this topology was trained in this run"
_SPARSE = "; here without the weights that are zero, as if a format that leaves them out took no room of its own"
_STORED = (
    "; one for every weight met by a spike or value, those that are zero but stored too, as if each were worked on: "
    "whether the chip does so nobody published"
)
_NO_WEIGHTS = "it has no weights"
_NO_ACTIVATION = "its outputs are logits, with no activation function to make zeros"
_NO_SPIKES = "an ANN sends values at every step; see its activation sparsity"


@dataclass(frozen=True, eq=False)
class Part:
    """A layer, or all of a network: sizes, and what it did in each clip.

    ``active`` and ``outputs`` are what activation sparsity is of: outputs that were not zero, shape (clip,), and how
    many an inference has; 0 where there is no activation function.
    """

    counts: LayerCounts
    work: LayerWork
    acs: Values
    macs: Values
    active: Values
    outputs: float
    footprint: Footprint


def layer_part(counts: LayerCounts, work: LayerWork, activates: bool, footprint: Footprint) -> Part:
    """A layer, which either only adds or only multiplies; ``activates`` where its outputs can be zero."""
    none, adds = np.zeros_like(work.effective), not counts.macs_effective
    return Part(
        counts,
        work,
        work.effective if adds else none,
        none if adds else work.effective,
        work.axon_out,
        counts.dendrite_updates if activates else 0,
        footprint,
    )


def total_part(counts: Counts, parts: Sequence[Part]) -> Part:
    """All layers together."""
    footprint = parts[0].footprint
    for part in parts[1:]:
        footprint = footprint + part.footprint
    works = [part.work for part in parts]
    return Part(
        counts.whole,
        LayerWork(*(_sum(getattr(work, field.name) for work in works) for field in fields(LayerWork))),
        _sum(part.acs for part in parts),
        _sum(part.macs for part in parts),
        _sum(part.active for part in parts if part.outputs),
        sum(part.outputs for part in parts),
        footprint,
    )


def _sum(arrays: Iterable[Values]) -> Values:
    return np.asarray(sum(arrays))


def part_section(part: Part) -> dict[str, Any]:
    """A layer or the total as plain data."""
    counts, work = part.counts, part.work
    spiking = counts.kind == "spiking"
    how, unit = (_SPIKING, "spikes") if spiking else (_ANN, "values")

    def mean(values: Values, unit: str, what: str = "", ceiling: float = float("inf")) -> dict[str, Any]:
        return mean_over_clips(values, unit, f"{how}{what}", ceiling).as_dict()

    def sized(value: float, unit: str, what: str) -> dict[str, Any]:
        return exact(value, unit, f"counted: {what}").as_dict()

    found: dict[str, Any] = {
        "kind": counts.kind,
        "neurons": counts.neurons,
        "states": counts.states,
        "weights": counts.weights,
        "weights_nonzero": counts.weights_nonzero,
        "spikes_in": mean(work.spikes_in, unit, "" if spiking else "; inputs that are not zero"),
        "axon_out": mean(work.axon_out, unit, "" if spiking else "; outputs that are not zero"),
        "rate": mean(work.axon_out / counts.dendrite_updates, "spikes a neuron and step", "", 1.0)
        if spiking
        else unavailable(_NO_SPIKES),
        "syn_ops": mean(work.syn_ops, "operations", "; one for every non-zero weight met by a spike or value"),
        "syn_ops_stored": mean(work.syn_ops_stored, "operations", _STORED),
        "dendrite_updates": sized(
            counts.dendrite_updates, "updates", "neurons, each at every step" if spiking else "units computed"
        ),
        "state_updates": sized(
            counts.state_updates, "updates", "states, each at every step" if spiking else "an ANN has no states"
        ),
        "acs_effective": mean(part.acs, "operations", "; under inputs of 0, 1 and -1, zeros left out"),
        "macs_effective": mean(part.macs, "operations", "; under other inputs, zeros left out"),
        "dense": sized(
            counts.dense, "operations", "every weight at every use, whatever is zero; what lies on padding left out"
        ),
        "footprint": _footprint(counts, counts.footprint_bytes, "").as_dict(),
        "footprint_nonzero": _footprint(counts, part.footprint.nonzero_bytes, _SPARSE).as_dict(),
        "footprint_parts_b": part.footprint.bytes_by_part(),
        "activation_sparsity": mean(1 - part.active / part.outputs, "share", "; outputs that are zero", 1.0)
        if part.outputs
        else unavailable(_NO_ACTIVATION),
        "connection_sparsity": connection_sparsity(counts),
    }
    return found


def connection_sparsity(counts: LayerCounts) -> dict[str, Any]:
    """Zeros among the weights."""
    if not counts.weights:
        return unavailable(_NO_WEIGHTS)
    return exact(1 - counts.weights_nonzero / counts.weights, "share", "counted: zeros among the weights").as_dict()


def _footprint(counts: LayerCounts, size: float, what: str) -> Quantity:
    return worked_out(size, "B", (SPIKING_METHOD if counts.kind == "spiking" else _ANN_8_BITS) + what)


def float_footprint(layers: Sequence[AnnLayer]) -> dict[str, Any]:
    """Of the ANN in the precision that this project runs it in."""
    size = sum(layer.footprint(FLOAT_BITS).size_bytes for layer in layers)
    return worked_out(size, "B", ANN_METHOD.format(bits=FLOAT_BITS)).as_dict()


def input_section(work: Work) -> dict[str, Any]:
    """Spikes of the network's input."""
    return mean_over_clips(work.input_spikes, "spikes", "counted on the encoded clips").as_dict()


def twin_section(counts: Counts, layers: Sequence[AnnLayer]) -> dict[str, Any]:
    """What is known of the ANN of a spiking network's topology without training it."""
    adds = sum(layer.dense for layer in layers if layer.binary)
    products = sum(layer.dense for layer in layers if not layer.binary)
    a_step = sum(layer.dense // layer.uses for layer in layers if not layer.binary and layer.uses > 1)
    unknown = unavailable(UNTRAINED)

    def operations(value: float, what: str) -> dict[str, Any]:
        return worked_out(value, "operations", f"from the topology: {what}").as_dict()

    return {
        "neurons": int(counts.total("neurons")),
        "weights": int(counts.total("weights")),
        "dense": operations(
            adds + products, "every weight at every use of an inference; what lies on padding left out"
        ),
        "acs_dense": operations(adds, "those of the first layer, whose input is 0 or 1"),
        "macs_dense": operations(products, "those of the other layers"),
        "macs_dense_a_step": operations(a_step, "those of a step; the heads are computed once an inference"),
        "dendrite_updates": worked_out(
            counts.total("dendrite_updates"), "updates", "from the topology: units computed"
        ).as_dict(),
        "footprint": worked_out(counts.total("footprint_bytes"), "B", _ANN_8_BITS).as_dict(),
        "footprint_float32": float_footprint(layers),
        "effective_acs": unknown,
        "effective_macs": unknown,
        "activation_sparsity": unknown,
        "connection_sparsity": unknown,
    }
