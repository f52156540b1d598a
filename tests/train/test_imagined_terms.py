"""Terms over imagined views: truth, constants, padding and what has no part in them."""

import pytest
import torch

from backsight.data.truth import ImaginedTruth
from backsight.model.outputs import Targets
from backsight.train.imagined_terms import constant_imagined_terms, imagined_terms

SHAPE = (2, 3, 5, 7, 11)


@pytest.fixture
def truth() -> ImaginedTruth:
    generator = torch.Generator().manual_seed(2)
    present = torch.rand(SHAPE[:3], generator=generator) < 0.5
    maps = (torch.rand(SHAPE, generator=generator) < 0.2).float() * present[..., None, None]
    counted = torch.rand(SHAPE[:3], generator=generator) < 0.7
    return ImaginedTruth(maps, maps.flatten(3).any(-1), counted)


def targets_of(logits: torch.Tensor, presence: torch.Tensor) -> Targets:
    seen = torch.zeros(2, 3, 1, 7, 11)
    return Targets(seen, seen[..., 0, 0], imagined_logits=logits, imagined_presence_logits=presence)


def right(truth: ImaginedTruth) -> Targets:
    return targets_of(40 * truth.maps - 20, 40 * truth.present.float() - 20)


def means(terms) -> dict[str, float]:
    return {name: float(term.mean()) for name, term in terms.items()}


def test_the_truth_costs_nothing_and_a_constant_or_mixed_up_views_do(truth):
    best = means(imagined_terms(truth, right(truth)))
    assert set(best) == {"imagined_bce", "imagined_iou", "imagined_presence"}
    assert all(value < 1e-3 for value in best.values())
    constant = means(constant_imagined_terms(truth))
    seen = right(truth)
    mixed = means(
        imagined_terms(truth, targets_of(seen.imagined_logits.roll(1, 2), seen.imagined_presence_logits.roll(1, 2)))
    )
    for name, value in best.items():
        assert constant[name] > value + 0.1
        assert mixed[name] > constant[name] or name == "imagined_iou"


def test_what_does_not_count_changes_nothing(truth):
    generator = torch.Generator().manual_seed(4)
    logits, presence = torch.randn(SHAPE, generator=generator), torch.randn(SHAPE[:3], generator=generator)
    before = means(imagined_terms(truth, targets_of(logits, presence)))
    other = torch.where(truth.counted[..., None, None], logits, -logits)
    after = means(imagined_terms(truth, targets_of(other, torch.where(truth.counted, presence, -presence))))
    assert after == before


def test_without_views_or_without_maps_of_them_there_are_no_terms(truth):
    seen = torch.zeros(2, 3, 1, 7, 11)
    assert imagined_terms(None, right(truth)) == {}
    assert imagined_terms(truth, Targets(seen, seen[..., 0, 0])) == {}
    assert constant_imagined_terms(None) == {}


def test_nothing_that_counts_is_zero_and_not_nan(truth):
    none = ImaginedTruth(truth.maps, truth.present, torch.zeros_like(truth.counted))
    assert set(means(imagined_terms(none, right(truth))).values()) == {0.0}
