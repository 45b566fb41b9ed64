"""Accuracy under every condition: the clean point is the measured one, and what is done is kept."""

import re

import numpy as np
import pytest
import soundfile

from hardware.baseline.kept import only_here
from hardware.measure.accuracy import hear
from hardware.measurement import file_section, identity, read_measurement
from hardware.robustness import measure as module
from hardware.robustness.conditions import AXES, all_conditions, tilted
from hardware.robustness.decider import DEPLOYED, TRAINED
from hardware.robustness.measure import measure_robustness
from train.errors import CallError, MaestroError


def cells(section):
    return {(entry["axis"], entry["kind"], entry["value"]): entry["sets"] for entry in section["conditions"]}


def test_every_condition_has_a_name_of_its_own_and_changes_one_thing():
    with_folder, without = (all_conditions(folder=folder) for folder in (True, False))
    assert len({condition.name for condition in with_folder}) == len(with_folder) == len(without) + 5
    assert {condition.axis for condition in without} == set(AXES)
    assert {condition.kind for condition in without} == {"", "white", "pink", "brown", "babble", "hum"}
    nothing = type(without[0].recipe)()
    for condition in with_folder:
        changed = [key for key, value in vars(condition.recipe).items() if value != getattr(nothing, key)]
        assert len([key for key in changed if key not in ("snr_db", "room")]) == 1
        # No point of an axis is where the clean clips are.
        assert condition.value != AXES[condition.axis][2]
    np.testing.assert_allclose(tilted(10), [-5, -3, -1, 1, 3, 5])


@pytest.mark.parametrize(("kind", "method"), [("lif", DEPLOYED), ("analog", DEPLOYED), ("ann", TRAINED)])
def test_the_clean_point_is_the_measured_accuracy(tried, kind, method):
    run = tried(kind)
    section = measure_robustness(run, workers=0)
    assert section["method"].startswith(method)
    assert section["clips"] == 24
    assert section["as_measured"] is None
    measured = hear(run).accuracy
    for split, entry in measured["sets"].items():
        assert section["clean"]["sets"][split]["clips"] == 12
        for head, found in entry["heads"].items():
            assert section["clean"]["sets"][split]["heads"][head] == found["accuracy"]
    stored = read_measurement(run)["robustness"]
    assert {key: stored[key] for key in section} == section
    file_section(run, "accuracy", {"identity": identity(run), **measured})
    assert measure_robustness(run, workers=0)["as_measured"] is True
    measured["sets"]["test"]["heads"]["title"]["accuracy"]["value"] += 1
    file_section(run, "accuracy", {"identity": identity(run), **measured})
    assert measure_robustness(run, workers=0)["as_measured"] is False
    file_section(run, "accuracy", {"identity": {"checkpoint_sha256": "another"}, **measured})
    assert measure_robustness(run, workers=0)["as_measured"] is None


def test_conditions_are_heard_and_the_same_again_with_any_number_of_processes(tried, no_process_left):
    run = tried("lif")
    section = measure_robustness(run, workers=0)
    assert len(section["conditions"]) == 5
    for sets in cells(section).values():
        for split in ("test", "test_keyboards"):
            for head, classes in (("title", 4), ("style", 2), ("emotion", 2)):
                found = sets[split]["heads"][head]
                assert 0 <= found["low"] <= found["value"] <= found["high"] <= 100
                assert re.match(r"\d+ of 12 clips right, 95 % interval \(Wilson 1927\)", found["method"])
                assert classes
    # An untrained network decides otherwise on something.
    assert any(sets != section["clean"]["sets"] for sets in cells(section).values())
    assert measure_robustness(run, workers=2, again=True)["conditions"] == section["conditions"]


def test_what_is_done_is_kept(tried, monkeypatch, capsys):
    run = tried("lif")
    whole = measure_robustness(run, workers=0)
    cell = module._cell
    left = [3]

    def interrupted(*given):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return cell(*given)

    monkeypatch.setattr(module, "_cell", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure_robustness(run, workers=0, again=True)
    done = []
    monkeypatch.setattr(module, "_cell", lambda *given: done.append(1) or cell(*given))
    # The clean cell and two conditions were kept.
    assert measure_robustness(run, workers=0)["conditions"] == whole["conditions"]
    assert len(done) == 3
    assert "2 of 5 conditions are kept from an earlier call" in capsys.readouterr().err
    done.clear()
    assert measure_robustness(run, workers=0)["conditions"] == whole["conditions"]
    assert not done
    # Other clips are another measurement.
    measure_robustness(run, limit=4, workers=0)
    assert len(done) == 6


def test_fewer_clips_are_spread_over_both_test_sets(tried):
    section = measure_robustness(tried("lif"), limit=7, workers=0)
    assert (section["limit"], section["clips"], section["as_measured"]) == (7, 7, None)
    assert [entry["clips"] for entry in section["clean"]["sets"].values()] == [4, 3]


def test_the_user_s_noise_is_heard(tried, tmp_path):
    folder = tmp_path / "noise"
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.random.default_rng(1).standard_normal(16000) / 10, 16000)
    run = tried("lif")
    found = measure_robustness(run, limit=4, folder=str(folder), workers=0)
    assert ("noise", "folder", 10) in cells(found)
    assert ("noise", "folder", 10) not in cells(measure_robustness(run, limit=4, workers=0))
    with pytest.raises(MaestroError, match="away: no such folder of noise"):
        measure_robustness(run, folder=str(tmp_path / "away"), workers=0)


def test_a_head_without_labels_has_no_accuracy(tried, recordings):
    run = tried("lif")
    decider = module.decider_of(run, module.load_config(run.config))
    decider.sets["test"].labels["emotion"][:] = -1
    clean = module._clean(decider, [("test", 0), ("test", 1), ("test_keyboards", 0)])
    assert clean["test"]["heads"]["emotion"] == {"unavailable": "no clip of this test set is labelled"}
    assert clean["test_keyboards"]["heads"]["emotion"]["unit"] == "%"


def test_errors(tried):
    run = tried("lif")
    with (
        only_here(run.path / "robustness"),
        pytest.raises(MaestroError, match=r"is being measured by another call. Wait for it to end"),
    ):
        measure_robustness(run, workers=0)
    run.config.write_text(run.config.read_text().replace('name = "recognition"', 'name = "segmentation"'))
    with pytest.raises(CallError, match=r"is a run of segmentation \(expected a run of recognition\)"):
        measure_robustness(run, workers=0)
