"""The devices at hand: the processor, and a GPU if torch can use one, with their energy counters."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from hardware.baseline.counter import Counter, nvml_counters, rapl_counters
from hardware.doctor import gpu
from hardware.doctor.nvml import Nvml, NvmlError
from hardware.doctor.packages import torch_cuda
from hardware.doctor.probe import Probe
from train.artifacts import provenance


@dataclass(frozen=True)
class Device:
    """Something that networks run on.

    Parameters
    ----------
    key
        ``cpu`` or ``cuda``.
    name
        Of the processor or GPU.
    threads
        Cores that this process may use.
    counters
        Of its energy, or why there are none.
    sync
        Returns when all that was begun is done.
    driver
        Its version, where NVML tells.
    """

    key: str
    name: str
    threads: int
    counters: Sequence[Counter] | str
    sync: Callable[[], object] = field(default=lambda: None, compare=False)
    driver: str | None = None

    @property
    def meter(self) -> dict[str, Any] | None:
        """Name, resolution and rhythm of all counters together; None where there are none."""
        if isinstance(self.counters, str):
            return None
        return {
            "name": ", ".join(counter.name for counter in self.counters),
            "resolution_j": sum(max(counter.resolution_j, counter.step_j) for counter in self.counters),
            "update_s": max(counter.update_s for counter in self.counters),
        }


def cpu(probe: Probe) -> Device:
    """The processor."""
    return Device("cpu", provenance()["machine"]["processor"], probe.cores, rapl_counters(probe))


def cuda(probe: Probe) -> Device | str:
    """The GPU that torch uses first, or why there is none to use.

    No context is made on it here, so that its bare idle power can be metered next.
    """
    if not torch_cuda(probe):
        return "torch is built without CUDA"
    findings = {finding.topic: finding for finding in gpu.check(probe)}
    for topic in ("GPU", "CUDA of torch", "GPU 0"):
        finding = findings.get(topic)
        if finding is not None and finding.state != "ok":
            return f"{topic}: {finding.found}"
    # Numbers of NVML are in the order of the bus; CUDA's own order, fixed at its first call, is by speed.
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    if not torch.cuda.is_available():
        return "NVIDIA's driver knows a GPU, but torch cannot use it"
    counters: Sequence[Counter] | str
    driver = None
    try:
        nvml = Nvml()
        driver = nvml.driver()
        counters = nvml_counters(nvml, probe.environment.get("CUDA_VISIBLE_DEVICES", ""))
    except NvmlError as error:
        counters = f"NVML: {error}"
    # NVML's first GPU need not be CUDA's. torch makes a context for the answer: without a counter no idle is metered.
    name = torch.cuda.get_device_name(0) if isinstance(counters, str) else counters[0].name.removeprefix("NVML, ")
    return Device("cuda", name, probe.cores, counters, torch.cuda.synchronize, driver)
