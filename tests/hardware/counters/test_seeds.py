"""The seeds' formulas on numbers of paper and pencil."""

import numpy as np

from hardware.counters.ann import AnnLayer
from hardware.counters.footprint import Footprint
from hardware.counters.seeds import ann_formulas, no_spiking_formulas, spiking_formulas


def test_of_an_ann():
    conv = AnnLayer("conv1", np.array([[[[0.0], [1.0], [1.0]]]]), (1, 4, 1), 4, 10, True)
    heads = AnnLayer("heads", np.ones((3, 4)), (4,), 3, 1, False)
    found = ann_formulas([conv, heads])
    # 3 + 12 weights and 4 + 3 activations.
    assert found["m_ann"]["value"] == 22
    assert "(88 B)" in found["m_ann"]["method"]
    assert (found["m_ann"]["kind"], found["m_ann"]["unit"]) == ("estimated", "B")
    assert (found["c_ann"]["kind"], found["c_ann"]["unit"]) == ("estimated", "operations")
    # The kernel lies on the padding twice; the first layer only adds.
    assert found["c_ann"]["value"] == (3 * 4 - 2) * 10 + 2 * 12
    assert found["c_ann"]["low"] == found["c_ann"]["high"] == found["c_ann"]["value"]


def test_of_a_spiking_network():
    footprint = Footprint(weights=8 * 20, zeros=8 * 5, parameters=41, voltages=24 * 6, currents=24 * 12)
    found = spiking_formulas(footprint, 6, 3, 7, np.array([100, 120, 110]), 18 * 50)
    # 9 places have addresses of 4 bits.
    assert found["m_snn"]["kind"] == found["left_out_memory"]["kind"] == "estimated"
    assert found["c_snn"]["kind"] == found["left_out_updates"]["kind"] == "measured"
    assert found["m_snn"]["value"] == (160 + 144 + 7 * 4) / 8
    assert "zeros too (5 B of them)" in found["m_snn"]["method"]
    assert "7 spikes of the busiest step of the set as addresses of 4 bits" in found["m_snn"]["method"]
    assert found["c_snn"]["value"] == 110
    assert found["c_snn"]["low"] < 110 < found["c_snn"]["high"]
    assert found["left_out_updates"]["value"] == 900
    assert found["left_out_memory"]["value"] == (288 + 41) / 8


def test_an_ann_has_no_spiking_formulas():
    reason = {"unavailable": "this run is an ANN, which has no spikes"}
    assert no_spiking_formulas() == dict.fromkeys(("m_snn", "c_snn", "left_out_updates", "left_out_memory"), reason)
