"""What a run of the engine gives, and how it is told to run; that its numbers are right is for tests/parity."""

import threading

import numpy as np
import pytest

from export import netx, reference
from export.graph import Cuba, DenseLayer, InputLayer, Network
from lava_runtime.engine.engine import Engine
from train.errors import MaestroError


@pytest.fixture(scope="module")
def case(drawn):
    """A network with a readout, and 9 samples of 40 steps."""
    return drawn.busy_case(["conv", "dendrites", "dense"], 9, 40, readout=True, seed=3)


def names_of(case):
    return case.network.spiking_names


def test_what_an_engine_says_of_its_network(case):
    engine = Engine(case.network, threads=2)
    assert engine.network is case.network
    assert engine.names == names_of(case)
    assert engine.layer_sizes == tuple(int(np.prod(layer.shape)) for _, layer in case.network.spiking)
    assert engine.threads == 2
    assert Engine(case.network).threads >= 1


def test_from_a_file(case, tmp_path):
    netx.write(case.network, tmp_path / "model.net")
    found = Engine.from_file(tmp_path / "model.net", threads=1, memory_bytes=1 << 26).run(case.spikes)
    wanted = Engine(case.network).run(case.spikes)
    np.testing.assert_array_equal(found.output, wanted.output)
    np.testing.assert_array_equal(found.readout, wanted.readout)
    with pytest.raises(MaestroError, match=r"none\.net: no such file.*export netx"):
        Engine.from_file(tmp_path / "none.net")


def test_only_what_is_asked_for(case):
    engine, names = Engine(case.network), names_of(case)
    bare = engine.run(case.spikes)
    assert (bare.layers, dict(bare.probes)) == ((), {})
    assert bare.output.shape == (9, case.network.output_size, 40)
    assert bare.counts.shape == (9, len(names))
    assert bare.readout.shape == (9, *case.network.readout.shape, 40)
    full = engine.run(case.spikes, layers=True, probes=names[:1], probe_samples=[2, 7])
    assert [layer.shape for layer in full.layers] == [(9, *layer.shape, 40) for _, layer in case.network.spiking]
    assert all(layer.dtype == np.uint8 for layer in full.layers)
    assert list(full.probes) == [names[0]]
    np.testing.assert_array_equal(bare.output, full.output)
    np.testing.assert_array_equal(full.layers[-1].reshape(full.output.shape), full.output)
    assert not engine.run(case.spikes, probes=names, probe_samples=[]).probes


def test_probes_have_the_layers_own_shape(case):
    probes = Engine(case.network).run(case.spikes, probes=names_of(case)[::-1], probe_samples=[1, 4, 8]).probes
    for name, layer in case.network.spiking:
        shape = (3, *layer.shape, 40)
        branches = getattr(layer.neuron, "branches", 0)
        assert probes[name].spikes.shape == probes[name].v.shape == shape
        assert probes[name].u.shape == ((3, branches, *layer.shape, 40) if branches else shape)
        assert (probes[name].spikes.dtype, probes[name].u.dtype, probes[name].v.dtype) == (np.uint8, np.int32, np.int32)
        for place, sample in enumerate((1, 4, 8)):
            traces = {trace.name: trace for trace in reference.simulate(case.network, case.spikes[sample], True)}
            np.testing.assert_array_equal(probes[name].v[place], traces[name].v)


def test_the_order_of_samples_is_the_callers(case):
    """Whichever core is done first."""
    engine = Engine(case.network, threads=4)
    wanted = engine.run(case.spikes).output
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(9), 30))
    np.testing.assert_array_equal(engine.run(case.spikes[order]).output, wanted[order])


def test_engines_and_threads_share_nothing(case):
    engine = Engine(case.network, threads=2)
    wanted = engine.run(case.spikes).output
    found = {}

    def work(number):
        found[number] = [engine.run(case.spikes[number:]).output for _ in range(5)]

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for number, outputs in found.items():
        for output in outputs:
            np.testing.assert_array_equal(output, wanted[number:])


def test_blocks_may_be_left_early(case):
    many = np.repeat(case.spikes, 40, axis=0)
    before = threading.active_count()
    blocks = Engine(case.network, threads=2).blocks(many)
    next(blocks)
    blocks.close()
    assert threading.active_count() == before


def test_spikes_may_lie_in_a_file(case, tmp_path):
    np.save(tmp_path / "x.npy", case.spikes)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(Engine(case.network).run(mapped).output, Engine(case.network).run(case.spikes).output)


def test_an_error_names_the_sample_whichever_block_it_is_in(case):
    many = np.repeat(case.spikes, 20, axis=0)
    many[171, 0, 0, 0, 33] = 7
    with pytest.raises(MaestroError, match=r"^input spikes: hold 7 in sample 171, step 33 \(expected 0 and 1;"):
        Engine(case.network, threads=2).run(many)
    # What comes before it is given out.
    done = []
    with pytest.raises(MaestroError, match="sample 171"):
        done.extend(len(block.output) for block in Engine(case.network, threads=2).blocks(many))
    assert 0 < sum(done) <= 171


def test_auto_takes_the_cheaper_way_by_density():
    """A wide layer is multiplied where all of its input fires and handled by events where little does."""
    generator = np.random.default_rng(0)
    weight = 2 * generator.integers(-30, 30, (256, 512))
    network = Network((InputLayer((512,)), DenseLayer(weight, Cuba(400, 200, 90))), ("input", "dense"))
    paths = {}
    for rate in (0.001, 1.0):
        spikes = (generator.random((16, 512, 50)) < rate).astype(np.uint8)
        found = Engine(network, threads=1).run(spikes)
        paths[rate] = found.tally.layers["dense"].path
        np.testing.assert_array_equal(found.output, Engine(network, threads=1).run(spikes, path="events").output)
    assert paths == {0.001: "events", 1.0: "dense"}
