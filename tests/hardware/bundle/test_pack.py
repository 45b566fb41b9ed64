"""One zip: what it holds, what is refused before it is written, and that a failure leaves the old one."""

import dataclasses
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

from hardware.bundle.check import FILES, SITE, open_folder
from hardware.bundle.pack import pack, write_folder
from hardware.loihi2.join import joined
from train.artifacts import read_json, sha256, write_json
from train.errors import MaestroError


def test_it_holds_what_the_contract_says_and_says_what_to_do_next(run, cli):
    done = cli("hardware", "bundle", run.path, "--samples", "4")
    assert done.exit_code == 0, done.output
    assert "golden spikes of 5 layers" in done.output
    assert "4 samples of 31 steps" in done.output
    assert f"bring result.json back to `python -m hardware bundle --read result.json {run.path}`" in done.output
    with zipfile.ZipFile(run.path / "bundle.zip") as archive:
        names = archive.namelist()
        content = json.loads(archive.read(names[0].split("/")[0] + "/bundle.json"))
        modes = {entry.filename.split("/")[1]: entry.external_attr >> 16 for entry in archive.infolist()}
    assert names == [f"lif-{content['id'][:8]}/{name}" for name in sorted((*FILES, SITE))]
    assert (modes["job.sh"], modes["run_on_loihi.py"], modes["model.net"]) == (0o755, 0o755, 0o644)
    assert content["net_sha256"] == sha256(run.net)
    assert content["clips"] == [["test", 0], ["test", 11], ["test_keyboards", 0], ["test_keyboards", 11]]
    assert [content["schedule"][key]["period"] for key in ("chip", "simulator")] == [64, 64]
    assert content["schedule"]["chip"]["input_delay"] == 2


def test_the_id_is_of_all_files_but_two(packed, unzip):
    folder = unzip(packed.path)
    names = sorted(set(FILES) - {"bundle.json", "SHA256SUMS"})
    lines = "".join(f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n" for name in names)
    assert packed.content["id"] == hashlib.sha256(lines.encode()).hexdigest()
    assert open_folder(folder).id == packed.content["id"]


def test_sha256sum_agrees_and_readme_has_ten_lines(packed, unzip):
    folder = unzip(packed.path)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    assert len((folder / "README.txt").read_text().splitlines()) == 10
    job = (folder / "job.sh").read_text()
    subprocess.run(["bash", "-n", str(folder / "job.sh")], check=True)
    assert "#SBATCH --partition=oheogulch\n" in job


def test_the_script_is_the_runner_own(packed, unzip, root):
    assert (unzip(packed.path) / "run_on_loihi.py").read_text() == joined()


def test_packing_again_gives_the_same_bytes(run):
    first = pack(run, 2, run.path / "one.zip")
    again = pack(run, 2, run.path / "two.zip")
    assert first.path.read_bytes() == again.path.read_bytes()
    assert sorted(path.name for path in run.path.iterdir() if path.suffix in (".zip", ".tmp")) == ["one.zip", "two.zip"]


@pytest.mark.parametrize("kind", ["lif", "spiking"])
def test_layers_are_where_stock_netx_puts_them(make_run, kind, unzip):
    """Against what a stock loader builds: layers with weights, in the file's order; neither input nor flatten."""
    run = make_run(kind)
    content = pack(run, 2, run.path / "bundle.zip").content
    with h5py.File(run.net) as file:
        groups = [file[f"layer/{index}"] for index in range(len(file["layer"]))]
        built = [group for group in groups if group["type"][0].decode() in ("conv", "dense")]
        expected = [(group.attrs["name"], index) for index, group in enumerate(built)]
        shapes = [np.prod(group["shape"][()]) for group in built]
    assert [(layer["name"], layer["netx_index"]) for layer in content["layers"]] == expected
    assert [np.prod(layer["shape"]) for layer in content["layers"]] == shapes
    assert len(expected) < len(groups)
    with np.load(unzip(run.path / "bundle.zip") / "golden.npz") as golden:
        assert golden.files == [name for name, _ in expected]
        assert all(
            golden[name].shape == (2, *layer["shape"], 31)
            for name, layer in zip(golden.files, content["layers"], strict=True)
        )
        assert sum(int(golden[name].sum()) > 0 for name in golden.files) >= len(golden.files) - 1


def test_golden_spikes_are_the_reference_own(run, unzip):
    from export import netx, reference

    folder = unzip(pack(run, 2, run.path / "bundle.zip").path)
    inputs, network = np.load(folder / "inputs.npy"), netx.read(run.net)
    assert inputs.dtype == np.uint8
    with np.load(folder / "golden.npz") as golden:
        for sample, spikes in enumerate(inputs):
            for trace in reference.simulate(network, spikes):
                np.testing.assert_array_equal(golden[trace.name][sample], trace.spikes)


def test_json_says_where_how_large_and_what(run, cli):
    done = cli("hardware", "bundle", run.path, "--samples", "2", "--json")
    found = json.loads(done.stdout)
    assert found["path"] == str(run.path / "bundle.zip")
    assert found["size_bytes"] == (run.path / "bundle.zip").stat().st_size
    assert found["samples"] == 2


def refused(cli, code, *arguments):
    done = cli("hardware", "bundle", *arguments)
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


def test_a_run_that_is_not_exported(run, cli, tmp_path):
    assert "no such run folder. Make it with" in refused(cli, 1, tmp_path / "none")
    run.net.unlink()
    output = refused(cli, 1, run.path)
    assert "model.net: missing from the run. Make it with `python -m export netx" in output


def test_a_network_other_than_the_manifests(run, cli):
    with h5py.File(run.net, "r+") as file:
        file["layer/1/neuron/vThMant"][...] += 1
    assert "was made for another model.net. Export again" in refused(cli, 1, run.path)
    assert not (run.path / "bundle.zip").exists()


def test_analog_dendrites_name_the_spiking_realisation(make_run, cli):
    output = refused(cli, 1, make_run("analog").path)
    assert "have analog dendrites" in output
    assert 'realisation = "spiking"' in output
    assert "dh_lif_spiking" in output


def rewrite(run, change):
    """Alter the network, and the manifest with it."""
    with h5py.File(run.net, "r+") as file:
        change(file)
    values = read_json(run.manifest, "")
    write_json(run.manifest, {**values, "net_sha256": sha256(run.net)})


def test_a_bias_outlives_the_reset(run, cli):
    def bias(file):
        last = file[f"layer/{len(file['layer']) - 1}"]
        last.create_dataset("bias", data=np.full(last["weight"].shape[0], 3))

    rewrite(run, bias)
    assert "heads has a bias: it outlives the reset between two samples. Train it without biases" in refused(
        cli, 1, run.path
    )


def test_what_the_lint_finds(run, cli):
    def odd(file):
        file["layer/1/weight"][...] += 1

    rewrite(run, odd)
    output = refused(cli, 1, run.path)
    assert "breaks rule NX" in output
    assert "--explain NX" in output


def test_what_the_lint_finds_for_the_chip_alone(run, cli):
    def all_at_once(file):
        file["layer/1/neuron/vDecay"][...] = 4096

    rewrite(run, all_at_once)
    assert "breaks rule HW006" in refused(cli, 1, run.path)


def test_warnings_are_counted_and_do_not_refuse(packed):
    assert any(warning.startswith("HW009") for warning in packed.warnings)


@pytest.fixture
def enlarge(monkeypatch):
    """enlarge(times): the run's placement, taken so many times."""
    from hardware.bundle import pack as module

    place_file = module.place_file

    def install(times):
        def place(*arguments, **options):
            small = place_file(*arguments, **options)
            return dataclasses.replace(small, rows=small.rows * times)

        monkeypatch.setattr(module, "place_file", place)

    return install


def test_layers_that_do_not_fit(run, cli, enlarge):
    enlarge(1000)
    output = refused(cli, 1, run.path)
    assert "cores, " in output
    assert "expected up to 960 cores, Kapoho Point's" in output
    assert not (run.path / "bundle.zip").exists()


def test_a_network_of_several_chips_asks_for_a_board_of_several(run, enlarge, unzip):
    enlarge(60)
    content = pack(run, 2, run.path / "bundle.zip").content
    assert content["placement"]["board"]["name"] == "kp"
    assert "#SBATCH --partition=kp\n" in (unzip(run.path / "bundle.zip") / "job.sh").read_text()


def test_more_samples_than_clips(run, cli):
    output = refused(cli, 2, run.path, "--samples", "25")
    assert (
        "--samples 25: is more clips than there are, half of each test set: 12 in test, 12 in test_keyboards" in output
    )
    assert "expected at most 24" in output
    assert not (run.path / "bundle.zip").exists()


def test_a_place_that_cannot_be(run, cli, tmp_path):
    assert "is no folder. Make it first" in refused(cli, 2, run.path, "--out", tmp_path / "none" / "a.zip")
    assert "does not end in .zip. Write" in refused(cli, 2, run.path, "--out", tmp_path / "a.tar")
    (tmp_path / "b.zip").mkdir()
    assert "is a folder. Write" in refused(cli, 2, run.path, "--out", tmp_path / "b.zip")


def test_a_folder_that_may_not_be_written_to(run, cli, tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", denied)
    output = refused(cli, 1, run.path, "--samples", "2", "--out", tmp_path / "a.zip")
    assert "a.zip: cannot be written: Permission denied" in output


def test_a_full_disk_leaves_the_old_zip(packed, run, cli, monkeypatch):
    before = packed.path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", full)
    output = refused(cli, 1, run.path, "--samples", "2")
    assert "bundle.zip: cannot be written: No space left on device. Free some disk space" in output
    assert packed.path.read_bytes() == before
    assert not [path for path in run.path.iterdir() if path.name.startswith(".bundle")]


def test_a_disk_that_fills_as_files_are_copied_is_not_the_files_fault(run, cli, tmp_path, monkeypatch):
    """As shutil says it: the file that is read is named first."""

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr("hardware.bundle.pack.shutil.copyfile", full)
    output = refused(cli, 1, run.path, "--samples", "2", "--out", tmp_path / "a.zip")
    assert "a.zip: cannot be written: No space left on device. Free some disk space or choose another" in output
    assert "model.net" not in output.split("a.zip: ")[-1]
    assert not list(tmp_path.glob("*a.zip*"))


def test_a_full_disk_under_a_folder(run, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", full)
    with pytest.raises(MaestroError, match=r"cannot be written: No space left on device\. Free some disk space"):
        write_folder(run, 2, tmp_path)


def test_a_killed_pack_leaves_the_old_zip(packed, run, root):
    """Killed as its last file is about to be packed: the zip beside it has begun, the old one has not changed."""
    before = packed.path.read_bytes()
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from hardware.bundle import pack\n"
        "def die(*_):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "copy = pack.shutil.copyfileobj\n"
        "def copy_some(file, packed):\n"
        "    die() if file.name.endswith('model.net') else copy(file, packed)\n"
        "pack.shutil.copyfileobj = copy_some\n"
        "folder = Path(sys.argv[1])\n"
        "with pack.atomic_write(folder / 'bundle.zip') as temporary:\n"
        "    pack._zip(Path(sys.argv[2]), 'top', temporary)\n"
    )
    source = run.path / "files"
    source.mkdir()
    with zipfile.ZipFile(packed.path) as archive:
        for name in archive.namelist():
            (source / name.split("/")[1]).write_bytes(archive.read(name))
    command = [sys.executable, "-c", code, str(run.path), str(source)]
    done = subprocess.run(
        command, cwd=root, check=False, capture_output=True, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert packed.path.read_bytes() == before
