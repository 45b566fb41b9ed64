"""The training loss: what the heads owe."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int64
from torch.nn import functional

from train.config import TrainingConfig
from train.metrics import HeadSlices


def multi_head_loss(
    scores: Float[torch.Tensor, "sample neuron *step"],
    labels: Mapping[str, Int64[torch.Tensor, "sample *_step"]],
    heads: HeadSlices,
    config: TrainingConfig,
    scale: float,
) -> Float[torch.Tensor, ""]:
    """Weighted sum of the heads' cross-entropies; clips without a label for a head do not count there.

    Parameters
    ----------
    scores
        Spike counts or logits, shape (sample, neuron); or those of every step, (sample, neuron, step).
    labels
        For each head class numbers, shape (sample,), -1 where unlabelled; or (sample, step), of which those after the
        last step with scores do not count.
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
    by_neuron = scores.movedim(1, -1)
    for head, (start, stop) in heads.items():
        wanted = labels[head][:, : scores.shape[-1]] if scores.dim() == 3 else labels[head]
        labelled = wanted >= 0
        if config.head_weight(head) == 0 or not bool(labelled.any()):
            continue
        total = total + config.head_weight(head) * functional.cross_entropy(
            by_neuron[..., start:stop][labelled] * scale, wanted[labelled], label_smoothing=config.label_smoothing
        )
    return total
