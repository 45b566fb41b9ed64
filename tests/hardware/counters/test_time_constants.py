import numpy as np
import pytest

from export.graph import Cuba, DenseLayer, InputLayer, Network
from hardware.counters.time_constants import branch_layers, decay_to_tau, time_constants
from train.config import load_config


def test_time_constants_of_registers(network):
    assert decay_to_tau(2048) == pytest.approx(1 / np.log(2))
    np.testing.assert_array_equal(decay_to_tau([0, 4096]), [np.inf, 0])
    found = time_constants(network, 0.032, {})
    steps = [entry["steps"] for entry in found["conv1"]["current"]]
    assert steps == pytest.approx([1 / np.log(2), -1 / np.log(1 - 200 / 4096)])
    assert found["conv1"]["current"][0]["ms"] == pytest.approx(32 / np.log(2))
    assert found["pool1"]["voltage"] == [{"steps": None, "steps_low": None, "steps_high": None, "ms": None}]
    (heads,) = found["heads"]["current"]
    assert heads["steps_low"] == 0
    assert heads["steps_high"] is None


def test_spiking_branches_lie_neuron_by_neuron():
    layers = (InputLayer((2,)), DenseLayer(np.ones((6, 2), np.int64), Cuba(4096, np.array([2048, 100] * 3), 16)))
    found = time_constants(Network(layers, ("input", "dense1_branches")), 0.032, {"dense1_branches": 2})
    assert [entry["steps"] for entry in found["dense1_branches"]["voltage"]] == pytest.approx(decay_to_tau([2048, 100]))
    assert len(found["dense1_branches"]["current"]) == 1


def test_decays_of_branches_do_not_mix():
    """Every compartment's decay differs: branches of 3 neurons are the columns of compartments in their order."""
    decays = np.array([2048, 100, 1024, 50, 512, 25])
    layers = (InputLayer((2,)), DenseLayer(np.ones((6, 2), np.int64), Cuba(decays[::-1].copy(), decays, 16)))
    found = time_constants(Network(layers, ("input", "dense1_branches")), 0.032, {"dense1_branches": 2})
    taus = decay_to_tau([[512, 1024, 2048], [25, 50, 100]])
    for word, wanted in (("voltage", taus), ("current", taus[::-1])):
        entries = found["dense1_branches"][word]
        assert [entry["steps"] for entry in entries] == pytest.approx(wanted[:, 1])
        assert [entry["steps_high"] for entry in entries] == pytest.approx(wanted[:, 0])
        assert [entry["steps_low"] for entry in entries] == pytest.approx(wanted[:, 2])
        assert [entry["ms"] for entry in entries] == pytest.approx(32 * wanted[:, 1])


def test_which_layers_are_branches():
    names = ("conv1_branches", "conv1")
    assert branch_layers(load_config("dh_lif_spiking"), names) == {"conv1_branches": 4}
    assert branch_layers(load_config("dh_lif"), names) == branch_layers(load_config("lif"), names) == {}
