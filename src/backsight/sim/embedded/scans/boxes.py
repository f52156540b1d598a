"""Upright boxes round things, and what stands on what."""

import math

import numpy as np
from jaxtyping import Float64
from scipy.spatial import ConvexHull, QhullError

from backsight.records.scene import OrientedBox

LEAST_SIDE_M = 0.002
"""Flat things get boxes this thick."""
_SNUGGER = 0.97
"""A turned box must be this much smaller than the one along the axes."""
_TOUCH_M = 0.04


def upright_box(points_m: Float64[np.ndarray, "points 3"]) -> OrientedBox:
    """Return the smallest box that stands upright round points; along the axes where turning gains little.

    Args:
        points_m: World frame.
    """
    plan, yaws = _outline(points_m[:, [0, 2]])
    low_y, high_y = float(points_m[:, 1].min()), float(points_m[:, 1].max())
    best = _extent(plan, 0.0)
    for yaw in yaws:
        tried = _extent(plan, yaw)
        if tried[1][0] * tried[1][1] < _SNUGGER * best[1][0] * best[1][1]:
            best = tried
    (x, z), (width, depth), yaw = best
    centre = (x, (low_y + high_y) / 2, z)
    size = (max(width, LEAST_SIDE_M), max(high_y - low_y, LEAST_SIDE_M), max(depth, LEAST_SIDE_M))
    return OrientedBox(centre, size, yaw)


def _outline(plan: Float64[np.ndarray, "points 2"]) -> tuple[Float64[np.ndarray, "corners 2"], list[float]]:
    """Return the corners of the convex outline, and its edges' directions within a quarter turn.

    The smallest rectangle round a convex outline has one of them.
    """
    try:
        outline = plan[ConvexHull(plan).vertices]
    except QhullError:
        # All points on one line: its ends are enough.
        along = plan @ (plan[int(np.argmax(((plan - plan[0]) ** 2).sum(axis=1)))] - plan[0])
        outline = plan[[int(np.argmin(along)), int(np.argmax(along))]]
    edges = np.roll(outline, -1, axis=0) - outline
    # A turn of +yaw about +y carries +x towards -z.
    yaws = np.arctan2(-edges[:, 1], edges[:, 0]) % (math.pi / 2)
    return outline, np.unique(np.round(yaws, 6)).tolist()


def _extent(
    plan: Float64[np.ndarray, "corners 2"], yaw: float
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Return centre (x, z), sides and yaw of the box at an angle."""
    cosine, sine = math.cos(yaw), math.sin(yaw)
    along = np.stack([cosine * plan[:, 0] - sine * plan[:, 1], sine * plan[:, 0] + cosine * plan[:, 1]], axis=1)
    low, high = along.min(axis=0), along.max(axis=0)
    x, z = ((low + high) / 2).tolist()
    width, depth = (high - low).tolist()
    return (cosine * x + sine * z, -sine * x + cosine * z), (width, depth), yaw


def find_supports(boxes: list[OrientedBox]) -> list[int | None]:
    """Return for each box the index of the one on whose top it stands, or None.

    Args:
        boxes: Of things that are no part of the building.
    """
    if not boxes:
        return []
    centres = np.array([box.centre_m for box in boxes])
    sizes = np.array([box.size_m for box in boxes])
    yaws = np.array([box.yaw_rad for box in boxes])
    bottoms, tops = centres[:, 1] - sizes[:, 1] / 2, centres[:, 1] + sizes[:, 1] / 2
    offset = centres[:, None, [0, 2]] - centres[None, :, [0, 2]]
    cosine, sine = np.cos(yaws), np.sin(yaws)
    inside = np.abs(cosine * offset[..., 0] - sine * offset[..., 1]) <= sizes[:, 0] / 2
    inside &= np.abs(sine * offset[..., 0] + cosine * offset[..., 1]) <= sizes[:, 2] / 2
    gap = np.abs(bottoms[:, None] - tops[None, :])
    stands = inside & (gap <= _TOUCH_M) & (tops[:, None] > tops[None, :])
    np.fill_diagonal(stands, False)
    nearest = np.where(stands, gap, np.inf).argmin(axis=1)
    return [int(nearest[index]) if stands[index].any() else None for index in range(len(boxes))]
