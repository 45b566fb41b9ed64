"""Counts of whole runs, and the section that they are filed as."""

import json
import math
from dataclasses import fields

import numpy as np
import pytest

from export import netx, reference
from export.manifest import load_manifest
from hardware.counters.counts import LayerCounts
from hardware.counters.measure import count_run
from hardware.measurement import Quantity, identity, quantity_of
from lava_runtime.engine.engine import Engine
from lava_runtime.inputs import run_clips
from train.errors import MaestroError
from train.model import load_run

QUANTITIES = {
    "spikes_in", "axon_out", "rate", "syn_ops", "syn_ops_stored", "dendrite_updates", "state_updates", "acs_effective",
    "macs_effective", "dense", "footprint", "footprint_nonzero", "activation_sparsity", "connection_sparsity",
}  # fmt: skip
WHOLE = {"neurons", "states", "weights", "weights_nonzero"}
SPIKING = ("lif", "spiking", "analog")


@pytest.fixture
def counted(make_run):
    def count(kind):
        run = make_run(kind)
        found = count_run(run, threads=1)
        return run, found, found.section()

    return count


def said(entry):
    """A number, or the reason why there is none."""
    found = quantity_of(entry)
    return found.value if isinstance(found, Quantity) else found


@pytest.mark.parametrize("kind", [*SPIKING, "ann"])
def test_a_section_is_whole(counted, kind, capsys):
    run, found, section = counted(kind)
    assert "counting" in capsys.readouterr().err
    assert json.loads(json.dumps(section, allow_nan=False)) == section
    assert list(section) == [
        "identity", "set", "clips", "steps", "layers", "total", "neurobench", "seed_formulas", "ann_twin",
        "time_constants",
    ]  # fmt: skip
    assert section["identity"] == identity(run)
    assert (section["identity"]["net_sha256"] is None) == (kind == "ann")
    assert (section["set"], section["clips"], section["steps"]) == ("test", 12, found.counts.steps)
    entries = [*section["layers"].values(), section["total"]]
    for entry in entries:
        assert set(entry) - {"input_spikes", "footprint_float32"} == QUANTITIES | WHOLE | {"kind", "footprint_parts_b"}
        assert all(type(entry[key]) is int for key in WHOLE)
        for key in QUANTITIES:
            quantity_of(entry[key])
        parts = dict(entry["footprint_parts_b"])
        zeros = parts.pop("weights_zero")
        assert said(entry["footprint"]) == sum(parts.values())
        assert said(entry["footprint_nonzero"]) == sum(parts.values()) - zeros
    total = section["total"]
    for key in WHOLE:
        assert total[key] == sum(entry[key] for entry in section["layers"].values())
    for key in set(QUANTITIES) & {field.name for field in fields(LayerCounts)}:
        summed = sum(said(entry[key]) for entry in section["layers"].values())
        assert said(total[key]) == pytest.approx(summed, rel=1e-12)
        assert said(total[key]) == pytest.approx(found.counts.total(key), rel=1e-12)
    formulas = section["seed_formulas"]
    assert list(formulas) == ["m_ann", "c_ann", "m_snn", "c_snn", "left_out_updates", "left_out_memory", "leave_out"]
    assert "updates of neurons" in formulas["leave_out"]


@pytest.mark.parametrize("kind", SPIKING)
def test_a_spiking_run_is_counted_as_the_reference_spikes(counted, kind):
    run, _, section = counted(kind)
    clips = run_clips(run)
    inputs = clips.spikes(clips.all_of("test"))
    network = netx.read(run.net)
    traces = [reference.run(network, clip) for clip in inputs]
    tally = Engine(network).run(inputs).tally
    steps = inputs.shape[-1]
    for index, (name, layer) in enumerate(network.spiking):
        entry, sent = section["layers"][name], np.array([trace[index].sum() for trace in traces])
        size = math.prod(layer.shape)
        assert said(entry["axon_out"]) == sent.mean() > 0
        assert said(entry["rate"]) == pytest.approx(sent.mean() / size / steps, rel=1e-12)
        assert said(entry["activation_sparsity"]) == pytest.approx(1 - sent.mean() / size / steps, rel=1e-12)
        assert said(entry["connection_sparsity"]) == pytest.approx(np.mean(layer.weight == 0), abs=1e-15)
        for key in ("spikes_in", "syn_ops", "dendrite_updates", "state_updates"):
            assert said(entry[key]) == getattr(tally.layers[name], key) / len(inputs)
        bounds = entry["syn_ops"]
        assert bounds["low"] < bounds["value"] < bounds["high"]
        assert entry["dense"]["low"] == entry["dense"]["high"]
        assert said(entry["macs_effective"]) == 0
    total = section["total"]
    updates = said(total["dendrite_updates"])
    assert said(total["rate"]) == pytest.approx(said(total["axon_out"]) / updates, rel=1e-12)
    assert said(total["activation_sparsity"]) == pytest.approx(1 - said(total["axon_out"]) / updates, rel=1e-12)
    assert said(total["input_spikes"]) == inputs.sum() / len(inputs)
    assert said(total["footprint_float32"]) == "the network is deployed as integers"
    at_once = inputs.reshape(len(inputs), -1, steps).sum(axis=1, dtype=int)
    for clip, trace in enumerate(traces):
        at_once[clip] += sum(spikes.reshape(-1, steps).sum(axis=0, dtype=int) for spikes in trace)
    assert f"the {at_once.max()} spikes of the busiest step" in section["seed_formulas"]["m_snn"]["method"]
    assert said(section["seed_formulas"]["c_snn"]) == said(total["syn_ops"]) < said(total["syn_ops_stored"])
    assert "whether the chip does so nobody published" in total["syn_ops_stored"]["method"]
    assert said(section["seed_formulas"]["left_out_updates"]) == said(total["state_updates"])
    assert tuple(section["time_constants"]) == load_manifest(run).layers


@pytest.mark.parametrize("kind", SPIKING)
def test_the_untrained_twin_says_what_it_does_not_know(counted, make_run, kind):
    _, found, section = counted(kind)
    twin, ann = section["ann_twin"], count_run(make_run("ann", "ann"))
    of_ann = ann.section()
    for key in ("effective_acs", "effective_macs", "activation_sparsity", "connection_sparsity"):
        assert said(twin[key]).startswith("depends on weights and activations, and no ANN of this topology was trained")
    assert said(twin["dense"]) == said(twin["acs_dense"]) + said(twin["macs_dense"]) == said(of_ann["total"]["dense"])
    assert said(twin["acs_dense"]) == said(of_ann["layers"]["conv1"]["dense"])
    heads = said(of_ann["layers"]["heads"]["dense"])
    assert said(twin["macs_dense_a_step"]) * section["steps"] + heads == said(twin["macs_dense"])
    assert (twin["weights"], twin["neurons"]) == (of_ann["total"]["weights"], of_ann["total"]["neurons"])
    for key in ("footprint", "dendrite_updates"):
        assert said(twin[key]) == said(of_ann["total"][key])
    assert said(twin["footprint_float32"]) == said(of_ann["total"]["footprint_float32"])
    for key in ("m_ann", "c_ann"):
        assert section["seed_formulas"][key] == of_ann["seed_formulas"][key]
    assert np.isnan(found.twin.total("macs_effective"))
    assert found.twin.input_spikes == ann.counts.input_spikes


def test_an_ann_sends_no_spikes(counted):
    run, found, section = counted("ann")
    assert section["ann_twin"] is section["time_constants"] is found.twin is None
    layers, total = section["layers"], section["total"]
    assert list(layers) == ["conv1", "conv2", "dense1", "heads"]
    assert {entry["kind"] for entry in (*layers.values(), total)} == {"ann"}
    assert said(total["rate"]) == "an ANN sends values at every step; see its activation sparsity"
    assert said(layers["heads"]["activation_sparsity"]).startswith("its outputs are logits")
    # The heads' logits, no zeros by a ReLU, are left out of the whole.
    hidden = [entry for name, entry in layers.items() if name != "heads"]
    sent, computed = (sum(said(entry[key]) for entry in hidden) for key in ("axon_out", "dendrite_updates"))
    assert said(total["activation_sparsity"]) == pytest.approx(1 - sent / computed, rel=1e-12)
    assert 0 < said(total["activation_sparsity"]) < 1
    assert said(total["acs_effective"]) == said(layers["conv1"]["acs_effective"]) > 0
    assert said(total["macs_effective"]) == pytest.approx(
        sum(said(layers[name]["macs_effective"]) for name in ("conv2", "dense1", "heads")), rel=1e-12
    )
    assert said(layers["conv1"]["macs_effective"]) == 0
    assert said(total["state_updates"]) == total["states"] == 0
    assert said(section["seed_formulas"]["m_snn"]) == "this run is an ANN, which has no spikes"
    parameters = sum(weight.numel() for weight in load_run(run).network.weights)
    assert total["weights"] == parameters
    inputs = load_run(run).network.plan[-1].channels_in
    assert said(total["footprint"]) == parameters + total["neurons"] + 4 * inputs
    assert said(total["footprint_float32"]) == 4 * (parameters + total["neurons"] + inputs)
    # It is not deployed in 8 bits by this project, and torch holds no more than its weights.
    assert "as it would be in int8" in total["footprint"]["method"]
    assert section["neurobench"]["footprint"] == {
        "value": 4 * parameters, "unit": "B", "kind": "measured", "evidence": "measured",
        "method": "NeuroBench: bytes of a module's parameters and buffers. Here as torch holds the ANN, in float32",
        "low": 4 * parameters, "high": 4 * parameters,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["lif", "ann"])
def test_neurobenchs_names(counted, kind):
    _, _, section = counted(kind)
    ours = {
        "footprint": "footprint", "connection_sparsity": "connection_sparsity",
        "activation_sparsity": "activation_sparsity", "effective_acs": "acs_effective",
        "effective_macs": "macs_effective", "dense": "dense",
    }  # fmt: skip
    assert list(section["neurobench"]) == list(ours)
    for theirs, found in section["neurobench"].items():
        assert found["method"].startswith("NeuroBench: ")
        # As deployed, and not as torch holds it.
        if (kind, theirs) != ("ann", "footprint"):
            wanted = section["total"][ours[theirs]]
            assert {**found, "method": ""} == {**wanted, "method": ""}
            assert found["method"].endswith(f". Here {wanted['method']}")


@pytest.mark.parametrize("kind", ["analog", "ann"])
def test_what_follows_from_sizes_by_a_formula_is_no_measurement(counted, kind):
    _, _, section = counted(kind)
    total, formulas, twin = section["total"], section["seed_formulas"], section["ann_twin"] or {}
    estimated = [total["footprint"], total["footprint_nonzero"], total["footprint_float32"]]
    estimated += [formulas[key] for key in ("m_ann", "c_ann", "m_snn", "left_out_memory")]
    estimated += [entry for entry in twin.values() if isinstance(entry, dict)]
    estimated += [layer[key] for layer in section["layers"].values() for key in ("footprint", "footprint_nonzero")]
    known = [entry for entry in estimated if "unavailable" not in entry]
    assert {(found["kind"], found["evidence"]) for found in known} == {("estimated", "derived")}
    assert len(known) >= 12
    counted_ = [total[key] for key in ("syn_ops", "syn_ops_stored", "dendrite_updates", "dense", "connection_sparsity")]
    assert {(found["kind"], found["evidence"]) for found in counted_} == {("measured", "measured")}


def test_a_run_that_is_not_exported_says_so(make_run):
    run = make_run("lif")
    run.net.unlink()
    with pytest.raises(MaestroError, match=r"model.net: missing from the run. Make it with `python -m export netx"):
        count_run(run)


@pytest.mark.parametrize("kind", ["lif", "ann"])
def test_a_run_that_is_not_trained_says_so(make_run, kind):
    run = make_run(kind)
    run.config.unlink()
    with pytest.raises(MaestroError, match=r"config.toml: missing from the run. Make it with `python -m train fit"):
        count_run(run)


def test_an_ann_without_weights_says_so(make_run):
    run = make_run("ann")
    run.checkpoint.unlink()
    with pytest.raises(MaestroError, match=r"checkpoint.pt: missing from the run. Make it with `python -m train fit"):
        count_run(run)
