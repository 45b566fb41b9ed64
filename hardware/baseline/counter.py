"""Counters of energy that only ever grow: NVIDIA's of a GPU, RAPL's of a processor. Or the reason why there is none.

NVML is asked through nvidia-ml-py, NVIDIA's own binding: zeus 0.16 was considered, and brings pandas, pydantic, httpx
and AMD's library along, and falls back to sampling power where it finds no counter, which is not what is wanted here.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hardware.doctor.finding import quoted
from hardware.doctor.nvml import Nvml, NvmlError
from hardware.doctor.probe import Probe

RAPL = "/sys/class/powercap"
# A zone counts in steps of 1/2^ESU joules and is renewed about every millisecond (Intel SDM, volume 3B, "RAPL
# interfaces"): 2^-16 J = 15.3 uJ is the register's stated default, and 2^-14 J = 61 uJ what most later processors
# state. The coarser one is reckoned with.
RAPL_STEP_J = 2.0**-14
RAPL_UPDATE_S = 1e-3
# nvmlDeviceGetTotalEnergyConsumption counts in mJ; that it is renewed about every 100 ms is facts of this project,
# seen by others too (Yang et al., "Part-time power measurements: nvidia-smi's lack of attention", arXiv:2312.02741;
# at SC24 "Accurate and Convenient Energy Measurements for GPUs"), of the power readings behind it.
NVML_STEP_J = 1e-3
NVML_UPDATE_S = 0.1
# In this time even an idle GPU's counter is renewed more than once.
_GROWS_IN_S = 0.5
_CUT = "the GPU is cut into instances (MIG), and its counter is of the whole, others' work included"


class CounterError(Exception):
    """A counter that cannot be read, or whose readings make no sense."""


class Counter(Protocol):
    """What adds up energy.

    Attributes
    ----------
    name
        What it counts, for people.
    step_j
        Joules of one step of its readings.
    wrap
        How many values it takes before it begins again at 0; None for one that never does.
    resolution_j
        Joules by which a reading may lie below what was used when it was renewed.
    update_s
        About how often it is renewed.
    """

    @property
    def name(self) -> str: ...
    @property
    def step_j(self) -> float: ...
    @property
    def wrap(self) -> int | None: ...
    @property
    def resolution_j(self) -> float: ...
    @property
    def update_s(self) -> float: ...

    def read(self) -> int:
        """Steps so far.

        Raises
        ------
        CounterError
            It cannot be read.
        """


@dataclass(frozen=True)
class NvmlCounter:
    """A whole GPU's counter, in mJ since the driver was loaded; 64 bits, which no GPU fills."""

    name: str
    ask: Callable[[], int]
    step_j: float = 1e-3
    wrap: int | None = None
    resolution_j: float = NVML_STEP_J
    update_s: float = NVML_UPDATE_S

    def read(self) -> int:
        try:
            return self.ask()
        except NvmlError as error:
            raise CounterError(f"the GPU's energy counter cannot be read: {quoted(str(error))}") from error


@dataclass(frozen=True)
class RaplCounter:
    """A processor package's counter, in uJ; it begins again after ``max_energy_range_uj``."""

    name: str
    probe: Probe
    path: str
    wrap: int | None
    step_j: float = 1e-6
    resolution_j: float = RAPL_STEP_J
    update_s: float = RAPL_UPDATE_S

    def read(self) -> int:
        return _number(self.probe, f"{self.path}/energy_uj", self.name)


def rapl_counters(probe: Probe) -> Sequence[Counter] | str:
    """Counters of all processor packages, or why there are none.

    Only packages: cores, graphics and memory are zones within one, and a platform's zone (psys) holds them all. What
    memory takes is in a zone of its own on servers, and is not counted.
    """
    found: list[Counter] = []
    zones = [path for path in probe.paths(f"{RAPL}/intel-rapl:*") if re.fullmatch(r".*/intel-rapl:\d+", path)]
    try:
        for path in zones:
            name = probe.read(f"{path}/name").strip()
            if not name.startswith("package"):
                continue
            span = _number(probe, f"{path}/max_energy_range_uj", name)
            if span <= 0:
                return f"RAPL's {quoted(name)} tells no range"
            counter = RaplCounter(quoted(name), probe, path, span + 1)
            counter.read()
            found.append(counter)
    except CounterError as error:
        return str(error)
    except OSError as error:
        return f"RAPL cannot be read: {quoted(str(error))}"
    return found or "no counter of the processor's energy (RAPL), as in virtual machines and containers"


def _number(probe: Probe, path: str, name: str) -> int:
    try:
        return int(probe.read(path))
    except PermissionError as error:
        reason = f"RAPL's {quoted(name)} only root may read, as kernels have it since 2020 (CVE-2020-8694)"
        raise CounterError(reason) from error
    except (OSError, ValueError) as error:
        raise CounterError(f"RAPL's {quoted(name)} cannot be read: {quoted(str(error))}") from error


def nvml_counters(  # noqa: PLR0911 - each return is a reason of its own
    nvml: Nvml, visible: str, sleep: Callable[[float], None] = time.sleep
) -> Sequence[Counter] | str:
    """The counter of the GPU that CUDA calls device 0, or why there is none.

    Parameters
    ----------
    visible
        ``CUDA_VISIBLE_DEVICES``: numbers, in the order of the bus, or UUIDs; empty if all are visible.
    """
    first = visible.partition(",")[0].strip()
    if first.startswith("MIG"):
        return _CUT
    try:
        numbered = not first or first.isdecimal()
        device = nvml.devices()[int(first or 0)] if numbered else nvml.device_of(first)
        if nvml.mig(device):
            return _CUT
        counter = NvmlCounter(f"NVML, {quoted(nvml.name(device))}", lambda: nvml.energy_mj(device))
        before = counter.read()
        sleep(_GROWS_IN_S)
        if counter.read() <= before:
            return "the GPU's energy counter stands still, as a virtual GPU's does"
    except IndexError:
        return f"CUDA_VISIBLE_DEVICES is {visible}, and NVML knows no such GPU"
    except CounterError as error:
        return f"{error}; it needs Volta or newer, and the whole GPU"
    except NvmlError as error:
        return f"NVML: {quoted(str(error))}"
    return [counter]
