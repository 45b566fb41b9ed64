"""The rules for analog dendrites, each with a file that breaks it; and the tools say that they need the simulator."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import netx
from export.checks import largest_current
from export.graph import DenseLayer, DhLif, InputLayer, Network
from export.lint import dendritic, lint, require_clean
from export.reference import simulate
from train.errors import MaestroError

NEVER = 131071


def put(key, value):
    def change(file):
        if key in file:
            del file[key]
        if value is not None:
            file[key] = value

    return change


def root(value):
    def change(file):
        if value is None:
            del file.attrs["dendrites"]
        else:
            file.attrs["dendrites"] = value

    return change


def as_cuba(file):
    """As a tool might that knows the neuron and not the group."""
    put("layer/4/neuron/type", b"CUBA")(file)
    file["layer/4/neuron/iDecay"] = 410


def in_every_branch(file):
    weight = file["layer/4/weight"][:]
    weight[0, 5] = weight[6, 5] = weight[2, 7] = weight[8, 7] = 2
    put("layer/4/weight", weight)(file)


BROKEN = [
    ("NX002", put("layer/4/neuron/type", b"DH"), "has neurons of type 'DH'; known here are CUBA, LOIHI, DH-LIF"),
    ("NX002", put("layer/4/type", [b"dense_rec"]), "has neurons of type 'DH-LIF'; known here are CUBA, LOIHI"),
    ("NX003", put("layer/1/delay", np.zeros(4)), "is a convolution with delays"),
    ("NX007", put("layer/4/weight", np.zeros((12, 12))), "has no weight but zeros"),
    ("NX009", put("layer/1/weight", np.eye(12, 6).reshape(12, 2, 3, 1)), "has an odd weight, 1"),
    ("NX010", put("layer/4/weight", -4 * np.eye(12)), "has a weight of -4 that stock Lava takes as -2"),
    ("NX011", put("layer/4/neuron/vThMant", 1 << 17), "has vThMant 131072"),
    ("NX012", put("layer/4/dendrite/iDecay", [3000, 4097]), "has dendrite/iDecay 3000 to 4097"),
    ("NX012", put("layer/4/dendrite/iDecay", [0.5, 2]), "has an dendrite/iDecay that is not whole numbers"),
    ("NX012", put("layer/1/neuron/vDecay", -1), "has vDecay -1 to -1"),
    ("NX014", put("layer/4/bias", np.full(6, 4096)), "has a bias of 4096 to 4096"),
    ("NX018", put("layer/4/neuron/refDelay", 2), "has refDelay 2"),
    ("NX020", put("layer/4/dendrite/numBranches", 3), "has 3 branches and decays of shape (2,)"),
    ("NX020", put("layer/4/dendrite/gain", None), "has no dataset 'gain'"),
    ("NX020", put("layer/4/delay", np.zeros(6)), "has dendrites and delays"),
    ("NX022", put("layer/4/dendrite", None), "has DH-LIF neurons and no group `dendrite`"),
    ("NX022", as_cuba, "has a group `dendrite` and neurons of type 'CUBA', which are run without branches"),
    ("NX022", root(None), "has DH-LIF neurons, and the file's root says nothing of 'dendrites'"),
    ("NX022", root("spiking"), "has DH-LIF neurons, and the file's root says 'spiking' of 'dendrites'"),
    ("NX022", root(7), "the file's root says '7' of 'dendrites'; it should say 'analog'"),
    ("NX023", put("layer/4/dendrite/gain", [0, 7]), "has branch gains of 0 to 7; they must lie in 0 to 6"),
    ("NX023", put("layer/1/dendrite/gain", [0, -1, 3]), "has branch gains of -1 to 3"),
    ("NX023", put("layer/4/dendrite/gain", [0, 0.5]), "has a branch gain that is not a whole number"),
    ("NX024", in_every_branch, "neuron 0 takes its input 5 in 2 branches, and 1 more"),
    ("NX025", put("layer/4/dendrite/iDecay", [3000, 0]), "current in branch 1 can reach any size in a run of any len"),
]


@pytest.fixture
def good(dendritic_network, tmp_path):
    path = tmp_path / "model.net"
    netx.write(dendritic_network, path)
    return path


def test_a_good_file_breaks_no_rule_and_is_said_to_need_the_simulator(good, cli):
    assert lint(good) == []
    assert dendritic(good) == ("conv1", "dense1")
    result = cli("export", "lint", good)
    assert result.exit_code == 0
    note, verdict = result.output.splitlines()
    assert note.startswith(
        "simulator only: conv1, dense1 have analog dendrites, which on Loihi 2 would need neuron micro"
    )
    assert note.endswith("for the chip train spiking dendrites (`fit dh_lif_spiking`)")
    assert verdict.endswith("no rule is broken")
    report = json.loads(cli("export", "lint", good, "--json").stdout)
    assert report["simulator_only"] == ["conv1", "dense1"]
    assert report["findings"] == []


def test_a_stock_file_is_not_said_to_need_it(small_network, tmp_path, cli):
    netx.write(small_network, tmp_path / "model.net")
    assert "simulator" not in cli("export", "lint", tmp_path / "model.net").output
    assert json.loads(cli("export", "lint", tmp_path / "model.net", "--json").stdout)["simulator_only"] == []


@pytest.mark.parametrize(("code", "change", "text"), BROKEN, ids=[f"{c}-{t[:24]}" for c, _, t in BROKEN])
def test_a_file_breaks_just_the_rule_it_was_made_for(good, code, change, text):
    with h5py.File(good, "a") as file:
        change(file)
    findings = lint(good)
    assert {finding.code for finding in findings} == {code}
    assert text in findings[0].found
    with pytest.raises(MaestroError, match=rf"layer \d.* breaks rule {code}: .*--explain {code}"):
        require_clean(good)


ODD = [
    np.zeros((0, 3)),
    np.zeros((2, 2, 2)),
    np.array(b"text"),
    np.array([np.nan, np.inf]),
    np.array([-(2**62), 2**62]),
    np.array([2, 2, 2]),
    np.array(0),
    np.array(-1),
    np.array([1 + 2j]),
    None,
]


@pytest.mark.parametrize("key", ["dendrite/numBranches", "dendrite/iDecay", "dendrite/gain", "weight", "neuron/type"])
def test_odd_contents_are_judged_and_never_crash(good, key):
    for value in ODD:
        with h5py.File(good, "a") as file:
            put(f"layer/4/{key}", value)(file)
        findings = lint(good)
        assert findings
        assert all("\n" not in str(finding) for finding in findings)


def test_odd_roots_are_judged_and_never_crash(good):
    for value in (np.zeros(300), np.array([b"analog"]), 3, ""):
        with h5py.File(good, "a") as file:
            file.attrs["dendrites"] = value
        findings = lint(good)
        assert {finding.code for finding in findings} == {"NX022"}
        assert all("\n" not in str(finding) for finding in findings)
        with pytest.raises(MaestroError, match=r"root: has an attribute 'dendrites' of "):
            netx.read(good)


def test_a_root_that_promises_dendrites_which_no_layer_has(small_network, tmp_path):
    path = tmp_path / "model.net"
    netx.write(small_network, path)
    with h5py.File(path, "a") as file:
        file.attrs["dendrites"] = "analog"
    (finding,) = lint(path)
    assert str(finding) == "NX020 root: says analog dendrites, and no layer has any. Export the network again"


def one_layer(weight, i_decay, gain, neurons):
    layer = DenseLayer(np.asarray(weight), DhLif(np.array(i_decay), np.array(gain), 0, NEVER))
    return Network((InputLayer((layer.weight.shape[1],)), layer), ("input", "layer"))


@settings(derandomize=True, max_examples=30, deadline=None)
@given(data=st.data())
def test_no_branch_and_no_sum_exceeds_its_bound_and_the_worst_comes_near(data):
    branches, inputs = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    steps = data.draw(st.integers(1, 30))
    generator = np.random.default_rng(data.draw(st.integers(0, 999)))
    decay, gain = generator.choice([0, 41, 410, 4096], branches), generator.integers(0, 7, branches)
    weight = 2 * generator.integers(0, 128, (branches, inputs))
    sign = data.draw(st.sampled_from([1, -1]))
    network = one_layer(sign * weight, decay, gain, 1)
    (trace,) = simulate(network, np.ones((inputs, steps + 1), np.uint8), probes=True)
    bound = largest_current(weight.sum(axis=1), decay, steps, gain)
    reached = np.abs(trace.u[:, 0])
    assert (reached.max(axis=1) <= bound).all()
    assert (reached.max(axis=1) >= bound - steps).all()
    assert np.abs(trace.u.sum(axis=0)).max() >= bound.sum() - branches * steps


def test_a_branch_that_wraps_in_the_reference_is_refused_before(tmp_path):
    weight = np.zeros((4, 300), np.int64)
    weight[3, :] = 254
    weight[0, 0] = 2
    network = one_layer(weight, [4096, 41], [0, 0], 2)
    netx.write(network, tmp_path / "model.net")
    wraps = simulate(network, np.ones((300, 20), np.uint8))[0].wraps
    assert {wrap.register for wrap in wraps} == {"branch 1 current"}
    weight[0, 0] = 0
    netx.write(one_layer(weight, [4096, 41], [0, 0], 2), tmp_path / "model.net")
    (finding,) = lint(tmp_path / "model.net", steps=20)
    assert finding.code == "NX025"
    assert "neuron 1's current in branch 1 can reach" in finding.found
    assert "in 20 steps; 24 bits hold 8388608" in finding.found
    assert lint(tmp_path / "model.net", steps=1) == []


def test_a_sum_that_wraps_in_the_reference_is_refused_before(tmp_path):
    """No branch leaves its 24 bits, their sum does."""
    weight = np.kron(np.eye(2, dtype=np.int64), np.full((1, 300), 254))
    network = one_layer(weight, [4096, 4096], [0, 0], 1)
    netx.write(network, tmp_path / "model.net")
    (trace,) = simulate(network, np.ones((600, 3), np.uint8), probes=True)
    assert trace.u.max() == 300 * 254 * 64 < 1 << 23
    assert {wrap.register for wrap in trace.wraps} == {"branch sum"}
    (finding,) = lint(tmp_path / "model.net")
    assert finding.code == "NX025"
    assert finding.found == "neuron 0's sum of branches can reach 9753600 in a run of any length; 24 bits hold 8388608"


def test_a_gain_keeps_a_slow_branch_within_its_bits(tmp_path):
    weight = np.kron(np.eye(2, dtype=np.int64), np.full((1, 20), 254))
    for gain, codes in ((0, ["NX025"]), (6, [])):
        netx.write(one_layer(weight, [4096, 80], [0, gain], 1), tmp_path / "model.net")
        assert [finding.code for finding in lint(tmp_path / "model.net")] == codes


def test_signs_do_not_add_up(tmp_path):
    """What one branch excites and another inhibits is bounded sign by sign."""
    weight = np.kron(np.diag([1, -1]), np.full((1, 300), 254))
    netx.write(one_layer(weight, [4096, 4096], [0, 0], 1), tmp_path / "model.net")
    assert lint(tmp_path / "model.net") == []
