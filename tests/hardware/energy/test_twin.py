"""What is known of an ANN that was not trained: its first layer's additions, held against the plan of its layers."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hardware.counters.ann import ann_layers, twin_counts
from hardware.energy.twin import with_known_input
from train.config import NetworkConfig
from train.plan import plan_layers

CHANNELS, FEATURES, STEPS = 2, 9, 4


@pytest.fixture(scope="module")
def plan():
    return plan_layers(NetworkConfig(), CHANNELS, FEATURES, 5)


@pytest.mark.parametrize("branches", [1, 3])
def test_additions_are_those_of_the_plans_first_layer(plan, branches, make_counts, make_layer):
    """Branches keep a copy of the weights each; twice as many synapses are met then, and as many more stored."""
    layer = ann_layers(plan, None, STEPS)[0]
    spikes = np.random.default_rng(branches).integers(0, STEPS, size=layer.stored.shape)
    met = float(spikes @ layer.stored)
    own = replace(
        make_layer(10, 20, float(spikes.sum()), 1.0, met / 2, zeros=branches * met - met / 2),
        weights=layer.weight.size * branches,
    )
    twin = twin_counts(plan, STEPS, 1, float(spikes.sum()))
    found = with_known_input(twin, make_counts(own))
    first, *others = found.layers.values()
    assert first.acs_effective == pytest.approx(met)
    assert all(math.isnan(layer.macs_effective) for layer in others)


def test_what_does_not_fit_stays_unknown(counts, untrained, ann):
    busier = replace(counts, layers={"layer0": replace(counts.layers["layer0"], spikes_in=31.0)})
    weightless = replace(counts, layers={"layer0": replace(counts.layers["layer0"], weights=0)})
    for other in (busier, weightless):
        assert with_known_input(untrained, other) is untrained
    # What was counted of a trained one stays.
    assert with_known_input(ann, counts) is ann
