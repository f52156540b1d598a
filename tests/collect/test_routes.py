import math

import numpy as np
import pytest

from backsight.collect.trajectories.gaze import angles_towards_rad, looks_in_turn_rad, to_and_fro
from backsight.collect.trajectories.routes import (
    Course,
    back_and_forth_m,
    checked_clear,
    distances_along_m,
    legs_through,
    stretch_of,
)
from backsight.collect.trajectories.smooth import FloorPath, MotionLimits, SpeedProfile, TrajectoryError
from backsight.sim.simulator import Route

LIMITS = MotionLimits()


def straight(start, end, count=31):
    return FloorPath(np.array(start) + np.linspace(0.0, 1.0, count)[:, None] * (np.array(end) - np.array(start)))


class OpenField:
    """Floor without obstacles but one round pillar at the origin."""

    floors_m = (0.0,)

    def random_point(self, *_):
        raise NotImplementedError

    snap = is_navigable = island = geodesic_distances_m = top_down_map = random_point

    def __init__(self):
        self.searched = 0

    def clearance_m(self, points_m):
        return np.maximum(np.hypot(points_m[:, 0], points_m[:, 2]) - 0.5, 0.0)

    def shortest_path(self, start_m, goal_m, *, roomy=False):
        self.searched += 1
        aside = np.array([0.0, 0.0, 1.5])
        return Route(np.stack([start_m, aside, goal_m]), 6.7)


def test_a_stretch_keeps_the_corners_inside_it():
    way = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [3.0, 4.0, 0.0]])
    np.testing.assert_allclose(distances_along_m(way), [0.0, 3.0, 7.0])
    np.testing.assert_allclose(stretch_of(way, 1.0, 5.0), [[1, 0, 0], [3, 0, 0], [3, 2, 0]])
    np.testing.assert_allclose(stretch_of(way, -2.0, 99.0), way)


def test_a_course_rests_between_its_legs_and_turns_half_way_through():
    legs = [straight((0.0, 0.0), (0.0, -2.0)), straight((0.0, -2.0), (0.0, 0.0))]
    course = Course(legs, 0.4, LIMITS, 0.7, turning=True)
    one_s = SpeedProfile(legs[0], 0.4, LIMITS).duration_s
    rest_s = course.duration_s - 2 * one_s
    assert rest_s == pytest.approx(180 / (0.94 * 30) + 0.6)
    time_s = np.linspace(0.0, course.duration_s + 1.0, 997)
    points, heading = course.points_m(time_s), course.heading_rad(time_s)
    resting = (time_s > one_s) & (time_s < one_s + rest_s)
    np.testing.assert_allclose(points[resting], np.tile([0.0, -2.0], (resting.sum(), 1)), atol=1e-9)
    np.testing.assert_allclose(points[-1], [0.0, 0.0], atol=1e-9)
    (switch,) = np.flatnonzero(np.abs(np.diff(heading)) > 0.1)
    assert time_s[switch] == pytest.approx(one_s + rest_s / 2, abs=0.03)
    velocity = np.diff(points, axis=0) / (time_s[1] - time_s[0])
    assert np.linalg.norm(np.diff(velocity, axis=0), axis=1).max() / (time_s[1] - time_s[0]) < 0.5


def test_to_and_fro_comes_back():
    path = straight((0.0, 0.0), (1.7, 0.0))
    profile = SpeedProfile(path, 0.4, LIMITS)
    leg_s = profile.duration_s + 0.5
    distance = back_and_forth_m(profile, path.length_m, 0.5, np.array([0.0, leg_s, 2 * leg_s, 3 * leg_s - 0.1]))
    np.testing.assert_allclose(distance, [0.0, 1.7, 0.0, 1.7], atol=1e-9)
    np.testing.assert_allclose(to_and_fro(np.array([-1.0, 0.0, 0.25, 0.5, 0.75, 3.0])), [-1, -1, 0, 1, 0, -1])


def test_legs_go_straight_where_there_is_room_and_end_where_the_way_turns_back():
    field = OpenField()
    stops = [np.array(point) for point in ((-3.0, 0.0, 2.0), (0.0, 0.0, 2.0), (3.0, 0.0, 2.6), (0.0, 0.0, 2.2))]
    legs = legs_through(field, stops, LIMITS, 99.0)
    assert field.searched == 0
    assert len(legs) == 2
    assert legs[0].length_m == pytest.approx(3.0 + math.hypot(3.0, 0.6), abs=0.05)
    assert len(legs_through(field, stops, LIMITS, 2.0)) == 1
    (round_it,) = legs_through(field, [np.array([-3.0, 0.0, 0.0]), np.array([3.0, 0.0, 0.0])], LIMITS, 99.0)
    assert field.searched == 1
    assert round_it.length_m > 6.2


def test_a_way_through_an_obstacle_is_refused():
    line = np.stack([np.linspace(-2.0, 2.0, 83), np.zeros(83), np.zeros(83)], axis=-1)
    checked_clear(line + np.array([0.0, 0.71, 0.0]), OpenField(), LIMITS)
    with pytest.raises(TrajectoryError, match="not clear"):
        checked_clear(line + np.array([0.0, 0.69, 0.0]), OpenField(), LIMITS)


def test_angles_lead_to_what_is_looked_at():
    cameras = np.array([[1.0, 1.25, 2.0], [1.0, 1.25, 2.0]])
    yaw, pitch = angles_towards_rad(cameras, np.array([[1.0, 1.25, -3.0], [-1.0, 3.25, 2.0]]))
    np.testing.assert_allclose(yaw, [0.0, math.pi / 2], atol=1e-12)
    np.testing.assert_allclose(pitch, [0.0, math.pi / 4], atol=1e-12)


def test_a_gaze_stays_with_each_target_and_takes_the_shorter_way():
    time_s = np.arange(0.0, 23.0, 0.1)
    cameras = np.zeros((len(time_s), 3))
    targets = np.array([[-1.0, 0.0, 3.0], [1.0, 0.0, 3.0], [0.0, 3.0, -3.0]])
    yaw, pitch = looks_in_turn_rad(time_s, cameras, targets, 2.0, math.radians(30.0))
    assert np.degrees(np.abs(np.diff(yaw)).max()) <= 30.0 * 0.1 + 1e-6
    first_turn = 2 * math.degrees(math.atan2(1.0, 3.0))
    still = np.abs(np.diff(yaw)) < 1e-9
    assert still[:20].all()
    assert not still[21 : 21 + int(10 * first_turn / 30) - 1].any()
    assert still[22 + math.ceil(10 * first_turn / 30) :][:18].all()
    for target in targets:
        wanted = math.atan2(-target[0], -target[2])
        assert (np.abs(np.angle(np.exp(1j * (yaw - wanted)))) < 1e-6).sum() >= 19
    assert np.degrees(pitch).max() == pytest.approx(45.0)
