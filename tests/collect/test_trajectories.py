import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.collect.trajectories.circular import plan_circular
from backsight.collect.trajectories.room_transition import plan_room_transition
from backsight.collect.trajectories.smooth import (
    SAMPLES_PER_FRAME,
    CameraMount,
    Motion,
    MotionLimits,
    SpeedProfile,
    TrajectoryError,
    check_motion,
    dense_times_s,
    finished_motion,
    frame_poses,
    limited_angle_rad,
    on_floor,
    smooth_path,
)
from backsight.collect.trajectories.walk import WalkRequest
from backsight.sim.simulator import Route

LIMITS = MotionLimits()
CAMERA = CameraMount()
PATTERNS = [plan_circular, plan_room_transition]


def walk(pattern, world, rng, num_frames, limits, camera):
    """Camera poses of a walk."""
    return pattern(WalkRequest(world, rng, num_frames, limits, camera)).world_from_camera


def everywhere(points):
    return np.ones(len(points), dtype=bool)


def independent_limits(motion: Motion) -> dict[str, float]:
    """Speeds and accelerations from the pose matrices alone."""
    poses, step = motion.world_from_camera(), motion.time_s[1] - motion.time_s[0]
    velocity = np.gradient(poses[:, :3, 3], step, axis=0)
    turn = np.einsum("nij,nik->njk", poses[:-1, :3, :3], poses[1:, :3, :3])
    rotation = np.stack(
        [turn[:, 2, 1] - turn[:, 1, 2], turn[:, 0, 2] - turn[:, 2, 0], turn[:, 1, 0] - turn[:, 0, 1]], axis=-1
    )
    in_world = np.einsum("nij,nj->ni", poses[:-1, :3, :3], rotation / 2) / step
    return {
        "speed": np.linalg.norm(velocity, axis=1).max(),
        "acceleration": np.linalg.norm(np.gradient(velocity, step, axis=0), axis=1).max(),
        "turn": np.degrees(np.linalg.norm(in_world, axis=1)).max(),
        "turn_acceleration": np.degrees(np.linalg.norm(np.gradient(in_world, step, axis=0), axis=1)).max(),
    }


def sharpest_turn_deg(points):
    """Largest turn between parts of the way that are 10 cm apart."""
    distance = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    even = np.arange(0.0, distance[-1], 0.1)
    line = np.stack([np.interp(even, distance, points[:, axis]) for axis in range(2)], axis=-1)
    heading = np.arctan2(*np.diff(line, axis=0).T)
    turns = np.abs(np.angle(np.exp(1j * (heading[2:] - heading[:-2]))))
    return np.degrees(turns.max(initial=0.0))


coordinate = st.floats(-4.0, 4.0, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6, unique=True), st.integers(0, 2**31))
def test_any_way_points_give_a_motion_within_the_limits(way_points, seed):
    points = np.array(way_points)
    if np.linalg.norm(np.diff(points, axis=0), axis=1).max() < 0.3:
        return
    rng = np.random.default_rng(seed)
    time_s = dense_times_s(31, 2.0)
    try:
        path = smooth_path(points, everywhere)
    except TrajectoryError:
        assert sharpest_turn_deg(points) > 100.0
        return
    distance = SpeedProfile(path, 0.45, LIMITS).distance_m(time_s - 1.0)
    yaw = np.cumsum(rng.normal(0.0, 0.5, len(time_s)))
    pitch = rng.uniform(-2.0, 2.0, len(time_s))
    motion = finished_motion(on_floor(path.points_xz_m(distance), 0.0), yaw, pitch, LIMITS, CAMERA)
    found = independent_limits(motion)
    assert found["speed"] <= 0.5 * 1.01
    assert found["acceleration"] <= 0.5 * 1.02
    assert found["turn"] <= 30 * 1.01
    assert found["turn_acceleration"] <= 60 * 1.02
    assert np.abs(motion.pitch_rad).max() <= np.radians(30.0) + 1e-9


@pytest.mark.parametrize("name", ["speed_mps", "acceleration_mps2", "turn_dps", "turn_acceleration_dps2", "pitch_deg"])
def test_a_broken_limit_is_named(name):
    time_s = dense_times_s(7, 2.0)
    walk = 0.4 * np.sin(time_s)
    motion = Motion(time_s, on_floor(np.stack([walk, walk * 0], axis=-1), 1.25), 0.3 * time_s, 0.2 * np.sin(time_s))
    check_motion(motion, LIMITS)
    tight = LIMITS.model_copy(update={name: 0.1})
    with pytest.raises(TrajectoryError, match=name):
        check_motion(motion, tight)


def test_an_angle_that_can_be_followed_is_followed():
    time_s = dense_times_s(41, 2.0)
    wanted = np.radians(60.0) * np.sin(2 * np.pi * time_s / 18.0)
    followed = limited_angle_rad(wanted, 0.025, np.radians(28.0), np.radians(56.0))
    assert np.degrees(np.abs(followed - wanted)[40:-40]).max() < 5.0


def test_a_smooth_path_keeps_its_ends_and_rounds_its_corner():
    points = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 3.0]])
    path = smooth_path(points, lambda line: np.hypot(line[:, 0] - 1.0, line[:, 1] - 1.0) > 0.6)
    ends = path.points_xz_m(np.array([0.0, path.length_m]))
    np.testing.assert_allclose(ends, points[[0, 2]], atol=1e-9)
    assert 4.5 < path.length_m < 5.0
    assert path.curvature_per_m().max() < 5.0


def test_a_blocked_way_is_refused():
    with pytest.raises(TrajectoryError, match="clearance"):
        smooth_path(np.array([[0.0, 0.0], [2.0, 0.0]]), lambda line: np.abs(line[:, 0] - 1.0) > 0.2)


def test_a_way_that_turns_back_on_itself_is_refused():
    with pytest.raises(TrajectoryError, match="turning on the spot"):
        smooth_path(np.array([[0.0, 2.2], [0.0, 0.0], [0.0, 1.0]]), everywhere)


def test_poses_look_where_yaw_and_pitch_say():
    motion = Motion(np.array([0.0]), np.array([[1.0, 1.25, 2.0]]), np.array([np.pi / 2]), np.array([np.radians(30)]))
    pose = motion.world_from_camera()[0]
    np.testing.assert_allclose(pose[:3, 2], [-np.cos(np.pi / 6), 0.5, 0.0], atol=1e-12)
    np.testing.assert_allclose(pose[:3, 0], [0.0, 0.0, -1.0], atol=1e-12)
    assert pose[1, 1] < 0
    np.testing.assert_allclose(np.linalg.det(pose), 1.0)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("num_frames", [7, 13, 31])
def test_a_pattern_gives_exactly_the_frames_within_limits_and_clear(pattern, num_frames, paper_world):
    for seed in range(5):
        poses = walk(pattern, paper_world, np.random.default_rng(seed), num_frames, LIMITS, CAMERA)
        assert poses.shape == (num_frames, 4, 4)
        np.testing.assert_allclose(poses[:, 1, 3], 1.25)
        steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
        turns = np.einsum("nij,nij->n", poses[:-1, :3, :3], poses[1:, :3, :3])
        assert steps.max() <= 0.25 + 1e-6
        assert np.degrees(np.arccos(np.clip((turns - 1) / 2, -1, 1))).max() <= 15 + 1e-6
        assert steps.sum() > 0.3
        assert paper_world.navigation.clearance_m(poses[:, :3, 3]).min() >= 0.2 - 1e-9


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_seed_gives_the_same_walk_and_another_seed_another(pattern, paper_world):
    walks = [walk(pattern, paper_world, np.random.default_rng(seed), 11, LIMITS, CAMERA) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(walks[0], walks[1])
    assert np.abs(walks[0] - walks[2]).max() > 0.01


def test_a_room_transition_visits_two_rooms(paper_world):
    for seed in range(10):
        poses = walk(plan_room_transition, paper_world, np.random.default_rng(seed), 31, LIMITS, CAMERA)
        assert poses[:, 0, 3].min() < 5.0 < 5.1 < poses[:, 0, 3].max()


def test_a_room_that_is_alone_is_walked_across(paper_world, monkeypatch):
    def round_the_table(self, start_m, goal_m, *, roomy=False):
        for x, z in ((0.0, 0.0), (1.2, 1.6), (3.8, 1.6), (1.2, 3.5), (3.8, 3.5)):
            points = np.stack([start_m, np.array([x, 0.0, z]), goal_m] if x else [start_m, goal_m])
            line = np.concatenate([a + np.linspace(0, 1, 99)[:, None] * (b - a) for a, b in pairwise(points)])
            if self.clearance_m(line).min() >= 0.2:
                return Route(points, float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()))
        return None

    paper_world.rooms = paper_world.rooms[:1]
    monkeypatch.setattr(type(paper_world.navigation), "shortest_path", round_the_table)
    low_x, low_z, high_x, high_z = paper_world.rooms[0].bounds_m
    for seed in range(5):
        poses = walk(plan_room_transition, paper_world, np.random.default_rng(seed), 31, LIMITS, CAMERA)
        x, z = poses[:, 0, 3], poses[:, 2, 3]
        assert low_x <= x.min() <= x.max() <= high_x
        assert low_z <= z.min() <= z.max() <= high_z
        assert np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum() > 0.9


def test_scenes_that_cannot_host_a_pattern_are_refused(paper_world):
    paper_world.rooms = paper_world.rooms[:1]
    with pytest.raises(TrajectoryError, match="free floor"):
        walk(plan_circular, paper_world, np.random.default_rng(0), 11, MotionLimits(clearance_m=1.0), CAMERA)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_planning_is_fast(pattern, paper_world):
    began = time.process_time()
    for seed in range(5):
        walk(pattern, paper_world, np.random.default_rng(seed), 37, LIMITS, CAMERA)
    assert (time.process_time() - began) / 5 < 0.25


def test_frames_are_every_so_manyth_sample():
    time_s = dense_times_s(5, 2.0)
    assert len(time_s) == 4 * SAMPLES_PER_FRAME + 1
    still = np.zeros((len(time_s), 3))
    motion = finished_motion(still, np.zeros(len(time_s)), np.zeros(len(time_s)), LIMITS, CAMERA)
    assert frame_poses(motion).shape == (5, 4, 4)
