"""The section's rows from counts that were made up."""

import numpy as np
import pytest

from hardware.counters.counts import Counts, LayerCounts
from hardware.counters.footprint import Footprint
from hardware.counters.section import layer_part, part_section, total_part
from hardware.counters.work import LayerWork

BITS = Footprint(weights=80, zeros=16, parameters=8, activations=32)


def counts_of(kind, acs, macs):
    return LayerCounts(kind, 4, 0, 10, 8, 6.0, 3.0, acs + macs, 40, 0, acs, macs, 900, BITS.size_bytes, 15.0)


def work_of(*sent):
    effective = np.array([20, 10])
    return LayerWork(np.array([5, 7]), np.array(sent), effective - 1, effective + 5, effective)


def test_a_layer_adds_or_multiplies():
    adds = part_section(layer_part(counts_of("ann", 15.0, 0.0), work_of(2, 4), True, BITS))
    products = part_section(layer_part(counts_of("ann", 0.0, 15.0), work_of(2, 4), True, BITS))
    assert (adds["acs_effective"]["value"], adds["macs_effective"]["value"]) == (15, 0)
    assert (products["acs_effective"]["value"], products["macs_effective"]["value"]) == (0, 15)
    assert (adds["syn_ops"]["value"], adds["syn_ops_stored"]["value"]) == (14, 20)


@pytest.mark.parametrize(("kind", "unit", "way"), [("ann", "values", "ANN's values"), ("spiking", "spikes", "engine")])
def test_what_a_count_is_of(kind, unit, way):
    found = part_section(layer_part(counts_of(kind, 15.0, 0.0), work_of(2, 4), True, BITS))
    assert found["spikes_in"]["unit"] == found["axon_out"]["unit"] == unit
    assert way in found["syn_ops"]["method"]
    assert ("unavailable" in found["rate"]) == (kind == "ann")
    assert found["connection_sparsity"]["value"] == pytest.approx(0.2)
    assert (found["footprint"]["value"], found["footprint_nonzero"]["value"]) == (15, 13)
    assert "leaves them out" in found["footprint_nonzero"]["method"]


def test_a_share_ends_at_all_of_it():
    """Where clips differ much, the interval of a mean would reach beyond."""
    quiet = part_section(layer_part(counts_of("spiking", 15.0, 0.0), work_of(0, 20), True, BITS))
    assert quiet["activation_sparsity"]["value"] == 0.75
    assert quiet["activation_sparsity"]["high"] == 1
    busy = part_section(layer_part(counts_of("spiking", 15.0, 0.0), work_of(20, 40), True, BITS))
    assert busy["rate"]["value"] == 0.75
    assert busy["rate"]["high"] == 1


def test_all_layers_together_leave_logits_out_of_sparsity():
    layers = {"conv1": counts_of("ann", 15.0, 0.0), "heads": counts_of("ann", 0.0, 15.0)}
    parts = [
        layer_part(layers["conv1"], work_of(10, 30), True, BITS),
        layer_part(layers["heads"], work_of(40, 40), False, BITS),
    ]
    found = part_section(total_part(Counts(layers, 10, 2, 6.0), parts))
    assert found["activation_sparsity"]["value"] == 0.5
    assert found["axon_out"]["value"] == 60
    assert (found["acs_effective"]["value"], found["macs_effective"]["value"]) == (15, 15)
    assert (found["neurons"], found["footprint"]["value"], found["footprint_nonzero"]["value"]) == (8, 30, 26)
    assert (found["syn_ops"]["value"], found["syn_ops_stored"]["value"]) == (28, 40)
