"""What an inference takes: spikes, operations, updates, bytes, layer by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.measure.bands import find
from hardware.measurement import Quantity
from hardware.report.blocks import Block, Figure, Fold, Missing, Row, Section, Table, Text, cell
from hardware.report.figures.intervals import Line, Panel, Point, dots
from hardware.report.format import is_quantity, number
from hardware.report.subject import Subject

_LAYER = {
    "neurons": "neurons",
    "weights": "weights",
    "weights_nonzero": "weights not 0",
    "spikes_in": "spikes in",
    "axon_out": "spikes out",
    "rate": "rate, spikes a neuron and step",
    "syn_ops": "synaptic operations",
    "dendrite_updates": "neuron updates",
    "state_updates": "state updates",
    "footprint": "footprint",
}
_SPARSE = {
    "dense": "dense operations",
    "acs_effective": "effective ACs",
    "macs_effective": "effective MACs",
    "activation_sparsity": "activation sparsity, share",
    "connection_sparsity": "connection sparsity, share",
}
_NEUROBENCH = {
    "footprint": "footprint",
    "connection_sparsity": "connection sparsity, share",
    "activation_sparsity": "activation sparsity, share",
    "effective_acs": "effective ACs",
    "effective_macs": "effective MACs",
    "dense": "dense operations",
}


def rates(subjects: Sequence[Subject]) -> Section:
    """Counts of all runs."""
    blocks: list[Block] = []
    known: list[tuple[Subject, Mapping[str, Any]]] = []
    for subject in subjects:
        section = subject.section("counters")
        if isinstance(section, Missing):
            blocks.append(section)
        else:
            known.append((subject, section))
    if known:
        blocks = [*_rate_picture(known), _totals(known), *blocks]
    for subject, section in known:
        blocks.append(_layers(subject, section))
        blocks.append(Fold(f"{subject.label}: sparsity and the cost of a dense device", (_sparse(subject, section),)))
    if known:
        blocks.append(_formulas(known).lean())
        blocks += _left_out(known)
    return Section("rates", "Firing rates and counts", blocks)


def _note(section: Mapping[str, Any]) -> str:
    return (
        f"Means an inference over {number(section['clips'], 0)} clips of the set {section['set']}, "
        f"{section['steps']} steps each, counted on the exported integers (an ANN: on its float weights), with the "
        "95 % interval of the mean over clips where clips differ."
    )


def _rate_picture(known: Sequence[tuple[Subject, Mapping[str, Any]]]) -> list[Figure]:
    names = list(dict.fromkeys(name for _, section in known for name in section["layers"]))
    lines = []
    for name in names:
        points = []
        for subject, section in known:
            found = find(section, "layers", name, "rate")
            if isinstance(found, Quantity):
                points.append(Point(found, subject.number, subject.label))
        if points:
            lines.append(Line(name, tuple(points)))
    if not lines:
        return []
    label = "Firing rate of every layer"
    caption = (
        "Spikes a neuron and step, means over the test set with 95 % intervals; the numbers stand in the tables below."
    )
    return [dots("rates-layers", label, caption, [Panel("", tuple(lines))], "spikes a neuron and step")]


def _totals(known: Sequence[tuple[Subject, Mapping[str, Any]]]) -> Table:
    keys = {"input_spikes": "input spikes", **_LAYER, "states": "state variables"}
    rows = [
        Row(title, tuple(cell(section["total"].get(key)) for _, section in known))
        for key, title in keys.items()
        if any(key in section["total"] for _, section in known)
    ]
    rows.append(Row("NeuroBench's metrics"))
    rows += [
        Row(title, tuple(cell(section["neurobench"].get(key)) for _, section in known))
        for key, title in _NEUROBENCH.items()
    ]
    return Table(
        "All layers together, an inference",
        ("", *(subject.label for subject, _ in known)),
        tuple(rows),
        _note(known[0][1]),
    )


def _layers(subject: Subject, section: Mapping[str, Any]) -> Table:
    return _by_layer(f"{subject.label}: layer by layer, an inference", section, _LAYER)


def _sparse(subject: Subject, section: Mapping[str, Any]) -> Table:
    return _by_layer(f"{subject.label}: effective and dense operations, an inference", section, _SPARSE)


def _by_layer(caption: str, section: Mapping[str, Any], keys: Mapping[str, str]) -> Table:
    layers = section["layers"]
    there = {key: title for key, title in keys.items() if any(key in entry for entry in layers.values())}
    rows = [Row(name, tuple(cell(entry.get(key)) for key in there)) for name, entry in layers.items()]
    rows.append(Row("all layers", tuple(cell(section["total"].get(key)) for key in there), group=True))
    return Table(caption, ("layer", *there.values()), tuple(rows), wide=True)


def _formulas(known: Sequence[tuple[Subject, Mapping[str, Any]]]) -> Table:
    """The seeds' cost formulas beside, for spiking runs, what the ANN of the same topology would do."""
    titles = {
        "m_ann": "memory of the ANN, M_ANN = Mw + Ma",
        "m_snn": "memory of the SNN, M_SNN = Mw + Mp + Ms",
        "c_ann": "cost of the ANN, C_ANN = C_mult + C_add",
        "c_snn": "cost of the SNN, C_SNN = C_add",
        "left_out_updates": "left out: updates of states",
        "left_out_memory": "left out: memory of currents, decays and thresholds",
    }
    rows = []
    for key in dict.fromkeys(key for _, section in known for key in section.get("seed_formulas", {})):
        cells = [section.get("seed_formulas", {}).get(key) for _, section in known]
        if any(is_quantity(one) for one in cells):
            rows.append(Row(titles.get(key, key), tuple(cell(one) for one in cells)))
    for key in dict.fromkeys(key for _, section in known for key in section.get("ann_twin") or {}):
        cells = [(section.get("ann_twin") or {}).get(key) for _, section in known]
        if any(is_quantity(one) for one in cells):
            rows.append(
                Row(
                    f"ANN of the same topology: {key.replace('_', ' ')}",
                    tuple(cell(one if one is not None else {"unavailable": "it is the ANN itself"}) for one in cells),
                )
            )
    return Table("The plain cost formulas", ("", *(subject.label for subject, _ in known)), tuple(rows))


def _left_out(known: Sequence[tuple[Subject, Mapping[str, Any]]]) -> list[Text]:
    found = [section.get("seed_formulas", {}).get("leave_out") for _, section in known]
    return [Text(f"What these formulas leave out: {text}") for text in dict.fromkeys(found) if isinstance(text, str)]
