import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap

from backsight.metrics.bootstrap import (
    bootstrap_difference,
    bootstrap_interval,
    bootstrap_ratio,
    bootstrap_weighted,
    sequence_means,
)
from backsight.metrics.presence import auroc


def test_sequence_means_by_hand() -> None:
    means, ids, count = sequence_means(np.array([1.0, 5.0, 3.0, 7.0]), ["b", "a", "b", "b"])
    assert ids == ("a", "b")
    np.testing.assert_allclose(means, [5, 11 / 3])
    assert count.tolist() == [1, 3]


def test_with_one_sequence_a_place_the_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).normal(size=23)
    value, low, high = bootstrap_interval(values, [f"p{i}" for i in range(23)], np.random.default_rng(1), 20_000)
    expected = scipy_bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert value == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_places_are_drawn_whole() -> None:
    # Two places of 50 equal sequences each: as uncertain as two values, not as a hundred.
    values = np.repeat([0.0, 1.0], 50)
    value, low, high = bootstrap_interval(values, ["a"] * 50 + ["b"] * 50, np.random.default_rng(0))
    assert (value, low, high) == (0.5, 0.0, 1.0)


def test_a_place_weighs_as_many_sequences_as_it_has() -> None:
    value, _, _ = bootstrap_interval(np.array([0.0, 0.0, 0.0, 1.0]), list("aaab"), np.random.default_rng(0))
    assert value == 0.25


def test_same_seed_gives_the_same_interval() -> None:
    values, places = np.random.default_rng(3).random(30), [f"p{i % 7}" for i in range(30)]
    first, second = (bootstrap_interval(values, places, np.random.default_rng(5)) for _ in range(2))
    assert first == second
    assert first[1] < first[0] < first[2]


def test_order_of_the_sequences_does_not_matter() -> None:
    values, places = np.random.default_rng(3).random(30), np.array([f"p{i % 7}" for i in range(30)])
    order = np.random.default_rng(4).permutation(30)
    first = bootstrap_interval(values, places.tolist(), np.random.default_rng(5))
    assert bootstrap_interval(values[order], places[order].tolist(), np.random.default_rng(5)) == pytest.approx(first)


def test_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(200):
        places = rng.normal(size=40)
        values = np.repeat(places, 3) + 0.1 * rng.normal(size=120)
        _, low, high = bootstrap_interval(values, np.repeat([f"p{i}" for i in range(40)], 3).tolist(), rng, 400)
        held += low <= 0 <= high
    assert 0.88 < held / 200 < 0.99


def test_ratio_is_that_of_the_sums() -> None:
    value, low, high = bootstrap_ratio(
        np.array([1.0, 3.0, 2.0]), np.array([2.0, 4.0, 2.0]), ["a", "b", "c"], np.random.default_rng(0)
    )
    assert value == 0.75
    assert low >= 0.5
    assert high <= 1.0


def test_paired_difference_is_narrower_than_the_difference_of_intervals() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=40)
    places = [f"p{i}" for i in range(40)]
    value, low, high = bootstrap_difference(base + 0.1 + 0.01 * rng.normal(size=40), base, places, rng)
    assert value == pytest.approx(0.1, abs=0.01)
    assert 0.09 < low < high < 0.11


def test_pooled_figure_equals_explicit_resampling() -> None:
    rng = np.random.default_rng(0)
    probability, present = rng.random(60), rng.random(60) > 0.5
    index = np.arange(60) % 6
    value, low, high = bootstrap_weighted(
        lambda weights: auroc(probability, present, weights), [f"p{i}" for i in index], np.random.default_rng(1), 4000
    )
    figures = []
    for _ in range(1000):
        drawn = np.concatenate([np.flatnonzero(index == p) for p in rng.integers(0, 6, 6)])
        figures.append(auroc(probability[drawn], present[drawn])[0])
    assert value == pytest.approx(auroc(probability, present)[0])
    assert (low, high) == pytest.approx(tuple(np.quantile(figures, [0.025, 0.975])), abs=0.02)


def test_single_place_has_no_interval() -> None:
    value, low, high = bootstrap_interval(np.array([0.2, 0.4]), ["a", "a"], np.random.default_rng(0))
    assert value == pytest.approx(0.3)
    assert np.isnan(low)
    assert np.isnan(high)


def test_empty_nan_and_mismatched_input_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval(np.zeros(0), [], rng)
    with pytest.raises(ValueError, match="NaN"):
        bootstrap_interval(np.array([np.nan]), ["a"], rng)
    with pytest.raises(ValueError, match="place ids"):
        bootstrap_interval(np.array([1.0]), ["a", "b"], rng)
    with pytest.raises(ValueError, match="positive"):
        bootstrap_ratio(np.array([1.0]), np.array([0.0]), ["a"], rng)
