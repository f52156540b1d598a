"""Cross-frame projection quality: target maps of two views agree after warping, as well as their truths do."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from backsight.metrics.spatial import cc, soft_iou

OVERLAP_EDGES = (0.05, 0.2, 0.5)
"""Bins of overlap: below the first edge, between the edges, from the last edge on."""


@dataclass(frozen=True)
class ProjectionQuality:
    """One value for each ordered pair."""

    counted: Bool[np.ndarray, " pairs"]
    """False where no cell is co-visible or the truths share nothing there; the quality means nothing then."""
    quality: Float64[np.ndarray, " pairs"]
    overlap: Float64[np.ndarray, " pairs"]
    """Share of the cells of view j that view i sees as well."""
    overlap_bin: Int64[np.ndarray, " pairs"]
    """0 below 5 %, 1 to 20 %, 2 to 50 %, 3 above."""


def projection_quality(
    warped: Float[np.ndarray, "pairs height width"],
    predicted: Float[np.ndarray, "pairs height width"],
    warped_truth: Float[np.ndarray, "pairs height width"],
    truth: Float[np.ndarray, "pairs height width"],
    covisible: Bool[np.ndarray, "pairs height width"],
) -> ProjectionQuality:
    """Return soft-IoU of warped map i and map j over that of the truths, capped at 1; 0 where their CC is not positive.

    Args:
        warped: Predicted maps of view i, warped into view j.
        predicted: Predicted maps of view j.
        warped_truth: True maps of view i, warped the same way.
        truth: True maps of view j.
        covisible: Cells of view j that view i sees as well; only these count.
    """
    true_iou = soft_iou(warped_truth, truth, covisible)
    shown = np.where(covisible, np.maximum(warped_truth, truth), 0.0).max(axis=(1, 2)) > 0
    counted = shown & (true_iou > 0)
    ratio = soft_iou(warped, predicted, covisible) / np.where(counted, true_iou, 1.0)
    related = cc(warped, predicted, covisible) > 0
    overlap = covisible.mean(axis=(1, 2))
    return ProjectionQuality(
        counted=counted,
        quality=np.where(related, np.minimum(ratio, 1.0), 0.0),
        overlap=overlap,
        overlap_bin=np.digitize(overlap, OVERLAP_EDGES),
    )
