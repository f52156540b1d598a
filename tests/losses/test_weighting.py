import json

import pytest
import torch
from torch import Tensor

from backsight.losses.total import LossTerms, LossWeights, Term, TermWeights, total_loss
from backsight.losses.weighting import Weighting, WeightingConfig, dwa_factors, trend_factor

NAMES = ("geometric", "correspondence", "coherence")
BASE = {"geometric": 1.0, "correspondence": 0.8, "coherence": 0.6}


def weighting(kind: str, seed: int = 0, **settings) -> Weighting:
    return Weighting(WeightingConfig(kind=kind, **settings), NAMES, seed)


def losses(*values: float) -> dict[str, Tensor]:
    return {name: torch.tensor(value, requires_grad=True) for name, value in zip(NAMES, values, strict=False)}


def weights_of(some: Weighting, values: dict[str, Tensor]) -> list[float]:
    """The weights that a step reports, held against the slopes of its total."""
    total, reported = some(values, BASE)
    slopes = torch.autograd.grad(total, list(values.values()))
    for name, slope in zip(values, slopes, strict=True):
        torch.testing.assert_close(slope, reported[name])
    return [value.item() for value in reported.values()]


def epoch(some: Weighting, *values: float) -> None:
    some(losses(*values), BASE)
    some.end_epoch()


def test_fixed_weights_are_the_base_weights_whatever_happens():
    some = weighting("fixed")
    for value in (5.0, 4.0, 1.0):
        assert weights_of(some, losses(value, 1.0, value)) == pytest.approx([1.0, 0.8, 0.6])
        some.end_epoch()


def test_trend_by_hand():
    config = WeightingConfig(kind="trend")
    assert trend_factor(1.0, 1.0, 0.96, config) == pytest.approx(1.01)
    assert trend_factor(1.0, 1.0, 1.50, config) == pytest.approx(1.01)
    assert trend_factor(1.0, 1.0, 0.90, config) == 1.0
    assert trend_factor(1.0, 1.0, 0.79, config) == pytest.approx(0.99)
    assert trend_factor(1.995, 1.0, 1.0, config) == 2.0
    assert trend_factor(0.1, 1.0, 0.1, config) == 0.1
    # Below zero, lower is still better.
    assert trend_factor(1.0, -1.0, -2.0, config) == pytest.approx(0.99)


def test_trend_decides_every_ten_epochs_and_not_before():
    some = weighting("trend")
    for number in range(10):
        epoch(some, 1.0, 1.0 - 0.05 * number, 1.0 - 0.012 * number)
        assert some.factors == dict.fromkeys(NAMES, 1.0)
    epoch(some, 1.0, 0.5, 0.88)
    assert some.factors == pytest.approx({"geometric": 1.01, "correspondence": 0.99, "coherence": 1.0})
    for _ in range(9):
        epoch(some, 0.1, 0.1, 0.1)
        assert some.factors == pytest.approx({"geometric": 1.01, "correspondence": 0.99, "coherence": 1.0})
    # Compared with the epoch that decided before, not with the one in between.
    epoch(some, 0.9, 0.5, 0.8)
    assert some.factors == pytest.approx({"geometric": 1.01, "correspondence": 0.99 * 1.01, "coherence": 1.0})
    assert weights_of(some, losses(1.0, 1.0, 1.0)) == pytest.approx([1.01, 0.8 * 0.99 * 1.01, 0.6])


def test_dwa_by_the_formula_of_the_paper():
    older, newer = {"geometric": 2.0, "correspondence": 1.0}, {"geometric": 1.0, "correspondence": 0.9}
    rates = torch.tensor([0.5, 0.9], dtype=torch.float64)
    expected = 2 * (rates / 1.5).softmax(0)
    assert dwa_factors([older, newer], 1.5) == pytest.approx(dict(zip(older, expected.tolist(), strict=True)))


def test_dwa_follows_the_means_of_the_last_two_epochs():
    some = weighting("dwa")
    for values in ((7.0, 7.0, 7.0), (4.0, 1.0, 2.0)):
        epoch(some, *values)
    some(losses(1.0, 0.5, 0.5), BASE)
    some(losses(3.0, 1.5, 1.5), BASE)
    some.end_epoch()
    factors = 3 * (torch.tensor([0.5, 1.0, 0.5]) / 2.0).softmax(0)
    expected = [w * f for w, f in zip(BASE.values(), factors.tolist(), strict=True)]
    assert weights_of(some, losses(1.0, 1.0, 1.0)) == pytest.approx(expected)


def test_a_loss_without_an_epoch_keeps_its_base_weight_under_dwa():
    some = weighting("dwa")
    for values in ((4.0, 1.0), (2.0, 1.0)):
        epoch(some, *values)
    found = weights_of(some, losses(1.0, 1.0, 1.0))
    assert found[2] == pytest.approx(0.6)
    assert found[0] < 1.0 < found[1] / 0.8


def test_random_weights_are_positive_differ_every_step_and_repeat_with_the_seed():
    one, same, other = weighting("random", 3), weighting("random", 3), weighting("random", 4)
    drawn = [weights_of(one, losses(1.0, 1.0, 1.0)) for _ in range(200)]
    assert [weights_of(same, losses(2.0, 1.0, 9.0)) for _ in range(200)] == drawn
    assert weights_of(other, losses(1.0, 1.0, 1.0)) != drawn[0]
    assert len({tuple(weights) for weights in drawn}) == 200
    factors = torch.tensor(drawn) / torch.tensor(list(BASE.values()))
    assert (factors > 0).all()
    torch.testing.assert_close(factors.mean(1), torch.ones(200))
    torch.testing.assert_close(factors.mean(0), torch.ones(3), atol=0.15, rtol=0)


def test_uncertainty_begins_at_the_base_weights_and_learns_the_logarithm_of_each_loss():
    some = weighting("uncertainty")
    values = losses(2.0, 0.5, 1.0)
    assert weights_of(some, values) == pytest.approx([1.0, 0.8, 0.6])
    optimiser = torch.optim.Adam(some.parameters(), lr=0.05)
    assert len(list(some.parameters())) == 3
    for _ in range(300):
        optimiser.zero_grad()
        some(values, BASE)[0].backward()
        optimiser.step()
    assert weights_of(some, values) == pytest.approx([1.0 / 2.0, 0.8 / 0.5, 0.6], rel=1e-3)


def test_a_loss_below_zero_cannot_take_all_the_weight():
    some = weighting("uncertainty", uncertainty_bound=1.0)
    values = losses(-2.0, 1.0, 1.0)
    optimiser = torch.optim.Adam(some.parameters(), lr=0.5)
    for _ in range(50):
        optimiser.zero_grad()
        some(values, BASE)[0].backward()
        optimiser.step()
    assert weights_of(some, values)[0] == pytest.approx(torch.e, rel=1e-4)


def test_a_missing_loss_teaches_its_uncertainty_nothing():
    some = weighting("uncertainty")
    some(losses(1.5, 2.0), BASE)[0].backward()
    grads = {name: parameter.grad for name, parameter in some.named_parameters()}
    assert [name for name, grad in grads.items() if grad is None] == ["uncertainties.coherence.log_var"]


@pytest.mark.parametrize("kind", ["trend", "dwa", "random", "uncertainty"])
def test_a_resumed_weighting_goes_on_exactly(kind):
    def run(some: Weighting, steps: range) -> list[list[float]]:
        optimiser = torch.optim.SGD(some.parameters(), lr=0.1) if kind == "uncertainty" else None
        found = []
        for step in steps:
            values = losses(1.0, 1.0 / (step + 1), 3.0 + step % 3)
            found.append(weights_of(some, values))
            some(values, BASE)[0].backward()
            if optimiser is not None:
                optimiser.step()
                optimiser.zero_grad()
            if step % 3 == 2:
                some.end_epoch()
        return found

    settings = {"trend_epochs": 2}
    whole = run(weighting(kind, **settings), range(23))
    first = weighting(kind, **settings)
    run(first, range(10))
    second = weighting(kind, **settings)
    second.restore(json.loads(json.dumps(first.progress())))
    assert run(second, range(10, 23)) == whole[10:]
    assert len({tuple(weights) for weights in whole}) > 1


def test_ranks_agree_on_the_means_of_an_epoch():
    def table(own: tuple[float, float]) -> Tensor:
        some, seen = weighting("dwa"), []
        some(losses(*own), BASE)
        some.end_epoch(lambda values: seen.append(values) or values)
        return seen[0]

    ranks = [weighting("dwa"), weighting("dwa")]
    for values in (((4.0, 1.0), (2.0, 3.0)), ((1.0, 1.0), (2.0, 3.0))):
        both = table(values[0]) + table(values[1])
        for some, own in zip(ranks, values, strict=True):
            some(losses(*own), BASE)
            some.end_epoch(lambda _, both=both: both)
    expected = 2 * (torch.tensor([0.5, 1.0]) / 2.0).softmax(0)
    for some in ranks:
        assert [some.factors[name] for name in NAMES[:2]] == pytest.approx(expected.tolist())


def test_the_total_of_a_step_uses_and_reports_the_weights():
    def term(value: float) -> Term:
        return Term(torch.tensor([value]), torch.tensor([True]))

    terms = LossTerms(camera=term(2.0), matching=term(1.0))
    weights = LossWeights(terms=TermWeights(camera=1.0, matching=1.0))
    some = Weighting(WeightingConfig(kind="random"), ("geometric", "correspondence", "coherence"), seed=5)
    total, logged = total_loss(terms, weights, some)
    found = logged["weight/geometric"].item(), logged["weight/correspondence"].item()
    assert total.item() == pytest.approx(2.0 * found[0] + found[1])
    assert found != pytest.approx((1.0, 0.8))
    assert "weight/coherence" not in logged
