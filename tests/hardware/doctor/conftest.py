"""A machine that answers as a test wants it to."""

import json
import sys
from fnmatch import fnmatch

import pytest

from hardware.availability import MODULES, ClosedPackage
from hardware.doctor.probe import Answer, Probe

ABSENT = ClosedPackage((), MODULES, {})
PROCESSOR = "processor\t: 0\nmodel name\t: A Processor\n"
VERSIONS = {
    "lava-nc": "0.10.0",
    "lava-dl": "0.6.0",
    "torch": "2.3.1",
    "numpy": "1.26.4",
    "h5py": "3.16.0",
    "librosa": "0.11.0",
    "numba": "0.68.1",
    "setuptools": "80.10.2",
}
MODULE_NAMES = ("lava.magma.core.run_configs", "lava.lib.dl.netx", "numpy", "h5py", "librosa", "numba")


class Fake(Probe):
    """All is well for the simulator; there is no chip, no SLURM and no GPU."""

    def __init__(self):
        self.asked = []
        # By the command as typed, else by its first word.
        self.answers = {
            "c++": Answer(out="g++ (Debian 12.2.0-14) 12.2.0\n"),
            "ninja": Answer(out="1.13.2\n"),
            "nvml.py": Answer(out=json.dumps({"absent": "no such library"})),
            "imports": Answer(),
        }
        self.variables = {}
        self.version_of = dict(VERSIONS)
        self.module_of = {name: f"/site/{name}.py" for name in MODULE_NAMES} | {"torch": "/site/torch/__init__.py"}
        self.files = {
            "/site/torch/version.py": "__version__ = '2.3.1+cu121'\ncuda: Optional[str] = '12.1'\n",
            "/proc/cpuinfo": PROCESSOR,
            "/proc/meminfo": "MemTotal: 16777216 kB\nMemAvailable:    8388608 kB\n",
            "/include/Python.h": "",
        }
        self.sdk = ABSENT
        self.commands = {}
        self.python_version = "3.10.13"
        self.free = 50 * 2**30

    environment = property(lambda self: self.variables)
    python = property(lambda self: self.python_version)
    headers = property(lambda self: "/include")
    cores = property(lambda self: 4)

    def run(self, command, patience_s=0.0):
        self.asked.append(tuple(command))
        name = command[0]
        if name == sys.executable:
            name = "imports" if command[1] == "-c" else "nvml.py"
        return self.answers.get(" ".join(command), self.answers.get(name, Answer(failed="absent")))

    def which(self, name):
        return self.commands.get(name, "")

    def read(self, path):
        content = self.files.get(path)
        if content is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        if isinstance(content, Exception):
            raise content
        return content

    def paths(self, pattern):
        return sorted(path for path in self.files if fnmatch(path, pattern))

    def exists(self, path):
        return path in self.files

    def version(self, package):
        return self.version_of.get(package, "")

    def module(self, name):
        return self.module_of.get(name, "")

    def closed(self):
        return self.sdk

    def free_bytes(self, path):
        return self.free

    def sinfo(self, *lines, code=0, err=""):
        """Let sinfo answer the form for machines with these lines."""
        self.answers["sinfo"] = Answer(code, "".join(f"{line}\n" for line in lines), err)


@pytest.fixture
def machine():
    return Fake()


@pytest.fixture
def inrc(machine):
    """As INRC's machines may look: three partitions over the same boards, one of them default, and a larger board."""
    machine.sinfo(
        "ncl-ext-og-01|oheogulch|oheogulch*|idle|2:00|up",
        "ncl-ext-og-01|oheogulch_20m|oheogulch_20m|idle|20:00|up",
        "ncl-ext-og-01|oheogulch_2h|oheogulch_2h|idle|2:00:00|up",
        "ncl-ext-og-02|oheogulch|oheogulch*|down*|2:00|up",
        "ncl-ext-og-05|oheogulch|oheogulch*|alloc|2:00|up",
        "ncl-ext-og-06|oheogulch|oheogulch*|idle|2:00|up",
        "ncl-ext-kp-01|kp|kp|drain|infinite|up",
    )
    machine.sdk = ClosedPackage(MODULES, (), {"lava-loihi": "0.6.0", "nxcore": "2.5.0"})
    machine.version_of |= {"lava-nc": "0.9.0", "lava-dl": "0.5.0"}
    return machine


@pytest.fixture
def states():
    """Findings as topic -> state, of those given."""

    def of(findings):
        return {finding.topic: finding.state for finding in findings}

    return of
