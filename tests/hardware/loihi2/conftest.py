"""Tiny trained runs, their bundles, and the stand-in of the closed package."""

import base64
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

STANDIN = Path(__file__).parent / "standin"
SETTINGS = [
    "features.mfcc=6",
    "features.chroma=6",
    "features.clip_s=0.8",
    "encoding.name=level",
    "encoding.levels=4",
    "network.conv_channels=[4]",
    "network.conv_kernels=[3]",
    "network.pools=[2]",
    "network.dense=[12]",
    "lif.threshold=1.0",
    "dendrites.soma_threshold=1.0",
    "dendrites.branch_threshold=0.5",
    "dendrites.branches=2",
    "training.batch=8",
    "training.epochs=2",
    "training.threads=1",
    "training.count_scale=1.0",
]


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Where Python may not keep compiled files, every start of Lava compiles all of it again: keep them here."""
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Runs that were made, by preset; each is made once."""
    return {"folder": tmp_path_factory.mktemp("trained")}


@pytest.fixture
def run_of(trained, fake_clips, tmp_path):
    """run_of(preset): a copy of a tiny run, trained and exported, with clips for it instead of the corpus's."""
    from export import pipeline
    from lava_runtime import inputs
    from train import loop
    from train.artifacts import RunFolder
    from train.config import load_config

    fake_clips(loop, inputs)

    def make(preset):
        made = RunFolder(trained["folder"] / preset)
        if not made.net.is_file():
            loop.fit(load_config(preset, SETTINGS), made)
            pipeline.export_run(made, 2)
        shutil.copytree(made.path, tmp_path / preset)
        return RunFolder(tmp_path / preset)

    return make


@pytest.fixture
def bundle_of(trained, run_of):
    """bundle_of(preset, samples): a bundle's folder of such a run; not to be written into."""
    from hardware.bundle.pack import write_folder

    def make(preset, samples=2):
        folder = trained["folder"] / f"{preset}-{samples}"
        if not folder.is_dir():
            folder.mkdir()
            write_folder(run_of(preset), samples, folder)
        return folder

    return make


@pytest.fixture
def script(tmp_path, compiled_once):
    """script(folder, *options): run the script on a bundle; its exit code, what it said, and result.json."""

    def call(folder, *options, standin=None, **environment):
        out = tmp_path / "result.json"
        out.unlink(missing_ok=True)
        path = {} if standin is None else {"PYTHONPATH": str(standin)}
        command = [sys.executable, folder / "run_on_loihi.py", "--out", out, *options]
        done = subprocess.run(
            [str(word) for word in command],
            env={**os.environ, **path, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stderr, json.loads(out.read_text()) if out.is_file() else None

    return call


@pytest.fixture
def chip(script, tmp_path):
    """chip(folder, *options): as ``script``, with the stand-in; and what the stand-in wrote down."""

    def call(folder, *options, **environment):
        log = tmp_path / "standin.log"
        log.unlink(missing_ok=True)
        code, said, result = script(folder, *options, standin=STANDIN, STANDIN_LOG=str(log), **environment)
        lines = log.read_text().splitlines() if log.is_file() else []
        return code, said, result, [json.loads(line) for line in lines]

    return call


@pytest.fixture
def with_standin(monkeypatch, tmp_path):
    """The stand-in for this process to find and its children to use; returns the log's path."""
    log = tmp_path / "standin.log"
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(STANDIN))
        patch.setenv("PYTHONPATH", str(STANDIN))
        patch.setenv("STANDIN_LOG", str(log))
        yield log
    # Looking for a module loads the packages above it.
    for name, module in list(sys.modules.items()):
        if any(str(path).startswith(str(STANDIN)) for path in getattr(module, "__path__", ())):
            del sys.modules[name]


@pytest.fixture
def numbers():
    """numbers(text, shape, dtype): what a result holds as text."""

    def read(text, shape, dtype):
        return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape)

    return read


@pytest.fixture(scope="session")
def script_module(tmp_path_factory):
    """The script as it is bundled, for its parts."""
    from hardware.loihi2.join import SCRIPT, write_script

    assert importlib.util.find_spec("lava.utils.loihi2_profiler") is None, "the closed package is here"
    path = tmp_path_factory.mktemp("script") / SCRIPT
    write_script(path)
    spec = importlib.util.spec_from_file_location("run_on_loihi", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
