"""Tiny counts, worked out by hand, and a profile to damage."""

import json
import shutil
from dataclasses import asdict, replace

import pytest

from hardware.counters.counts import Counts, LayerCounts
from hardware.measurement import FORMAT, exact

STEPS = 10


def spiking_layer(neurons, states, spikes_in, axon_out, syn_ops, zeros=0.0):
    return LayerCounts(
        "spiking",
        neurons=neurons,
        states=states,
        weights=100,
        weights_nonzero=90,
        spikes_in=spikes_in,
        axon_out=axon_out,
        syn_ops=syn_ops,
        dendrite_updates=neurons * STEPS,
        state_updates=states * STEPS,
        acs_effective=syn_ops,
        macs_effective=0.0,
        dense=1000 * STEPS,
        footprint_bytes=1.0,
        syn_ops_stored=syn_ops + zeros,
    )


def ann_layer(acs, macs, dense=10_000.0):
    done = acs + macs
    return LayerCounts("ann", 20, 0, 100, 90, 50.0, 20.0, done, 40.0, 0, acs, macs, dense, 1.0, done * 1.25)


@pytest.fixture(scope="session")
def make_layer():
    """make_layer(neurons, states, spikes_in, axon_out, syn_ops, zeros=0) of 10 steps; ``zeros``: met though zero."""
    return spiking_layer


@pytest.fixture(scope="session")
def make_counts():
    """make_counts(layer, ...) -> counts of a spiking network of 10 steps."""

    def build(*layers):
        return Counts({f"layer{index}": layer for index, layer in enumerate(layers)}, STEPS, 1, 5.0)

    return build


@pytest.fixture(scope="session")
def counts(make_counts):
    """10 neurons, 30 spikes in, 8 out, 200 synaptic operations, 50 more were stored zeros met."""
    return make_counts(spiking_layer(10, 20, 30.0, 8.0, 200.0, 50.0))


@pytest.fixture(scope="session")
def dendritic(make_counts):
    """The same with four currents and a voltage a neuron."""
    return make_counts(spiking_layer(10, 50, 30.0, 8.0, 200.0, 50.0))


@pytest.fixture(scope="session")
def ann():
    """An ANN of two layers: sums of spikes, then products."""
    return Counts({"first": ann_layer(400.0, 0.0), "last": ann_layer(0.0, 600.0)}, STEPS, 1, 5.0)


@pytest.fixture(scope="session")
def untrained():
    """Its twin whose activations are not known: 30 spikes come, as to the spiking network."""
    nan = float("nan")
    first = replace(ann_layer(nan, 0.0), spikes_in=30.0, axon_out=nan)
    return Counts({"first": first, "last": ann_layer(0.0, nan)}, STEPS, 1, 5.0)


def section_of(counts):
    layers = {}
    for name, layer in counts.layers.items():
        entry = asdict(layer)
        sent = "spikes" if layer.kind == "spiking" else "values"
        units = {"spikes_in": sent, "axon_out": sent, "dendrite_updates": "updates", "state_updates": "updates"}
        for key in ("syn_ops", "syn_ops_stored", "acs_effective", "macs_effective", "dense"):
            units[key] = "operations"
        for key, unit in units.items():
            entry[key] = exact(entry[key], unit, "counted").as_dict()
        entry["footprint"] = exact(entry.pop("footprint_bytes"), "B", "counted").as_dict()
        layers[name] = entry
    total = {"input_spikes": exact(counts.input_spikes, "spikes", "counted").as_dict()}
    return {"steps": counts.steps, "clips": counts.clips, "layers": layers, "total": total}


@pytest.fixture(scope="session")
def filed_section():
    """filed_section(counts) -> the section as the room of counters files it."""
    return section_of


@pytest.fixture
def run(tmp_path):
    """run({section: content}) -> a run's folder with these sections in its measurement.json, and nothing else."""

    def build(content):
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        (folder / "measurement.json").write_text(json.dumps({"format": FORMAT, **content}))
        return folder

    return build


@pytest.fixture
def damaged(root, tmp_path):
    """damaged(old, new) -> a profile's file with one text replaced."""

    def build(old, new):
        path = tmp_path / "loihi2.toml"
        shutil.copy(root / "hardware/energy/profiles/loihi2.toml", path)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return path

    return build
