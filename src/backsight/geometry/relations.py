"""Rules for spatial relations between two upright boxes; what a relation word means here and nowhere else.

Axes of a viewer: *ahead* is its viewing direction laid flat on the floor, *right* is perpendicular to it there.
'between' and 'among' need more than two boxes: `geometry.group_relations`.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float64

from backsight.geometry.box_measures import BoxMeasures
from backsight.geometry.upright_boxes import UprightBox

VIEWER_RELATIONS: frozenset[str] = frozenset({"left of", "right of", "in front of", "behind"})
"""Relations that need a viewer; the others hold in the world."""

NEXT_TO_GAP_M = 0.6
"""Footprints nearer than this are next to each other."""
SHARED_HEIGHT_M = 0.05
"""Boxes next to each other share at least this much of their height."""
ON_TOLERANCE_M = 0.03
"""Largest distance between the bottom of a thing and the top of what it lies on."""
LEAST_AHEAD_M = 0.2
"""Every corner lies at least this far ahead of a viewer who says left, right, in front of or behind."""
LEAST_LATERAL_M = 0.1
"""Least distance of two centres, sideways if they are left and right, ahead if in front and behind."""
OVER_REACH_M = 0.15
"""A thing is above another when the centre of one lies over the other's footprint or so far beside it."""
UNDER_HEADROOM_M = 0.05
"""The top of a thing under another lies at least this far below that one's top."""
RAISED_M = 0.005
"""What is inside a thing stands at least this far above its bottom; what is under it stands lower."""
FLUSH_M = 0.01
"""How far what is inside a thing may stick out of its footprint."""
NEAR_M, NEAR_SIDES, NEAR_MOST_M = 1.0, 0.5, 2.0
"""Near: a gap under 1 m or under half of the longer side of the larger footprint, but never 2 m."""
FAR_M, FAR_SIDES = 3.0, 1.5
"""Far: a gap over 3 m and over one and a half times the longer side of the larger footprint."""
_ROUNDING_M = 1e-9


def relation_holds(
    relation: str,
    subject_box: UprightBox,
    anchor_box: UprightBox,
    world_from_viewer: Float64[np.ndarray, "4 4"] | None = None,
) -> bool:
    """Return whether `subject` `relation` `anchor` is true; the rules are those of `relation_matrix`.

    Args:
        relation: A name of `PAIR_RELATIONS`.
        subject_box: The thing that the sentence is about.
        anchor_box: The thing that it is related to.
        world_from_viewer: Camera pose of the viewer; needed by `VIEWER_RELATIONS`, not used by the others.

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
    in front of / behind: every corner at least 0.2 m ahead; the centre of at least one box lies within the other's
    span of directions; and ahead of the viewer each centre lies outside the other's span, in front the nearer one,
    and the centres at least 0.1 m apart. So no pair is beside and behind at once.
    next to: the gap between the footprints is under 0.6 m (0 where they overlap), neither centre lies inside the
    other's footprint, and the boxes share at least 5 cm of height (so nothing is next to what it stands on).
    on: the subject's bottom is within 3 cm of the anchor's top and its centre is inside the anchor's footprint.
    above / below: the upper box's bottom is more than 3 cm higher than the lower one's top (nothing is above what it
    rests on), and the centre of one lies inside the other's footprint or at most 0.15 m beside it (a picture hangs
    above a sofa that stands off the wall).
    under: the subject's centre is inside the anchor's footprint, its top at least 5 cm below the anchor's top, and
    both stand on one floor: the bottoms differ by less than 3 cm, and the subject's is no more than 5 mm higher.
    inside: the subject's whole footprint lies in the anchor's (1 cm may stick out), its bottom at least 5 mm above
    the anchor's bottom, its centre no higher than the anchor's top (a plant may look out of its pot).
    outside: the boxes share no space. What pokes through a face is neither inside nor outside.
    near: neither centre lies inside the other's footprint, and the gap between the surfaces is under 1 m, or under
    half of the longer side of the larger footprint, but in no case 2 m or more. What is next to a thing is near it.
    far from: the gap between the surfaces is over 3 m and over 1.5 times the longer side of the larger footprint.

    Args:
        relation: A name of `PAIR_RELATIONS`.
        boxes: Subjects (rows) and anchors (columns).
        world_from_viewer: Camera pose of the viewer; needed by `VIEWER_RELATIONS`, not used by the others.

    Raises:
        ValueError: The relation is unknown or its viewer is missing.
    """
    return measured_relation_matrix(relation, BoxMeasures(boxes), world_from_viewer)


def measured_relation_matrix(
    relation: str, measures: BoxMeasures, world_from_viewer: Float64[np.ndarray, "4 4"] | None = None
) -> Bool[np.ndarray, "subjects anchors"]:
    """Return what `relation_matrix` does; several relations of the same boxes share what is measured.

    Args:
        relation: A name of `PAIR_RELATIONS`.
        measures: Of the boxes.
        world_from_viewer: Camera pose of the viewer; needed by `VIEWER_RELATIONS`, not used by the others.

    Raises:
        ValueError: The relation is unknown or its viewer is missing.
    """
    if relation not in PAIR_RELATIONS:
        raise ValueError(f"unknown relation '{relation}'; known: {', '.join(PAIR_RELATIONS)}")
    if not measures.boxes:
        return np.zeros((0, 0), dtype=bool)
    if relation in _VIEWER_RULES:
        if world_from_viewer is None:
            raise ValueError(f"relation '{relation}' needs world_from_viewer")
        rule, transposed = _VIEWER_RULES[relation]
        holds = rule(measures, world_from_viewer)
    else:
        rule, transposed = _WORLD_RULES[relation]
        holds = rule(measures)
    return (holds.T if transposed else holds) & ~np.eye(len(measures.boxes), dtype=bool)


def _ahead_and_right(
    boxes: BoxMeasures, world_from_viewer: Float64[np.ndarray, "4 4"]
) -> tuple[Float64[np.ndarray, "boxes 4"], Float64[np.ndarray, "boxes 4"], Bool[np.ndarray, "boxes boxes"]]:
    """Return how far ahead and to the right each corner lies, and which pairs lie ahead of the viewer as a whole."""
    ahead = world_from_viewer[[0, 2], 2]
    length = float(np.linalg.norm(ahead))
    if length < 1e-6:
        raise ValueError("a viewer who looks straight up or down has no left and right")
    ahead = ahead / length
    right = np.array([-ahead[1], ahead[0]])
    corners = boxes.corners - world_from_viewer[[0, 2], 3]
    corner_ahead = corners @ ahead
    seen = corner_ahead.min(axis=1) >= LEAST_AHEAD_M
    return corner_ahead, corners @ right, seen[:, None] & seen[None, :]


def _direction_spans(
    ahead: Float64[np.ndarray, "boxes 4"], right: Float64[np.ndarray, "boxes 4"]
) -> tuple[Float64[np.ndarray, " boxes"], Float64[np.ndarray, " boxes"], Float64[np.ndarray, " boxes"]]:
    """Return the leftmost, central and rightmost direction of each box: sideways over ahead."""
    direction = right / np.maximum(ahead, LEAST_AHEAD_M)
    centre = right.mean(axis=1) / np.maximum(ahead.mean(axis=1), LEAST_AHEAD_M)
    return direction.min(axis=1), centre, direction.max(axis=1)


def _left_of(boxes: BoxMeasures, world_from_viewer: Float64[np.ndarray, "4 4"]) -> Bool[np.ndarray, "subjects anchors"]:
    ahead, right, both_seen = _ahead_and_right(boxes, world_from_viewer)
    first, centre, last = _direction_spans(ahead, right)
    centre_right = right.mean(axis=1)
    return (
        both_seen
        & (centre[:, None] < first[None, :])
        & (last[:, None] < centre[None, :])
        & (centre_right[None, :] - centre_right[:, None] >= LEAST_LATERAL_M)
    )


def _in_front_of(
    boxes: BoxMeasures, world_from_viewer: Float64[np.ndarray, "4 4"]
) -> Bool[np.ndarray, "subjects anchors"]:
    ahead, right, both_seen = _ahead_and_right(boxes, world_from_viewer)
    first, centre, last = _direction_spans(ahead, right)
    covered = (first[None, :] <= centre[:, None]) & (centre[:, None] <= last[None, :])
    centre_ahead = ahead.mean(axis=1)
    return (
        both_seen
        & (covered | covered.T)
        & (centre_ahead[:, None] < ahead.min(axis=1)[None, :])
        & (ahead.max(axis=1)[:, None] < centre_ahead[None, :])
        & (centre_ahead[None, :] - centre_ahead[:, None] >= LEAST_LATERAL_M)
    )


def _centre_inside_footprint(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    return boxes.centre_to_footprint_m <= 0.0


def _apart(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    centred = _centre_inside_footprint(boxes)
    return ~centred & ~centred.T


def _shared_height_m(boxes: BoxMeasures) -> Float64[np.ndarray, "subjects anchors"]:
    bottom, top = boxes.bottoms_m, boxes.tops_m
    return np.minimum(top[:, None], top[None, :]) - np.maximum(bottom[:, None], bottom[None, :])


def _next_to(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    near = boxes.footprint_gaps_m < NEXT_TO_GAP_M
    return near & _apart(boxes) & (_shared_height_m(boxes) >= SHARED_HEIGHT_M)


def _on(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    resting = np.abs(boxes.bottoms_m[:, None] - boxes.tops_m[None, :]) <= ON_TOLERANCE_M + _ROUNDING_M
    return resting & _centre_inside_footprint(boxes)


def _above(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    lifted = boxes.bottoms_m[:, None] - boxes.tops_m[None, :] > ON_TOLERANCE_M + _ROUNDING_M
    aside = boxes.centre_to_footprint_m
    return lifted & (np.minimum(aside, aside.T) <= OVER_REACH_M)


def _under(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    bottom, top = boxes.bottoms_m, boxes.tops_m
    raised = bottom[:, None] - bottom[None, :]
    on_one_floor = (raised >= -ON_TOLERANCE_M) & (raised < RAISED_M - _ROUNDING_M)
    return on_one_floor & (top[None, :] - top[:, None] >= UNDER_HEADROOM_M) & _centre_inside_footprint(boxes)


def _inside(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    bottom, top = boxes.bottoms_m, boxes.tops_m
    within = bottom[:, None] - bottom[None, :] >= RAISED_M - _ROUNDING_M
    within &= (bottom + top)[:, None] / 2 <= top[None, :] + _ROUNDING_M
    return within & boxes.inside(FLUSH_M)


def _outside(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    return (boxes.footprint_gaps_m > 0.0) | (_shared_height_m(boxes) <= 0.0)


def _larger_side_m(boxes: BoxMeasures) -> Float64[np.ndarray, "subjects anchors"]:
    side = boxes.longest_sides_m
    return np.maximum(side[:, None], side[None, :])


def _near(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    reach = np.clip(NEAR_SIDES * _larger_side_m(boxes), NEAR_M, NEAR_MOST_M)
    return (boxes.surface_gaps_m < reach) & _apart(boxes)


def _far_from(boxes: BoxMeasures) -> Bool[np.ndarray, "subjects anchors"]:
    return boxes.surface_gaps_m > np.maximum(FAR_SIDES * _larger_side_m(boxes), FAR_M)


_Matrix = Bool[np.ndarray, "subjects anchors"]
_VIEWER_RULES: dict[str, tuple[Callable[[BoxMeasures, Float64[np.ndarray, "4 4"]], _Matrix], bool]] = {
    "left of": (_left_of, False),
    "right of": (_left_of, True),
    "in front of": (_in_front_of, False),
    "behind": (_in_front_of, True),
}
_WORLD_RULES: dict[str, tuple[Callable[[BoxMeasures], _Matrix], bool]] = {
    "next to": (_next_to, False),
    "on": (_on, False),
    "above": (_above, False),
    "below": (_above, True),
    "under": (_under, False),
    "inside": (_inside, False),
    "outside": (_outside, False),
    "near": (_near, False),
    "far from": (_far_from, False),
}
"""Rule of each relation, and whether subject and anchor change places in it."""

PAIR_RELATIONS: tuple[str, ...] = (*_VIEWER_RULES, *_WORLD_RULES)
"""All relations between two things."""
