"""A clock and counters of known power, and small runs."""

import math

import numpy as np
import pytest


class World:
    """Time that passes only by sleeping and working, and the energy used meanwhile."""

    def __init__(self, idle_w):
        self.now = 100.0
        self.idle_w = idle_w
        self._times, self._joules = [self.now], [0.0]

    def __call__(self):
        return self.now

    def spend(self, seconds, watts):
        self.now += seconds
        self._times.append(self.now)
        self._joules.append(self._joules[-1] + seconds * watts)

    def sleep(self, seconds):
        self.spend(seconds, self.idle_w(self.now) if callable(self.idle_w) else self.idle_w)

    def joules(self, at):
        return float(np.interp(at, self._times, self._joules))


class FakeCounter:
    """Counts a world's energy in steps, renewed at a rhythm, from some value on."""

    def __init__(self, world, step_j=1e-3, update_s=0.1, wrap=None, start=0, phase=0.03):
        self.name, self.step_j, self.update_s, self.wrap = "fake", step_j, update_s, wrap
        self.resolution_j = step_j
        self.world, self.start, self.phase = world, start, phase

    def read(self):
        renewed = math.floor((self.world.now - self.phase) / self.update_s) * self.update_s + self.phase
        steps = self.start + math.floor(self.world.joules(renewed) / self.step_j)
        return steps % self.wrap if self.wrap else steps


@pytest.fixture(scope="session")
def make_world():
    return World


@pytest.fixture(scope="session")
def make_counter():
    return FakeCounter


@pytest.fixture
def make_run(make_run, fake_clips, monkeypatch):
    """make_run(kind): a small untrained run whose recordings are noise."""
    from hardware.baseline import preprocessing, subject

    fake_clips(subject, preprocessing)
    noise = np.random.default_rng(0).normal(size=(3, 16_000)).astype(np.float32)
    monkeypatch.setattr(preprocessing, "test_sounds", lambda _config: list(0.1 * noise))

    def make(kind="lif"):
        return make_run(kind, kind)

    return make


@pytest.fixture
def quick():
    """A protocol of milliseconds."""
    from hardware.baseline.protocol import Protocol

    return Protocol(
        batches=(1, 2),
        window_s=0.001,
        warm_s=0.0,
        cuda_window_s=0.001,
        cuda_warm_s=0.0,
        energy_window_s=0.02,
        energy_warm_s=0.0,
        idle_s=0.06,
        burst_s=0.001,
        clips=8,
        check_clips=5,
    )


@pytest.fixture
def few_variants(monkeypatch):
    """Only variants that are ready at once."""
    from hardware.baseline import measure

    whole = measure.variants_of

    def some(subject, _device):
        keep = ("eager", "inference", "engine_1")
        # A GPU's would need one; what stands in for it runs the processor's.
        return {name: variant for name, variant in whole(subject, "cpu").items() if name in keep}

    monkeypatch.setattr(measure, "variants_of", some)


@pytest.fixture
def on_device(monkeypatch):
    """on_device(counters, cuda): the processor has these counters or this reason; the GPU is so."""
    from hardware.baseline import device

    def install(counters, cuda="no GPU"):
        monkeypatch.setattr(device, "cpu", lambda _probe: device.Device("cpu", "a processor", 1, counters))
        monkeypatch.setattr(device, "cuda", lambda _probe: cuda)

    return install


@pytest.fixture
def measured(make_run, quick, few_variants, on_device):
    """measured(counters): the section of a tiny run on a processor with these counters."""

    from hardware.baseline import measure

    def of(counters, neuron="lif", run=None, **more):
        on_device(counters)
        return measure.measure_baseline(run or make_run(neuron), protocol=quick, **more)

    return of
