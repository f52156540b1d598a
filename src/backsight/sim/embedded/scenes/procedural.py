"""Procedural scenes: from an id to a furnished place, as arrays or as a description."""

from dataclasses import dataclass

import numpy as np

from backsight.sim.embedded.packed import PackedScene, RoomLight
from backsight.sim.embedded.scenes.description import SceneDescription, describe_built, room_record
from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import PlanRoom, make_plan
from backsight.sim.embedded.scenes.house_plan import HousePlan, make_house_plan
from backsight.sim.embedded.scenes.lamps import SKY, add_ceiling_lamps, room_lamps
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.placer import Placer, Style
from backsight.sim.embedded.scenes.recipes.furnish import furnish_room
from backsight.sim.embedded.scenes.room_plan import SHAPES, plan_room
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES, SceneId
from backsight.sim.embedded.scenes.stairs import add_staircase
from backsight.sim.embedded.scenes.structure import add_structure

_PLAN_STREAM, _LOOK_STREAM, _FURNITURE_STREAM, _LIGHT_STREAM = range(4)


@dataclass(frozen=True)
class _Furnished:
    builder: MeshBuilder
    rooms: tuple[PlanRoom, ...]
    lamps: tuple[RoomLight, ...]
    sky: tuple[float, float, float]

    @property
    def ceiling_m(self) -> float:
        return max(room.height_m for room in self.rooms)


def build_scene(scene_id: SceneId) -> PackedScene:
    """Return the furnished scene of an id, closed against every ray; equal ids give equal scenes."""
    made = _furnish(scene_id)
    return made.builder.pack(made.lamps, tuple(room_record(room) for room in made.rooms), made.ceiling_m, made.sky)


def describe_scene(scene_id: SceneId) -> SceneDescription:
    """Return the scene of an id as a value; `build_described` makes the same arrays of it as `build_scene`."""
    made = _furnish(scene_id)
    return describe_built(made.builder, str(scene_id), made.rooms, made.lamps, made.ceiling_m, made.sky)


def _furnish(scene_id: SceneId) -> _Furnished:
    kind = SCENE_TYPES.index(scene_id.scene_type)
    plan_rng, look_rng, furniture_rng, light_rng = (
        np.random.default_rng([scene_id.seed, kind, stream])
        for stream in (_PLAN_STREAM, _LOOK_STREAM, _FURNITURE_STREAM, _LIGHT_STREAM)
    )
    plan = _plan(scene_id, plan_rng)
    rooms = plan.rooms if isinstance(plan, HousePlan) else plan
    builder = MeshBuilder()
    look = Finishes(builder, look_rng)
    add_structure(builder, look, rooms, scene_id.textures)
    if isinstance(plan, HousePlan):
        add_staircase(builder, look, plan.stairs, (plan.hall_id, plan.landing_id))
    finishes = Finishes(builder, furniture_rng)
    style = Style(scene_id.clutter, scene_id.textures)
    for room in rooms:
        furnish_room(Placer(builder, finishes, room, style))
    lamps = tuple(lamp for room in rooms for lamp in room_lamps(light_rng, room, scene_id.lighting))
    add_ceiling_lamps(builder, rooms, lamps)
    return _Furnished(builder, rooms, lamps, SKY[scene_id.lighting])


def _plan(scene_id: SceneId, rng: np.random.Generator) -> tuple[PlanRoom, ...] | HousePlan:
    if scene_id.scene_type == "two_storey_house":
        return make_house_plan(rng)
    if scene_id.scene_type == "flat":
        return make_plan(rng).rooms
    return plan_room(rng, SHAPES[scene_id.scene_type])
