import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.schedule import schedule
from hardware.divergence import compare_streams, windows
from train.errors import MaestroError

PLAN = schedule(20, 2, input_delay=1)
SHAPES = {"conv1": (3, 4, 2), "dense1": (7,)}


def reset_at(sample, number, delay):
    """Step of the recording at which the reset of a layer after a sample is seen, the way out being two steps."""
    return (sample + 1) * PLAN.period + PLAN.reset_offset - PLAN.period + number + min(delay, 2)


def recording(rng, samples, delay):
    """Spikes by sample, and the stream that holds them ``delay`` steps late, with other spikes until the resets."""
    expected = {
        name: (rng.random((samples, *shape, PLAN.steps)) < 0.3).astype(np.uint8) for name, shape in SHAPES.items()
    }
    recorded = {}
    for number, (name, shape) in enumerate(SHAPES.items()):
        stream = (rng.random((*shape, PLAN.total(samples) + 10)) < 0.3).astype(np.uint8)
        stream[..., :delay] = 0
        for sample in range(samples):
            first = sample * PLAN.period + delay
            stream[..., reset_at(sample, number, delay) + 1 : first + PLAN.period] = 0
            stream[..., first : first + PLAN.steps] = expected[name][sample]
        recorded[name] = stream
    return expected, recorded


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(0, 8), st.integers(0, 2**32 - 1))
def test_the_delay_is_found_and_nothing_differs(samples, delay, seed):
    expected, recorded = recording(np.random.default_rng(seed), samples, delay)
    found = compare_streams(expected, recorded, PLAN, range(9))
    assert (found.delay, found.samples, found.total, found.first) == (delay, samples, 0, None)
    assert (found.faults, found.first_spurious, found.vacuous) == (0, None, False)
    assert found.expected == found.found == {name: int(each.sum()) for name, each in expected.items()}
    np.testing.assert_array_equal(windows(recorded["conv1"], PLAN, samples, delay), expected["conv1"])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2), st.integers(0, 19), st.data())
def test_one_spike_is_found_in_its_place(sample, step, data):
    expected, recorded = recording(np.random.default_rng(3), 3, 4)
    name = data.draw(st.sampled_from(sorted(SHAPES)))
    neuron = tuple(data.draw(st.integers(0, size - 1)) for size in SHAPES[name])
    at = (*neuron, sample * PLAN.period + 4 + step)
    recorded[name][at] ^= 1
    found = compare_streams(expected, recorded, PLAN, range(9))
    assert (found.delay, found.total, found.differing[name]) == (4, 1, 1)
    assert dataclasses.astuple(found.first)[:4] == (sample, name, neuron, step)
    assert found.first.found == recorded[name][at] != found.first.expected
    place = ", ".join(map(str, neuron))
    assert str(found.first) == (
        f"sample {sample}, layer {name}, neuron ({place}), step {step}: "
        f"{found.first.expected} expected, {found.first.found} found"
    )


def test_the_first_is_that_of_the_first_layer_of_the_first_sample_in_the_order_of_the_network():
    expected, recorded = recording(np.random.default_rng(3), 3, 0)
    recorded["dense1"][2, PLAN.period + 5] ^= 1
    recorded["conv1"][0, 1, 1, PLAN.period + 9] ^= 1
    recorded["conv1"][2, 3, 1, PLAN.period + 7] ^= 1
    recorded["dense1"][0, 2 * PLAN.period] ^= 1
    turned = {name: recorded[name] for name in reversed(recorded)}
    first = compare_streams(expected, turned, PLAN, [0]).first
    assert (first.sample, first.layer, first.neuron, first.step) == (1, "conv1", (2, 3, 1), 7)


def test_layers_that_were_not_recorded_are_not_compared():
    expected, recorded = recording(np.random.default_rng(3), 2, 1)
    del recorded["conv1"]
    found = compare_streams(expected, recorded, PLAN, range(3))
    assert list(found.differing) == list(found.expected) == ["dense1"]
    assert json.loads(json.dumps(found.as_dict()))["total"] == 0


@pytest.mark.parametrize("sample", [0, 1, 2])
@pytest.mark.parametrize(("number", "name"), enumerate(SHAPES))
def test_a_spike_after_the_reset_of_its_layer_is_counted_apart(number, name, sample):
    expected, recorded = recording(np.random.default_rng(3), 3, 4)
    for step in (reset_at(sample, number, 4) + 1, (sample + 1) * PLAN.period + 3):
        stream = recorded[name].copy()
        stream[(2,) * (stream.ndim - 1) if name == "dense1" else (2, 1, 0)][step] = 1
        found = compare_streams(expected, {**recorded, name: stream}, PLAN, range(9))
        assert (found.delay, found.total, found.faults) == (4, 0, 1)
        assert found.spurious == {**dict.fromkeys(SHAPES, 0), name: 1}
        assert (found.first_spurious.layer, found.first_spurious.step) == (name, step)
        place = "2" if name == "dense1" else "2, 1, 0"
        assert str(found.first_spurious) == f"layer {name}, neuron ({place}), step {step} of the recording"
    last = recorded[name].copy()
    last[..., reset_at(sample, number, 4)] = 1
    assert compare_streams(expected, {**recorded, name: last}, PLAN, range(9)).faults == 0


def test_which_reset_is_a_layers_does_not_depend_on_what_was_recorded():
    expected, recorded = recording(np.random.default_rng(3), 2, 1)
    recorded["dense1"][3, reset_at(0, 1, 1)] = 1
    alone = {"dense1": recorded["dense1"]}
    assert compare_streams(expected, alone, PLAN, range(9)).faults == 0
    recorded["dense1"][3, reset_at(0, 1, 1) + 1] = 1
    assert compare_streams(expected, alone, PLAN, range(9)).spurious == {"dense1": 1}


def test_the_first_after_a_reset_is_the_earliest_of_all_layers():
    expected, recorded = recording(np.random.default_rng(3), 2, 0)
    recorded["conv1"][0, 0, 0, 2 * PLAN.period - 1] = 1
    recorded["dense1"][4, PLAN.period - 1] = 1
    first = compare_streams(expected, recorded, PLAN, [0]).first_spurious
    assert (first.layer, first.neuron, first.step) == ("dense1", (4,), PLAN.period - 1)


def test_where_nothing_is_expected_the_delay_is_as_thought_and_that_is_said():
    expected = {"dense1": np.zeros((2, 7, PLAN.steps), np.uint8)}
    recorded = {"dense1": np.zeros((7, PLAN.total(2) + 8), np.uint8)}
    found = compare_streams(expected, recorded, PLAN, range(5))
    assert (found.delay, found.vacuous, found.faults) == (PLAN.input_delay, True, 0)
    assert found.as_dict()["vacuous"]


def test_spikes_late_in_the_gap_of_a_silent_network_fit_no_delay():
    expected = {"dense1": np.zeros((2, 7, PLAN.steps), np.uint8)}
    recorded = {"dense1": np.zeros((7, PLAN.total(2) + 8), np.uint8)}
    recorded["dense1"][:, [PLAN.steps + 2, PLAN.period - 1, PLAN.period + PLAN.steps + 2]] = 1
    found = compare_streams(expected, recorded, PLAN, range(9))
    assert (found.total, found.spurious["dense1"], found.faults) == (0, 7, 7)


def test_what_cannot_be_compared():
    expected, recorded = recording(np.random.default_rng(3), 2, 1)
    with pytest.raises(MaestroError, match=r"recording: holds no layer \(expected some of conv1, dense1\)"):
        compare_streams(expected, {}, PLAN, [0])
    with pytest.raises(MaestroError, match="recording of layer heads: nothing was expected of such a layer"):
        compare_streams(expected, {"heads": recorded["dense1"]}, PLAN, [0])
    with pytest.raises(MaestroError, match=r"layer dense1: has shape \(6,\) \(expected \(7,\)\)"):
        compare_streams(expected, {"dense1": recorded["dense1"][:6]}, PLAN, [0])
    with pytest.raises(MaestroError, match=r"layer dense1: ends after 30 steps \(expected at least 56\)"):
        compare_streams(expected, {"dense1": recorded["dense1"][:, :30]}, PLAN, range(5))
