import math

import pytest
import torch

from backsight.losses.depth import alignment_scale, depth_loss, depth_unit_loss, pool_depth


def scene(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand(2, 3, 7, 11, generator=generator) * 3 + 1
    return truth, torch.rand(2, 3, 7, 11, generator=generator) > 0.2


@pytest.mark.parametrize("alignment", ["median", "least_squares"])
def test_loss_is_zero_for_the_truth_at_any_scale(alignment: str) -> None:
    truth, valid = scene()
    factor = torch.tensor([0.2, 7.0])[:, None, None, None]
    loss = depth_loss(truth * factor, None, truth, valid, alignment)
    assert loss.abs().max() < 1e-6
    torch.testing.assert_close(alignment_scale(truth * factor, truth, valid, alignment), torch.tensor([5.0, 1 / 7]))


def test_scale_carries_no_gradient_and_is_one_without_truth() -> None:
    truth, valid = scene()
    depth = truth.clone().requires_grad_()
    assert not alignment_scale(depth, truth, valid).requires_grad
    valid[1] = False
    assert alignment_scale(depth * 3, truth, valid)[1] == 1
    assert depth_loss(depth * 3, None, truth, valid)[1].abs().max() == 0


def test_one_scale_serves_all_frames_of_a_scene() -> None:
    truth, valid = scene()
    shrunk = truth.clone()
    shrunk[:, 2] *= 0.5
    assert depth_loss(shrunk, None, truth, valid)[:, 2].min() > 0.2


def test_values_and_steps_by_hand() -> None:
    truth = torch.full((1, 1, 2, 3), 2.0)
    depth = truth.clone()
    depth[0, 0, 0, 0] = 3.0
    valid = torch.ones_like(truth, dtype=torch.bool)
    # In units of the mean depth 2: one of 6 cells, of 3 vertical and of 4 horizontal steps is off by 0.5.
    expected = 0.5 / 6 + 0.5 / 3 + 0.5 / 4
    assert depth_loss(depth, None, truth, valid).item() == pytest.approx(expected)


def test_confidence_multiplies_the_error_and_is_rewarded_by_hand() -> None:
    truth = torch.full((1, 1, 2, 3), 2.0)
    depth = truth.clone()
    depth[0, 0, 1, 2] = 3.0
    confidence = torch.full_like(truth, 3.0)
    loss = depth_loss(depth, confidence, truth, torch.ones_like(truth, dtype=torch.bool), confidence_weight=0.2)
    assert loss.item() == pytest.approx(3 * (0.5 / 6 + 0.5 / 3 + 0.5 / 4) - 0.2 * math.log(3), rel=1e-5)


def test_masked_cells_have_no_effect() -> None:
    truth, valid = scene()
    depth = truth + 0.3 * torch.rand(truth.shape, generator=torch.Generator().manual_seed(1))
    expected = depth_loss(depth, None, truth, valid)
    garbage = torch.where(valid, depth, 1e6), None, torch.where(valid, truth, -7.0), valid
    torch.testing.assert_close(depth_loss(*garbage), expected)


def test_pooling_by_hand() -> None:
    depth_m = torch.zeros(1, 1, 4, 6)
    depth_m[0, 0, :2, :2] = 2.0  # whole cell
    depth_m[0, 0, 0, 2:4] = 3.0  # half a cell: serves, missing pixels do not pull the mean
    depth_m[0, 0, 0, 4] = 3.0  # a quarter of a cell: does not serve
    depth_m[0, 0, 2:, :2] = torch.tensor([[1.0, 2.0], [1.0, 2.0]])  # a depth edge
    depth_m[0, 0, 2:, 2:4] = torch.tensor([[2.0, 2.2], [2.0, 2.2]])  # a slope
    pooled, valid = pool_depth(depth_m, 2, 3)
    assert valid[0, 0].tolist() == [[True, True, False], [False, True, False]]
    torch.testing.assert_close(pooled[0, 0], torch.tensor([[2.0, 3.0, 0.0], [0.0, 2.1, 0.0]]))


def test_gradients_are_finite_at_extremes() -> None:
    truth, valid = scene()
    depth = torch.zeros_like(truth)
    depth[0] = 1e12
    depth.requires_grad_()
    confidence = torch.full_like(truth, 1.0).requires_grad_()
    gradients = torch.autograd.grad(depth_loss(depth, confidence, truth, valid).sum(), (depth, confidence))
    assert all(torch.isfinite(g).all() for g in gradients)


def test_the_unit_by_hand() -> None:
    truth, valid = scene()
    unit_m = torch.tensor([2.0, 5.0])
    right = truth / unit_m[:, None, None, None]
    assert depth_unit_loss(right, truth, valid, unit_m).abs().max() < 1e-6
    factor = torch.tensor([3.0, 0.25])
    found = depth_unit_loss(right * factor[:, None, None, None], truth, valid, unit_m)
    torch.testing.assert_close(found, factor.log().abs())
    hidden = torch.where(valid, right, 1e6), torch.where(valid, truth, 0.0)
    assert depth_unit_loss(*hidden, valid, unit_m).abs().max() < 1e-6
    assert depth_unit_loss(right, truth, torch.zeros_like(valid), unit_m).abs().max() == 0
