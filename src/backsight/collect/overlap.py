"""How much of each frame every other frame shows too."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64, Int32, Int64
from scipy.constants import golden

from backsight.geometry.covisibility import ABSOLUTE_TOLERANCE_M, RELATIVE_TOLERANCE, SLOPE_TOLERANCE_PX
from backsight.geometry.poses import invert_pose
from backsight.geometry.projection import SAME_SURFACE_RATIO, look_up_inverse_bilinear
from backsight.records.sequence import ObjectMotion

COLUMNS, ROWS = 32, 24
"""Pixels of each frame that are asked for."""


def covisible_percent(
    depth_m: Float[np.ndarray, "frames height width"],
    instance_ids: Int32[np.ndarray, "frames height width"],
    motions: Sequence[ObjectMotion],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
) -> tuple[tuple[int, ...], ...]:
    """Return for each frame i and frame j the share of i's measured surface that j shows too, in whole per cent.

    Co-visible is what `geometry.covisibility.covisibility_labels` calls so, asked of `COLUMNS` x `ROWS` pixels of
    frame i and of frame j's whole depth image. Things that move are carried along: a point on one is looked for where
    the thing is in frame j. A frame without any reading shares nothing, and everything with itself.

    Args:
        depth_m: Planar depth; 0 = nothing measured.
        instance_ids: Of the same frames.
        motions: Of the things that move.
        intrinsics: Of the images, px.
        world_from_camera: Camera pose of every frame.
    """
    frames = len(depth_m)
    points, frame, number = _measured_points(depth_m, instance_ids, intrinsics, world_from_camera)
    carried = [_in_box_axes(motion, points, frame, number) for motion in motions]
    measured = np.maximum(np.bincount(frame, minlength=frames), 1)
    share = np.zeros((frames, frames))
    for other, pose in enumerate(world_from_camera):
        there = points
        if carried:
            there = points.copy()
            for motion, (moved, local) in zip(motions, carried, strict=True):
                there[moved] = local @ _turn(motion.yaws_rad[other]).T + np.array(motion.centres_m[other])
        seen = _seen(there, depth_m[other], intrinsics, invert_pose(pose))
        share[:, other] = np.bincount(frame[seen], minlength=frames) / measured
    np.fill_diagonal(share, 1.0)
    return tuple(tuple(row) for row in np.rint(100.0 * share).astype(int).tolist())


def _measured_points(
    depth_m: Float[np.ndarray, "frames height width"],
    instance_ids: Int32[np.ndarray, "frames height width"],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
) -> tuple[Float64[np.ndarray, "points 3"], Int64[np.ndarray, " points"], Int32[np.ndarray, " points"]]:
    """Return world points, their frames and their instance ids."""
    _, height, width = depth_m.shape
    row, column = _spread_pixels(height, width)
    rays = np.stack([column + 0.5, row + 0.5, np.ones(len(row))], axis=-1) @ np.linalg.inv(intrinsics).T
    reading = depth_m[:, row, column].astype(np.float64)
    points = reading[..., None] * rays
    points = points @ world_from_camera[:, :3, :3].swapaxes(-1, -2) + world_from_camera[:, None, :3, 3]
    frame, pixel = np.nonzero(reading > 0.0)
    return points[frame, pixel], frame, instance_ids[:, row, column][frame, pixel]


def _spread_pixels(height: int, width: int) -> tuple[Int64[np.ndarray, " pixels"], Int64[np.ndarray, " pixels"]]:
    """Return rows and columns of `ROWS` x `COLUMNS` pixels of an image, spread evenly and not in line.

    Edges of walls and furniture go along the image's sides. A plain grid would have them gain or lose a whole line of
    points at once; here each line is shifted against the next by the golden section, as in a rank-1 lattice
    (Niederreiter, Random Number Generation and Quasi-Monte Carlo Methods, 1992, chapter 5).
    """
    row, column = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    y = (row + (column * golden) % 1.0) / ROWS
    x = (column + (row * golden) % 1.0) / COLUMNS
    return (y * height).astype(np.int64), (x * width).astype(np.int64)


def _turn(yaw_rad: float) -> Float64[np.ndarray, "3 3"]:
    """Return world_from_box of an upright box, without its shift."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


def _in_box_axes(
    motion: ObjectMotion,
    points_m: Float64[np.ndarray, "points 3"],
    frame: Int64[np.ndarray, " points"],
    number: Int32[np.ndarray, " points"],
) -> tuple[Int64[np.ndarray, " moved"], Float64[np.ndarray, "moved 3"]]:
    """Return which points lie on a thing that moves, and where in its box."""
    moved = np.flatnonzero(number == motion.instance_id)
    turns = np.array([_turn(yaw_rad) for yaw_rad in motion.yaws_rad])
    offset = points_m[moved] - np.array(motion.centres_m)[frame[moved]]
    return moved, np.einsum("pba,pb->pa", turns[frame[moved]], offset)


def _seen(
    points_m: Float64[np.ndarray, "points 3"],
    depth_m: Float[np.ndarray, "height width"],
    intrinsics: Float64[np.ndarray, "3 3"],
    camera_from_world: Float64[np.ndarray, "4 4"],
) -> Int64[np.ndarray, " seen"]:
    """Return which world points a depth image shows."""
    height, width = depth_m.shape
    # Whole rows are taken by `take`, which is several times faster than indexing.
    z_m = points_m @ camera_from_world[2, :3] + camera_from_world[2, 3]
    ahead = np.flatnonzero(z_m > 0.0)
    z_m = z_m.take(ahead)
    x, y = camera_from_world[:2, :3] @ points_m.take(ahead, axis=0).T + camera_from_world[:2, 3:]
    u = intrinsics[0, 0] * x / z_m + intrinsics[0, 2]
    v = intrinsics[1, 1] * y / z_m + intrinsics[1, 2]
    inside = np.flatnonzero((u >= 0.0) & (u < width) & (v >= 0.0) & (v < height))
    kept, z_m, u, v = (values.take(inside) for values in (ahead, z_m, u, v))
    row, column = v.astype(np.int64), u.astype(np.int64)
    reading = depth_m.ravel().take(row * width + column)
    tolerance_m = np.maximum(ABSOLUTE_TOLERANCE_M, RELATIVE_TOLERANCE * z_m)
    away_m = np.abs(z_m - reading)
    agrees = (away_m <= tolerance_m) & (reading > 0.0)
    # The slope and the interpolated reading can only help where the nearest reading alone does not agree, and where it
    # is of about that depth: neighbours that count as one surface with it differ by `SAME_SURFACE_RATIO` at most.
    most_m = tolerance_m + max(SLOPE_TOLERANCE_PX, 1.0) * (SAME_SURFACE_RATIO - 1.0) * reading
    rest = np.flatnonzero(~agrees & (reading > 0.0) & (away_m <= most_m + 1e-6))
    plain_m, z_rest_m = tolerance_m.take(rest), z_m.take(rest)
    slope_m = _slope_at(depth_m, row.take(rest), column.take(rest))
    between_m, _ = look_up_inverse_bilinear(depth_m, np.stack([u.take(rest), v.take(rest)], axis=-1))
    tolerance_m = plain_m + SLOPE_TOLERANCE_PX * slope_m
    agrees[rest] = away_m.take(rest) <= tolerance_m
    agrees[rest] |= (between_m > 0.0) & (np.abs(z_rest_m - between_m) <= tolerance_m)
    return kept[agrees]


def _slope_at(
    depth_m: Float[np.ndarray, "height width"], row: Int64[np.ndarray, " points"], column: Int64[np.ndarray, " points"]
) -> Float[np.ndarray, " points"]:
    """Return `covisibility.depth_slope` at some pixels."""
    height, width = depth_m.shape
    here = depth_m[row, column]
    slope = np.zeros_like(here)
    for down, right in ((1, 0), (0, 1)):
        smaller = np.full_like(here, np.inf)
        for side in (-1, 1):
            beside_row, beside_column = row + side * down, column + side * right
            exists = _within(beside_row, height) & _within(beside_column, width)
            beside = depth_m[np.where(exists, beside_row, 0), np.where(exists, beside_column, 0)]
            nearer, farther = np.minimum(here, beside), np.maximum(here, beside)
            together = exists & (nearer > 0.0) & (farther <= SAME_SURFACE_RATIO * nearer)
            smaller = np.where(together, np.minimum(smaller, farther - nearer), smaller)
        slope = np.maximum(slope, np.where(np.isfinite(smaller), smaller, 0.0))
    return slope


def _within(index: Int64[np.ndarray, " points"], size: int) -> Bool[np.ndarray, " points"]:
    return (index >= 0) & (index < size)
