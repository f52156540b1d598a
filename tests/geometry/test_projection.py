import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backsight.geometry.cameras import pixel_centres
from backsight.geometry.poses import invert_pose, look_pose
from backsight.geometry.projection import (
    look_up_inverse_bilinear,
    look_up_nearest,
    project,
    transform_points,
    unproject,
)

INTRINSICS = np.array([[19.0, 0.0, 8.0], [0.0, 23.0, 6.5], [0.0, 0.0, 1.0]])


def test_one_pixel_unprojects_to_the_point_computed_by_hand():
    depth_m = np.zeros((13, 17), dtype=np.float32)
    depth_m[2, 11] = 4.0
    point = unproject(depth_m, INTRINSICS)[2, 11]
    np.testing.assert_allclose(point, [(11.5 - 8.0) / 19.0 * 4.0, (2.5 - 6.5) / 23.0 * 4.0, 4.0])


def test_a_pixel_without_reading_becomes_the_origin():
    assert not unproject(np.zeros((13, 17), dtype=np.float32), INTRINSICS).any()


def test_a_point_projects_to_the_pixel_computed_by_hand():
    pixels, z_m = project(np.array([[0.5, -0.25, 2.0]]), INTRINSICS)
    np.testing.assert_allclose(pixels, [[8.0 + 19.0 * 0.25, 6.5 - 23.0 * 0.125]])
    np.testing.assert_allclose(z_m, [2.0])


def test_points_behind_the_camera_have_no_pixel():
    pixels, z_m = project(np.array([[0.5, -0.25, -2.0], [0.1, 0.1, 0.0]]), INTRINSICS)
    assert np.isnan(pixels).all()
    np.testing.assert_array_equal(z_m, [-2.0, 0.0])


@given(
    st.floats(5.0, 300.0),
    st.floats(5.0, 300.0),
    st.floats(-3.0, 20.0),
    st.floats(-3.0, 20.0),
    st.integers(0, 2**32 - 1),
)
def test_unprojecting_and_projecting_returns_every_pixel_centre(fx, fy, cx, cy, seed):
    intrinsics = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    depth_m = np.random.default_rng(seed).uniform(0.1, 30.0, (13, 17)).astype(np.float32)
    pixels, z_m = project(unproject(depth_m, intrinsics), intrinsics)
    np.testing.assert_allclose(pixels, pixel_centres(17, 13), atol=1e-8)
    np.testing.assert_allclose(z_m, depth_m, rtol=1e-12)


def test_moving_points_by_hand():
    pose = look_pose(np.array([1.0, 2.0, 3.0]), np.pi / 2)
    # Two metres ahead of a camera that looks along -X, and one metre to its right (-Z).
    np.testing.assert_allclose(transform_points(pose, np.array([1.0, 0.0, 2.0])), [-1.0, 2.0, 2.0])


@given(st.integers(0, 2**32 - 1), st.floats(-3.0, 3.0), st.floats(-1.5, 1.5))
def test_moving_points_there_and_back_changes_nothing_and_keeps_distances(seed, yaw, pitch):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(5, 7, 3))
    pose = look_pose(generator.normal(size=3), yaw, pitch)
    moved = transform_points(pose, points)
    np.testing.assert_allclose(transform_points(invert_pose(pose), moved), points, atol=1e-12)
    np.testing.assert_allclose(
        np.linalg.norm(moved[1:] - moved[:-1], axis=-1), np.linalg.norm(points[1:] - points[:-1], axis=-1)
    )


def test_the_nearest_reading_is_that_of_the_pixel_that_holds_the_position():
    image = np.arange(15).reshape(3, 5)
    positions = np.array([[0.0, 0.0], [0.99, 0.99], [1.0, 0.5], [4.99, 2.99], [5.0, 1.0], [-0.01, 1.0], [2.5, 3.0]])
    values, inside = look_up_nearest(image, positions)
    np.testing.assert_array_equal(values, [0, 0, 1, 14, 0, 0, 0])
    np.testing.assert_array_equal(inside, [True, True, True, True, False, False, False])


def test_a_position_that_is_no_number_is_outside():
    values, inside = look_up_nearest(np.ones((3, 5)), np.array([[np.nan, np.nan]]))
    assert not inside[0]
    assert values[0] == 0.0


def test_reading_at_pixel_centres_returns_the_image():
    depth_m = np.random.default_rng(3).uniform(2.0, 2.5, (13, 17)).astype(np.float32)
    read_m, inside = look_up_inverse_bilinear(depth_m, pixel_centres(17, 13))
    assert inside.all()
    np.testing.assert_allclose(read_m, depth_m, rtol=1e-6)


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.integers(0, 2**32 - 1))
def test_inverse_depth_interpolation_is_exact_on_planes(slant_x, slant_y, seed):
    def plane_m(pixels):
        rays = (pixels - INTRINSICS[:2, 2]) / np.diag(INTRINSICS)[:2]
        return 3.0 / (1.0 + slant_x * rays[..., 0] + slant_y * rays[..., 1])

    positions = np.random.default_rng(seed).uniform([0.5, 0.5], [16.5, 12.5], (11, 2))
    read_m, _ = look_up_inverse_bilinear(plane_m(pixel_centres(17, 13)), positions)
    np.testing.assert_allclose(read_m, plane_m(positions), rtol=1e-9)


@pytest.mark.parametrize(("corner_m", "belongs"), [(2.6, True), (2.8, False), (0.0, False), (1.5, True), (1.4, False)])
def test_readings_are_interpolated_only_where_the_four_neighbours_belong_together(corner_m, belongs):
    depth_m = np.full((2, 2), 2.0)
    depth_m[1, 0] = corner_m
    read_m, inside = look_up_inverse_bilinear(depth_m, np.array([[1.0, 1.0]]))
    assert inside[0]
    expected = 4.0 / (3 / 2.0 + 1 / corner_m) if belongs else 0.0
    assert read_m[0] == pytest.approx(expected)


def test_the_outermost_readings_are_repeated_at_the_border():
    depth_m = np.array([[2.0, 2.2], [2.1, 2.3]])
    read_m, _ = look_up_inverse_bilinear(depth_m, np.array([[0.1, 0.2], [1.9, 1.9]]))
    np.testing.assert_allclose(read_m, [2.0, 2.3])
