"""Relative poses and their composition, against loops and against walks whose poses are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch import Tensor

from backsight.model.geometry.pose_encoding import quaternion_xyzw_from_rotation
from backsight.model.heatmap.odometry import (
    LARGEST_SCALE_M,
    LEAST_SCALE_M,
    RelativePoses,
    compose,
    relative_poses,
    walk_odometry,
    weighed_position_m,
)


def random_walks(seed: int, batch: int, frames: int) -> Tensor:
    """World-from-camera of walks with moderate turns and steps."""
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (batch, frames, 1, 1))
    poses[..., :3, :3] = (
        Rotation.from_rotvec(rng.normal(0, 1.2, (batch * frames, 3))).as_matrix().reshape(batch, frames, 3, 3)
    )
    poses[..., :3, 3] = rng.normal(0, 2, (batch, frames, 3))
    return torch.from_numpy(poses).float()


def exact(this_from_other: Tensor, scale_m: float = 0.1, scale_rad: float = 0.01) -> RelativePoses:
    even = torch.ones(this_from_other.shape[:-2])
    return RelativePoses(
        this_from_other[..., :3, 3],
        quaternion_xyzw_from_rotation(this_from_other[..., :3, :3]),
        even * float(np.log(scale_m)),
        even * float(np.log(scale_rad)),
    )


def steps_of(poses: Tensor) -> Tensor:
    return torch.linalg.inv(poses[:, 1:]) @ poses[:, :-1]


def test_matrices_carry_a_point_of_the_other_camera_into_this_one() -> None:
    quarter_left = relative_poses(torch.tensor([[1.0, 2.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]))
    point = quarter_left.this_from_other()[0] @ torch.tensor([0.0, 0.0, 1.0, 1.0])
    # A quarter turn about y takes z to x.
    torch.testing.assert_close(point, torch.tensor([2.0, 2.0, 3.0, 1.0]))


def test_raw_zeros_are_the_same_camera() -> None:
    found = relative_poses(torch.zeros(2, 3, 9))
    torch.testing.assert_close(found.this_from_other(), torch.eye(4).expand(2, 3, 4, 4))
    assert (found.log_scale_m == 0).all()
    assert (found.log_scale_rad == 0).all()


def test_scales_stay_within_their_limits() -> None:
    numbers = torch.zeros(2, 9)
    numbers[0, 7:], numbers[1, 7:] = -99.0, 99.0
    found = relative_poses(numbers)
    torch.testing.assert_close(found.log_scale_m.exp(), torch.tensor([LEAST_SCALE_M, LARGEST_SCALE_M]))


@given(count=st.integers(1, 70), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_composition_is_the_product_from_the_left(count: int, seed: int) -> None:
    steps = torch.linalg.inv(random_walks(seed, 2, count)).double()
    product, expected = torch.eye(4, dtype=torch.float64).expand(2, 4, 4), []
    for index in range(count):
        product = product @ steps[:, index]
        expected.append(product)
    torch.testing.assert_close(compose(steps), torch.stack(expected, dim=1))


def test_true_steps_give_back_the_walk() -> None:
    poses = random_walks(5, 2, 13)
    odometry = walk_odometry(exact(steps_of(poses)))
    expected = torch.linalg.inv(poses[:, :1]) @ poses
    torch.testing.assert_close(odometry.first_from_camera, expected, atol=2e-4, rtol=0)


def test_half_precision_around_it_costs_no_accuracy() -> None:
    poses = random_walks(5, 2, 31)
    steps = exact(steps_of(poses))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = walk_odometry(steps).first_from_camera
    torch.testing.assert_close(found, torch.linalg.inv(poses[:, :1]) @ poses, atol=1e-3, rtol=0)


CURRENT = torch.tensor([[0, 6], [1, 2], [1, 5]])
HISTORY = torch.tensor([[0, 3, 5], [0, 6, 4], [1, 0, 2]])


def true_positions_m(poses: Tensor) -> Tensor:
    found = []
    for (batch, frame), history in zip(CURRENT.tolist(), HISTORY.tolist(), strict=True):
        here = torch.linalg.inv(poses[batch, frame])
        found.append(torch.stack([(here @ poses[batch, other])[:3, 3] for other in history]))
    return torch.stack(found)


def test_an_unsure_pair_is_placed_by_the_way_there() -> None:
    poses = random_walks(7, 2, 7)
    lost = relative_poses(torch.tensor([5.0, 5.0, 5.0, 0, 0, 0, 0, 9.0, 9.0]).expand(3, 3, 9))
    way = walk_odometry(exact(steps_of(poses), scale_m=0.01, scale_rad=0.003))
    found = weighed_position_m(lost, way, CURRENT, HISTORY)
    torch.testing.assert_close(found, true_positions_m(poses), atol=5e-3, rtol=0)


def test_a_sure_pair_outweighs_a_long_way() -> None:
    poses = random_walks(7, 2, 7)
    wrong_way = walk_odometry(relative_poses(torch.zeros(2, 6, 9)))
    truth = true_positions_m(poses)
    pairs = torch.eye(4).repeat(3, 3, 1, 1)
    pairs[..., :3, 3] = truth
    found = weighed_position_m(exact(pairs, scale_m=0.01), wrong_way, CURRENT, HISTORY)
    torch.testing.assert_close(found, truth, atol=2e-3, rtol=0)


def test_equal_variances_meet_in_the_middle() -> None:
    # One step of 0.3 m uncertainty and no turn: the same as the pair's own.
    still = torch.eye(4).expand(1, 1, 4, 4)
    odometry = walk_odometry(exact(still, scale_m=0.3))
    pair = torch.eye(4).repeat(1, 1, 1, 1)
    pair[..., 0, 3] = 1.0
    found = weighed_position_m(exact(pair, scale_m=0.3), odometry, torch.tensor([[0, 1]]), torch.tensor([[0]]))
    torch.testing.assert_close(found, torch.tensor([[[0.5, 0.0, 0.0]]]))


@pytest.mark.parametrize("forward", [True, False])
def test_a_turn_weighs_more_the_farther_away(forward: bool) -> None:
    step = torch.eye(4).repeat(1, 2, 1, 1)
    step[..., 2, 3] = 2.0
    near_and_far = torch.tensor([[1, 0]]) if forward else torch.tensor([[0, 1]])
    odometry = walk_odometry(exact(step, scale_m=0.01, scale_rad=0.3))
    wrong = exact(torch.eye(4).repeat(1, 2, 1, 1), scale_m=0.3)
    found = weighed_position_m(wrong, odometry, torch.tensor([[0, 2]]), near_and_far)[0, :, 2]
    truth = torch.tensor([2.0, 4.0]) if forward else torch.tensor([4.0, 2.0])
    kept = found / truth
    assert bool(kept[0] > kept[1]) is forward
