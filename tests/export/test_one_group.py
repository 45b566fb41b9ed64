import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import netx, reference
from export.graph import ConvLayer, Cuba, FlattenLayer, InputLayer, Network, conv_shape
from export.lint import lint
from export.one_group import one_group, spread


def grouped(rng, groups, inner, rows):
    shape = (groups * inner, 5, 3)
    weight = 2 * rng.integers(-60, 127, (groups * rows, inner, 3, 2))
    layer = ConvLayer(weight, (2, 1), (1, 0), (1, 1), groups, Cuba(900, 300, 20), (1, 1, 1))
    layer = dataclasses.replace(layer, shape=conv_shape(layer, shape))
    flat = FlattenLayer((int(np.prod(layer.shape)),))
    return Network((InputLayer(shape), layer, flat), ("input", "pool1", "flatten1"))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_every_spike_is_the_same(groups, inner, rows, seed):
    rng = np.random.default_rng(seed)
    network = grouped(rng, groups, inner, rows)
    wide = one_group(network)
    assert wide.layers[1].groups == 1
    assert wide.layers[1].weight.shape == (groups * rows, groups * inner, 3, 2)
    assert np.count_nonzero(wide.layers[1].weight) == np.count_nonzero(network.layers[1].weight)
    spikes = (rng.random((*network.input_shape, 30)) < 0.3).astype(np.uint8)
    (wanted,), (found,) = reference.run(network, spikes), reference.run(wide, spikes)
    np.testing.assert_array_equal(found, wanted)


def test_a_row_keeps_its_place():
    weight = np.arange(1, 9).reshape(4, 2, 1, 1)
    wide = spread(weight, 2)[..., 0, 0]
    np.testing.assert_array_equal(wide, [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 6], [0, 0, 7, 8]])


def test_a_network_without_groups_stays_as_it_is():
    network = grouped(np.random.default_rng(1), 1, 3, 2)
    assert one_group(network).layers[1] is network.layers[1]


def test_the_chip_has_nothing_to_say_of_it(tmp_path):
    network = grouped(np.random.default_rng(1), 4, 1, 1)
    for name, each in (("grouped", network), ("wide", one_group(network))):
        netx.write(each, tmp_path / f"{name}.net")
    assert [found.code for found in lint(tmp_path / "wide.net", 40)] == []
    assert one_group(netx.read(tmp_path / "grouped.net")).layers[1].weight.shape == (4, 4, 3, 2)


@pytest.mark.parametrize("groups", [127, 128])
def test_more_channels_than_lava_has_groups_for(tmp_path, groups):
    network = grouped(np.random.default_rng(1), groups, 1, 1)
    netx.write(one_group(network), tmp_path / "wide.net")
    assert lint(tmp_path / "wide.net", 40) == []
