import math
from dataclasses import dataclass

import numpy as np
import pytest

from backsight.collect.tracks import hidden_rays
from backsight.collect.trajectories.plan_walk import plan_walk
from backsight.collect.trajectories.smooth import CameraMount, MotionLimits, TrajectoryError
from backsight.collect.trajectories.walk import WalkRequest
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.quality.measures.motion import measure_motion_of_walk
from backsight.records.errors import UsageError
from backsight.records.scene import Room, SceneObject
from backsight.records.sequence import FORMAT_VERSION, SequenceAnnotations
from backsight.sim.embedded.simulator import EmbeddedSimulator

LIMITS, CAMERA = MotionLimits(), CameraMount()
SIZE_PX = 61
INTRINSICS = intrinsics_from_hfov(SIZE_PX, SIZE_PX, CAMERA.hfov_deg)
WAYS = [
    ("forward_backward", ""),
    ("forward_backward", "forward"),
    ("forward_backward", "backward"),
    ("forward_backward", "lateral"),
    ("forward_backward", "rotation"),
    ("random_exploration", ""),
    ("random_exploration", "sharp turns"),
    ("random_exploration", "complex"),
    ("systematic_sweep", ""),
    ("systematic_sweep", "corners"),
    ("systematic_sweep", "openings"),
    ("object_focused", ""),
    ("object_focused", "distances"),
    ("object_focused", "occlusion"),
    ("object_focused", "reappearing"),
    ("room_transition", ""),
]
FOCUSED = [way for way in WAYS if way[0] == "object_focused"]


@dataclass
class OnlyTheProtocol:
    """A simulator that hides whatever the protocol does not name."""

    hidden: object
    named: tuple[str, ...]

    def __getattr__(self, name):
        if name not in self.named:
            raise AttributeError(name)
        value = getattr(self.hidden, name)
        return OnlyTheProtocol(value, NAVIGATION) if name == "navigation" else value


SIMULATOR = (
    *("name", "version", "load_scene", "notes", "objects", "rooms", "navigation"),
    *("render", "render_shapes", "move_object", "set_lighting"),
)
NAVIGATION = (
    *("floors_m", "random_point", "snap", "is_navigable", "clearance_m", "island", "shortest_path"),
    *("geodesic_distances_m", "top_down_map"),
)


class WithoutLabels(OnlyTheProtocol):
    """A scan that nobody has labelled: one room, building and things without a name."""

    @property
    def objects(self):
        return tuple(
            SceneObject(t.instance_id, "building" if t.is_structure else "object", 1, t.box)
            for t in self.hidden.objects
        )

    @property
    def rooms(self):
        corners = np.array([room.bounds_m for room in self.hidden.rooms])
        low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
        return (Room(1, "room", (*low.tolist(), *high.tolist())),)


@pytest.fixture(scope="module")
def simulator():
    return EmbeddedSimulator()


def loaded(simulator, scene_id):
    simulator.load_scene(scene_id)
    return OnlyTheProtocol(simulator, SIMULATOR)


def plan(world, way, seed, num_frames=29):
    trajectory, variant = way
    request = WalkRequest(world, np.random.default_rng(seed), num_frames, LIMITS, CAMERA, variant)
    return plan_walk(trajectory, request)


def measured(walk):
    poses = walk.world_from_camera
    return measure_motion_of_walk(
        SequenceAnnotations(
            format_version=FORMAT_VERSION,
            sequence_id="walk",
            place_id="place",
            scene_type="flat",
            kind="",
            pattern="",
            seed=0,
            simulator="embedded",
            simulator_version="1",
            frame_rate_hz=CAMERA.frame_rate_hz,
            intrinsics=tuple(tuple(row) for row in INTRINSICS.tolist()),
            world_from_camera=tuple(tuple(pose.ravel().tolist()) for pose in poses),
        )
    )


def assert_within_limits(walk):
    """Speeds and accelerations of the dense curve, from its pose matrices."""
    motion = walk.motion
    poses, step_s = motion.world_from_camera(), motion.time_s[1] - motion.time_s[0]
    velocity = np.diff(poses[:, :3, 3], axis=0) / step_s
    turn = np.einsum("nji,njk->nik", poses[:-1, :3, :3], poses[1:, :3, :3])
    skew = np.stack([turn[:, 2, 1] - turn[:, 1, 2], turn[:, 0, 2] - turn[:, 2, 0], turn[:, 1, 0] - turn[:, 0, 1]], -1)
    turning = np.einsum("nij,nj->ni", poses[:-1, :3, :3], skew / 2) / step_s
    assert np.linalg.norm(velocity, axis=1).max() <= 0.5 * 1.01
    assert np.linalg.norm(np.diff(velocity, axis=0), axis=1).max() / step_s <= 0.5 * 1.02
    assert np.degrees(np.linalg.norm(turning, axis=1)).max() <= 30 * 1.01
    assert np.degrees(np.linalg.norm(np.diff(turning, axis=0), axis=1)).max() / step_s <= 60 * 1.02
    assert np.degrees(np.abs(motion.pitch_rad)).max() <= 30 + 1e-6


def assert_clear(walk, world):
    feet = walk.motion.position_m - np.array([0.0, CAMERA.height_m, 0.0])
    assert world.navigation.clearance_m(feet).min() >= LIMITS.clearance_m - 1e-9


def shares(world, walk):
    """Share of each frame's picture that shows the focus."""
    seen = world.render(walk.world_from_camera, INTRINSICS, SIZE_PX, SIZE_PX)
    return np.mean(seen.instance_ids == walk.focus_ids[0], axis=(1, 2))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("scene_id", "num_frames"),
    [
        ("living_room-5", 17),
        pytest.param("flat-2", 41, marks=pytest.mark.slow),
        pytest.param("bathroom-3", 31, marks=pytest.mark.slow),
    ],
)
def test_a_walk_has_its_frames_within_limits_and_clear(way, scene_id, num_frames, simulator):
    world = loaded(simulator, scene_id)
    walk = plan(world, way, 7, num_frames)
    assert walk.world_from_camera.shape == (num_frames, 4, 4)
    assert_within_limits(walk)
    assert_clear(walk, world)
    again, other = plan(world, way, 7, num_frames), plan(world, way, 8, num_frames)
    np.testing.assert_array_equal(walk.world_from_camera, again.world_from_camera)
    assert np.abs(walk.world_from_camera - other.world_from_camera).max() > 0.05


@pytest.mark.parametrize("way", [way for way in WAYS if way[1] not in ("openings", "occlusion")])
def test_a_scan_without_labels_can_be_walked(way, simulator):
    simulator.load_scene("dining_room-4")
    world = WithoutLabels(simulator, SIMULATOR)
    walk = plan(world, way, 3)
    assert_clear(walk, world)
    assert (len(walk.focus_ids) == 1) == (way[0] == "object_focused")


@pytest.mark.parametrize("num_frames", [16, 23, 64])
@pytest.mark.parametrize("seed", [1, 2])
def test_ways_along_keep_their_direction(num_frames, seed, simulator):
    world = loaded(simulator, "bedroom-6")
    for variant, share in (("forward", "forward"), ("backward", "backward"), ("lateral", "sideways")):
        found = measured(plan(world, ("forward_backward", variant), seed, num_frames))
        assert getattr(found, f"{share}_share") >= 0.8
        assert found.path_m >= 1.0
        assert found.pitch_range_deg < 10.0


def test_the_usual_form_walks_forward_and_then_backward(simulator):
    found = [measured(plan(loaded(simulator, "gym-1"), ("forward_backward", ""), seed, 40)) for seed in range(3)]
    for measures in found:
        assert measures.forward_share > 0.3
        assert measures.backward_share > 0.2
        assert measures.sideways_share < 0.1


@pytest.mark.parametrize("num_frames", [16, 37])
def test_a_rotation_stays_in_place(num_frames, simulator):
    for seed in range(4):
        found = measured(plan(loaded(simulator, "study-1"), ("forward_backward", "rotation"), seed, num_frames))
        assert found.path_m < 1e-9
        assert 180.0 <= found.turn_deg <= 760.0


@pytest.mark.parametrize("num_frames", [16, 31])
def test_sharp_turns_and_complex_walks_keep_their_promises(num_frames, simulator):
    world = loaded(simulator, "kitchen-2")
    for seed in range(3):
        assert measured(plan(world, ("random_exploration", "sharp turns"), seed, num_frames)).sharp_turns >= 2
        found = measured(plan(world, ("random_exploration", "complex"), seed, num_frames))
        assert found.pitch_range_deg >= 30.0
        assert found.turn_deg >= 180.0


@pytest.mark.parametrize("num_frames", [24, 53])
def test_stairs_are_climbed_and_descended(num_frames, simulator):
    world = loaded(simulator, "two_storey_house-3")
    climbs = []
    for seed in range(4):
        walk = plan(world, ("room_transition", "stairs"), seed, num_frames)
        assert_within_limits(walk)
        assert_clear(walk, world)
        height = walk.world_from_camera[:, 1, 3]
        assert np.ptp(height) >= 1.0
        climbs.append(height[-1] > height[0])
        slope = np.gradient(height)
        steep = np.abs(slope) > 0.03
        # The gaze goes with the slope: higher on the way up than on the way down.
        pitch = np.degrees(np.arcsin(walk.world_from_camera[:, 1, 2]))
        assert (pitch[steep].mean() > -4.0) == climbs[-1]
    assert len(set(climbs)) == 2


def test_a_house_of_one_storey_has_no_stairs(simulator):
    with pytest.raises(TrajectoryError, match="storey"):
        plan(loaded(simulator, "living_room-5"), ("room_transition", "stairs"), 0)


@pytest.mark.parametrize("scene_id", ["living_room-5", "classroom-1"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_thing_is_looked_at_as_the_variant_says(scene_id, seed, simulator):
    world = loaded(simulator, scene_id)
    things = {thing.instance_id: thing for thing in world.objects}
    for way in FOCUSED:
        walk = plan(world, way, seed)
        (focus_id,) = walk.focus_ids
        thing, poses = things[focus_id], walk.world_from_camera
        assert thing.category != "object"
        assert not thing.is_structure
        seen = shares(world, walk) >= 0.001
        offset = poses[:, :3, 3] - np.array(thing.box.centre_m)
        match way[1]:
            case "":
                direction = np.unwrap(np.arctan2(offset[:, 2], offset[:, 0]))[seen]
                assert seen.mean() >= 0.8
                assert np.degrees(np.ptp(direction)) >= 30.0
            case "distances":
                distance = np.linalg.norm(offset, axis=1)[seen]
                assert distance.max() >= 1.8 * distance.min()
            case "occlusion":
                images = world.render(poses, INTRINSICS, SIZE_PX, SIZE_PX)
                rays, stopped = hidden_rays([thing], (), (images.depth_m, images.instance_ids), INTRINSICS, poses)
                assert seen.mean() >= 0.25
                assert np.mean((rays > 0) & (2 * stopped > rays)) >= 0.1
            case _:
                shown = np.flatnonzero(seen)
                assert np.diff(shown).max() >= 3
                assert seen.mean() >= 0.2


def test_doors_windows_and_furniture_fill_their_sweeps(simulator):
    world = loaded(simulator, "flat-2")
    structure = {thing.instance_id for thing in world.objects if thing.is_structure}
    openings = {thing.instance_id for thing in world.objects if thing.category in ("door", "window")}
    for variant, wanted, each in (("openings", openings, False), ("", structure, True)):
        walk = plan(world, ("systematic_sweep", variant), 4)
        counts = []
        for image in world.render(walk.world_from_camera, INTRINSICS, SIZE_PX, SIZE_PX).instance_ids:
            ids, pixels = np.unique(image, return_counts=True)
            large = set(ids[pixels >= 0.005 * image.size].tolist())
            counts.append(len(large - wanted - {0}) if each else bool(large & wanted))
        assert np.mean(counts) >= (2.0 if each else 0.4)


def test_corners_are_looked_at_one_after_the_other(simulator):
    world = loaded(simulator, "meeting_room-1")
    (room,) = world.rooms
    low_x, low_z, high_x, high_z = room.bounds_m
    corners = np.array([(low_x, low_z), (low_x, high_z), (high_x, low_z), (high_x, high_z)])
    poses = plan(world, ("systematic_sweep", "corners"), 2, 47).world_from_camera
    offset = corners[None] - poses[:, None, [0, 2], 3]
    off_axis = np.arctan2(offset[..., 0], offset[..., 1]) - np.arctan2(poses[:, None, 0, 2], poses[:, None, 2, 2])
    straight_at = np.abs(np.angle(np.exp(1j * off_axis))) < math.radians(8.0)
    assert straight_at.any(axis=1).mean() >= 0.4
    assert straight_at.any(axis=0).sum() >= 2


def test_a_scene_without_openings_is_refused(simulator):
    simulator.load_scene("dining_room-4")
    with pytest.raises(TrajectoryError, match="doors and windows"):
        plan(WithoutLabels(simulator, SIMULATOR), ("systematic_sweep", "openings"), 0)


@pytest.mark.parametrize(
    "trajectory", ["forward_backward", "random_exploration", "systematic_sweep", "object_focused", "room_transition"]
)
def test_an_unknown_variant_is_a_mistake_of_usage(trajectory, simulator):
    with pytest.raises(UsageError, match="no variant 'hopping'"):
        plan(loaded(simulator, "living_room-5"), (trajectory, "hopping"), 0)
