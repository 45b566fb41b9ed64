import numpy as np
import pytest

from hardware.measure.accuracy import hear
from train.artifacts import write_json
from train.errors import CallError, MaestroError


@pytest.mark.parametrize("kind", ["lif", "analog", "ann"])
def test_every_decision_is_counted_in_its_cell(make_run, kind):
    run = make_run(kind)
    heard = hear(run)
    assert heard.network["deployed"] is (kind != "ann")
    assert heard.network["steps"] == 31
    assert list(heard.accuracy["sets"]) == ["test", "test_keyboards"]
    for entry in heard.accuracy["sets"].values():
        assert entry["clips"] == 12
        for head, count in (("title", 4), ("style", 2), ("emotion", 2)):
            found = entry["heads"][head]
            confusion = np.array(found["confusion"])
            assert confusion.shape == (count, count)
            assert confusion.sum() == 12
            # As many clips of each class.
            assert set(confusion.sum(axis=1)) == {12 // count}
            assert found["accuracy"]["value"] == pytest.approx(100 * confusion.trace() / 12)
            assert found["accuracy"]["low"] <= found["accuracy"]["value"] <= found["accuracy"]["high"]
            assert found["accuracy"]["method"].startswith(f"{confusion.trace()} of 12 clips right")
            assert found["chance"]["value"] == pytest.approx(100 / count)
    # What stands in for training's figures has none of any clip.
    assert heard.accuracy["as_trained"] is False
    assert heard.network["parameters"] is None


@pytest.mark.parametrize("kind", ["lif", "ann"])
def test_what_training_heard_is_not_measured(make_run, kind):
    """As where recordings came after training, and the lot put other ones on test."""
    run = make_run(kind)
    write_json(run.recordings, {"train": ["train0", "test1"]})
    with pytest.raises(MaestroError, match=r"1 of 4 recordings of test were heard in training: test1\. Train again"):
        hear(run)


def test_the_deployed_integers_decide_as_the_reference_does(make_run):
    from export import netx, reference
    from lava_runtime.inputs import run_clips
    from train.metrics import decide

    run = make_run("lif")
    clips = run_clips(run)
    spikes = clips.spikes(clips.all_of("test"))
    scores = np.array([reference.run(netx.read(run.net), sample)[-1].sum(axis=-1) for sample in spikes])
    decided = decide(scores.reshape(len(spikes), -1), clips.manifest.slices)["title"]
    expected = np.zeros((4, 4), int)
    for truth, decision in zip(clips.sets["test"].labels["title"], decided, strict=True):
        expected[truth, decision] += 1
    assert hear(run).accuracy["sets"]["test"]["heads"]["title"]["confusion"] == expected.tolist()


def test_what_training_found_is_held_against_it(make_run):
    run = make_run("lif")
    sets = hear(run).accuracy["sets"]
    final = {
        split: {
            head: {"correct": int(np.trace(found["confusion"])), "clips": 12} for head, found in entry["heads"].items()
        }
        for split, entry in sets.items()
    }
    write_json(run.metrics, {"final": final, "parameters": 123})
    heard = hear(run)
    assert heard.accuracy["as_trained"] is True
    assert heard.network["parameters"] == 123
    final["test"]["title"]["correct"] += 1
    write_json(run.metrics, {"final": final, "parameters": 123})
    assert hear(run).accuracy["as_trained"] is False


def test_a_run_of_another_task_is_refused(make_run):
    run = make_run("lif")
    run.config.write_text(run.config.read_text().replace('name = "recognition"', 'name = "segmentation"'))
    text = (
        r"is a run of segmentation \(expected a run of recognition\)\. `python -m hardware segmentation` measures such"
    )
    with pytest.raises(CallError, match=text):
        hear(run)


def test_a_head_without_labels_has_no_accuracy(make_run, monkeypatch):
    from train.data import clips

    build = clips.data_clips

    def without(config):
        sets, labels = build(config)
        for of_set in sets.values():
            of_set.labels["emotion"][:] = -1
        return sets, labels

    run = make_run("ann")
    monkeypatch.setattr(clips, "data_clips", without)
    found = hear(run).accuracy["sets"]["test"]["heads"]["emotion"]
    assert found["accuracy"] == found["chance"] == {"unavailable": "no clip of this test set is labelled"}
    assert np.array(found["confusion"]).sum() == 0


def test_a_run_that_is_not_exported(make_run):
    run = make_run("lif")
    run.net.unlink()
    with pytest.raises(MaestroError, match=r"model.net: missing from the run. Make it with `python -m export netx"):
        hear(run)
