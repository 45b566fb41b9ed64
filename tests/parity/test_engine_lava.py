"""Third rung of the ladder: the engine equals Lava, every spike, current and voltage of every step.

Lava's own models judge random networks without their runtime, a thousand times faster; the runtime judges that they do
the same with it.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from export import netx, reference
from lava_runtime.engine.engine import Engine
from lava_runtime.network import LavaNetwork

MANY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


PATHS = ("auto", "events", "dense")


@pytest.mark.lava
@pytest.mark.slow
@settings(MANY, max_examples=70)
@given(data=st.data())
def test_random_networks(data, drawn, lava_models, assert_same_trace):
    case = data.draw(drawn.cases())
    path = data.draw(st.sampled_from(PATHS))
    names = case.network.spiking_names
    result = Engine(case.network, threads=1).run(case.spikes, probes=names, path=path)
    for number, (sample, found) in enumerate(zip(case.spikes, lava_models.run([case])[0], strict=True)):
        for trace in reference.simulate(case.network, sample, probes=True):
            where = f"{case}, path {path}, sample {number}, layer {trace.name}"
            wanted, probe = found[trace.name], result.probes[trace.name]
            assert_same_trace(vars(trace), wanted, f"reference, {where}")
            ours = {"spikes": probe.spikes[number], "u": probe.u[number], "v": probe.v[number]}
            assert_same_trace(ours, wanted, f"engine, {where}")


@pytest.mark.lava
@pytest.mark.parametrize("name", ["mnist.net", "oxford.net"])
def test_published_networks(name, shared, drawn, lava_models, assert_same_trace):
    """In Lava's runtime, with the spikes that it gives; and by its models, with currents and voltages."""
    path = shared / "netx" / name
    network = netx.read(path)
    spikes = np.random.default_rng(4).random((3, *network.input_shape, 40))
    case = drawn.Case(network, (spikes < np.array([0.1, 0.02, 0.005])[:, None, None]).astype(np.uint8))
    result = Engine.from_file(path).run(case.spikes, layers=True, probes=network.spiking_names)
    assert all(layer.any() for layer in result.layers)
    with LavaNetwork(path) as lava:
        samples = [found for found in lava.stream(case.spikes) if not isinstance(found, int)]
    for layer, found in zip(result.layers, zip(*samples, strict=True), strict=True):
        np.testing.assert_array_equal(layer, found)
    for number, layers in enumerate(lava_models.run([case])[0]):
        for layer, wanted in layers.items():
            probe = result.probes[layer]
            ours = {key: getattr(probe, key)[number] for key in ("spikes", "u", "v")}
            assert_same_trace(ours, wanted, f"{name}, sample {number}, layer {layer}")


COMPOSED = {
    "conv": (["conv", "conv", "dense"], False),
    "dendrites": (["conv dendrites", "dendrites", "dense"], False),
    "delays": (["delay", "synapse delay"], False),
    "recurrent": (["recurrent", "recurrent"], True),
    "population": (["conv", "dendrites"], True),
}


@pytest.mark.lava
@pytest.mark.slow
def test_lavas_runtime_does_what_its_models_do(drawn, lava_models, lava_runtime_probed, assert_same_trace):
    """All features in one start of Lava, stopped after every step; with a network that wraps and saturates."""
    cases = {name: drawn.busy_case(kinds, 1, 70, population) for name, (kinds, population) in COMPOSED.items()}
    generator = np.random.default_rng(1)
    network = drawn.make_network(generator, "extreme", ["dense", "dendrites"])
    cases["extreme"] = drawn.make_case(generator, "extreme", network, 1, 70)
    assert any(trace.wraps for trace in reference.simulate(network, cases["extreme"].spikes[0]))
    alone = lava_models.run(list(cases.values()))
    together = lava_runtime_probed.run(list(cases.values()), 0)
    for (name, case), (models,), (runtime,) in zip(cases.items(), alone, together, strict=True):
        result = Engine(case.network).run(case.spikes, probes=case.network.spiking_names)
        for layer, trace in runtime.items():
            where = f"{name}: {case}, layer {layer}"
            assert_same_trace(models[layer], trace, f"models, {where}")
            probe = result.probes[layer]
            assert_same_trace({key: getattr(probe, key)[0] for key in trace}, trace, f"engine, {where}")
