"""The training loss: what the heads owe."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int64
from torch.nn import functional

from train.config import TrainingConfig
from train.metrics import HeadSlices


def multi_head_loss(
    scores: Float[torch.Tensor, "sample neuron"],
    labels: Mapping[str, Int64[torch.Tensor, "sample"]],
    heads: HeadSlices,
    config: TrainingConfig,
    scale: float,
) -> Float[torch.Tensor, ""]:
    """Weighted sum of the heads' cross-entropies; clips without a label for a head do not count there.

    Parameters
    ----------
    scores
        Spike counts or logits, shape (sample, neuron).
    labels
        For each head class numbers, shape (sample,), -1 where unlabelled.
    heads
        First and one-past-last neuron of each head.
    config
        Gives each head's weight and the label smoothing (Szegedy et al. 2016, eq. 7).
    scale
        Makes logits of the scores.

    Returns
    -------
    torch.Tensor
        The loss, a scalar; 0 where nothing is labelled.
    """
    total = scores.sum() * 0.0
    for head, (start, stop) in heads.items():
        labelled = labels[head] >= 0
        if config.head_weight(head) == 0 or not bool(labelled.any()):
            continue
        total = total + config.head_weight(head) * functional.cross_entropy(
            scores[labelled, start:stop] * scale, labels[head][labelled], label_smoothing=config.label_smoothing
        )
    return total
