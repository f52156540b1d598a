"""Where walls of two directions meet in a picture."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from backsight.records.scene import SceneObject
from backsight.records.vocabulary import BUILDING_CATEGORY

LOOKED_AT_PX = 48
"""Columns of the small depth images that walls are looked for in."""
LEAST_ANGLE_RAD = float(np.radians(20.0))
"""Between two walls."""
UPRIGHT = 0.15
"""Largest vertical part of a wall's unit normal."""
ACROSS = 3
"""Columns between a pixel of one wall and one of the other: the corner and the pixels whose neighbours lie on both
walls are between them."""
MEETING = 0.05
"""Where two walls meet, their planes have the same depth there, up to this share of it."""
CORNER_ROWS = 0.1
"""Walls meet in a frame when they do in this share of its rows."""
FLAT = 0.02
"""Three neighbouring readings are of one plane when the middle one lies on their line, up to this share of it."""


def wall_corner_rows(
    depth_m: Float32[np.ndarray, "frames height width"],
    instance_ids: Int32[np.ndarray, "frames height width"],
    wall_ids: Int64[np.ndarray, " walls"],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
) -> Float64[np.ndarray, " frames"]:
    """Return the share of each frame's rows in which two walls meet at `LEAST_ANGLE_RAD` or more.

    In a row two pixels, `ACROSS` columns apart, show walls (or building that is upright) whose normals, seen from
    above, differ by that angle, and whose planes have one depth half-way between them.

    Args:
        depth_m: Planar depth, finite; 0 = nothing measured.
        instance_ids: Of the same frames.
        wall_ids: Which of the things are walls, or building.
        intrinsics: Of the images, px.
        world_from_camera: Camera pose of every frame.
    """
    _, height, width = depth_m.shape
    stride = max(width // LOOKED_AT_PX, 1)
    rows, columns = np.arange(stride // 2, height, stride), np.arange(stride // 2, width, stride)
    if len(rows) < 3 or len(columns) < ACROSS + 3:
        return np.zeros(len(depth_m))
    depth_m = depth_m[:, rows[:, None], columns]
    ids = instance_ids[:, rows[:, None], columns]
    x, y = np.meshgrid(columns + 0.5, rows + 0.5)
    rays = (np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(intrinsics).T).astype(np.float32)
    points = depth_m[..., None] * rays
    right, down = points[:, 1:-1, 2:] - points[:, 1:-1, :-2], points[:, 2:, 1:-1] - points[:, :-2, 1:-1]
    normal = np.stack(
        [
            right[..., 1] * down[..., 2] - right[..., 2] * down[..., 1],
            right[..., 2] * down[..., 0] - right[..., 0] * down[..., 2],
            right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0],
        ],
        axis=-1,
    )
    normal /= np.maximum(np.sqrt((normal**2).sum(axis=-1, keepdims=True)), 1e-12)
    world = normal @ world_from_camera[:, None, :3, :3].astype(np.float32).swapaxes(-1, -2)
    is_wall = np.isin(ids, wall_ids) & (depth_m > 0.0)
    upright = is_wall[:, 1:-1, 1:-1] & _flat(depth_m) & (np.abs(world[..., 1]) <= UPRIGHT)
    # The depth at which the plane through each pixel meets the ray half-way to the other one.
    inner, rays = points[:, 1:-1, 1:-1], rays[1:-1, 1:-1]
    half_way = (rays[:, :-ACROSS] + rays[:, ACROSS:]) / 2.0
    offset = (normal * inner).sum(axis=-1)
    one_m, other_m = (
        offset[:, :, some] / _away_from_zero((normal[:, :, some] * half_way).sum(axis=-1))
        for some in (slice(None, -ACROSS), slice(ACROSS, None))
    )
    flat_normal = world[..., [0, 2]]
    cosine = (flat_normal[:, :, :-ACROSS] * flat_normal[:, :, ACROSS:]).sum(axis=-1)
    meets = np.abs(one_m - other_m) <= MEETING * np.minimum(one_m, other_m)
    meets &= (cosine <= np.cos(LEAST_ANGLE_RAD)) & upright[:, :, :-ACROSS] & upright[:, :, ACROSS:]
    return meets.any(axis=2).mean(axis=1)


def wall_ids_of(objects: Iterable[SceneObject]) -> Int64[np.ndarray, " walls"]:
    """Return the ids of walls, and of building where nothing tells walls apart.

    Args:
        objects: Of the scene.
    """
    walls = [thing.instance_id for thing in objects if thing.category in ("wall", BUILDING_CATEGORY)]
    return np.array(walls, dtype=np.int64)


def _flat(depth_m: Float32[np.ndarray, "frames height width"]) -> Bool[np.ndarray, "frames inner_height inner_width"]:
    """Whether a reading lies on one plane with its neighbours; on a plane inverse depth is linear in the picture."""
    inverse = np.float32(1.0) / np.where(depth_m > 0.0, depth_m, np.float32(np.inf))
    middle = inverse[:, 1:-1, 1:-1]
    across = np.abs(inverse[:, 1:-1, 2:] + inverse[:, 1:-1, :-2] - 2.0 * middle)
    along = np.abs(inverse[:, 2:, 1:-1] + inverse[:, :-2, 1:-1] - 2.0 * middle)
    return np.maximum(across, along) <= FLAT * middle


def _away_from_zero(values: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
    return np.where(np.abs(values) < 1e-9, np.float32(1e-9), values)
