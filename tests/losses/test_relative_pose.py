"""The pose likelihood: its invariances, its best scale, and where it ends when optimised."""

import math

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from backsight.losses.relative_pose import relative_pose_loss


def random_pairs(seed: int, *shape: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    count = math.prod(shape)
    truth = np.tile(np.eye(4), (count, 1, 1))
    truth[:, :3, :3] = Rotation.random(count, rng=rng).as_matrix()
    truth[:, :3, 3] = rng.normal(0, 2, (count, 3))
    quaternion = Rotation.random(count, rng=rng).as_quat()
    arrays = rng.normal(0, 2, (count, 3)), quaternion, rng.normal(size=count), rng.normal(size=count), truth
    return tuple(torch.from_numpy(a).reshape(*shape, *a.shape[1:]) for a in arrays)  # pyright: ignore


def test_sign_of_the_quaternion_does_not_matter() -> None:
    position, quaternion, log_m, log_rad, truth = random_pairs(4, 2, 5)
    one, other = (relative_pose_loss(position, sign * quaternion, log_m, log_rad, truth) for sign in (1, -1))
    torch.testing.assert_close(one, other)


def test_gradients_of_the_scales() -> None:
    position, quaternion, log_m, log_rad, truth = random_pairs(5, 3)
    # With damping the factor before the likelihood is a constant: checked without it.
    log_m.requires_grad_(), log_rad.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda m, r: relative_pose_loss(position, quaternion, m, r, truth, damping=0.0), (log_m, log_rad)
    )


def test_optimised_alone_it_ends_at_the_true_pose_and_at_small_scales() -> None:
    position, quaternion, log_m, log_rad, truth = random_pairs(6, 7)
    free = [v.clone().requires_grad_() for v in (position, quaternion, log_m, log_rad)]
    optimiser = torch.optim.Adam(free, lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 1500)
    for _ in range(1500):
        optimiser.zero_grad()
        unit = torch.nn.functional.normalize(free[1], dim=-1)
        relative_pose_loss(free[0], unit, free[2].clamp(-3, 3), free[3].clamp(-3, 3), truth).sum().backward()
        optimiser.step()
        schedule.step()
    torch.testing.assert_close(free[0].detach(), truth[:, :3, 3], atol=5e-3, rtol=0)
    found = Rotation.from_quat(free[1].detach().numpy())
    angle = (found.inv() * Rotation.from_matrix(truth[:, :3, :3].numpy())).magnitude()
    assert angle.max() < 0.01
    assert bool((free[2] < -2).all())


def test_the_best_scale_is_the_error() -> None:
    position, quaternion, _, _, truth = random_pairs(8, 1)
    error = (position - truth[:, :3, 3]).norm(dim=-1)
    tried = torch.linspace(-3, 4, 1401, dtype=torch.float64)
    values = relative_pose_loss(
        position.expand(1401, 3),
        quaternion.expand(1401, 4),
        tried,
        torch.zeros(1401, dtype=torch.float64),
        truth.expand(1401, 4, 4),
        damping=0.0,
    )
    torch.testing.assert_close(tried[values.argmin()].exp(), error[0], atol=0, rtol=0.01)


def test_a_turned_world_changes_nothing() -> None:
    position, quaternion, log_m, log_rad, truth = random_pairs(9, 5)
    world_from_this, turn = random_pairs(10, 5)[4], random_pairs(11, 1)[4]
    world_from_other = world_from_this @ truth
    turned = torch.linalg.inv(turn @ world_from_this) @ (turn @ world_from_other)
    one = relative_pose_loss(position, quaternion, log_m, log_rad, truth)
    torch.testing.assert_close(relative_pose_loss(position, quaternion, log_m, log_rad, turned), one)
