"""Baselines and curves by hand."""

import numpy as np
import pytest

from hardware.segmentation.baselines import Baselines
from hardware.segmentation.curves import BIN, around_cuts
from train.data.clips import ClipSet
from train.segmentation.splices import Splice


@pytest.fixture
def clips_of():
    """clips_of(labels): clips of steps with these labels, cut where the second row says."""

    def build(labels, cuts):
        steps = np.shape(labels)[1]
        rows = np.zeros((1, steps), np.float32)
        splices = tuple(Splice(rows, 0, rows, 0, cut, steps) for cut in cuts)
        count = len(splices)
        return ClipSet(
            splices, np.arange(count), np.zeros(count, np.int64), {"style": np.array(labels)}, steps, ("",) * count
        )

    return build


def test_baselines_by_hand(clips_of):
    training = clips_of([[0, 0, 1, 1, 1], [0, 0, 0, 1, 1], [0, 1, 1, 1, 1]], [2, 3, 1])
    found = Baselines.of(training)
    assert found.majority == 1
    assert found.clock.tolist() == [0, 0, 1, 1, 1]
    assert found.cut == 2
    assert found.accuracies(np.array([[0, 0, 0, 1]])) == {"majority": 0.25, "clock": 0.75}


def test_a_clock_that_never_changes_its_mind_has_no_cut(clips_of):
    found = Baselines.of(clips_of([[0, 1], [1, 0], [0, 0]], [1, 1, 1]))
    assert found.clock.tolist() == [0, 0]
    assert found.cut is None


def test_curves_lie_around_the_cut(clips_of):
    steps = 6 * BIN
    cuts = [2 * BIN, 3 * BIN + 4, 2 * BIN + 1]
    labels = np.zeros((3, steps), np.int64)
    labels[0, cuts[0] :] = labels[1, cuts[1] :] = 1
    right = np.ones((3, steps), bool)
    # Wrong for the first bin after the cut, in the first clip, and everywhere in the third.
    right[0, cuts[0] : cuts[0] + BIN] = False
    right[2] = False
    found = around_cuts(right, clips_of(labels, cuts), labels)
    assert found["first_step"] == -2 * BIN
    assert found["bin_steps"] == BIN
    assert found["changed"] == {"clips": 2, "share": [1, 1, 0.5, 1]}
    assert found["same"] == {"clips": 1, "share": [0, 0, 0, 0]}
