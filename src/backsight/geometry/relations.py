"""Rules for spatial relations between upright boxes; what a relation word means here and nowhere else.

Axes of a viewer: *ahead* is its viewing direction laid flat on the floor, *right* is perpendicular to it there.
Footprint: the rectangle that a box covers on the floor plane.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64

VIEWER_RELATIONS: frozenset[str] = frozenset({"left of", "right of"})
"""Relations that need a viewer; the others hold in the world."""

NEXT_TO_GAP_M = 0.6
"""Footprints nearer than this are next to each other."""
SHARED_HEIGHT_M = 0.05
"""Boxes next to each other share at least this much of their height."""
ON_TOLERANCE_M = 0.03
"""Largest distance between the bottom of a thing and the top of what it lies on."""
LEAST_AHEAD_M = 0.2
"""Every corner lies at least this far ahead of a viewer who says left or right."""
LEAST_LATERAL_M = 0.1
"""Least sideways distance of two centres that are left and right of each other."""


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


def relation_holds(
    relation: str,
    subject_box: UprightBox,
    anchor_box: UprightBox,
    world_from_viewer: Float64[np.ndarray, "4 4"] | None = None,
) -> bool:
    """Return whether `subject` `relation` `anchor` is true; the rules are those of `relation_matrix`.

    Args:
        relation: 'left of', 'right of', 'next to' or 'on'.
        subject_box: The thing that the sentence is about.
        anchor_box: The thing that it is related to.
        world_from_viewer: Camera pose of the viewer; needed by left and right, not used by the others.

    Raises:
        ValueError: The relation is unknown or its viewer is missing.
    """
    return bool(relation_matrix(relation, [subject_box, anchor_box], world_from_viewer)[0, 1])


def relation_matrix(
    relation: str, boxes: Sequence[UprightBox], world_from_viewer: Float64[np.ndarray, "4 4"] | None = None
) -> Bool[np.ndarray, "subjects anchors"]:
    """Return for every ordered pair of boxes whether the relation is true; nothing relates to itself.

    left of / right of: every corner of both boxes lies at least 0.2 m ahead of the viewer; in directions seen
    from above (sideways over ahead) the centre of either box lies outside the other's span, on the named side;
    and the centre lies on that side by at least 0.1 m on the floor too, so that eye and floor plan agree.
    next to: the gap between the footprints is under 0.6 m (0 where they overlap), neither centre lies inside the
    other's footprint, and the boxes share at least 5 cm of height (so nothing is next to what it stands on).
    on: the subject's bottom is within 3 cm of the anchor's top and its centre is inside the anchor's footprint.

    Args:
        relation: 'left of', 'right of', 'next to' or 'on'.
        boxes: Subjects (rows) and anchors (columns).
        world_from_viewer: Camera pose of the viewer; needed by left and right, not used by the others.

    Raises:
        ValueError: The relation is unknown or its viewer is missing.
    """
    if not boxes:
        return np.zeros((0, 0), dtype=bool)
    if relation in VIEWER_RELATIONS:
        if world_from_viewer is None:
            raise ValueError(f"relation '{relation}' needs world_from_viewer")
        left = _left_of(boxes, world_from_viewer)
        holds = left if relation == "left of" else left.T
    elif relation == "next to":
        holds = _next_to(boxes)
    elif relation == "on":
        holds = _on(boxes)
    else:
        raise ValueError(f"unknown relation '{relation}'; known: left of, next to, on, right of")
    return holds & ~np.eye(len(boxes), dtype=bool)


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
    gap = _corner_to_edge_m(corners)
    gap = np.minimum(gap, gap.T)
    gap[_footprints_overlap(corners)] = 0.0
    return gap


def _arrays(
    boxes: Sequence[UprightBox],
) -> tuple[Float64[np.ndarray, "boxes 3"], Float64[np.ndarray, "boxes 3"], Float64[np.ndarray, " boxes"]]:
    centre = np.array([box.centre_m for box in boxes], dtype=np.float64)
    size = np.array([box.size_m for box in boxes], dtype=np.float64)
    return centre, size, np.array([box.yaw_rad for box in boxes], dtype=np.float64)


def _left_of(
    boxes: Sequence[UprightBox], world_from_viewer: Float64[np.ndarray, "4 4"]
) -> Bool[np.ndarray, "subjects anchors"]:
    ahead = world_from_viewer[[0, 2], 2]
    length = float(np.linalg.norm(ahead))
    if length < 1e-6:
        raise ValueError("a viewer who looks straight up or down has no left and right")
    ahead = ahead / length
    right = np.array([-ahead[1], ahead[0]])
    viewer = world_from_viewer[[0, 2], 3]
    corners = footprint_corners(boxes) - viewer
    corner_ahead = corners @ ahead
    in_front = corner_ahead.min(axis=1) >= LEAST_AHEAD_M
    direction = (corners @ right) / np.maximum(corner_ahead, LEAST_AHEAD_M)
    first, last = direction.min(axis=1), direction.max(axis=1)
    centre = corners.mean(axis=1)
    centre_right = centre @ right
    centre_direction = centre_right / np.maximum(centre @ ahead, LEAST_AHEAD_M)
    return (
        (in_front[:, None] & in_front[None, :])
        & (centre_direction[:, None] < first[None, :])
        & (last[:, None] < centre_direction[None, :])
        & (centre_right[None, :] - centre_right[:, None] >= LEAST_LATERAL_M)
    )


def _next_to(boxes: Sequence[UprightBox]) -> Bool[np.ndarray, "subjects anchors"]:
    centre, size, _ = _arrays(boxes)
    bottom, top = centre[:, 1] - size[:, 1] / 2, centre[:, 1] + size[:, 1] / 2
    shared_m = np.minimum(top[:, None], top[None, :]) - np.maximum(bottom[:, None], bottom[None, :])
    centred = _centre_inside_footprint(boxes)
    apart = ~centred & ~centred.T
    return (footprint_gaps_m(boxes) < NEXT_TO_GAP_M) & apart & (shared_m >= SHARED_HEIGHT_M)


def _on(boxes: Sequence[UprightBox]) -> Bool[np.ndarray, "subjects anchors"]:
    centre, size, _ = _arrays(boxes)
    bottom, top = centre[:, 1] - size[:, 1] / 2, centre[:, 1] + size[:, 1] / 2
    resting = np.abs(bottom[:, None] - top[None, :]) <= ON_TOLERANCE_M + 1e-9
    return resting & _centre_inside_footprint(boxes)


def _centre_inside_footprint(boxes: Sequence[UprightBox]) -> Bool[np.ndarray, "subjects anchors"]:
    """Whether the centre of a subject lies inside the footprint of an anchor."""
    centre, size, yaw = _arrays(boxes)
    offset = centre[:, None, [0, 2]] - centre[None, :, [0, 2]]
    cos, sin = np.cos(yaw), np.sin(yaw)
    along_x = cos * offset[..., 0] - sin * offset[..., 1]
    along_z = sin * offset[..., 0] + cos * offset[..., 1]
    return (np.abs(along_x) <= size[:, 0] / 2) & (np.abs(along_z) <= size[:, 2] / 2)


def _corner_to_edge_m(corners: Float64[np.ndarray, "boxes 4 2"]) -> Float64[np.ndarray, "boxes boxes"]:
    """Return the least distance of any corner of the first rectangle to the outline of the second."""
    start = corners[None, :, None, :, :]
    edge = np.roll(corners, -1, axis=1)[None, :, None, :, :] - start
    offset = corners[:, None, :, None, :] - start
    length_squared = np.maximum((edge**2).sum(axis=-1), 1e-12)
    share = np.clip((offset * edge).sum(axis=-1) / length_squared, 0.0, 1.0)
    distance = np.linalg.norm(offset - share[..., None] * edge, axis=-1)
    return distance.min(axis=(2, 3))


def _footprints_overlap(corners: Float64[np.ndarray, "boxes 4 2"]) -> Bool[np.ndarray, "boxes boxes"]:
    """Whether no side of either rectangle separates the two (separating axis theorem)."""
    axes = corners[:, 1:3] - corners[:, 0:2]
    spans = np.einsum("nac,mkc->namk", axes, corners)
    low, high = spans.min(axis=-1), spans.max(axis=-1)
    own = np.arange(len(corners))
    own_low, own_high = low[own, :, own][:, :, None], high[own, :, own][:, :, None]
    separated = ((high < own_low) | (low > own_high)).any(axis=1)
    return ~(separated | separated.T)
