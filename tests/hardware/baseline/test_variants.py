"""Variants give what the network gives, or say why they cannot be had."""

import contextlib

import numpy as np
import pytest
import torch

from hardware.baseline import forms, timing, variants
from hardware.baseline.device import Device
from hardware.baseline.forms import Graph, InPieces, ProductAnn
from hardware.baseline.subject import batches_of, subjects_of
from hardware.baseline.timing import Ready, make_ready, reference_scores
from hardware.baseline.variants import CannotError, Variant, variants_of
from train.config import Config, NetworkConfig
from train.plan import plan_layers
from train.topology import AnnNetwork

CPU = Device("cpu", "a processor", 1, "none")
COMPILED = {"compiled", "compiled_1", "half"}


@pytest.fixture
def subjects(make_run, quick):
    return subjects_of(make_run("lif"), quick)


def ready(subject, variant, spikes):
    return make_ready(subject, variant, CPU, spikes, reference_scores(subject, spikes))


@pytest.mark.parametrize(
    ("channels", "kernels", "pools", "dense", "features"),
    [((3, 4), (3, 5), (2, 2), (7,), 9), ((2,), (1,), (3,), (), 7), ((4, 2), (5, 3), (1, 2), (6, 5), 8)],
)
def test_products_are_the_network(channels, kernels, pools, dense, features):
    sizes = {"conv_channels": channels, "conv_kernels": kernels, "pools": pools, "dense": dense}
    config = Config(name="ann", network=NetworkConfig(neuron="ann", **sizes))
    torch.manual_seed(1)
    network = AnnNetwork(config, plan_layers(config.network, 2, features, 5)).eval()
    x = (torch.rand(19, 2, features, 1, 11) < 0.3).float()
    with torch.inference_mode():
        torch.testing.assert_close(ProductAnn(network).eval()(x), network(x), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(InPieces(ProductAnn(network), 4)(x), network(x), rtol=1e-4, atol=1e-5)


def test_all_that_need_no_compiler_decide_alike(subjects):
    spikes = subjects.spikes[:5]
    for subject in subjects.networks:
        for name, variant in variants_of(subject, "cpu").items():
            if name not in COMPILED:
                assert isinstance(ready(subject, variant, spikes), Ready), (subject.key, name)


@pytest.mark.slow
def test_a_compiled_one_decides_alike(subjects):
    ann = subjects.networks[0]
    # One clip: each shape would be compiled anew.
    found = ready(ann, variants_of(ann, "cpu")["compiled_1"], subjects.spikes[:1])
    assert isinstance(found, Ready), found
    # Numbers are in this process as they were before.
    assert np.float64(5e-324) * 1 > 0


def test_without_a_compiler(subjects, monkeypatch):
    monkeypatch.setattr(variants.shutil, "which", lambda _name: None)
    ann = subjects.networks[0]
    for name in COMPILED:
        found = ready(ann, variants_of(ann, "cpu")[name], subjects.spikes[:5])
        assert found == "torch.compile needs a C++ compiler, and there is none"


def test_without_an_export(subjects):
    snn = subjects.networks[1]
    snn.run.net.unlink()
    found = ready(snn, variants_of(snn, "cpu")["engine"], subjects.spikes[:5])
    assert found == "the run is not exported: it has no model.net"


def test_one_that_decides_otherwise_is_refused(subjects):
    ann = subjects.networks[0]
    give = variants_of(ann, "cpu")["eager"].give
    wrong = Variant("wrong", lambda subject, _: lambda x: -subject.network.scores(x), give)
    found = ready(ann, wrong, subjects.spikes[:5])
    assert found == "decides otherwise than the network as written on 5 of 5 clips"
    none = Variant("no number", lambda subject, _: lambda x: subject.network.scores(x) * float("nan"), give)
    assert "on 5 of 5 clips" in ready(ann, none, subjects.spikes[:5])


def test_one_that_fails_is_told_and_no_more(subjects):
    def build(_subject, _threads):
        raise RuntimeError("no kernel\n for this")

    found = ready(subjects.networks[0], Variant("broken", build, np.asarray), subjects.spikes[:5])
    assert found == "cannot be run: RuntimeError: no kernel for this"

    def cannot(_subject, _threads):
        raise CannotError("not here")

    assert ready(subjects.networks[0], Variant("x", cannot, np.asarray), subjects.spikes[:5]) == "not here"


def test_ties_within_the_precision_are_no_other_decision(subjects):
    ann = subjects.networks[0]
    expected = np.zeros((1, sum(stop - start for start, stop in ann.heads.values())), np.float32)
    expected[0, :2] = 1.0, 0.999
    found = expected.copy()
    found[0, 0] = 0.998
    assert timing._differing(found, expected, ann) == 0
    expected[0, 1] = 0.9
    found[0, 0] = 0.8
    assert timing._differing(found, expected, ann) == 1


def test_a_spiking_networks_scores_are_counts_and_have_no_precision(subjects):
    snn = subjects.networks[1]
    expected = np.zeros((1, sum(stop - start for start, stop in snn.heads.values())), np.float32)
    expected[0, :2] = 1000, 999
    found = expected.copy()
    found[0, 0] = 998
    assert timing._differing(found, expected, snn) == 1
    assert timing._differing(expected, expected, snn) == 0


def test_what_runs_in_tf32_says_so(subjects):
    for subject in subjects.networks:
        for name, variant in variants_of(subject, "cuda").items():
            assert ("TF32" in variant.what) == ("float16" not in variant.what), name


def test_batches_are_different_clips_in_turn():
    spikes = np.arange(10, dtype=np.uint8).reshape(10, 1)
    assert [batch.ravel().tolist() for batch in batches_of(spikes, 4)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [batch.ravel().tolist() for batch in batches_of(spikes, 12)] == [[*range(10), 0, 1]]


class FakeGraph:
    """Replays what was recorded by running it again on the recorded memory."""

    def replay(self):
        self.found.copy_(self.module(self.given))


def test_a_recorded_graph_reads_and_writes_its_own_memory(monkeypatch):
    """Without a GPU: that inputs are copied in, one recording a shape, and results follow the inputs."""
    recorded = []
    module = torch.nn.Linear(3, 2)

    @contextlib.contextmanager
    def recording(graph):
        recorded.append(graph)
        yield

    class Stream:
        def wait_stream(self, _other):
            pass

    for name, value in {
        "Stream": Stream,
        "current_stream": Stream,
        "stream": lambda _stream: contextlib.nullcontext(),
        "CUDAGraph": FakeGraph,
        "graph": recording,
    }.items():
        monkeypatch.setattr(forms.torch.cuda, name, value, raising=False)
    graph = Graph(module)
    record = graph._record

    def record_and_bind(x):
        made, made.given, made.found = record(x)
        made.module = module
        return made, made.given, made.found

    monkeypatch.setattr(graph, "_record", record_and_bind)
    with torch.inference_mode():
        for rows in (2, 5, 2):
            x = torch.randn(rows, 3)
            torch.testing.assert_close(graph(x), module(x))
    assert len(recorded) == 2
