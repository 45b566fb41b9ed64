"""The default networks fit one chip, whatever their weights come to."""

import pytest

from hardware.boards import loihi2_board
from hardware.placement.demand import demands
from hardware.placement.limits import CHIP_CORES, COMPILERS
from hardware.placement.plan import place_demands
from hardware.placement.realise import realised

# Classes of the three heads of the built-in corpus' default networks.
OUTPUTS = 32


@pytest.fixture(scope="module")
def default():
    """A preset's network as integers, untrained."""
    from export.convert import from_slayer
    from train.config import load_config
    from train.encoding import make_encoder
    from train.features import feature_names
    from train.model import new_network

    def build(preset):
        config = load_config(preset)
        encoder = make_encoder(config.encoding)
        network = new_network(config, encoder, OUTPUTS)
        return from_slayer(network, (encoder.channels, len(feature_names(config.features)), 1))

    return build


@pytest.mark.parametrize("compiler", ["2022", "newer"])
@pytest.mark.parametrize("preset", ["lif", "dh_lif", "dh_lif_spiking"])
def test_a_default_network_fits_one_chip_by_its_upper_bound(default, preset, compiler):
    network = default(preset)
    for realise in (None, "spiking") if network.dendritic_names else (None,):
        asked, what_if = realised(network, realise)
        assert bool(what_if) == bool(network.dendritic_names)
        placement = place_demands(asked, COMPILERS[compiler], loihi2_board("oheogulch"))
        print(preset, compiler, realise, placement.cores, placement.binds)
        assert placement.surely
        assert placement.cores.high < CHIP_CORES // 3
        assert placement.binds in ("Synapses", "dense cut")


def test_the_what_if_has_the_layers_that_the_spiking_preset_has(default):
    trained = demands(default("dh_lif_spiking"))
    supposed, _ = realised(default("dh_lif"), "spiking")
    assert [demand.shape for demand in supposed] == [demand.shape for demand in trained]
