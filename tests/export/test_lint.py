"""Every rule of the lint has a file that breaks it and nothing else; a good file breaks none; odd ones never crash."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export import netx
from export.checks import largest_current
from export.graph import Cuba, DenseLayer, InputLayer, Network
from export.lint import explain, lint, require_clean
from export.reference import simulate
from export.rulebook import RULES, UNFIT
from export.stock import stock_weights
from train.errors import CallError, MaestroError


def put(key, value):
    def change(file):
        if key in file:
            del file[key]
        if value is not None:
            file[key] = value

    return change


def several(*changes):
    def change(file):
        for one in changes:
            one(file)

    return change


INPUT_NEURON = {
    "type": b"CUBA",
    "iDecay": 4096,
    "vDecay": 4096,
    "vThMant": 1,
    "refDelay": 1,
    "gradedSpike": False,
}
input_neurons = several(*(put(f"layer/0/neuron/{key}", value) for key, value in INPUT_NEURON.items()))

BROKEN = [
    ("NX001", put("layer/2/type", [b"pool"]), "is of type 'pool'"),
    ("NX001", put("layer/2/type", [b"dense_comp"]), "is of type 'dense_comp'"),
    ("NX001", put("layer/2/type", None), "is of type 'no type'"),
    ("NX001", several(put("layer/6", None), lambda file: file.create_group("layer/6")), "is empty, as SLAYER's KWTA"),
    ("NX001", several(put("layer/4/weight", None), put("layer/4/weight/imag", np.ones((6, 12)))), "complex weights"),
    ("NX002", put("layer/4/neuron/type", b"ALIF"), "has neurons of type 'ALIF'"),
    ("NX002", put("layer/4/neuron", None), "has no neuron, which makes it an integrator that never fires"),
    ("NX002", put("layer/1/neuron", None), "has no neuron"),
    ("NX003", put("layer/1/delay", np.zeros(4)), "is a convolution with delays"),
    ("NX004", put("layer/6/delay", np.zeros(3)), "is recurrent and has delays"),
    ("NX005", put("layer/4/neuron/weight_exp", 6), "was trained with MeanOnlyBatchNorm"),
    ("NX005", put("layer/5/bias", np.full(5, 0.5)), "has a bias that is not whole numbers"),
    ("NX006", put("layer/4/neuron/gradedSpike", True), "sends graded spikes (gradedSpike)"),
    ("NX006", put("layer/4/neuron/messageBits", 8), "sends graded spikes (messageBits)"),
    ("NX007", put("layer/4/weight", np.zeros((6, 12))), "has no weight but zeros"),
    ("NX008", put("layer/1/weight", np.full((4, 2, 3, 1), 2.5)), "has a weight that is not whole numbers"),
    ("NX008", put("layer/4/weight", np.full((6, 12), np.nan)), "has a weight that is not whole numbers"),
    ("NX009", put("layer/1/weight", np.full((4, 2, 3, 1), 3)), "has an odd weight, 3"),
    ("NX009", put("layer/4/weight", np.full((6, 12), 256)), "has a weight of 256 to 256"),
    ("NX009", put("layer/6/weight_rec", np.full((3, 3), -258)), "has a weight_rec of -258 to -258"),
    ("NX010", put("layer/4/weight", np.full((6, 12), -256)), "has a weight of -256 that stock Lava takes as"),
    ("NX011", put("layer/4/neuron/vThMant", 1 << 17), "has vThMant 131072"),
    ("NX011", put("layer/4/neuron/vThMant", [1, 2]), "not one whole number"),
    ("NX012", put("layer/4/neuron/iDecay", 4097), "has iDecay 4097 to 4097"),
    ("NX012", put("layer/4/neuron/vDecay", 0.5), "has an vDecay that is not whole numbers"),
    ("NX013", put("layer/4/delay", np.full(6, 63)), "has delays of 63 to 63 steps"),
    ("NX013", put("layer/4/delay", np.full(6, 0.5)), "has delays that are not whole steps"),
    ("NX014", put("layer/5/bias", np.full(5, 4096)), "has a bias of 4096 to 4096"),
    ("NX015", several(input_neurons, put("layer/0/weight", [[32.0]])), "has a weight of 32, which NetX hands on and"),
    (
        "NX015",
        several(input_neurons, put("layer/0/bias", [[1.0]])),
        "has a bias of 1, which NetX hands on and does not",
    ),
    ("NX015", several(input_neurons, put("layer/0/bias", [[0.5]])), "has a bias that is not one whole number"),
    ("NX015", several(input_neurons, put("layer/0/weight", [64, 64])), "has a weight that is not one whole number"),
    ("NX016", several(input_neurons, put("layer/0/neuron/iDecay", 410)), "has input neurons with iDecay 410"),
    ("NX017", put("layer/5/delay", np.ones(5)), "has delays and a bias"),
    ("NX018", put("layer/4/neuron/refDelay", 2), "has refDelay 2"),
    ("NX019", put("layer/4/neuron/iDecay", 0), "current can reach any size in a run of any length"),
    ("NX021", put("layer/2/groups", 128), "has a groups of 128; Lava's convolution holds up to 127"),
    ("NX021", put("layer/1/padding", [128, 0]), "has a padding of 128"),
    ("NX021", put("layer/1/weight", np.full((4, 2, 128, 1), 2)), "has a kernel of 128"),
    ("NX026", several(put("layer/7/type", [b"average"]), put("layer/7/shape", [3, 1, 1])), "is an average"),
    ("NX027", put("layer/4/neuron/wgtExp", 1), "has wgtExp 1"),
    ("NX020", put("layer/1/shape", [4, 9, 1]), "says its output shape is (4, 9, 1) (expected (4, 7, 1)"),
    ("NX020", put("layer/4/weight", None), "has no dataset 'weight'"),
    ("NX020", put("layer/3", None), "is missing"),
]


@pytest.fixture
def good(small_network, tmp_path):
    path = tmp_path / "model.net"
    netx.write(small_network, path)
    return path


# Their files are broken in test_lint_dendrites.py.
DENDRITES = {"NX022", "NX023", "NX024", "NX025"}


def test_a_good_file_breaks_no_rule(good, cli):
    assert lint(good) == []
    with h5py.File(good, "a") as file:
        input_neurons(file)
    assert lint(good) == []
    result = cli("export", "lint", good)
    assert result.exit_code == 0
    assert "no rule is broken" in result.output


@pytest.mark.parametrize(("code", "change", "text"), BROKEN, ids=[f"{c}-{t[:24]}" for c, _, t in BROKEN])
def test_a_file_breaks_just_the_rule_it_was_made_for(good, cli, code, change, text):
    with h5py.File(good, "a") as file:
        change(file)
    findings = lint(good)
    assert {finding.code for finding in findings} == {code}
    assert text in findings[0].found
    result = cli("export", "lint", good)
    assert result.exit_code == 1
    assert code in result.output
    with pytest.raises(MaestroError, match=rf"layer \d.* breaks rule {code}: .*--explain {code}"):
        require_clean(good)


def test_the_bias_of_input_neurons_has_its_register_too(good):
    with h5py.File(good, "a") as file:
        several(input_neurons, put("layer/0/weight", 64), put("layer/0/bias", 4031))(file)
    assert {finding.code for finding in lint(good)} == {"NX015"}
    with h5py.File(good, "a") as file:
        put("layer/0/bias", 4032)(file)
    assert [finding.found for finding in lint(good) if finding.code == "NX014"] == [
        "has a bias for inputs of 0 and 1 of 4032 to 4096; 13 bits hold -4096 to 4095"
    ]


def test_every_rule_is_tried_and_has_a_page(cli):
    codes = [rule.code for rule in (*RULES, UNFIT)]
    assert sorted(codes) == sorted(set(codes))
    assert {code for code, _, _ in BROKEN} == set(codes) - DENDRITES
    for rule in (*RULES, UNFIT):
        page = cli("export", "lint", "--explain", rule.code)
        assert page.exit_code == 0
        assert rule.reason in page.output
        assert rule.cure in page.output
    assert explain("nx001") == explain("NX001")
    with pytest.raises(CallError, match=r"rule NX999: unknown .expected one of NX001, "):
        explain("NX999")


def test_findings_for_machines(good, cli):
    with h5py.File(good, "a") as file:
        put("layer/4/neuron/refDelay", 2)(file)
    result = cli("export", "lint", good, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["findings"][0]["code"] == "NX018"
    assert report["findings"][0]["where"] == "layer 4 (late, dense)"
    assert report["steps"] is None


def test_what_is_no_network_is_one_line(tmp_path, good, cli):
    cut = tmp_path / "cut.net"
    cut.write_bytes(good.read_bytes()[:3000])
    for path in (cut, tmp_path / "none.net"):
        result = cli("export", "lint", path)
        assert result.exit_code == 1
        assert result.output.startswith(f"error: {path}: ")
        assert result.output.count("\n") == 1
    assert cli("export", "lint").exit_code == 2


def test_the_length_of_a_run_comes_from_the_manifest_beside(good, cli):
    with h5py.File(good, "a") as file:
        put("layer/4/neuron/iDecay", 0)(file)
    assert cli("export", "lint", good).exit_code == 1
    assert cli("export", "lint", good, "--steps", "94").exit_code == 0
    (good.parent / "manifest.json").write_text('{"steps": 94}')
    assert cli("export", "lint", good).exit_code == 0
    (good.parent / "manifest.json").write_text("{")
    result = cli("export", "lint", good)
    assert result.exit_code == 1
    assert "cannot be read as JSON" in result.output


@pytest.mark.parametrize(("i_decay", "steps"), [(0, 30), (41, 30), (410, 200), (4096, 5)])
def test_no_current_exceeds_its_bound_and_the_worst_comes_near(i_decay, steps):
    weight = np.array([[100, -2, 254], [-256, -100, 0], [0, 0, 0]])
    network = Network((InputLayer((3,)), DenseLayer(weight, Cuba(i_decay, 0, 131071))), ("input", "layer"))
    for sign in (1, -1):
        part = np.maximum(sign * weight, 0)
        worst = DenseLayer(sign * part, network.layers[1].neuron)
        (trace,) = simulate(
            Network((network.layers[0], worst), network.names), np.ones((3, steps + 1), np.uint8), probes=True
        )
        bound = largest_current(part.sum(axis=1), np.array([i_decay]), steps)
        reached = np.abs(trace.u).max(axis=1)
        assert (reached <= bound).all()
        assert (reached >= bound - steps).all()
        assert (largest_current(part.sum(axis=1), np.array([i_decay]), None) >= bound).all()


def test_a_current_that_wraps_in_the_reference_is_refused_before(tmp_path):
    weight = np.full((1, 300), 254)
    network = Network((InputLayer((300,)), DenseLayer(weight, Cuba(41, 0, 131071))), ("input", "layer"))
    netx.write(network, tmp_path / "model.net")
    assert simulate(network, np.ones((300, 20), np.uint8))[0].wraps
    (finding,) = lint(tmp_path / "model.net", steps=20)
    assert finding.code == "NX019"
    assert "neuron 0's current can reach" in finding.found
    assert "in 20 steps; 24 bits hold 8388608" in finding.found
    assert lint(tmp_path / "model.net", steps=1) == []


@pytest.mark.parametrize(
    ("weight", "altered"),
    [
        ([[-4, 0, -2]], [[-3, 0, -2]]),
        ([[-256, -2]], [[-254, -2]]),
        ([[-128, -128]], [[0, 0]]),
        ([[-4, 2, 0]], [[-4, 2, 0]]),
        ([[254, 2, 0]], [[254, 2, 0]]),
        ([[-256, 254]], [[-256, 254]]),
    ],
)
def test_weights_as_stock_lava_takes_them(weight, altered):
    assert stock_weights(np.array(weight))[0].tolist() == altered


@settings(derandomize=True, max_examples=50)
@given(st.lists(st.integers(-128, 127), min_size=2, max_size=12).filter(lambda w: min(w) < 0 < max(w)))
def test_weights_of_both_signs_are_taken_as_they_are(halves):
    weight = 2 * np.array([halves])
    assert stock_weights(weight)[0].tolist() == weight.tolist()


ODD = [
    np.zeros((0, 3)),
    np.zeros((2, 2, 2, 2, 2)),
    np.array(b"text"),
    np.array([b"a", b"b"]),
    np.array(np.nan),
    np.array([np.inf, 1e300]),
    np.array(-(2**62)),
    np.array(2**63, dtype=np.uint64),
    np.array(1 + 2j),
    np.array([True, False]),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]),
    None,
]


@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_odd_files_are_judged_and_never_crash(good, tmp_path, data):
    path = tmp_path / "odd.net"
    path.write_bytes(good.read_bytes())
    with h5py.File(path, "a") as file:
        keys = []
        file.visit(keys.append)
        for key in data.draw(st.lists(st.sampled_from(sorted(keys)), min_size=1, max_size=3)):
            if key in file:
                del file[key]
            value = data.draw(st.sampled_from(range(len(ODD))))
            if ODD[value] is not None and "/".join(key.split("/")[:-1]) in ("", *keys):
                try:
                    file[key] = ODD[value]
                except (ValueError, RuntimeError, OSError):
                    continue
    try:
        findings = lint(path)
    except MaestroError:
        with h5py.File(path) as file:
            assert not isinstance(file.get("layer"), h5py.Group) or not len(file["layer"])
    else:
        assert all("\n" not in str(finding) for finding in findings)


def test_a_file_overwritten_inside_is_refused_in_one_line(tmp_path):
    path = tmp_path / "model.net"
    layers = (InputLayer((4,)), DenseLayer(np.full((3, 4), 64), Cuba(200, 100, 60)))
    netx.write(Network(layers, ("input", "dense")), path)
    parts = path.read_bytes().split(b"SNOD")
    found = []
    for cut in range(1, len(parts)):
        path.write_bytes(b"SNOD".join(parts[:cut]) + b"XXXX" + b"SNOD".join(parts[cut:]))
        try:
            found += map(str, lint(path))
        except MaestroError as error:
            found.append(str(error))
    assert len(found) >= len(parts) - 1
    assert any("model.net: is damaged: " in text and "Export it again" in text for text in found)
