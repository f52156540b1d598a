"""Where a relation is doubtful: its rule says no, but people might say yes.

An instruction that names a relation must leave no doubt which thing is meant. So look-alikes of its target either
clearly do not stand in that relation, or the instruction is not given.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.instructions.memory import Memory
from backsight.records.vocabulary import RELATIONS

NEXT_TO_DOUBT_M = 1.0
"""Beyond this gap nobody calls two things next to each other."""
NEAR_DOUBT_M = 2.5
"""Beyond this gap nobody calls two things near each other, and within it nobody calls them far apart."""
OVER_DOUBT_M = 0.4
"""Beyond this distance of centre and footprint nobody says above, below or under."""
ON_DOUBT_M = 0.15
"""As much of a footprint's surroundings may be called 'on' and 'inside'."""
STACKED_DOUBT_M = 0.5
"""What lies on a tray on a table lies on the table for some: up to this height."""

_Matrix = Bool[np.ndarray, "subjects anchors"]


def possible(memory: Memory, relation: str) -> _Matrix:
    """Return which subject could be said to be in a relation to which anchor, by the rule or by a looser eye.

    Args:
        memory: What has been seen.
        relation: A name of `vocabulary.RELATIONS`.
    """
    loose = _VIEWED.get(relation)
    wide = loose(_View(memory)) if loose is not None else _PLACED[relation](memory)
    possible = memory.relations[relation] | wide
    np.fill_diagonal(possible, False)
    return possible


class _View:
    """Things as the camera of the current frame sees them from above."""

    def __init__(self, memory: Memory) -> None:
        pose = memory.situation.world_from_viewer
        ahead = pose[[0, 2], 2] / max(float(np.linalg.norm(pose[[0, 2], 2])), 1e-9)
        corners = memory.measures.corners - pose[[0, 2], 3]
        corner_ahead, corner_right = corners @ ahead, corners @ np.array([-ahead[1], ahead[0]])
        self.ahead_m: Float64[np.ndarray, " things"] = corner_ahead.mean(axis=1)
        self.right_m: Float64[np.ndarray, " things"] = corner_right.mean(axis=1)
        direction = corner_right / np.maximum(corner_ahead, 0.2)
        self.first, self.last = direction.min(axis=1), direction.max(axis=1)
        self.middle = self.right_m / np.maximum(self.ahead_m, 0.2)
        self.in_view: Bool[np.ndarray, " things"] = self.ahead_m > 0.0


def _left(view: _View) -> _Matrix:
    """Ahead, and its centre left of the other's by eye or on the floor."""
    by_eye = view.middle[:, None] < view.middle[None, :]
    on_floor = view.right_m[:, None] < view.right_m[None, :]
    return view.in_view[:, None] & view.in_view[None, :] & (by_eye | on_floor)


def _in_front(view: _View) -> _Matrix:
    """Ahead, nearer, and the directions overlap."""
    overlap = (view.first[:, None] <= view.last[None, :]) & (view.first[None, :] <= view.last[:, None])
    nearer = view.ahead_m[:, None] < view.ahead_m[None, :]
    return view.in_view[:, None] & view.in_view[None, :] & overlap & nearer


def _over(memory: Memory) -> _Matrix:
    """Higher than the other's middle, and centre over or near it."""
    middle = (memory.measures.bottoms_m + memory.measures.tops_m) / 2
    aside = memory.measures.centre_to_footprint_m
    return (memory.measures.bottoms_m[:, None] > middle[None, :]) & (np.minimum(aside, aside.T) <= OVER_DOUBT_M)


def _on(memory: Memory) -> _Matrix:
    """Over or in the other, up to a stack's height."""
    bottom, top = memory.measures.bottoms_m, memory.measures.tops_m
    between = (bottom[:, None] > bottom[None, :]) & (bottom[:, None] < top[None, :] + STACKED_DOUBT_M)
    return between & (memory.measures.centre_to_footprint_m <= ON_DOUBT_M)


def _under(memory: Memory) -> _Matrix:
    """Below the other's top, and centre under or near it."""
    top = memory.measures.tops_m
    return (top[:, None] < top[None, :]) & (memory.measures.centre_to_footprint_m <= OVER_DOUBT_M)


def _outside(memory: Memory) -> _Matrix:
    """Not inside by the rule."""
    return ~memory.relations["inside"]


_VIEWED: dict[str, Callable[[_View], _Matrix]] = {
    "left of": _left,
    "right of": lambda view: _left(view).T,
    "in front of": _in_front,
    "behind": lambda view: _in_front(view).T,
}
_PLACED: dict[str, Callable[[Memory], _Matrix]] = {
    "next to": lambda memory: memory.measures.footprint_gaps_m < NEXT_TO_DOUBT_M,
    "on": _on,
    "above": _over,
    "below": lambda memory: _over(memory).T,
    "under": _under,
    "inside": _on,
    "outside": _outside,
    "near": lambda memory: memory.measures.surface_gaps_m < NEAR_DOUBT_M,
    "far from": lambda memory: memory.measures.surface_gaps_m > NEAR_DOUBT_M,
}


def all_possible(memory: Memory) -> dict[str, _Matrix]:
    """Return `possible` of every relation.

    Args:
        memory: What has been seen.
    """
    return {relation: possible(memory, relation) for relation in RELATIONS}
