"""Packed here, run where this project is not, read here: every spike of every layer, and damage refused there too."""

import os
import subprocess

import pytest

from hardware.bundle.check import FILES
from hardware.bundle.pack import pack
from hardware.loihi2 import on_chip
from train.artifacts import read_json


def run_script(python, folder, *arguments):
    """Run a bundle's script as somebody else would: their interpreter, their folder, none of our variables."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [str(python), "run_on_loihi.py", *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env={**environment, "OMP_NUM_THREADS": "1"}, check=False, capture_output=True, text=True
    )


@pytest.mark.slow
@pytest.mark.lava
@pytest.mark.parametrize("kind", ["lif", "spiking"])
def test_round_trip(make_run, kind, unzip, bare_python, cli):
    run = make_run(kind)
    packed = pack(run, 4, run.path / "bundle.zip")
    folder = unzip(packed.path)
    done = run_script(bare_python, folder, "--sim", "--samples", "3")
    assert done.returncode == 0, done.stderr
    read = cli("hardware", "bundle", run.path, "--read", folder / "result.json")
    assert read.exit_code == 0, read.output
    assert "no spike differs" in read.output
    filed = read_json(run.measurement, "")["simulator_check"]
    found = filed["comparison"]
    assert (found["samples"], found["delay"], found["total"], found["not_recorded"]) == (3, 0, 0, [])
    assert list(found["expected"]) == [layer["name"] for layer in packed.content["layers"]]
    assert found["expected"] == found["found"]
    assert sum(found["found"].values()) > 300
    assert "maestro-loihi" not in filed["versions"]


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_script_refuses_a_flipped_byte_and_names_the_file(packed, unzip, bare_python, name):
    """Of its own file it may be Python that refuses it."""
    folder = unzip(packed.path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    done = run_script(bare_python, folder, "--sim")
    assert done.returncode == 1
    assert name in done.stderr
    assert not (folder / "result.json").exists()


def test_the_script_refuses_every_flipped_bit_of_the_hashes(packed, unzip):
    folder = unzip(packed.path)
    whole = (folder / "SHA256SUMS").read_bytes()
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    for place in sorted({*ends, *range(0, len(whole), 9)}):
        for bit in range(8):
            content = bytearray(whole)
            content[place] ^= 1 << bit
            (folder / "SHA256SUMS").write_bytes(content)
            with pytest.raises(on_chip.FailedError, match=r"SHA256SUMS|bundle\.json"):
                on_chip.checked(folder)
    (folder / "SHA256SUMS").write_bytes(whole)
    on_chip.checked(folder)


def test_the_job_refuses_a_flipped_byte_of_the_script_itself(packed, unzip, bare_python):
    folder = unzip(packed.path)
    script = (folder / "run_on_loihi.py").read_text()
    (folder / "run_on_loihi.py").write_text(script.replace("No chip has run it", "No chip has ran it"))
    path = f"{bare_python.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        ["bash", str(folder / "job.sh"), "--sim"], cwd="/", env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "run_on_loihi.py: FAILED" in done.stdout


def test_the_job_runs_the_script_in_its_folder_and_hands_its_options_on(packed, unzip, bare_python, tmp_path):
    """As SLURM starts it: from a copy elsewhere, in the folder it was handed in from."""
    folder = unzip(packed.path)
    copy = tmp_path / "spool" / "slurm_script"
    copy.parent.mkdir()
    copy.write_bytes((folder / "job.sh").read_bytes())
    path = f"{bare_python.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "SLURM_SUBMIT_DIR": str(folder)}
    done = subprocess.run(
        ["bash", str(copy), "--help"], cwd="/", env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "--sim" in done.stdout
