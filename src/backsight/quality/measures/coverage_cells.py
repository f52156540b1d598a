"""Which cells of the surfaces of rooms are seen."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64, Int64

from backsight.geometry.cameras import pixel_centres
from backsight.records.scene import Room
from backsight.records.sequence import COVERAGE_CELL_M

READ_ROWS = 36
"""Of larger pictures, every so many rows and columns are read that about this many rows are left."""
MARGIN_M = 0.05
"""Walls, floors and ceilings lie on the bounds of rooms."""
TOWARDS_CAMERA_M = 0.02
"""Points are read so much nearer: a wall that lies on the border of two layers of cells is counted in one."""
OUTSIDE = -1


def cell_keys(
    depth_m: Float32[np.ndarray, "views height width"],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "views 4 4"],
    rooms: Sequence[Room],
) -> Int64[np.ndarray, "views points"]:
    """Return the cell of each point that views show: a cube of `COVERAGE_CELL_M`, aligned with the world.

    Args:
        depth_m: Planar depth of each view; 0 = nothing measured.
        intrinsics: Of the views, px.
        world_from_camera: Pose of each view.
        rooms: Points outside of these have no cell: `OUTSIDE`.
    """
    views, height, width = depth_m.shape
    stride = max(round(height / READ_ROWS), 1)
    pixels = pixel_centres(width, height)[stride // 2 :: stride, stride // 2 :: stride].reshape(-1, 2)
    depth = depth_m[:, stride // 2 :: stride, stride // 2 :: stride].reshape(views, -1)
    rays = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1) @ np.linalg.inv(intrinsics).T
    in_world = (rays @ world_from_camera[:, :3, :3].swapaxes(1, 2)).astype(np.float32)
    read_m = np.maximum(depth - np.float32(TOWARDS_CAMERA_M), 0.0)
    low, high = _bounds_m(rooms)
    corner_m = low.min(axis=0)
    # Every axis by itself: long rows are worked through faster than triples.
    points = [
        in_world[:, :, axis] * read_m + np.float32(1.0) * world_from_camera[:, axis, 3].astype(np.float32)[:, None]
        for axis in range(3)
    ]
    inside = np.zeros(depth.shape, dtype=bool)
    for room_low, room_high in zip(low, high, strict=True):
        within = depth > 0.0
        for axis in range(3):
            within &= (points[axis] >= room_low[axis]) & (points[axis] <= room_high[axis])
        inside |= within
    first = np.floor(corner_m / COVERAGE_CELL_M)
    sizes = (np.floor(high.max(axis=0) / COVERAGE_CELL_M) - first + 1).astype(np.int64)
    indices = [
        np.clip(np.floor(points[axis] * np.float32(1.0 / COVERAGE_CELL_M)) - first[axis], 0, sizes[axis] - 1)
        for axis in range(3)
    ]
    keys = ((indices[0] * sizes[1] + indices[1]) * sizes[2] + indices[2]).astype(np.int64)
    return np.where(inside, keys, OUTSIDE)


def seen_cells(keys: Int64[np.ndarray, "views points"]) -> Int64[np.ndarray, " cells"]:
    """Return the different cells among points, rising.

    Args:
        keys: As `cell_keys` returns them.
    """
    seen = np.zeros(int(keys.max(initial=0)) + 2, dtype=bool)
    seen[keys.ravel() + 1] = True
    return np.flatnonzero(seen[1:])


def _bounds_m(rooms: Sequence[Room]) -> tuple[Float64[np.ndarray, "rooms 3"], Float64[np.ndarray, "rooms 3"]]:
    """Return the lowest and the highest corner of rooms, with their walls."""
    low = np.array([[room.bounds_m[0], room.floor_m, room.bounds_m[1]] for room in rooms]) - MARGIN_M
    high = np.array([[room.bounds_m[2], room.floor_m + room.height_m, room.bounds_m[3]] for room in rooms]) + MARGIN_M
    return low, high
