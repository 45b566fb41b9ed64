import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.config import PRESETS, dump_config, load_config, parse_config
from train.errors import CallError


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.toml")))
def test_presets_load_and_survive_a_round_trip(preset, tmp_path):
    # Those of a data set of the user's own must be told where it is.
    config = load_config(preset, ["data.root=recordings"])
    assert config.name == preset
    path = tmp_path / "config.toml"
    path.write_text(dump_config(config))
    assert load_config(path) == config


def test_lif_and_ann_presets_differ_in_the_neuron_alone():
    lif, ann = load_config("lif"), load_config("ann")
    assert lif.network.neuron == "lif"
    assert ann.network.neuron == "ann"
    for field in ("conv_channels", "conv_kernels", "pools", "dense"):
        assert getattr(lif.network, field) == getattr(ann.network, field)
    assert lif.corpus == ann.corpus
    assert lif.features == ann.features
    assert lif.encoding == ann.encoding
    assert lif.training.epochs == ann.training.epochs


def test_override_sets_a_key():
    assert load_config("lif", ["training.epochs=3", "encoding.name=delta"]).training.epochs == 3
    assert load_config("lif", ["encoding.name=delta"]).encoding.name == "delta"
    assert load_config("lif", ["network.dense=[64, 32]"]).network.dense == (64, 32)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "configuration key training.epoch: unknown. Did you mean training.epochs?"),
        ("trainning.epochs=3", "configuration key trainning: unknown. Did you mean training?"),
        ("zzz=3", "configuration key zzz: unknown. The keys here are: name, data, corpus"),
        ("training.epochs=1.5", "configuration key training.epochs: is 1.5 (expected int)"),
        ("training.epochs=0", "configuration key training.epochs: is 0 (expected 1 to 100000)"),
        ("training.learning_rate=nan", "configuration key training.learning_rate: is nan (expected 0 to 10)"),
        ("training.patience=0", "configuration key training.patience: is 0 (expected 1 to 100000)"),
        ("training.style_weight=-1", "configuration key training.style_weight: is -1 (expected 0 to 1e+06)"),
        ("lif.threshold=4000", "configuration key lif.threshold: is 4000 (expected 0.015625 to 2047)"),
        ("encoding.name=levle", "is 'levle' (expected one of delta"),
        ("network.neuron=lof", "is 'lof' (expected one of dh_lif, lif, ann). Did you mean 'lif'?"),
        ("network.dense=64", "configuration key network.dense: is 64 (expected a list of whole numbers)"),
        ("network.dense=[0]", "configuration key network.dense: has an entry below 1 (expected positive sizes)"),
        ("network.pools=[2]", "have 2, 2 and 1 entries (expected one entry a convolution in each)"),
        (
            r'data.index="a\u0000"',
            r"configuration key data.index: is 'a\x00' (expected text without the character NUL)",
        ),
        (r'data.labels=["\u0000"]', r"configuration key data.labels: is ['\x00'] (expected text without the character"),
        ("training=3", "configuration key training: is 3 (expected a section of keys)"),
        ("training.epochs", "--set training.epochs: not of the form section.key=value. Write --set"),
        ("name.first=3", "--set name.first=3: name is not a section. Write section.key=value"),
    ],
)
def test_wrong_overrides_are_named(override, message):
    with pytest.raises(CallError, match=re.escape(message)):
        load_config("lif", [override])


def test_features_cannot_be_empty():
    with pytest.raises(CallError, match="asks for no feature"):
        load_config("lif", ["features.mfcc=0", "features.chroma=0", "features.rms=false"])


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(CallError, match=r"nowhere: no such configuration. Give a TOML file or one of: ann.*lif"):
        load_config("nowhere")
    with pytest.raises(CallError, match="no such configuration"):
        load_config(tmp_path / "x.toml")
    broken = tmp_path / "broken.toml"
    for text in ("[training\nepochs = 3", f"seed = {'1' * 5000}", f"seed = {'[' * 5000}"):
        broken.write_text(text)
        with pytest.raises(CallError, match=r"broken.toml: not valid TOML"):
            load_config(broken)
    with pytest.raises(CallError, match=r"x.toml: cannot be read: File name too long"):
        load_config("x" * 300)


def test_command_line_reports_an_unknown_key_in_one_line(cli):
    result = cli("train", "fit", "lif", "--set", "training.epoch=3")
    assert result.exit_code == 2
    assert result.stderr.strip() == "error: configuration key training.epoch: unknown. Did you mean training.epochs?"


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=4), st.none()), max_size=3))
def test_any_table_is_a_configuration_or_a_call_error(values):
    # Any other exception would be a traceback for a user.
    with contextlib.suppress(CallError):
        assert dump_config(parse_config(values))


@pytest.mark.parametrize("section", ["corpus", "encoding", "noise", "training"])
@pytest.mark.parametrize("seed", [-1, 99999999999999999999])
def test_seeds_are_bounded(section, seed):
    with pytest.raises(CallError, match=rf"configuration key {section}\.seed: is .* \(expected 0 to 1e\+06\)"):
        load_config("lif", [f"{section}.seed={seed}"])
