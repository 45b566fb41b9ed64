"""``python -m hardware log``: what is printed, and a table beside the placement of a network."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export import netx
from export.graph import Cuba, DenseLayer, InputLayer, Network
from hardware.logs.log import read_log
from train.errors import MaestroError

LIF = Cuba(400, 200, 512)


def layer(neurons, axons, low, high):
    weights = 2 * np.random.default_rng(1).integers(low // 2, high // 2, (neurons, axons))
    weights.reshape(-1)[:2] = low, high
    return DenseLayer(weights, LIF)


@pytest.fixture
def oxford_net(tmp_path):
    """A network of oxford's sizes and weight bits."""
    layers = InputLayer((200,)), layer(256, 200, -178, 192), layer(200, 256, -98, 124)
    netx.write(Network(layers, ("input", "dense1", "dense2")), tmp_path / "model.net")
    return tmp_path / "model.net"


@pytest.fixture
def mnist_net(tmp_path):
    layers = InputLayer((784,)), layer(128, 784, -98, 130), layer(64, 128, -166, 254), layer(10, 64, -88, 254)
    netx.write(Network(layers, ("input", "dense1", "dense2", "dense3")), tmp_path / "model.net")
    return tmp_path / "model.net"


def test_a_log_is_printed(cli, logs, pasted):
    result = cli("hardware", "log", pasted(logs["oxford"] + logs["benchmark"]))
    assert result.exit_code == 0
    assert "line 6: 5 cores, compiler 2022, the last layer first" in result.output
    assert "violation: core 0, SynMem 16128 of 12000, 1.34 times the limit, printed once" in result.output
    assert "ran on oheogulch" in result.output
    assert "power_static_w: 0.232 W" in result.output


def test_a_log_as_json(cli, logs, pasted):
    found = json.loads(cli("hardware", "log", pasted(logs["yolo"]), "--json").output)
    assert found["tables"][0]["rows"][0] == {
        "AxonIn": 0.01,
        "NeuronGr": 25.0,
        "Neurons": 65.64,
        "Synapses": 19.2,
        "AxonMap": 16.8,
        "AxonMem": 0.0,
        "Total": 42.26,
        "Cores": 4,
        "note": "Conv(4, 14, 48)",
    }
    assert found["converged"] is True
    assert found["iterations"] == 3


def test_partitioning_that_failed_is_said(cli, pasted):
    result = cli("hardware", "log", pasted("Exception: Partitioning could not converge"))
    assert "partitioning did not converge" in result.output


def test_notes_are_printed(cli, pasted):
    result = cli("hardware", "log", pasted("Dynamic Power : -0.006 W"))
    assert "note: a dynamic power of -0.006 W: the difference is below what the method resolves" in result.output


def test_a_table_is_held_against_the_placement(cli, logs, pasted, oxford_net):
    result = cli("hardware", "log", pasted(logs["oxford"]), "--net", oxford_net)
    assert result.exit_code == 0
    assert "beside the placement of" in result.output
    assert "8064" in result.output
    found = json.loads(cli("hardware", "log", pasted(logs["oxford"]), "--net", oxford_net.parent, "--json").output)
    rows = found["compared"]["rows"]
    assert [row["layer"] for row in rows] == ["dense1", "dense2"]
    assert rows[0]["columns"]["Synapses"]["printed"] == rows[0]["columns"]["Synapses"]["foretold"]["value"] == 5400
    assert rows[1]["columns"]["Synapses"]["foretold"]["value"] == 8064
    assert all(column["within"] for row in rows for column in row["columns"].values())


def test_per_cent_are_turned_into_counts(cli, logs, pasted, mnist_net):
    found = json.loads(cli("hardware", "log", pasted(logs["mnist"]), "--net", mnist_net, "--json").output)
    printed = [
        {name: column["printed"] for name, column in row["columns"].items()} for row in found["compared"]["rows"]
    ]
    assert printed[0] == {
        "AxonIn": 784,
        "NeuronGr": 1,
        "Neurons": 50,
        "Synapses": 9408,
        "AxonMap": 50,
        "AxonMem": 0,
        "Cores": 3,
    }
    assert printed[1]["Synapses"] == 2016


def test_a_table_of_another_network_is_refused(cli, logs, pasted, mnist_net):
    result = cli("hardware", "log", pasted(logs["oxford"]), "--net", mnist_net)
    assert result.exit_code == 1
    assert "has a table of 2 layers, and" in result.output
    assert "has 3: dense1, dense2, dense3. Give the network that was compiled" in result.output


def test_without_a_table_nothing_can_be_held_against_a_network(cli, logs, pasted, oxford_net):
    result = cli("hardware", "log", pasted(logs["benchmark"]), "--net", oxford_net)
    assert result.exit_code == 1
    assert "has no table of the compiler's to hold against a network" in result.output


def test_unknown_text_says_what_was_looked_for(cli, pasted):
    result = cli("hardware", "log", pasted("ls\nfile.txt\n"))
    assert result.exit_code == 1
    assert "has nothing in it that is known (expected the compiler's table (| AxonIn |NeuronGr|" in result.output
    assert "Traceback" not in result.output


def test_a_tiles_note_is_printed_as_it_is(cli, logs, pasted):
    result = cli("hardware", "log", pasted(logs["yolo"].replace("Conv(4, 14, 48)", "[/x] [red]y")))
    assert result.exit_code == 0
    assert "[/x] [red]y" in result.output


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_cut_out_or_put_in_is_read_or_refused(logs, tmp_path, data):
    text = data.draw(st.sampled_from(sorted(logs.values())))
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    between = data.draw(st.text(alphabet='|%.0a[]:=\\n"{\n', max_size=6))
    path = tmp_path / "log.txt"
    path.write_text(text[:first] + between + text[last:])
    with contextlib.suppress(MaestroError):
        json.dumps(read_log(path).as_dict(), allow_nan=False)
