"""Where the history frames' cameras are: angle and distance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

LEAST_BASELINE_M = 0.01
"""A camera nearer than this has no bearing and is left out."""


@dataclass(frozen=True)
class BearingErrors:
    """One value for each history frame."""

    counted: Bool[np.ndarray, " history"]
    """False where the cameras are at one place; the errors mean nothing there."""
    angle_deg: Float64[np.ndarray, " history"]
    within_15_deg: Bool[np.ndarray, " history"]
    relative_distance: Float64[np.ndarray, " history"]
    """|predicted - true distance| / true distance."""

    @property
    def median_angle_deg(self) -> float:
        """Median over the counted frames; NaN without any."""
        return float(np.median(self.angle_deg[self.counted])) if self.counted.any() else float("nan")


def bearing_errors(
    bearing: Float[np.ndarray, "history 3"],
    distance_m: Float[np.ndarray, " history"],
    true_bearing: Float[np.ndarray, "history 3"],
    true_distance_m: Float[np.ndarray, " history"],
) -> BearingErrors:
    """Return the errors of directions and distances.

    Args:
        bearing: Predicted directions, of any length; a zero vector is 90 degrees off.
        distance_m: Predicted distances.
        true_bearing: True directions, of any length but zero.
        true_distance_m: True distances.
    """
    angle_deg = angle_between_deg(bearing, true_bearing)
    counted = true_distance_m > LEAST_BASELINE_M
    true_m = np.where(counted, true_distance_m.astype(np.float64), 1.0)
    return BearingErrors(
        counted=counted,
        angle_deg=angle_deg,
        within_15_deg=angle_deg <= 15.0,
        relative_distance=np.abs(distance_m.astype(np.float64) - true_m) / true_m,
    )


def angle_between_deg(
    first: Float[np.ndarray, "*vectors 3"], second: Float[np.ndarray, "*vectors 3"]
) -> Float64[np.ndarray, "*vectors"]:
    """Return the angle between vectors of any length, exact for small angles too; 90 where one is zero.

    Args:
        first: Vectors.
        second: Vectors.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    along = (a * b).sum(axis=-1)
    zero = (a == 0).all(axis=-1) | (b == 0).all(axis=-1)
    return np.where(zero, 90.0, np.degrees(np.arctan2(across, along)))
