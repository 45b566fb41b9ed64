"""Small exported runs, what a chip might have answered, and an environment without this project."""

import base64
import copy
import dataclasses
import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

# What packing said, once done.
PACKED = []


@pytest.fixture
def run(make_run):
    """An exported LIF network."""
    return make_run("lif")


@pytest.fixture
def packed(run, exported):
    """That run, packed with four samples."""
    from hardware.bundle.pack import pack

    cache, path = exported[0] / "packed", run.path / "bundle.zip"
    if not cache.exists():
        PACKED.append(pack(run, 4, path))
        shutil.copyfile(path, cache)
    shutil.copyfile(cache, path)
    return dataclasses.replace(PACKED[0], path=path, content=copy.deepcopy(PACKED[0].content))


@pytest.fixture
def unzip(tmp_path):
    """unzip(path): the folder in a bundle's zip."""

    def extract(path, folder="carried"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / folder)
        (top,) = (tmp_path / folder).iterdir()
        return top

    return extract


@pytest.fixture
def answer(unzip):
    """answer(packed, backend, delay): a result.json's content that a machine without fault would have written."""

    def make(packed, backend="loihi2", delay=None, layers=None):
        content = packed.content
        plan = content["schedule"]["chip" if backend == "loihi2" else "simulator"]
        delay = plan["input_delay"] if delay is None else delay
        steps = content["samples"] * plan["period"] + plan["input_delay"] + plan["slack"]
        recorded = {}
        with np.load(unzip(packed.path, "answering") / "golden.npz") as golden:
            for name in layers or golden.files:
                stream = np.zeros((*golden[name].shape[1:-1], steps), np.uint8)
                for sample, spikes in enumerate(golden[name]):
                    start = sample * plan["period"] + delay
                    stream[..., start : start + plan["steps"]] = spikes
                recorded[name] = pack_stream(stream)
        return {
            "format": 1,
            "bundle_id": content["id"],
            "backend": backend,
            "schedule": plan,
            "samples": content["samples"],
            "steps_run": steps,
            "versions": {"lava-nc": "0.10.0"},
            "environment": {"SLURM": "1", "PARTITION": "oheogulch"} if backend == "loihi2" else {},
            "started": "2026-11-22T10:00:00+00:00",
            "ended": "2026-11-22T10:05:00+00:00",
            "layers": recorded,
            "profile": None,
            "failed": None,
            "compiler_log": "",
        }

    return make


def pack_stream(stream):
    bits = base64.b64encode(zlib.compress(np.packbits(stream.reshape(-1)).tobytes())).decode()
    return {"shape": list(stream.shape), "bits": bits}


@pytest.fixture
def flip():
    """flip(content, layer, place): one spike of a result is another."""

    def change(content, layer, place):
        entry = content["layers"][layer]
        bits = np.frombuffer(zlib.decompress(base64.b64decode(entry["bits"])), np.uint8)
        stream = np.unpackbits(bits, count=int(np.prod(entry["shape"]))).reshape(entry["shape"])
        stream[place] ^= 1
        content["layers"][layer] = pack_stream(stream)

    return change


@pytest.fixture
def write(tmp_path):
    """write(content): result.json of it."""

    def save(content, name="result.json"):
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return save


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory):
    """The interpreter of a new environment with this one's packages, and without this project.

    A .pth file names the packages' folder; .pth files in there, the project's own among them, are not followed.
    """
    folder = tmp_path_factory.mktemp("bare") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    variables = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "posix_prefix", variables))
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = folder / "bin" / "python"
    for project in ("train", "export", "lava_runtime", "hardware"):
        command = [str(python), "-c", f"import {project}"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        assert f"No module named '{project}'" in done.stderr
    return python
