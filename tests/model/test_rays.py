"""Where keyframes saw what lies along an imagined view's rays, against a plane whose homography is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from backsight.geometry.poses import invert_pose, look_pose
from backsight.model.heatmap.odometry import Odometry, relative_poses
from backsight.model.heatmap.rays import (
    HYPOTHESES,
    ViewGeometry,
    cell_rays,
    estimated_geometry,
    look_up,
    pluecker_rays,
    sample_keyframes,
)
from backsight.model.outputs import Encoding

ROWS, COLUMNS = 7, 11
HALF = torch.tensor([[0.9, 0.6]])
DISTANCE_M = 2.5
RIGHT = math.radians(-25.0)
"""Yaw grows turning left."""


def in_current(yaw_rad: float, position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """A camera in the frame of one that looks along -Z from the world's origin."""
    return invert_pose(look_pose(np.zeros(3), 0.0)) @ look_pose(np.array(position_m), yaw_rad)


def geometry_of(imagined: list[np.ndarray], keyframes: list[np.ndarray], depth_m: float = DISTANCE_M) -> ViewGeometry:
    return ViewGeometry(
        current_from_imagined=torch.tensor(np.stack(imagined), dtype=torch.float32)[None],
        current_from_keyframe=torch.tensor(np.stack(keyframes), dtype=torch.float32)[None],
        half_field=HALF,
        median_depth_m=torch.tensor([DISTANCE_M]),
        depth_m=torch.full((1, len(keyframes), 5, 7), depth_m),
        variance=torch.zeros(1, len(keyframes), 2),
    )


def test_cell_rays_reach_the_edges_of_the_field_half_a_cell_inside() -> None:
    rays = cell_rays(HALF, ROWS, COLUMNS)[0].unflatten(0, (ROWS, COLUMNS))
    assert rays[0, 0].tolist() == pytest.approx([-0.9 * 10 / 11, -0.6 * 6 / 7, 1.0])
    assert rays[3, 5].tolist() == pytest.approx([0.0, 0.0, 1.0])


def test_a_thing_on_the_right_comes_to_the_middle_when_the_head_turns_right_and_leaves_when_it_turns_left() -> None:
    right, left = in_current(RIGHT), in_current(-RIGHT)
    found = look_up(geometry_of([right, left], [np.eye(4)]), ROWS, COLUMNS)
    middle = ROWS * COLUMNS // 2
    x = found.position[0, 0, :, :, middle, 0]
    torch.testing.assert_close(x[0], torch.full((len(HYPOTHESES),), math.tan(-RIGHT) / 0.9))
    torch.testing.assert_close(x[1], -x[0])
    assert found.in_view[0, 0, 0, 0, middle]
    maps = torch.zeros(1, 1, 1, 1, 41)
    maps[..., 31] = 1.0
    seen = sample_keyframes(maps, found)[0, 0, 0, :, 0].unflatten(-1, (ROWS, COLUMNS))
    assert seen[0, 3].argmax() == 5
    assert not seen[1][found.in_view[0, 0, 1, 0].unflatten(0, (ROWS, COLUMNS))].any()


def test_a_pure_turn_is_the_same_at_every_depth_and_a_move_is_not() -> None:
    turned = look_up(geometry_of([in_current(0.5)], [np.eye(4)]), ROWS, COLUMNS)
    torch.testing.assert_close(turned.position, turned.position[:, :, :, :1].expand_as(turned.position))
    moved = look_up(geometry_of([in_current(0.5, (0.3, 0.0, 0.0))], [np.eye(4)]), ROWS, COLUMNS)
    assert (moved.position[:, :, :, 1:] - moved.position[:, :, :, :1]).abs().amax(-1).min() > 0.01


def test_points_of_a_frontal_plane_are_found_where_its_homography_says() -> None:
    """Imagined view and keyframe are parallel to the plane or turned; its points are found by plain numpy."""
    imagined, keyframe = in_current(0.0, (0.4, -0.1, -0.2)), in_current(0.35, (-0.5, 0.2, 0.3))
    plane_m = DISTANCE_M / HYPOTHESES[2]
    found = look_up(geometry_of([imagined], [keyframe]), ROWS, COLUMNS)
    x, y = np.meshgrid((np.arange(COLUMNS) + 0.5) / COLUMNS * 2 - 1, (np.arange(ROWS) + 0.5) / ROWS * 2 - 1)
    points = np.stack([x * 0.9, y * 0.6, np.ones_like(x)], axis=-1).reshape(-1, 3) * plane_m
    pose = invert_pose(keyframe) @ imagined
    local = points @ pose[:3, :3].T + pose[:3, 3]
    # The homography of the plane n . X = d in the imagined view: R + t n' / d.
    homography = pose[:3, :3] + np.outer(pose[:3, 3], [0.0, 0.0, 1.0]) / plane_m
    projected = points @ homography.T
    np.testing.assert_allclose(local, projected, atol=1e-12)
    expected = local[:, :2] / local[:, 2:] / np.array([0.9, 0.6])
    inside = (local[:, 2] > 0.3) & (np.abs(expected) < 1).all(-1)
    assert 10 < inside.sum() < ROWS * COLUMNS
    assert np.array_equal(found.in_view[0, 0, 0, 2].numpy(), inside)
    np.testing.assert_allclose(found.position[0, 0, 0, 2].numpy()[inside], expected[inside], atol=1e-5)
    # The keyframe's depth of that very plane speaks for this hypothesis alone.
    for depth_m, best in ((DISTANCE_M / HYPOTHESES[2], 2), (DISTANCE_M / HYPOTHESES[4], 4)):
        same = look_up(geometry_of([np.eye(4)], [np.eye(4)], depth_m), ROWS, COLUMNS)
        bump = same.evidence[0, 0, 0, :, :, 6]
        assert (bump.argmax(0) == best).all()
        torch.testing.assert_close(bump[best], torch.ones(ROWS * COLUMNS))


def test_what_lies_behind_a_keyframe_is_out_of_its_view() -> None:
    behind = look_up(geometry_of([in_current(math.pi)], [np.eye(4)]), ROWS, COLUMNS)
    assert not behind.in_view.any()
    assert behind.position.isfinite().all()
    assert behind.evidence.isfinite().all()


def test_pluecker_moments_do_not_depend_on_the_point_of_the_ray() -> None:
    pose = in_current(0.7, (1.0, 0.5, -2.0))
    geometry = geometry_of([pose], [np.eye(4)])
    rays = cell_rays(HALF, ROWS, COLUMNS)
    found = pluecker_rays(geometry.current_from_imagined, rays, torch.tensor([2.0]))[0, 0].double().numpy()
    direction, moment = found[:, :3], found[:, 3:]
    elsewhere = pose[:3, 3] / 2.0 + 3.7 * direction
    np.testing.assert_allclose(np.cross(elsewhere, direction), moment, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=-1), 1.0, atol=1e-6)


def encoding_of(keyframe_depth: torch.Tensor, cameras: torch.Tensor) -> Encoding:
    unread = torch.full((1, 3, 1, 1, 1), torch.nan)
    return Encoding(
        unread, unread, unread, unread, unread[..., 0], unread, unread, unread[..., 0, 0],
        pose_encodings=cameras, depth=keyframe_depth, depth_confidence=keyframe_depth,
    )  # fmt: skip


def test_estimated_geometry_brings_depth_to_metres_and_poses_to_the_current_view() -> None:
    """The same walk in VGGT's units, a third of a metre each; the world is turned and nothing changes."""
    steps = relative_poses(torch.zeros(1, 2, 9))
    ways = [in_current(0.2 * n, (0.6 * n, 0.0, -0.3 * n)) for n in range(3)]
    first_from_camera = torch.tensor(np.stack(ways), dtype=torch.float32)[None]
    odometry = Odometry(steps, first_from_camera, torch.tensor([[0.0, 1.0, 3.0]]), torch.tensor([[0.0, 0.1, 0.4]]))
    cameras = torch.zeros(2, 1, 3, 9)
    cameras[-1, 0, :, :3] = first_from_camera[0, :, :3, 3] * 3
    cameras[-1, ..., 7], cameras[-1, ..., 8] = 2 * math.atan(0.6), 2 * math.atan(0.9)
    depth = torch.full((1, 3, 5, 7), 7.5)
    asked = torch.eye(4)[None, None]
    keyframes = torch.tensor([[0, 2]])
    found = estimated_geometry(encoding_of(depth, cameras), odometry, keyframes, asked)
    torch.testing.assert_close(found.median_depth_m, torch.tensor([2.5]))
    torch.testing.assert_close(found.depth_m, torch.full((1, 2, 5, 7), 2.5))
    torch.testing.assert_close(found.half_field, torch.tensor([[0.9, 0.6]]))
    expected = torch.tensor(invert_pose(ways[2]) @ ways[0], dtype=torch.float32)
    torch.testing.assert_close(found.current_from_keyframe[0, 0], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.current_from_keyframe[0, 1], torch.eye(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.variance, torch.tensor([[[3.0, 0.4], [0.0, 0.0]]]))
    world = torch.tensor(look_pose(np.array([3.0, -1.0, 2.0]), 1.1, 0.3), dtype=torch.float32)
    moved = replace(odometry, first_from_camera=world @ first_from_camera)
    again = estimated_geometry(encoding_of(depth, cameras), moved, keyframes, asked)
    torch.testing.assert_close(again.current_from_keyframe, found.current_from_keyframe, atol=1e-5, rtol=0)


def test_pose_numbers_are_translation_in_scene_depths_and_two_columns() -> None:
    pose = in_current(RIGHT, (0.5, 0.0, -1.0))
    numbers = geometry_of([pose], [np.eye(4)]).pose_numbers()[0, 0].numpy()
    np.testing.assert_allclose(numbers[:3], pose[:3, 3] / DISTANCE_M, atol=1e-6)
    np.testing.assert_allclose(numbers[3:6], pose[:3, 0], atol=1e-6)
    np.testing.assert_allclose(numbers[6:], pose[:3, 1], atol=1e-6)
