"""Python, packages and their combination."""

import pytest

from hardware.availability import MODULES, ClosedPackage
from hardware.doctor.finding import sound
from hardware.doctor.packages import check, torch_cuda
from hardware.doctor.probe import Answer, Probe


def found(machine, topic):
    (finding,) = [finding for finding in check(machine) if finding.topic == topic]
    return finding


def test_the_lock_is_sound_without_the_closed_package(machine, states):
    findings = check(machine)
    assert {topic for topic, state in states(findings).items() if state != "ok"} == {"lava-loihi"}
    assert sound(findings)
    assert found(machine, "combination").found.startswith("lava-nc 0.10.0, lava-dl 0.6.0, torch 2.3.1: tested for")


@pytest.mark.parametrize("package", ["lava-nc", "lava-dl", "torch", "numpy", "h5py", "librosa", "numba"])
def test_a_package_that_is_missing(machine, package):
    modules = {"lava-nc": "lava.magma.core.run_configs", "lava-dl": "lava.lib.dl.netx"}
    del machine.version_of[package]
    del machine.module_of[modules.get(package, package)]
    findings = check(machine)
    assert not sound(findings)
    finding = found(machine, package)
    assert (finding.state, "make setup" in finding.cure) == ("missing", True)
    assert not [one for one in findings if one.topic == "imports"]


def test_a_package_that_is_half_there(machine):
    del machine.module_of["numba"]
    assert found(machine, "numba").found == "0.68.1 is installed, but numba is not in it"
    machine.module_of["numba"] = "/home/me/numba.py"
    del machine.version_of["numba"]
    assert found(machine, "numba").found.startswith("/home/me/numba.py can be imported, but no installed package")
    assert found(machine, "numba").state == "wrong"


def test_another_python(machine):
    machine.python_version = "3.11.4"
    finding = found(machine, "Python")
    assert (finding.state, finding.found) == ("wrong", "3.11.4, while Lava's last releases run on 3.10")


@pytest.mark.parametrize(("version", "state"), [("80.10.2", "ok"), ("", "missing")])
def test_setuptools_which_lava_dl_does_not_ask_for(machine, version, state):
    machine.version_of["setuptools"] = version
    finding = found(machine, "setuptools")
    assert finding.state == state
    assert "lava-dl" in finding.found


def test_packages_that_cannot_be_imported(machine):
    err = "Traceback (most recent call last):\n  File ...\nImportError: libGL.so.1: cannot open shared object file\n"
    machine.answers["imports"] = Answer(1, err=err)
    finding = found(machine, "imports")
    assert finding.found == "they cannot be imported: ImportError: libGL.so.1: cannot open shared object file"
    assert not sound(check(machine))
    machine.answers["imports"] = Answer(failed="late")
    assert found(machine, "imports").found == "importing them was ended after 180 s"
    machine.answers["imports"] = Answer(failed="unstartable")
    assert found(machine, "imports").found == "Python cannot be run"
    machine.answers["imports"] = Answer(-11)
    assert found(machine, "imports").found == "they cannot be imported: exit code -11"


def test_the_published_set_for_the_chip(inrc):
    assert found(inrc, "lava-loihi").found == "lava-loihi 0.6.0, nxcore 2.5.0: all that a run imports is there"
    finding = found(inrc, "combination")
    assert finding.state == "ok"
    assert finding.found.startswith("lava-nc 0.9.0, lava-dl 0.5.0, lava-loihi 0.6.0: published as used for the chip")


def test_a_set_that_is_only_named_is_said_to_be(inrc):
    inrc.version_of |= {"lava-nc": "0.10.0", "lava-dl": "0.6.0"}
    inrc.sdk = ClosedPackage(MODULES, (), {"lava-loihi": "0.7.0"})
    finding = found(inrc, "combination")
    assert (finding.state, "named, not shown to run, for the chip" in finding.found) == ("ok", True)


def test_a_combination_that_nobody_knows(inrc, machine):
    inrc.sdk = ClosedPackage(MODULES, (), {"lava-loihi": "0.4.0"})
    finding = found(inrc, "combination")
    assert finding.state == "wrong"
    assert "lava-nc 0.9.0, lava-dl 0.5.0, lava-loihi 0.4.0" in finding.found
    assert "lava-nc 0.9.0, lava-dl 0.5.0, lava-loihi 0.6.0 (published" in finding.cure


def test_a_build_behind_a_version_is_the_same_version(machine):
    machine.version_of["torch"] = "2.3.1+cpu"
    assert found(machine, "combination").state == "ok"
    machine.version_of["torch"] = "2.4.0"
    finding = found(machine, "combination")
    assert (finding.state, "torch 2.4.0" in finding.found) == ("wrong", True)


def test_a_part_of_the_closed_package(machine):
    machine.sdk = ClosedPackage(MODULES[:1], MODULES[1:], {"lava-loihi": "0.6.0"})
    finding = found(machine, "lava-loihi")
    assert finding.state == "wrong"
    assert finding.found.startswith("lava-loihi 0.6.0 is installed, but not lava.proc.embedded_io.spike")


def test_cuda_of_torch_is_read_without_importing_it(machine):
    assert torch_cuda(machine) == "12.1"
    machine.files["/site/torch/version.py"] = "cuda: Optional[str] = None\n"
    assert torch_cuda(machine) == ""
    del machine.files["/site/torch/version.py"]
    assert torch_cuda(machine) == ""
    machine.module_of.pop("torch")
    assert torch_cuda(machine) == ""


def test_a_module_whose_package_breaks_is_no_module(tmp_path, monkeypatch):
    (tmp_path / "broken_package").mkdir()
    (tmp_path / "broken_package" / "__init__.py").write_text("raise OSError('no such library')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Probe().module("broken_package.inner") == ""
    assert Probe().module("no_such_package.inner") == ""
    assert Probe().version("no-such-package-at-all") == ""
