"""Furnished two-storey houses, each made from its seed alone."""

import numpy as np

from backsight.records.scene import Room
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.flats import room_light
from backsight.sim.embedded.scenes.furnish import furnish_room
from backsight.sim.embedded.scenes.house_plan import make_house_plan
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.placer import Placer
from backsight.sim.embedded.scenes.stairs import add_staircase
from backsight.sim.embedded.scenes.structure import add_structure

_PLAN_STREAM, _LOOK_STREAM, _FURNITURE_STREAM, _LIGHT_STREAM = range(4)


def build_house(seed: int) -> PackedScene:
    """Return the furnished house of a seed: two storeys of 3 to 5 rooms, closed against every ray.

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
    plan = make_house_plan(plan_rng)
    builder = MeshBuilder()
    look = Finishes(builder, look_rng)
    add_structure(builder, look, plan)
    add_staircase(builder, look, plan.stairs, (plan.hall_id, plan.landing_id))
    finishes = Finishes(builder, furniture_rng)
    for room in plan.rooms:
        furnish_room(Placer(builder, finishes, room))
    lights = tuple(room_light(light_rng, room) for room in plan.rooms)
    rooms = tuple(Room(room.room_id, room.room_type, room.rect, room.floor_m, room.height_m) for room in plan.rooms)
    return builder.pack(lights, rooms, plan.rooms[0].height_m)
