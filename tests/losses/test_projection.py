import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.losses.projection import (
    SMALLEST_DISTANCE_M,
    balanced_bce,
    balanced_cell_weights,
    bearing_loss,
    bernoulli_divergence,
    log_distance_loss,
    presence_bce,
    soft_iou_loss,
)


def random_maps(seed: int, *shape: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(*shape, generator=generator, dtype=torch.float64) * 3
    truth = torch.rand(*shape, generator=generator, dtype=torch.float64)
    valid = torch.rand(*shape, generator=generator) > 0.2
    return logits, truth, valid


def test_weights_give_both_sides_half_of_the_total_by_hand() -> None:
    truth = torch.tensor([[[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 9.9]]])
    valid = torch.ones(1, 2, 4, dtype=torch.bool)
    valid[0, 1, 3] = False
    weights = balanced_cell_weights(truth, valid)
    expected = torch.tensor([[[0.25, 0.1, 0.1, 0.1], [0.25, 0.1, 0.1, 0.0]]])
    torch.testing.assert_close(weights, expected)


def test_half_strength_lies_between_even_and_balanced_weights() -> None:
    _, truth, valid = random_maps(0, 3, 5, 7)
    even, half, full = (balanced_cell_weights(truth, valid, b) for b in (0.0, 0.5, 1.0))
    torch.testing.assert_close(half, (even + full) / 2)
    assert torch.equal(even[valid].unique() > 0, torch.ones_like(even[valid].unique()) > 0)


@given(seed=st.integers(0, 999), balance=st.floats(0, 1), share=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_weights_sum_to_one_and_are_zero_outside(seed: int, balance: float, share: float) -> None:
    _, truth, valid = random_maps(seed, 2, 5, 7)
    truth = truth * (truth < share)
    weights = balanced_cell_weights(truth, valid, balance)
    torch.testing.assert_close(weights.sum((-2, -1)), torch.ones(2, dtype=torch.float64))
    assert (weights[~valid] == 0).all()
    assert (weights >= 0).all()


def test_absent_map_is_plain_bce_at_any_strength() -> None:
    logits, _, valid = random_maps(1, 2, 5, 7)
    truth = torch.zeros_like(logits)
    plain = torch.nn.functional.softplus(logits)
    expected = (plain * valid).sum((-2, -1)) / valid.sum((-2, -1))
    for balance in (0.0, 0.4, 1.0):
        torch.testing.assert_close(balanced_bce(logits, truth, valid, balance), expected)


def test_binary_truth_gives_the_mean_of_both_sides_means() -> None:
    logits, soft, _ = random_maps(2, 1, 5, 7)
    truth, valid = (soft > 0.8).double(), torch.ones(1, 5, 7, dtype=torch.bool)
    cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    expected = (cross_entropy[truth == 1].mean() + cross_entropy[truth == 0].mean()) / 2
    torch.testing.assert_close(balanced_bce(logits, truth, valid)[0], expected)


def test_balance_weights_rare_positives_more() -> None:
    truth = torch.zeros(1, 11, 13)
    truth[0, 3, 5] = 1
    missed = torch.full_like(truth, -4.0)
    valid = torch.ones_like(truth, dtype=torch.bool)
    assert balanced_bce(missed, truth, valid, 1.0) > 20 * balanced_bce(missed, truth, valid, 0.0)


@given(seed=st.integers(0, 999), balance=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_bce_is_zero_exactly_at_the_soft_truth_and_never_below(seed: int, balance: float) -> None:
    logits, truth, valid = random_maps(seed, 3, 5, 7)
    at_truth = torch.logit(truth).requires_grad_()
    loss = balanced_bce(at_truth, truth, valid, balance)
    torch.testing.assert_close(loss, torch.zeros_like(loss), atol=1e-12, rtol=0)
    (gradient,) = torch.autograd.grad(loss.sum(), at_truth)
    assert gradient.abs().max() < 1e-12
    assert (balanced_bce(logits, truth, valid, balance) > 0).all()


def test_zero_is_reached_for_hard_truth_in_single_precision() -> None:
    truth = (torch.rand(2, 5, 7) > 0.5).float()
    logits = (truth * 2 - 1) * 200
    assert balanced_bce(logits, truth, torch.ones_like(truth, dtype=torch.bool)).abs().max() == 0
    assert soft_iou_loss(logits, truth, torch.ones_like(truth, dtype=torch.bool)).abs().max() == 0


def test_divergence_by_hand() -> None:
    value = bernoulli_divergence(torch.tensor([0.0]), torch.tensor([0.25]))
    assert value.item() == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5), abs=1e-6)


def test_soft_iou_by_hand() -> None:
    probability = torch.tensor([[[0.5, 0.25], [0.75, 0.9]]])
    truth = torch.tensor([[[1.0, 0.0], [0.5, 0.9]]])
    valid = torch.tensor([[[True, True], [True, False]]])
    loss = soft_iou_loss(torch.logit(probability), truth, valid)
    assert loss.item() == pytest.approx(1 - 1.0 / 2.0)


def test_what_lies_in_masked_cells_has_no_effect_and_gets_no_gradient() -> None:
    logits, truth, valid = random_maps(4, 3, 5, 7)
    garbage_logits = torch.where(valid, logits, 1e4).requires_grad_()
    garbage_truth = torch.where(valid, truth, 1.0)
    for loss in (balanced_bce, soft_iou_loss):
        value = loss(garbage_logits, garbage_truth, valid)
        torch.testing.assert_close(value, loss(logits, truth, valid))
        (gradient,) = torch.autograd.grad(value.sum(), garbage_logits)
        assert (gradient[~valid] == 0).all()


def test_map_without_valid_cells_is_zero() -> None:
    logits, truth, _ = random_maps(5, 1, 5, 7)
    nothing = torch.zeros(1, 5, 7, dtype=torch.bool)
    assert balanced_bce(logits, truth, nothing).item() == 0


@pytest.mark.parametrize("size", [1e4, 1e20])
def test_gradients_are_finite_at_extreme_logits(size: float) -> None:
    logits = torch.tensor([[[size, -size, 0.0], [size, -size, 0.0]]], requires_grad=True)
    truth = torch.tensor([[[0.0, 1.0, 0.5], [1.0, 0.0, 1e-30]]])
    valid = torch.ones_like(truth, dtype=torch.bool)
    for loss in (balanced_bce, soft_iou_loss):
        (gradient,) = torch.autograd.grad(loss(logits, truth, valid).sum(), logits)
        assert torch.isfinite(gradient).all()
        assert torch.isfinite(loss(logits, truth, valid)).all()


def test_presence_by_hand() -> None:
    loss = presence_bce(torch.tensor([0.0, 2.0]), torch.tensor([True, False]))
    torch.testing.assert_close(loss, torch.tensor([math.log(2), math.log(1 + math.exp(2))]))


def test_bearing_ignores_length_and_reads_one_minus_cosine() -> None:
    truth = torch.tensor([[0.0, 0.0, 1.0]]).expand(4, 3)
    bearing = torch.tensor([[0.0, 0.0, 9.0], [5.0, 0.0, 0.0], [0.0, 0.0, -2.0], [3.0, 0.0, 4.0]])
    torch.testing.assert_close(bearing_loss(bearing, truth), torch.tensor([0.0, 1.0, 2.0, 0.2]), atol=1e-5, rtol=0)


def test_bearing_gradient_is_finite_at_a_zero_vector() -> None:
    bearing = torch.zeros(2, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(bearing_loss(bearing, torch.eye(3)[:2]).sum(), bearing)
    assert torch.isfinite(gradient).all()


def test_distance_is_compared_as_a_ratio_with_a_floor() -> None:
    predicted = torch.tensor([2.0, 1.0, SMALLEST_DISTANCE_M]).log()
    loss = log_distance_loss(predicted, torch.tensor([1.0, 2.0, 0.0]))
    torch.testing.assert_close(loss, torch.tensor([math.log(2), math.log(2), 0.0]))
