"""A real kill in the middle of the cells."""

import pickle
import signal
import subprocess
import sys

import pytest

from hardware.baseline import measure, preprocessing
from hardware.measurement import read_measurement
from train.config import load_config

KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from hardware.baseline import device, measure, preprocessing, subject
from train.artifacts import RunFolder

with open(sys.argv[2], "rb") as file:
    clips, sounds, protocol = pickle.load(file)
subject.data_clips = preprocessing.data_clips = lambda config: clips
preprocessing.test_sounds = lambda config: sounds
device.cpu = lambda probe: device.Device("cpu", "a processor", 1, "none")
device.cuda = lambda probe: "no GPU"
whole, time_cell, done = measure.variants_of, measure.time_cell, []
measure.variants_of = lambda *words: {name: whole(*words)[name] for name in ("eager", "inference")}

def killed_at_the_third(*words):
    done.append(words)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return time_cell(*words)

measure.time_cell = killed_at_the_third
measure.measure_baseline(RunFolder(Path(sys.argv[1])), protocol=protocol)
"""


@pytest.mark.slow
def test_a_kill_keeps_what_was_done(measured, make_run, quick, root, tmp_path, monkeypatch):
    run, carried = make_run("ann"), tmp_path / "carried"
    clips = preprocessing.data_clips(load_config(run.config))
    carried.write_bytes(pickle.dumps((clips, preprocessing.test_sounds(None), quick)))
    command = [sys.executable, "-c", KILLED, str(run.path), str(carried)]
    ended = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    files = {path.name for path in (run.path / ".baseline").iterdir()}
    assert files == {
        "preprocessing.json",
        "cpu-load.json",
        "cpu-made.json",
        "cpu-ann-eager.json",
        "cpu-ann-eager-1.json",
        "cpu-ann-eager-2.json",
    }
    # The GPU, which there is not, was filed first, and whole.
    assert read_measurement(run)["baseline"]["devices"]["cuda"] == {"unavailable": "no GPU"}

    calls = []
    time_cell = measure.time_cell
    monkeypatch.setattr(measure, "time_cell", lambda *words: calls.append(words[2]) or time_cell(*words))
    section = measured("none", run=run)
    assert calls == [1, 2]
    assert set(section["devices"]["cpu"]["networks"]["ann"]["best"]) == {"1", "2"}
