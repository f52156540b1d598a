import dataclasses

import msgspec
import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.sim.survey import EYE_M, YAWS, Survey, choose_views, survey_scene


def survey(shares, close=None, positions=None, yaws=None):
    shares = np.array(shares, dtype=np.float64)
    views, things = shares.shape
    positions = [(5.0 * i, EYE_M, 0.0) for i in range(views)] if positions is None else positions
    yaws = [0.0] * views if yaws is None else yaws
    poses = np.stack([look_pose(np.array(p), yaw) for p, yaw in zip(positions, yaws, strict=True)])
    objects = tuple(
        SceneObject(i + 1, "chair", 1, OrientedBox((0.0, 0.5, 0.0), (0.5, 1.0, 0.5))) for i in range(things)
    )
    close = np.zeros(views) if close is None else np.array(close, dtype=np.float64)
    return Survey(poses, np.ones(views, dtype=np.int64), objects, shares, close, np.full(views, 3.0))


def test_views_are_from_standing_height_in_the_room_and_see_its_things(box_room_survey):
    found = box_room_survey
    eye = found.world_from_camera[:, :3, 3]
    assert len(eye) % YAWS == 0
    assert len(np.unique(eye, axis=0)) == len(eye) // YAWS >= 6
    assert (eye[:, 1] == EYE_M).all()
    assert (eye[:, [0, 2]] > 0.4).all()
    assert (eye[:, 0] < 4.6).all()
    assert (eye[:, 2] < 3.6).all()
    assert [thing.category for thing in found.things] == ["chair", "chair", "table", "plant"]
    assert found.shown.any(axis=0).all()
    assert ((found.close >= 0.0) & (found.close <= 1.0)).all()


def test_a_view_knows_its_room(box_room_simulator):
    hall = box_room_simulator.rooms[0]
    left = msgspec.structs.replace(hall, room_id=4, bounds_m=(0.0, 0.0, 1.5, 4.0))
    right = msgspec.structs.replace(hall, room_id=2, bounds_m=(1.5, 0.0, 5.0, 4.0))
    two = type(box_room_simulator)(box_room_simulator.objects, (left, right), box_room_simulator._cast)
    found = survey_scene(two)
    np.testing.assert_array_equal(found.room_ids == 4, found.world_from_camera[:, 0, 3] < 1.5)
    assert set(found.room_ids.tolist()) == {2, 4}


def test_shares_are_those_of_the_picture(box_room_simulator, box_room_survey):
    found = box_room_survey
    best = int(np.argmax(found.shares.sum(axis=1)))
    pose = found.world_from_camera[best : best + 1]
    intrinsics = np.array([[32 / np.tan(np.radians(39.5)), 0, 32], [0, 32 / np.tan(np.radians(39.5)), 24], [0, 0, 1]])
    seen = box_room_simulator.render(pose, intrinsics, 64, 48)
    for column, thing in enumerate(found.things):
        assert found.shares[best, column] == (seen.instance_ids == thing.instance_id).mean()
    assert found.close[best] == (seen.depth_m < 0.9).mean()
    assert found.depth_m[best] == pytest.approx(seen.depth_m.mean())


def test_the_same_scene_gives_the_same_views(box_room_simulator, box_room_survey):
    first, second = box_room_survey, survey_scene(box_room_simulator)
    np.testing.assert_array_equal(first.world_from_camera, second.world_from_camera)
    assert choose_views(first, 4) == choose_views(second, 4)
    assert len(set(choose_views(first, 4))) == 4


def test_a_room_that_nobody_fits_in_is_passed_over_and_a_scene_of_such_is_refused(box_room_simulator, box_room_survey):
    shaft = Room(7, "room", (0.0, 0.0, 0.5, 0.5))
    hall = box_room_simulator.rooms[0]
    both = type(box_room_simulator)(box_room_simulator.objects, (shaft, hall), box_room_simulator._cast)
    assert len(survey_scene(both).world_from_camera) == len(box_room_survey.world_from_camera)
    alone = type(box_room_simulator)(box_room_simulator.objects, (shaft,), box_room_simulator._cast)
    with pytest.raises(UsageError, match="no room that an agent can stand in"):
        survey_scene(alone)


def test_the_first_view_shows_most_and_the_next_what_is_new():
    found = survey([[0.05, 0.05, 0.0, 0.0], [0.05, 0.05, 0.05, 0.0], [0.05, 0.05, 0.05, 0.0], [0.0, 0.0, 0.0, 0.3]])
    assert choose_views(found, 2) == (1, 3)


def test_one_large_thing_does_not_outweigh_several():
    assert choose_views(survey([[0.9, 0.0, 0.0], [0.02, 0.02, 0.0]]), 1) == (1,)


def test_what_is_hardly_visible_does_not_count():
    assert choose_views(survey([[0.0029, 0.0029, 0.0029], [0.0, 0.0, 0.0031]]), 1) == (1,)


def test_a_view_against_a_wall_counts_less():
    assert choose_views(survey([[0.05, 0.05], [0.05, 0.0]], close=[0.3, 0.0]), 1) == (1,)


def test_a_view_that_ends_at_a_near_wall_counts_less():
    found = survey([[0.05, 0.05], [0.05, 0.045]])
    assert choose_views(found, 1) == (0,)
    assert choose_views(dataclasses.replace(found, depth_m=np.array([1.2, 3.0])), 1) == (1,)


def test_later_views_are_from_other_rooms_and_storeys():
    shares = [[0.06, 0.06, 0.06, 0.0], [0.06, 0.06, 0.0, 0.06], [0.06, 0.0, 0.0, 0.06]]
    found = dataclasses.replace(survey(shares), room_ids=np.array([3, 3, 5]))
    assert choose_views(found, 3) == (0, 2, 1)
    assert choose_views(found, 3, (3,)) == (0, 1, 2)
    upstairs = survey(shares, None, [(0.0, EYE_M, 0.0), (5.0, EYE_M, 0.0), (5.0, 3.0 + EYE_M, 0.0)])
    assert choose_views(upstairs, 3) == (0, 2, 1)
    assert choose_views(survey(shares), 3) == (0, 1, 2)


def test_views_from_other_rooms_count_half():
    found = dataclasses.replace(survey([[0.06, 0.06], [0.06, 0.01]]), room_ids=np.array([3, 5]))
    assert choose_views(found, 1) == (0,)
    assert choose_views(found, 1, (5,)) == (1,)
    assert choose_views(found, 1, (3,)) == (0,)


def test_a_view_of_the_same_place_and_direction_is_not_repeated():
    shares = [[0.05, 0.05, 0.05], [0.05, 0.05, 0.049], [0.05, 0.0, 0.0]]
    positions = [(0.0, EYE_M, 0.0), (0.7, EYE_M, 0.0), (0.7, EYE_M, 0.0)]
    assert choose_views(survey(shares, None, positions, [0.0, 0.3, 2.0]), 2) == (0, 2)
    assert choose_views(survey(shares, None, positions, [0.0, 0.3, 0.1]), 3) == (0, 1, 2)
    positions = [(0.0, EYE_M, 0.0), (0.5, EYE_M, 0.0), (0.7, EYE_M, 0.0)]
    assert choose_views(survey(shares, None, positions, [0.0, 2.0, 2.0]), 2) == (0, 2)


def test_no_more_views_than_there_are_and_empty_scenes_have_views_too():
    found = survey([[0.05], [0.0]])
    assert sorted(choose_views(found, 5)) == [0, 1]
    bare = dataclasses.replace(survey([[0.0], [0.0]], close=[0.2, 0.0]), things=(), shares=np.zeros((2, 0)))
    assert choose_views(bare, 1) == (1,)
