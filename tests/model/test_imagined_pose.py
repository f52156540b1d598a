import math

import numpy as np
import pytest

from backsight.geometry.poses import check_rigid, invert_pose, look_pose
from backsight.model.imagined_pose import turned_pose


def test_turning_right_looks_to_the_right_and_up_looks_up() -> None:
    # The viewing direction in the current camera's frame: x right, y down, z ahead.
    np.testing.assert_allclose(turned_pose(math.pi / 2)[:3, 2], [1.0, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(turned_pose(0.0, math.pi / 4)[:3, 2], [0.0, -(0.5**0.5), 0.5**0.5], atol=1e-6)
    assert turned_pose(0.3, 0.2, (0.1, 0.0, 0.4))[:3, 3].tolist() == pytest.approx([0.1, 0.0, 0.4])


@pytest.mark.parametrize(("right", "up"), [(0.7, 0.0), (-1.9, 0.3), (2.5, -0.4)])
def test_it_is_the_pose_of_a_level_camera_that_turned(right: float, up: float) -> None:
    here, there = (look_pose(np.zeros(3), yaw, pitch) for yaw, pitch in ((0.4, 0.0), (0.4 - right, up)))
    expected = invert_pose(here) @ there
    np.testing.assert_allclose(turned_pose(right, up), expected, atol=1e-6)
    check_rigid(turned_pose(right, up).astype(np.float64))
