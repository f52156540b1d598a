"""The lamps of a Habitat scene under another lighting."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.sim.simulator import Lighting

WARMEST = 0.3
"""What red gains and blue loses at warmth 1."""


def lamp_colours(
    lamps: Sequence[dict[str, Any]], rooms: Sequence[Room], lighting: Lighting
) -> Float64[np.ndarray, "lamps 3"]:
    """Return the colours of a scene's lamps under a lighting, in their order.

    Args:
        lamps: 'vector' (x, y, z, w: a place where w is 1, a direction where it is 0), 'colour', and whether the place
            is 'in_world', not in the camera's or an object's frame.
        rooms: The scene's.
        lighting: The factors.

    Raises:
        UsageError: No lamps, an impossible factor, or a room that is to be dark without lamps of its own.
    """
    if not lamps:
        raise UsageError(
            "habitat: the scene is unlit (its colours are the scan's own); --habitat-lighting default lights it"
        )
    if not lighting.intensity > 0.0 or not -1.0 <= lighting.warmth <= 1.0:
        raise UsageError(
            f"habitat: intensity {lighting.intensity} must be positive, warmth {lighting.warmth} between -1 and 1"
        )
    tint = lighting.intensity * np.array([1.0 + WARMEST * lighting.warmth, 1.0, 1.0 - WARMEST * lighting.warmth])
    colours = np.array([lamp["colour"] for lamp in lamps], dtype=np.float64) * tint
    known = {room.room_id: room for room in rooms}
    for room_id in sorted(lighting.dark_rooms):
        if room_id not in known:
            raise UsageError(f"habitat: no room {room_id} to be dark; rooms are {sorted(known)}")
        inside = np.array([_is_in(lamp, known[room_id]) for lamp in lamps])
        if not inside.any():
            raise UsageError(f"habitat: room {room_id} has no lamp of its own that could be off")
        colours[inside] = 0.0
    return colours


def _is_in(lamp: dict[str, Any], room: Room) -> bool:
    x, y, z, w = lamp["vector"]
    low_x, low_z, high_x, high_z = room.bounds_m
    upright = room.floor_m <= y <= room.floor_m + room.height_m
    return bool(lamp["in_world"] and w == 1.0 and low_x <= x <= high_x and low_z <= z <= high_z and upright)
