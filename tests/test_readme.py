"""The README's commands, word for word, on a configuration small enough for a test."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

# The preset's name, so that the README's run folder is this one's.
TINY = """
name = "dh_lif"
[corpus]
titles = 4
train_performances = 1
performance_s = 3.0
[features]
clip_s = 1.5
[network]
conv_channels = [4]
conv_kernels = [3]
pools = [2]
dense = [8]
[training]
epochs = 1
threads = 1
"""

# Two models, one seed, one noise.
EXPERIMENT = """
seeds = 1
shared = [
    "corpus.titles=4", "corpus.train_performances=1", "corpus.performance_s=3", "features.clip_s=1.5",
    "network.conv_channels=[4]", "network.conv_kernels=[3]", "network.pools=[2]", "network.dense=[8]",
    "training.epochs=1",
]
[tuning]
epochs = 1
[evaluation]
noises = ["pink"]
snr_db = [10]
gate_clips = 2
[models.ann]
preset = "ann"
grid = ["training.learning_rate=0.005"]
[models.lif]
preset = "lif"
grid = ["training.learning_rate=0.005"]
[models.dh_all]
preset = "dh_lif"
grid = ["training.learning_rate=0.005"]
"""


# As the first, under the names of the presets that the chip's page trains.
CHIP_TINY = {
    "lif": TINY.replace('"dh_lif"', '"lif"').replace("[network]", '[network]\nneuron = "lif"'),
    "dh_lif_spiking": TINY.replace('"dh_lif"', '"dh_lif_spiking"').replace("[network]", '[network]\nneuron = "dh_lif"')
    + '[dendrites]\nrealisation = "spiking"\nbranches = 2\n',
}


def commands(root: Path, page: str = "README.md") -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", (root / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The tracked files in an empty folder, with this machine's environment."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".venv" / ".ready").exists():
        pytest.skip("`make setup` has not been run: there is no environment for the README's commands")
    copy = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        if (root / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
    # Old, or make would set the environment up again, for a folder that is soon gone.
    for name in ("pyproject.toml", "requirements.lock"):
        os.utime(copy / name, (0, 0))
    (copy / ".venv").symlink_to(root / ".venv")
    (copy / "dh_lif.toml").write_text(TINY)
    (copy / "tiny.toml").write_text(EXPERIMENT)
    for name, text in CHIP_TINY.items():
        (copy / "train" / "configs" / f"{name}.toml").write_text(text)
    return copy


def run(command, folder):
    # What an outer make says to its children is not for this one.
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    environment |= {"CONFIG": "dh_lif.toml", "COMPARE": "tiny.toml", "BATCHES": "1"}
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def test_the_readme_starts_with_the_two_commands(root):
    assert commands(root)[:2] == ["make train export run", "make test"]


@pytest.mark.slow
@pytest.mark.lava
def test_every_command_of_the_readme_works(root, checkout):
    # `make test` is what runs this.
    said = {command: run(command, checkout) for command in commands(root) if command != "make test"}
    main = said["make train export run"].stdout
    assert "test_keyboards" in main
    assert "counted by layer, per inference (test, engine)" in main
    assert "deployed accuracy equals trained accuracy exactly: yes" in main
    parity = main[main.index("parity:") :]
    rows = re.findall(r"^│ (\w+) +│ +\d+ │ +(\d+) │ +(\d+) │ +(\d+) │$", parity, flags=re.MULTILINE)
    assert [name for name, *_ in rows] == ["conv1", "pool1", "dense1", "heads"]
    assert {count for _, *counts in rows for count in counts} == {"0"}
    compared = said["make compare"].stdout
    assert "dh_all" in compared
    assert (checkout / "runs" / "compare" / "compare.json").is_file()
    identified = next(done for command, done in said.items() if command.startswith("make identify"))
    assert "title" in identified.stdout
    assert "over time" in identified.stdout
    live = next(done for command, done in said.items() if command.endswith("--live"))
    assert "latency of a step in ms" in live.stdout
    measured = said["make measure report"]
    assert "energy of an inference, estimated (low to high)" in measured.stdout
    assert "cpu ann" in measured.stdout
    page = (checkout / "runs" / "dh_lif" / "report.html").read_text()
    assert "What was found" in page
    assert "cannot be read (" not in page
    packed = said["make place bundle CONFIG=lif"]
    assert "cores of 120 a chip: 1 chip, 1 Oheo Gulch" in packed.stdout
    assert (checkout / "runs" / "lif" / "bundle.zip").is_file()


@pytest.mark.slow
@pytest.mark.lava
def test_every_command_of_the_page_for_the_chip_works(root, checkout):
    said = {}
    for command in commands(root, "hardware/README.md"):
        if "--read" in command:
            # What the page has done on the other machine in between.
            shutil.unpack_archive(checkout / "runs" / "lif" / "bundle.zip", checkout / "there")
            (there,) = (checkout / "there").iterdir()
            run(f"{checkout}/.venv/bin/python run_on_loihi.py --sim --samples 2 --out {checkout}/result.json", there)
        said[command] = run(command, checkout)
    assert "works here: training, export, the engine and Lava's simulator" in said["make doctor"].stdout
    read = next(done for command, done in said.items() if "--read" in command)
    assert "no spike differs" in read.stdout + read.stderr
    assert "simulator_check" in json.loads((checkout / "runs" / "lif" / "measurement.json").read_text())
    assert (checkout / "runs" / "dh_lif_spiking" / "model.net").is_file()


@pytest.mark.slow
@pytest.mark.lava
def test_lava_identifies_as_the_engine_does(root, checkout):
    sound = min((checkout / ".cache").glob("corpus-*/test/*.wav"))
    engine, lava = (
        run(f"make identify SOUND={sound} BACKEND={backend}", checkout).stdout.splitlines()
        for backend in ("engine", "lava")
    )
    # The first line is make's echo of the command.
    assert lava[1:] == engine[1:]
    assert len(lava) > 8


def test_without_a_python_310_make_says_how_to_get_one(root, tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy2(root / name, tmp_path / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "tail", "ls", "env", "make"):
        (tools / tool).symlink_to(shutil.which(tool))
    make = [str(tools / "make"), "setup"]
    done = subprocess.run(make, cwd=tmp_path, env={"PATH": str(tools)}, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "error: no Python 3.10 found, and Lava needs just that version. Get one with 'uv python" in done.stderr
    wrong = [*make, "PYTHON=/bin/false"]
    done = subprocess.run(wrong, cwd=tmp_path, env={"PATH": str(tools)}, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "error: PYTHON=/bin/false is not a Python 3.10, which Lava needs" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (
            "4000000 1% /",
            "4000000 1% /",
            r"error: setup needs 10 GB in .*, of which 4 are free\. Free some, or move",
        ),
        ("6999999 1% /", "9000000 1% /tmp", r"error: setup needs 7 GB in .*, of which 6 are free\."),
        ("8000000 1% /", "400000 1% /tmp", r"error: setup needs 4 GB in .*unpack, of which 0 are free\..* TMPDIR="),
        ("8000000 1% /", "4000000 1% /tmp", "setup: making"),
        ("10000000 1% /", "10000000 1% /", "setup: making"),
    ],
)
def test_setup_begins_only_where_there_is_room_for_it(root, tmp_path, here, there, said):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy2(root / name, tmp_path / name)
    tools, unpack = tmp_path / "bin", tmp_path / "unpack"
    tools.mkdir()
    head = "Filesystem 1024-blocks Used Available Capacity Mounted"
    df = f'case "$2" in .) echo "{head}\nx 1 1 {here}";; *) echo "{head}\nx 1 1 {there}";; esac'
    # A Python that says it is 3.10 and makes no environment.
    for tool, body in (("df", df), ("python3.10", '[ "$1" = -c ] || exit 3')):
        (tools / tool).write_text(f"#!/bin/sh\n{body}\n")
        (tools / tool).chmod(0o755)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "TMPDIR": str(unpack)}
    done = subprocess.run(["make", "setup"], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.search(said, done.stderr)
    assert not (tmp_path / ".venv").exists()


def test_identify_without_a_recording_says_what_to_give(root):
    if not (root / ".venv" / ".ready").exists():
        pytest.skip("`make setup` has not been run")
    environment = {key: value for key, value in os.environ.items() if key != "SOUND"}
    done = subprocess.run(["make", "identify"], cwd=root, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "error: say which recording: make identify SOUND=path/to/recording.wav" in done.stderr
