import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.sim.motion_blur import exposure_poses, mean_light, render_exposed
from backsight.sim.simulator import Observation

INTRINSICS = np.array([[40.0, 0.0, 5.5], [0.0, 40.0, 3.5], [0.0, 0.0, 1.0]])


class Marked:
    """Renders the x of each pose: as depth, and as black or white."""

    def render(self, world_from_camera, intrinsics, width, height):
        x = world_from_camera[:, 0, 3].astype(np.float32)
        depth_m = np.broadcast_to(x[:, None, None], (len(x), height, width)).copy()
        rgb = np.where(depth_m[..., None] > 0.5, 255, 0).astype(np.uint8).repeat(3, axis=-1)
        return Observation(rgb, depth_m, depth_m.astype(np.int32))


def walk():
    return np.stack([look_pose(np.array([x, 1.25, 0.0]), yaw) for x, yaw in ((0.0, 0.0), (1.0, 0.6), (3.0, 0.6))])


def test_poses_of_an_exposure_lie_around_the_pose_at_even_steps():
    times_s = np.array([0.0, 1.0, 2.0])
    poses = exposure_poses(walk(), times_s, 0.5, 5)
    assert poses.shape == (3, 5, 4, 4)
    np.testing.assert_array_equal(poses[:, 2], walk())
    # Offsets -0.2, -0.1, 0, 0.1, 0.2 s; one metre a second before the second pose, two after it.
    np.testing.assert_allclose(poses[1, :, 0, 3], [0.8, 0.9, 1.0, 1.2, 1.4])
    np.testing.assert_allclose(poses[0, :2, 0, 3], 0.0)
    turned = np.arctan2(poses[1, :3, 0, 2], poses[1, :3, 2, 2])
    np.testing.assert_allclose(np.diff(turned), turned[1] - turned[0])
    assert abs(turned[1] - turned[0]) == pytest.approx(0.06)


def test_colour_is_the_mean_of_light_and_the_rest_is_of_the_middle():
    seen = render_exposed(Marked(), exposure_poses(walk(), np.arange(3.0), 0.9, 3)[:2], INTRINSICS, 11, 7)
    assert seen.rgb.shape == (2, 7, 11, 3)
    np.testing.assert_array_equal(seen.depth_m, np.broadcast_to(np.float32([0.0, 1.0])[:, None, None], (2, 7, 11)))
    mixed = exposure_poses(walk(), np.arange(3.0), 1.9, 3)[1:2]
    np.testing.assert_allclose(mixed[0, :, 0, 3], [1 - 1.9 / 3, 1.0, 1 + 2 * 1.9 / 3])
    two_of_three = render_exposed(Marked(), mixed, INTRINSICS, 11, 7).rgb
    # Two thirds of white light are sRGB 213, not 170.
    np.testing.assert_array_equal(two_of_three, 213)


def test_equal_pictures_have_themselves_as_mean():
    every = np.arange(256, dtype=np.uint8)[None, None, :, None].repeat(3, axis=-1)
    np.testing.assert_array_equal(mean_light(every.repeat(5, axis=0)), every[0])


def test_impossible_exposures_are_refused():
    with pytest.raises(UsageError, match="odd number"):
        exposure_poses(walk(), np.arange(3.0), 0.1, 4)
    with pytest.raises(UsageError, match="rise"):
        exposure_poses(walk(), np.array([0.0, 2.0, 1.0]), 0.1, 3)
    with pytest.raises(UsageError, match="odd number"):
        render_exposed(Marked(), np.tile(np.eye(4), (1, 2, 1, 1)), INTRINSICS, 11, 7)
