"""Objects and rooms of a scene, from what Habitat says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from backsight.records.errors import UsageError
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.vocabulary import UNNAMED_CATEGORY
from backsight.sim.backends.habitat.conversions import (
    box_of_extents,
    rotated,
    turned_xyzw,
    upright_box,
    yaw_xyzw,
)
from backsight.sim.backends.habitat.names import UNKNOWN_ROOM, category_of, room_type_of

LARGEST_ID = 65535
"""Instance maps are stored with 16 bits."""
CEILING_M = 2.6
"""Height of a room of which nothing says how high it is."""
_SMALLEST_ROOM_M = 0.3
_SAME_STOREY_M = 0.7
"""A region belongs to a storey whose floor is no farther from its own lower end."""


@dataclass(frozen=True)
class Storey:
    """A floor that can be walked on."""

    floor_m: float
    bounds_m: tuple[float, float, float, float]
    """min x, min z, max x, max z."""


@dataclass(frozen=True)
class RigidObject:
    """A thing that can be moved: the frame that Habitat moves, and its box in it."""

    object_id: int
    position_m: Float64[np.ndarray, "3"]
    rotation_xyzw: Float64[np.ndarray, "4"]
    local_centre_m: Float64[np.ndarray, "3"]
    half_size_m: Float64[np.ndarray, "3"]

    def box(self) -> OrientedBox:
        """Return the upright box around it."""
        centre_m = self.position_m + rotated(self.rotation_xyzw, self.local_centre_m)
        return upright_box(centre_m, self.half_size_m, self.rotation_xyzw)

    def moved(self, centre_m: Float64[np.ndarray, "3"], yaw_rad: float) -> "RigidObject":
        """Return the same thing with the centre and the yaw of its box elsewhere.

        Args:
            centre_m: World frame.
            yaw_rad: As boxes have it.
        """
        turn = yaw_xyzw(yaw_rad - self.box().yaw_rad)
        rotation_xyzw = turned_xyzw(turn, self.rotation_xyzw)
        position_m = centre_m - rotated(rotation_xyzw, self.local_centre_m)
        return RigidObject(self.object_id, position_m, rotation_xyzw, self.local_centre_m, self.half_size_m)


@dataclass(frozen=True)
class SceneTables:
    """What is in a scene."""

    objects: tuple[SceneObject, ...]
    rooms: tuple[Room, ...]
    rigid: dict[int, RigidObject]
    """Instance id to what can be moved."""
    labelled: int
    """Things that the data set lists."""
    unnamed: int
    """Those among them whose names stand for no category of ours."""
    boxless: int
    """Those that are left out since nothing says where they are."""


@dataclass(frozen=True)
class _Thing:
    instance_id: int
    category: str
    name: str | None
    region: int | None
    box: OrientedBox | None


def scene_tables(facts: dict[str, Any], storeys: Sequence[Storey]) -> SceneTables:
    """Return objects and rooms; each object is in a room.

    Args:
        facts: The worker's answer to 'load'.
        storeys: Floors by rising height, for rooms where the data set has none.

    Raises:
        UsageError: Ids beyond 16 bits.
    """
    rigid = {thing["semantic_id"]: _rigid_object(thing) for thing in facts["rigid_objects"]}
    listed = [_labelled(thing) for thing in facts["objects"] if thing["semantic_id"] > 0]
    listed += [_rigid_thing(thing, rigid[thing["semantic_id"]]) for thing in facts["rigid_objects"]]
    highest = max((thing.instance_id for thing in listed), default=0)
    if highest > LARGEST_ID:
        raise UsageError(f"habitat: the scene has an object with id {highest}; at most {LARGEST_ID} can be stored")
    rooms = _region_rooms(facts["regions"], listed, storeys) or _storey_rooms(storeys)
    objects = tuple(
        SceneObject(
            thing.instance_id, thing.category, _room_of(thing.region, thing.box, rooms), thing.box, name=thing.name
        )
        for thing in sorted(listed, key=lambda thing: thing.instance_id)
        if thing.box is not None
    )
    return SceneTables(
        objects=objects,
        rooms=tuple(room for _, room in rooms),
        rigid={thing.instance_id: rigid[thing.instance_id] for thing in objects if thing.instance_id in rigid},
        labelled=len(listed),
        unnamed=sum(thing.category == UNNAMED_CATEGORY for thing in objects),
        boxless=len(listed) - len(objects),
    )


def _labelled(thing: dict[str, Any]) -> _Thing:
    names = thing["names"]
    return _Thing(thing["semantic_id"], category_of(names), names[0] if names else None, thing["region"], _box(thing))


def _box(thing: dict[str, Any]) -> OrientedBox | None:
    """Return an object's box: the oriented one where it is one, else the axis-aligned, None where both are empty."""
    oriented, plain = thing["oriented_box"], thing["box"]
    half_size_m, rotation_xyzw = np.array(oriented["half_size"]), np.array(oriented["rotation_xyzw"])
    if np.abs(half_size_m).max() > 0.0 and np.linalg.norm(rotation_xyzw) > 0.5:
        return upright_box(np.array(oriented["centre"]), half_size_m, rotation_xyzw)
    if np.abs(plain["size"]).max() > 0.0:
        return box_of_extents(np.array(plain["centre"]), np.array(plain["size"]))
    return None


def _rigid_object(thing: dict[str, Any]) -> RigidObject:
    return RigidObject(
        object_id=thing["object_id"],
        position_m=np.array(thing["position"]),
        rotation_xyzw=np.array(thing["rotation_xyzw"]),
        local_centre_m=np.array(thing["local_box"]["centre"]),
        half_size_m=np.abs(thing["local_box"]["size"]) / 2.0,
    )


def _rigid_thing(thing: dict[str, Any], rigid: RigidObject) -> _Thing:
    name = thing["handle"].rsplit("/", 1)[-1]
    # Handles are the template's file name and a counter: 'chair_01_:0003'.
    plain = name.split("_:", 1)[0].split(".", 1)[0]
    return _Thing(thing["semantic_id"], category_of([plain]), plain, None, rigid.box())


def _region_rooms(
    regions: Sequence[dict[str, Any]], things: Sequence[_Thing], storeys: Sequence[Storey]
) -> list[tuple[int | None, Room]]:
    """Return number of the region and room for each region that has an extent of its own or of its objects."""
    rooms: list[tuple[int | None, Room]] = []
    for number, region in enumerate(regions):
        inside = [thing for thing in things if thing.region == number]
        centre_m, size_m = np.array(region["box"]["centre"]), np.abs(region["box"]["size"])
        low_m, high_m = centre_m - size_m / 2, centre_m + size_m / 2
        boxes = [thing.box for thing in inside if thing.box is not None]
        if min(size_m[0], size_m[2]) < _SMALLEST_ROOM_M and boxes:
            corners = np.concatenate([box.corners_m() for box in boxes])
            low_m, high_m = corners.min(axis=0), corners.max(axis=0)
        if min(high_m[0] - low_m[0], high_m[2] - low_m[2]) < _SMALLEST_ROOM_M:
            continue
        room_type = room_type_of(region["name"], [thing.category for thing in inside])
        floor_m = _floor_near(float(low_m[1]), storeys)
        height_m = float(high_m[1]) - floor_m
        bounds_m = (float(low_m[0]), float(low_m[2]), float(high_m[0]), float(high_m[2]))
        height_m = height_m if height_m > 1.0 else CEILING_M
        rooms.append((number, Room(number + 1, room_type, bounds_m, floor_m, height_m)))
    return rooms


def _floor_near(height_m: float, storeys: Sequence[Storey]) -> float:
    floors_m = [storey.floor_m for storey in storeys]
    nearest = min(floors_m, key=lambda floor_m: abs(floor_m - height_m), default=height_m)
    return nearest if abs(nearest - height_m) <= _SAME_STOREY_M else height_m


def _storey_rooms(storeys: Sequence[Storey]) -> list[tuple[int | None, Room]]:
    """Return one room per storey, up to the next one's floor."""
    rooms: list[tuple[int | None, Room]] = []
    for number, storey in enumerate(storeys):
        above_m = storeys[number + 1].floor_m - storey.floor_m if number + 1 < len(storeys) else CEILING_M
        # What stands on a whole storey does not tell of one use.
        rooms.append((None, Room(number + 1, UNKNOWN_ROOM, storey.bounds_m, storey.floor_m, above_m)))
    return rooms


def _room_of(region: int | None, box: OrientedBox, rooms: Sequence[tuple[int | None, Room]]) -> int:
    """Return the room of a thing's region, else the one that its box's centre is in or nearest to."""
    for number, room in rooms:
        if number is not None and number == region:
            return room.room_id
    if not rooms:
        raise UsageError("habitat: the scene has objects but neither regions nor a floor that can be walked on")
    centre_m = np.array(box.centre_m)

    def outside_m(room: Room) -> float:
        low_m = np.array([room.bounds_m[0], room.floor_m, room.bounds_m[1]])
        high_m = np.array([room.bounds_m[2], room.floor_m + room.height_m, room.bounds_m[3]])
        return float(np.linalg.norm(np.maximum(np.maximum(low_m - centre_m, centre_m - high_m), 0.0)))

    return min((room for _, room in rooms), key=outside_m).room_id
