"""Convolutions: kernels, strips, tiles, groups and bounds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.graph import ConvLayer, InputLayer, Network
from hardware.placement.conv import kernel_words, place_conv, place_input, powers
from hardware.placement.demand import ConvDemand, InputDemand, demands
from hardware.placement.limits import COMPILERS
from train.errors import MaestroError

OLD, NEW = COMPILERS["2022"], COMPILERS["newer"]
maps = st.builds(
    lambda channels, height, width, inputs, side, bits: ConvDemand(
        "conv1", (channels, height, width), inputs, (side, side), bits
    ),
    st.integers(1, 300),
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(1, 64),
    st.sampled_from([1, 3, 5]),
    st.integers(1, 8),
)


def test_channels_are_taken_by_powers_of_two():
    assert powers(36) == [32, 4]
    assert powers(64) == [64]
    assert powers(7) == [4, 2, 1]


def test_words_of_a_kernel():
    # PilotNet's second convolution, 864 words in its table.
    assert kernel_words(ConvDemand("conv2", (36, 15, 49), 24, (3, 3), 4), 36) == 864


def test_our_maps_of_one_column_are_one_strip():
    part = place_conv(ConvDemand("conv1", (48, 17, 1), 24, (5, 1), 6), OLD)
    assert (part.cores.value, part.cores.low, part.cores.high, part.tile) == (1, 1, 1, (48, 17, 1))
    assert part.neurons.value == 816
    assert part.binds == ""


@pytest.mark.parametrize("compiler", [OLD, NEW], ids=["2022", "newer"])
def test_a_column_of_more_neurons_than_a_core_is_cut_on_with_bounds(compiler):
    # No public table has one: 64 x 100 x 1 is 6400 neurons in its only column.
    part = place_conv(ConvDemand("conv1", (64, 100, 1), 2, (5, 1), 6), compiler)
    assert (part.cores.value, part.tile, part.binds) == (2, (64, 50, 1), "Neurons")
    assert part.cores.rule == "conv tiles"


def test_channels_are_cut_where_the_kernel_does_not_fit():
    part = place_conv(ConvDemand("conv1", (512, 4, 4), 256, (3, 3), 6), NEW)
    assert part.tile[0] < 512
    assert part.binds == "Synapses"
    assert part.synapses.value <= 12000


def test_grouped_convolutions_are_estimates_with_wide_bounds():
    part = place_conv(ConvDemand("pool1", (24, 17, 1), 24, (3, 1), 1, 24, 792, 1, 1), NEW)
    assert (part.synapses.value, part.synapses.low, part.synapses.high) == (144, 27, 792)
    assert (part.synapses.evidence, part.synapses.rule) == ("estimate", "conv grouped")
    assert part.cores.high == 1


def test_the_newer_compilers_synapses_have_bounds_and_2022s_none():
    demand = ConvDemand("conv1", (24, 33, 1), 2, (5, 1), 7)
    assert place_conv(demand, OLD).synapses.evidence == "inferred"
    newer = place_conv(demand, NEW).synapses
    assert (newer.low, newer.value, newer.high, newer.evidence) == (27, 40, 50, "estimate")


def test_a_channel_that_looks_at_too_much_never_fits():
    with pytest.raises(
        MaestroError, match=r"layer conv1: takes \d+ words of SynMem for the kernel of a single channel"
    ):
        place_conv(ConvDemand("conv1", (4, 8, 8), 2000, (3, 3), 8), OLD)


def test_input_neurons_are_cut_as_maps_are_and_rows_as_they_come():
    part = place_input(InputDemand("input", (3, 66, 200)), OLD)
    assert (part.cores.value, part.tile, part.synapses.value) == (13, (3, 66, 16), 0)
    assert place_input(InputDemand("input", (5000,)), NEW).cores.value == 2
    assert place_input(InputDemand("input", (50,)), NEW).cores.value == 1


@given(demand=maps, name=st.sampled_from(["2022", "newer"]))
def test_tiles_cover_the_layer_and_fit(demand, name):
    try:
        part = place_conv(demand, COMPILERS[name])
    except MaestroError:
        return
    assert math.prod(part.tile) <= 4095
    counts = [-(-size // tile) for size, tile in zip(demand.shape, part.tile, strict=True)]
    assert math.prod(counts) == part.cores.value
    assert part.cores.value * math.prod(part.tile) >= demand.neurons
    assert part.cores.low <= part.cores.value <= part.cores.high
    assert part.synapses.low <= part.synapses.value <= part.synapses.high


@given(demand=maps)
def test_more_weight_bits_never_take_less_memory(demand):
    words = [
        kernel_words(ConvDemand("c", demand.shape, demand.inputs, demand.kernel, bits), demand.shape[0])
        for bits in range(1, 9)
    ]
    assert words == sorted(words)


def test_what_a_convolution_asks_is_read_from_its_layer(dendritic_net):
    asked = demands(dendritic_net)[0]
    assert asked.shape == (20, 7, 1), "each branch of each channel is a neuron's"
    assert (asked.inputs, asked.kernel, asked.input_size) == (2, (3, 1), 14)


def test_a_kernel_without_weights_is_one_bit():
    import numpy as np

    from export.graph import Cuba

    layer = ConvLayer(np.zeros((2, 1, 3, 3), int), (1, 1), (0, 0), (1, 1), 1, Cuba(1, 1, 1), (2, 3, 3))
    assert demands(Network((InputLayer((1, 5, 5)), layer), ("input", "conv1")))[0].bits == 1
