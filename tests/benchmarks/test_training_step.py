"""A training step against the same network on stock SLAYER, side by side. Run by ``make bench``."""

import statistics
import time

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


@pytest.mark.parametrize(("neuron", "goal"), [("lif", 5.0), ("dh_lif", 8.0)])
def test_training_step(benchmark, stock_twin, two_threads, capsys, neuron, goal):
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
    with capsys.disabled():
        print(
            f"\n{neuron} training step, batch {BATCH}, {STEPS} steps: stock SLAYER {stock_s:.3f} s, ours {ours_s:.3f} s"
        )
        spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
        print(f"{stock_s / ours_s:.1f} times faster ({spread}; goal {goal:g}); same losses")
    assert ours.losses == stock.losses
