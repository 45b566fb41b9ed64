"""Every count of random networks by loops over single synapses, spikes and steps, from the reference's spikes alone.

Nothing here knows what a fan-out is: a synapse is a place that a spike comes from and a weight, and each of them is
asked at every step whether a spike arrives.
"""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from export import reference
from export.graph import Cuba, DenseLayer, DhLif, FlattenLayer, InputLayer, Network
from hardware.counters.heard import spiking_work
from hardware.counters.spiking import SpikingCounter
from lava_runtime.engine.engine import Engine

_TALLIED = ("spikes_in", "axon_out", "syn_ops", "dendrite_updates", "state_updates")
_MEANS = (*_TALLIED, "syn_ops_stored", "dense")
MANY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=150,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def synapses(layer, source):
    """Place of origin, flat, and weight of every synapse of a layer, one after the other."""
    if isinstance(layer, DenseLayer):
        for row in layer.weight.tolist():
            yield from enumerate(row)
        return
    _, height, width = source
    rows, inner, kernel_h, kernel_w = layer.weight.shape
    weight = layer.weight.tolist()
    for row in range(rows):
        first = row // (rows // layer.groups) * inner
        for to_y in range(layer.shape[1]):
            for to_x in range(layer.shape[2]):
                for part in range(inner):
                    for i in range(kernel_h):
                        for j in range(kernel_w):
                            y = to_y * layer.stride[0] - layer.padding[0] + i * layer.dilation[0]
                            x = to_x * layer.stride[1] - layer.padding[1] + j * layer.dilation[1]
                            if 0 <= y < height and 0 <= x < width:
                                yield (first + part) * height * width + y * width + x, weight[row][part][i][j]


def count_synapses(found, came):
    """Synapses asked at every step, those of them that a spike meets, and those that have a weight then."""
    dense = stored = effective = 0
    for origin, weight in found:
        for spike in came[origin]:
            dense += 1
            stored += 1 if spike else 0
            effective += 1 if spike and weight else 0
    return dense, stored, effective


def ones(spikes):
    return sum(1 for train in spikes for spike in train if spike)


def count_layer(layer, source, came, sent):
    """Counts of a layer in a clip; ``came`` and ``sent`` are lists of steps, by place."""
    steps = len(sent[0])
    states = 1 + (layer.neuron.branches if isinstance(layer.neuron, DhLif) else 1)
    found = {
        "axon_out": ones(sent),
        "dendrite_updates": sum(1 for _ in sent for _ in range(steps)),
        "state_updates": sum(1 for _ in sent for _ in range(states) for _ in range(steps)),
    }
    if isinstance(layer, InputLayer):
        weighed = ones(came) if layer.weight else 0
        none = {"spikes_in": 0, "syn_ops": 0, "syn_ops_stored": 0}
        return found | none | {"dense": len(sent) * steps, "effective": weighed}
    dense, stored, effective = count_synapses(synapses(layer, source), came)
    arrived = ones(came)
    if isinstance(layer, DenseLayer) and layer.recurrent is not None:
        own = ((m, w) for row in layer.recurrent.tolist() for m, w in enumerate(row))
        more, held, met = count_synapses(own, sent)
        dense, stored, effective, arrived = dense + more, stored + held, effective + met, arrived + ones(sent)
    operations = {"syn_ops": effective, "syn_ops_stored": stored, "effective": effective}
    return found | operations | {"spikes_in": arrived, "dense": dense}


def count_clip(network, sample):
    """Counts of every layer of a clip, and the most spikes of a step."""
    sent = {trace.name: trace.spikes for trace in reference.simulate(network, sample)}
    steps, x, shape, found = sample.shape[-1], sample, network.input_shape, {}
    at_once = [ones(sample[..., step].reshape(-1, 1).tolist()) for step in range(steps)]
    for name, layer in zip(network.names, network.layers, strict=True):
        if isinstance(layer, FlattenLayer):
            shape = layer.shape
        if name in sent:
            came, out = (spikes.reshape(-1, steps).tolist() for spikes in (x, sent[name]))
            found[name] = count_layer(layer, shape, came, out)
            for step in range(steps):
                at_once[step] += sum(1 for train in out if train[step])
            x, shape = sent[name], layer.shape
    return found, max(at_once)


def assert_counted(case):
    network, clips, steps = case.network, len(case.spikes), case.spikes.shape[-1]
    wanted, peaks = zip(*(count_clip(network, sample) for sample in case.spikes), strict=True)
    # As many blocks as clips.
    engine = Engine(network, threads=clips)
    work = spiking_work(engine, [case.spikes])
    counts = SpikingCounter(network).counts(work, clips, steps)
    tally = engine.run(case.spikes).tally
    odd = any(abs(value) > 1 for value in case.spikes.ravel().tolist())
    assert (work.clips, work.peak, work.binary) == (clips, max(peaks), not odd), case
    assert work.input_spikes.tolist() == [ones(sample.reshape(-1, steps).tolist()) for sample in case.spikes]
    assert counts.input_spikes == sum(work.input_spikes.tolist()) / clips
    assert list(counts.layers) == list(wanted[0]) == list(tally.layers)
    for name, layer in counts.layers.items():
        by_clip = {key: [clip[name][key] for clip in wanted] for key in wanted[0][name]}
        for key in ("spikes_in", "axon_out", "syn_ops", "syn_ops_stored", "effective"):
            assert getattr(work.layers[name], key).tolist() == by_clip[key], f"{case}, {name}, {key}"
        for key in _MEANS:
            assert getattr(layer, key) == sum(by_clip[key]) / clips, f"{case}, {name}, {key}"
            if key in _TALLIED:
                assert getattr(tally.layers[name], key) == sum(by_clip[key]), f"{case}, {name}, {key}"
        products = odd and isinstance(dict(network.spiking)[name], InputLayer)
        effective = sum(by_clip["effective"]) / clips
        wanted_pair = (0, effective) if products else (effective, 0)
        assert (layer.acs_effective, layer.macs_effective) == wanted_pair, f"{case}, {name}"
        assert layer.kind == "spiking"
    if not odd:
        spikes, inputs = {}, (case.spikes != 0).sum(axis=(0, -1))
        traces = [reference.run(network, sample) for sample in case.spikes]
        for index, name in enumerate(network.spiking_names):
            spikes[name] = sum(trace[index].sum(axis=-1, dtype=float) for trace in traces)[np.newaxis]
        counter = SpikingCounter(network)
        assert counter.counts(counter.work(inputs[np.newaxis], spikes), clips, steps) == counts


def test_every_count_of_every_feature(drawn):
    seen = set()

    @MANY
    @given(data=st.data())
    def count(data):
        case = data.draw(drawn.cases(steps=(10, 6, 3, 1), samples=(1, 2)))
        if sum(math.prod(layer.shape) for layer in case.network.layers) > 400:
            return
        assert_counted(case)
        seen.update(drawn.features(case.network))

    count()
    assert seen >= drawn.FEATURES, drawn.FEATURES - seen


def test_counts_of_busy_networks(drawn):
    """Where every layer fires, so that nothing is right for want of spikes."""
    for kinds in (["conv", "conv dendrites", "dense"], ["dendrites", "recurrent"], ["delay", "synapse delay"]):
        assert_counted(drawn.busy_case(kinds, 2, 24, seed=20))


def test_counts_of_graded_input(drawn):
    case = drawn.busy_case(["dense"], 2, 30, population=True)
    assert np.abs(case.spikes).max() > 1
    assert_counted(case)
    counts = SpikingCounter(case.network).counts(spiking_work(Engine(case.network), [case.spikes]), 2, 30)
    population, dense = counts.layers.values()
    assert population.macs_effective == np.count_nonzero(case.spikes) / 2 > 0
    assert (population.acs_effective, population.syn_ops, population.weights) == (0, 0, 0)
    assert dense.acs_effective == dense.syn_ops > 0 == dense.macs_effective


@pytest.mark.parametrize(
    ("weight", "values", "acs", "macs"),
    [
        (64, [[0, 1, 1], [1, 0, 0]], 1.5, 0),
        (64, [[0, -1, 1], [1, 0, 0]], 1.5, 0),
        # One clip alone makes an input that is no spikes; so does one value below -1.
        (64, [[0, 1, 1], [3, 0, 0]], 0, 1.5),
        (64, [[0, -2, 1], [1, 1, 0]], 0, 2),
        # Nothing is weighed by nothing.
        (0, [[0, 3, 1], [1, 0, 0]], 0, 0),
    ],
)
def test_what_a_population_weighs(weight, values, acs, macs):
    neuron = Cuba(4096, 4096, 1)
    layers = (InputLayer((1,), neuron, weight, 0), DenseLayer(np.array([[64]]), neuron))
    network = Network(layers, ("input", "dense1"))
    work = spiking_work(Engine(network, threads=2), [np.array(values)[:, np.newaxis]])
    population = SpikingCounter(network).counts(work, 2, 3).layers["input"]
    assert (population.acs_effective, population.macs_effective, population.dense) == (acs, macs, 3)
