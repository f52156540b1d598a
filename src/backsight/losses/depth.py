"""Depth head: scale-aligned, confidence-weighted error of values and of their steps between neighbours."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor
from torch.nn import functional

SMALLEST_DEPTH = 1e-3
"""Floor under predicted depths where their ratio to the truth is taken."""
SAME_SURFACE_RATIO = 1.35
"""A cell whose readings differ as much as two halves with this ratio of depths lies across a depth edge."""


def pool_depth(
    depth_m: Float32[Tensor, "batch frames image_height image_width"], height: int, width: int
) -> tuple[Float32[Tensor, "batch frames height width"], Bool[Tensor, "batch frames height width"]]:
    """Return mean depth of each cell and whether it can serve as truth.

    A cell serves when at least half of its pixels are measured and they belong to one surface (no depth edge inside).

    Args:
        depth_m: Planar depth, 0 = none, of the same field of view as the cells.
        height: Cells down.
        width: Cells across.
    """
    size = (height, width)
    measured = depth_m > 0
    share = functional.adaptive_avg_pool2d(measured.to(depth_m.dtype), size)
    some = share.clamp_min(torch.finfo(depth_m.dtype).eps)
    mean_m = functional.adaptive_avg_pool2d(depth_m, size) / some
    inverse_m = depth_m.reciprocal().masked_fill_(~measured, 0.0)
    # 1 for one depth only; averages, because pooling by minimum and maximum takes three times as long on a CPU.
    unevenness = mean_m * functional.adaptive_avg_pool2d(inverse_m, size) / some
    valid = (share >= 0.5) & (unevenness <= (2.0 + SAME_SURFACE_RATIO + 1.0 / SAME_SURFACE_RATIO) / 4.0)
    return torch.where(valid, mean_m, 0.0), valid


def alignment_scale(
    depth: Float[Tensor, "batch frames height width"],
    truth_m: Float[Tensor, "batch frames height width"],
    valid: Bool[Tensor, "batch frames height width"],
    alignment: Literal["median", "least_squares"] = "median",
) -> Float[Tensor, " batch"]:
    """Return the factor that brings a scene's predicted depths to the truth's scale, without gradient; 1 without truth.

    Args:
        depth: Predicted depths at a scale of their own.
        truth_m: True depths.
        valid: Where the truth counts.
        alignment: Median of ratios, or the factor of least squared error.
    """
    predicted = depth.detach().flatten(1).clamp_min(SMALLEST_DEPTH)
    true_m, counted = truth_m.flatten(1), valid.flatten(1)
    if alignment == "median":
        ratio = torch.where(counted, true_m / predicted, torch.nan)
        scale = ratio.nanmedian(dim=1).values
    else:
        square = (predicted.square() * counted).sum(dim=1)
        scale = (predicted * true_m * counted).sum(dim=1) / square.clamp_min(torch.finfo(depth.dtype).tiny)
    return torch.where(counted.any(dim=1), scale, torch.ones_like(scale))


def depth_unit_loss(
    depth: Float[Tensor, "batch frames height width"],
    truth_m: Float[Tensor, "batch frames height width"],
    valid: Bool[Tensor, "batch frames height width"],
    unit_m: Float[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    """Return how far each scene's depths are from their unit of length: |mean of log(depth unit / truth)|.

    `depth_loss` leaves the unit free; this holds it to that of the camera head's translations, so that both together
    are one geometry. Optimised alone it ends at the set of depths whose geometric mean is right.

    Args:
        depth: Predicted depths, positive.
        truth_m: True depths.
        valid: Where the truth counts; a scene without any gives 0.
        unit_m: Metres that make one unit of predicted depth.
    """
    true_units = torch.where(valid, truth_m, unit_m[:, None, None, None]) / unit_m[:, None, None, None]
    ratio = depth.clamp_min(SMALLEST_DEPTH).log() - true_units.clamp_min(SMALLEST_DEPTH).log()
    counted = valid.to(depth.dtype)
    return ((ratio * counted).sum(dim=(1, 2, 3)) / counted.sum(dim=(1, 2, 3)).clamp_min(1.0)).abs()


def depth_loss(
    depth: Float[Tensor, "batch frames height width"],
    confidence: Float[Tensor, "batch frames height width"] | None,
    truth_m: Float[Tensor, "batch frames height width"],
    valid: Bool[Tensor, "batch frames height width"],
    alignment: Literal["median", "least_squares"] = "median",
    confidence_weight: float = 0.2,
) -> Float[Tensor, "batch frames"]:
    """Return each frame's depth error in units of the scene's mean depth: L1 plus L1 of the steps between neighbours.

    With a confidence c both errors are multiplied by it and `confidence_weight` log c is subtracted: the loss can
    then fall below zero.

    Args:
        depth: Predicted depths, aligned to the truth by one detached factor for each scene.
        confidence: Predicted, positive; None gives every cell weight 1.
        truth_m: True depths at the same resolution (`pool_depth`).
        valid: Where the truth counts; a frame without any gives 0.
        alignment: How the factor is found (`alignment_scale`).
        confidence_weight: Reward for being confident.

    Source: VGGT (arXiv 2503.11651), depth loss; the uncertainty form is that of Kendall and Gal (arXiv 1703.04977).
    """
    counted = valid.to(depth.dtype)
    truth_m = truth_m * counted
    scale = alignment_scale(depth, truth_m, valid, alignment)
    mean_m = truth_m.sum(dim=(1, 2, 3)) / counted.sum(dim=(1, 2, 3)).clamp_min(1.0)
    unit = torch.where(mean_m > 0, mean_m, torch.ones_like(mean_m))[:, None, None, None]
    error = (depth * scale[:, None, None, None] - truth_m) / unit
    weight = torch.ones_like(depth) if confidence is None else confidence
    value = weight * error.abs() - confidence_weight * weight.log()
    loss = (value * counted).sum(dim=(-2, -1)) / counted.sum(dim=(-2, -1)).clamp_min(1.0)
    for axis in (-2, -1):
        length = depth.shape[axis]
        step = error.diff(dim=axis).abs() * weight.narrow(axis, 1, length - 1)
        both = counted.narrow(axis, 1, length - 1) * counted.narrow(axis, 0, length - 1)
        loss = loss + (step * both).sum(dim=(-2, -1)) / both.sum(dim=(-2, -1)).clamp_min(1.0)
    return loss
