"""Which points of the floor the frames of a walk have seen."""

import numpy as np
from jaxtyping import Bool, Float32, Float64

from backsight.geometry.poses import invert_pose

DEPTH_TOLERANCE_M, DEPTH_TOLERANCE_SHARE = 0.05, 0.03
"""A point is seen where the measured depth is its own to within the larger of the two."""
LEAST_AHEAD_M = 0.1


def points_seen(
    points_m: Float64[np.ndarray, "points 3"],
    depth_m: Float32[np.ndarray, "frames height width"],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
) -> Bool[np.ndarray, "frames points"]:
    """Return which points each frame shows: inside the picture, and nothing before them.

    Args:
        points_m: World frame.
        depth_m: Planar depth of the frames; 0 shows nothing.
        intrinsics: In pixels of the depth images.
        world_from_camera: Of the frames.
    """
    height, width = depth_m.shape[1:]
    camera_from_world = invert_pose(world_from_camera)
    local = points_m @ np.swapaxes(camera_from_world[:, :3, :3], 1, 2) + camera_from_world[:, None, :3, 3]
    ahead = local[..., 2]
    safe = np.maximum(ahead, LEAST_AHEAD_M)
    column = np.floor(intrinsics[0, 0] * local[..., 0] / safe + intrinsics[0, 2]).astype(np.int64)
    row = np.floor(intrinsics[1, 1] * local[..., 1] / safe + intrinsics[1, 2]).astype(np.int64)
    inside = (ahead >= LEAST_AHEAD_M) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    frame = np.arange(len(depth_m))[:, None]
    measured = depth_m[frame, np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    tolerance_m = np.maximum(DEPTH_TOLERANCE_M, DEPTH_TOLERANCE_SHARE * ahead)
    return inside & (measured > 0.0) & (np.abs(measured - ahead) <= tolerance_m)


def disc_points(centre_m: Float64[np.ndarray, "3"], radius_m: float) -> Float64[np.ndarray, "9 3"]:
    """Return the middle of a level disc and eight points half-way to its rim.

    Args:
        centre_m: World frame.
        radius_m: Of the disc.
    """
    angle = np.arange(8) * np.pi / 4
    ring = np.stack([np.cos(angle), np.zeros(8), np.sin(angle)], axis=1) * radius_m / 2
    return np.concatenate([np.zeros((1, 3)), ring]) + centre_m
