"""Which pixels show a piece of floor: all of it that lies near a line."""

import numpy as np
from jaxtyping import Bool, Float, Float64

from backsight.geometry.projection import transform_points, unproject

PLACE_HEIGHT_M = 0.12
"""How far above or below the line a surface may lie: the steps of stairs do, what stands on the floor does not."""


def place_mask(
    depth_m: Float[np.ndarray, "height width"],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "4 4"],
    points_m: Float64[np.ndarray, "points 3"],
    radius_m: float,
) -> Bool[np.ndarray, "height width"]:
    """Return which pixels show floor within a radius, seen from above, of a line.

    What stands in the way hides it, since the pixels show something else then.

    Args:
        depth_m: Planar depth, 0 = none.
        intrinsics: Pixels.
        world_from_camera: Camera pose.
        points_m: World points of the line on the floor; a single one is the middle of a disc.
        radius_m: Of the place.
    """
    seen_m = transform_points(world_from_camera, unproject(depth_m, intrinsics))
    starts, ends = points_m, np.concatenate([points_m[1:], points_m[-1:]])
    best = np.full(depth_m.shape, np.inf)
    height_m = np.full(depth_m.shape, np.inf)
    for start, end in zip(starts, ends, strict=True):
        line = (end - start)[[0, 2]]
        offset = seen_m[..., [0, 2]] - start[[0, 2]]
        along = np.clip(offset @ line / max(float(line @ line), 1e-12), 0.0, 1.0)
        distance_m = np.linalg.norm(offset - along[..., None] * line, axis=-1)
        nearer = distance_m < best
        best = np.where(nearer, distance_m, best)
        height_m = np.where(nearer, start[1] + along * (end[1] - start[1]), height_m)
    level = np.abs(seen_m[..., 1] - height_m) <= PLACE_HEIGHT_M
    return (depth_m > 0.0) & (best <= radius_m) & level
