"""Upright boxes measured against each other: footprints, gaps, what stands over what.

Footprint: the rectangle that a box covers on the floor plane.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64


@runtime_checkable
class UprightBox(Protocol):
    """A box rotated about the world's +Y axis only; `records.scene.OrientedBox` is one."""

    @property
    def centre_m(self) -> tuple[float, float, float]:
        """Centre in the world frame."""
        ...

    @property
    def size_m(self) -> tuple[float, float, float]:
        """Full extents along the box's own axes."""
        ...

    @property
    def yaw_rad(self) -> float:
        """Right-handed rotation about +Y that carries world axes to box axes."""
        ...


def footprint_corners(boxes: Sequence[UprightBox]) -> Float64[np.ndarray, "boxes 4 2"]:
    """Return the footprints' corners as world (x, z), in order round each rectangle.

    Args:
        boxes: Upright boxes.
    """
    signs = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    centre, size, yaw = _arrays(boxes)
    local = signs * size[:, None, [0, 2]]
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    rotated = np.stack([cos * local[..., 0] + sin * local[..., 1], cos * local[..., 1] - sin * local[..., 0]], axis=-1)
    return rotated + centre[:, None, [0, 2]]


def footprint_gaps_m(boxes: Sequence[UprightBox]) -> Float64[np.ndarray, "boxes boxes"]:
    """Return the distance between every two footprints; 0 where they touch or overlap.

    Args:
        boxes: Upright boxes.
    """
    corners = footprint_corners(boxes)
    gap = _corner_to_footprint_m(corners, boxes)
    gap = np.minimum(gap, gap.T)
    gap[_footprints_overlap(corners)] = 0.0
    return gap


def surface_gaps_m(boxes: Sequence[UprightBox]) -> Float64[np.ndarray, "boxes boxes"]:
    """Return the distance between the nearest points of every two boxes; 0 where they touch or overlap.

    Args:
        boxes: Upright boxes.
    """
    bottom, top = bottoms_m(boxes), tops_m(boxes)
    height_gap = np.maximum(bottom[:, None] - top[None, :], bottom[None, :] - top[:, None])
    return np.hypot(footprint_gaps_m(boxes), np.maximum(height_gap, 0.0))


def centre_to_footprint_m(boxes: Sequence[UprightBox]) -> Float64[np.ndarray, "subjects anchors"]:
    """Return how far the centre of a subject lies from the footprint of an anchor, on the floor plane; 0 inside it.

    Args:
        boxes: Subjects (rows) and anchors (columns).
    """
    centre, size, _ = _arrays(boxes)
    outside = np.abs(_in_anchor_axes(centre[:, None, [0, 2]], boxes)) - size[None, :, [0, 2]] / 2
    return np.linalg.norm(np.maximum(outside, 0.0), axis=-1)


def footprint_inside(boxes: Sequence[UprightBox], tolerance_m: float = 0.0) -> Bool[np.ndarray, "subjects anchors"]:
    """Return whether the whole footprint of a subject lies in the footprint of an anchor.

    Args:
        boxes: Subjects (rows) and anchors (columns).
        tolerance_m: How far a corner may stick out.
    """
    _, size, _ = _arrays(boxes)
    corners = footprint_corners(boxes)
    fits = np.ones((len(boxes), len(boxes)), dtype=bool)
    for corner in range(4):
        offset = np.abs(_in_anchor_axes(corners[:, None, corner], boxes))
        fits &= (offset <= size[None, :, [0, 2]] / 2 + tolerance_m).all(axis=-1)
    return fits


def bottoms_m(boxes: Sequence[UprightBox]) -> Float64[np.ndarray, " boxes"]:
    """Return the heights of the boxes' lower faces.

    Args:
        boxes: Upright boxes.
    """
    centre, size, _ = _arrays(boxes)
    return centre[:, 1] - size[:, 1] / 2


def tops_m(boxes: Sequence[UprightBox]) -> Float64[np.ndarray, " boxes"]:
    """Return the heights of the boxes' upper faces.

    Args:
        boxes: Upright boxes.
    """
    centre, size, _ = _arrays(boxes)
    return centre[:, 1] + size[:, 1] / 2


def longest_sides_m(boxes: Sequence[UprightBox]) -> Float64[np.ndarray, " boxes"]:
    """Return the longer side of each footprint.

    Args:
        boxes: Upright boxes.
    """
    return _arrays(boxes)[1][:, [0, 2]].max(axis=1)


def _arrays(
    boxes: Sequence[UprightBox],
) -> tuple[Float64[np.ndarray, "boxes 3"], Float64[np.ndarray, "boxes 3"], Float64[np.ndarray, " boxes"]]:
    centre = np.array([box.centre_m for box in boxes], dtype=np.float64).reshape(-1, 3)
    size = np.array([box.size_m for box in boxes], dtype=np.float64).reshape(-1, 3)
    return centre, size, np.array([box.yaw_rad for box in boxes], dtype=np.float64)


def _in_anchor_axes(
    points: Float64[np.ndarray, "subjects 1 2"], boxes: Sequence[UprightBox]
) -> Float64[np.ndarray, "subjects anchors 2"]:
    """Return world (x, z) as seen from the middle of each anchor, along its own axes."""
    centre, _, yaw = _arrays(boxes)
    offset = points - centre[None, :, [0, 2]]
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.stack([cos * offset[..., 0] - sin * offset[..., 1], sin * offset[..., 0] + cos * offset[..., 1]], axis=-1)


def _corner_to_footprint_m(
    corners: Float64[np.ndarray, "boxes 4 2"], boxes: Sequence[UprightBox]
) -> Float64[np.ndarray, "boxes boxes"]:
    """Return the least distance of any corner of the first rectangle to the second."""
    centre, size, yaw = _arrays(boxes)
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    away_x = corners[:, None, :, 0] - centre[None, :, None, 0]
    away_z = corners[:, None, :, 1] - centre[None, :, None, 2]
    outside_x = np.maximum(np.abs(cos * away_x - sin * away_z) - size[:, None, 0] / 2, 0.0)
    outside_z = np.maximum(np.abs(sin * away_x + cos * away_z) - size[:, None, 2] / 2, 0.0)
    return np.sqrt((outside_x**2 + outside_z**2).min(axis=2))


def _footprints_overlap(corners: Float64[np.ndarray, "boxes 4 2"]) -> Bool[np.ndarray, "boxes boxes"]:
    """Whether no side of either rectangle separates the two (separating axis theorem)."""
    axes = corners[:, 1:3] - corners[:, 0:2]
    spans = np.einsum("nac,mkc->namk", axes, corners)
    low, high = spans.min(axis=-1), spans.max(axis=-1)
    own = np.arange(len(corners))
    own_low, own_high = low[own, :, own][:, :, None], high[own, :, own][:, :, None]
    separated = ((high < own_low) | (low > own_high)).any(axis=1)
    return ~(separated | separated.T)
