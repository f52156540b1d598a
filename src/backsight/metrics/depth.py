"""Depth consistency: relative depth error after bringing a sequence's depths to the true scale."""

import numpy as np
from jaxtyping import Float, Float64, Int64

LARGEST_RELATIVE_ERROR = 0.1


def depth_consistency(
    depth: Float[np.ndarray, "frames height width"], true_depth_m: Float[np.ndarray, "frames height width"]
) -> tuple[Float64[np.ndarray, " frames"], Int64[np.ndarray, " frames"]]:
    """Return each frame's share of valid pixels with a relative error under 10 %, and how many are valid.

    One factor, the median of true over predicted depth, aligns all frames together. A prediction that is not
    positive is wrong.

    Args:
        depth: Predicted planar depth of one sequence at a scale of its own.
        true_depth_m: True depth, 0 = none; those pixels are left out. A frame without any has share 0.
    """
    predicted, true_m = depth.astype(np.float64), true_depth_m.astype(np.float64)
    valid = true_m > 0
    usable = valid & (predicted > 0)
    scale = float(np.median(true_m[usable] / predicted[usable])) if usable.any() else 1.0
    right = usable & (np.abs(scale * predicted - true_m) < LARGEST_RELATIVE_ERROR * true_m)
    count = valid.sum(axis=(1, 2))
    return right.sum(axis=(1, 2)) / np.maximum(count, 1), count
