"""Energies by hand, and what must hold of any."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.counters.counts import Counts
from hardware.energy.bands import Band, exactly
from hardware.energy.copies import Spread
from hardware.energy.estimate import estimate, rests_on
from hardware.energy.pace import Deployment, Pace, asked_pace
from hardware.energy.profile import load_profiles, profile

STEP = Deployment(asked_pace(1e-5))
SPIKING = [found.name for found in load_profiles() if found.network == "snn"]
ANN = [found.name for found in load_profiles() if found.network == "ann"]


def near(band, low, high):
    assert (band.low, band.high) == (pytest.approx(low), pytest.approx(high))


def test_loihi_2_by_hand(counts):
    found = estimate(counts, profile("loihi2"), STEP)
    # 50 weights that are zero but stored may be met too.
    near(found.parts["synapses"], 200 * 23.6e-12, 250 * 35.5e-12)
    # 10 neurons, 10 steps, of a chip or of each of its 120 cores.
    near(found.parts["updates"], 100 * 52e-12 + 10 * 26.6e-9, 100 * 81e-12 + 10 * 120 * 44.1e-9)
    # 30 spikes come to 1 core, at no distance; or to 12, across the mesh.
    high = 8 * 69.3e-12 + 30 * 12 * (111e-12 + 7 * 3e-12 + 3 * 4.2e-12)
    near(found.parts["messages"], 30 * 1.7e-12, high)
    near(found.parts["static"], 0.212 * 10 * 1e-5, 0.352 * 10 * 1e-5)
    near(found.latency_s, 1e-4, 1e-4)
    near(found.interval_s, 1e-4, 1e-4)
    assert found.total.high == pytest.approx(sum(band.high for band in found.parts.values()))
    assert found.dynamic.low == pytest.approx(found.total.low - found.parts["static"].low)
    assert found.middle(static=True) == pytest.approx(sum(band.middle for band in found.parts.values()))
    assert found.missing == {}
    assert found.evidence == {
        "synapses": "literature",
        "updates": "literature",
        "messages": "literature",
        "static": "derived",
    }


def test_a_placement_tells_to_how_many_cores_a_spike_goes(counts):
    placed = Deployment(STEP.pace, spread=Spread({"layer0": 2.0}, 3, 1))
    found = estimate(counts, profile("loihi1"), placed)
    near(found.parts["messages"], 30 * 1.7e-12, 8 * 69.3e-12 + 30 * 2 * (111e-12 + 21e-12 + 12.6e-12))
    assert found.total is None
    assert found.latency_s is None
    assert found.interval_s is None
    assert found.missing == {"static": "no source for the static power of Loihi 1 was found"}


def test_a_placement_tells_how_many_cores_and_chips_step(counts):
    placed = Deployment(STEP.pace, spread=Spread({"layer0": 2.0}, 130, 2))
    found = estimate(counts, profile("loihi2"), placed)
    near(found.parts["updates"], 100 * 52e-12 + 10 * 26.6e-9, 100 * 81e-12 + 10 * 130 * 44.1e-9)
    near(found.parts["static"], 0.212 * 10 * 1e-5 * 2, 0.352 * 10 * 1e-5 * 2)


def test_a_loihi_is_stepped_to_the_end_of_its_period(counts, dendritic):
    longer = Deployment(STEP.pace, period=16, answer_steps=13)
    plain, found = (estimate(counts, profile("loihi2"), one) for one in (STEP, longer))
    near(found.parts["updates"], 160 * 52e-12 + 16 * 26.6e-9, 160 * 81e-12 + 16 * 120 * 44.1e-9)
    near(found.parts["static"], 0.212 * 16 * 1e-5, 0.352 * 16 * 1e-5)
    near(found.latency_s, 13e-5, 13e-5)
    near(found.interval_s, 16e-5, 16e-5)
    for part in ("synapses", "messages"):
        assert found.parts[part] == plain.parts[part]
    more = estimate(dendritic, profile("loihi1"), longer).parts["updates"]
    near(more, 160 * 52e-12, 160 * 81e-12 * 5 / 2)
    # No other device has such a reset.
    one, other = (estimate(counts, profile("digital_45nm_snn"), one) for one in (STEP, longer))
    assert one.parts == other.parts


def test_static_energy_rests_on_the_step_time_too(counts):
    for evidence in ("literature", "derived", "calibrated"):
        found = estimate(counts, profile("loihi2"), Deployment(Pace(exactly(1e-5), evidence, "test")))
        assert found.evidence["static"] == evidence
        assert found.evidence["synapses"] == "literature"


def test_more_states_cost_an_update_once_or_in_proportion(counts, dendritic):
    two, five = (estimate(one, profile("loihi1"), STEP).parts["updates"] for one in (counts, dendritic))
    near(two, 100 * 52e-12, 100 * 81e-12)
    near(five, 100 * 52e-12, 100 * 81e-12 * 5 / 2)


def test_45_nm_by_hand(counts, dendritic):
    spiking = estimate(counts, profile("digital_45nm_snn"), STEP)
    # Its arithmetic leaves zeros out.
    near(spiking.parts["synapses"], 200 * 0.03e-12, 200 * (0.1 + 12.5 + 10) * 1e-12)
    # 20 states of 10 steps, and a comparison for each neuron.
    near(spiking.parts["updates"], 200 * 0.99e-12 + 100 * 0.09e-12, 200 * 13.2e-12 + 100 * 0.1e-12)
    more = estimate(dendritic, profile("digital_45nm_snn"), STEP)
    near(more.parts["updates"], 500 * 0.99e-12 + 100 * 0.09e-12, 500 * 13.2e-12 + 100 * 0.1e-12)


def test_an_ann_adds_in_its_first_layer_and_multiplies_in_the_others(ann):
    int8 = estimate(ann, profile("digital_45nm_int8"), STEP)
    near(int8.parts["synapses"], (1000 * 0.03 + 600 * 0.2) * 1e-12, (20_000 * (0.1 + 13.75) + 10_000 * 0.2) * 1e-12)
    near(int8.parts["updates"], 80 * 0.03e-12, 80 * 0.1e-12)
    assert set(int8.missing) == {"messages", "static"}
    assert int8.notes == ()
    fp32 = estimate(ann, profile("digital_45nm_fp32"), STEP)
    near(fp32.parts["synapses"], (1000 * 0.9 + 600 * 3.7) * 1e-12, (20_000 * (0.9 + 55) + 10_000 * 3.7) * 1e-12)
    near(estimate(ann, profile("int8_accelerator"), STEP).dynamic, 20_000 * 0.173e-12, 20_000 * 1e-12)


def test_a_layer_that_did_nothing_may_multiply(ann):
    idle = replace(ann.layers["first"], acs_effective=0.0, macs_effective=0.0)
    found = estimate(Counts({"only": idle}, 10, 1, 0.0), profile("digital_45nm_fp32"), STEP)
    near(found.parts["synapses"], 0, 10_000 * (0.9 + 3.7 + 55) * 1e-12)


def test_of_an_ann_that_was_not_trained_the_known_additions_are_the_least(untrained):
    high = (20_000 * (0.1 + 13.75) + 10_000 * 0.2) * 1e-12
    found = estimate(untrained, profile("digital_45nm_int8"), STEP)
    near(found.parts["synapses"], 0, high)
    assert "not trained: low, the additions of its first layer alone" in found.notes[0]
    first = replace(untrained.layers["first"], acs_effective=400.0)
    known = replace(untrained, layers={**untrained.layers, "first": first})
    near(estimate(known, profile("digital_45nm_int8"), STEP).parts["synapses"], 400 * 0.03e-12, high)
    # It leaves no zeros out, whatever is known.
    assert estimate(untrained, profile("int8_accelerator"), STEP).notes == ()


def test_counts_of_the_other_kind_are_refused(counts, ann):
    with pytest.raises(ValueError, match="loihi2 prices the operations of spiking layers"):
        estimate(ann, profile("loihi2"), STEP)
    with pytest.raises(ValueError, match="int8_accelerator prices the operations of ann layers"):
        estimate(counts, profile("int8_accelerator"), STEP)


def test_an_estimate_is_as_firm_as_its_weakest_constant():
    assert rests_on(["measured", "literature", "calibrated"]) == "literature"
    assert rests_on(["measured", "calibrated"]) == "calibrated"
    assert rests_on(["measured"]) == "calibrated"


many = st.integers(0, 10**7)
USE = Deployment(Pace(Band(1e-6, 1e-4), "literature", "test"))


@pytest.mark.parametrize("name", SPIKING)
@given(st.tuples(many, many, many, many, st.integers(1, 9)), st.tuples(many, many, many, many))
def test_more_work_never_takes_less(make_layer, make_counts, name, work, more):
    *spikes, branches = work
    layer = make_layer(10, 10 * (branches + 1), *map(float, spikes))
    busier = make_layer(10, 10 * (branches + 1), *(float(one + other) for one, other in zip(spikes, more, strict=True)))
    found, after = (estimate(make_counts(one), profile(name), USE) for one in (layer, busier))
    for part, band in found.parts.items():
        assert band.low <= band.middle <= band.high
        assert band.low <= after.parts[part].low
        assert band.high <= after.parts[part].high
        # Rounding apart.
        # The middle's rule is another where the low bound is 0.
        if band.low:
            assert band.middle <= after.parts[part].middle * (1 + 1e-12)
    assert found.dynamic.low <= found.middle(static=False) * (1 + 1e-12)
    assert found.middle(static=False) <= found.dynamic.high * (1 + 1e-12)


@pytest.mark.parametrize("name", ANN)
@given(many, many)
def test_more_products_never_take_less(ann, name, effective, more):
    first = ann.layers["first"]

    def of(number):
        layer = replace(first, acs_effective=0.0, macs_effective=float(number), dense=float(2 * number))
        return estimate(Counts({"only": layer}, 10, 1, 0.0), profile(name), STEP).dynamic

    one, other = of(effective), of(effective + more)
    assert one.low <= other.low
    assert one.high <= other.high
