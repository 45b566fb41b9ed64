"""Memory is bounded by the budget and does not grow with the samples; measured in processes of their own."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# Prints the most memory ever held, in MiB, after each part. Samples are one sample seen many times: they take no room.
GROWTH = """
import json, resource, sys
import numpy as np
from export.graph import Cuba, DenseLayer, InputLayer, Network
from lava_runtime.engine.engine import Engine

sizes, steps, budget = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
generator = np.random.default_rng(0)
layers = [InputLayer((sizes[0],))]
for size in sizes[1:]:
    # Its bias alone has every neuron fire at every other step.
    weight = 2 * generator.integers(-3, 4, (size, layers[-1].shape[0]))
    layers.append(DenseLayer(weight, Cuba(4096, 0, 60), np.full(size, 50)))
engine = Engine(Network(tuple(layers), tuple(map(str, range(len(sizes))))), threads=2, memory_bytes=budget << 20)
sample = (generator.random((1, sizes[0], steps)) < 0.05).astype(np.uint8)

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def run(samples):
    counted = 0
    for block in engine.blocks(np.broadcast_to(sample, (samples, *sample.shape[1:])), path="events"):
        counted += int(block.counts.sum())
    assert counted
    return most()

run(1) if steps < 200 else engine.run(sample[..., :2])
start = most()
print(json.dumps([start, *(run(samples) for samples in json.loads(sys.argv[4]))]))
"""


def growth(root, sizes, steps, budget_mib, samples):
    """MiB that runs of so many samples added to the most that the process had held, each on top of the one before."""
    command = [sys.executable, "-W", "ignore", "-c", GROWTH, json.dumps(sizes), str(steps), str(budget_mib)]
    done = subprocess.run([*command, json.dumps(samples)], cwd=root, capture_output=True, text=True, check=True)
    start, *held = json.loads(done.stdout)
    return [now - before for now, before in zip(held, [start, *held[:-1]], strict=True)]


def test_memory_is_flat_in_the_number_of_samples(root):
    first, more = growth(root, [200, 128, 100], 100, 256, [100, 2000])
    assert first < 64
    # The results of 1900 samples, had they been kept, were 18 MiB; what their layers did, 100 MiB.
    assert more < 8, f"{more:.1f} MiB for 1900 samples more"


def test_a_run_keeps_to_its_budget(root):
    """Where all fire, a sample of 3000 steps takes 90 MiB on two cores if it is let; with less it is cut in time."""
    (added,) = growth(root, [800, 1200, 1200, 10], 3000, 32, [4])
    assert added < 32, f"{added:.1f} MiB with a budget of 32"
