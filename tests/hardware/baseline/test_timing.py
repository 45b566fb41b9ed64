"""Cells on busy machines and of too little memory, and that a device is waited for."""

import dataclasses
import types

import numpy as np
import pytest
import torch

from hardware.baseline import timing
from hardware.baseline.device import Device
from hardware.baseline.timing import Ready, meter_cell, time_cell
from hardware.measurement import exact

CPU = Device("cpu", "a processor", 1, "none")
SPIKES = np.zeros((4, 1), np.uint8)


def ready(call=lambda batch: batch):
    return Ready(call, lambda batch: batch, 1)


@pytest.fixture
def shares(monkeypatch):
    """shares(list): cells wait so, one after the other."""

    def install(values):
        left = iter(values)

        def told(*_):
            return exact(next(left), "share", "told").as_dict()

        monkeypatch.setattr(timing, "waited_share", told)
        return left

    return install


def test_a_busy_cell_is_timed_again_and_the_quiet_one_kept(shares, quick):
    left = shares([0.4, 0.02, 0.0])
    cell = time_cell(ready(), SPIKES, 1, CPU, quick)
    assert cell["waited"]["value"] == 0.02
    assert "busy" not in cell["latency"]["method"]
    assert list(left) == [0.0]


def test_one_that_stays_busy_says_so(shares, quick):
    left = shares([0.4, 0.2, 0.3, 0.0])
    cell = time_cell(ready(), SPIKES, 1, CPU, quick)
    assert cell["waited"]["value"] == 0.2
    for key in ("latency", "per_inference", "throughput"):
        assert cell[key]["method"].endswith("; on a busy machine: waited 20 % of the time for a core")
    assert list(left) == [0.0]


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
)
def test_out_of_memory_is_a_reason(quick, error):
    def call(_batch):
        raise error

    assert time_cell(ready(call), SPIKES, 2, CPU, quick)["unavailable"].startswith("memory ran out: ")
    assert meter_cell(ready(call), SPIKES, 2, CPU, quick, None)["unavailable"].startswith("memory ran out: ")


def test_other_errors_are_not(quick):
    def call(_batch):
        raise RuntimeError("no kernel")

    with pytest.raises(RuntimeError, match="no kernel"):
        time_cell(ready(call), SPIKES, 1, CPU, quick)


def test_every_call_is_waited_for(quick):
    """What is begun takes no time, and waiting for it a second."""
    clock = types.SimpleNamespace(now=0.0)

    def sync():
        clock.now += 1.0

    device = dataclasses.replace(CPU, sync=sync)
    assert timing._mean_call(lambda: None, device, 5.0, lambda: clock.now) == 1.0
    assert clock.now == 5.0
