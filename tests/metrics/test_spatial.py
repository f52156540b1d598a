import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, pearsonr, rankdata

from backsight.metrics.spatial import (
    SpatialValues,
    auc,
    average_ranks,
    cc,
    distributions,
    eligible,
    iou,
    kl,
    nss,
    pointing_hit,
    sim,
    soft_iou,
    spatial_values,
)


def maps_of(seed: int, levels: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions with many ties, soft truths and masks on a grid of prime sides."""
    rng = np.random.default_rng(seed)
    predicted = rng.integers(0, levels, (5, 7, 11)) / (levels - 1)
    truth = rng.random((5, 7, 11))
    return predicted.astype(np.float32), truth.astype(np.float32), rng.random((5, 7, 11)) > 0.2


def one(rows: list[list[float]]) -> np.ndarray:
    return np.array([rows], dtype=np.float32)


EVERYWHERE = np.ones((1, 2, 3), dtype=bool)


@given(seed=st.integers(0, 9999), levels=st.integers(2, 40))
@settings(max_examples=40, deadline=None)
def test_auc_equals_mann_whitney_with_ties(seed: int, levels: int) -> None:
    predicted, truth, valid = maps_of(seed, levels)
    found = auc(predicted, truth, valid)
    for k in range(len(predicted)):
        p, positive = predicted[k][valid[k]], truth[k][valid[k]] >= 0.5
        statistic = mannwhitneyu(p[positive], p[~positive]).statistic
        assert found[k] == pytest.approx(statistic / positive.sum() / (~positive).sum())


@given(seed=st.integers(0, 9999), gain=st.floats(0.1, 5), power=st.sampled_from([1, 3, 5]))
@settings(max_examples=30, deadline=None)
def test_auc_does_not_change_under_a_rising_transform_and_mirrors_under_a_falling_one(
    seed: int, gain: float, power: int
) -> None:
    predicted, truth, valid = maps_of(seed)
    np.testing.assert_allclose(auc(gain * predicted**power - 3, truth, valid), auc(predicted, truth, valid))
    np.testing.assert_allclose(auc(-predicted, truth, valid), 1 - auc(predicted, truth, valid))


def test_ranks_equal_scipy() -> None:
    predicted, _, valid = maps_of(1)
    values, counted = predicted.reshape(5, -1).astype(np.float64), valid.reshape(5, -1)
    for row, kept, ranks in zip(values, counted, average_ranks(values, counted), strict=True):
        np.testing.assert_array_equal(ranks[kept], rankdata(row[kept]))


@given(seed=st.integers(0, 9999))
@settings(max_examples=30, deadline=None)
def test_values_do_not_depend_on_where_the_cells_lie_or_what_masked_ones_hold(seed: int) -> None:
    predicted, truth, valid = maps_of(seed)
    order = np.random.default_rng(seed + 1).permutation(77)

    def moved(maps: np.ndarray) -> np.ndarray:
        return maps.reshape(5, 77)[:, order].reshape(5, 11, 7)

    garbage = np.where(valid, predicted, 9.0), np.where(valid, truth, -9.0), valid
    expected = spatial_values(predicted, truth, valid)
    for other in (spatial_values(moved(predicted), moved(truth), moved(valid)), spatial_values(*garbage)):
        for name in SpatialValues.__dataclass_fields__:
            np.testing.assert_allclose(getattr(other, name), getattr(expected, name), atol=1e-9, err_msg=name)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.7, 1.0])
def test_constant_map_has_the_defined_edges(value: float) -> None:
    _, truth, valid = maps_of(2)
    constant = np.full_like(truth, value)
    assert (auc(constant, truth, valid) == 0.5).all()
    assert (nss(constant, truth, valid) == 0).all()
    assert (cc(constant, truth, valid) == 0).all()
    hit = ((truth >= 0.5) & valid).sum((1, 2)) / valid.sum((1, 2))
    np.testing.assert_allclose(pointing_hit(constant, truth, valid), hit)


def test_perfect_map_has_the_best_values() -> None:
    _, truth, valid = maps_of(3)
    values = spatial_values(truth, truth, valid)
    for name in ("auc", "cc", "sim", "soft_iou", "pointing_hit", "iou"):
        np.testing.assert_allclose(getattr(values, name), 1.0, err_msg=name)
    np.testing.assert_allclose(values.kl, 0.0, atol=1e-12)


def test_correlation_equals_scipy() -> None:
    predicted, truth, valid = maps_of(4)
    found = cc(predicted, truth, valid)
    for k in range(5):
        assert found[k] == pytest.approx(pearsonr(predicted[k][valid[k]], truth[k][valid[k]]).statistic, abs=1e-6)


def test_nss_by_hand() -> None:
    predicted, truth = one([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), one([[0.4, 0, 0.5], [0, 0.9, 1.0]])
    # mean 1/3, deviation sqrt(2)/3; positives hold 1, 0 and 1.
    assert nss(predicted, truth, EVERYWHERE)[0] == pytest.approx((2 / 3 - 1 / 3) / (math.sqrt(2) / 3))


def test_similarity_and_divergence_by_hand() -> None:
    predicted, truth = one([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), one([[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]])
    assert sim(predicted, truth, EVERYWHERE)[0] == pytest.approx(0.5)
    epsilon = 2.2204e-16
    expected = 0.5 * math.log(epsilon + 0.5 / (0.5 + epsilon)) + 0.5 * math.log(epsilon + 0.5 / epsilon)
    assert kl(predicted, truth, EVERYWHERE)[0] == pytest.approx(expected)


def test_overlaps_and_hit_by_hand() -> None:
    predicted, truth = one([[0.8, 0.5, 0.2], [0.1, 0.0, 0.9]]), one([[1.0, 0.0, 0.2], [0.7, 0.0, 0.4]])
    assert soft_iou(predicted, truth, EVERYWHERE)[0] == pytest.approx(
        (0.8 + 0.2 + 0.1 + 0.4) / (1 + 0.5 + 0.2 + 0.7 + 0.9)
    )
    assert iou(predicted, truth, EVERYWHERE)[0] == pytest.approx(1 / 4)
    assert pointing_hit(predicted, truth, EVERYWHERE)[0] == 0
    masked = EVERYWHERE.copy()
    masked[0, 1, 2] = False
    assert pointing_hit(predicted, truth, masked)[0] == 1
    assert iou(predicted, truth, masked)[0] == pytest.approx(1 / 3)


def test_pointing_hit_of_tied_maxima_is_the_share_that_hits() -> None:
    predicted, truth = one([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), one([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert pointing_hit(predicted, truth, EVERYWHERE)[0] == 0.25


def test_eligible_needs_one_percent_of_the_valid_cells_on_each_side() -> None:
    truth = np.zeros((4, 10, 20), dtype=np.float32)
    valid = np.ones((4, 10, 20), dtype=bool)
    truth[0, 0, :2] = 0.5
    truth[1, 0, :1] = 1.0
    truth[2] = 1.0
    truth[3, 0, :1] = 1.0
    valid[3, 5:] = False
    assert eligible(truth, valid).tolist() == [True, False, False, True]
    valid[0, 0, :2] = False
    assert not eligible(truth, valid)[0]


def test_maps_without_valid_cells_give_defined_values() -> None:
    predicted, truth, valid = maps_of(5)
    valid[2] = False
    values = spatial_values(predicted, truth, valid)
    assert not values.eligible[2]
    assert all(np.isfinite(getattr(values, name)).all() for name in SpatialValues.__dataclass_fields__)


def test_empty_map_counts_as_even() -> None:
    even = distributions(one([[0, 0, 0], [0, 0, 0]]), EVERYWHERE)
    np.testing.assert_allclose(even, 1 / 6)
