"""The floor that a camera was carried over, from its heights and the rooms."""

import msgspec
import numpy as np
import pytest

from backsight.quality.routes import walked_way_m, way_claim_holds
from backsight.records.instruction import Step
from backsight.records.scene import OrientedBox, Room, SceneObject

CAMERA_M = 1.44
HALL = Room(1, "hallway", (0.0, 0.0, 9.0, 5.0), floor_m=0.0, height_m=2.61)
LOFT = Room(2, "bedroom", (0.0, 0.0, 9.0, 5.0), floor_m=2.89, height_m=2.61)


@pytest.mark.parametrize(
    "floors_m",
    [
        pytest.param((0.0,) * 7, id="one floor"),
        pytest.param((0.0, 0.0, 0.6, 1.2, *(1.45,) * 9, 1.6), id="mostly on a landing"),
        pytest.param((0.0, 0.0, 0.0, 0.7, 1.45, 2.2, *(2.89,) * 5), id="up to the next storey"),
        pytest.param((2.89,) * 6, id="upper storey only"),
    ],
)
def test_the_way_lies_on_the_floor(make_sequence, floors_m):
    poses = np.tile(np.eye(4), (len(floors_m), 1, 1))
    poses[:, 0, 3] = np.linspace(1.0, 6.0, len(floors_m))
    poses[:, 1, 3] = np.array(floors_m) + CAMERA_M
    poses[:, 2, 3] = 2.0
    annotations = msgspec.structs.replace(
        make_sequence().annotations,
        rooms=(HALL, LOFT),
        world_from_camera=tuple(tuple(pose.ravel().tolist()) for pose in poses),
    )
    way_m = walked_way_m(annotations, 1, len(poses) - 1)
    np.testing.assert_allclose(way_m[:, 1], floors_m[1:], atol=0.011)
    np.testing.assert_allclose(way_m[:, [0, 2]], poses[1:, [0, 2], 3])


DOOR_ABOVE = SceneObject(7, "door", 2, OrientedBox((3.0, 3.9, 2.0), (0.1, 2.0, 1.0)))
DOOR = SceneObject(8, "door", 1, OrientedBox((9.0, 1.0, 2.0), (0.1, 2.0, 1.0)))


@pytest.mark.parametrize(
    ("end_x_m", "in_doorway"),
    [(3.0, False), (8.6, False), (8.91, True), (9.1, True)],
    ids=["under a door", "before it", "on its near side", "on its far side"],
)
def test_a_walk_stops_in_a_doorway_or_in_a_room(make_sequence, end_x_m, in_doorway):
    annotations = msgspec.structs.replace(make_sequence().annotations, rooms=(HALL, LOFT), objects=(DOOR_ABOVE, DOOR))
    way_m = np.array([(1.0, 0.0, 2.0), (end_x_m, 0.0, 2.0)])
    doorway = Step("The walk ends in the doorway.", "stops_in_doorway", subject_id=8)
    room = Step("The walk ends in the hallway.", "stops_in_room", other_ids=(1,), word="hallway")
    held = [way_claim_holds(step, way_m, annotations, 0) for step in (doorway, room)]
    assert held == [in_doorway, not in_doorway]


def test_turns_on_stairs_that_are_never_left_are_found_though_the_height_of_the_camera_is_not_known(make_sequence):
    # Up, round a landing to the left, up: no frame stands on a floor of a room.
    way_m = np.array([(1.0, 0.6, 2.0), (3.0, 1.45, 2.0), (3.0, 1.45, 1.6), (3.0, 1.45, 0.6)])
    poses = np.tile(np.eye(4), (len(way_m), 1, 1))
    poses[:, :3, 3] = way_m + np.array([0.0, CAMERA_M, 0.0])
    annotations = msgspec.structs.replace(
        make_sequence().annotations,
        rooms=(HALL, LOFT),
        world_from_camera=tuple(tuple(pose.ravel().tolist()) for pose in poses),
    )
    read_m = walked_way_m(annotations, 0, len(poses) - 1)
    assert abs(read_m[0, 1] - way_m[0, 1]) > 0.3
    held = [
        way_claim_holds(Step("", "turns", word=word, number=2.0, points_m=((3.0, 1.45, 2.0),)), read_m, annotations, 0)
        for word in ("left", "right")
    ]
    assert held == [True, False]
