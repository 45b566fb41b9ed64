"""``python -m hardware place``: what is printed, what if, and what does not fit."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.graph import Cuba, DenseLayer, InputLayer, Network
from hardware.boards import loihi2_board
from hardware.placement.demand import DenseDemand
from hardware.placement.limits import COMPILERS, compiler_of
from hardware.placement.plan import place_demands, place_file
from hardware.placement.realise import realised
from hardware.placement.rules import RULES
from train.errors import CallError, MaestroError


def dense(name, neurons, axons, bits=8):
    return DenseDemand(name, neurons, axons, bits, neurons)


def test_a_small_network_is_printed_with_columns_verdict_and_marks(cli, saved, dense_net):
    result = cli("hardware", "place", saved(dense_net(16, 30)))
    assert result.exit_code == 0
    for heading in ("AxonIn", "NeuronGr", "Neurons", "SynMem", "AxonMap", "AxonMem", "Cores", "binds"):
        assert heading in result.output
    assert "1 core of 120 a chip: 1 chip, 1 Oheo Gulch; binding: SynMem (12000), fullest in dense1" in result.output
    assert "i = inferred" in result.output


def test_json_has_bounds_evidence_and_sources_of_every_number(cli, saved, dense_net):
    found = json.loads(cli("hardware", "place", saved(dense_net(200, 700)), "--json").output)
    (layer,) = found["layers"]
    for column in ("AxonIn", "NeuronGr", "Neurons", "Synapses", "AxonMap", "AxonMem", "Cores"):
        count = layer[column]
        assert count["low"] <= count["value"] <= count["high"]
        assert count["evidence"] in found["evidence"]
        assert found["rules"][count["rule"]] == RULES[count["rule"]]
    assert layer["binds"] == "Synapses"
    assert found["limits"]["Synapses"]["evidence"] == "stated"
    assert found["limits"]["AxonIn"]["evidence"] == "inferred"
    assert all(limit["source"] for limit in found["limits"].values())
    assert found["fits"] is True


def test_a_run_folder_is_its_network(cli, saved, dense_net):
    net = saved(dense_net(4, 5))
    assert json.loads(cli("hardware", "place", net.parent, "--json").output)["net"] == str(net)


def test_a_layers_name_with_brackets_is_printed_as_it_is(cli, saved, dense_net):
    layers = dense_net(4, 5).layers
    result = cli("hardware", "place", saved(Network(layers, ("input", "[/x]"))))
    assert result.exit_code == 0
    assert "│ [/x]" in result.output


def test_a_run_without_a_network_names_the_command_that_makes_it(cli, tmp_path):
    result = cli("hardware", "place", tmp_path)
    assert result.exit_code == 1
    assert "model.net: missing from the run. Make it with `python -m export netx" in result.output


def test_a_file_that_is_no_network_is_refused(cli, tmp_path):
    (tmp_path / "x.net").write_text("no")
    result = cli("hardware", "place", tmp_path / "x.net")
    assert result.exit_code == 1
    assert "is not a whole HDF5 file" in result.output
    assert cli("hardware", "place", tmp_path / "absent.net").exit_code == 1


def test_no_network_is_a_wrong_call(cli):
    result = cli("hardware", "place")
    assert result.exit_code == 2
    assert "place: no network given. Write `python -m hardware place NET`" in result.output


def test_a_network_larger_than_the_board_names_layer_got_and_limit(cli, saved):
    weights = 2 * np.random.default_rng(0).integers(-100, 100, (400, 5000))
    net = saved(Network((InputLayer((5000,)), DenseLayer(weights, Cuba(1, 1, 1))), ("input", "dense1")))
    result = cli("hardware", "place", net)
    assert result.exit_code == 1
    assert "error: layer dense1: takes 134 of the network's 134 cores, 2 chips" in result.output
    assert "expected up to 120 cores, Oheo Gulch's" in result.output
    assert "134e" in result.output, "the table is printed all the same"
    assert cli("hardware", "place", net, "--board", "Kapoho Point").exit_code == 0


def test_a_layer_that_never_fits_names_it(cli, saved):
    weights = np.full((2, 12500), 2)
    net = saved(Network((InputLayer((12500,)), DenseLayer(weights, Cuba(1, 1, 1))), ("input", "dense1")))
    result = cli("hardware", "place", net)
    assert result.exit_code == 1
    assert "layer dense1: takes 12500 words of SynMem for a single neuron" in result.output
    assert "(expected up to 12000 a core)" in result.output


@pytest.mark.parametrize("cores", [120, 121])
def test_a_chip_has_120_cores(cores):
    placement = place_demands([dense("d", 127 * cores, 1)], COMPILERS["newer"], loihi2_board("oheogulch"))
    assert placement.cores.value == -(-127 * cores // 4095)
    rows = [dense(f"d{i}", 100, 50) for i in range(cores)]
    placement = place_demands(rows, COMPILERS["newer"], loihi2_board("oheogulch"))
    assert (placement.cores.value, placement.chips, placement.fits) == (cores, -(-cores // 120), cores == 120)
    if cores == 120:
        placement.require_fit()
    else:
        with pytest.raises(MaestroError, match="Use fewer or smaller layers; or take a larger board"):
            placement.require_fit()


def test_boards_are_counted():
    rows = [dense(f"d{i}", 100, 50) for i in range(961)]
    placement = place_demands(rows, COMPILERS["newer"], loihi2_board("kp"))
    assert (placement.chips, placement.boards, placement.fits) == (9, 2, False)


def test_a_verdict_says_when_only_the_upper_bound_does_not_fit():
    from hardware.placement.report import verdict

    rows = [dense(f"d{i}", 200, 10) for i in range(100)]
    placement = place_demands(rows, COMPILERS["newer"], loihi2_board("oheogulch"))
    assert (placement.cores.value, placement.cores.high) == (100, 200)
    assert "By the upper bound it would not fit Oheo Gulch" in verdict(placement)


def test_advice_is_worked_out():
    (row,) = place_demands([dense("d", 192, 432, 6)], COMPILERS["newer"], loihi2_board("oheogulch")).rows
    assert "half of its inputs pruned, 216 left: 1 core instead of 2" in row.advice
    (small,) = place_demands([dense("d", 10, 10)], COMPILERS["newer"], loihi2_board("oheogulch")).rows
    assert small.advice == ()


def test_advice_for_a_convolution_has_kernel_channels_and_stride():
    from hardware.placement.demand import ConvDemand

    demand = ConvDemand("c", (512, 14, 14), 256, (3, 3), 4)
    (row,) = place_demands([demand], COMPILERS["newer"], loihi2_board("kp")).rows
    text = "; ".join(row.advice)
    assert "a kernel of 1 x 1" in text
    assert "half as many channels, 256" in text
    assert "twice the stride" in text


def test_two_processes_may_take_fewer_cores_than_one():
    (row,) = place_demands([dense("d", 131, 3930, 6)], COMPILERS["2022"], loihi2_board("oheogulch")).rows
    assert "two processes of 65 and 66 of its neurons: 14 cores instead of 22" in row.advice


@settings(max_examples=40)
@given(data=st.data())
def test_any_network_that_runs_is_placed(drawn, data):
    network = data.draw(drawn.cases()).network
    for name, compiler in COMPILERS.items():
        for realise in (None, "spiking"):
            asked, _ = realised(network, realise)
            placement = place_demands(asked, compiler, loihi2_board("oheogulch"))
            assert len(placement.rows) == len(asked) >= len(network.spiking_names), name
            assert placement.cores.low <= placement.cores.value <= placement.cores.high
            json.dumps(placement.as_dict(), allow_nan=False)


def test_analog_dendrites_are_counted_as_if_realised_and_it_is_said(cli, saved, dendritic_net):
    net = saved(dendritic_net)
    for options in ((), ("--realise", "analog")):
        result = cli("hardware", "place", net, *options)
        assert result.exit_code == 0
        assert "What if: DH-LIF analog (as if realised): conv1, dense2 have analog dendrites" in result.output
        assert "no public chip model exists" in result.output
    placement = place_file(net)
    assert [row.shape for row in placement.rows] == [(20, 7, 1), (40,), (48,)]


def test_the_spiking_realisation_adds_somata(cli, saved, dendritic_net):
    net = saved(dendritic_net)
    result = cli("hardware", "place", net, "--realise", "spiking")
    assert "What if: DH-LIF spiking (as if realised)" in result.output
    assert "this file does not run so" in result.output
    placement = place_file(net, "spiking")
    assert [(row.name, row.shape) for row in placement.rows] == [
        ("conv1 branches", (20, 7, 1)),
        ("conv1", (5, 7, 1)),
        ("dense1", (40,)),
        ("dense2 branches", (48,)),
        ("dense2", (12,)),
    ]
    assert placement.rows[1].weight_bits == placement.rows[4].weight_bits == 8
    assert json.loads(cli("hardware", "place", net, "--realise", "spiking", "--json").output)["what_if"]


def test_realise_changes_nothing_without_dendrites_and_says_so(cli, saved, dense_net):
    result = cli("hardware", "place", saved(dense_net(4, 5)), "--realise", "spiking")
    assert "has no analog dendrites: --realise spiking changes nothing" in result.output
    assert "What if" not in result.output


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: compiler_of("2021"), "--compiler 2021: unknown (expected one of 2022, newer)"),
    ],
)
def test_unknown_names_are_wrong_calls(call, text):
    with pytest.raises(CallError) as error:
        call()
    assert str(error.value) == text
