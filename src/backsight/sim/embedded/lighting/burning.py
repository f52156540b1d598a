"""How the lamps of a scene burn under a lighting that was asked for."""

import numpy as np
from jaxtyping import Float64, Int64

from backsight.records.errors import UsageError
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.simulator import Lighting

WARMEST = np.array([1.22, 1.0, 0.52])
"""Factor on a lamp's colour at warmth 1; at -1 it is divided by this."""
LAMP_SOFTNESS_M2 = 1.2
"""Larger: a lamp is less bright close by, as large shades are."""


def fall_off(squared_m2: Float64[np.ndarray, "*any"]) -> Float64[np.ndarray, "*any"]:
    """Return the light of a lamp of intensity 1 on what faces it, by squared distance: 1 at 2 m."""
    return (4.0 + LAMP_SOFTNESS_M2) / (squared_m2 + LAMP_SOFTNESS_M2)


def lamps_and_sky(
    scene: PackedScene, lighting: Lighting
) -> tuple[Float64[np.ndarray, "lamps 3"], Float64[np.ndarray, "3"]]:
    """Return the linear colours of a scene's lamps, in their order, and of the light from outside.

    Args:
        scene: as it was built.
        lighting: what to make of it.

    Raises:
        UsageError: an intensity that is not positive and finite, a warmth outside [-1, 1], or a room that is not there.
    """
    if not 0.0 < lighting.intensity < float("inf"):
        raise UsageError(f"lighting: intensity is {lighting.intensity}: give a positive number")
    if not -1.0 <= lighting.warmth <= 1.0:
        raise UsageError(f"lighting: warmth is {lighting.warmth}: give a number from -1 (bluish) to 1 (yellowish)")
    strangers = lighting.dark_rooms - {room.room_id for room in scene.rooms}
    if strangers:
        raise UsageError(
            f"lighting: no rooms {sorted(strangers)}; rooms are {sorted(room.room_id for room in scene.rooms)}"
        )
    colours = np.array([light.colour for light in scene.lights], dtype=np.float64).reshape(-1, 3)
    burns = np.array([light.room_id not in lighting.dark_rooms for light in scene.lights], dtype=bool)
    colours = colours * lighting.intensity * WARMEST**lighting.warmth * burns[:, None]
    return colours, np.array(scene.sky, dtype=np.float64) * lighting.intensity


def lamps_by_room(scene: PackedScene) -> tuple[Int64[np.ndarray, " lamps"], Int64[np.ndarray, " lamps"]]:
    """Return the order in which the device holds a scene's lamps, and the index of each one's room in that order."""
    slot_of_room = {room.room_id: slot for slot, room in enumerate(scene.rooms)}
    slots = np.array([slot_of_room[lamp.room_id] for lamp in scene.lights], dtype=np.int64)
    order = np.argsort(slots, kind="stable")
    return order, slots[order]
