"""Packed here, run where this project is not, read here: every spike of every layer, and damage refused there too."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from hardware.bundle.check import FILES, SITE, open_folder
from hardware.bundle.pack import pack
from hardware.loihi2.script import checks
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
            with pytest.raises(checks.FailedError, match=r"SHA256SUMS|bundle\.json"):
                checks.checked(folder)
    (folder / "SHA256SUMS").write_bytes(whole)
    checks.checked(folder)


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


@pytest.fixture
def job(packed, unzip, tmp_path):
    """job(site, **environment): job.sh's answer, with a site.sh and an interpreter that only tells what it sees."""
    folder = unzip(packed.path)
    python = tmp_path / "tools" / "python3"
    python.parent.mkdir()
    told = " ".join(f"{name}=${{{name}-}}" for name in ("SLURM", "PARTITION", "BOARD", "NXSDKHOST", "LOIHI_GEN"))
    python.write_text(f'#!/bin/bash\necho "{told} $0 $@"\n')
    python.chmod(0o755)

    def start(site, *options, **environment):
        (folder / SITE).write_text(site) if site is not None else (folder / SITE).unlink()
        found = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), **environment}
        command = ["bash", str(folder / "job.sh"), *options]
        return subprocess.run(command, cwd="/", env=found, check=False, capture_output=True, text=True)

    return start


def test_what_a_user_is_told_to_edit_has_no_hash(packed, unzip):
    folder = unzip(packed.path)
    lines = (folder / SITE).read_text().splitlines()
    assert all(line.startswith("#") or not line for line in lines)
    assert SITE not in (folder / "SHA256SUMS").read_text()
    for change in (lambda path: path.write_text("export BOARD=ncl-og-05\n"), lambda path: path.unlink()):
        change(folder / SITE)
        assert checks.checked(folder)["id"] == open_folder(folder).id == packed.content["id"]


BASE = "SLURM=1 PARTITION=oheogulch BOARD= NXSDKHOST= LOIHI_GEN=N3B3"


@pytest.mark.parametrize(
    ("site", "environment", "told"),
    [
        (None, {}, BASE),
        ("", {}, BASE),
        ("", {"SLURM_JOB_PARTITION": "kp"}, BASE.replace("oheogulch", "kp")),
        ("export PARTITION=kp\n", {}, BASE.replace("oheogulch", "kp")),
        ("PARTITION=kp\n", {}, BASE.replace("oheogulch", "kp")),
        ("", {"PARTITION": "kp"}, BASE.replace("oheogulch", "kp")),
        (
            "export BOARD=ncl-ext-kp-01\n",
            {},
            "SLURM=1 PARTITION= BOARD=ncl-ext-kp-01 NXSDKHOST= LOIHI_GEN=N3B3",
        ),
        ("", {"BOARD": "ncl-og-06"}, "SLURM=1 PARTITION= BOARD=ncl-og-06 NXSDKHOST= LOIHI_GEN=N3B3"),
        ("export NXSDKHOST=10.0.0.2\n", {}, "SLURM= PARTITION= BOARD= NXSDKHOST=10.0.0.2 LOIHI_GEN=N3B3"),
        ("export LOIHI_GEN=N3C1\n: $UNSET\n", {}, BASE.replace("N3B3", "N3C1")),
    ],
)
def test_a_place_is_told_by_site_or_environment_and_never_twice(job, site, environment, told):
    done = job(site, "--steps", "100", **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{told} ")
    assert done.stdout.endswith("tools/python3 run_on_loihi.py --steps 100\n")


def test_a_site_that_fails_ends_the_job(job):
    done = job('. "$HOME/none/bin/activate"\n')
    assert done.returncode == 1
    assert "none/bin/activate" in done.stderr
    assert "job.sh: site.sh ended with an error; mend it" in done.stderr
    assert not done.stdout


def test_another_interpreter_and_one_that_is_not_there(job, tmp_path):
    other = tmp_path / "tools" / "python3.10-of-mine"
    shutil.copy(tmp_path / "tools" / "python3", other)
    assert "python3.10-of-mine run_on_loihi.py" in job(f"PYTHON={other.name}\n").stdout
    done = job("", PYTHON="python9")
    assert done.returncode == 1
    assert done.stderr == "job.sh: no python9 on the PATH; set PYTHON or the environment in site.sh\n"


def test_a_signal_to_the_job_reaches_the_script(job, packed, tmp_path):
    """As SLURM's time limit sends it: nobody is left behind."""
    python, here = tmp_path / "tools" / "python3", tmp_path / "number"
    python.write_text(f"#!/bin/bash\necho $$ > {here}.new; mv {here}.new {here}\nexec sleep 60\n")
    (folder,) = (tmp_path / "carried").iterdir()
    environment = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen(["bash", str(folder / "job.sh")], env=environment) as started:
        try:
            for _ in range(500):
                if here.exists():
                    break
                time.sleep(0.01)
            assert int(here.read_text()) == started.pid
        finally:
            started.send_signal(signal.SIGTERM)
        assert started.wait(10) == -signal.SIGTERM
