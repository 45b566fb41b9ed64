"""Dense layers: memory, cuts, bounds and what can never fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.graph import Cuba, DenseLayer, InputLayer
from hardware.placement.demand import DenseDemand, demands, weight_bits
from hardware.placement.dense import allocation, list_words, place_dense
from hardware.placement.limits import COMPILERS
from train.errors import MaestroError

OLD, NEW = COMPILERS["2022"], COMPILERS["newer"]
layers = st.builds(
    lambda neurons, axons, bits: DenseDemand("dense1", neurons, axons, bits, neurons),
    st.integers(1, 5000),
    st.integers(1, 12000),
    st.integers(1, 8),
)


def test_words_of_a_list():
    assert list_words(1, 8, 12) == 1
    assert list_words(200, 8, 12) == 63
    assert list_words(200, 7, 12) == 63, "weights of seven bits take eight"
    assert list_words(50, 8, 7) == 12


@pytest.mark.parametrize(
    ("compiler", "cores", "cut"), [(OLD, 12, "11 of 9 neurons, 1 of 1"), (NEW, 6, "5 of 18 neurons, 1 of 10")]
)
def test_a_large_layer_is_cut_as_each_compiler_cuts(compiler, cores, cut):
    part = place_dense(DenseDemand("dense1", 100, 2560, 3, 100), compiler)
    assert (part.cores.value, part.cut, part.binds) == (cores, cut, "Synapses")


def test_no_piece_of_a_cut_layer_has_more_than_127_neurons():
    part = place_dense(DenseDemand("dense1", 256, 200, 8, 256), OLD)
    assert (part.cores.value, part.cut, part.binds) == (3, "2 of 127 neurons, 1 of 2", "dense cut")
    assert part.synapses.value == 5400


def test_more_neurons_than_a_core_holds_are_cut_whatever_their_memory():
    part = place_dense(DenseDemand("dense1", 5000, 1, 1, 5000), NEW)
    assert (part.cores.value, part.binds) == (2, "Neurons")


def test_a_layer_that_fits_may_still_be_cut_by_bounds():
    part = place_dense(DenseDemand("dense1", 300, 10, 8, 300), NEW)
    assert (part.cores.value, part.cores.low, part.cores.high, part.binds) == (1, 1, 3, "")


def test_delays_widen_the_bounds_upwards_only():
    plain = place_dense(DenseDemand("dense1", 100, 400, 8, 100), NEW)
    late = place_dense(DenseDemand("dense1", 100, 400, 8, 100, delay_bits=6), NEW)
    assert late.synapses.value == plain.synapses.value == late.synapses.low
    assert late.synapses.high == 400 * list_words(100, 8, 13)
    assert late.synapses.evidence == "estimate"
    assert late.cores.high > plain.cores.high


def test_separate_groups_have_a_lower_bound_where_zeros_take_nothing():
    part = place_dense(DenseDemand("soma", 192, 768, 8, 1), NEW)
    assert part.cores.value == 4
    assert part.cores.low == 1
    assert part.synapses.low < part.synapses.value
    assert part.synapses.rule == "dense separate"


@pytest.mark.parametrize("compiler", [OLD, NEW], ids=["2022", "newer"])
def test_a_neuron_with_too_many_inputs_never_fits(compiler):
    with pytest.raises(MaestroError, match=r"layer big: takes 12001 words of SynMem for a single neuron with 12001"):
        place_dense(DenseDemand("big", 4, 12001, 8, 4), compiler)
    with pytest.raises(MaestroError, match=r"layer big: has 16001 inputs.*expected AxonIn up to 16000.*[Pp]rune"):
        place_dense(DenseDemand("big", 4, 16001, 8, 4), compiler)


@given(demand=layers, name=st.sampled_from(["2022", "newer"]))
def test_pieces_cover_the_layer_and_fit(demand, name):
    part = place_dense(demand, COMPILERS[name])
    assert part.on_core * part.cores.value >= demand.neurons > part.on_core * (part.cores.value - 1)
    assert allocation(demand, part.on_core, COMPILERS[name]) <= 12000
    assert part.cores.low <= part.cores.value <= part.cores.high
    assert part.synapses.low <= part.synapses.value <= part.synapses.high


@given(demand=layers, name=st.sampled_from(["2022", "newer"]))
def test_more_weight_bits_never_take_less(demand, name):
    compiler = COMPILERS[name]
    parts = [
        place_dense(DenseDemand("d", demand.neurons, demand.axons, bits, demand.neurons), compiler)
        for bits in (2, 5, 8)
    ]
    assert [part.cores.low for part in parts] == sorted(part.cores.low for part in parts)
    if name == "newer":
        assert [part.cores.value for part in parts] == sorted(part.cores.value for part in parts)


@given(demand=layers)
def test_fewer_inputs_never_take_more_of_the_newer_compiler(demand):
    fewer = DenseDemand("d", demand.neurons, max(1, demand.axons // 2), demand.bits, demand.neurons)
    assert place_dense(fewer, NEW).cores.value <= place_dense(demand, NEW).cores.value


def test_what_a_layer_asks_is_read_from_its_weights(dense_net):
    net = dense_net(6, 10)
    net.layers[1].weight[:, 4] = 0
    (asked,) = demands(net)
    assert asked == DenseDemand("dense1", 6, 9, 6, asked.fan_out)
    assert asked.fan_out == np.count_nonzero(net.layers[1].weight, axis=0).max()


def test_recurrent_weights_are_more_inputs_and_delays_more_bits():
    weight = np.full((4, 3), 2)
    (asked,) = demands(_net(DenseLayer(weight, Cuba(1, 1, 1), recurrent=np.full((4, 4), -2))))
    assert (asked.axons, asked.bits) == (7, weight_bits(weight, -weight))
    (asked,) = demands(_net(DenseLayer(weight, Cuba(1, 1, 1), delay=np.array([0, 5, 62, 1]))))
    assert asked.delay_bits == 6


def _net(layer):
    from export.graph import Network

    return Network((InputLayer((3,)), layer), ("input", "dense1"))


@pytest.mark.parametrize(
    ("weights", "bits"), [([-178, 192], 8), ([-98, 124], 7), ([-6, 6], 3), ([64, 0], 1), ([0, 0], 1)]
)
def test_weight_bits_are_netx_s(weights, bits):
    assert weight_bits(np.array(weights)) == bits
