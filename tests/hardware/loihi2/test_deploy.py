"""The chip as a backend, the verb deploy, and what is asked of the closed package before."""

import json
import sys

import numpy as np
import pytest

from hardware.availability import MODULES, closed_package, require_chip
from hardware.loihi2.runner import LoihiRunner, Way
from lava_runtime.runner import Runner, make_runner
from train.artifacts import read_json
from train.errors import CallError, MaestroError


def test_the_closed_package_is_asked_for_and_not_imported(with_standin):
    before = set(sys.modules)
    found = closed_package()
    assert found.complete
    assert found.found == MODULES
    assert found.versions == {"lava-loihi": "0.6.0"}
    assert require_chip("runs/x") == found
    assert not {
        name for name in set(sys.modules) - before if name.startswith(("lava.utils.loihi2", "nxcore", "standin"))
    }


def test_without_the_closed_package_the_way_by_bundle_is_named():
    assert closed_package().missing == MODULES
    said = (
        r"lava-loihi, Intel's package for the chip: not installed. `python -m hardware bundle runs/x` packs the run "
        r"for a machine that has it .INRC members only."
    )
    with pytest.raises(MaestroError, match=said) as caught:
        require_chip("runs/x")
    assert caught.value.exit_code == 1


def test_half_a_closed_package_is_none(with_standin, monkeypatch):
    import importlib.util

    stock = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "nxcore" else stock(name))
    with pytest.raises(MaestroError, match=r"Intel's package for the chip: nxcore missing"):
        require_chip("runs/x")


def test_deploy_without_the_closed_package_lints_and_places_first(cli, run_of):
    run = run_of("lif")
    result = cli("hardware", "deploy", run.path)
    assert result.exit_code == 1
    assert "breaks no rule for the chip" in result.stderr
    assert "of 120 a chip: 1 chip, 1 Oheo Gulch" in result.stdout
    *_, last = result.stderr.strip().splitlines()
    assert last.startswith(
        "error: lava-loihi, Intel's package for the chip: not installed. `python -m hardware bundle "
    )
    assert "Traceback" not in result.output
    assert not run.measurement.exists()


def test_deploy_refuses_analog_dendrites_and_names_the_spiking_ones(cli, run_of):
    result = cli("hardware", "deploy", run_of("dh_lif").path)
    assert result.exit_code == 1
    (line,) = result.stderr.strip().splitlines()[-1:]
    assert "have analog dendrites" in line
    assert "dh_lif_spiking" in line


@pytest.mark.lava
@pytest.mark.slow
def test_deploy_runs_compares_and_files(cli, run_of, with_standin, monkeypatch):
    monkeypatch.setenv("STANDIN_IN", "2")
    monkeypatch.setenv("STANDIN_OUT", "1")
    run = run_of("dh_lif_spiking")
    call = ("deploy", run.path, "--samples", "2", "--steps", "130", "--partition", "oheogulch")
    result = cli("hardware", *call)
    assert result.exit_code == 0, result.output
    for text in (
        "breaks no rule for the chip",
        "closed package: lava-loihi 0.6.0",
        "found 3 steps late",
        "no spike differs",
    ):
        assert text in result.output
    filed = read_json(run.measurement, "")["loihi2"]
    assert filed["comparison"]["total"] == 0
    assert filed["comparison"]["delay"] == 3
    assert filed["backend"] == "loihi2"
    assert filed["environment"]["PARTITION"] == "oheogulch"
    assert filed["power"]["total"]["unit"] == "W"
    assert filed["power"]["total"]["kind"] == "measured"
    assert (run.path / "result.json").is_file()


@pytest.mark.lava
@pytest.mark.slow
def test_deploy_ends_with_1_when_the_chip_differs_or_fails(cli, run_of, with_standin, monkeypatch):
    run = run_of("lif")
    call = ("hardware", "deploy", run.path, "--samples", "2", "--no-profile", "--json")
    # A step late for every one of the way's possible delays: the stand-in holds the input longer than any gap.
    monkeypatch.setenv("STANDIN_IN", "30")
    result = cli(*call)
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["comparison"]["total"] > 0
    assert found["comparison"]["first"]["layer"] == "conv1"
    monkeypatch.setenv("STANDIN_IN", "what")
    result = cli(*call)
    assert result.exit_code == 1
    failed = "error: pass spikes: ended with code 1: ValueError: invalid literal for int() with base 10: 'what'. "
    assert result.stderr.strip().splitlines()[-1] == f"{failed}{run.path}/result.json has what was printed"


def test_deploy_refuses_what_cannot_go_on_the_board(cli, run_of):
    run = run_of("lif")
    for options, code, said in (
        (("--probe", "dense7"), 2, "--probe dense7: no such layer with neurons (expected one of conv1, pool1,"),
        (("--partition", "nahuku32"), 1, "nahuku32: is a Nahuku, whose chips are of the first Loihi"),
    ):
        result = cli("hardware", "deploy", run.path, *options)
        assert result.exit_code == code
        assert said in result.stderr


@pytest.mark.lava
@pytest.mark.slow
def test_the_chip_is_a_runner_like_others(run_of, with_standin, monkeypatch):
    monkeypatch.setenv("STANDIN_IN", "1")
    run = run_of("lif")
    spikes = (np.random.default_rng(1).random((3, 4, 13, 1, 25)) < 0.3).astype(np.uint8)
    with make_runner("engine", run.net, layers=True) as engine:
        expected = engine.run(spikes)
    for sim in (False, True):
        with LoihiRunner(run.net, layers=True, way=Way(sim=sim)) as runner:
            assert isinstance(runner, Runner)
            assert runner.backend == "loihi2"
            assert runner.layer_sizes == engine.layer_sizes
            found = runner.run(spikes)
        np.testing.assert_array_equal(found.output, expected.output)
        np.testing.assert_array_equal(found.counts, expected.counts)
        for ours, theirs in zip(found.layers, expected.layers, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_what_the_runner_refuses(run_of):
    run = run_of("lif")
    with pytest.raises(MaestroError, match="not installed"):
        LoihiRunner(run.net)
    with LoihiRunner(run.net, way=Way(sim=True)) as runner:
        with pytest.raises(CallError, match="--probe: does not go with the backend loihi2"):
            next(runner.blocks(np.zeros((1, 4, 13, 1, 25), np.uint8), probes=["conv1"]))
        with pytest.raises(MaestroError, match="has 2 axes"):
            runner.run(np.zeros((1, 4), np.uint8))
