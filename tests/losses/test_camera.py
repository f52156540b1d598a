from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from backsight.geometry.scene_scale_torch import scene_scale
from backsight.losses.camera import camera_loss, pose_encoding_from_poses


def encodings(room, scale_m: torch.Tensor | None = None) -> torch.Tensor:
    _, intrinsics, poses = room.tensors()
    scale = torch.ones(len(poses)) if scale_m is None else scale_m
    return pose_encoding_from_poses(poses, intrinsics, (room.height, room.width), scale)


def test_encoding_is_that_of_camera_from_first_by_scipy(make_room: Callable) -> None:
    room = make_room(53, 71)
    scale_m = torch.tensor([2.0, 5.0])
    encoding = encodings(room, scale_m).numpy()
    for sample in range(2):
        for frame in range(3):
            camera_from_first = np.linalg.inv(room.poses[sample, frame]) @ room.poses[sample, 0]
            np.testing.assert_allclose(
                encoding[sample, frame, :3], camera_from_first[:3, 3] / scale_m[sample].item(), atol=1e-5
            )
            expected = Rotation.from_matrix(camera_from_first[:3, :3]).as_quat(canonical=True)
            np.testing.assert_allclose(encoding[sample, frame, 3:7], expected, atol=1e-5)
    np.testing.assert_allclose(encoding[..., 7], 2 * np.arctan(53 / 2 / room.intrinsics[1, 1]), rtol=1e-5)
    np.testing.assert_allclose(encoding[..., 8], 2 * np.arctan(71 / 2 / room.intrinsics[0, 0]), rtol=1e-5)


def test_encoding_of_inverted_poses_is_another_one(make_room: Callable) -> None:
    room = make_room(53, 71)
    _, intrinsics, poses = room.tensors()
    inverted = pose_encoding_from_poses(torch.linalg.inv(poses), intrinsics, (53, 71), torch.ones(2))
    assert (inverted - encodings(room))[:, 1:, :7].abs().amax(-1).min() > 0.05


def test_scale_is_the_mean_distance_of_the_points_from_the_first_camera(make_room: Callable) -> None:
    room = make_room(53, 71)
    expected = np.linalg.norm(room.points - room.poses[:, :1, None, None, :3, 3].squeeze(3)[..., None, :], axis=-1)
    found = scene_scale(*room.tensors(), stride=1)
    np.testing.assert_allclose(found, expected.mean(axis=(1, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(scene_scale(*room.tensors(), stride=4), found, rtol=0.03)


def test_scale_leaves_out_missing_depth_and_is_one_without_any(make_room: Callable) -> None:
    depth_m, intrinsics, poses = make_room(53, 71).tensors()
    whole = scene_scale(depth_m, intrinsics, poses)
    depth_m[0, :, ::3] = 0
    depth_m[1] = 0
    found = scene_scale(depth_m, intrinsics, poses)
    assert found[0].item() == pytest.approx(whole[0].item(), rel=0.05)
    assert found[1].item() == 1


def test_loss_is_zero_at_the_truth_for_either_sign_of_the_quaternion(make_room: Callable) -> None:
    truth = encodings(make_room(53, 71))
    other_sign = truth.clone()
    other_sign[..., 3:7] *= -1
    assert camera_loss(torch.stack([truth, other_sign]), truth).abs().max() == 0


def test_loss_sees_each_part_of_the_encoding(make_room: Callable) -> None:
    truth = encodings(make_room(53, 71))
    for number in range(9):
        wrong = truth.clone()
        wrong[0, 1, number] += 0.3
        loss = camera_loss(wrong[None], truth)
        assert loss[0, 1] > 0.01
        assert loss.sum() == loss[0, 1]


def test_later_iterations_weigh_more_by_hand() -> None:
    truth = torch.zeros(1, 1, 9)
    truth[..., 6] = 1
    wrong = truth.clone()
    wrong[..., 0] = 0.6
    # Huber with delta 0.1, over delta: |0.6| - 0.05; a third of the translation's mean.
    one = (0.6 - 0.05) / 3
    total = 1 + 0.6 + 0.36
    for place, weight in ((0, 0.36), (1, 0.6), (2, 1.0)):
        predicted = torch.stack([wrong if i == place else truth for i in range(3)])
        assert camera_loss(predicted, truth).item() == pytest.approx(one * weight / total, rel=1e-5)


def test_gradients_are_finite_at_extreme_encodings() -> None:
    predicted = torch.full((2, 1, 2, 9), 1e15, requires_grad=True)
    (gradient,) = torch.autograd.grad(camera_loss(predicted, torch.zeros(1, 2, 9)).sum(), predicted)
    assert torch.isfinite(gradient).all()
