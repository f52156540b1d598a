import msgspec
import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.quality.measures.corners import wall_corner_rows, wall_ids_of
from backsight.quality.measures.scene import measure_scene
from backsight.records.scene import OrientedBox, SceneObject
from backsight.records.sequence import ObjectMotion, SceneEvent, Sequence
from backsight.sim.srgb import linear_from_srgb


def replaced(sequence, **changes):
    """The sequence with other arrays, or other annotations where the record has such a field."""
    arrays = {k: v for k, v in changes.items() if k in Sequence.__dataclass_fields__}
    fields = {k: v for k, v in changes.items() if k not in arrays}
    parts = {name: getattr(sequence, name) for name in Sequence.__dataclass_fields__}
    parts["annotations"] = msgspec.structs.replace(sequence.annotations, **fields)
    return Sequence(**(parts | arrays))


def looking(sequence, simulator, poses):
    height, width = sequence.depth_m.shape[1:]
    seen = simulator.render(poses, sequence.intrinsics, width, height)
    images = {"rgb": seen.rgb, "depth_m": seen.depth_m, "instance_ids": seen.instance_ids}
    return replaced(sequence, world_from_camera=poses, objects=simulator.objects, **images)


def test_counts_are_those_of_a_loop_over_frames(make_sequence):
    sequence = make_sequence(width=106, height=74)
    found = measure_scene(sequence)
    furniture = {thing.instance_id for thing in sequence.annotations.objects if not thing.is_structure}
    shares = [
        {number: (ids == number).mean() for number in furniture if (ids == number).any()}
        for ids in sequence.instance_ids
    ]
    assert found.furniture_per_frame == pytest.approx(np.mean([sum(v >= 0.005 for v in s.values()) for s in shares]))
    least = 16 / (128 * 96)
    assert found.things_per_frame == pytest.approx(np.mean([sum(v >= least for v in s.values()) for s in shares]))
    half = [sum(s.get(number, 0.0) >= least for s in shares) * 2 >= len(shares) for number in furniture]
    assert found.tracked_things == sum(half)
    assert found.opening_share == 0.0


def test_doors_and_windows_that_fill_enough_of_the_picture_count(make_sequence):
    sequence = make_sequence(width=106, height=74)
    ids = sequence.instance_ids.copy()
    ids[2, 10:20, 10:40] = 90
    ids[3, 10:12, 10:14] = 90
    door = SceneObject(90, "door", 1, OrientedBox((0.0, 1.0, 0.0), (1.0, 2.0, 0.1)))
    found = measure_scene(replaced(sequence, instance_ids=ids, objects=(*sequence.annotations.objects, door)))
    assert found.opening_share == pytest.approx(1 / 7)


def test_brightness_is_compared_in_linear_light(make_sequence):
    sequence = make_sequence()
    rgb = np.full_like(sequence.rgb, 100)
    rgb[3], rgb[5] = 50, 200
    found = measure_scene(replaced(sequence, rgb=rgb)).brightness_ratio
    low, high = linear_from_srgb(np.array([50.0, 200.0]) / 255.0)
    assert found == pytest.approx(high / low, rel=1e-4)


def test_lights_and_instructions_are_counted(make_sequence):
    sequence = make_sequence()
    events = (SceneEvent("light_changed", 1, 2), SceneEvent("object_moved", 2, 3, 7), SceneEvent("light_changed", 3, 5))
    kind = "behind and in front"
    asked = msgspec.structs.replace(sequence.annotations.instructions[0], reasoning_type="front_behind")
    found = measure_scene(
        replaced(sequence, events=events, kind=kind, instructions=(asked, asked, *sequence.annotations.instructions))
    )
    assert (found.light_changes, found.kind_instructions) == (2.0, 2.0)


def moving(first_frame, steps, frames=7):
    """A motion of the first chair that begins after a frame."""
    x = [1.4 + 0.2 * min(max(frame - first_frame, 0), steps) for frame in range(frames)]
    return ObjectMotion(7, tuple((value, 0.45, 0.8) for value in x), (0.0,) * frames)


@pytest.mark.parametrize(
    ("shown", "motion", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6], moving(1, 2), (1.0, 0.0)),
        ([0, 1, 2, 4, 5, 6], moving(1, 2), (0.0, 0.0)),
        ([0, 1, 4, 5, 6], moving(2, 1), (0.0, 1.0)),
        ([0, 1, 3, 4], moving(2, 1), (0.0, 0.0)),
        ([4, 5, 6], moving(2, 1), (0.0, 0.0)),
        ([0, 1], moving(2, 1), (0.0, 0.0)),
        ([0, 1, 2, 3, 4, 5, 6], moving(1, 0), (0.0, 0.0)),
    ],
)
def test_motions_count_by_what_the_ids_show(shown, motion, expected, make_sequence):
    sequence = make_sequence()
    ids = np.where(sequence.instance_ids == 7, 2, sequence.instance_ids)
    ids[shown, 5:9, 5:9] = 7
    events = (SceneEvent("object_moved", 0, 6, 7),)
    found = measure_scene(replaced(sequence, instance_ids=ids, motions=(motion,), events=events))
    assert (found.moved_in_view, found.moved_unseen) == expected


def corner_poses(angle):
    """From the middle of the room towards the corner at the origin, turned away from it."""
    corner = np.arctan2(2.5, 2.0)
    return look_pose(np.array([2.5, 1.3, 2.0]), corner + angle)[None]


def test_corners_are_found_where_two_walls_meet(make_sequence, box_room_simulator):
    sequence = make_sequence(frames=2, width=128, height=96)
    bare = type(box_room_simulator)(
        tuple(thing for thing in box_room_simulator.objects if thing.is_structure),
        box_room_simulator.rooms,
        box_room_simulator._cast,
    )
    # The picture ends 39.5 degrees beside its middle: a corner 30 degrees away is in it, one 45 degrees away is not.
    for degrees in (-30, -11, 0, 17, 30):
        seen = looking(sequence, bare, corner_poses(np.radians(degrees)))
        walls = wall_ids_of(seen.annotations.objects)
        camera = seen.intrinsics, seen.world_from_camera
        assert wall_corner_rows(seen.depth_m, seen.instance_ids, walls, *camera)[0] > 0.3, degrees
        assert measure_scene(seen).corner_share == 1.0
    for yaw in (0.0, np.pi / 2.0, np.pi):
        flat = looking(
            sequence,
            bare,
            look_pose(np.array([2.5, 1.3, 2.0]) - 1.2 * np.array([np.sin(yaw), 0, np.cos(yaw)]), yaw)[None],
        )
        assert measure_scene(flat).corner_share == 0.0, yaw


def test_walls_that_do_not_meet_make_no_corner(make_sequence, box_room_simulator):
    """The side of a screen is upright to the wall behind it: they meet where it reaches the wall, or not at all."""
    sequence = make_sequence(frames=2, width=128, height=96)
    pose = look_pose(np.array([2.5, 1.3, 2.6]), 0.0)[None]
    structure = tuple(thing for thing in box_room_simulator.objects if thing.is_structure)
    for category, middle_z, depth, corner_share in (
        ("wall", 0.7, 1.4, 1.0),
        ("wall", 1.1, 0.6, 0.0),
        ("cabinet", 0.7, 1.4, 0.0),
    ):
        box = OrientedBox((1.9, 1.3, middle_z), (0.04, 2.6, depth))
        screen = SceneObject(12, category, 1, box, "brown")
        world = type(box_room_simulator)((*structure, screen), box_room_simulator.rooms, box_room_simulator._cast)
        assert measure_scene(looking(sequence, world, pose)).corner_share == corner_share
