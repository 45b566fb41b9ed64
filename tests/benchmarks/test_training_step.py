"""A training step against the same network on stock SLAYER, side by side. Run by ``make bench``."""

import statistics
import time

import pytest
import torch

from train.config import Config, LifConfig, replace
from train.topology import build_network, counts

CHANNELS, FEATURES, OUTPUTS, BATCH, STEPS = 8, 33, 32, 32, 100
ROUNDS = 5
GOAL = 5.0


class _Learner:
    def __init__(self, blocks):
        self.blocks = blocks
        self.optimiser = torch.optim.Adam((p for p in blocks.parameters() if p.requires_grad), lr=0.002)
        self.losses, self.seconds = [], []

    def step(self, x, target):
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


def test_training_step(benchmark, stock_twin, two_threads, capsys):
    """Steps alternate, so that whatever else the machine does falls on both; medians are compared.

    Decays are frozen: SLAYER's gradient of them is wrong by a factor of -4096, ours is not.
    """
    torch.manual_seed(0)
    config = replace(Config(), lif=LifConfig(learn_decays=False))
    network = build_network(config, CHANNELS, FEATURES, OUTPUTS)
    ours, stock = _Learner(network.blocks), _Learner(stock_twin(network))
    x = (torch.rand(BATCH, CHANNELS, FEATURES, 1, STEPS) < 0.1).float()
    target = torch.randint(0, OUTPUTS, (BATCH,))
    _Learner(build_network(config, CHANNELS, FEATURES, OUTPUTS).blocks).step(x, target)

    def both():
        stock.step(x, target)
        ours.step(x, target)

    for _ in range(ROUNDS - 1):
        both()
    benchmark.pedantic(ours.step, args=(x, target), setup=lambda: stock.step(x, target), rounds=1)
    ratio = statistics.median(stock.seconds) / statistics.median(ours.seconds)
    benchmark.extra_info.update(
        stock_s=statistics.median(stock.seconds), ours_s=statistics.median(ours.seconds), ratio=ratio, goal=GOAL
    )
    with capsys.disabled():
        print(
            f"\ntraining step, batch {BATCH}, {STEPS} steps: stock SLAYER {statistics.median(stock.seconds):.3f} s, "
            f"ours {statistics.median(ours.seconds):.3f} s, {ratio:.1f} times faster (goal {GOAL:g}); same losses"
        )
    assert ours.losses == stock.losses
