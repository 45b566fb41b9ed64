"""Ask NVIDIA's management library (NVML) for the GPUs and their energy counters, and print the answers as JSON.

Run as a script of its own, since a driver that hangs must not hang the doctor: ``python nvml.py``. The library comes
with the driver; it is called through pynvml, NVIDIA's own binding.
"""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pynvml  # type: ignore[import-untyped]

# The counter is renewed about every 100 ms; an idle GPU takes some watts, so in this time it must grow.
WAIT_S = 0.4
_Found = TypeVar("_Found")


class NvmlError(Exception):
    """A call that was refused; ``absent`` where there is no library."""

    def __init__(self, text: str, *, absent: bool = False) -> None:
        super().__init__(text)
        self.absent = absent


class Nvml:
    """The few calls that are needed.

    Raises
    ------
    NvmlError
        There is no library, or it knows no driver; as every call may.
    """

    def __init__(self) -> None:
        _asked(pynvml.nvmlInit)

    def driver(self) -> str:
        """The driver's version."""
        return str(_asked(pynvml.nvmlSystemGetDriverVersion))

    def devices(self) -> list[Any]:
        """Handles of all GPUs, in the order of the bus."""
        return [_asked(pynvml.nvmlDeviceGetHandleByIndex, index) for index in range(_asked(pynvml.nvmlDeviceGetCount))]

    def device_of(self, uuid: str) -> Any:
        """Handle of the GPU of that UUID."""
        return _asked(pynvml.nvmlDeviceGetHandleByUUID, uuid.encode())

    def name(self, device: Any) -> str:
        """The GPU's name."""
        return str(_asked(pynvml.nvmlDeviceGetName, device))

    def capability(self, device: Any) -> list[int]:
        """CUDA's compute capability, as 9 and 0."""
        return list(_asked(pynvml.nvmlDeviceGetCudaComputeCapability, device))

    def mig(self, device: Any) -> bool:
        """Whether the GPU is cut into instances; one that cannot be is not."""
        try:
            return bool(_asked(pynvml.nvmlDeviceGetMigMode, device)[0])
        except NvmlError:
            return False

    def energy_mj(self, device: Any) -> int:
        """Energy since the driver was loaded, in millijoules."""
        return int(_asked(pynvml.nvmlDeviceGetTotalEnergyConsumption, device))


def _asked(function: Callable[..., _Found], *arguments: Any) -> _Found:
    try:
        return function(*arguments)
    except pynvml.NVMLError as error:
        absent = isinstance(error, (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_FunctionNotFound))
        raise NvmlError(str(error), absent=absent) from error


def gpu(nvml: Nvml, device: Any) -> dict[str, Any]:
    """What is known of one GPU; what could not be asked is left out, the energy counter says why."""
    found: dict[str, Any] = {}
    for key, question in (("name", nvml.name), ("capability", nvml.capability), ("mig", nvml.mig)):
        try:
            found[key] = question(device)
        except NvmlError as error:
            found.setdefault("failed", str(error))
    try:
        before = nvml.energy_mj(device)
        time.sleep(WAIT_S)
        found["energy_grew_mj"] = nvml.energy_mj(device) - before
    except NvmlError as error:
        found["energy_failed"] = str(error)
    return found


def ask() -> dict[str, Any]:
    """Everything, or under ``absent`` or ``failed`` why not."""
    try:
        nvml = Nvml()
        return {"driver": nvml.driver(), "gpus": [gpu(nvml, device) for device in nvml.devices()]}
    except NvmlError as error:
        return {"absent" if error.absent else "failed": str(error)}


if __name__ == "__main__":
    print(json.dumps(ask()))
