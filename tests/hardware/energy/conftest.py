"""Tiny counts, worked out by hand, and a profile to damage."""

import shutil

import pytest

from hardware.counters.counts import Counts, LayerCounts

STEPS = 10


def spiking_layer(neurons, states, spikes_in, axon_out, syn_ops):
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
    )


def ann_layer(acs, macs, dense=10_000.0):
    return LayerCounts("ann", 20, 0, 100, 90, 50.0, 20.0, acs + macs, 40.0, 0, acs, macs, dense, 1.0)


@pytest.fixture(scope="session")
def make_layer():
    """make_layer(neurons, states, spikes_in, axon_out, syn_ops) of 10 steps."""
    return spiking_layer


@pytest.fixture(scope="session")
def make_counts():
    """make_counts(layer, ...) -> counts of a spiking network of 10 steps."""

    def build(*layers):
        return Counts({f"layer{index}": layer for index, layer in enumerate(layers)}, STEPS, 1, 5.0)

    return build


@pytest.fixture(scope="session")
def counts(make_counts):
    """10 neurons, 30 spikes in, 8 out, 200 synaptic operations."""
    return make_counts(spiking_layer(10, 20, 30.0, 8.0, 200.0))


@pytest.fixture(scope="session")
def dendritic(make_counts):
    """The same with four currents and a voltage a neuron."""
    return make_counts(spiking_layer(10, 50, 30.0, 8.0, 200.0))


@pytest.fixture(scope="session")
def ann():
    """An ANN of two layers: sums of spikes, then products."""
    return Counts({"first": ann_layer(400.0, 0.0), "last": ann_layer(0.0, 600.0)}, STEPS, 1, 5.0)


@pytest.fixture(scope="session")
def untrained():
    """Its twin whose activations are not known."""
    return Counts({"first": ann_layer(400.0, 0.0), "last": ann_layer(0.0, float("nan"))}, STEPS, 1, 5.0)


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
