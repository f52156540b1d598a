from dataclasses import fields

import pytest
import torch
from pydantic import ValidationError

from backsight.losses.projection import balanced_bce, presence_bce
from backsight.losses.total import (
    TERMS_OF_LOSS,
    LossNotFiniteError,
    LossTerms,
    LossWeights,
    MapTruth,
    Term,
    TermWeights,
    constant_maps,
    total_loss,
)


def term(*values: float, counted: list[bool] | None = None) -> Term:
    return Term(torch.tensor(values), torch.tensor(counted or [True] * len(values)))


def test_every_term_belongs_to_exactly_one_loss_and_has_a_weight() -> None:
    named = [name for names in TERMS_OF_LOSS.values() for name in names]
    assert sorted(named) == sorted(f.name for f in fields(LossTerms)) == sorted(TermWeights.model_fields)
    assert set(TERMS_OF_LOSS) | {"terms"} == set(LossWeights.model_fields)


def test_base_weights_are_those_of_the_design() -> None:
    weights = LossWeights()
    assert [getattr(weights, name) for name in TERMS_OF_LOSS] == [1.0, 0.8, 0.6, 0.7, 0.5]


def test_total_by_hand() -> None:
    terms = LossTerms(
        footprint_bce=term(1.0, 3.0, 100.0, counted=[True, True, False]), camera=term(0.5), matching=term(4.0)
    )
    weights = LossWeights(terms=TermWeights(footprint_bce=1.0, camera=0.2, matching=0.25))
    total, logged = total_loss(terms, weights)
    assert total.item() == pytest.approx(1.0 * (2.0 + 0.1) + 0.8 * 1.0)
    assert {name: round(value.item(), 6) for name, value in logged.items()} == {
        "footprint_bce": 2.0,
        "camera": 0.5,
        "matching": 4.0,
        "geometric": 2.1,
        "correspondence": 1.0,
        "total": 2.9,
        "weight/geometric": 1.0,
        "weight/correspondence": 0.8,
    }


def test_gradients_follow_the_weights_and_logged_values_carry_none() -> None:
    values = torch.tensor([1.0, 3.0], requires_grad=True)
    terms = LossTerms(target_bce=Term(values, torch.tensor([True, False])))
    total, logged = total_loss(terms, LossWeights())
    total.backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, torch.tensor([0.7, 0.0]))
    assert not any(value.requires_grad for value in logged.values())


def test_term_without_anything_that_counts_is_zero() -> None:
    assert term(5.0, 7.0, counted=[False, False]).mean().item() == 0


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_not_finite_terms_are_named_and_only_they(broken: float) -> None:
    terms = LossTerms(footprint_bce=term(1.0), matching=term(1.0, broken), depth=term(broken))
    with pytest.raises(LossNotFiniteError, match=r"matching = .*") as error:
        total_loss(terms, LossWeights())
    assert "depth" in str(error.value)
    assert "footprint_bce" not in str(error.value)


def test_nan_behind_a_mask_is_an_error_too() -> None:
    with pytest.raises(LossNotFiniteError, match="bearing"):
        total_loss(LossTerms(bearing=term(1.0, float("nan"), counted=[True, False])), LossWeights())


def test_no_terms_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no loss term"):
        total_loss(LossTerms(), LossWeights())


def test_unknown_and_negative_weights_are_refused() -> None:
    with pytest.raises(ValidationError):
        LossWeights.model_validate({"geometrical": 1.0})
    with pytest.raises(ValidationError):
        TermWeights(matching=-0.1)


def truth_of(*shape: int) -> MapTruth:
    generator = torch.Generator().manual_seed(0)
    truth = (torch.rand(*shape, generator=generator) > 0.7).float() * torch.rand(*shape, generator=generator)
    present = torch.rand(*shape[:-2], generator=generator) > 0.3
    truth = truth * present[..., None, None]
    counted = torch.rand(*shape[:-2], generator=generator) > 0.1
    return MapTruth(truth, torch.rand(*shape, generator=generator) > 0.1, present, counted)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_no_other_constant_has_a_lower_bce(balance: float) -> None:
    maps = truth_of(3, 5, 7, 11)

    def cost(logits: torch.Tensor) -> torch.Tensor:
        return Term(balanced_bce(logits, maps.truth, maps.valid, balance), maps.counted).mean()

    constant = constant_maps(maps, balance)
    assert constant.logits.shape == maps.truth.shape
    assert constant.logits.unique().numel() == 1
    others = [cost(torch.full_like(maps.truth, logit)) for logit in torch.linspace(-5, 5, 101).tolist()]
    assert min(others) - 1e-3 < cost(constant.logits) <= min(others) + 1e-6


def test_no_other_constant_presence_has_a_lower_bce() -> None:
    maps = truth_of(3, 5, 7, 11)

    def cost(logits: torch.Tensor) -> torch.Tensor:
        return Term(presence_bce(logits, maps.present), maps.counted).mean()

    others = [cost(torch.full(maps.present.shape, logit)) for logit in torch.linspace(-5, 5, 101).tolist()]
    assert min(others) - 1e-3 < cost(constant_maps(maps).presence_logits) <= min(others) + 1e-6


def test_constants_are_finite_where_nothing_counts() -> None:
    maps = truth_of(3, 5, 7, 11)
    nothing = MapTruth(maps.truth, maps.valid, maps.present, torch.zeros_like(maps.counted))
    constant = constant_maps(nothing)
    assert torch.isfinite(constant.logits).all()
    assert torch.isfinite(constant.presence_logits).all()
