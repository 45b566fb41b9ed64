"""What the engine counts as it runs is what one counts by hand, from the reference's spikes and states."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from export import fixed_point, reference
from export.graph import ConvLayer, DenseLayer, DhLif, FlattenLayer, InputLayer
from hardware.counters.spiking import SpikingCounter
from lava_runtime.engine.engine import Engine
from lava_runtime.engine.tally import LayerTally, Tally

MANY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
WRAP = 1 << 23


def met(layer, spikes):
    """Synapses that spikes meet: the sums of a layer whose weights are 1 where they are not 0, and nothing late."""
    ones = dataclasses.replace(layer, weight=(layer.weight != 0).astype(np.int64))
    if isinstance(layer, DenseLayer):
        ones = dataclasses.replace(ones, delay=None, recurrent=None)
    return int(reference.synaptic_sums(ones, spikes).sum())


def per_neuron(value, shape):
    array = np.asarray(value)
    return np.broadcast_to(array.reshape(-1, *[1] * (len(shape) - 1)) if array.ndim else array, shape)


def largest_current(layer, trace):
    """Largest current before wrapping: where it wrapped, once, it had been a turn of 2^24 away."""
    if not isinstance(layer.neuron, DhLif):
        u, where = trace.u.reshape(-1, trace.u.shape[-1]), [(w.neuron, w.step) for w in trace.wraps]
    else:
        u = trace.u.reshape(layer.neuron.branches, -1, trace.u.shape[-1])
        named = {f"branch {branch} current": branch for branch in range(layer.neuron.branches)}
        where = [(named[w.register], w.neuron, w.step) for w in trace.wraps if w.register in named]
    raw = np.abs(u)
    for place in where:
        raw[place] = 2 * WRAP - raw[place]
    # One branch has nothing to be added to.
    total = np.abs(u.sum(axis=0)).max() if u.ndim == 3 and len(u) > 1 else 0
    return int(max(raw.max(), total))


def voltages(layer, trace, arriving):
    """Every step's voltage before it saturates, is reset, and is remembered."""
    current = trace.u
    if isinstance(layer.neuron, DhLif):
        current = current[0] if layer.neuron.branches == 1 else fixed_point.wrap(current.sum(axis=0))
    if isinstance(layer, InputLayer):
        bias = fixed_point.scale_bias(layer.weight * arriving.astype(np.int64) + layer.offset)
    else:
        mantissa = np.zeros(layer.shape[0], np.int64) if layer.bias is None else layer.bias
        bias = fixed_point.scale_bias(per_neuron(mantissa, layer.shape).astype(np.int64))[..., np.newaxis]
    before = np.concatenate([np.zeros_like(trace.v[..., :1]), trace.v[..., :-1]], axis=-1)
    decay = per_neuron(layer.neuron.v_decay, layer.shape)[..., np.newaxis].astype(np.int64)
    return fixed_point.decay(before, np.broadcast_to(decay, before.shape)) + current + bias


def count(case):
    """The tally of a case by layer, as dictionaries."""
    found = {}
    for sample in case.spikes:
        traces = {trace.name: trace for trace in reference.simulate(case.network, sample, probes=True)}
        arriving = sample
        for name, layer in zip(case.network.names, case.network.layers, strict=True):
            if isinstance(layer, FlattenLayer):
                arriving = arriving.reshape(-1, arriving.shape[-1])
            if name not in traces:
                continue
            trace, steps = traces[name], sample.shape[-1]
            raw = np.abs(voltages(layer, trace, arriving))
            size, fired = trace.spikes[..., 0].size, int(trace.spikes.sum())
            states = layer.neuron.branches + 1 if isinstance(layer.neuron, DhLif) else 2
            counted = {
                "dendrite_updates": size * steps,
                "state_updates": size * steps * states,
                "syn_ops": 0,
                "spikes_in": 0,
                "axon_out": fired,
                "wraps": len(trace.wraps),
                "saturations": int((raw > WRAP - 1).sum()),
            }
            if isinstance(layer, ConvLayer | DenseLayer):
                counted |= {"syn_ops": met(layer, arriving), "spikes_in": int(arriving.sum())}
            if isinstance(layer, DenseLayer) and layer.recurrent is not None:
                counted["spikes_in"] += fired
                counted["syn_ops"] += int(((layer.recurrent != 0) @ trace.spikes.astype(np.int64)).sum())
            entry = found.setdefault(name, dict.fromkeys(counted, 0) | {"u_max": 0, "v_max": 0})
            for key, value in counted.items():
                entry[key] += value
            entry["u_max"] = max(entry["u_max"], largest_current(layer, trace))
            entry["v_max"] = max(entry["v_max"], int(raw.max()))
            entry["neurons"] = size
            arriving = trace.spikes
    return found


@settings(MANY, max_examples=50)
@given(data=st.data())
def test_every_count_by_hand(data, drawn):
    case = data.draw(drawn.cases())
    path = data.draw(st.sampled_from(("auto", "events", "dense")))
    tally = Engine(case.network, threads=1).run(case.spikes, path=path).tally
    assert (tally.samples, tally.steps) == (len(case.spikes), case.spikes.shape[-1])
    wanted = count(case)
    assert list(tally.layers) == list(wanted)
    for name, layer in tally.layers.items():
        found = {key: getattr(layer, key) for key in wanted[name]}
        assert found == wanted[name], f"{case}, path {path}, layer {name}"
    assert tally.syn_ops == sum(layer["syn_ops"] for layer in wanted.values())


def test_operations_are_those_of_the_experiments(drawn):
    """The same number that ``hardware.counters`` finds from sums of spikes and fan-outs."""
    case = drawn.busy_case(["conv", "conv dendrites", "recurrent", "dense"], 4, 40, seed=50)
    result = Engine(case.network).run(case.spikes, layers=True)
    spikes = {n: x.sum(axis=-1) for n, x in zip(case.network.spiking_names, result.layers, strict=True)}
    counter = SpikingCounter(case.network)
    counts = counter.counts(counter.work(case.spikes.sum(axis=-1), spikes), 4, 40)
    for name, layer in result.tally.layers.items():
        assert layer.syn_ops == 4 * counts.layers[name].syn_ops > 0
        assert layer.axon_out == 4 * counts.layers[name].axon_out
        assert layer.spikes_in == 4 * counts.layers[name].spikes_in
        assert layer.state_updates == 4 * counts.layers[name].state_updates


def test_counts_depend_on_no_path_block_or_core(drawn):
    case = drawn.busy_case(["conv", "delay", "recurrent"], 9, 60, seed=4)
    wanted = Engine(case.network, threads=1).run(case.spikes).tally
    for threads in (1, 2, 5):
        for path in ("events", "dense"):
            found = Engine(case.network, threads=threads).run(case.spikes, path=path).tally
            for name, layer in found.layers.items():
                assert dataclasses.replace(layer, path="") == dataclasses.replace(wanted.layers[name], path="")
            assert path in {layer.path for layer in found.layers.values()}


def test_counts_do_not_depend_on_where_steps_are_cut(drawn):
    case = drawn.busy_case(["conv", "conv dendrites", "dense"], 2, 40, seed=6)
    spikes = np.tile(case.spikes, 200)
    wanted = Engine(case.network, threads=1).run(spikes, layers=True)
    for path in ("events", "dense"):
        cut = Engine(case.network, threads=1, memory_bytes=20 << 20)
        found = cut.run(spikes, layers=True, path=path)
        np.testing.assert_array_equal(found.output, wanted.output)
        for name, layer in found.tally.layers.items():
            assert dataclasses.replace(layer, path="") == dataclasses.replace(wanted.tally.layers[name], path="")
        assert path in {layer.path for layer in found.tally.layers.values()}


def test_tallies_of_other_lengths_do_not_add_up():
    with pytest.raises(ValueError, match=r"^tallies of 5 and of 9 steps do not add up$"):
        Tally(1, 5, {}) + Tally(1, 9, {})


def layer_tally(**changed):
    values = {
        "neurons": 5, "dendrite_updates": 100, "state_updates": 200, "syn_ops": 7, "spikes_in": 3, "axon_out": 25,
        "u_max": 90, "v_max": 80, "wraps": 1, "saturations": 2, "path": "events",
    }  # fmt: skip
    return LayerTally(**{**values, **changed})


def test_tallies_add_up():
    one = layer_tally()
    other = layer_tally(syn_ops=1, axon_out=5, u_max=95, v_max=70, wraps=0, path="dense")
    both = one + other
    assert both == layer_tally(
        dendrite_updates=200, state_updates=400, syn_ops=8, spikes_in=6, axon_out=30, u_max=95, v_max=80, wraps=1,
        saturations=4, path="events and dense",
    )  # fmt: skip
    assert (one.rate, both.rate, layer_tally(dendrite_updates=0).rate) == (0.25, 0.15, 0.0)
    assert (one + one).path == "events"
    total = Tally(2, 30, {"a": one}) + Tally(3, 30, {"a": other})
    assert total == Tally(5, 30, {"a": both})
    assert total.syn_ops == 8


def test_a_tally_as_plain_data():
    plain = Tally(2, 30, {"a": layer_tally()}).as_dict()
    assert plain == {"samples": 2, "steps": 30, "layers": {"a": {**vars(layer_tally()), "rate": 0.25}}}
    assert all(type(value) in (int, float, str) for value in plain["layers"]["a"].values())


def test_what_is_counted_in_a_run_is_plain_too(drawn):
    case = drawn.busy_case(["dense"], 1, 30)
    plain = Engine(case.network).run(case.spikes).tally.as_dict()
    assert all(type(value) in (int, float, str) for layer in plain["layers"].values() for value in layer.values())


@pytest.mark.parametrize("path", ["events", "dense"])
def test_a_tally_names_the_path_of_every_layer(path, drawn):
    case = drawn.busy_case(["dense", "synapse delay"], 2, 30, population=True)
    layers = Engine(case.network).run(case.spikes, path=path).tally.layers.values()
    # Delays of single synapses are so many products that there is none.
    assert [layer.path for layer in layers] == ["input", path, "events"]
