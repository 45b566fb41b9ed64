"""The whole experiment in small: searched, trained, exported, heard, told and drawn; and what goes wrong."""

import json

import numpy as np
import pytest
import tomli_w

from hardware.experiment import load_experiment, parse_experiment
from hardware.segmentation import cell as room
from hardware.segmentation.experiment import segment
from hardware.segmentation.summary import sentences
from train.errors import CallError, MaestroError


@pytest.mark.slow
def test_the_command_leaves_result_summary_and_pictures(cli, values, made_up, here, tmp_path):
    source, out = tmp_path / "small.toml", tmp_path / "out"
    source.write_text(tomli_w.dumps(values))
    result = cli("hardware", "segmentation", source, "--out", out)
    assert result.exit_code == 0, result.output
    names = [
        f"{model}-{order}{seed}" for order in ("mixed", "forward") for seed in (1, 2) for model in ("lif", "dh_lif")
    ]
    assert here == ["lif-search1", "lif-search2", "dh_lif-search1", "dh_lif-search2", *names]
    for text in ("frame accuracy, %", "majority class", "clock", "LIF", "DH-LIF", "new performances", "titles never"):
        assert text in result.output
    found = json.loads((out / "segmentation.json").read_text())
    forward = found["orders"]["forward"]["sides"]["test"]
    # The cut is between 30 and 70 % of 50 steps, of which the last is not told of.
    assert 0.75 < forward["baselines"]["clock"]["mean"] < 1
    assert forward["clips"] == 8
    assert forward["steps"] == 8 * 49
    mixed = found["orders"]["mixed"]["sides"]["test"]
    assert abs(mixed["baselines"]["majority"]["mean"] - 0.5) < 0.15
    for model, summary in mixed["accuracy"].items():
        cells = found["orders"]["mixed"]["cells"][model]
        assert summary["n"] == len(cells) == 2
        assert all(entry["gate"]["differing"] == 0 for entry in cells)
    assert mixed["spikes_compared"] > 0
    assert set(mixed["around_cuts"]["lif"]) == {"first_step", "bin_steps", "changed", "same"}
    assert "same" not in forward["around_cuts"]["lif"]
    text = (out / "summary.md").read_text()
    for name in ("accuracy_by_seed", "accuracy_around_cuts", "example_raster"):
        assert (out / f"{name}.png").stat().st_size > 5000
        assert f"({name}.png)" in text
    for part in ("hearing nothing", "of SLAYER's quantised forward", "## Searches", "points"):
        assert part in text
    # Everything is done; the same call only tells it again.
    again = cli("hardware", "segmentation", source, "--out", out, "--json")
    assert len(here) == 12
    values = json.loads(again.stdout[again.stdout.index("{") :])
    assert values["orders"] == found["orders"]


def test_models_of_a_seed_share_clips_and_seeds_do_not(values, made_up, tmp_path):
    from hardware.segmentation.experiment import order_jobs

    jobs = order_jobs(parse_experiment(values), "mixed", {"lif": (), "dh_lif": ()}, tmp_path)
    tasks = [job.config.task for job in jobs]
    assert tasks[0] == tasks[1] != tasks[2] == tasks[3]
    assert [task.seed for task in tasks] == [1, 1, 2, 2]
    assert len({job.key for job in jobs}) == 4


def test_the_preset_is_an_experiment():
    experiment = load_experiment("segmentation")
    assert experiment.shared_config().task.name == "segmentation"
    assert list(experiment.models) == ["lif", "dh_lif"]
    assert len(experiment.all_seeds) == 5


def test_an_experiment_of_another_task(tmp_path):
    with pytest.raises(
        CallError, match=r"task.name: is 'recognition' in compare \(expected segmentation\). Compare it"
    ):
        segment(load_experiment("compare"), tmp_path, 1)


def test_compare_has_no_clips_to_count_there(tmp_path):
    from hardware.compare import compare

    with pytest.raises(CallError, match=r"segmentation: tells every step, which has no clips to count. Use `python -m"):
        compare(load_experiment("segmentation"), ["lif"], tmp_path, 1)


def test_integers_that_are_right_elsewhere():
    found = {"correct": 5, "steps": 9}
    room.require_alike("lif, test", found, dict(found))
    with pytest.raises(
        MaestroError, match=r"lif, test: the exported integers are right at 5 of 9 steps, SLAYER's quant.* 6"
    ):
        room.require_alike("lif, test", found, {"correct": 6, "steps": 9})


def test_spikes_that_differ(values, made_up, here, tmp_path, monkeypatch):
    trained = room.trained_layers

    def altered(run, spikes):
        layers = trained(run, spikes)
        layers[-1][2, 3, 7] ^= 1
        return layers

    monkeypatch.setattr(room, "trained_layers", altered)
    values["seeds"] = 1
    with pytest.raises(
        MaestroError, match=r"lif-mixed1, test, clip 2, neuron 3, step 7: SLAYER's quantised.*weight_std"
    ):
        segment(parse_experiment(values), tmp_path, 1)


def test_verdicts():
    def side(low, high):
        mean = (low + high) / 2
        difference = {"mean": mean, "low": low, "high": high, "includes_zero": low <= 0 <= high}
        above = dict.fromkeys(("majority", "clock"), difference)
        return {
            "differences": {"dh_lif": difference},
            "baselines": {"majority": {"mean": 0.5}, "clock": {"mean": 0.9}},
            "above_baselines": {"lif": above, "dh_lif": above},
        }

    sides = {"test": side(0.01, 0.03), "test_titles": side(-0.03, -0.01)}
    result = {
        "labels": {"lif": "LIF", "dh_lif": "DH-LIF"},
        "orders": {"mixed": {"sides": sides}, "forward": {"sides": {"test": side(-0.01, 0.01)}}},
    }
    better, worse, same = sentences(result)
    assert "new performances: against LIF, DH-LIF is better (+2.0, +1.0 to +3.0 points)" in better
    assert "(clock, 90.0 %)" in better
    assert "DH-LIF is worse (-2.0" in worse
    assert "is not told apart (+0.0" in same
    assert np.char.count(same, "points") == 2
