import math

import numpy as np
import pytest

from backsight.records.scene import OrientedBox
from backsight.sim.embedded.scans.boxes import LEAST_SIDE_M, find_supports, upright_box


@pytest.mark.parametrize("yaw", [0.2, 0.9, 1.4, -0.4, 2.0])
def test_the_box_of_a_turned_box_is_that_box(yaw):
    box = OrientedBox((1.0, 0.7, -2.0), (1.9, 0.4, 0.7), yaw)
    found = upright_box(box.corners_m())
    np.testing.assert_allclose(
        sorted(map(tuple, found.corners_m().round(4))), sorted(map(tuple, box.corners_m().round(4)))
    )


def test_it_is_no_larger_than_any_box_found_by_trying_all_angles():
    rng = np.random.default_rng(7)
    for _ in range(20):
        points = rng.normal(size=(31, 3)) * [2.0, 1.0, 0.5]
        width, _, depth = upright_box(points).size_m
        areas = []
        for angle in np.linspace(0, math.pi / 2, 721):
            turned = points[:, [0, 2]] @ np.array(
                [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
            )
            areas.append(np.prod(turned.max(axis=0) - turned.min(axis=0)))
        assert width * depth <= min(areas) / 0.97 + 1e-9


def test_all_points_lie_inside():
    rng = np.random.default_rng(8)
    points = rng.normal(size=(53, 3)) @ np.diag([3.0, 1.0, 0.3])
    box = upright_box(points)
    cosine, sine = math.cos(box.yaw_rad), math.sin(box.yaw_rad)
    offset = points - np.array(box.centre_m)
    local = np.stack(
        [cosine * offset[:, 0] - sine * offset[:, 2], offset[:, 1], sine * offset[:, 0] + cosine * offset[:, 2]], axis=1
    )
    assert (np.abs(local) <= np.array(box.size_m) / 2 + 1e-9).all()


def test_flat_things_and_single_points_have_boxes():
    line = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.5, 0.0, 0.5]])
    assert upright_box(line).size_m[1] == LEAST_SIDE_M
    assert min(upright_box(np.zeros((3, 3))).size_m) == LEAST_SIDE_M


def test_supports_are_what_a_thing_stands_on():
    boxes = [
        OrientedBox((0, 0.375, 0), (1.6, 0.75, 0.8), 0.5),
        OrientedBox((0.3, 0.85, -0.1), (0.2, 0.2, 0.2)),
        OrientedBox((0.3, 0.96, -0.1), (0.1, 0.02, 0.1)),
        OrientedBox((3.0, 0.85, 0), (0.2, 0.2, 0.2)),
        OrientedBox((0.1, 1.6, 0), (0.2, 0.2, 0.2)),
    ]
    assert find_supports(boxes) == [None, 0, 1, None, None]
    assert find_supports([]) == []
