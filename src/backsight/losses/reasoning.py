"""Target maps and their presence against truth."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from backsight.losses.projection import balanced_bce, presence_bce, soft_iou_loss


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
