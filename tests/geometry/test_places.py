from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.geometry.cameras import intrinsics_from_hfov, pixel_centres
from backsight.geometry.places import PLACE_HEIGHT_M, place_mask
from backsight.geometry.places_torch import place_masks_torch
from backsight.geometry.poses import look_pose
from factories import ROOM_X, ROOM_Z, cast, room_objects

WIDTH, HEIGHT = 43, 31
INTRINSICS = intrinsics_from_hfov(WIDTH, HEIGHT, 79.0)
POSE = look_pose(np.array([2.5, 1.25, 3.5]), 0.0, -0.5)


def views(poses):
    found = [cast(pose, INTRINSICS, WIDTH, HEIGHT, room_objects())[:2] for pose in poses]
    return np.stack([depth for depth, _ in found]), np.stack([ids for _, ids in found])


def floor_points(pose):
    """World points where each pixel's ray meets the plane of the floor; NaN for rays that rise."""
    pixels = np.concatenate([pixel_centres(WIDTH, HEIGHT), np.ones((HEIGHT, WIDTH, 1))], axis=-1)
    rays = pixels @ np.linalg.inv(INTRINSICS).T @ pose[:3, :3].T
    with np.errstate(divide="ignore"):
        scale = np.where(rays[..., 1] < 0.0, -pose[1, 3] / rays[..., 1], np.nan)
    return pose[:3, 3] + rays * scale[..., None]


def distance_to_line(points, line):
    """By trying many points of the line."""
    dense = np.concatenate([a + np.linspace(0, 1, 2001)[:, None] * (b - a) for a, b in pairwise(line)])
    return np.sqrt(((points[..., None, [0, 2]] - dense[:, [0, 2]]) ** 2).sum(-1)).min(-1)


def test_a_place_is_the_floor_near_its_line_where_nothing_hides_it():
    (depth,), (ids,) = views([POSE])
    line = np.array([[1.0, 0.0, 2.0], [3.5, 0.0, 2.2], [2.5, 0.0, 0.7]])
    mask = place_mask(depth, INTRINSICS, POSE, line, 0.4)
    distance = distance_to_line(floor_points(POSE), line)
    on_floor = ids == 1
    sure = on_floor & (np.abs(distance - 0.4) > 1e-3)
    np.testing.assert_array_equal(mask[sure], (distance < 0.4)[sure])
    assert mask[sure].any()
    assert not mask[sure].all()
    assert not mask[ids >= 7][depth[ids >= 7] < 99.0].all()
    # The line leads below the table: what stands on the floor hides the floor.
    table_tops = (ids == 9) & (floor_points(POSE)[..., 2] < 0.5)
    assert table_tops.any()
    assert not mask[table_tops].any()


def test_a_single_point_is_a_disc_and_holes_show_nothing():
    (depth,), (ids,) = views([POSE])
    point = np.array([[2.5, 0.0, 2.0]])
    mask = place_mask(depth, INTRINSICS, POSE, point, 0.5)
    distance = np.linalg.norm((floor_points(POSE) - point[0])[..., [0, 2]], axis=-1)
    np.testing.assert_array_equal(mask, (ids == 1) & (distance <= 0.5))
    holes = depth.copy()
    holes[mask] = 0.0
    assert not place_mask(holes, INTRINSICS, POSE, point, 0.5).any()


@pytest.mark.parametrize(("height_m", "seen"), [(0.9 * PLACE_HEIGHT_M, True), (1.1 * PLACE_HEIGHT_M, False)])
def test_a_line_that_is_too_far_above_the_floor_is_elsewhere(height_m, seen):
    (depth,), _ = views([POSE])
    line = np.array([[2.0, height_m, 2.0], [3.0, height_m, 2.0]])
    assert place_mask(depth, INTRINSICS, POSE, line, 0.5).any() == seen


def test_a_rising_line_takes_steps_by_their_height():
    (depth,), _ = views([POSE])
    line = np.array([[1.0, 0.0, 2.0], [4.0, 3.0, 2.0]])
    mask = place_mask(depth, INTRINSICS, POSE, line, 0.2)
    reached = floor_points(POSE)[mask]
    assert len(reached)
    assert reached[:, 0].max() <= 1.0 + PLACE_HEIGHT_M + 1e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 5))
def test_the_torch_twin_agrees(seed, corners):
    rng = np.random.default_rng(seed)
    poses = [
        look_pose(
            np.array([rng.uniform(1, 4), 1.25, rng.uniform(2.5, 3.7)]), rng.uniform(-3, 3), rng.uniform(-0.8, 0.1)
        )
        for _ in range(2)
    ]
    depth, _ = views(poses)
    line = np.stack(
        [
            rng.uniform(0.3, ROOM_X - 0.3, corners),
            rng.uniform(0, 0.1, corners),
            rng.uniform(0.3, ROOM_Z - 0.3, corners),
        ],
        -1,
    )
    wanted = np.stack([place_mask(d, INTRINSICS, p, line, 0.37) for d, p in zip(depth, poses, strict=True)])
    padded = np.concatenate([line, np.repeat(line[-1:], 3, axis=0)])
    found = place_masks_torch(
        torch.from_numpy(depth),
        torch.from_numpy(INTRINSICS).float().expand(2, 3, 3),
        torch.from_numpy(np.stack(poses)).float(),
        torch.from_numpy(padded).float().expand(2, -1, 3),
        torch.full((2,), 0.37),
    ).numpy()
    # float32 may put a pixel of the rim on its other side.
    assert (found != wanted).sum() <= 2
