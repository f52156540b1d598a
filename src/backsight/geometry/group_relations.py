"""Rules for the relations of one upright box to several others: 'between' two, 'among' many."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.geometry.upright_boxes import UprightBox, bottoms_m, footprint_corners, surface_gaps_m, tops_m

GROUP_RELATIONS: tuple[str, ...] = ("between", "among")
"""Relations to more than one thing."""

BETWEEN_LEAST_GAP_M = 0.2
"""Two things that are nearer to each other along the line of their centres have no room between them."""
BETWEEN_MOST_GAP_M = 4.0
"""Nothing is called between two things that are farther apart."""
LEVEL_GAP_M = 0.5
"""What is between two things has no larger vertical gap to either."""
AMONG_REACH_M = 2.0
"""Gap between the surfaces up to which a thing stands round another."""
AMONG_LEAST = 3
"""So many of one kind stand round a thing that is among them."""


def between_triples(
    boxes: Sequence[UprightBox], is_anchor: Bool[np.ndarray, " boxes"] | None = None
) -> Int64[np.ndarray, "triples 3"]:
    """Return subject, first and second anchor (first < second) for which the subject is between the anchors.

    Seen from above, the line of the anchors' centres meets the near edge of one and of the other; the corridor is the
    trapezoid between these edges, as wide at either end as that anchor is across the line. The subject's centre lies
    in the corridor, the subject is no longer along the line than the corridor (so a rug under both is not between
    them), the corridor is 0.2 to 4 m long, and the vertical gap to neither anchor exceeds 0.5 m.

    Args:
        boxes: Subjects and anchors.
        is_anchor: Which of the boxes may be anchors; None: all.
    """
    corners = footprint_corners(boxes)
    centre = corners.mean(axis=1)
    anchors = np.arange(len(boxes)) if is_anchor is None else np.flatnonzero(is_anchor)
    bottom, top = bottoms_m(boxes), tops_m(boxes)
    height_gap = np.maximum(bottom[:, None] - top[None, :], bottom[None, :] - top[:, None])
    level = height_gap <= LEVEL_GAP_M
    found = []
    for first in anchors.tolist():
        others = anchors[anchors > first]
        others = others[_has_corridor(corners, centre, first, others)]
        if not len(others):
            continue
        holds = _in_corridor(corners, centre, first, others) & level[first][None, :] & level[others]
        holds[:, first] = False
        holds[np.arange(len(others)), others] = False
        second, subject = np.nonzero(holds)
        found.append(np.stack([subject, np.full(len(subject), first), others[second]], axis=-1))
    triples = np.concatenate(found) if found else np.zeros((0, 3), dtype=np.int64)
    return triples[np.lexsort(triples.T[::-1])]


def _has_corridor(
    corners: Float64[np.ndarray, "boxes 4 2"],
    centre: Float64[np.ndarray, "boxes 2"],
    first: int,
    others: Int64[np.ndarray, " others"],
) -> Bool[np.ndarray, " others"]:
    """Whether there is a corridor of the right length from the first anchor to each of the other anchors."""
    line = centre[others] - centre[first]
    along = line / np.maximum(np.linalg.norm(line, axis=1), 1e-9)[:, None]
    start_m = np.einsum("oc,kc->ok", along, corners[first] - centre[first]).max(axis=1)
    end_m = np.einsum("oc,okc->ok", along, corners[others] - centre[first]).min(axis=1)
    return (end_m - start_m >= BETWEEN_LEAST_GAP_M) & (end_m - start_m <= BETWEEN_MOST_GAP_M)


def _in_corridor(
    corners: Float64[np.ndarray, "boxes 4 2"],
    centre: Float64[np.ndarray, "boxes 2"],
    first: int,
    others: Int64[np.ndarray, " others"],
) -> Bool[np.ndarray, "others boxes"]:
    """Whether a box lies in the corridor from the first anchor to each of the other anchors."""
    line = centre[others] - centre[first]
    distance = np.linalg.norm(line, axis=1)
    along = line / np.maximum(distance, 1e-9)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1)
    offset = (corners - centre[first]).reshape(-1, 2)
    # Corners of every box in the frame of every line: [others, boxes, 4].
    shape = (len(others), len(corners), 4)
    corner_along, corner_across = (along @ offset.T).reshape(shape), (across @ offset.T).reshape(shape)
    own = np.arange(len(others))
    start_m = corner_along[:, first].max(axis=1)
    length_m = corner_along[own, others].min(axis=1) - start_m
    centre_along, centre_across = corner_along.mean(axis=2), corner_across.mean(axis=2)
    share = (centre_along - start_m[:, None]) / np.maximum(length_m, BETWEEN_LEAST_GAP_M)[:, None]
    low_start, high_start = corner_across[:, first].min(axis=1), corner_across[:, first].max(axis=1)
    low_end, high_end = corner_across[own, others].min(axis=1), corner_across[own, others].max(axis=1)
    low = low_start[:, None] + share * (low_end - low_start)[:, None]
    high = high_start[:, None] + share * (high_end - high_start)[:, None]
    size_along = corner_along.max(axis=2) - corner_along.min(axis=2)
    return (
        (share >= 0.0)
        & (share <= 1.0)
        & (low <= centre_across)
        & (centre_across <= high)
        & (size_along <= length_m[:, None])
    )


def among_matrix(boxes: Sequence[UprightBox], kinds: Int64[np.ndarray, " boxes"]) -> Bool[np.ndarray, "subjects kinds"]:
    """Return whether each box stands among the boxes of each kind.

    At least three others of the kind stand round it: their surfaces are at most 2 m away, and their centres' directions
    from the subject's centre, seen from above, leave no gap of half a turn or more. The subject itself is not counted.

    Args:
        boxes: Subjects and anchors.
        kinds: Number of each box's kind, from 0.
    """
    count = int(kinds.max(initial=-1)) + 1
    holds = np.zeros((len(boxes), count), dtype=bool)
    if not boxes:
        return holds
    centre = footprint_corners(boxes).mean(axis=1)
    offset = centre[None, :, :] - centre[:, None, :]
    angle = np.arctan2(offset[..., 1], offset[..., 0])
    close = (surface_gaps_m(boxes) <= AMONG_REACH_M) & ~np.eye(len(boxes), dtype=bool)
    # Where two centres coincide there is no direction, so such a pair does not stand round each other.
    close &= np.linalg.norm(offset, axis=-1) > 1e-6
    for kind in range(count):
        counted = close & (kinds == kind)[None, :]
        enough = np.flatnonzero(counted.sum(axis=1) >= AMONG_LEAST)
        holds[enough, kind] = _widest_gap_rad(angle[enough], counted[enough]) < np.pi - 1e-9
    return holds


def _widest_gap_rad(
    directions: Float64[np.ndarray, "subjects boxes"], counted: Bool[np.ndarray, "subjects boxes"]
) -> Float64[np.ndarray, " subjects"]:
    """Return the widest angle between neighbours of the counted directions of each subject; each has some."""
    first = np.where(counted, directions, np.inf).min(axis=1, initial=np.inf)
    # What is not counted takes the place of the first, and leaves no gap.
    ordered = np.sort(np.where(counted, directions, first[:, None]), axis=1)
    closed = np.concatenate([ordered, ordered[:, :1] + 2.0 * np.pi], axis=1)
    return np.diff(closed, axis=1).max(axis=1, initial=0.0)
