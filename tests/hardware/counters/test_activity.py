"""The ANN's work, some clips at a time."""

from dataclasses import fields

import numpy as np
import pytest

from hardware.counters import activity
from hardware.counters.work import LayerWork
from lava_runtime import inputs
from train.errors import MaestroError
from train.model import load_run


@pytest.fixture
def ann(make_run, fake_clips):
    trained = load_run(make_run("ann"))
    clips = fake_clips(inputs)(trained.config)[0]["test"]
    return trained, clips, activity.layers_of(trained, clips.steps)


def test_work_does_not_depend_on_batches(ann, monkeypatch):
    trained, clips, layers = ann
    whole, told = activity.ann_work(trained, layers, clips), []
    monkeypatch.setattr(activity, "_BATCH", 5)
    parts = activity.ann_work(trained, layers, clips, told.append)
    assert told == [5, 5, 2]
    assert (parts.clips, parts.binary) == (12, True)
    assert parts.input_spikes.tolist() == whole.input_spikes.tolist()
    for name, layer in whole.layers.items():
        assert layer.axon_out.sum() > 0
        for field in fields(LayerWork):
            np.testing.assert_array_equal(getattr(parts.layers[name], field.name), getattr(layer, field.name))


def test_a_spiking_network_is_no_ann(make_run):
    with pytest.raises(MaestroError, match="lif: is a spiking network, no ANN"):
        activity.layers_of(load_run(make_run("lif")), 10)
