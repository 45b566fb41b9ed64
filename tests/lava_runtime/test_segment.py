"""A recording's style over time, told by a deployed network; and what its runs are not for."""

import json

import numpy as np
import pytest
import soundfile

from lava_runtime import inputs, segment
from lava_runtime.evaluate import evaluate
from lava_runtime.identify import identify
from lava_runtime.live import Live
from train.artifacts import RunFolder
from train.data.sound import load_sound
from train.errors import MaestroError
from train.features import sound_features
from train.metrics import decide

STEPS = [
    "features.clip_s=1.0",
    "features.hop_s=0.02",
    "features.mel=6",
    "task.train_clips=8",
    "task.validation_clips=4",
    "task.test_clips=4",
    "task.held_out=0",
    "network.dense=[8]",
    "dendrites.tau_low=1",
    "dendrites.tau_high=8",
    "training.epochs=1",
]


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    """A run whose task is segmentation, of a data set that is made up."""
    from pathlib import Path

    from export.pipeline import export_run
    from train.config import load_config
    from train.data.dataset import DataSet, Recording
    from train.loop import fit
    from train.segmentation import splices

    recordings = tuple(
        Recording(f"{split} {style}", "", split, 3.0, style, split, {"style": style})
        for split in ("train", "validation", "test")
        for style in ("Baroque", "Romantic")
    )
    data = DataSet("made up", Path(), recordings, {"style": ("Baroque", "Romantic")})

    def features(data, wanted, config, changes):
        generator = np.random.default_rng(0)
        return [[generator.normal(-40, 10, (6, 150)).astype(np.float32) for _ in wanted]]

    run = RunFolder(tmp_path_factory.mktemp("segmenter") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splices, "open_dataset", lambda config: data)
        patch.setattr(splices, "changed_features", features)
        fit(load_config("segmentation", STEPS), run)
        export_run(run, 2)
        yield run


@pytest.fixture
def recording(tmp_path):
    """Two seconds of noise that swells and fades."""
    rate_hz = 16000
    swell = np.abs(np.sin(np.arange(2 * rate_hz) / 1500))
    path = tmp_path / "noise.wav"
    soundfile.write(path, 0.3 * swell * np.random.default_rng(1).normal(size=2 * rate_hz), rate_hz)
    return path


def test_stretches_are_the_steps_in_a_row(segmenter, recording):
    found = segment.segment(segmenter, recording, "engine")
    assert segment.segment(segmenter, recording, "reference") == found
    assert found.duration_s == 2.0
    assert found.undecided_s == pytest.approx(0.02)
    manifest = segment.load_manifest(segmenter)
    readout = segment.require_readout(manifest, segmenter)
    features = sound_features(load_sound(recording, 16000), 16000, manifest.features)
    with segment.make_runner("reference", segmenter.net) as runner:
        output = runner.run(inputs.encode(manifest, features[None])).output
    steps = decide(readout.scores(output), manifest.slices)["style"][0]
    # 101 frames, of which the last comes out when the run is over.
    assert len(steps) == 100
    told = [label for each in found.stretches for label in [each.label] * round((each.stop_s - each.start_s) / 0.02)]
    assert told == [("Baroque", "Romantic")[step] for step in steps]


def test_join_steps_by_hand():
    found = segment.join_steps(np.array([1, 1, 0, 1]), ("a", "b"), 0.5)
    assert [(each.start_s, each.stop_s, each.label) for each in found] == [(0, 1, "b"), (1, 1.5, "a"), (1.5, 2, "b")]


def test_the_command_prints_stretches(cli, segmenter, recording):
    result = cli("lava_runtime", "segment", segmenter.path, recording)
    assert result.exit_code == 0, result.output
    for text in ("noise.wav, 0:02.0", "decision", "0:00.0 to"):
        assert text in result.output
    out = cli("lava_runtime", "segment", segmenter.path, recording, "--json").stdout
    values = json.loads(out[out.index("{") :])
    assert values["stretches"][0]["start_s"] == 0
    assert values["stretches"][-1]["stop_s"] == pytest.approx(2.0)


def test_a_run_that_tells_whole_clips(cli, run, recording):
    result = cli("lava_runtime", "segment", run.path, recording)
    assert result.exit_code == 1
    assert "tells whole clips, not steps. Use `python -m lava_runtime identify" in result.output


def test_clips_are_not_decided_by_a_run_that_tells_steps(segmenter, recording):
    text = "run segmentation: tells every step and nothing of whole clips. Use `python -m lava_runtime segment`"
    for work in (
        lambda: identify(segmenter, recording, "engine"),
        lambda: Live(segmenter, recording),
        lambda: evaluate(segmenter, "engine"),
    ):
        with pytest.raises(MaestroError, match=text):
            work()


def test_a_recording_shorter_than_the_network_is_late(segmenter, recording, monkeypatch):
    readout = segment.require_readout(segment.load_manifest(segmenter), segmenter)
    late = segment.Readout(readout.weight, readout.readout_steps, 101)
    monkeypatch.setattr(segment, "require_readout", lambda manifest, run: late)
    with pytest.raises(
        MaestroError, match=r"noise.wav: too short: 101 frames \(expected at least one clip, 102 frames"
    ):
        segment.segment(segmenter, recording, "engine")
