"""The gate names the first layer, neuron and step that differ, and picks its clips from both test sets."""

from types import SimpleNamespace

import numpy as np
import pytest

from export.gate import compare, first_difference, gate_clips
from train.errors import MaestroError


def layers():
    generator = np.random.default_rng(0)
    return [(generator.random(shape) < 0.3).astype(np.uint8) for shape in ((2, 3, 1, 20), (5, 20))]


def test_equal_layers_pass():
    compare(("conv", "dense"), layers(), layers(), "clip 0 of test")


@pytest.mark.parametrize(
    ("layer", "at", "where"),
    [(0, (1, 2, 0, 7), r"layer conv, neuron \(1, 2, 0\), step 7"), (1, (4, 19), "layer dense, neuron 4, step 19")],
)
def test_one_spike_is_found(layer, at, where):
    theirs = layers()
    theirs[layer][at] ^= 1
    ours, found = layers()[layer][at], theirs[layer][at]
    with pytest.raises(
        MaestroError, match=rf"{where}: SLAYER's quantised forward gives {ours}, the integer network {found}, on clip 3"
    ):
        compare(("conv", "dense"), layers(), theirs, "clip 3 of test")


def test_the_first_layer_then_the_first_step_then_the_first_neuron():
    theirs = layers()
    theirs[1][0, 2] ^= 1
    theirs[1][3, 9] ^= 1
    theirs[1][1, 2] ^= 1
    with pytest.raises(MaestroError, match=r"layer dense, neuron 0, step 2: .* 3 of the layer's 100 outputs"):
        compare(("conv", "dense"), layers(), theirs, "a clip")
    theirs[0][0, 0, 0, 19] ^= 1
    with pytest.raises(MaestroError, match=r"layer conv, neuron \(0, 0, 0\), step 19"):
        compare(("conv", "dense"), layers(), theirs, "a clip")


def test_the_first_difference_is_of_step_then_neuron():
    ours, theirs = layers()[0], layers()[0]
    assert first_difference(ours, theirs) is None
    for at in ((1, 0, 0, 3), (0, 2, 0, 3), (0, 0, 0, 4)):
        theirs[at] ^= 1
    assert first_difference(ours, theirs) == ((0, 2, 0), 3)


def test_layers_of_other_shapes_are_refused():
    with pytest.raises(MaestroError, match=r"layer dense: SLAYER's has shape \(5, 20\), the export's \(5, 19\)"):
        compare(("conv", "dense"), layers(), [layers()[0], layers()[1][:, :19]], "a clip")


class Sized:
    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size


def test_clips_come_from_both_test_sets_evenly():
    sets = {"test": Sized(101), "test_keyboards": Sized(3), "train": Sized(500)}
    chosen = gate_clips(sets, 64)
    test = [index for split, index in chosen if split == "test"]
    assert len(test) == 32
    assert (test[0], test[-1]) == (0, 100)
    assert len(set(test)) == 32
    assert [index for split, index in chosen if split == "test_keyboards"] == [0, 1, 2]
    assert len(gate_clips(sets, 1)) == 1
    with pytest.raises(MaestroError, match="gate: has no clip to compare on"):
        gate_clips({"train": SimpleNamespace()}, 64)
