"""GPU, its driver and energy counter, and what compiles for it."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hardware.doctor.finding import Finding, State, quoted
from hardware.doctor.known import facts
from hardware.doctor.packages import torch_cuda
from hardware.doctor.probe import Probe

_NVIDIA = "0x10de"
# PCI class of display controllers; NVIDIA's sound and network parts are of others.
_DISPLAY = "0x03"
_NOT_NEEDED = "nothing here needs one: training, engine and simulator run on the CPU"
_FOR_CUDA = "needed only where lava-dl trains on a GPU"
_DRIVER = "install NVIDIA's driver, or ask who runs this machine"


def check(probe: Probe) -> list[Finding]:
    """The GPUs and their counters, then the compilers."""
    answer = _nvml(probe)
    gpus: Sequence[Mapping[str, Any]] = answer.get("gpus", ())
    cuda = torch_cuda(probe)
    found = [*_gpus(probe, answer, gpus), *_driver(answer, gpus, cuda)]
    return [*found, *compilers(probe, cuda, with_gpu=bool(gpus))]


def _nvml(probe: Probe) -> dict[str, Any]:
    script = Path(__file__).with_name("nvml.py")
    answer = probe.run((sys.executable, "-I", str(script)))
    if answer.failed == "late":
        return {"failed": "the driver did not answer in time"}
    try:
        found = json.loads(answer.out)
    except ValueError:
        return {"failed": quoted(answer.err) or "no answer"}
    return found if isinstance(found, dict) else {"failed": quoted(answer.out)}


def _gpus(probe: Probe, answer: Mapping[str, Any], gpus: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    if "absent" in answer or ("driver" in answer and not gpus):
        yield _without_driver(probe)
    elif "driver not loaded" in str(answer.get("failed", "")).lower():
        # The library alone is here, as in images made for machines with a GPU.
        yield _without_driver(probe)
    elif "failed" in answer:
        found = f"its driver's library says: {quoted(str(answer['failed']))}"
        cure = (
            "after a driver's update restart the machine; in a container let the GPU in, and with its driver's version"
        )
        yield Finding("GPU", "wrong", found, cure)
    for index, gpu in enumerate(gpus):
        yield _gpu(index, gpu)
        yield _energy(index, gpu)


def _without_driver(probe: Probe) -> Finding:
    """No library, or one that knows no GPU: there may be one all the same."""
    cards = [path for path in probe.paths("/sys/bus/pci/devices/*") if _is_gpu(probe, path)]
    if cards:
        found = f"{len(cards)} of NVIDIA's on the bus, and no driver that knows it"
        return Finding("GPU", "missing", found, _DRIVER)
    smi = probe.run(("nvidia-smi", "-L")) if probe.which("nvidia-smi") else None
    if smi and smi.good and "GPU" in smi.out:
        found = f"nvidia-smi lists {quoted(smi.out)}, but libnvidia-ml.so.1 is not where libraries are looked for"
        return Finding(
            "GPU", "wrong", found, "add its folder to LD_LIBRARY_PATH: the energy counter is read through it"
        )
    return Finding("GPU", "missing", "none of NVIDIA's, so no energy of a GPU is measured", _NOT_NEEDED)


def _is_gpu(probe: Probe, path: str) -> bool:
    try:
        vendor, kind = probe.read(f"{path}/vendor"), probe.read(f"{path}/class")
    except OSError:
        return False
    return vendor.strip() == _NVIDIA and kind.startswith(_DISPLAY)


def _gpu(index: int, gpu: Mapping[str, Any]) -> Finding:
    topic, name = f"GPU {index}", quoted(str(gpu.get("name", "of unknown name")))
    capability = list(gpu.get("capability", ()))
    if not capability:
        return Finding(topic, "wrong", f"{name}: {quoted(str(gpu.get('failed', 'no answer')))}", _DRIVER)
    text = f"{name}, compute capability {'.'.join(map(str, capability))}"
    if _runs(capability):
        return Finding(topic, "ok", text)
    known, torch = facts()["cuda"]["capabilities"], facts()["cuda"]["torch"]
    ends = " to ".join(".".join(map(str, one)) for one in (known[0], known[-1]))
    found = f"{text}, while torch {torch} has code for {ends}"
    return Finding(topic, "wrong", found, "train on the CPU: lava-dl 0.6.0 takes no newer torch")


def _runs(capability: Sequence[int]) -> bool:
    """Code of a capability runs on those of the same major number from it on."""
    known = facts()["cuda"]["capabilities"]
    return any(capability[0] == major and capability[1] >= minor for major, minor in known)


def _energy(index: int, gpu: Mapping[str, Any]) -> Finding:
    topic = f"GPU {index} energy"
    if gpu.get("mig"):
        found = "the GPU is cut into instances (MIG), and its counter is of the whole, others' work included"
        return Finding(
            topic, "missing", found, "measure on a GPU that is not cut; until then it is given as unavailable"
        )
    if "energy_failed" in gpu:
        found = f"its counter cannot be read: {quoted(str(gpu['energy_failed']))}"
        cure = "it needs Volta or newer, the whole GPU and leave to read it; until then energy is given as unavailable"
        return Finding(topic, "missing", found, cure)
    if gpu.get("energy_grew_mj", 0) <= 0:
        found = "its counter can be read but stands still"
        return Finding(topic, "wrong", found, "a virtual GPU counts nothing: measure on a whole one")
    return Finding(topic, "ok", "its counter can be read and grows (nvmlDeviceGetTotalEnergyConsumption)")


def _driver(answer: Mapping[str, Any], gpus: Sequence[Mapping[str, Any]], cuda: str) -> Iterator[Finding]:
    if not gpus:
        return
    driver = quoted(str(answer.get("driver", "")))
    if not cuda:
        yield Finding("CUDA of torch", "missing", "torch is built without CUDA, so the GPU is not used", _NOT_NEEDED)
        return
    major = cuda.partition(".")[0]
    first = facts()["cuda"]["first_driver"].get(major, 0)
    number = re.match(r"\d+", driver)
    if number and int(number[0]) < first:
        found = f"torch is built for CUDA {cuda}, and driver {driver} is too old for it"
        yield Finding("CUDA of torch", "wrong", found, f"install driver {first} or newer")
    else:
        yield Finding("CUDA of torch", "ok", f"torch is built for CUDA {cuda}, driver {driver} runs it")


def compilers(probe: Probe, cuda: str, *, with_gpu: bool) -> list[Finding]:
    """What builds CUDA extensions: a host compiler, ninja, Python's headers, and an nvcc of torch's CUDA.

    As torch 2.3.1 looks for them (torch/utils/cpp_extension.py): nvcc is that of CUDA_HOME, else the one on the PATH,
    whose folder's parent is taken for CUDA's; another major version than torch's is refused.
    """
    host = probe.run(("c++", "--version"))
    line = quoted(host.out.partition("\n")[0])
    if host.good and line:
        found = [Finding("C++ compiler", "ok", line)]
    else:
        found = [Finding("C++ compiler", "missing", "no c++ that answers", f"install g++; {_FOR_CUDA}")]
    if probe.run(("ninja", "--version")).good:
        found.append(Finding("ninja", "ok", "on the PATH"))
    else:
        found.append(Finding("ninja", "missing", "not on the PATH", f"activate .venv, which has it; {_FOR_CUDA}"))
    if not probe.exists(f"{probe.headers}/Python.h"):
        found.append(Finding("Python headers", "missing", "no Python.h", f"install python3.10-dev; {_FOR_CUDA}"))
    return [*found, _nvcc(probe, cuda, _gcc(host.out), with_gpu)]


def _gcc(text: str) -> int:
    """Major version of GCC from what it prints of itself; 0 for another compiler."""
    match = re.search(r"^\S*(?:c\+\+|g\+\+|gcc)\S* \(.*\) (\d+)\.", text, re.MULTILINE)
    return int(match[1]) if match else 0


def _nvcc(probe: Probe, cuda: str, gcc: int, with_gpu: bool) -> Finding:
    topic = "CUDA compiler"
    wanted = f"install the toolkit of CUDA {cuda or 'of your torch'} and set CUDA_HOME to it; {_FOR_CUDA}"
    home = probe.environment.get("CUDA_HOME") or probe.environment.get("CUDA_PATH")
    nvcc = f"{home}/bin/nvcc" if home else probe.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    home = home or str(Path(nvcc).parent.parent)
    match = re.search(r"release (\d+\.\d+)", probe.run((nvcc, "--version")).out)
    if match is None:
        return Finding(topic, "missing", "no nvcc", wanted)
    text = f"nvcc of CUDA {match[1]} at {quoted(nvcc)}"
    # Without a GPU nobody would call it: what does not fit is then as good as not there.
    state: State = "wrong" if with_gpu else "missing"
    if not cuda:
        return Finding(topic, "missing", f"{text}; torch is built without CUDA", _NOT_NEEDED)
    if match[1].partition(".")[0] != cuda.partition(".")[0]:
        return Finding(topic, state, f"{text}, while torch is built for CUDA {cuda} and refuses it", wanted)
    newest = facts()["cuda"]["newest_gcc"].get(match[1], gcc)
    if gcc > newest:
        found = f"{text} takes GCC up to {newest}, and the host's is {gcc}"
        return Finding(topic, state, found, f"install g++-{newest} and set CXX and CC to it; {_FOR_CUDA}")
    if not probe.exists(f"{home}/include/cuda_runtime.h"):
        found = f"{text}, but no cuda_runtime.h in {quoted(home)}/include, where torch looks"
        return Finding(topic, state, found, f"set CUDA_HOME to the toolkit's own folder; {_FOR_CUDA}")
    return Finding(topic, "ok", f"{text}, for torch's CUDA {cuda}")
