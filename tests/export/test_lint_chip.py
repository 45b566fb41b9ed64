"""The rules of the chip: each has a file or a run that breaks it, and one at its edge that does not."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export import netx
from export.chip_rules import CHIP_RULES
from export.graph import ConvLayer, Cuba, DenseLayer, InputLayer, Network
from export.limits import WEIGHT_EXP_MAX, WEIGHT_EXP_MIN, WEIGHT_MAX, WEIGHT_MIN
from export.lint import errors, lint, require_clean
from export.rulebook import ERROR, RULES, WARNING
from export.schedule import outlives_reset, schedule
from export.stock import netx_scaling
from train.errors import MaestroError

STEPS = 94


def put(key, value):
    def change(file):
        if key in file:
            del file[key]
        file[key] = value

    return change


def input_neurons(file):
    values = {"type": b"CUBA", "iDecay": 4096, "vDecay": 4095, "vThMant": 1, "refDelay": 1, "gradedSpike": False}
    for key, value in values.items():
        file[f"layer/0/neuron/{key}"] = value


def recurrent(file):
    put("layer/4/type", [b"dense_rec"])(file)
    file["layer/4/weight_rec"] = np.full((3, 3), 2)


# A change, what breaks beside the rules of other files, and the text.
BROKEN = [
    ("HW003", put("layer/3/bias", [0, 0, 1, 0, 0]), set(), "has a bias, which drives its neurons between two samples"),
    ("HW003", put("layer/3/delay", [0, 0, 1, 0, 0]), {"HW008"}, "has delays, out of which spikes come after the"),
    ("HW003", recurrent, set(), "is recurrent, and sends itself spikes across the reset"),
    ("HW003", input_neurons, set(), "has neurons that are driven by their bias, which the reset leaves"),
    ("HW004", put("layer/3/neuron/type", b"ALIF"), {"NX002"}, "has neurons of type 'ALIF', which no public material"),
    ("HW005", put("layer/3/neuron/messageBits", 33), {"NX006"}, "sends messages of 33 bits; a spike of the chip's"),
    ("HW006", put("layer/3/neuron/vDecay", 4096), set(), "has vDecay 4096; its register holds up to 4095"),
    (
        "HW007",
        put("layer/3/neuron/vDecay", [9, 9, 8, 7, 7]),
        set(),
        "has 5 numbers for vDecay, 3 of them different, in one population",
    ),
    ("HW007", put("layer/3/neuron/vDecay", [9] * 5), set(), "has 5 numbers for vDecay, all the same, in one populat"),
    ("HW007", put("layer/1/neuron/iDecay", [9, 9, 8, 7]), set(), "has 4 numbers for iDecay, 3 of them different"),
    ("HW008", put("layer/3/delay", [0, 0, 0, 0, 0]), set(), "is a dense layer with delays, which NetX makes a DelayD"),
    (
        "HW009",
        lambda file: (put("layer/1/weight", np.full((4, 1, 3, 1), 2))(file), put("layer/1/groups", 2)(file)),
        set(),
        "is a convolution in 2 groups",
    ),
    (
        "HW009",
        lambda file: (put("layer/1/dilation", [2, 1])(file), put("layer/1/padding", [2, 0])(file)),
        set(),
        "is a convolution with dilation 2",
    ),
]
# At the edge of the rule: the file breaks nothing, or nothing but what is named.
KEPT = [
    ("HW003", put("layer/3/bias", np.zeros(5, int)), set()),
    ("HW003", put("layer/3/delay", np.zeros(5, int)), {"HW008"}),
    ("HW004", put("layer/3/neuron/type", b"LOIHI"), set()),
    ("HW004", put("layer/3/neuron/type", b"SDNN"), {"NX002"}),
    ("HW005", put("layer/3/neuron/messageBits", 32), {"NX006"}),
    ("HW006", put("layer/3/neuron/vDecay", 4095), set()),
    ("HW006", put("layer/3/neuron/iDecay", 4096), set()),
    ("HW007", put("layer/3/neuron/vDecay", [9]), set()),
    ("HW009", put("layer/1/groups", 1), set()),
]


def codes(findings):
    return {finding.code for finding in findings}


def test_a_clean_file_is_clean_for_the_chip(clean, cli):
    assert lint(clean, STEPS, chip=True) == []
    assert require_clean(clean, STEPS, chip=True) == []
    result = cli("export", "lint", clean, "--chip", "--steps", STEPS)
    assert result.exit_code == 0
    assert result.output == f"{clean}: no rule is broken\n"


@pytest.mark.parametrize(("code", "change", "beside", "text"), BROKEN, ids=[f"{c}-{t[:20]}" for c, _, _, t in BROKEN])
def test_a_file_breaks_just_the_rule_it_was_made_for(clean, cli, code, change, beside, text):
    with h5py.File(clean, "a") as file:
        change(file)
    findings = lint(clean, STEPS, chip=True)
    assert codes(findings) == {code} | beside
    assert codes(lint(clean, STEPS)) == {found for found in beside if found.startswith("NX")}
    (finding,) = [finding for finding in findings if finding.code == code]
    assert text in finding.found
    result = cli("export", "lint", clean, "--chip", "--steps", STEPS)
    refused = bool(errors(findings))
    assert result.exit_code == (1 if refused else 0)
    assert str(finding) in result.output
    if refused:
        with pytest.raises(MaestroError, match=r"layer \d.* breaks rule [NH][XW]\d+: .*--explain"):
            require_clean(clean, STEPS, chip=True)
    else:
        assert require_clean(clean, STEPS, chip=True) == findings
        assert f"{code} warning, layer " in str(finding)


@pytest.mark.parametrize(("code", "change", "beside"), KEPT)
def test_at_its_edge_a_rule_is_kept(clean, code, change, beside):
    with h5py.File(clean, "a") as file:
        change(file)
    assert codes(lint(clean, STEPS, chip=True)) == beside
    assert code not in beside


@pytest.mark.parametrize(
    ("period", "code", "text"),
    [
        (100, "HW001", "has a period of 100 steps, which is no power of two"),
        (0, "HW001", "has a period of 0 steps, which is no power of two"),
        (-128, "HW001", "has a period of -128 steps"),
        (64, "HW002", "has a period of 64 steps, shorter than a sample of 94"),
        (128, None, None),
        (256, None, None),
    ],
)
def test_the_period_is_judged(clean, cli, period, code, text):
    findings = lint(clean, STEPS, chip=True, period=period)
    assert codes(findings) == ({code} if code else set())
    result = cli("export", "lint", clean, "--chip", "--steps", STEPS, "--period", period)
    assert result.exit_code == bool(code)
    if code:
        assert text in findings[0].found
        assert f"{code} the run: {text}" in result.output
        with pytest.raises(MaestroError, match=f"the run breaks rule {code}"):
            require_clean(clean, STEPS, chip=True, period=period)


def test_the_gap_is_the_schedules(clean):
    """One step more than fits a period breaks the rule."""
    fits = max(steps for steps in range(1, 128) if schedule(steps, 3).period == 128)
    assert lint(clean, fits, chip=True, period=128) == []
    (finding,) = lint(clean, fits + 1, chip=True, period=128)
    assert finding.code == "HW002"
    assert f"leaves {127 - fits} steps after a sample of {fits + 1}" in finding.found
    assert "(expected at least 129)" in finding.found


def test_what_is_not_known_of_a_run_is_said_and_not_judged(clean, cli):
    result = cli("export", "lint", clean, "--chip", "--period", 16)
    assert result.exit_code == 0
    assert "how long a sample is is not known, so that the gap of HW002 is not judged: give --steps" in result.stderr
    assert json.loads(cli("export", "lint", clean, "--chip", "--json").stdout)["chip"]["schedule"] is None
    (clean.parent / "manifest.json").write_text('{"steps": 94}')
    assert cli("export", "lint", clean, "--chip", "--period", 16).exit_code == 1


def test_a_period_is_the_chips(clean, cli):
    result = cli("export", "lint", clean, "--period", 128)
    assert result.exit_code == 2
    assert "lint: --period is given without --chip. Add --chip: the simulator takes any period" in result.output


def test_files_that_are_none_are_refused_as_ever(tmp_path, clean, cli):
    cut = tmp_path / "cut.net"
    cut.write_bytes(clean.read_bytes()[:3000])
    for path in (cut, tmp_path / "none.net"):
        result = cli("export", "lint", path, "--chip")
        assert result.exit_code == 1
        assert result.output.startswith(f"error: {path}: ")
        assert result.output.count("\n") == 1
    assert cli("export", "lint", "--chip").exit_code == 2


def test_a_run_folder_is_its_network(tmp_path, clean, cli):
    for options in (["--chip"], []):
        of_file = cli("export", "lint", clean, *options, "--steps", STEPS)
        of_run = cli("export", "lint", clean.parent, *options, "--steps", STEPS)
        assert of_run.exit_code == of_file.exit_code == 0
        assert of_run.output == of_file.output
    (clean.parent / "manifest.json").write_text(f'{{"steps": {STEPS}}}')
    report = json.loads(cli("export", "lint", clean.parent, "--chip", "--json").stdout)
    assert (report["net"], report["steps"]) == (str(clean), STEPS)
    (tmp_path / "bare").mkdir()
    result = cli("export", "lint", tmp_path / "bare", "--chip")
    assert result.exit_code == 1
    assert f"{tmp_path}/bare/model.net: missing from the run. Make it with `python -m export netx" in result.output


def dense(weight, tmp_path, rec=None):
    layer = DenseLayer(np.asarray(weight), Cuba(4096, 0, 64), recurrent=rec)
    netx.write(Network((InputLayer((layer.weight.shape[1],)), layer), ("input", "layer")), tmp_path / "model.net")
    return [finding for finding in lint(tmp_path / "model.net", STEPS, chip=True) if finding.code == "HW010"]


def test_sums_of_sixteen_bits(tmp_path):
    """32767 is odd, weights are even: 32766 is the most that fits, -32768 the least."""
    wide = np.zeros((2, 131), int)
    wide[0, :129] = 254
    wide[1, :128] = -256
    assert dense(wide, tmp_path) == []
    wide[1, 128] = -2
    (finding,) = dense(wide, tmp_path)
    assert finding.found == "neuron 1's synapses can come to -32770 in a step; 16 bits hold -32768 to 32767"
    assert finding.severity == WARNING
    wide[0, 129] = 2
    (finding,) = dense(wide, tmp_path)
    assert finding.found.startswith("neuron 0's synapses can come to 32768 in a step")
    back = np.zeros((2, 2), int)
    wide[0, 129], wide[1, 128], back[0, 1] = 0, 0, 2
    assert dense(wide, tmp_path, back)[0].found.startswith("neuron 0's synapses can come to 32768 in a step")


def test_what_outlives_a_reset_is_what_the_schedule_says(
    clean, small_network, tiny_network, dendritic_network, tmp_path
):
    for number, network in enumerate((netx.read(clean), small_network, tiny_network, dendritic_network)):
        path = tmp_path / f"{number}.net"
        netx.write(network, path)
        assert bool(outlives_reset(network)) == ("HW003" in codes(lint(path, STEPS, chip=True)))


def spiking(branches, dense_soma):
    """A layer of spiking dendrites as the exporter writes it: compartments, then somata."""
    channels = 3
    compartments = Cuba(4096, np.tile(np.array([900, 300, 100, 40][:branches]), channels), 64)
    generator = np.random.default_rng(5)
    if dense_soma:
        soma = np.kron(np.eye(channels, dtype=int), np.full((1, branches), 64))
        return (
            InputLayer((6,)),
            DenseLayer(2 * generator.integers(-9, 20, (channels * branches, 6)), compartments),
            DenseLayer(soma, Cuba(410, 205, 64)),
        )
    return (
        InputLayer((2, 3, 1)),
        ConvLayer(
            2 * generator.integers(-9, 20, (channels * branches, 2, 3, 1)),
            (1, 1),
            (1, 0),
            (1, 1),
            1,
            compartments,
            (channels * branches, 3, 1),
        ),
        ConvLayer(
            np.full((channels, branches, 1, 1), 64), (1, 1), (0, 0), (1, 1), channels, Cuba(410, 205, 64), (3, 3, 1)
        ),
    )


@pytest.mark.parametrize("dense_soma", [True, False])
def test_spiking_dendrites_may_go_and_are_warned_of(tmp_path, dense_soma):
    layers = spiking(4, dense_soma)
    netx.write(Network(layers, ("input", "conv1_branches", "conv1")), tmp_path / "model.net")
    findings = require_clean(tmp_path / "model.net", STEPS, chip=True)
    assert codes(findings) == ({"HW007"} if dense_soma else {"HW007", "HW009"})
    assert "has 12 numbers for vDecay, 4 of them different" in findings[0].found
    assert {finding.severity for finding in findings} == {WARNING}


def test_analog_dendrites_are_refused_and_the_way_is_named(dendritic_network, tmp_path, cli):
    path = tmp_path / "model.net"
    netx.write(dendritic_network, path)
    assert require_clean(path, STEPS) == []
    findings = [finding for finding in lint(path, STEPS, chip=True) if finding.code == "HW004"]
    assert [finding.where for finding in findings] == ["layer 1 (conv1, conv)", "layer 4 (dense1, dense)"]
    assert "has analog dendrites, several currents in one neuron, which no public process has on the chip" in str(
        findings[0]
    )
    assert "`python -m train fit dh_lif_spiking`, or --set dendrites.realisation=spiking" in str(findings[0])
    with pytest.raises(MaestroError, match=r"breaks rule HW\d+: .*, and \d+ more"):
        require_clean(path, STEPS, chip=True)
    result = cli("export", "lint", path, "--chip")
    assert result.exit_code == 1
    assert "simulator only: conv1, dense1" in result.stderr


def test_findings_for_machines_carry_their_severity(small_network, tmp_path, cli):
    path = tmp_path / "model.net"
    netx.write(small_network, path)
    result = cli("export", "lint", path, "--chip", "--json", "--steps", STEPS)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    found = {(finding["code"], finding["severity"]) for finding in report["findings"]}
    assert found == {
        ("HW003", ERROR),
        *((code, WARNING) for code in ("HW007", "HW008", "HW009", "HW011")),
    }
    assert report["errors"] == 3
    assert report["warnings"] == len(report["findings"]) - 3
    assert report["rules"] == len(RULES) + 1 + len(CHIP_RULES)
    assert report["chip"]["schedule"]["period"] == 128
    assert report["chip"]["schedule"]["input_delay"] == 2
    said = cli("export", "lint", path, "--chip", "--steps", STEPS).stderr
    assert said.strip() == f"{path}: 3 broken rules, {report['warnings']} warnings"
    plain = json.loads(cli("export", "lint", path, "--json").stdout)
    assert "chip" not in plain
    assert plain["findings"] == []
    assert plain["rules"] == len(RULES) + 1


def test_every_rule_of_the_chip_is_tried():
    tried = {code for code, _, _, _ in BROKEN} | {"HW001", "HW002", "HW010", "HW011"}
    assert tried == {rule.code for rule in CHIP_RULES}


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.integers(WEIGHT_MIN // 2, WEIGHT_MAX // 2), min_size=1, max_size=9).filter(any))
def test_weight_exponents_fit_the_chip(halves):
    """NetX's exponent is minus its scaling, for all weights that NX009 lets through."""
    scale_bits, _ = netx_scaling(2 * np.array(halves))
    assert WEIGHT_EXP_MIN <= -scale_bits <= WEIGHT_EXP_MAX


ODD = [
    np.zeros((0, 3)),
    np.zeros((2, 2, 2, 2, 2)),
    np.array(b"text"),
    np.array(np.nan),
    np.array([np.inf, 1e300]),
    np.array(-(2**62)),
    np.array(1 + 2j),
    None,
]


@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_odd_files_are_judged_and_never_crash(clean, tmp_path, data):
    path = tmp_path / "odd.net"
    path.write_bytes(clean.read_bytes())
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
        findings = lint(path, STEPS, chip=True, period=128)
    except MaestroError:
        with h5py.File(path) as file:
            assert not isinstance(file.get("layer"), h5py.Group) or not len(file["layer"])
    else:
        assert all("\n" not in str(finding) for finding in findings)
