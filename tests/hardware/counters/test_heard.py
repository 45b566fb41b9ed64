"""Work as the engine's blocks give it, and what holds it against the engine's own counters."""

from dataclasses import fields, replace

import numpy as np
import pytest

from hardware.counters import heard
from hardware.counters.work import LayerWork
from lava_runtime.engine.engine import Engine
from train.errors import MaestroError


@pytest.fixture
def case(drawn):
    return drawn.busy_case(["conv", "recurrent"], 5, 24, seed=50)


def test_work_does_not_depend_on_arrays_and_blocks(case):
    told = []
    engine = Engine(case.network, threads=1)
    whole = heard.spiking_work(engine, [case.spikes])
    # Of five clips on two cores, blocks of at most two and of one.
    parts = heard.spiking_work(Engine(case.network, threads=2), [case.spikes[:3], case.spikes[3:]], told.append)
    # No clip could stand for another.
    assert len(set(whole.input_spikes.tolist())) == 5
    assert sum(told) == parts.clips == 5
    assert len(told) > 2
    at_once = [
        case.spikes.reshape(5, -1, 24),
        *(x.reshape(5, -1, 24) for x in engine.run(case.spikes, layers=True).layers),
    ]
    assert parts.peak == whole.peak == sum(spikes.sum(axis=1, dtype=int) for spikes in at_once).max()
    assert parts.input_spikes.tolist() == whole.input_spikes.tolist()
    for name, layer in whole.layers.items():
        for field in fields(LayerWork):
            np.testing.assert_array_equal(getattr(parts.layers[name], field.name), getattr(layer, field.name))


@pytest.mark.parametrize("word", ["spikes_in", "axon_out", "syn_ops"])
@pytest.mark.parametrize("more", [1, -1])
def test_what_contradicts_the_engines_counters_is_told(case, monkeypatch, word, more):
    work = heard.SpikingCounter.work

    def miscount(*given, **how):
        found = work(*given, **how)
        last = list(found.layers)[-1]
        wrong = getattr(found.layers[last], word).copy()
        wrong[0] += more
        changed = replace(found.layers[last], **{word: wrong})
        return replace(found, layers={**found.layers, last: changed})

    monkeypatch.setattr(heard.SpikingCounter, "work", miscount)
    told = rf"layer \w+: has \d+ {word} by spikes and weights, and \d+ by the engine's counters"
    with pytest.raises(MaestroError, match=told):
        heard.spiking_work(Engine(case.network, threads=1), [case.spikes])
