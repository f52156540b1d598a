import numpy as np
import pytest

from backsight.geometry.cameras import crop_intrinsics, intrinsics_from_hfov, pixel_centres, scale_intrinsics


def test_a_ninety_degree_camera_has_a_focal_length_of_half_its_width():
    expected = [[65.0, 0.0, 65.0], [0.0, 65.0, 48.5], [0.0, 0.0, 1.0]]
    np.testing.assert_allclose(intrinsics_from_hfov(130, 97, 90.0), expected)


def test_the_left_border_of_the_image_is_half_the_field_of_view_off_axis():
    intrinsics = intrinsics_from_hfov(131, 97, 62.0)
    off_axis = np.degrees(np.arctan2(intrinsics[0, 2] - 0.0, intrinsics[0, 0]))
    assert off_axis == pytest.approx(31.0)


@pytest.mark.parametrize("hfov_deg", [0.0, -10.0, 180.0])
def test_an_impossible_field_of_view_is_refused(hfov_deg):
    with pytest.raises(ValueError, match="hfov_deg"):
        intrinsics_from_hfov(13, 11, hfov_deg)


def test_an_empty_image_is_refused():
    with pytest.raises(ValueError, match="sides"):
        intrinsics_from_hfov(13, 0, 90.0)


def test_pixel_centres_are_x_then_y_and_start_at_one_half():
    centres = pixel_centres(5, 3)
    assert centres.shape == (3, 5, 2)
    np.testing.assert_array_equal(centres[0, 0], [0.5, 0.5])
    np.testing.assert_array_equal(centres[2, 4], [4.5, 2.5])
    np.testing.assert_array_equal(centres[1, 3], [3.5, 1.5])


def test_scaling_moves_the_principal_point_with_the_image_and_keeps_axes_apart():
    intrinsics = np.array([[11.0, 0.0, 7.0], [0.0, 13.0, 5.0], [0.0, 0.0, 1.0]])
    expected = [[22.0, 0.0, 14.0], [0.0, 39.0, 15.0], [0.0, 0.0, 1.0]]
    np.testing.assert_allclose(scale_intrinsics(intrinsics, 2.0, 3.0), expected)


def test_cropping_shifts_only_the_principal_point_and_leaves_its_input_alone():
    intrinsics = np.array([[11.0, 0.0, 7.0], [0.0, 13.0, 5.0], [0.0, 0.0, 1.0]])
    before = intrinsics.copy()
    expected = [[11.0, 0.0, 5.5], [0.0, 13.0, 2.0], [0.0, 0.0, 1.0]]
    np.testing.assert_allclose(crop_intrinsics(intrinsics, 1.5, 3.0), expected)
    np.testing.assert_array_equal(intrinsics, before)
