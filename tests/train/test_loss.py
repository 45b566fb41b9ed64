import pytest
import torch

from train.config import TrainingConfig
from train.loss import multi_head_loss

HEADS = {"title": (0, 3), "style": (3, 5), "emotion": (5, 7)}


def labels(title, style, emotion):
    return {"title": torch.tensor(title), "style": torch.tensor(style), "emotion": torch.tensor(emotion)}


def test_equals_the_weighted_sum_of_cross_entropies():
    torch.manual_seed(0)
    scores = torch.randn(4, 7)
    given = labels([0, 1, 2, 0], [0, 1, 1, 0], [1, 1, 0, 0])
    config = TrainingConfig(title_weight=1.0, style_weight=0.5, emotion_weight=0.25)
    entropy = torch.nn.functional.cross_entropy
    expected = (
        entropy(2 * scores[:, :3], given["title"])
        + 0.5 * entropy(2 * scores[:, 3:5], given["style"])
        + 0.25 * entropy(2 * scores[:, 5:], given["emotion"])
    )
    assert multi_head_loss(scores, given, HEADS, config, 2.0).item() == pytest.approx(expected.item(), rel=1e-6)


def test_unlabelled_clips_give_no_loss_and_no_gradient():
    scores = torch.randn(2, 7, requires_grad=True)
    loss = multi_head_loss(scores, labels([0, -1], [-1, -1], [-1, 1]), HEADS, TrainingConfig(), 1.0)
    loss.backward()
    assert torch.all(scores.grad[1, :3] == 0)
    assert torch.all(scores.grad[:, 3:5] == 0)
    assert torch.all(scores.grad[0, 5:] == 0)
    assert torch.all(scores.grad[0, :3] != 0)


def test_nothing_labelled_is_zero_and_still_differentiable():
    scores = torch.randn(2, 7, requires_grad=True)
    loss = multi_head_loss(scores, labels([-1, -1], [-1, -1], [-1, -1]), HEADS, TrainingConfig(), 1.0)
    loss.backward()
    assert loss.item() == 0
