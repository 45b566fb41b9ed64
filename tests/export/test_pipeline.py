"""From a run to a file: what passes is whole and stock; what does not pass leaves nothing behind."""

import errno
import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from export import netx, reference
from export.graph import Network
from export.manifest import load_manifest
from train.artifacts import RunFolder, sha256, write_json
from train.config import Config, DendriteConfig, EncodingConfig, FeatureConfig, NetworkConfig, dump_config
from train.errors import MaestroError

SMALL = Config(
    name="lif",
    features=FeatureConfig(clip_s=1.0, mfcc=6, chroma=0),
    encoding=EncodingConfig(name="level", levels=8),
    network=NetworkConfig(neuron="lif", conv_channels=(3, 4), conv_kernels=(3, 3), pools=(2, 1), dense=(8,)),
)
LAYERS = ("conv1", "pool1", "conv2", "dense1", "heads")


def make_run(path, config, build):
    import torch

    from train.checkpoint import save_checkpoint
    from train.encoding import make_encoder
    from train.features import Normaliser
    from train.model import new_network

    run = RunFolder(path)
    sets, labels = build(config)
    network = new_network(config, make_encoder(config.encoding), sum(map(len, labels.values())))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1 and parameter.requires_grad:
                parameter.mul_(4)
    values = {
        "config": dump_config(config),
        "state": network.state_dict(),
        "normaliser": Normaliser.fit(list(sets["train"].sequences)).to_dict(),
        "labels": {head: list(names) for head, names in labels.items()},
        "epoch": 1,
    }
    save_checkpoint(run.checkpoint, values)
    write_json(run.metrics, {})
    return run


@pytest.fixture
def run(tmp_path, fake_clips):
    return make_run(tmp_path / "run", SMALL, fake_clips())


@pytest.fixture
def exported(run, cli):
    result = cli("export", "netx", run.path, "--limit", "4")
    assert result.exit_code == 0, result.output
    return run


def files(run):
    return sorted(path.name for path in run.path.iterdir())


def test_a_run_is_exported(run, cli):
    result = cli("export", "netx", run.path, "--limit", "4", "--json")
    assert result.exit_code == 0, result.output
    assert files(run) == ["checkpoint.pt", "manifest.json", "metrics.json", "model.net"]
    manifest = load_manifest(run)
    assert json.loads(result.stdout[result.stdout.index("{") :])["net_sha256"] == sha256(run.net)
    assert manifest.layers == LAYERS
    assert manifest.realisation == "stock"
    assert "simulator" not in result.output
    assert manifest.latency_steps == 5
    assert manifest.steps == 31
    assert manifest.input_shape == (8, 7, 1)
    assert manifest.slices == {"title": (0, 4), "style": (4, 6), "emotion": (6, 8)}
    assert (manifest.gate.clips, manifest.gate.differing) == (4, 0)
    assert all(manifest.gate.spikes[layer] > 0 for layer in LAYERS[:3])
    assert netx.read(run.net).names == ("input", "conv1", "pool1", "conv2", "flatten", "dense1", "heads")
    assert cli("export", "lint", run.net).exit_code == 0


def test_the_same_checkpoint_gives_the_same_file(exported, cli):
    before = exported.net.read_bytes()
    result = cli("export", "netx", exported.path, "--limit", "2")
    assert "gate passed: SLAYER == reference, every spike of 2 clips of 31 steps" in result.output
    assert exported.net.read_bytes() == before


def test_pooling_is_written_out_where_asked(exported, cli):
    assert "HW009" in cli("export", "lint", exported.net, "--chip").output
    before = load_manifest(exported).gate
    result = cli("export", "netx", exported.path, "--limit", "4", "--one-group")
    assert result.exit_code == 0, result.output
    assert netx.read(exported.net).layers[2].weight.shape == (3, 3, 3, 1)
    assert load_manifest(exported).gate == before
    assert "HW009" not in cli("export", "lint", exported.net, "--chip").output


DENDRITES = [
    (DendriteConfig(), ("conv1", "conv2", "dense1", "heads"), "analog"),
    (DendriteConfig(branches=2, layers="late", mask="blocks"), ("dense1", "heads"), "analog"),
    (DendriteConfig(realisation="spiking", branches=2), (), "stock"),
]


@pytest.mark.parametrize(("dendrites", "layers", "realisation"), DENDRITES, ids=["all", "late", "spiking"])
def test_dendrites_are_exported_and_say_where_they_run(tmp_path, cli, fake_clips, dendrites, layers, realisation):
    config = replace(SMALL, network=replace(SMALL.network, neuron="dh_lif"), dendrites=dendrites)
    run = make_run(tmp_path / "run", config, fake_clips())
    result = cli("export", "netx", run.path, "--limit", "2")
    assert result.exit_code == 0, result.output
    said = f"simulator only: {', '.join(layers)} have analog dendrites, which on Loihi 2 would need neuron microcode"
    assert (said in result.output) == bool(layers)
    assert load_manifest(run).realisation == realisation
    assert netx.read(run.net).dendritic_names == layers
    result = cli("export", "netx", run.path, "--limit", "2", "--json")
    assert json.loads(result.stdout)["realisation"] == realisation
    assert (said in result.stderr) == bool(layers)


def altered(network, index, **changes):
    layers = list(network.layers)
    layers[index] = replace(layers[index], **changes)
    return Network(tuple(layers), network.names)


def weight_off(network):
    weight = network.layers[3].weight.copy()
    weight[2] -= 200 * (weight[2] > -56)
    return altered(network, 3, weight=weight)


def threshold_off(network):
    return altered(network, 1, neuron=replace(network.layers[1].neuron, vth_mant=1))


def decay_off(network):
    return altered(network, 2, neuron=replace(network.layers[2].neuron, v_decay=4096))


@pytest.mark.parametrize(("change", "where"), [(weight_off, "conv2"), (threshold_off, "conv1"), (decay_off, "pool1")])
def test_a_divergence_names_layer_neuron_and_step_and_leaves_nothing(exported, cli, monkeypatch, change, where):
    """Also the older export goes: it must not be taken for the checkpoint's."""
    from export import convert

    honest = convert.from_slayer
    monkeypatch.setattr(convert, "from_slayer", lambda *arguments: change(honest(*arguments)))
    result = cli("export", "netx", exported.path, "--limit", "4")
    assert result.exit_code == 1
    error = result.output[result.output.index("error: ") :]
    assert error.startswith(f"error: layer {where}, neuron (")
    assert ", step " in error
    assert "SLAYER's quantised forward gives " in error
    assert error.count("\n") == 1
    assert files(exported) == ["checkpoint.pt", "metrics.json"]


def test_the_neuron_and_the_step_are_those_that_differ(exported, cli, monkeypatch):
    """Where a spike of the reference is turned over, there the gate points."""
    honest = reference.simulate

    def turned(network, spikes, probes=False):
        traces = honest(network, spikes, probes)
        traces[3].spikes[5, 17] ^= 1
        return traces

    monkeypatch.setattr(reference, "simulate", turned)
    result = cli("export", "netx", exported.path, "--limit", "4")
    assert result.exit_code == 1
    assert "error: layer dense1, neuron 5, step 17: " in result.output


def test_a_network_that_breaks_a_rule_is_not_exported(exported, cli, monkeypatch):
    from export import convert

    honest = convert.from_slayer

    def silent(*arguments):
        network = honest(*arguments)
        return altered(network, 6, weight=np.zeros_like(network.layers[6].weight))

    monkeypatch.setattr(convert, "from_slayer", silent)
    result = cli("export", "netx", exported.path, "--limit", "4")
    assert result.exit_code == 1
    assert "error: layer 6 (heads, dense) breaks rule NX007: has no weight but zeros" in result.output
    assert files(exported) == ["checkpoint.pt", "metrics.json"]


@pytest.mark.parametrize(
    ("register", "text"),
    [((), "current"), (("branch 2 current",), "branch 2 current"), (("branch sum",), "branch sum")],
)
def test_a_current_that_wraps_is_refused(exported, cli, monkeypatch, register, text):
    honest = reference.simulate

    def wrapping(network, spikes, probes=False):
        traces = honest(network, spikes, probes)
        return [replace(trace, wraps=(reference.Wrap(trace.name, 3, 9, *register),)) for trace in traces]

    monkeypatch.setattr(reference, "simulate", wrapping)
    result = cli("export", "netx", exported.path, "--limit", "4")
    assert result.exit_code == 1
    assert f"error: layer conv1, neuron 3, step 9: the {text} leaves its 24 bits and wraps" in result.output


def test_a_voltage_that_is_held_is_refused(exported, cli, monkeypatch):
    honest = reference.simulate

    def falling(network, spikes, probes=False):
        traces = honest(network, spikes, probes)
        return [replace(trace, floors=(reference.Wrap(trace.name, 3, 9, "voltage"),)) for trace in traces]

    monkeypatch.setattr(reference, "simulate", falling)
    result = cli("export", "netx", exported.path, "--limit", "4")
    assert result.exit_code == 1
    assert "error: layer conv1, neuron 3, step 9: the voltage is held at the lowest that 24 bits hold" in result.output
    assert not exported.net.exists()


def test_a_full_disk_leaves_the_older_export(exported, cli, monkeypatch):
    before = {name: (exported.path / name).read_bytes() for name in files(exported)}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    result = cli("export", "netx", exported.path, "--limit", "4")
    assert result.exit_code == 1
    assert f"error: {exported.net}: cannot be written: No space left on device. Free some disk space" in result.output
    assert {name: (exported.path / name).read_bytes() for name in files(exported)} == before
    assert load_manifest(exported).name == "lif"


def test_a_stale_export_is_told_from_the_checkpoints(exported):
    exported.checkpoint.write_bytes(exported.checkpoint.read_bytes() + b"x")
    with pytest.raises(MaestroError, match=r"manifest\.json: was made for another checkpoint\.pt"):
        load_manifest(exported)


def test_an_ann_and_a_missing_run_are_refused(tmp_path, cli, fake_clips):
    config = replace(SMALL, name="ann", network=replace(SMALL.network, neuron="ann"))
    run = make_run(tmp_path / "ann", config, fake_clips())
    result = cli("export", "netx", run.path)
    assert result.exit_code == 1
    assert "holds an ANN, which does not run on the chip. Train a spiking network" in result.output
    result = cli("export", "netx", tmp_path / "none")
    assert result.exit_code == 1
    assert "no such run folder. Make it with `python -m train fit" in result.output


def test_nothing_holds_the_file_open(exported):
    with h5py.File(exported.net, "a") as file:
        assert len(file["layer"]) == 7
