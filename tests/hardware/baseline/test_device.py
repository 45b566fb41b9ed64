"""Which devices there are, and why not."""

import os

import pytest
import torch

from hardware.baseline import device
from hardware.baseline.counter import NvmlCounter
from hardware.doctor.finding import Finding
from hardware.doctor.probe import Probe

WHOLE = [Finding("GPU 0", "ok", "H100"), Finding("CUDA of torch", "ok", "runs")]


@pytest.fixture
def findings(monkeypatch):
    """findings(list, available): what the doctor finds, and what torch says; NVML is not asked."""

    def install(found, available=True, built="12.1"):
        class Nvml:
            def driver(self):
                return "550.1"

        monkeypatch.setattr(device.gpu, "check", lambda _probe: found)
        monkeypatch.setattr(device, "torch_cuda", lambda _probe: built)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
        monkeypatch.setattr(device, "Nvml", Nvml)
        monkeypatch.setattr(device, "nvml_counters", lambda *_: "the counter stands still")
        monkeypatch.setenv("CUDA_DEVICE_ORDER", "")
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _index: "CUDA's first")

    return install


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([Finding("GPU", "missing", "none of NVIDIA's", "none needed")], "GPU: none of NVIDIA's"),
        (
            [Finding("CUDA of torch", "wrong", "driver 470 is too old for it", "newer")],
            "CUDA of torch: driver 470 is too old for it",
        ),
        ([Finding("GPU 0", "wrong", "compute capability 10.0", "on the CPU")], "GPU 0: compute capability 10.0"),
    ],
)
def test_the_doctors_findings_are_the_reasons(findings, found, reason):
    findings(found)
    assert device.cuda(Probe()) == reason


def test_torch_has_the_last_word(findings):
    findings(WHOLE, built="")
    assert device.cuda(Probe()) == "torch is built without CUDA"
    findings(WHOLE, available=False)
    assert device.cuda(Probe()) == "NVIDIA's driver knows a GPU, but torch cannot use it"


def test_a_gpu_whose_energy_is_unknown_is_still_timed(findings):
    findings(WHOLE)
    found = device.cuda(Probe())
    # NVML's GPU 0 may be another than CUDA's first.
    assert (found.key, found.name, found.counters) == ("cuda", "CUDA's first", "the counter stands still")
    assert found.driver == "550.1"


def test_a_gpu_with_a_counter_has_its_name_and_cudas_order_is_the_bus(findings, monkeypatch):
    findings(WHOLE)
    counter = NvmlCounter("NVML, H200", lambda: 0)
    monkeypatch.setattr(device, "nvml_counters", lambda *_: [counter])
    orders = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: orders.append(os.environ["CUDA_DEVICE_ORDER"]) or True)
    # No context may be made before bare idle power is metered.
    monkeypatch.setattr(torch.cuda, "get_device_name", None)
    assert device.cuda(Probe()).name == "H200"
    assert orders == ["PCI_BUS_ID"]


def test_the_processor():
    found = device.cpu(Probe())
    assert (found.key, found.threads >= 1, bool(found.name)) == ("cpu", True, True)
