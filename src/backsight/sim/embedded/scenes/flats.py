"""Furnished flats, each made from its seed alone."""

import numpy as np

from backsight.records.scene import Room
from backsight.sim.embedded.packed import PackedScene, RoomLight
from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import PlanRoom, make_plan
from backsight.sim.embedded.scenes.furnish import furnish_room
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.placer import Placer
from backsight.sim.embedded.scenes.structure import add_structure

_PLAN_STREAM, _LOOK_STREAM, _FURNITURE_STREAM, _LIGHT_STREAM = range(4)


def build_flat(seed: int) -> PackedScene:
    """Return the furnished flat of a seed: 3 to 6 rooms joined by doors, closed against every ray.

    Args:
        seed: not negative; equal seeds give equal scenes.

    Raises:
        ValueError: `seed` is negative.
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}: give a seed of 0 or more")
    plan_rng, look_rng, furniture_rng, light_rng = (
        np.random.default_rng([seed, stream])
        for stream in (_PLAN_STREAM, _LOOK_STREAM, _FURNITURE_STREAM, _LIGHT_STREAM)
    )
    plan = make_plan(plan_rng)
    ceiling_m = float(plan_rng.uniform(2.5, 2.8))
    for room in plan.rooms:
        room.height_m = ceiling_m
    builder = MeshBuilder()
    add_structure(builder, Finishes(builder, look_rng), plan)
    finishes = Finishes(builder, furniture_rng)
    for room in plan.rooms:
        furnish_room(Placer(builder, finishes, room))
    lights = tuple(room_light(light_rng, room) for room in plan.rooms)
    rooms = tuple(Room(room.room_id, room.room_type, room.rect, room.floor_m, room.height_m) for room in plan.rooms)
    return builder.pack(lights, rooms, ceiling_m)


def room_light(rng: np.random.Generator, room: PlanRoom) -> RoomLight:
    """Return a lamp near the middle of a room; warm to cool, weak to strong."""
    x0, z0, x1, z1 = room.rect
    x, z = rng.uniform(0.4, 0.6, 2)
    strength, warmth = rng.uniform(0.75, 1.2), rng.uniform(-0.06, 0.22)
    colour = (strength * (1.0 + 0.4 * warmth), strength, strength * (1.0 - warmth))
    position = (float(x0 + x * (x1 - x0)), room.floor_m + room.height_m - 0.25, float(z0 + z * (z1 - z0)))
    return RoomLight(room.room_id, position, (float(colour[0]), float(colour[1]), float(colour[2])))
