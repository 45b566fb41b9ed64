"""Devices: every constant with its source, and damaged files told with file and key."""

from typing import get_args

import pytest

from hardware.energy.profile import NEEDS, PARTS, PER, load_profiles, profile, read_profile
from hardware.energy.published import measurements
from hardware.measurement import Evidence
from train.errors import MaestroError

NAMES = [
    "loihi1",
    "loihi2",
    "digital_45nm_snn",
    "digital_45nm_int8",
    "digital_45nm_fp32",
    "int8_accelerator",
]
# Words that a source of ours names: a paper with its year, a file at a commit, a data sheet with its page.
SOURCES = ("2018", "2014", "JSSC", "commit", "lava-dl", "SANA-FE")


def test_all_devices_are_there_in_order_of_display():
    assert [found.name for found in load_profiles()] == NAMES
    assert [found.network for found in load_profiles()] == ["snn"] * 3 + ["ann"] * 3


@pytest.mark.parametrize("name", NAMES)
def test_every_constant_has_a_source_and_an_evidence_class(name):
    found = profile(name)
    assert found.leaves_out
    for constant in found.constants.values():
        assert any(word in constant.source for word in SOURCES), constant.name
        assert constant.evidence in get_args(Evidence)
        assert constant.low <= constant.high
        assert constant.unit == (PER[constant.per] if constant.per else "1")
    for part in PARTS:
        assert bool(found.of(part)) != (part in found.unpriced)


def test_published_figures_are_as_published():
    """Held here a second time, so that a slip of the pen in a file is noticed."""
    loihi = profile("loihi1").constants
    assert (loihi["synaptic_operation"].low, loihi["synaptic_operation"].high) == (23.6e-12, 35.5e-12)
    assert (loihi["neuron_update"].low, loihi["neuron_update"].high) == (52e-12, 81e-12)
    assert (loihi["message"].low, loihi["hop_east_west"].low, loihi["hop_north_south"].low) == (1.7e-12, 3e-12, 4e-12)
    int8, fp32 = profile("digital_45nm_int8").constants, profile("digital_45nm_fp32").constants
    assert (int8["multiply"].low, int8["accumulate"].low, int8["accumulate"].high) == (0.2e-12, 0.03e-12, 0.1e-12)
    assert fp32["multiply"].low + fp32["accumulate"].low == pytest.approx(4.6e-12)
    # Two operations a multiply-accumulate, 11.59 and 2 TOPS/W.
    accelerator = profile("int8_accelerator").constants["multiply_accumulate"]
    assert accelerator.low == pytest.approx(2 / 11.59e12, rel=3e-3)
    assert accelerator.high == pytest.approx(2 / 2e12)


def test_static_power_is_between_what_was_published():
    """Lowest mean of NECOTIS's and highest of PilotNet's, both in published.toml's sources."""
    constant = profile("loihi2").constants["static_power"]
    assert (constant.low, constant.high, constant.evidence) == (0.212, 0.352, "measured")
    powers = [measured.power_static_w for measured in measurements()]
    assert constant.low <= min(powers)
    assert constant.high == pytest.approx(max(powers), rel=1e-3)


def test_45_nm_is_scaled_to_the_widths_of_the_engine():
    constants = profile("digital_45nm_snn").constants
    assert constants["multiply_state"].low == pytest.approx(0.2e-12 * 24 * 12 / 64)
    assert constants["multiply_state"].high == 3.1e-12
    for name in ("add_state", "compare"):
        assert (constants[name].low, constants[name].high) == (pytest.approx(0.03e-12 * 24 / 8), 0.1e-12)


def test_only_loihis_are_loihis():
    assert [found.name for found in load_profiles() if found.loihi] == ["loihi1", "loihi2"]


def test_the_proxy_prices_operations_as_loihi_1_does():
    one, two = profile("loihi1").constants, profile("loihi2").constants
    assert set(two) - set(one) == {"step", "cores", "static_power"}
    for name, constant in one.items():
        assert (constant.low, constant.high, constant.per) == (two[name].low, two[name].high, two[name].per)
        assert two[name].source.startswith("Loihi 1 as proxy")


def test_analog_dendrites_are_priced_as_if_realised():
    for name in ("loihi1", "loihi2"):
        assert profile(name).applies_analog.startswith("as if realised")


def test_a_profile_that_reads_whole_is_read(damaged):
    assert read_profile(damaged("order = 2", "order = 9")).order == 9


DAMAGE = {
    "no TOML": ('title = "', "title = ", r"loihi2\.toml: cannot be read: "),
    "an unknown key": ("order = 2", "order = 2\ncolour = 1", r"loihi2\.toml: unknown key 'colour' \(expected one of"),
    "a missing key": ("order = 2\n", "", r"loihi2\.toml: has no 'order'"),
    "no whole number": ("order = 2", "order = 2.5", r"loihi2\.toml: order: is 2\.5 \(expected a whole number\)"),
    "no yes or no": ("loihi = true", "loihi = 1", r"loihi2\.toml: loihi: is 1 \(expected true or false\)"),
    "a step without its cores": ("[constants.cores]", "[constants.core]", r"constants\.step: needs constants\.cores"),
    "an unknown network": ('network = "snn"', 'network = "rnn"', r"network: is 'rnn' \(expected snn or ann\)"),
    "an empty text": ('applies = "', 'applies = ""#', r"loihi2\.toml: applies: is '' \(expected a text\)"),
    "no list": ("leaves_out = [", 'leaves_out = "no"\nother = [', r"loihi2\.toml: unknown key 'other'"),
    "a list of numbers": ("leaves_out = [", "leaves_out = [1, ", r"loihi2\.toml: leaves_out: is no list of texts"),
    "constants that are none": ("[constants.step]", "[constants]\nstep = 1\n[x]", r"loihi2\.toml: "),
    "a constant's unknown key": ("low = 52e-12", "low = 52e-12\nmean = 1", r"neuron_update: unknown key 'mean'"),
    "a constant's missing key": ("low = 52e-12\n", "", r"loihi2\.toml: constants\.neuron_update: has no 'low'"),
    "an empty source": (
        'source = "Loihi 1 as proxy, low: Davies et al., Loihi',
        'source = ""#',
        r"synaptic_operation\.source: is ''",
    ),
    "no number": ("low = 52e-12", 'low = "52"', r"neuron_update: low and high are \['52', 8\.1e-11\]"),
    "bounds the wrong way round": (
        "low = 52e-12",
        "low = 99e-12",
        r"neuron_update: .* are no bounds \(expected 0 <= low",
    ),
    "an unknown part": (
        'part = "updates"',
        'part = "magic"',
        r"neuron_update: belongs to 'magic', per 'neuron update'",
    ),
    "an unknown count": ('per = "neuron update"', 'per = "wish"', r"belongs to 'updates', per 'wish'"),
    "a count of another network": (
        'per = "neuron update"',
        'per = "product"',
        r"neuron_update: is per 'product' \(expected one of synaptic operation,",
    ),
    "another unit": ('unit = "W"', 'unit = "J"', r"static_power\.unit: is 'J' \(expected W\)"),
    "unknown evidence": (
        'evidence = "measured"',
        'evidence = "felt"',
        r"step\.evidence: is 'felt' \(expected measured or",
    ),
    "a part without a price": (
        '[constants.static_power]\npart = "static"\nper = "second"',
        '[constants.static_power]\npart = "updates"\nper = "second"',
        r"loihi2\.toml: static: is neither priced nor said to be unpriced",
    ),
    "a number that another needs": (
        "[constants.copies]",
        "[constants.copied]",
        r"constants\.message: needs constants\.copies",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_told_with_its_key(damaged, name):
    old, new, text = DAMAGE[name]
    with pytest.raises(MaestroError, match=text):
        read_profile(damaged(old, new))


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ('[unpriced]\nstatic = "why"\n', "static: is both priced and unpriced"),
        ('[unpriced]\nwarmth = "why"\n', r"unpriced: no part 'warmth' \(expected synapses, updates"),
        ('[unpriced]\nstatic = ""\n', "unpriced.static: is ''"),
        ("[constants]\nodd = 1\n", "cannot be read|is no table"),
    ],
)
def test_odd_additions_are_told(damaged, more, text):
    path = damaged("order = 2", "order = 2")
    path.write_text(path.read_text() + more)
    with pytest.raises(MaestroError, match=text):
        read_profile(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("constants = 1\nunpriced = {}", "constants: is no table"),
        ("constants = {one = 1}", "constants.one: is no table"),
    ],
)
def test_tables_that_are_none_are_told(tmp_path, text, said):
    path = tmp_path / "odd.toml"
    path.write_text(f'title = "t"\norder = 1\nnetwork = "snn"\napplies = "a"\nleaves_out = []\n{text}\n')
    with pytest.raises(MaestroError, match=said):
        read_profile(path)


def test_an_unknown_device_is_told():
    with pytest.raises(MaestroError, match=r"abacus: no such device \(expected one of loihi1, loihi2"):
        profile("abacus")


def test_what_is_needed_of_a_profile_is_a_number_of_its_own():
    for found in load_profiles():
        for constant in found.constants.values():
            if needed := NEEDS.get(constant.per):
                assert not found.constants[needed].part
