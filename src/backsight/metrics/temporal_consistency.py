"""Whether maps stay with the surfaces while the current view moves on."""

import numpy as np
from jaxtyping import Bool, Float, Float64

LEAST_SHUFFLED_ERROR = 1e-6
"""Maps that differ less than this even when shuffled say nothing; their consistency is 0."""


def temporal_errors(
    warped: Float[np.ndarray, "maps height width"],
    current: Float[np.ndarray, "maps height width"],
    covisible: Bool[np.ndarray, "height width"],
) -> tuple[Float64[np.ndarray, " maps"], Float64[np.ndarray, " maps"]]:
    """Return each map's mean squared difference after warping, and the same with the maps shuffled.

    Shuffled: against the warped maps of all other history frames (or instructions) of the same step from t to t + 1,
    in the mean.

    Args:
        warped: Maps over view t, warped into view t + 1.
        current: Maps over view t + 1, in the same order.
        covisible: Cells of view t + 1 whose surface view t sees as well.

    Raises:
        ValueError: Fewer than two maps, which cannot be shuffled, or no co-visible cell.
    """
    maps = len(warped)
    if maps < 2:
        raise ValueError(f"shuffling needs at least two maps, got {maps}")
    if not covisible.any():
        raise ValueError("no co-visible cell")
    before = warped[:, covisible].astype(np.float64)
    after = current[:, covisible].astype(np.float64)
    squares = (after**2).mean(axis=1)[:, None] + (before**2).mean(axis=1)[None]
    # Expanded square of the difference of every pair; rounding may leave it a hair below zero.
    error = np.maximum(squares - 2.0 * (after @ before.T) / before.shape[1], 0.0)
    others = (error.sum(axis=1) - np.diagonal(error)) / (maps - 1)
    return ((after - before) ** 2).mean(axis=1), others


def temporal_consistency(
    error: Float64[np.ndarray, "*items"], shuffled_error: Float64[np.ndarray, "*items"]
) -> Float64[np.ndarray, "*items"]:
    """Return 1 - E(P) / E(shuffled), 0 where the latter is under `LEAST_SHUFFLED_ERROR`.

    Args:
        error: First result of `temporal_errors`, or means of it.
        shuffled_error: Second result, or means of it over the same maps.
    """
    says_something = shuffled_error >= LEAST_SHUFFLED_ERROR
    return np.where(says_something, 1.0 - error / np.where(says_something, shuffled_error, 1.0), 0.0)
