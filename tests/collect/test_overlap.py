import msgspec
import numpy as np

from backsight.collect.overlap import _slope_at, covisible_percent
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.covisibility import Label, View, covisibility_labels, depth_slope, moved_labels
from backsight.geometry.poses import look_pose
from backsight.records.scene import OrientedBox
from backsight.records.sequence import ObjectMotion

WIDTH, HEIGHT = 131, 97
INTRINSICS = intrinsics_from_hfov(WIDTH, HEIGHT, 79.0)


def turning_walk(frames=7):
    along = np.linspace(0.0, 1.0, frames)
    return np.stack([look_pose(np.array([1.0 + 2.5 * t, 1.2, 3.3 - t]), 0.9 - 2.0 * t, -0.2) for t in along])


def percent(labels, depth_m):
    return 100.0 * (labels == Label.COVISIBLE).sum() / max((depth_m > 0.0).sum(), 1)


def test_percentages_are_those_of_the_definition_at_full_resolution(box_room_simulator):
    poses = turning_walk()
    seen = box_room_simulator.render(poses, INTRINSICS, WIDTH, HEIGHT)
    found = covisible_percent(seen.depth_m, seen.instance_ids, (), INTRINSICS, poses)
    views = [View(depth_m, INTRINSICS, pose) for depth_m, pose in zip(seen.depth_m, poses, strict=True)]
    truth = np.array([[percent(covisibility_labels(one, other), one.depth_m) for other in views] for one in views])
    assert truth.min() < 30.0
    assert len(np.unique(truth.round())) > 10
    assert np.abs(np.array(found) - truth).max() <= 2.5
    assert not np.allclose(np.array(found), np.array(found).T)


def test_what_moves_is_carried_along(box_room_simulator):
    """A large box slides and turns a little; the oracle carries its pixels by their pose at full resolution."""
    poses = np.stack([look_pose(np.array([2.5, 1.2, 3.6]), 0.0, -0.2)] * 3)
    x, yaws = (2.5, 2.5, 3.3), (0.0, 0.0, 0.0)
    motion = ObjectMotion(9, tuple((value, 0.6, 1.2) for value in x), yaws)
    images = []
    for value in x:
        objects = tuple(
            msgspec.structs.replace(thing, box=OrientedBox((value, 0.6, 1.2), (1.5, 1.2, 0.5)))
            if thing.instance_id == 9
            else thing
            for thing in box_room_simulator.objects
            if thing.instance_id != 10
        )
        world = type(box_room_simulator)(objects, box_room_simulator.rooms, box_room_simulator._cast)
        images.append(world.render(poses[:1], INTRINSICS, WIDTH, HEIGHT))
    depth_m, ids = np.concatenate([i.depth_m for i in images]), np.concatenate([i.instance_ids for i in images])
    found = np.array(covisible_percent(depth_m, ids, (motion,), INTRINSICS, poses))
    views = [View(depth, INTRINSICS, pose) for depth, pose in zip(depth_m, poses, strict=True)]
    for one, other in ((0, 1), (0, 2), (2, 0)):
        shift = np.eye(4)
        shift[0, 3] = x[other] - x[one]
        labels = covisibility_labels(views[one], views[other])
        labels = moved_labels(labels, views[one], views[other], ids[one], {9: shift})
        assert abs(found[one, other] - percent(labels, depth_m[one])) <= 2.5
    still = np.array(covisible_percent(depth_m, ids, (), INTRINSICS, poses))
    assert found[0, 2] > still[0, 2] + 5


def test_a_turn_of_a_thing_is_carried_too():
    """A plate before a camera goes round with it: what it showed is seen where it went."""
    yaw_rad = 1.4
    poses = np.stack([look_pose(np.zeros(3), 0.0), look_pose(np.zeros(3), yaw_rad)])
    depth_m = np.full((2, HEIGHT, WIDTH), 2.0, dtype=np.float32)
    ids = np.full((2, HEIGHT, WIDTH), 5, dtype=np.int32)
    centre_m = (-2.0 * float(np.sin(yaw_rad)), 0.0, -2.0 * float(np.cos(yaw_rad)))
    motion = ObjectMotion(5, ((0.0, 0.0, -2.0), centre_m), (0.0, yaw_rad))
    assert covisible_percent(depth_m, ids, (motion,), INTRINSICS, poses) == ((100, 100), (100, 100))
    assert covisible_percent(depth_m, ids, (), INTRINSICS, poses) == ((100, 0), (0, 100))


def test_upright_and_level_edges_are_found_to_a_point():
    """A wall ahead, two cameras beside or above one another: edges of what both see go along the image's sides."""
    depth_m = np.full((2, HEIGHT, WIDTH), 2.0, dtype=np.float32)
    ids = np.zeros(depth_m.shape, dtype=np.int32)
    for axis, side, focal in ((0, WIDTH, INTRINSICS[0, 0]), (1, HEIGHT, INTRINSICS[1, 1])):
        for shift_px in np.arange(0.3, side, 4.9):
            poses = np.tile(np.eye(4), (2, 1, 1))
            poses[1, axis, 3] = shift_px * 2.0 / focal
            found = covisible_percent(depth_m, ids, (), INTRINSICS, poses)
            assert abs(found[0][1] - 100.0 * (1.0 - shift_px / side)) <= 1.5, (axis, shift_px)


def test_frames_without_readings_share_nothing():
    depth_m = np.stack([np.zeros((HEIGHT, WIDTH)), np.full((HEIGHT, WIDTH), 2.0)]).astype(np.float32)
    poses = np.tile(np.eye(4), (2, 1, 1))
    found = covisible_percent(depth_m, np.zeros(depth_m.shape, dtype=np.int32), (), INTRINSICS, poses)
    assert found == ((100, 0), (0, 100))


def test_slopes_at_pixels_are_those_of_the_whole_image():
    rng = np.random.default_rng(3)
    depth_m = rng.uniform(1.0, 1.6, size=(23, 17)).astype(np.float32)
    depth_m[rng.random(depth_m.shape) < 0.2] = 0.0
    row, column = np.divmod(np.arange(depth_m.size), 17)
    np.testing.assert_array_equal(_slope_at(depth_m, row, column).reshape(depth_m.shape), depth_slope(depth_m))
