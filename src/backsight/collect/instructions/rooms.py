"""Which room a point of the floor lies in."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from backsight.records.scene import Room

NO_ROOM = 0
"""Between rooms, as in a doorway, or outside of all."""
BELOW_FLOOR_M, UNDER_CEILING_M = 0.3, 0.5
"""How far under its floor a point still belongs to a room, and how far under its ceiling no longer."""


def rooms_of(points_m: Float64[np.ndarray, "points 3"], rooms: Sequence[Room]) -> Int64[np.ndarray, " points"]:
    """Return the room of each point, the highest that fits; `NO_ROOM` where none does.

    Args:
        points_m: On the floor, world frame.
        rooms: Of the scene.
    """
    found = np.full(len(points_m), NO_ROOM, dtype=np.int64)
    x, y, z = points_m[:, 0], points_m[:, 1], points_m[:, 2]
    for room in sorted(rooms, key=lambda one: (one.floor_m, one.room_id)):
        low_x, low_z, high_x, high_z = room.bounds_m
        inside = (x >= low_x) & (x <= high_x) & (z >= low_z) & (z <= high_z)
        inside &= (y >= room.floor_m - BELOW_FLOOR_M) & (y <= room.floor_m + room.height_m - UNDER_CEILING_M)
        found[inside] = room.room_id
    return found
