"""Storeys and rooms of a scan: from its side-car, else one room for each storey that the geometry shows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from backsight.records.errors import DataError
from backsight.records.scene import Room
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE
from backsight.sim.embedded.scans.levels import UPRIGHT, Faces, Slab, find_slabs, wall_top
from backsight.sim.embedded.scans.sidecar import SIDECAR_SUFFIX, Sidecar

LEAST_HEIGHT_M = 1.8
"""Clear height from which people walk on a level."""
LEAST_AREA_M2 = 1.0
_WALLS_ABOVE = 0.25
"""A level is a floor when upright faces above it have this share of what there is above the lowest one."""
_BELOW_FLOOR_M = 0.3
"""Faces this far below a floor still belong to its storey."""


@dataclass(frozen=True)
class Storey:
    """A floor and the room above it."""

    floor_m: float
    height_m: float


def find_storeys(path: Path, faces: Faces, sidecar: Sidecar) -> tuple[list[Storey], list[str]]:
    """Return the storeys of a scene, lowest first, and what was guessed.

    Args:
        path: Named in errors.
        faces: In the world frame.
        sidecar: May give the floors' heights.

    Raises:
        DataError: There is no floor.
    """
    slabs = find_slabs(faces)
    if sidecar.floors_m:
        floors = list(sidecar.floors_m)
        return [Storey(floor, _clear_height_m(faces, slabs, floor)) for floor in floors], []
    storeys = []
    for index, slab in enumerate(slabs):
        height_m = (
            slabs[index + 1].bottom - slab.top if index + 1 < len(slabs) else wall_top(faces, slab.top) - slab.top
        )
        if height_m < LEAST_HEIGHT_M or _floor_area_m2(faces, slab.top) < LEAST_AREA_M2:
            continue
        if storeys and _upright_area(faces, slab.top) < _WALLS_ABOVE * _upright_area(faces, storeys[0].floor_m):
            continue
        storeys.append(Storey(slab.top, height_m))
    if not storeys:
        problem = "no floor: nowhere does a level surface cover the ground plan with room to stand above it"
        advice = f"is the up axis right? give up, metres_per_unit or floors_m in {path.name}{SIDECAR_SUFFIX}"
        raise DataError(path, "floor", problem, advice)
    found = ", ".join(f"{storey.floor_m:.2f} m (clear height {storey.height_m:.2f} m)" for storey in storeys)
    return storeys, [f"floors found at {found}"]


def _floor_area_m2(faces: Faces, floor_m: float) -> float:
    return float(faces.area[faces.is_level & (np.abs(faces.height - floor_m) < 0.1)].sum())


def _clear_height_m(faces: Faces, slabs: list[Slab], floor_m: float) -> float:
    above = [slab.bottom - floor_m for slab in slabs if slab.bottom - floor_m >= LEAST_HEIGHT_M]
    return above[0] if above else max(wall_top(faces, floor_m) - floor_m, LEAST_HEIGHT_M)


def _upright_area(faces: Faces, floor_m: float) -> float:
    """Return the area of upright faces between knee and head above a floor."""
    upright = np.abs(faces.normal[:, 1]) <= UPRIGHT
    heights = faces.corners[upright, :, 1]
    low, high = floor_m + 0.4, floor_m + LEAST_HEIGHT_M
    reach = np.minimum(heights.max(axis=1), high) - np.maximum(heights.min(axis=1), low)
    tall = np.maximum(heights.max(axis=1) - heights.min(axis=1), 1e-9)
    return float((faces.area[upright] * np.clip(reach / tall, 0.0, 1.0)).sum())


def make_rooms(path: Path, faces: Faces, storeys: list[Storey], sidecar: Sidecar) -> tuple[tuple[Room, ...], list[str]]:
    """Return the rooms, numbered from 1, and what was guessed.

    Args:
        path: Named in errors.
        faces: In the world frame.
        storeys: As `find_storeys` returns them.
        sidecar: May give the rooms.

    Raises:
        DataError: A room of the side-car lies on no storey.
    """
    if sidecar.rooms:
        return tuple(_given_rooms(path, storeys, sidecar)), []
    rooms = []
    for index, storey in enumerate(storeys):
        near = np.abs(faces.height - storey.floor_m) < 0.15
        on_floor = faces.corners[near & faces.is_level]
        flat = (on_floor if len(on_floor) else faces.corners).reshape(-1, 3)
        (low_x, _, low_z), (high_x, _, high_z) = flat.min(axis=0).tolist(), flat.max(axis=0).tolist()
        bounds = (low_x, low_z, high_x, high_z)
        rooms.append(Room(index + 1, UNNAMED_ROOM_TYPE, bounds, storey.floor_m, storey.height_m))
    note = f"each storey is one room: give rooms in {path.name}{SIDECAR_SUFFIX} to tell them apart"
    return tuple(rooms), [note]


def _given_rooms(path: Path, storeys: list[Storey], sidecar: Sidecar) -> list[Room]:
    rooms = []
    for index, given in enumerate(sidecar.rooms):
        nearest = min(storeys, key=lambda storey: abs(storey.floor_m - given.floor_m))
        if abs(nearest.floor_m - given.floor_m) > 1.0:
            floors = ", ".join(f"{storey.floor_m:.2f}" for storey in storeys)
            problem = f"is {given.floor_m:g}, floors are at {floors} m"
            raise DataError(f"{path}{SIDECAR_SUFFIX}", f"rooms[{index}].floor_m", problem, "or give floors_m")
        height_m = nearest.height_m if given.height_m is None else given.height_m
        rooms.append(Room(index + 1, given.room_type, given.bounds_m, nearest.floor_m, height_m))
    return rooms


def room_indices(points_m: Float64[np.ndarray, "points 3"], rooms: tuple[Room, ...]) -> Int64[np.ndarray, " points"]:
    """Return for each point the index of the room that it lies in or nearest to, on its storey.

    Args:
        points_m: World frame.
        rooms: All of the scene.
    """
    floors = np.array(sorted({room.floor_m for room in rooms}))
    storey = np.maximum(np.searchsorted(floors, points_m[:, 1] + _BELOW_FLOOR_M, side="right") - 1, 0)
    away = np.full((len(points_m), len(rooms)), np.inf)
    for index, room in enumerate(rooms):
        low_x, low_z, high_x, high_z = room.bounds_m
        x, z = points_m[:, 0], points_m[:, 2]
        outside_x = np.maximum(np.maximum(low_x - x, x - high_x), 0.0)
        outside_z = np.maximum(np.maximum(low_z - z, z - high_z), 0.0)
        away[:, index] = np.where(floors[storey] == room.floor_m, np.hypot(outside_x, outside_z), np.inf)
    return np.argmin(away, axis=1)
