"""Target maps and their presence, answers in words and attention, against truth."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from backsight.losses.projection import balanced_bce, presence_bce, soft_iou_loss

SMALLEST_MASS = 1e-9
"""Attention below this counts as this."""


@dataclass(frozen=True)
class TargetLosses:
    """Unreduced terms of the target maps."""

    bce: Float[Tensor, "*maps"]
    """Counts on every map of a real instruction."""
    iou: Float[Tensor, "*maps"]
    """Counts where the target is present."""
    presence: Float[Tensor, "*maps"]
    """Counts on every map of a real instruction."""


def target_losses(
    logits: Float[Tensor, "*maps height width"],
    presence_logits: Float[Tensor, "*maps"],
    truth: Float[Tensor, "*maps height width"],
    valid: Bool[Tensor, "*maps height width"],
    present: Bool[Tensor, "*maps"],
    balance: float = 1.0,
) -> TargetLosses:
    """Return balanced BCE, 1 - soft-IoU and presence BCE of each target map.

    Args:
        logits: Of the target maps, usually one for each sample, instruction and keyframe.
        presence_logits: Of the probability that the view shows the target.
        truth: Map values in [0, 1].
        valid: Cells that count.
        present: Whether the view shows the target.
        balance: 0 is plain BCE, 1 balances positive and negative cells fully.
    """
    return TargetLosses(
        bce=balanced_bce(logits, truth, valid, balance),
        iou=soft_iou_loss(logits, truth, valid),
        presence=presence_bce(presence_logits, present),
    )


def answer_cross_entropy(
    log_probability: Float[Tensor, "*answers tokens"], counted: Bool[Tensor, "*answers tokens"]
) -> Float[Tensor, "*answers"]:
    """Return the mean of -log p over the tokens of each answer, its end token among them; 0 for one without a token.

    Zero exactly where the model is sure of every token. A model that knows nothing is at log(vocabulary).

    Args:
        log_probability: Of each true token, given the true ones before it.
        counted: Which are tokens of the answer; the others are padding.
    """
    return -(log_probability * counted).sum(-1) / counted.sum(-1).clamp_min(1)


def pooled_map(maps: Float[Tensor, "*maps height width"], rows: int, columns: int) -> Float[Tensor, "*maps tokens"]:
    """Return the mean of a map over the cells of each image token, row by row.

    Args:
        maps: Of a view.
        rows: Of the image-token grid.
        columns: Of the image-token grid.
    """
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    return functional.adaptive_avg_pool2d(flat, (rows, columns)).reshape(*maps.shape[:-2], rows * columns)


def attention_alignment_loss(
    attention: Float[Tensor, "*maps tokens"], truth: Float[Tensor, "*maps height width"], rows: int
) -> Float[Tensor, "*maps"]:
    """Return KL(q || p) in nats: q the truth map pooled to the image tokens, p the `<heat>` token's attention to them.

    Both are normalised over the image tokens of the `<heat>` token's own view, so that what it attends to elsewhere
    costs nothing. p is the mean over heads and over the aligned layers. Zero exactly at p = q; an even p has
    log(tokens) minus the entropy of q. Only views that show the target have a q; others give 0.

    Args:
        attention: To the image tokens of the own view, row by row; not negative.
        truth: Target map of that view.
        rows: Of the image-token grid.
    """
    pooled = pooled_map(truth, rows, attention.shape[-1] // rows)
    truth_share = pooled / pooled.sum(-1, keepdim=True).clamp_min(SMALLEST_MASS)
    share = attention / attention.sum(-1, keepdim=True).clamp_min(SMALLEST_MASS)
    return (torch.xlogy(truth_share, truth_share) - truth_share * share.clamp_min(SMALLEST_MASS).log()).sum(-1)
