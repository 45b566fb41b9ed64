"""GPU, driver, energy counter and compilers."""

import ctypes.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hardware.doctor import gpu, nvml
from hardware.doctor.probe import Answer, Probe

H100 = {"name": "NVIDIA H100", "capability": [9, 0], "mig": False, "energy_grew_mj": 30_000}
NVCC = "Cuda compilation tools, release {}, V{}.88\n"


def lines(machine, *gpus, driver="535.104.05", **more):
    machine.answers["nvml.py"] = Answer(out=json.dumps({"driver": driver, "gpus": list(gpus), **more}))
    return {finding.topic: finding for finding in gpu.check(machine)}


def test_none(machine):
    found = {finding.topic: finding for finding in gpu.check(machine)}
    assert found["GPU"].state == "missing"
    assert found["GPU"].found == "none of NVIDIA's, so no energy of a GPU is measured"
    assert "CUDA of torch" not in found


def test_one_that_is_whole(machine):
    found = lines(machine, H100)
    assert [found[topic].state for topic in ("GPU 0", "GPU 0 energy", "CUDA of torch")] == ["ok", "ok", "ok"]
    assert found["CUDA of torch"].found == "torch is built for CUDA 12.1, driver 535.104.05 runs it"


def test_one_that_is_cut_into_instances(machine):
    found = lines(machine, {**H100, "mig": True})
    assert found["GPU 0 energy"].state == "missing"
    assert "MIG" in found["GPU 0 energy"].found


@pytest.mark.parametrize("why", ["Not Supported", "Insufficient Permissions"])
def test_a_counter_that_cannot_be_read(machine, why):
    found = lines(machine, {"name": "P100", "capability": [6, 0], "mig": False, "energy_failed": why})
    assert (found["GPU 0"].state, found["GPU 0 energy"].state) == ("ok", "missing")
    assert found["GPU 0 energy"].found == f"its counter cannot be read: {why}"
    assert "unavailable" in found["GPU 0 energy"].cure


def test_a_counter_that_stands_still(machine):
    assert lines(machine, {**H100, "energy_grew_mj": 0})["GPU 0 energy"].state == "wrong"


@pytest.mark.parametrize(
    ("capability", "state"), [([8, 9], "ok"), ([7, 2], "ok"), ([10, 0], "wrong"), ([3, 5], "wrong")]
)
def test_what_torch_has_code_for(machine, capability, state):
    found = lines(machine, {**H100, "capability": capability})["GPU 0"]
    assert found.state == state
    assert state == "ok" or "torch 2.3.1 has code for 5.0 to 9.0" in found.found


def test_a_driver_that_is_too_old(machine):
    found = lines(machine, H100, driver="470.82.01")["CUDA of torch"]
    assert (found.state, found.cure) == ("wrong", "install driver 525 or newer")


def test_a_torch_without_cuda_beside_a_gpu(machine):
    machine.files["/site/torch/version.py"] = "cuda = None\n"
    assert lines(machine, H100)["CUDA of torch"].found == "torch is built without CUDA, so the GPU is not used"


def test_several(machine):
    found = lines(machine, H100, {**H100, "mig": True})
    assert (found["GPU 0 energy"].state, found["GPU 1 energy"].state) == ("ok", "missing")


def test_one_that_tells_nothing(machine):
    found = lines(machine, {"failed": "GPU is lost", "energy_failed": "GPU is lost"})
    assert (found["GPU 0"].state, found["GPU 0"].found) == ("wrong", "of unknown name: GPU is lost")


def test_a_library_of_another_version_than_the_driver(machine):
    machine.answers["nvml.py"] = Answer(out=json.dumps({"failed": "Driver/library version mismatch"}))
    (found,) = [finding for finding in gpu.check(machine) if finding.topic == "GPU"]
    assert (found.state, "Driver/library version mismatch" in found.found) == ("wrong", True)


def test_a_card_without_a_driver(machine):
    for folder, kind in (("a", "0x030200"), ("b", "0x040300")):
        machine.files |= {f"/sys/bus/pci/devices/{folder}": "", f"/sys/bus/pci/devices/{folder}/vendor": "0x10de\n"}
        machine.files[f"/sys/bus/pci/devices/{folder}/class"] = f"{kind}\n"
    machine.answers["nvml.py"] = Answer(out=json.dumps({"failed": "Driver Not Loaded"}))
    (found,) = [finding for finding in gpu.check(machine) if finding.topic == "GPU"]
    assert (found.state, found.found) == ("missing", "1 of NVIDIA's on the bus, and no driver that knows it")


def test_the_library_alone_is_no_fault(machine):
    machine.answers["nvml.py"] = Answer(out=json.dumps({"failed": "Driver Not Loaded"}))
    (found,) = [finding for finding in gpu.check(machine) if finding.topic == "GPU"]
    assert found.state == "missing"


def test_a_driver_whose_library_is_not_found(machine):
    machine.commands["nvidia-smi"] = "/usr/bin/nvidia-smi"
    machine.answers["nvidia-smi"] = Answer(out="GPU 0: NVIDIA A100 (UUID: x)\n")
    (found,) = [finding for finding in gpu.check(machine) if finding.topic == "GPU"]
    assert (found.state, "LD_LIBRARY_PATH" in found.cure) == ("wrong", True)
    machine.answers["nvidia-smi"] = Answer(9, err="NVIDIA-SMI has failed")
    (found,) = [finding for finding in gpu.check(machine) if finding.topic == "GPU"]
    assert found.state == "missing"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(failed="late"), "its driver's library says: the driver did not answer in time"),
        (Answer(-11, err=""), "its driver's library says: no answer"),
        (Answer(1, err="Segmentation fault"), "its driver's library says: Segmentation fault"),
        (Answer(out="[1]"), "its driver's library says: [1]"),
    ],
)
def test_a_question_that_fails(machine, answer, found):
    machine.answers["nvml.py"] = answer
    (finding,) = [finding for finding in gpu.check(machine) if finding.topic == "GPU"]
    assert (finding.state, finding.found) == ("wrong", found)


def nvcc(machine, version, *, with_gpu=False, path="/usr/local/cuda/bin/nvcc", home=""):
    machine.commands["nvcc"] = path
    machine.answers[f"{home}/bin/nvcc" if home else path] = Answer(out=NVCC.format(version, version))
    if home:
        machine.variables["CUDA_HOME"] = home
    machine.files["/usr/local/cuda/include/cuda_runtime.h"] = ""
    found = {finding.topic: finding for finding in gpu.compilers(machine, "12.1", with_gpu=with_gpu)}
    return found["CUDA compiler"]


def test_the_compiler_that_torch_wants(machine):
    assert nvcc(machine, "12.1").state == "ok"
    assert nvcc(machine, "12.4", with_gpu=True).state == "ok"


@pytest.mark.parametrize(("with_gpu", "state"), [(False, "missing"), (True, "wrong")])
def test_a_compiler_of_another_major_version(machine, with_gpu, state):
    found = nvcc(machine, "13.0", with_gpu=with_gpu)
    assert (found.state, found.found) == (
        state,
        "nvcc of CUDA 13.0 at /usr/local/cuda/bin/nvcc, while torch is built for CUDA 12.1 and refuses it",
    )


def test_a_compiler_by_cuda_home_goes_before_the_path(machine):
    machine.files["/opt/cuda/include/cuda_runtime.h"] = ""
    assert "at /opt/cuda/bin/nvcc" in nvcc(machine, "12.1", home="/opt/cuda").found


def test_a_link_to_nvcc_beside_which_torch_finds_no_headers(machine):
    found = nvcc(machine, "12.1", path="/usr/bin/nvcc", with_gpu=True)
    assert (found.state, "no cuda_runtime.h in /usr/include" in found.found) == ("wrong", True)


def test_a_host_compiler_that_is_too_new(machine):
    machine.answers["c++"] = Answer(out="c++ (Ubuntu 13.2.0-23ubuntu4) 13.2.0\nCopyright\n")
    assert "takes GCC up to 12, and the host's is 13" in nvcc(machine, "12.1").found


def test_no_compilers(machine, states):
    machine.answers = {}
    machine.files = {}
    found = gpu.compilers(machine, "12.1", with_gpu=False)
    assert set(states(found).values()) == {"missing"}
    assert {finding.topic for finding in found} == {"C++ compiler", "ninja", "Python headers", "CUDA compiler"}
    assert all(finding.cure for finding in found)


def test_without_torchs_cuda_there_is_nothing_to_compile(machine):
    machine.commands["nvcc"] = "/usr/bin/nvcc"
    machine.answers["/usr/bin/nvcc"] = Answer(out=NVCC.format("12.1", "12.1"))
    found = {finding.topic: finding for finding in gpu.compilers(machine, "", with_gpu=False)}
    assert "torch is built without CUDA" in found["CUDA compiler"].found


# A library with NVML's names, two GPUs: one that answers, one that is cut up and lets nobody read its counter.
LIBRARY = """
#include <string.h>
typedef struct { int number; unsigned long long energy; } gpu;
static gpu gpus[2] = {{0, 1000}, {1, 0}};
const char *nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "Insufficient Permissions"; }
int nvmlInitWithFlags(unsigned flags) { return INIT; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { strncpy(text, "535.104.05", size); return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, gpu **device) { *device = &gpus[index]; return 0; }
int nvmlDeviceGetName(gpu *it, char *text, unsigned size) { strncpy(text, it->number ? "two" : "one", size); return 0; }
int nvmlDeviceGetCudaComputeCapability(gpu *it, int *major, int *minor) { *major = 9; *minor = it->number; return 0; }
int nvmlDeviceGetMigMode(gpu *it, unsigned *now, unsigned *then)
{ *now = it->number; *then = 0; return it->number ? 0 : 3; }
int nvmlDeviceGetTotalEnergyConsumption(gpu *it, unsigned long long *value)
{ if (it->number) return 4; it->energy += 5000000000ULL; *value = it->energy; return 0; }
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """library(code): that library is found by those who look for the driver's; it starts with this error, if any."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler")

    def build(init=0, source=LIBRARY):
        folder = tmp_path / f"nvml{init}"
        folder.mkdir()
        (folder / "nvml.c").write_text(source.replace("INIT", str(init)))
        command = ["cc", "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", folder / "nvml.c"]
        subprocess.run(command, check=True)
        monkeypatch.setenv("LD_LIBRARY_PATH", str(folder))

    return build


def asked():
    answer = Probe().run((sys.executable, "-I", str(Path(nvml.__file__))))
    return json.loads(answer.out)


def test_the_script_as_it_is_called(library):
    library()
    assert asked() == {
        "driver": "535.104.05",
        "gpus": [
            {"name": "one", "capability": [9, 0], "mig": False, "energy_grew_mj": 5_000_000_000},
            {"name": "two", "capability": [9, 1], "mig": True, "energy_failed": "Insufficient Permissions"},
        ],
    }


def test_a_library_without_a_driver(library):
    library(9)
    assert asked() == {"failed": "Driver Not Loaded"}


def test_a_library_without_the_calls(library):
    library(source="int nothing(void) { return 0; }")
    assert asked() == {"absent": "Function Not Found"}


@pytest.mark.skipif(bool(ctypes.util.find_library("nvidia-ml")), reason="this machine has the library")
def test_no_library():
    assert asked() == {"absent": "NVML Shared Library Not Found"}
