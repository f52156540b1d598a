import numpy as np
import pytest

from backsight.collect.annotate import visible_objects
from backsight.collect.tracks import hidden_rays, object_tracks
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.scene import OrientedBox, SceneObject
from backsight.records.sequence import ObjectMotion
from backsight.records.vocabulary import TRACK_STATES

WIDTH, HEIGHT = 97, 71
INTRINSICS = intrinsics_from_hfov(WIDTH, HEIGHT, 79.0)


def walk_past(frames=29):
    """Along the table and the chairs, looking at them, then away from them."""
    along = np.linspace(0.0, 1.0, frames)
    return np.stack([look_pose(np.array([0.6 + 3.6 * t, 1.2, 3.2]), 1.2 - 2.6 * t, -0.15) for t in along])


def with_screen(simulator):
    screen = SceneObject(11, "cabinet", 1, OrientedBox((1.9, 0.6, 1.6), (0.8, 1.2, 0.1)), "brown")
    return type(simulator)((*simulator.objects, screen), simulator.rooms, simulator._cast)


def states_of(tracks, frames):
    found = {}
    for track in tracks:
        assert [s.first_frame for s in track.segments] == [0, *(s.last_frame + 1 for s in track.segments[:-1])]
        assert track.segments[-1].last_frame == frames - 1
        assert all(a.state != b.state for a, b in zip(track.segments, track.segments[1:], strict=False))
        found[track.instance_id] = [s.state for s in track.segments for _ in range(s.first_frame, s.last_frame + 1)]
    return found


def alone_pixels(simulator, thing, poses):
    """How many pixels would show a thing if nothing else stood in the room."""
    objects = (*(other for other in simulator.objects if other.is_structure), thing)
    seen = type(simulator)(objects, simulator.rooms, simulator._cast).render(poses, INTRINSICS, WIDTH, HEIGHT)
    return (seen.instance_ids == thing.instance_id).sum(axis=(1, 2))


def true_state(shown, alone):
    if alone == 0:
        return "out of view"
    if shown == 0:
        return "hidden"
    return "partly hidden" if 2 * shown < alone else "visible"


def test_states_are_those_of_things_cast_alone(box_room_simulator):
    simulator, poses = with_screen(box_room_simulator), walk_past()
    seen = simulator.render(poses, INTRINSICS, WIDTH, HEIGHT)
    visible = visible_objects(seen.instance_ids, simulator.objects)
    images = seen.depth_m, seen.instance_ids
    found = states_of(object_tracks(simulator.objects, (), visible, images, INTRINSICS, poses), len(poses))
    furniture = [thing for thing in simulator.objects if not thing.is_structure]
    assert list(found) == [thing.instance_id for thing in furniture]
    rays, stopped = hidden_rays(furniture, (), images, INTRINSICS, poses)
    met, wrong, compared = set(), 0, 0
    for column, thing in enumerate(furniture):
        alone = alone_pixels(simulator, thing, poses)
        shown = (seen.instance_ids == thing.instance_id).sum(axis=(1, 2))
        for frame in range(len(poses)):
            truth = true_state(shown[frame], alone[frame])
            met.add(truth)
            compared += 1
            wrong += truth != found[thing.instance_id][frame]
            if alone[frame] > 40:
                hidden = 1.0 - shown[frame] / alone[frame]
                assert abs(hidden - stopped[frame, column] / rays[frame, column]) < 0.16
    assert met == set(TRACK_STATES)
    assert wrong <= 0.03 * compared


def test_a_thing_is_looked_for_where_it_is_in_each_frame(box_room_simulator):
    poses = np.repeat(walk_past()[14:15], 5, axis=0)
    chair = next(thing for thing in box_room_simulator.objects if thing.instance_id == 7)
    x = [1.4, 1.4, 40.0, 40.0, 1.4]
    motion = ObjectMotion(7, tuple((value, 0.45, 0.8) for value in x), (0.0,) * 5)
    images = []
    for value in x:
        moved = SceneObject(7, "chair", 1, OrientedBox((value, 0.45, 0.8), chair.box.size_m), "red")
        objects = tuple(moved if thing.instance_id == 7 else thing for thing in box_room_simulator.objects)
        world = type(box_room_simulator)(objects, box_room_simulator.rooms, box_room_simulator._cast)
        images.append(world.render(poses[:1], INTRINSICS, WIDTH, HEIGHT))
    depth_m, ids = np.concatenate([i.depth_m for i in images]), np.concatenate([i.instance_ids for i in images])
    visible = visible_objects(ids, box_room_simulator.objects)
    tracks = object_tracks(box_room_simulator.objects, (motion,), visible, (depth_m, ids), INTRINSICS, poses)
    assert states_of(tracks, 5)[7] == ["visible", "visible", "out of view", "out of view", "visible"]


@pytest.mark.parametrize("yaw_rad", [0.0, 0.7])
def test_a_box_round_the_camera_is_in_view(yaw_rad):
    thing = SceneObject(1, "rack", 1, OrientedBox((0.0, 1.0, 0.0), (3.0, 3.0, 3.0), yaw_rad))
    depth_m, ids = np.full((1, HEIGHT, WIDTH), 9.0, dtype=np.float32), np.zeros((1, HEIGHT, WIDTH), dtype=np.int32)
    pose = look_pose(np.array([0.0, 1.2, 0.0]), 0.3)[None]
    rays, stopped = hidden_rays([thing], (), (depth_m, ids), INTRINSICS, pose)
    assert (rays[0, 0], stopped[0, 0]) == (64, 0)
    depth_m[:] = 0.5
    assert hidden_rays([thing], (), (depth_m, ids), INTRINSICS, pose)[1][0, 0] == 64
    behind = SceneObject(1, "rack", 1, OrientedBox((0.0, 1.0, 4.0), (1.0, 1.0, 1.0), yaw_rad))
    assert hidden_rays([behind], (), (depth_m, ids), INTRINSICS, pose)[0][0, 0] == 0


def test_a_walk_that_shows_nothing_has_no_tracks():
    depth_m, ids = np.ones((2, 5, 7), dtype=np.float32), np.zeros((2, 5, 7), dtype=np.int32)
    thing = SceneObject(1, "rack", 1, OrientedBox((0.0, 1.0, 0.0), (1.0, 1.0, 1.0)))
    poses = np.tile(np.eye(4), (2, 1, 1))
    assert object_tracks((thing,), (), ((), ()), (depth_m, ids), INTRINSICS, poses) == ()
