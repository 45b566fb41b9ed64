"""The readout: leaky counts, their gradient, and the step that a decision is about."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from train.config import TrainingConfig
from train.errors import MaestroError
from train.loss import multi_head_loss
from train.metrics import accuracy, decide
from train.segmentation.readout import Readout, leaky_counts
from train.segmentation.step_readout import StepReadout

few = settings(max_examples=25, derandomize=True, deadline=None)


@few
@given(seed=st.integers(0, 999), tau=st.integers(1, 300), steps=st.integers(1, 40))
def test_leaky_counts_are_the_sum_they_are_said_to_be(seed, tau, steps):
    spikes = np.random.default_rng(seed).integers(0, 2, (2, 3, steps)).astype(np.uint8)
    expected = np.zeros((2, 3, steps))
    state = np.zeros((2, 3))
    for step in range(steps):
        state = (1 - 1 / tau) * state + spikes[..., step]
        expected[..., step] = state
    np.testing.assert_allclose(leaky_counts(spikes, tau), expected, rtol=1e-12)


def test_a_step_is_told_by_spikes_that_are_late(noise_spikes):
    # One neuron a class, which fires for its class's steps, two steps late.
    labels = np.array([[0, 0, 0, 1, 1, 0, 0, 1, 1, 1]])
    spikes = np.zeros((1, 2, 10), np.uint8)
    for step, label in enumerate(labels[0, :8]):
        spikes[0, label, step + 2] = 1
    readout = Readout(np.eye(2), readout_steps=1, latency_steps=2)
    scores = readout.scores(spikes)
    assert scores.shape == (1, 2, 8)
    decided = decide(scores, {"style": (0, 2)})
    np.testing.assert_array_equal(decided["style"], labels[:, :8])
    found = accuracy(decided, {"style": labels})["style"]
    assert (found["correct"], found["steps"], found["clips"], found["accuracy"]) == (8, 8, 1, 1.0)
    # Decisions read two steps early would be of the wrong steps.
    assert (decide(Readout(np.eye(2), 1, 0).scores(spikes), {"style": (0, 2)})["style"] != labels).any()


@pytest.fixture
def noise_spikes():
    return torch.from_numpy((np.random.default_rng(3).random((4, 6, 30)) < 0.3).astype(np.float32))


def test_training_reads_as_the_host_does(noise_spikes):
    torch.manual_seed(0)
    module = StepReadout(6, 2, readout_steps=7, latency_steps=2)
    ours = module.plain().scores(noise_spikes.numpy().astype(np.uint8))
    np.testing.assert_allclose(module(noise_spikes).detach().numpy(), ours, rtol=1e-4, atol=1e-5)
    one = module.plain().scores(noise_spikes.numpy()[1:2])
    # To the bit, whatever is computed with it.
    np.testing.assert_array_equal(one[0], ours[1])


def test_the_gradient_is_that_of_the_filter(noise_spikes):
    module = StepReadout(6, 2, readout_steps=5, latency_steps=1)
    x = noise_spikes.clone().requires_grad_()
    wanted = torch.from_numpy(np.random.default_rng(1).normal(size=(4, 2, 29)).astype(np.float32))
    (module(x) * wanted).sum().backward()
    y = noise_spikes.clone().requires_grad_()
    state, counted = torch.zeros(4, 6), []
    for step in range(30):
        state = (1 - 1 / 5) * state + y[..., step]
        counted.append(state)
    (torch.matmul(module.weight, torch.stack(counted, dim=-1)[..., 1:]) * wanted).sum().backward()
    torch.testing.assert_close(x.grad, y.grad)


def test_another_number_of_neurons():
    with pytest.raises(
        MaestroError, match=r"readout: spikes of shape \(1, 3, 4\) \(expected \(sample, 2 neurons, time"
    ):
        Readout(np.eye(2), 5, 1).scores(np.zeros((1, 3, 4), np.uint8))


def test_the_loss_of_steps_is_the_mean_over_labelled_ones():
    generator = np.random.default_rng(0)
    scores = torch.from_numpy(generator.normal(size=(3, 2, 5)).astype(np.float32))
    labels = torch.from_numpy(generator.integers(-1, 2, (3, 7)))
    config = TrainingConfig(style_weight=1.0)
    found = multi_head_loss(scores, {"style": labels}, {"style": (0, 2)}, config, 0.5)
    told = [
        -torch.log_softmax(scores[sample, :, step] * 0.5, 0)[labels[sample, step]]
        for sample in range(3)
        for step in range(5)
        if labels[sample, step] >= 0
    ]
    torch.testing.assert_close(found, torch.stack(told).mean())


def test_the_interval_of_steps_is_that_of_clips():
    decided = {"style": np.zeros((10, 50), np.int64)}
    labels = {"style": np.zeros((10, 52), np.int64)}
    labels["style"][:5] = 1
    labels["style"][9] = -1
    found = accuracy(decided, labels)["style"]
    assert (found["correct"], found["steps"], found["clips"]) == (200, 450, 9)
    whole = accuracy({"style": np.zeros(9, np.int64)}, {"style": np.array([1] * 5 + [0] * 4)})["style"]
    assert (found["low"], found["high"]) == pytest.approx((whole["low"], whole["high"]))
