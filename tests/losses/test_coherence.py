import math

import pytest
import torch

from backsight.losses.coherence import (
    compactness_loss,
    edge_weights,
    spread,
    temporal_smoothness_loss,
    total_variation_loss,
)


def test_total_variation_by_hand() -> None:
    probability = torch.zeros(1, 3, 5)
    probability[0, 1, 2] = 1.0
    depth_m = torch.full((1, 3, 5), 2.0)
    # Four steps of 1 among 2 x 5 vertical and 3 x 4 horizontal neighbours.
    assert total_variation_loss(probability, depth_m).item() == pytest.approx(4 / 22)


def test_steps_along_a_depth_edge_cost_less() -> None:
    probability = torch.zeros(2, 5, 7)
    probability[:, :, 4:] = 1.0
    depth_m = torch.full((2, 5, 7), 2.0)
    depth_m[1, :, 4:] = 4.0
    flat, edge = total_variation_loss(probability, depth_m).tolist()
    assert edge < flat * 0.01


def test_edge_weight_by_hand_and_zero_without_depth() -> None:
    depth_m = torch.tensor([[[2.0, 2.0 * math.e, 0.0]]])
    _, horizontal = edge_weights(depth_m, sharpness=3.0)
    torch.testing.assert_close(horizontal, torch.tensor([[[math.exp(-3.0), 0.0]]]))


def test_one_depth_serves_all_instructions() -> None:
    probability, depth_m = torch.rand(2, 3, 5, 7, 11), torch.rand(2, 1, 5, 7, 11) + 1
    expected = total_variation_loss(probability, depth_m.expand(2, 3, 5, 7, 11).contiguous())
    torch.testing.assert_close(total_variation_loss(probability, depth_m), expected)


def test_spread_of_two_cells_by_hand() -> None:
    maps = torch.zeros(1, 5, 7)
    maps[0, 1, 1] = maps[0, 1, 5] = 0.5
    valid = torch.ones(1, 5, 7, dtype=torch.bool)
    assert spread(maps, valid).item() == pytest.approx(2 / math.sqrt(74), rel=1e-4)
    torch.testing.assert_close(spread(maps * 0.1, valid), spread(maps, valid))


def test_compactness_is_zero_at_and_below_the_truths_own_spread() -> None:
    truth = torch.zeros(1, 11, 13)
    truth[0, 3:7, 4:9] = 1.0
    narrow = torch.zeros_like(truth)
    narrow[0, 5, 6] = 1.0
    valid = torch.ones_like(truth, dtype=torch.bool)
    assert compactness_loss(truth, truth, valid).item() == 0
    assert compactness_loss(narrow, truth, valid).item() == 0
    assert compactness_loss(torch.ones_like(truth), truth, valid).item() > 0.1


def test_compactness_ignores_masked_cells() -> None:
    torch.manual_seed(0)
    probability, truth, valid = torch.rand(2, 5, 7), torch.rand(2, 5, 7) ** 4, torch.rand(2, 5, 7) > 0.3
    garbage = torch.where(valid, probability, 1e3)
    torch.testing.assert_close(compactness_loss(garbage, truth, valid), compactness_loss(probability, truth, valid))


def test_temporal_smoothness_by_hand_on_covisible_cells_only() -> None:
    warped, probability = torch.zeros(1, 2, 3), torch.zeros(1, 2, 3)
    probability[0, 0] = torch.tensor([0.5, 1.0, 9.0])
    covisible = torch.tensor([[[True, True, False], [True, True, False]]])
    assert temporal_smoothness_loss(warped, probability, covisible).item() == pytest.approx(1.25 / 4)
    assert temporal_smoothness_loss(warped, probability, torch.zeros_like(covisible)).item() == 0


def test_gradients_are_finite_for_empty_full_and_single_cell_maps() -> None:
    probability = torch.zeros(3, 5, 7)
    probability[1] = 1.0
    probability[2, 2, 3] = 1.0
    probability.requires_grad_()
    depth_m = torch.rand(3, 5, 7) * 2
    truth, valid = torch.zeros(3, 5, 7), torch.ones(3, 5, 7, dtype=torch.bool)
    loss = compactness_loss(probability, truth, valid) + total_variation_loss(probability, depth_m)
    (gradient,) = torch.autograd.grad(loss.sum(), probability)
    assert torch.isfinite(gradient).all()
