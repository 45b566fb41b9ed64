"""What the experiment files of counts: keys and values of ``compare.json`` stay as they are."""

import numpy as np
import pytest

from export import reference
from hardware.counters.costs import ann_costs, spiking_costs
from hardware.counters.counts import Counts, LayerCounts
from hardware.counters.spiking import SpikingCounter
from lava_runtime.engine.fan_out import conv_fan_out


def test_costs_are_what_counting_gives(network):
    steps, clips = 20, 3
    inputs = np.random.default_rng(1).integers(0, 2, (clips, 2, 7, 1, steps)).astype(np.uint8)
    traces = [reference.simulate(network, clip) for clip in inputs]
    spikes = {"input": inputs.sum(axis=(0, -1)).astype(float)}
    for index, name in enumerate(network.spiking_names):
        spikes[name] = sum(trace[index].spikes.sum(axis=-1).astype(float) for trace in traces)
    counter = SpikingCounter(network)
    work = counter.work(spikes["input"][np.newaxis], {name: values[np.newaxis] for name, values in spikes.items()})
    found = spiking_costs(counter.counts(work, clips, steps))

    assert {name: entry["neurons"] for name, entry in found["layers"].items()} == {
        "conv1": 21,
        "pool1": 9,
        "dense1": 5,
        "heads": 4,
    }
    # Two branches and a voltage; else a current and a voltage.
    assert {name: entry["states"] for name, entry in found["layers"].items()} == {
        "conv1": 63,
        "pool1": 18,
        "dense1": 10,
        "heads": 8,
    }
    conv, pool, dense, heads = (layer for _, layer in network.spiking)
    source = {"conv1": "input", "pool1": "conv1", "dense1": "pool1", "heads": "dense1"}
    for name, layer in (("conv1", conv), ("pool1", pool)):
        kernels = (layer.weight, layer.stride, layer.padding, layer.dilation, layer.groups)
        met = conv_fan_out(*kernels, spikes[source[name]].shape, layer.shape[1:])
        assert found["layers"][name]["syn_ops"] == pytest.approx((met * spikes[source[name]]).sum() / clips)
    total = sum(np.count_nonzero(dense.weight[:, n]) * count for n, count in enumerate(spikes["pool1"].ravel()))
    assert found["layers"]["dense1"]["syn_ops"] == pytest.approx(total / clips)
    total = sum(np.count_nonzero(heads.weight[:, n]) * count for n, count in enumerate(spikes["dense1"]))
    total += sum(np.count_nonzero(heads.recurrent[:, n]) * count for n, count in enumerate(spikes["heads"]))
    assert found["layers"]["heads"]["syn_ops"] == pytest.approx(total / clips)
    assert found["weights_nonzero"] == sum(
        np.count_nonzero(w) for w in (conv.weight, pool.weight, dense.weight, heads.weight, heads.recurrent)
    )
    assert found["neuron_updates"] == (63 + 18 + 10 + 8) * steps
    assert found["spikes"] == pytest.approx(sum(spikes[name].sum() for name in network.spiking_names) / clips)
    assert found["input_spikes"] == spikes["input"].sum() / clips


def test_the_anns_costs():
    def layer(**changed):
        values = {
            "kind": "ann", "neurons": 21, "states": 0, "weights": 18, "weights_nonzero": 12, "spikes_in": 9.0,
            "axon_out": 30.0, "syn_ops": 70.5, "dendrite_updates": 210, "state_updates": 0, "acs_effective": 70.5,
            "macs_effective": 0.0, "dense": 570, "footprint_bytes": 39.0, "syn_ops_stored": 80.5,
        }  # fmt: skip
        return LayerCounts(**{**values, **changed})

    heads = layer(neurons=4, weights_nonzero=15, dendrite_updates=4, acs_effective=0.0, macs_effective=11.5, dense=20)
    found = ann_costs(Counts({"conv1": layer(), "heads": heads}, 10, 2, 9.0))
    assert found == {
        "neurons": 25, "states": 0, "weights_nonzero": 27, "macs_dense": 590, "macs_effective": 11.5,
        "acs_effective": 70.5, "neuron_updates": 214,
        "layers": {
            "conv1": {
                "neurons": 21, "states": 0, "weights_nonzero": 12, "macs_dense": 570, "macs_effective": 0.0,
                "acs_effective": 70.5, "neuron_updates": 210,
            },
            "heads": {
                "neurons": 4, "states": 0, "weights_nonzero": 15, "macs_dense": 20, "macs_effective": 11.5,
                "acs_effective": 0.0, "neuron_updates": 4,
            },
        },
    }  # fmt: skip
    assert all(type(found[key]) is int for key in ("macs_dense", "neuron_updates", "weights_nonzero"))
