import math

import numpy as np
import pytest
import torch

from backsight.losses.coherence import (
    LEAST_DIFFERENCE,
    compactness_loss,
    edge_weights,
    spread,
    temporal_excess,
    temporal_smoothness_loss,
    total_variation_loss,
)
from backsight.metrics.temporal_consistency import temporal_consistency, temporal_errors


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


def step_of(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    maps = torch.rand(2, 5, 7, 11, generator=generator)
    return maps, maps.clone(), torch.rand(2, 7, 11, generator=generator) > 0.3, torch.ones(2, 5, dtype=torch.bool)


def test_temporal_smoothness_by_hand_on_covisible_cells_only() -> None:
    warped, probability = torch.zeros(1, 2, 2, 3), torch.zeros(1, 2, 2, 3)
    probability[0, 0, 0] = torch.tensor([0.5, 1.0, 9.0])
    warped[0, 1, 1, 0] = 1.0
    covisible = torch.tensor([[[True, True, False], [True, True, False]]])
    loss = temporal_smoothness_loss(warped, probability, covisible, torch.ones(1, 2, dtype=torch.bool))
    # Map 0 is off by 0.25 + 1 from its own and by 0.25 + 1 + 1 from the other; map 1 by 1 and by 0.
    own, others = torch.tensor([[1.25, 1.0]]) / 4 + LEAST_DIFFERENCE, torch.tensor([[2.25, 0.0]]) / 4 + LEAST_DIFFERENCE
    torch.testing.assert_close(loss, own / others)


def test_temporal_smoothness_is_one_minus_the_metric() -> None:
    warped, probability, covisible, counted = step_of()
    probability = probability + 0.2 * torch.rand(probability.shape, generator=torch.Generator().manual_seed(1))
    found = temporal_smoothness_loss(warped, probability, covisible, counted)
    for step in range(2):
        errors = temporal_errors(warped[step].numpy(), probability[step].numpy(), covisible[step].numpy())
        np.testing.assert_allclose(found[step], 1 - temporal_consistency(*errors), atol=0.01)


def test_temporal_smoothness_of_constant_maps_is_that_of_mixed_up_ones_not_that_of_steady_ones() -> None:
    warped, steady, covisible, counted = step_of()
    constant = torch.full_like(warped, 0.3)
    assert temporal_smoothness_loss(warped, steady, covisible, counted).max() < 0.02
    torch.testing.assert_close(temporal_smoothness_loss(constant, constant, covisible, counted), torch.ones(2, 5))
    assert temporal_smoothness_loss(warped, steady.roll(1, dims=1), covisible, counted).min() > 0.9


def test_temporal_smoothness_needs_two_maps_and_a_covisible_cell() -> None:
    warped, probability, covisible, counted = step_of()
    probability = probability.roll(1, dims=1)
    covisible[0] = False
    counted[1] = torch.tensor([False, True, False, False, False])
    assert temporal_smoothness_loss(warped, probability, covisible, counted).abs().max() == 0


def test_maps_that_do_not_count_are_no_others_either() -> None:
    warped, probability, covisible, counted = step_of(3)
    probability = probability.roll(1, dims=1)
    counted[:, 2] = False
    garbage, more = warped.clone(), probability.clone()
    garbage[:, 2], more[:, 2] = 5.0, -3.0
    expected = temporal_smoothness_loss(warped, probability, covisible, counted)
    torch.testing.assert_close(temporal_smoothness_loss(garbage, more, covisible, counted), expected)
    assert (expected[:, 2] == 0).all()


def test_temporal_excess_is_zero_at_the_truth_however_badly_it_warps() -> None:
    warped, truth, covisible, counted = step_of(4)
    warped = warped + 0.3 * torch.rand(warped.shape, generator=torch.Generator().manual_seed(2))
    assert temporal_smoothness_loss(warped, truth, covisible, counted).min() > 0.05
    assert temporal_excess(warped, truth, warped, truth, covisible, counted).max() == 0
    mixed = temporal_excess(warped.roll(1, dims=1), truth, warped, truth, covisible, counted)
    assert mixed.min() > 0.2


def test_total_variation_of_the_truth_costs_nothing_and_less_is_no_gain() -> None:
    truth, depth_m = torch.rand(3, 5, 7), torch.rand(3, 5, 7) + 1
    assert total_variation_loss(truth, depth_m, truth=truth).max() == 0
    assert total_variation_loss(0.5 * truth, depth_m, truth=truth).max() == 0
    above = total_variation_loss(truth, depth_m) - total_variation_loss(0.5 * truth, depth_m)
    torch.testing.assert_close(total_variation_loss(truth, depth_m, truth=0.5 * truth), above)


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
