import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from backsight.geometry.poses import (
    CV_FROM_GL,
    bearing_and_distance,
    check_rigid,
    heading_rad,
    invert_pose,
    look_pose,
    look_poses,
    rotation_angle_rad,
)

coordinate = st.floats(-20.0, 20.0)
vector = st.tuples(coordinate, coordinate, coordinate).map(np.array)
angle = st.floats(-3.1, 3.1)


@st.composite
def poses(draw):
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", [draw(angle), draw(angle), draw(angle)]).as_matrix()
    pose[:3, 3] = draw(vector)
    return pose


def test_the_inverse_of_a_quarter_turn_with_offset_by_hand():
    # The source's x axis is the target's y axis; its origin lies at (1, 2, 3).
    target_from_source = np.array([[0.0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]])
    expected = np.array([[0.0, 1, 0, -2], [-1, 0, 0, 1], [0, 0, 1, -3], [0, 0, 0, 1]])
    np.testing.assert_allclose(invert_pose(target_from_source), expected)


@given(poses())
def test_a_pose_times_its_inverse_is_the_identity(pose):
    np.testing.assert_allclose(invert_pose(pose) @ pose, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(invert_pose(invert_pose(pose)), pose, atol=1e-12)


@given(poses(), poses())
def test_inversion_reverses_the_order_of_a_product(first, second):
    np.testing.assert_allclose(invert_pose(first @ second), invert_pose(second) @ invert_pose(first), atol=1e-11)


@given(poses(), poses())
def test_a_stack_is_inverted_pose_by_pose(first, second):
    stack = np.stack([first, second, np.eye(4)])[None]
    np.testing.assert_array_equal(invert_pose(stack)[0, 1], invert_pose(second))


def test_the_camera_centre_is_the_last_column_and_not_minus_r_transposed_t():
    pose = look_pose(np.array([3.0, 1.5, -2.0]), 0.7, -0.2)
    np.testing.assert_allclose(pose[:3, 3], [3.0, 1.5, -2.0])
    np.testing.assert_allclose(invert_pose(pose) @ [3.0, 1.5, -2.0, 1.0], [0.0, 0.0, 0.0, 1.0], atol=1e-12)


@pytest.mark.parametrize(
    ("yaw", "pitch", "forward", "right", "down"),
    [
        (0.0, 0.0, (0, 0, -1), (1, 0, 0), (0, -1, 0)),
        (np.pi / 2, 0.0, (-1, 0, 0), (0, 0, -1), (0, -1, 0)),
        (0.0, np.pi / 2, (0, 1, 0), (1, 0, 0), (0, 0, -1)),
        (np.pi, 0.0, (0, 0, 1), (-1, 0, 0), (0, -1, 0)),
    ],
)
def test_a_camera_looks_where_yaw_and_pitch_say(yaw, pitch, forward, right, down):
    pose = look_pose(np.zeros(3), yaw, pitch)
    np.testing.assert_allclose(pose[:3, 2], forward, atol=1e-12)
    np.testing.assert_allclose(pose[:3, 0], right, atol=1e-12)
    np.testing.assert_allclose(pose[:3, 1], down, atol=1e-12)
    check_rigid(pose)


@given(vector, angle, st.floats(-1.4, 1.4))
def test_heading_reads_back_the_yaw_of_a_pose(position, yaw, pitch):
    assert heading_rad(look_pose(position, yaw, pitch)) == pytest.approx(yaw, abs=1e-9)


def test_the_axes_change_flips_y_and_z_and_undoes_itself():
    np.testing.assert_array_equal(CV_FROM_GL @ [1.0, 2.0, 3.0, 1.0], [1.0, -2.0, -3.0, 1.0])
    np.testing.assert_array_equal(CV_FROM_GL @ CV_FROM_GL, np.eye(4))


@given(vector.filter(lambda v: np.linalg.norm(v) > 1e-3), st.floats(0.0, np.pi))
def test_the_angle_of_a_rotation_vector_is_its_length(axis, turn_rad):
    rotation = Rotation.from_rotvec(axis / np.linalg.norm(axis) * turn_rad).as_matrix()
    assert float(rotation_angle_rad(rotation)) == pytest.approx(turn_rad, abs=1e-7)


def test_tiny_angles_are_not_lost():
    rotation = Rotation.from_rotvec([0.0, 1e-9, 0.0]).as_matrix()
    assert float(rotation_angle_rad(rotation)) == pytest.approx(1e-9, rel=1e-6)


def test_bearings_by_hand():
    # The viewer at (1, 1, 1) looks along -X, so its right is -Z.
    current = look_pose(np.array([1.0, 1.0, 1.0]), np.pi / 2)
    others = np.stack(
        [
            look_pose(np.array(place), 2.0)
            for place in ([-2.0, 1.0, 1.0], [1.0, 1.0, -3.0], [1.0, 3.0, 1.0], [1.0, 1.0, 1.0])
        ]
    )
    direction, distance_m = bearing_and_distance(current, others)
    np.testing.assert_allclose(direction, [[0, 0, 1], [1, 0, 0], [0, -1, 0], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(distance_m, [3.0, 4.0, 2.0, 0.0], atol=1e-12)


@given(poses(), poses())
def test_bearing_times_distance_is_the_other_centre_in_camera_axes(current, other):
    direction, distance_m = bearing_and_distance(current, other[None])
    if distance_m[0] > 1e-3:
        centre = (np.linalg.inv(current) @ other[:, 3])[:3]
        np.testing.assert_allclose(direction[0] * distance_m[0], centre, atol=1e-9)


@given(poses(), poses(), poses())
def test_bearings_do_not_depend_on_the_world_frame(current, other, move):
    direction, distance_m = bearing_and_distance(current, other[None])
    moved, moved_m = bearing_and_distance(move @ current, (move @ other)[None])
    np.testing.assert_allclose(moved_m, distance_m, atol=1e-9)
    np.testing.assert_allclose(moved * moved_m, direction * distance_m, atol=1e-9)


def _broken(kind: str) -> np.ndarray:
    pose = look_pose(np.array([1.0, 2.0, 3.0]), 0.5, 0.1)
    if kind == "finite":
        pose[0, 3] = np.nan
    elif kind == "last row":
        pose = pose.T.copy()
    elif kind == "orthonormal":
        pose[:3, :3] *= 1.01
    else:
        pose[:3, 0] *= -1.0
    return pose


@pytest.mark.parametrize("kind", ["finite", "last row", "orthonormal", "mirrors"])
def test_a_matrix_that_is_not_rigid_is_refused_with_its_index(kind):
    good = look_pose(np.zeros(3), 1.0)
    with pytest.raises(ValueError, match=rf"pose 2 .*{kind}"):
        check_rigid(np.stack([good, good, _broken(kind), good]))


@given(poses())
def test_every_rigid_pose_is_accepted(pose):
    check_rigid(pose)


def test_many_views_are_those_of_one_after_the_other():
    rng = np.random.default_rng(5)
    places, yaw, pitch = rng.normal(size=(7, 3)), rng.uniform(-3.0, 3.0, 7), rng.uniform(-1.2, 1.2, 7)
    one_by_one = [look_pose(place, float(a), float(b)) for place, a, b in zip(places, yaw, pitch, strict=True)]
    np.testing.assert_allclose(look_poses(places, yaw, pitch), one_by_one, atol=1e-12)
