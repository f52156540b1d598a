"""Relations between boxes, written from docs/relations.md alone.

Every rule gives a margin: by how many metres (or how much of a direction) the tightest of its conditions holds;
negative where one does not. A rule that holds by less than `EDGE` is undecided: rounding decides it.
"""

import math

import numpy as np
from stored_walk import Thing

from backsight.records.vocabulary import CONTAINER_CATEGORIES

EDGE = 1e-6
VIEWED = ("left of", "right of", "in front of", "behind")
WORLD = ("next to", "on", "above", "below", "under", "inside")


def margin(relation: str, one: Thing, other: Thing, pose: np.ndarray | None = None) -> float:
    """By how much `one` is `relation` `other`."""
    if one.number == other.number:
        return -math.inf
    if relation in VIEWED:
        assert pose is not None
        return _viewed(relation, one, other, pose)
    return _RULES[relation](one, other)


def is_true(relation: str, one: Thing, other: Thing, pose: np.ndarray | None = None) -> bool | None:
    """Whether `one` is `relation` `other`; None on the edge."""
    by = margin(relation, one, other, pose)
    return None if abs(by) <= EDGE else bool(by > 0)


def apart_by(one: Thing, other: Thing) -> float:
    """Widest gap along a side's direction; negative where the footprints overlap."""
    first, second = one.ring, other.ring
    widest = -math.inf
    for yaw in (one.yaw, other.yaw):
        for axis in (np.array([math.cos(yaw), -math.sin(yaw)]), np.array([math.sin(yaw), math.cos(yaw)])):
            a, b = first @ axis, second @ axis
            widest = max(widest, b.min() - a.max(), a.min() - b.max())
    return float(widest)


def to_segment(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """Distance of a point from a straight piece."""
    line = end - start
    share = float(np.clip((point - start) @ line / max(float(line @ line), 1e-15), 0.0, 1.0))
    return float(np.hypot(*(point - start - share * line)))


def footprint_gap(one: Thing, other: Thing) -> float:
    """Distance between two footprints."""
    if apart_by(one, other) <= 0.0:
        return 0.0
    first, second = one.ring, other.ring
    return min(
        to_segment(point, ring[i], ring[(i + 1) % 4])
        for points, ring in ((first, second), (second, first))
        for point in points
        for i in range(4)
    )


def surface_gap(one: Thing, other: Thing) -> float:
    """Distance between two boxes."""
    return math.hypot(footprint_gap(one, other), max(one.bottom - other.top, other.bottom - one.top, 0.0))


def sticks_out(point: np.ndarray, thing: Thing) -> float:
    """How far a point (x, z) lies beyond the nearest side of a footprint; negative inside."""
    local = thing.local(np.array([point[0], 0.0, point[1]]))
    return float(max(abs(local[0]) - thing.size[0] / 2, abs(local[2]) - thing.size[2] / 2))


def from_footprint(point: np.ndarray, thing: Thing) -> float:
    """Distance of a point (x, z) from a footprint."""
    local = thing.local(np.array([point[0], 0.0, point[1]]))
    return math.hypot(max(abs(local[0]) - thing.size[0] / 2, 0.0), max(abs(local[2]) - thing.size[2] / 2, 0.0))


def _shared_height(one: Thing, other: Thing) -> float:
    return min(one.top, other.top) - max(one.bottom, other.bottom)


def _centres_outside(one: Thing, other: Thing) -> float:
    return min(sticks_out(one.middle, other), sticks_out(other.middle, one))


def _longer_side(one: Thing, other: Thing) -> float:
    return float(max(one.size[0], one.size[2], other.size[0], other.size[2]))


def _next_to(one: Thing, other: Thing) -> float:
    return min(0.6 - footprint_gap(one, other), _centres_outside(one, other), _shared_height(one, other) - 0.05)


def _on(one: Thing, other: Thing) -> float:
    centred = -sticks_out(one.middle, other)
    resting = min(0.03 - abs(one.bottom - other.top), centred)
    if one.supported_by != other.number:
        return resting
    carried = min(centred, one.bottom - other.bottom, other.top - one.bottom, -_inside(one, other))
    return max(resting, carried)


def _above(one: Thing, other: Thing) -> float:
    aside = min(from_footprint(one.middle, other), from_footprint(other.middle, one))
    return min(one.bottom - other.top - 0.03, 0.15 - aside)


def _under(one: Thing, other: Thing) -> float:
    raised = one.bottom - other.bottom
    return min(raised + 0.03, 0.005 - raised, other.top - one.top - 0.05, -sticks_out(one.middle, other))


def _inside(one: Thing, other: Thing) -> float:
    if other.category not in CONTAINER_CATEGORIES:
        return -math.inf
    within = 0.01 - max(sticks_out(corner, other) for corner in one.ring)
    return min(within, one.bottom - other.bottom - 0.005, other.top - (one.bottom + one.top) / 2)


def _outside(one: Thing, other: Thing) -> float:
    return max(apart_by(one, other), -_shared_height(one, other))


def _near(one: Thing, other: Thing) -> float:
    reach = min(max(1.0, _longer_side(one, other) / 2), 2.0)
    return min(reach - surface_gap(one, other), _centres_outside(one, other))


def _far_from(one: Thing, other: Thing) -> float:
    return surface_gap(one, other) - max(3.0, 1.5 * _longer_side(one, other))


_RULES = {
    "next to": _next_to,
    "on": _on,
    "above": _above,
    "below": lambda one, other: _above(other, one),
    "under": _under,
    "inside": _inside,
    "outside": _outside,
    "near": _near,
    "far from": _far_from,
}


def _viewed(relation: str, one: Thing, other: Thing, pose: np.ndarray) -> float:
    if relation == "right of":
        return _viewed("left of", other, one, pose)
    if relation == "behind":
        return _viewed("in front of", other, one, pose)
    sight = pose[[0, 2], 2] / np.hypot(pose[0, 2], pose[2, 2])
    sideways = np.array([-sight[1], sight[0]])
    spans = []
    for thing in (one, other):
        ring = thing.ring - pose[[0, 2], 3]
        ahead, right = ring @ sight, ring @ sideways
        if ahead.min() < 0.2:
            return float(ahead.min() - 0.2)
        away = thing.middle - pose[[0, 2], 3]
        spans.append((ahead, right / ahead, away @ sight, away @ sideways))
    (ahead, direction, far, aside), (ahead_b, direction_b, far_b, aside_b) = spans
    middle, middle_b = aside / far, aside_b / far_b
    seen = min(ahead.min(), ahead_b.min()) - 0.2
    if relation == "left of":
        return min(seen, direction_b.min() - middle, middle_b - direction.max(), aside_b - aside - 0.1)
    covered = max(
        min(middle - direction_b.min(), direction_b.max() - middle),
        min(middle_b - direction.min(), direction.max() - middle_b),
    )
    return min(seen, covered, ahead_b.min() - far, far_b - ahead.max(), far_b - far - 0.1)


def between(one: Thing, first: Thing, second: Thing) -> float:
    """By how much a thing is between two others."""
    if one.number in (first.number, second.number):
        return -math.inf
    line = second.middle - first.middle
    length = float(np.hypot(*line))
    if length < 1e-6:
        return -math.inf
    along, across = line / length, np.array([-line[1], line[0]]) / length
    start = float(((first.ring - first.middle) @ along).max())
    end = float(((second.ring - first.middle) @ along).min())
    corridor = end - start
    if corridor < 0.2:
        return corridor - 0.2
    away = one.middle - first.middle
    share = (float(away @ along) - start) / corridor
    side_a, side_b = (first.ring - first.middle) @ across, (second.ring - first.middle) @ across
    low = side_a.min() + share * (side_b.min() - side_a.min())
    high = side_a.max() + share * (side_b.max() - side_a.max())
    own = one.ring @ along
    level = [0.5 - max(one.bottom - thing.top, thing.bottom - one.top) for thing in (first, second)]
    aside = float(away @ across)
    return float(
        min(4.0 - corridor, share, 1.0 - share, aside - low, high - aside, corridor - (own.max() - own.min()), *level)
    )


def among(one: Thing, kind: list[Thing]) -> bool | None:
    """Whether at least three of the kind stand round a thing, itself not counted."""
    others = [thing for thing in kind if thing.number != one.number]
    around = [thing for thing in others if surface_gap(one, thing) <= 2.0]
    if any(abs(surface_gap(one, thing) - 2.0) <= EDGE for thing in others):
        return None
    if len(around) < 3:
        return False
    angles = sorted(math.atan2(*(thing.middle - one.middle)) for thing in around)
    gaps = [b - a for a, b in zip(angles, [*angles[1:], angles[0] + 2 * math.pi], strict=True)]
    return None if abs(max(gaps) - math.pi) <= EDGE else bool(max(gaps) < math.pi)
