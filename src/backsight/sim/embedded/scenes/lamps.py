"""How many lamps a room has, where they hang and how they burn."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backsight.sim.embedded.lighting.burning import fall_off
from backsight.sim.embedded.packed import DAYLIGHT, RoomLight
from backsight.sim.embedded.scenes.floor_plan import PlanRoom
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.piece import POLE, ROUND_10, Piece, Vector
from backsight.sim.embedded.scenes.scene_id import LightingChoice

_REACH_M = 4.6
"""Edge of the floor that one lamp lights."""
_BELOW_CEILING_M = 0.25
_FLOOR_LIGHT = 0.36
"""Mean light from its lamps on the floor of an empty room, at strength 1: small rooms have weak lamps, halls strong."""
_EXTRA = {"library": 2.1, "warehouse": 1.9, "shop": 1.6}
"""Factor where high racks stand in the way of the lamps."""
_BODY_RADIUS_M, _BODY_HEIGHT_M = 0.2, 0.09
_ABOVE_ORIGIN_M = 0.001
BODY_GLOW = 1.3
"""`Material.glow` of lamp bodies: about white when the lamp burns."""
_HIGHEST_M = 4.2
"""Lamps of high halls hang down to this height above the floor."""

_STRENGTH_AND_WARMTH: dict[LightingChoice, tuple[tuple[float, float], tuple[float, float]]] = {
    "mixed": ((0.75, 1.2), (-0.06, 0.22)),
    "day": ((0.4, 0.5), (-0.04, 0.06)),
    "evening": ((0.7, 0.9), (0.25, 0.4)),
    "bright": ((1.3, 1.45), (-0.06, 0.02)),
    "dim": ((0.28, 0.38), (0.0, 0.2)),
}
"""Ranges per choice; warmth 0 is white."""

SKY: dict[LightingChoice, tuple[float, float, float]] = {
    "mixed": DAYLIGHT,
    "day": (17.0, 17.6, 18.6),
    "evening": (0.3, 0.4, 0.7),
    "bright": (12.5, 13.0, 13.8),
    "dim": (2.2, 2.4, 2.8),
}
"""`PackedScene.sky` per choice."""


def room_lamps(rng: np.random.Generator, room: PlanRoom, choice: LightingChoice) -> list[RoomLight]:
    """Return the lamps under a room's ceiling: one, or a grid of them where the room is large.

    Args:
        rng: source of randomness.
        room: of the plan.
        choice: how they burn.
    """
    x0, z0, x1, z1 = room.rect
    columns, rows = (max(1, math.ceil(span / _REACH_M - 0.35)) for span in (x1 - x0, z1 - z0))
    strengths, warmths = _STRENGTH_AND_WARMTH[choice]
    strength, warmth = rng.uniform(*strengths), rng.uniform(*warmths)
    height = room.floor_m + min(room.height_m - _BELOW_CEILING_M, _HIGHEST_M)
    jitter_x, jitter_z = rng.uniform(-0.1, 0.1, 2)
    places = [
        (
            float(x0 + (column + 0.5 + jitter_x) / columns * (x1 - x0)),
            float(height),
            float(z0 + (row + 0.5 + jitter_z) / rows * (z1 - z0)),
        )
        for row in range(rows)
        for column in range(columns)
    ]
    places = [_beside_opening(place, room) for place in places]
    strength *= _FLOOR_LIGHT * _EXTRA.get(room.room_type, 1.0) / _light_on_floor(room, places)
    red, green, blue = (float(strength * share) for share in (1.0 + 0.4 * warmth, 1.0, 1.0 - warmth))
    return [RoomLight(room.room_id, place, (red, green, blue)) for place in places]


def _beside_opening(place: Vector, room: PlanRoom) -> Vector:
    """Return a lamp's place, moved the shortest way out of the opening for stairs where it would hang in that."""
    hole, margin = room.ceiling_hole, _BODY_RADIUS_M + 0.1
    if hole is None:
        return place
    x, y, z = place
    x0, z0, x1, z1 = hole[0] - margin, hole[1] - margin, hole[2] + margin, hole[3] + margin
    if not (x0 < x < x1 and z0 < z < z1):
        return place
    left, back, right, front = room.rect
    inside = [
        (moved_x, moved_z)
        for moved_x, moved_z in ((x0, z), (x1, z), (x, z0), (x, z1))
        if left + margin <= moved_x <= right - margin and back + margin <= moved_z <= front - margin
    ]
    if not inside:
        return place
    nearest = min(inside, key=lambda moved: abs(moved[0] - x) + abs(moved[1] - z))
    return (nearest[0], y, nearest[1])


def _light_on_floor(room: PlanRoom, places: Sequence[Vector]) -> float:
    """Return the mean light on a room's bare floor from lamps of intensity 1 at some places."""
    x0, z0, x1, z1 = room.rect
    x, z = np.meshgrid(np.linspace(x0, x1, 13), np.linspace(z0, z1, 13))
    light = np.zeros_like(x)
    for at in places:
        height = at[1] - room.floor_m
        squared = (x - at[0]) ** 2 + (z - at[2]) ** 2 + height**2
        light += height / np.sqrt(squared) * fall_off(squared)
    return float(light.mean())


def add_ceiling_lamps(builder: MeshBuilder, rooms: Sequence[PlanRoom], lamps: Sequence[RoomLight]) -> None:
    """Add the bodies of lamps: flat drums under the ceiling, hung on rods in high halls.

    Args:
        builder: receives them, as parts of the ceiling.
        rooms: of the plan.
        lamps: of these rooms.
    """
    white = builder.material((0.97, 0.96, 0.93), glow=BODY_GLOW)
    metal = builder.material((0.5, 0.5, 0.51), gloss=0.4)
    top_of_room = {room.room_id: room.floor_m + room.height_m for room in rooms}
    for lamp in lamps:
        x, y, z = lamp.position_m
        rod_m = top_of_room[lamp.room_id] - y - _BELOW_CEILING_M
        body = Piece("ceiling")
        # What stands on a floor has no lower cap, so the drum begins a little above its origin; and where it meets the
        # ceiling it has no upper one, which would lie in the ceiling's own plane.
        drum = replace(ROUND_10, top=rod_m > 0.01)
        base_m = (0.0, _ABOVE_ORIGIN_M, 0.0)
        body.frustum(base_m, (_BODY_RADIUS_M * 0.9, _BODY_RADIUS_M), _BODY_HEIGHT_M, white, shape=drum)
        if rod_m > 0.01:
            body.frustum((0.0, _ABOVE_ORIGIN_M + _BODY_HEIGHT_M, 0.0), (0.012, 0.012), rod_m, metal, shape=POLE)
        at = (x, y + _BELOW_CEILING_M - _BODY_HEIGHT_M - _ABOVE_ORIGIN_M, z)
        builder.add(body, at, 0.0, lamp.room_id)
