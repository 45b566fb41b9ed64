"""Ask NVIDIA's management library (NVML) for the GPUs and their energy counters, and print the answers as JSON.

Run as a script of its own, since a driver that hangs must not hang the doctor: ``python nvml.py``. Names and types are
nvml.h's; the library comes with the driver, so no package is needed.
"""

import ctypes
import json
import sys
import time
from typing import Any

LIBRARY = "libnvidia-ml.so.1"
# The counter is renewed about every 100 ms; an idle GPU takes some watts, so in this time it must grow.
WAIT_S = 0.4
_TEXT = 96


class NvmlError(Exception):
    """A call that did not return 0."""


class Nvml:
    """The few calls that are needed."""

    def __init__(self, library: str = LIBRARY) -> None:
        self._library = ctypes.CDLL(library)
        self._library.nvmlErrorString.restype = ctypes.c_char_p
        self._call("nvmlInit_v2")

    def _call(self, name: str, *arguments: Any) -> None:
        try:
            function = getattr(self._library, name)
        except AttributeError as error:
            raise NvmlError(f"this driver has no {name}") from error
        code = function(*arguments)
        if code:
            raise NvmlError((self._library.nvmlErrorString(code) or b"").decode(errors="replace") or f"error {code}")

    def driver(self) -> str:
        """The driver's version."""
        text = ctypes.create_string_buffer(_TEXT)
        self._call("nvmlSystemGetDriverVersion", text, _TEXT)
        return text.value.decode(errors="replace")

    def devices(self) -> list[ctypes.c_void_p]:
        """Handles of all GPUs."""
        count = ctypes.c_uint()
        self._call("nvmlDeviceGetCount_v2", ctypes.byref(count))
        handles = [ctypes.c_void_p() for _ in range(count.value)]
        for index, handle in enumerate(handles):
            self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle))
        return handles

    def name(self, device: ctypes.c_void_p) -> str:
        """The GPU's name."""
        text = ctypes.create_string_buffer(_TEXT)
        self._call("nvmlDeviceGetName", device, text, _TEXT)
        return text.value.decode(errors="replace")

    def capability(self, device: ctypes.c_void_p) -> list[int]:
        """CUDA's compute capability, as 9 and 0."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._call("nvmlDeviceGetCudaComputeCapability", device, ctypes.byref(major), ctypes.byref(minor))
        return [major.value, minor.value]

    def mig(self, device: ctypes.c_void_p) -> bool:
        """Whether the GPU is cut into instances; one that cannot be is not."""
        current, pending = ctypes.c_uint(), ctypes.c_uint()
        try:
            self._call("nvmlDeviceGetMigMode", device, ctypes.byref(current), ctypes.byref(pending))
        except NvmlError:
            return False
        return bool(current.value)

    def energy_mj(self, device: ctypes.c_void_p) -> int:
        """Energy since the driver was loaded, in millijoules."""
        value = ctypes.c_ulonglong()
        self._call("nvmlDeviceGetTotalEnergyConsumption", device, ctypes.byref(value))
        return int(value.value)


def gpu(nvml: Nvml, device: ctypes.c_void_p) -> dict[str, Any]:
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


def ask(library: str = LIBRARY) -> dict[str, Any]:
    """Everything, or under ``absent`` or ``failed`` why not."""
    try:
        nvml = Nvml(library)
        return {"driver": nvml.driver(), "gpus": [gpu(nvml, device) for device in nvml.devices()]}
    except (OSError, AttributeError) as error:
        return {"absent": str(error)}
    except NvmlError as error:
        return {"failed": str(error)}


if __name__ == "__main__":
    print(json.dumps(ask(*sys.argv[1:])))
