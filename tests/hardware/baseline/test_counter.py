"""RAPL's zones and NVML's answers."""

import pytest

from hardware.baseline.counter import CounterError, nvml_counters, rapl_counters
from hardware.doctor.nvml import NvmlError
from hardware.doctor.probe import Probe

RAPL = "/sys/class/powercap"
CUT = "the GPU is cut into instances (MIG), and its counter is of the whole, others' work included"


class Files(Probe):
    """A machine of these files."""

    def __init__(self, files):
        self.files = files

    def read(self, path):
        content = self.files.get(path)
        if content is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        if isinstance(content, Exception):
            raise content
        return content

    def paths(self, pattern):
        folder = pattern.rpartition("/")[0]
        found = {path[len(folder) + 1 :].partition("/")[0] for path in self.files if path.startswith(folder)}
        return sorted(f"{folder}/{name}" for name in found if name.startswith("intel-rapl:"))


def zone(name, label, energy="5000000\n", span="65532610987\n"):
    return {
        f"{RAPL}/{name}/name": f"{label}\n",
        f"{RAPL}/{name}/energy_uj": energy,
        f"{RAPL}/{name}/max_energy_range_uj": span,
    }


def test_packages_alone_are_counted():
    """Cores and memory are zones within a package, and the platform's holds all."""
    files = zone("intel-rapl:0", "package-0") | zone("intel-rapl:0:0", "core") | zone("intel-rapl:0:1", "dram")
    files |= zone("intel-rapl:1", "package-1", "7\n") | zone("intel-rapl:2", "psys")
    counters = rapl_counters(Files(files))
    assert [counter.name for counter in counters] == ["package-0", "package-1"]
    assert [counter.read() for counter in counters] == [5_000_000, 7]
    assert {(counter.step_j, counter.wrap) for counter in counters} == {(1e-6, 65_532_610_988)}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "no counter of the processor's energy (RAPL), as in virtual machines and containers"),
        (zone("intel-rapl:0", "psys"), "no counter of the processor's energy (RAPL)"),
        (
            zone("intel-rapl:0", "package-0", PermissionError(13, "Permission denied")),
            "RAPL's package-0 only root may read, as kernels have it since 2020 (CVE-2020-8694)",
        ),
        (zone("intel-rapl:0", "package-0", OSError(5, "Input/output error")), "RAPL's package-0 cannot be read: "),
        (zone("intel-rapl:0", "package-0", "many\n"), "RAPL's package-0 cannot be read: invalid literal"),
        (zone("intel-rapl:0", "package-0", span="0\n"), "RAPL's package-0 tells no range"),
        ({f"{RAPL}/intel-rapl:0/energy_uj": "1"}, "RAPL cannot be read: "),
    ],
)
def test_why_there_are_none(files, reason):
    found = rapl_counters(Files(files))
    assert isinstance(found, str)
    assert found.startswith(reason)


def test_a_zone_that_vanishes_midway():
    files = zone("intel-rapl:0", "package-0")
    (counter,) = rapl_counters(Files(files))
    del files[f"{RAPL}/intel-rapl:0/energy_uj"]
    with pytest.raises(CounterError, match="RAPL's package-0 cannot be read: "):
        counter.read()


class FakeNvml:
    """Two GPUs; the second is cut up, unless ``cut`` says otherwise."""

    def __init__(self, grows=30, failing="", cut=(False, True)):
        self.grows, self.failing, self.cut, self.mj = grows, failing, cut, 1000

    def devices(self):
        return [0, 1]

    def device_of(self, uuid):
        if uuid != "GPU-0":
            raise NvmlError("Not Found")
        return 0

    def name(self, device):
        return f"GPU {device}"

    def mig(self, device):
        return self.cut[device]

    def energy_mj(self, _device):
        if self.failing:
            raise NvmlError(self.failing)
        self.mj += self.grows
        return self.mj


def nothing(_seconds):
    pass


@pytest.mark.parametrize("visible", ["", "0", "0,1", "GPU-0"])
def test_the_gpu_that_cuda_sees_first(visible):
    (counter,) = nvml_counters(FakeNvml(), visible, nothing)
    assert (counter.name, counter.step_j, counter.wrap) == ("NVML, GPU 0", 1e-3, None)
    assert counter.read() == 1090


@pytest.mark.parametrize(
    ("nvml", "visible", "reason"),
    [
        (FakeNvml(), "1", CUT),
        (FakeNvml(), "MIG-GPU-1/2/0", CUT),
        (FakeNvml(grows=0), "", "the GPU's energy counter stands still, as a virtual GPU's does"),
        (FakeNvml(), "7", "CUDA_VISIBLE_DEVICES is 7, and NVML knows no such GPU"),
        (FakeNvml(), "GPU-9", "NVML: Not Found"),
        (
            FakeNvml(failing="Not Supported"),
            "",
            "the GPU's energy counter cannot be read: Not Supported; it needs Volta or newer, and the whole GPU",
        ),
    ],
)
def test_why_a_gpu_has_none(nvml, visible, reason):
    assert nvml_counters(nvml, visible, nothing) == reason


def test_a_gpu_that_is_lost_midway():
    nvml = FakeNvml()
    (counter,) = nvml_counters(nvml, "", nothing)
    nvml.failing = "GPU is lost"
    with pytest.raises(CounterError, match="the GPU's energy counter cannot be read: GPU is lost"):
        counter.read()
