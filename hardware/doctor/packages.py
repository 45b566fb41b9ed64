"""Python and the packages: what is installed, and whether the versions are known to work together.

Nothing of the closed extension is imported, only looked for.
"""

import re
import sys
from dataclasses import dataclass

from hardware.doctor.finding import Finding, quoted
from hardware.doctor.known import VersionSet, version_sets
from hardware.doctor.probe import Probe

PYTHON = "3.10"
_SETUP = "`make setup` installs the pinned versions into .venv"
_ASK_INRC = (
    "ask INRC for it: it comes from Intel to members, not from PyPI; else take a bundle to a machine that has it"
)
# Eight seconds on two cores with a warm disk; the first time from a slow disk takes minutes.
IMPORT_S = 180.0


@dataclass(frozen=True)
class Package:
    """A distribution, a module that tells whether it can be imported, and what it is for."""

    name: str
    module: str
    purpose: str


NEEDED = (
    Package("lava-nc", "lava.magma.core.run_configs", "Lava's simulator and the chip"),
    Package("lava-dl", "lava.lib.dl.netx", "training and the reading of .net files"),
    Package("torch", "torch", "training"),
    Package("numpy", "numpy", "everything"),
    Package("h5py", "h5py", "the reading and writing of .net files"),
    Package("librosa", "librosa", "the features"),
    Package("numba", "numba", "training and the engine"),
)
LOIHI = "lava-loihi"
_NAMES = tuple(package.name for package in NEEDED)


def check(probe: Probe) -> list[Finding]:
    """Python, every package, lava-loihi, and the combination."""
    found = [_python(probe), *(_package(probe, package) for package in NEEDED), _setuptools(probe)]
    if all(finding.state == "ok" for finding in found):
        found.append(_imports(probe))
    return [*found, _loihi(probe), _combination(probe)]


def torch_cuda(probe: Probe) -> str:
    """CUDA's version that torch is built for, without importing torch; nothing if torch has none or is not there."""
    origin = probe.module("torch")
    if not origin:
        return ""
    try:
        text = probe.read(re.sub(r"__init__\.py$", "version.py", origin))
    except OSError:
        return ""
    match = re.search(r"^cuda\b[^=\n]*=\s*['\"](\d+\.\d+)", text, re.MULTILINE)
    return match[1] if match else ""


def _python(probe: Probe) -> Finding:
    if probe.python.startswith(f"{PYTHON}."):
        return Finding("Python", "ok", probe.python)
    return Finding(
        "Python", "wrong", f"{probe.python}, while Lava's last releases run on {PYTHON}", _SETUP, needed=True
    )


def _package(probe: Probe, package: Package) -> Finding:
    version, origin = probe.version(package.name), probe.module(package.module)
    if version and origin:
        return Finding(package.name, "ok", quoted(version))
    if version:
        found = f"{quoted(version)} is installed, but {package.module} is not in it"
        return Finding(package.name, "wrong", found, f"install it again: {_SETUP}", needed=True)
    if origin:
        found = f"{quoted(origin)} can be imported, but no installed package of that name says its version"
        return Finding(package.name, "wrong", found, f"take it off the path; {_SETUP}", needed=True)
    return Finding(package.name, "missing", f"not installed; it is for {package.purpose}", _SETUP, needed=True)


def _setuptools(probe: Probe) -> Finding:
    version = probe.version("setuptools")
    # torch/utils/cpp_extension.py of torch 2.3.1, which lava-dl imports.
    why = "lava-dl imports it as it runs and does not say so"
    if not version:
        return Finding("setuptools", "missing", f"not installed; {why}", _SETUP, needed=True)
    return Finding("setuptools", "ok", f"{quoted(version)} ({why})")


def _imports(probe: Probe) -> Finding:
    """Whether all of it can really be imported: a library of the system's may be missing, as OpenCV's libGL.

    In a process of its own, since it takes seconds and hundreds of MiB. Lava itself imports what there is of lava-loihi
    there.
    """
    names = [package.module for package in NEEDED]
    answer = probe.run((sys.executable, "-c", f"import {', '.join(names)}"), patience_s=IMPORT_S)
    if answer.good:
        return Finding("imports", "ok", "all of these can be imported together")
    if answer.failed:
        found = (
            f"importing them was ended after {IMPORT_S:.0f} s" if answer.failed == "late" else "Python cannot be run"
        )
        return Finding("imports", "wrong", found, f"try again on a machine less busy; {_SETUP}", needed=True)
    words = quoted(next(iter(reversed(answer.err.strip().splitlines())), "")) or f"exit code {answer.code}"
    return Finding(
        "imports", "wrong", f"they cannot be imported: {words}", f"mend what it names; {_SETUP}", needed=True
    )


def _loihi(probe: Probe) -> Finding:
    closed = probe.closed()
    versions = ", ".join(f"{name} {quoted(version)}" for name, version in closed.versions.items())
    if closed.complete:
        return Finding(LOIHI, "ok", f"{versions or 'of unknown version'}: all that a run imports is there")
    if closed.found or closed.versions:
        found = f"{versions or 'a part of it'} is installed, but not {', '.join(closed.missing)}"
        return Finding(LOIHI, "wrong", found, "install it again, after lava-nc, into the same environment")
    return Finding(LOIHI, "missing", "not installed, so nothing runs on the chip from here", _ASK_INRC)


def _combination(probe: Probe) -> Finding:
    """Whether the versions are a known set: with lava-loihi one that names it, else one that does not."""
    versions = {**{name: probe.version(name) for name in _NAMES}, **probe.closed().versions}
    chip = LOIHI in versions
    sets = [entry for entry in version_sets() if (LOIHI in entry.versions) == chip]
    for entry in sets:
        if all(_same(versions.get(name, ""), version) for name, version in entry.versions.items()):
            return Finding("combination", "ok", f"{entry}: {_known(entry)}")
    names = list(dict.fromkeys(name for entry in sets for name in entry.versions))
    installed = ", ".join(f"{name} {quoted(versions.get(name, '')) or 'not installed'}" for name in names)
    known = "; ".join(f"{entry} ({_known(entry)})" for entry in sets)
    cure = f"known are: {known}"
    return Finding("combination", "wrong", f"not known to work together: {installed}", cure, needed=not chip)


def _same(installed: str, version: str) -> bool:
    """A wheel's version may have its build behind it: 2.3.1+cu121."""
    return installed.partition("+")[0] == version


def _known(entry: VersionSet) -> str:
    words = {"tested": "tested for", "published": "published as used for", "named": "named, not shown to run, for"}
    return f"{words[entry.evidence]} {entry.runs}; {entry.source}"
