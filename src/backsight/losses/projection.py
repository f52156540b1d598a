"""Footprint maps, their presence and their bearing against the projected truth."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

SMALLEST_DISTANCE_M = 0.05
"""Nearer cameras count as this far away where the logarithm of the distance is compared."""


def balanced_cell_weights(
    truth: Float[Tensor, "*maps height width"], valid: Bool[Tensor, "*maps height width"], balance: float = 1.0
) -> Float[Tensor, "*maps height width"]:
    """Return cell weights that sum to 1 over the valid cells of each map.

    At full strength positive and negative cells carry the same total, a soft cell counting on both sides; a side
    that holds less than one cell counts for that much less, so a map without positives is weighted evenly and
    nothing jumps.

    Args:
        truth: Map values in [0, 1].
        valid: Cells that count.
        balance: 0 weights all valid cells alike, 1 gives both sides the same total.
    """
    counted = valid.to(truth.dtype)
    positive, negative = truth * counted, (1.0 - truth) * counted
    positive_cells = positive.sum(dim=(-2, -1), keepdim=True)
    negative_cells = negative.sum(dim=(-2, -1), keepdim=True)
    balanced = positive / positive_cells.clamp_min(1.0) + negative / negative_cells.clamp_min(1.0)
    sides = positive_cells.clamp_max(1.0) + negative_cells.clamp_max(1.0)
    cells = (positive_cells + negative_cells).clamp_min(1.0)
    return balance * balanced / sides.clamp_min(torch.finfo(truth.dtype).eps) + (1.0 - balance) * counted / cells


def bernoulli_divergence(logits: Float[Tensor, "*shape"], truth: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return binary cross-entropy minus the soft truth's own entropy: zero where the probability equals the truth.

    Args:
        logits: Of the predicted probability.
        truth: Probability in [0, 1].
    """
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return cross_entropy + torch.xlogy(truth, truth) + torch.xlogy(1.0 - truth, 1.0 - truth)


def balanced_bce(
    logits: Float[Tensor, "*maps height width"],
    truth: Float[Tensor, "*maps height width"],
    valid: Bool[Tensor, "*maps height width"],
    balance: float = 1.0,
) -> Float[Tensor, "*maps"]:
    """Return each map's balanced binary cross-entropy less the truth's entropy; an absent map is one without positives.

    The weights multiply whole cells, so the least value, zero, is at probability = truth also where the truth is
    soft: optimised alone it ends at the truth.

    Args:
        logits: Of the predicted maps.
        truth: Map values in [0, 1].
        valid: Cells that count; a map without any gives 0.
        balance: 0 is plain BCE, 1 balances positive and negative cells fully (`balanced_cell_weights`).
    """
    weights = balanced_cell_weights(truth, valid, balance)
    return (weights * bernoulli_divergence(logits, truth)).sum(dim=(-2, -1))


def soft_iou_loss(
    logits: Float[Tensor, "*maps height width"],
    truth: Float[Tensor, "*maps height width"],
    valid: Bool[Tensor, "*maps height width"],
) -> Float[Tensor, "*maps"]:
    """Return 1 - sum of minima / sum of maxima of each map; means something only where the query is present.

    Optimised alone it ends at the truth.

    Args:
        logits: Of the predicted maps.
        truth: Map values in [0, 1].
        valid: Cells that count; a map without any gives 0.
    """
    probability = torch.sigmoid(logits)
    counted = valid.to(truth.dtype)
    shared = (torch.minimum(probability, truth) * counted).sum(dim=(-2, -1))
    covered = (torch.maximum(probability, truth) * counted).sum(dim=(-2, -1))
    return (1.0 - shared / covered.clamp_min(1e-6)) * valid.any(dim=-1).any(dim=-1)


def presence_bce(logits: Float[Tensor, "*maps"], present: Bool[Tensor, "*maps"]) -> Float[Tensor, "*maps"]:
    """Return the binary cross-entropy of each map's presence (a hard truth has no entropy to subtract).

    Args:
        logits: Of the probability that the query lies in the view.
        present: Whether it does.
    """
    return functional.binary_cross_entropy_with_logits(logits, present.to(logits.dtype), reduction="none")


def bearing_loss(bearing: Float[Tensor, "*maps 3"], truth: Float[Tensor, "*maps 3"]) -> Float[Tensor, "*maps"]:
    """Return 1 - cosine between predicted and true direction to each history frame's camera.

    Args:
        bearing: Predicted direction in the camera frame of the current view, any length.
        truth: Unit vector in the same frame.
    """
    # The floor under the length keeps the gradient bounded when a direction collapses.
    unit = bearing / torch.sqrt(bearing.square().sum(dim=-1, keepdim=True) + 1e-6)
    return 1.0 - (unit * truth).sum(dim=-1)


def log_distance_loss(
    log_distance: Float[Tensor, "*maps"], truth_distance_m: Float[Tensor, "*maps"]
) -> Float[Tensor, "*maps"]:
    """Return |log distance - log true distance| to each history frame's camera.

    Args:
        log_distance: Natural logarithm of the predicted distance in metres.
        truth_distance_m: True distance; shorter ones count as `SMALLEST_DISTANCE_M`.
    """
    return (log_distance - truth_distance_m.clamp_min(SMALLEST_DISTANCE_M).log()).abs()
