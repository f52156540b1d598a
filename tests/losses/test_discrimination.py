import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax
from scipy.stats import entropy

from backsight.losses.discrimination import identification_loss, jensen_shannon_matrix, similarity_hinge_loss


def maps_of(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    predicted = torch.rand(2, 3, 5, 7, generator=generator, dtype=torch.float64)
    truth = torch.rand(2, 3, 5, 7, generator=generator, dtype=torch.float64) ** 3
    truth = truth * (truth > 0.05)
    valid = torch.rand(2, 3, 5, 7, generator=generator) > 0.15
    return predicted, truth, valid, torch.ones(2, 3, dtype=torch.bool)


def test_divergence_equals_scipy_over_cells_valid_in_both() -> None:
    predicted, truth, valid, _ = maps_of(0)
    found = jensen_shannon_matrix(predicted, truth, valid)
    for group in range(2):
        for k in range(3):
            for j in range(3):
                both = valid[group, k] & valid[group, j]
                expected = jensenshannon(predicted[group, k][both], truth[group, j][both], base=2) ** 2
                assert found[group, k, j].item() == pytest.approx(expected, abs=2e-4)


def test_divergence_of_disjoint_maps_is_one_and_of_equal_maps_zero() -> None:
    maps = torch.zeros(1, 2, 5, 7)
    maps[0, 0, :, :3] = 1.0
    maps[0, 1, :, 4:] = 0.2
    matrix = jensen_shannon_matrix(maps, maps, torch.ones_like(maps, dtype=torch.bool))
    np.testing.assert_allclose(matrix[0], [[0, 1], [1, 0]], atol=1e-3)


@given(seed=st.integers(0, 9999), step=st.floats(0.01, 1.0))
@settings(max_examples=60, deadline=None)
def test_identification_is_least_at_the_truth(seed: int, step: float) -> None:
    other, truth, valid, present = maps_of(seed)
    moved = (1 - step) * truth + step * other
    assert identification_loss(truth, truth, valid, present).abs().max() < 1e-12
    assert identification_loss(moved, truth, valid, present).min() >= -1e-12
    assert identification_loss(moved, truth, valid, present).sum() > 0


def test_identification_equals_its_definition_computed_with_scipy() -> None:
    predicted, truth, _, present = maps_of(8)
    everywhere = torch.ones_like(truth, dtype=torch.bool)
    found = identification_loss(predicted, truth, everywhere, present, temperature=0.2)
    for group in range(2):
        q = [jensenshannon_row(truth[group, k], truth[group]) for k in range(3)]
        p = [jensenshannon_row(predicted[group, k], truth[group]) for k in range(3)]
        for k in range(3):
            wanted, got = softmax(-q[k] / 0.2), softmax(-p[k] / 0.2)
            assert found[group, k].item() == pytest.approx(entropy(wanted, got), rel=5e-3, abs=1e-6)


def jensenshannon_row(one: torch.Tensor, others: torch.Tensor) -> np.ndarray:
    return np.array([jensenshannon(one.flatten(), other.flatten(), base=2) ** 2 for other in others])


def test_gradient_vanishes_at_the_truth_but_not_beside_it() -> None:
    other, truth, valid, present = maps_of(3)
    at_truth = truth.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(identification_loss(at_truth, truth, valid, present).sum(), at_truth)
    assert gradient.abs().max() < 1e-9
    beside = (0.5 * truth + 0.5 * other).requires_grad_()
    (gradient,) = torch.autograd.grad(identification_loss(beside, truth, valid, present).sum(), beside)
    assert gradient.abs().max() > 1e-4


def test_more_difference_than_the_truths_have_is_punished_not_rewarded() -> None:
    cells = torch.linspace(0, 1, 35, dtype=torch.float64).view(5, 7)
    truth = torch.stack([cells, cells.sqrt(), cells**2])[None]
    exaggerated = truth**4
    valid, present = torch.ones_like(truth, dtype=torch.bool), torch.ones(1, 3, dtype=torch.bool)
    assert identification_loss(exaggerated, truth, valid, present).sum() > 0.01


def test_mixed_up_frames_cost_more_than_constant_maps() -> None:
    _, truth, valid, present = maps_of(4)
    valid = torch.ones_like(valid)
    mixed = identification_loss(truth.roll(1, dims=1), truth, valid, present).mean()
    constant = identification_loss(torch.full_like(truth, 0.5), truth, valid, present).mean()
    assert mixed > constant > 0


def test_hinge_by_hand_for_collapsed_maps() -> None:
    truth = torch.zeros(1, 2, 5, 7)
    truth[0, 0, :, :3], truth[0, 1, :, 4:] = 1.0, 1.0
    valid, present = torch.ones_like(truth, dtype=torch.bool), torch.ones(1, 2, dtype=torch.bool)
    collapsed = torch.full_like(truth, 0.5)
    np.testing.assert_allclose(similarity_hinge_loss(collapsed, truth, valid, present), [[1, 1]], atol=1e-3)
    assert similarity_hinge_loss(truth, truth, valid, present).max() == 0
    assert similarity_hinge_loss(truth, collapsed, valid, present).max() == 0


@pytest.mark.parametrize("loss", [identification_loss, similarity_hinge_loss])
def test_absent_frames_neither_count_nor_compete(loss) -> None:
    predicted, truth, valid, present = maps_of(5)
    present[:, 1] = False
    garbage = predicted.clone()
    garbage[:, 1] = 0.9
    garbage_truth = truth.clone()
    garbage_truth[:, 1] = 0.1
    values = loss(garbage, garbage_truth, valid, present)
    assert (values[:, 1] == 0).all()
    kept = [0, 2]
    alone = loss(predicted[:, kept], truth[:, kept], valid[:, kept], present[:, kept])
    torch.testing.assert_close(values[:, kept], alone)


@pytest.mark.parametrize("loss", [identification_loss, similarity_hinge_loss])
def test_groups_without_present_frames_or_valid_cells_are_zero(loss) -> None:
    predicted, truth, valid, present = maps_of(6)
    present[0] = False
    valid[1] = False
    predicted.requires_grad_()
    values = loss(predicted, truth, valid, present)
    assert (values == 0).all()
    (gradient,) = torch.autograd.grad(values.sum(), predicted)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [identification_loss, similarity_hinge_loss])
def test_masked_cells_have_no_effect(loss) -> None:
    predicted, truth, valid, present = maps_of(7)
    garbage = loss(torch.where(valid, predicted, 1e3), torch.where(valid, truth, 1e3), valid, present)
    torch.testing.assert_close(garbage, loss(predicted, truth, valid, present))


@pytest.mark.parametrize("loss", [identification_loss, similarity_hinge_loss])
def test_gradients_are_finite_for_empty_full_and_saturated_maps(loss) -> None:
    logits = torch.stack([torch.full((5, 7), v) for v in (-1e4, 1e4, -80.0)])[None].requires_grad_()
    truth = torch.zeros(1, 3, 5, 7)
    truth[0, 0, 2] = truth[0, 1, :, 3] = truth[0, 2, 4] = 1.0
    valid, present = torch.ones_like(truth, dtype=torch.bool), torch.ones(1, 3, dtype=torch.bool)
    value = loss(torch.sigmoid(logits), truth, valid, present)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert torch.isfinite(value).all()
    assert torch.isfinite(gradient).all()


@given(seed=st.integers(0, 999))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_frames_does_not_matter(seed: int) -> None:
    predicted, truth, valid, present = maps_of(seed)
    order = torch.randperm(3, generator=torch.Generator().manual_seed(seed))
    for loss in (identification_loss, similarity_hinge_loss):
        whole = loss(predicted, truth, valid, present)
        torch.testing.assert_close(
            loss(predicted[:, order], truth[:, order], valid[:, order], present), whole[:, order]
        )
