"""Recordings are recognised, whole and live; live is exactly whole."""

import json
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from export.manifest import load_manifest
from lava_runtime import show
from lava_runtime.engine.engine import Engine
from lava_runtime.identify import identify, time_line
from lava_runtime.inputs import encode
from lava_runtime.live import Live, Timing
from train.data.sound import load_sound
from train.errors import CallError, MaestroError
from train.features import sound_features
from train.metrics import confidence, decide


def test_identify_slides_over_the_recording(run, sound, fake_lava):
    found = identify(run, sound, "reference")
    # 3 s are 94 frames; windows of 25 frames, 12 apart.
    assert len(found.windows) == 6
    assert found.duration_s == 3.0
    assert found.windows[1].start_s == pytest.approx(12 * 0.032)
    assert found.windows[0].stop_s == pytest.approx(25 * 0.032)
    assert list(found.overall) == ["title", "style", "emotion"]
    assert found.overall["title"].label in "abcd"
    assert 0.25 <= found.overall["title"].confidence <= 1
    assert identify(run, sound, "lava") == identify(run, sound, "engine") == found
    assert len(identify(run, sound, "engine", hop_s=0.032).windows) == 70
    line = time_line(found)
    assert line[0].start_s == 0
    assert line[-1].stop_s == found.windows[-1].stop_s
    for one, other in pairwise(line):
        assert {h: d.label for h, d in one.decisions.items()} != {h: d.label for h, d in other.decisions.items()}


def test_identify_prints_decisions_and_a_time_line(cli, run, sound):
    result = cli("lava_runtime", "identify", run.path, sound)
    assert result.exit_code == 0, result.output
    for text in ("0:03.0", "decision", "confidence", "over time", "0:00.0 to", "no chance of being right"):
        assert text in result.output
    out = cli("lava_runtime", "identify", run.path, sound, "--json").stdout
    values = json.loads(out[out.index("{") :])
    assert len(values["windows"]) == 6
    assert set(values["overall"]) == {"title", "style", "emotion"}


def test_identify_says_what_is_wrong(cli, run, sound, tmp_path):
    short = tmp_path / "short.wav"
    soundfile.write(short, np.sin(np.arange(8000)).astype(np.float32), 16000)
    cases = [
        ((short,), 1, "short.wav: too short: 16 frames"),
        ((tmp_path / "none.wav",), 1, "none.wav: no such file"),
        ((sound, "--hop", "0.001"), 2, "--hop: is 0.001 s (expected at least one frame, 0.032 s)"),
    ]
    for arguments, code, text in cases:
        result = cli("lava_runtime", "identify", run.path, *arguments)
        assert result.exit_code == code, result.output
        assert text in result.output
    for hop_s in (-1.0, float("nan"), float("inf")):
        with pytest.raises(CallError, match="--hop"):
            identify(run, sound, "reference", hop_s=hop_s)
    result = cli("lava_runtime", "identify", tmp_path / "norun", sound)
    assert result.exit_code == 1
    assert "no such run folder" in result.output


@pytest.mark.parametrize("hop_s", [None, 0.032, 0.3, 0.8, 2.0])
def test_live_windows_are_those_of_the_whole_recording(run, sound, hop_s):
    live = Live(run, sound, hop_s=hop_s)
    heard = list(live.play())
    expected = identify(run, sound, "engine", hop_s=hop_s)
    assert tuple(each.window for each in heard) == expected.windows
    assert live.conclusion() == expected
    assert heard[0].changed
    for one, other in pairwise(heard):
        labels = [{head: d.label for head, d in each.window.decisions.items()} for each in (one, other)]
        assert other.changed == (labels[0] != labels[1])
        assert one.heard_s <= other.heard_s
    # A decision comes half a frame's window after the centre of the window's last frame.
    assert heard[0].heard_s == pytest.approx(24 * 0.032 + 0.064)
    assert heard[-1].heard_s <= live.duration_s == 3.0


def test_a_running_network_is_one_long_sample(run, sound):
    live = Live(run, sound, running=True)
    heard = list(live.play())
    manifest = load_manifest(run)
    features = sound_features(load_sound(sound, 16000), 16000, manifest.features)
    output = Engine.from_file(run.net).run(encode(manifest, features[None])).output[0]
    assert output.any()
    counts = np.stack([output[:, t - 24 : t + 1].sum(-1) for t in range(24, features.shape[1])])
    chosen, sure = decide(counts, manifest.slices), confidence(counts, manifest.slices, manifest.count_scale)
    labels = [
        {head: manifest.heads[head].labels[chosen[head][row]] for head in manifest.heads} for row in range(len(counts))
    ]
    changes = [row for row in range(len(counts)) if row == 0 or labels[row] != labels[row - 1]]
    assert [round(each.window.start_s / 0.032) for each in heard] == changes
    for row, each in zip(changes, heard, strict=True):
        assert {head: d.label for head, d in each.window.decisions.items()} == labels[row]
        for head, decision in each.window.decisions.items():
            assert decision.confidence == sure[head][row, chosen[head][row]]
    whole = output[:, :75].reshape(len(output), 3, 25).sum(-1).T
    overall = live.conclusion()
    assert len(overall.windows) == 3
    for head, number in decide(whole.sum(0)[None], manifest.slices).items():
        assert overall.overall[head].label == manifest.heads[head].labels[number[0]]


def test_latencies_are_told(cli, run, sound):
    out = cli("lava_runtime", "identify", run.path, sound, "--live", "--json").stdout
    *decisions, end = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    whole = cli("lava_runtime", "identify", run.path, sound, "--json").stdout
    expected = json.loads(whole[whole.index("{") :])
    assert [{key: each[key] for key in ("start_s", "stop_s", "decisions")} for each in decisions] == expected["windows"]
    assert {each["event"] for each in decisions} == {"decision"}
    assert end["event"] == "end"
    assert end["overall"] == expected["overall"]
    assert (end["steps"], end["step_ms"], end["look_ahead_ms"]) == (94, 32.0, 64.0)
    for part in ("features", "network", "both"):
        latency = end["latency_ms"][part]
        assert 0 < latency["median"] <= latency["p99"] <= latency["max"]
    assert end["real_time_factor"] > 0
    text = cli("lava_runtime", "identify", run.path, sound, "--live").output
    for part in ("0:00.8 * 0:00.0 to 0:00.8: title ", "in all", "latency of a step in ms, 94 steps of 32.0 ms", "99th"):
        assert part in text
    assert "real-time factor" in text
    running = cli("lava_runtime", "identify", run.path, sound, "--live", "--running")
    assert running.exit_code == 0, running.output
    assert "real-time factor" in running.output


def test_percentiles_by_hand():
    timing = Timing(0.1, 0.05, [0.001 * step for step in range(101)], [0.0] * 100 + [0.2])
    found = timing.summary()
    assert found["latency_ms"]["features"] == pytest.approx({"median": 50, "p99": 99, "max": 100})
    assert found["latency_ms"]["both"]["max"] == pytest.approx(300)
    assert found["late_steps"] == 1
    assert found["real_time_factor"] == pytest.approx((5.05 + 0.2) / 10.1)


def test_decisions_are_printed_as_they_come(run, sound, monkeypatch):
    said = []
    monkeypatch.setattr(show.click, "echo", said.append)
    live = Live(run, sound)
    step = live._step

    def watched(index, features):
        # The window that ended with the frame before has been told.
        assert len(said) == sum(25 + 12 * window <= index for window in range(6))
        return step(index, features)

    monkeypatch.setattr(live, "_step", watched)
    show.show_live(live, as_json=True)
    assert len(said) == 7


def test_live_says_what_is_wrong(cli, run, sound, tmp_path):
    short = tmp_path / "short.wav"
    soundfile.write(short, np.sin(np.arange(8000)).astype(np.float32), 16000)
    cases = [
        ((sound, "--running"), 2, "--running: is a way of --live. Add --live"),
        ((sound, "--live", "--backend", "lava"), 2, "--live: does not go with --backend lava"),
        ((sound, "--live", "--running", "--hop", "1"), 2, "--hop: is for windows, and --running has none"),
        ((sound, "--live", "--hop", "0.001"), 2, "--hop: is 0.001 s (expected at least one frame"),
        ((short, "--live"), 1, "short.wav: too short: 16 frames (expected at least one clip, 25 frames)"),
        ((tmp_path / "none.wav", "--live"), 1, "none.wav: no such file"),
    ]
    for arguments, code, text in cases:
        result = cli("lava_runtime", "identify", run.path, *arguments)
        assert result.exit_code == code, result.output
        assert text in result.output


def test_a_code_that_looks_ahead_is_not_heard_live(run, sound):
    manifest = json.loads(run.manifest.read_text())
    channels = manifest["input_shape"][0]
    assert channels == 4
    manifest["encoding"]["name"], manifest["input_shape"][0] = "burst", 1
    run.manifest.write_text(json.dumps(manifest))
    with pytest.raises(MaestroError, match=r"the code 'burst': sends the mean of \d+ steps .* cannot be heard live"):
        Live(run, sound)
