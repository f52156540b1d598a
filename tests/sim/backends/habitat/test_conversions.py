"""Axes, quaternions, intrinsics and boxes, against formulas written out by hand and against invariances."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.sim.backends.habitat.conversions import (
    box_of_extents,
    habitat_poses,
    hfov_deg,
    map_corner_m,
    rotated,
    turned_xyzw,
    upright_box,
    world_from_camera,
    yaw_xyzw,
)

ANGLES = st.floats(-3.1, 3.1)


def about(axis: str, angle: float) -> np.ndarray:
    quaternion = np.zeros(4)
    quaternion["xyz".index(axis)], quaternion[3] = math.sin(angle / 2), math.cos(angle / 2)
    return quaternion


def test_a_camera_that_looks_along_minus_z_is_not_rotated_in_habitat():
    position, xyzw = habitat_poses(look_pose(np.array([1.0, 2.0, 3.0]), 0.0)[None])
    assert np.allclose(position, [[1.0, 2.0, 3.0]])
    assert np.allclose(np.abs(xyzw), [[0.0, 0.0, 0.0, 1.0]])


def test_a_quarter_turn_to_the_left_has_its_sine_at_y_and_its_cosine_last():
    _, xyzw = habitat_poses(look_pose(np.zeros(3), math.pi / 2)[None])
    half = math.sqrt(0.5)
    assert np.allclose(xyzw[0] * np.sign(xyzw[0, 3]), [0.0, half, 0.0, half])


def test_looking_up_turns_about_plus_x():
    _, xyzw = habitat_poses(look_pose(np.zeros(3), 0.0, 0.6)[None])
    assert np.allclose(xyzw[0] * np.sign(xyzw[0, 3]), [math.sin(0.3), 0.0, 0.0, math.cos(0.3)])


@given(ANGLES, st.floats(-1.5, 1.5))
@settings(max_examples=30, deadline=None)
def test_poses_come_back(yaw, pitch):
    pose = look_pose(np.array([3.0, -1.0, 2.0]), yaw, pitch)[None]
    assert np.allclose(world_from_camera(*habitat_poses(pose)), pose, atol=1e-12)


@pytest.mark.parametrize(("width", "height", "hfov"), [(83, 61, 79.0), (61, 83, 40.0), (640, 480, 120.0)])
def test_the_field_of_view_is_the_width_s(width, height, hfov):
    assert hfov_deg(intrinsics_from_hfov(width, height, hfov), width, height) == pytest.approx(hfov, abs=1e-9)


@pytest.mark.parametrize(
    "change", [((0, 0), 1.01), ((1, 1), 1.01), ((0, 2), 1.02), ((1, 2), 0.98), ((0, 0), -1.0)], ids=str
)
def test_other_intrinsics_are_refused(change):
    intrinsics = intrinsics_from_hfov(83, 61, 79.0)
    intrinsics[change[0]] *= change[1]
    with pytest.raises(UsageError, match="square pixels"):
        hfov_deg(intrinsics, 83, 61)


def test_skew_is_refused():
    intrinsics = intrinsics_from_hfov(83, 61, 79.0)
    intrinsics[0, 1] = 0.5
    with pytest.raises(UsageError, match="square pixels"):
        hfov_deg(intrinsics, 83, 61)


def test_negative_and_missing_extents_become_positive():
    box = box_of_extents(np.array([1.0, 2.0, 3.0]), np.array([-2.0, 0.0, 1.0]))
    assert box.size_m == (2.0, 0.001, 1.0)


@given(ANGLES)
@settings(max_examples=30, deadline=None)
def test_an_upright_box_stays_as_it_is(yaw):
    box = upright_box(np.array([1.0, 0.5, -2.0]), np.array([0.3, 0.5, 0.7]), yaw_xyzw(yaw))
    assert np.allclose(box.size_m, (0.6, 1.0, 1.4))
    assert math.remainder(box.yaw_rad - yaw, 2 * math.pi) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("laid_down", [about("x", math.pi / 2), about("z", math.pi / 2), about("x", -math.pi / 2)])
def test_a_box_that_lies_on_its_side_keeps_its_corners(laid_down):
    half = np.array([0.3, 0.5, 0.7])
    turn = turned_xyzw(yaw_xyzw(0.4), laid_down)
    corners = np.array([rotated(turn, half * (a, b, c)) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    found = upright_box(np.zeros(3), half, turn).corners_m()
    distances = np.linalg.norm(corners[:, None] - found[None], axis=-1).min(axis=1)
    assert distances.max() < 1e-9


@given(ANGLES, st.floats(-1.2, 1.2), st.floats(-1.2, 1.2))
@settings(max_examples=40, deadline=None)
def test_a_tilted_box_is_enclosed_and_touched(yaw, tilt, roll):
    half = np.array([0.3, 0.5, 0.7])
    turn = turned_xyzw(yaw_xyzw(yaw), turned_xyzw(about("x", tilt), about("z", roll)))
    corners = np.array([rotated(turn, half * (a, b, c)) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    box = upright_box(np.zeros(3), half, turn)
    cos, sin = math.cos(box.yaw_rad), math.sin(box.yaw_rad)
    local = corners @ np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    assert np.allclose(np.abs(local).max(axis=0), np.array(box.size_m) / 2, atol=1e-9)


def test_turns_follow_each_other_in_their_order():
    # First up about x, then left about y: the camera's forward ends up pointing up.
    both = turned_xyzw(about("y", math.pi / 2), about("x", math.pi / 2))
    assert np.allclose(rotated(both, np.array([0.0, 0.0, -1.0])), [0.0, 1.0, 0.0], atol=1e-12)
    other = turned_xyzw(about("x", math.pi / 2), about("y", math.pi / 2))
    assert np.allclose(rotated(other, np.array([0.0, 0.0, -1.0])), [-1.0, 0.0, 0.0], atol=1e-12)


def test_a_map_s_cells_are_named_by_their_centres():
    assert np.allclose(map_corner_m(np.array([0.2, 9.0, -1.0]), 0.05), [0.175, -1.025])
