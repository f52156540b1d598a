"""What a contact sheet shows of a scene: its best views, its storeys from above, its counts."""

import numpy as np

from backsight.evaluate.report.floor_map import StoreyPlan
from backsight.evaluate.report.scene_sheet import SceneCard, cells_of_maps
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.scene import Room, SceneObject
from backsight.records.scene_statistics import SceneStatistics
from backsight.sim.simulator import Simulator
from backsight.sim.survey import EYE_M, HFOV_DEG, Survey, choose_views

_SLAB_M = 0.4
"""What begins so little below a storey's floor, its slab and its rugs, belongs to it."""


def make_card(
    simulator: Simulator, statistics: SceneStatistics, survey: Survey, cells: int, width_px: int, height_px: int
) -> SceneCard:
    """Return the row of a contact sheet for the loaded scene.

    Args:
        simulator: With the scene loaded.
        statistics: Of that scene.
        survey: Of that scene; the views are chosen from it.
        cells: Pictures of the row, maps included.
        width_px: Of a picture.
        height_px: Of a picture.
    """
    floors_m = simulator.navigation.floors_m
    wanted = cells - cells_of_maps(len(floors_m), cells)
    named = statistics.scene_type.replace("_", " ")
    main_rooms = [room.room_id for room in simulator.rooms if room.room_type == named]
    chosen = choose_views(survey, wanted, main_rooms)
    poses = survey.world_from_camera[list(chosen)]
    # A scene with too few places repeats its last view rather than leave a cell empty.
    poses = np.concatenate([poses, np.repeat(poses[-1:], wanted - len(poses), axis=0)])
    intrinsics = intrinsics_from_hfov(width_px, height_px, HFOV_DEG)
    rgb = simulator.render(poses, intrinsics, width_px, height_px).rgb
    cameras = [(number, pose) for number, pose in enumerate(poses[: len(chosen)], start=1)]
    storeys = []
    for floor in range(len(floors_m)):
        free, corner_m, cell_m = simulator.navigation.top_down_map(floor)
        here = [(number, pose) for number, pose in cameras if storey_of(float(pose[1, 3]) - EYE_M, floors_m) == floor]
        rooms, objects = on_storey(simulator.rooms, simulator.objects, floors_m, floor)
        storeys.append(StoreyPlan(free, corner_m, cell_m, rooms, objects, tuple(here)))
    return SceneCard(statistics, tuple(rgb), tuple(storeys))


def storey_of(height_m: float, floors_m: tuple[float, ...]) -> int:
    """Return the highest storey whose floor is not above a height, its slab included; the lowest where there is none.

    Args:
        height_m: World frame.
        floors_m: Heights of the storeys' floors, rising.
    """
    below = [floor for floor, floor_m in enumerate(floors_m) if floor_m - _SLAB_M <= height_m]
    return below[-1] if below else 0


def on_storey(
    rooms: tuple[Room, ...], objects: tuple[SceneObject, ...], floors_m: tuple[float, ...], floor: int
) -> tuple[tuple[Room, ...], tuple[SceneObject, ...]]:
    """Return the rooms and objects whose lower side lies on a storey; ceilings and floors are left out.

    Args:
        rooms: Of the scene.
        objects: Of the scene.
        floors_m: Heights of the storeys' floors, rising.
        floor: Number of the storey.
    """
    own_rooms = tuple(room for room in rooms if storey_of(room.floor_m, floors_m) == floor)
    own_objects = tuple(
        thing
        for thing in objects
        if thing.category not in ("floor", "ceiling")
        and storey_of(thing.box.centre_m[1] - thing.box.size_m[1] / 2, floors_m) == floor
    )
    return own_rooms, own_objects
