"""What the strategies promise, seen in pictures larger than those they plan by."""

import math
from collections import Counter

import numpy as np
import pytest

from backsight.collect.trajectories.plan_walk import plan_walk
from backsight.collect.trajectories.smooth import CameraMount, MotionLimits, TrajectoryError, check_motion
from backsight.collect.trajectories.temporally_coherent import longest_run, returns_in_time
from backsight.collect.trajectories.walk import WalkRequest
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.records.scene_relations import scene_relation_holds
from backsight.sim.embedded.simulator import EmbeddedSimulator

SCENES = ("living_room-3", pytest.param("flat-1", marks=pytest.mark.slow))
WIDTH, HEIGHT = 131, 97


@pytest.fixture(scope="module")
def simulators():
    found = {}
    for scene in ("living_room-3", "flat-1"):
        found[scene] = EmbeddedSimulator()
        found[scene].load_scene(scene)
    return found


def planned(simulator, trajectory, *, frames=31, seed=1, variant="", challenges=(), reasoning_type=None):
    rng = np.random.default_rng(seed)
    request = WalkRequest(simulator, rng, frames, MotionLimits(), CameraMount(), variant, challenges, reasoning_type)
    return plan_walk(trajectory, request)


def pictures(simulator, walk):
    intrinsics = intrinsics_from_hfov(WIDTH, HEIGHT, 79.0)
    return simulator.render(walk.world_from_camera, intrinsics, WIDTH, HEIGHT)


def shares(simulator, walk):
    """Share of every frame that shows each focus thing, counted pixel by pixel."""
    counts = [Counter(image.ravel().tolist()) for image in pictures(simulator, walk).instance_ids]
    return np.array([[count[number] / (WIDTH * HEIGHT) for number in walk.focus_ids] for count in counts])


WAYS = (
    {"trajectory": "relation_focused"},
    {"trajectory": "relation_focused", "reasoning_type": "front_behind"},
    {"trajectory": "relation_focused", "variant": "several"},
    {"trajectory": "viewpoint_diverse"},
    {"trajectory": "temporally_coherent"},
    {"trajectory": "temporally_coherent", "variant": "return"},
    {"trajectory": "challenge"},
    {"trajectory": "challenge", "challenges": ("heavy_occlusion",)},
    {"trajectory": "coverage", "frames": 61},
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(str(value) for value in way.values()))
@pytest.mark.parametrize("scene", SCENES)
def test_walks_keep_limits_and_clearance_and_depend_on_the_seed_alone(simulators, scene, way):
    simulator = simulators[scene]
    walk = planned(simulator, **way)
    check_motion(walk.motion, MotionLimits())
    floor = walk.motion.position_m - np.array([0.0, CameraMount().height_m, 0.0])
    assert (simulator.navigation.clearance_m(floor) >= MotionLimits().clearance_m - 1e-9).all()
    again = planned(simulator, **way)
    np.testing.assert_array_equal(walk.world_from_camera, again.world_from_camera)
    assert (walk.focus_ids, walk.coverage) == (again.focus_ids, again.coverage)
    other = planned(simulator, **{**way, "seed": 2})
    assert not np.array_equal(walk.world_from_camera, other.world_from_camera)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(
    ("reasoning_type", "words"),
    [("left_right", ("left of", "right of")), ("front_behind", ("in front of", "behind")), ("near_far", ("near",))],
)
def test_frames_show_pairs_in_the_relation_that_was_asked_for(simulators, scene, reasoning_type, words):
    simulator = simulators[scene]
    walk = planned(simulator, "relation_focused", reasoning_type=reasoning_type)
    things = {thing.instance_id: thing for thing in simulator.objects}
    ids = pictures(simulator, walk).instance_ids
    good = 0
    for pose, image in zip(walk.world_from_camera, ids, strict=True):
        count = Counter(image.ravel().tolist())
        visible = [things[number] for number in count if number and count[number] >= 0.001 * image.size]
        visible = [thing for thing in visible if not thing.is_structure]
        good += any(
            scene_relation_holds(word, first, second, pose)
            for first in visible
            for second in visible
            if first is not second
            for word in words
        )
    assert good >= 0.5 * len(ids)
    assert len(walk.focus_ids) >= 2
    assert shares(simulator, walk).max(axis=0).min() >= 0.002


@pytest.mark.parametrize("scene", SCENES)
def test_several_things_stay_in_view(simulators, scene):
    walk = planned(simulators[scene], "relation_focused", variant="several")
    assert len(set(walk.focus_ids)) >= 3
    assert (shares(simulators[scene], walk) >= 0.001).mean(axis=0).min() >= 0.4


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_returned_to_was_away(simulators, scene):
    walk = planned(simulators[scene], "temporally_coherent", variant="return")
    share = shares(simulators[scene], walk)[:, 0]
    thing = next(t for t in simulators[scene].objects if t.instance_id == walk.focus_ids[0])
    assert all(t.supported_by != thing.instance_id for t in simulators[scene].objects)
    seen = np.flatnonzero(share >= 0.001)
    gaps = np.diff(seen) - 1
    assert gaps.max() >= 5
    assert seen[np.argmax(gaps) + 1] <= 0.6 * len(share)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("##......#######", True),
        ("#.......#######", False),  # seen once before
        ("##.....########", False),  # away for five frames
        ("##.......######", False),  # back too late
        ("##-......######", False),
        ("###-......-############", True),
        ("##......#...#..", False),  # hardly seen after
    ],
)
def test_a_return_in_time_is_told_from_others(frames, expected):
    assert returns_in_time(np.array([{"#": 0.01, "-": 0.001, ".": 0.0}[mark] for mark in frames])) is expected


def test_the_longest_run_is_counted():
    assert longest_run(np.array([True, False, True, True, False])) == 2
    assert longest_run(np.zeros(3, dtype=bool)) == 0


@pytest.mark.parametrize("scene", SCENES)
def test_a_thing_is_seen_from_near_and_far(simulators, scene):
    simulator = simulators[scene]
    walk = planned(simulator, "challenge", challenges=("motion_blur", "scale_variation"))
    thing = next(t for t in simulator.objects if t.instance_id == walk.focus_ids[0])
    distance = np.linalg.norm(walk.world_from_camera[:, :3, 3] - np.array(thing.box.centre_m), axis=1)
    distance = distance[shares(simulator, walk)[:, 0] >= 0.001]
    assert distance.max() >= 4.0 * distance.min()


@pytest.mark.parametrize("scene", SCENES)
def test_viewpoints_differ(simulators, scene):
    walk = planned(simulators[scene], "viewpoint_diverse")
    thing = next(t for t in simulators[scene].objects if t.instance_id == walk.focus_ids[0])
    offset = (walk.world_from_camera[:, :3, 3] - np.array(thing.box.centre_m))[
        shares(simulators[scene], walk)[:, 0] >= 0.001
    ]
    directions = offset[:, [0, 2]] / np.linalg.norm(offset[:, [0, 2]], axis=1)[:, None]
    assert (directions @ directions.T).min() <= math.cos(math.radians(58.0))


def test_planners_need_something_to_focus_on(simulators):
    class Bare:
        """A scene whose things have no name."""

        def __init__(self, inner):
            self.name, self.version, self.notes = inner.name, inner.version, inner.notes
            self.rooms, self.navigation = inner.rooms, inner.navigation
            self.render, self.render_shapes = inner.render, inner.render_shapes
            self.load_scene = self.move_object = self.set_lighting = inner.load_scene
            self.objects = tuple(thing for thing in inner.objects if thing.is_structure)

    bare = Bare(simulators["living_room-3"])
    for trajectory, variant in (
        ("relation_focused", ""),
        ("relation_focused", "several"),
        ("temporally_coherent", "return"),
    ):
        with pytest.raises(TrajectoryError):
            planned(bare, trajectory, variant=variant)
    assert planned(bare, "viewpoint_diverse").focus_ids == ()
    assert planned(bare, "temporally_coherent").focus_ids == ()


def test_unknown_variants_are_refused(simulators):
    for trajectory in ("relation_focused", "temporally_coherent"):
        with pytest.raises(UsageError, match="no variant 'backwards'"):
            planned(simulators["living_room-3"], trajectory, variant="backwards")


@pytest.mark.parametrize("scene", SCENES)
def test_coverage_is_what_larger_pictures_show_too(simulators, scene):
    """Cells found without the planner's table: every point by itself, from pictures of another size."""
    simulator = simulators[scene]
    walk = planned(simulator, "coverage", frames=61)
    assert walk.coverage is not None
    room = next(room for room in simulator.rooms if room.room_id == walk.coverage.room_ids[0])
    seen = pictures(simulator, walk)
    column, row = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = (
        np.stack([column, row, np.ones_like(row)], axis=-1) @ np.linalg.inv(intrinsics_from_hfov(WIDTH, HEIGHT, 79.0)).T
    )
    cells = set()
    for pose, depth in zip(walk.world_from_camera, seen.depth_m, strict=True):
        points = (rays * (depth[..., None] - 0.02)).reshape(-1, 3)[depth.ravel() > 0] @ pose[:3, :3].T + pose[:3, 3]
        cells |= set(map(tuple, np.floor(points[_inside(room, points)] / 0.25).astype(int).tolist()))
    assert len(cells) >= 0.85 * walk.coverage.visible_cells


def _inside(room: Room, points):
    min_x, min_z, max_x, max_z = room.bounds_m
    x, y, z = points.T
    inside = (x >= min_x - 0.05) & (x <= max_x + 0.05) & (z >= min_z - 0.05) & (z <= max_z + 0.05)
    return inside & (y >= room.floor_m - 0.05) & (y <= room.floor_m + room.height_m + 0.05)
