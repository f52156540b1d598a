"""Pose accuracy: relative poses of frame pairs."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from backsight.geometry.poses import invert_pose, rotation_angle_rad
from backsight.metrics.bearing import LEAST_BASELINE_M, angle_between_deg

LARGEST_ROTATION_DEG = 5.0
LARGEST_DIRECTION_DEG = 10.0


@dataclass(frozen=True)
class PoseErrors:
    """One value for each pair of different frames (first before second)."""

    counted: Bool[np.ndarray, " pairs"]
    """False where both cameras are at one place: their translation has no direction."""
    rotation_deg: Float64[np.ndarray, " pairs"]
    direction_deg: Float64[np.ndarray, " pairs"]

    @property
    def accurate(self) -> Bool[np.ndarray, " pairs"]:
        """Rotation error under 5 degrees and translation direction error under 10 degrees."""
        return (self.rotation_deg < LARGEST_ROTATION_DEG) & (self.direction_deg < LARGEST_DIRECTION_DEG)

    @property
    def accuracy(self) -> float:
        """Share of accurate pairs among the counted ones; NaN without any."""
        return float(self.accurate[self.counted].mean()) if self.counted.any() else float("nan")


def pose_errors(
    world_from_camera: Float64[np.ndarray, "frames 4 4"], true_world_from_camera: Float64[np.ndarray, "frames 4 4"]
) -> PoseErrors:
    """Return the errors of all relative poses; neither the world nor the scale of the prediction matters.

    Args:
        world_from_camera: Predicted poses in any world at any scale.
        true_world_from_camera: True poses, metres.
    """
    first, second = np.triu_indices(len(world_from_camera), k=1)
    predicted = invert_pose(world_from_camera[first]) @ world_from_camera[second]
    true = invert_pose(true_world_from_camera[first]) @ true_world_from_camera[second]
    difference = np.swapaxes(predicted[:, :3, :3], 1, 2) @ true[:, :3, :3]
    return PoseErrors(
        counted=np.linalg.norm(true[:, :3, 3], axis=-1) > LEAST_BASELINE_M,
        rotation_deg=np.degrees(rotation_angle_rad(difference)),
        direction_deg=angle_between_deg(predicted[:, :3, 3], true[:, :3, 3]),
    )
