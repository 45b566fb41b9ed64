"""A training step against the same network on stock SLAYER, side by side. Run by ``make bench``."""

import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from train.config import Config, LifConfig, NetworkConfig, replace
from train.topology import build_network, counts

CHANNELS, FEATURES, OUTPUTS, BATCH, STEPS = 8, 33, 32, 32, 100
ROUNDS = 5


class _Learner:
    def __init__(self, blocks, onednn):
        self.blocks, self.onednn = blocks, onednn
        self.optimiser = torch.optim.Adam((p for p in blocks.parameters() if p.requires_grad), lr=0.002)
        self.losses, self.seconds = [], []

    def step(self, x, target):
        # Training goes without oneDNN (see train.loop.fit); whoever trains with stock SLAYER has it.
        with torch.backends.mkldnn.flags(enabled=self.onednn):
            self._step(x, target)

    def _step(self, x, target):
        started = time.perf_counter()
        spikes = x
        for block in self.blocks:
            spikes = block(spikes)
        loss = torch.nn.functional.cross_entropy(counts(spikes), target)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.seconds.append(time.perf_counter() - started)
        self.losses.append(loss.item())


@pytest.fixture
def two_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


def _resident(name):
    return int(re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


def _peak(learner, x, target):
    """Bytes that steps take at most, beyond what was resident before; libraries have theirs by then."""
    learner.step(x[:1, ..., :3], target[:1])
    learner.blocks.zero_grad()
    # Forget the highest mark so far.
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    for _ in range(3):
        learner.step(x, target)
    return _resident("VmHWM") - before


def _peak_of(which, test, folder):
    """The peak of one side in a process of its own: this test with a word in the environment."""
    told = folder / which
    environment = {**os.environ, "PEAK_OF": which, "PEAK_TO": str(told)}
    command = [sys.executable, "-m", "pytest", "-q", f"{Path(__file__)}::{test}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert told.is_file(), done.stdout + done.stderr
    return int(told.read_text())


@pytest.mark.parametrize(("neuron", "goal"), [("lif", 10.0), ("dh_lif", 15.0)])
def test_training_step(benchmark, stock_twin, two_threads, capsys, tmp_path, request, neuron, goal):
    """DH-LIF has four branches in all layers; its twin calls SLAYER's leaky_integrator once for each.

    Steps alternate, so that whatever else the machine does falls on both; medians are compared.

    Decays are frozen: SLAYER's gradient of them is wrong by a factor of -4096, ours is not.
    """
    torch.manual_seed(0)
    config = replace(Config(), network=NetworkConfig(neuron=neuron), lif=LifConfig(learn_decays=False))
    network = build_network(config, CHANNELS, FEATURES, OUTPUTS)
    ours, stock = _Learner(network.blocks, onednn=False), _Learner(stock_twin(network), onednn=True)
    x = (torch.rand(BATCH, CHANNELS, FEATURES, 1, STEPS) < 0.1).float()
    target = torch.randint(0, OUTPUTS, (BATCH,))
    if "PEAK_OF" in os.environ:
        learner = {"ours": ours, "stock": stock}[os.environ["PEAK_OF"]]
        Path(os.environ["PEAK_TO"]).write_text(str(_peak(learner, x, target)))
        return
    _Learner(build_network(config, CHANNELS, FEATURES, OUTPUTS).blocks, onednn=False).step(x, target)

    def both():
        stock.step(x, target)
        ours.step(x, target)

    for _ in range(ROUNDS - 1):
        both()
    benchmark.pedantic(ours.step, args=(x, target), setup=lambda: stock.step(x, target), rounds=1)
    stock_s, ours_s = statistics.median(stock.seconds), statistics.median(ours.seconds)
    ratios = [one / other for one, other in zip(stock.seconds, ours.seconds, strict=True)]
    benchmark.extra_info.update(stock_s=stock_s, ours_s=ours_s, ratio=stock_s / ours_s, ratios=ratios, goal=goal)
    peaks = {which: _peak_of(which, request.node.name, tmp_path) for which in ("ours", "stock")}
    benchmark.extra_info.update(peak_bytes_ours=peaks["ours"], peak_bytes_stock=peaks["stock"])
    with capsys.disabled():
        print(
            f"\n{neuron} training step, batch {BATCH}, {STEPS} steps: stock SLAYER {stock_s:.3f} s, ours {ours_s:.3f} s"
        )
        spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
        print(f"{stock_s / ours_s:.1f} times faster ({spread}; goal {goal:g}); same losses")
        print(f"peak memory of a step: stock {peaks['stock'] / 1e6:.0f} MB, ours {peaks['ours'] / 1e6:.0f} MB")
    assert ours.losses == stock.losses
