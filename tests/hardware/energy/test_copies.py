"""To how many cores a spike goes: by brute force over cuts, and of published networks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.boards import loihi2_board
from hardware.energy.copies import spread_of
from hardware.placement.check import placed
from hardware.placement.conv import MEMORY, kernel_bounds, kernel_words, place_conv
from hardware.placement.demand import ConvDemand, DenseDemand
from hardware.placement.limits import COMPILERS
from hardware.placement.plan import place_demands
from hardware.placement.published import PILOTNET, YOLO


def spread(*demands, compiler="newer"):
    return spread_of(place_demands(demands, COMPILERS[compiler], loihi2_board("kp")), demands)


def along(size, tile, kernel, stride):
    """Most pieces along an axis that the targets of one place lie on, place by place."""
    return max(
        len({target // tile for target in range(size) if 0 <= place - target * stride < kernel})
        for place in range(size * stride + kernel)
    )


@given(
    st.sampled_from([16, 48, 512, 6000]),
    st.tuples(st.integers(1, 40), st.integers(1, 150)),
    st.sampled_from([(1, 1), (3, 3), (5, 3), (1, 7)]),
    st.integers(1, 3),
    st.sampled_from(["2022", "newer"]),
)
def test_no_place_has_targets_on_more_cores(channels, size, kernel, stride, compiler):
    demand = ConvDemand("conv", (channels, *size), 16, kernel, 8, 1, 0, stride, kernel[1])
    found = spread(demand, compiler=compiler)
    tile = place_conv(demand, COMPILERS[compiler]).tile
    most = -(-channels // tile[0])
    for axis in (0, 1):
        most *= along(size[axis], tile[axis + 1], kernel[axis], stride)
    assert most <= found.copies["conv"] <= found.cores


def test_where_channels_are_cut_a_spike_goes_to_all_pieces():
    """512 channels over 512 inputs: 8 and more pieces along the channels, where four were once thought the most."""
    demand = ConvDemand("conv", (512, 2, 2), 512, (3, 3), 8, 1, 2, 1, 3)
    found = spread(demand)
    pieces = 512 // place_conv(demand, COMPILERS["newer"]).tile[0]
    assert found.copies["conv"] >= pieces > 4


def test_a_dense_layers_input_goes_to_all_its_cores():
    demand = DenseDemand("dense", 1000, 2000, 8, 1000)
    found = spread(demand)
    assert found.copies["dense"] == found.cores > 1


def test_dilation_spreads_targets_and_a_stride_thins_them():
    def copies(stride, reach):
        return spread(ConvDemand("conv", (256, 1, 64), 16, (1, 3), 4, 1, 64, stride, reach)).copies["conv"]

    near, far, thin = copies(1, 3), copies(1, 33), copies(2, 3)
    assert thin <= near <= far


def test_published_networks():
    pilotnet = spread_of(placed(PILOTNET), PILOTNET.demands)
    # Strips along the width, of 4 columns and more: a kernel of 3 at stride 2 has two targets there.
    assert pilotnet.copies["conv2"] == pilotnet.copies["conv3"] == 2
    assert pilotnet.copies["dense1"] == 12
    assert (pilotnet.cores, pilotnet.chips) == (79, 1)
    assert spread_of(placed(YOLO), YOLO.demands).chips > 1


@pytest.mark.parametrize("name", ["oheogulch", "kp"])
def test_chips_are_the_placements(name):
    placement = place_demands(YOLO.demands, COMPILERS["newer"], loihi2_board(name))
    assert spread_of(placement, YOLO.demands).chips == placement.chips


def test_a_dilated_kernel_at_a_stride_can_have_all_its_targets_apart():
    """Taps 2 places apart end on three neighbours at stride 2; next to each other, on two. A core is half a column."""

    def copies(reach):
        return spread(ConvDemand("conv", (4096, 1, 64), 1, (1, 3), 1, 1, 64, 2, reach)).copies["conv"]

    assert (copies(5), copies(3)) == (2 * 3, 2 * 2)


def test_channels_count_as_cut_where_their_kernel_may_not_fit():
    """By the rule a core holds the kernel of all 512 channels; by the upper bound of its memory it does not."""
    demand = ConvDemand("conv", (512, 1, 1), 128, (3, 3), 8, 1, 128, 1, 3)
    compiler = COMPILERS["newer"]
    inputs = next(
        inputs
        for inputs in range(1, 128)
        if kernel_words(replace(demand, inputs=inputs), 512) <= MEMORY
        and kernel_bounds(replace(demand, inputs=inputs), 512, compiler)[1] > MEMORY
    )
    unsure = replace(demand, inputs=inputs)
    assert place_conv(unsure, compiler).tile[0] == 512
    assert spread(unsure).copies["conv"] == 2
