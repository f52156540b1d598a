import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from backsight.metrics.presence import auroc, balanced_accuracy, expected_calibration_error


@given(seed=st.integers(0, 9999), levels=st.integers(2, 30))
@settings(max_examples=40, deadline=None)
def test_auroc_equals_mann_whitney(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    probability, present = rng.integers(0, levels, 47) / levels, rng.random(47) > 0.6
    present[:2] = True, False
    expected = mannwhitneyu(probability[present], probability[~present]).statistic / present.sum() / (~present).sum()
    assert auroc(probability, present)[0] == pytest.approx(expected)


@given(seed=st.integers(0, 9999))
@settings(max_examples=30, deadline=None)
def test_a_weight_is_a_number_of_repetitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probability, present = rng.integers(0, 9, 31) / 8, rng.random(31) > 0.5
    weights = rng.integers(0, 4, (3, 31)).astype(np.float64)
    weights[:, :2], present[:2] = 1, [True, False]
    for metric in (auroc, balanced_accuracy, expected_calibration_error):
        found = metric(probability, present, weights)
        for row in range(3):
            repeated = np.repeat(np.arange(31), weights[row].astype(int))
            assert found[row] == pytest.approx(metric(probability[repeated], present[repeated])[0])


def test_balanced_accuracy_by_hand() -> None:
    probability = np.array([0.5, 0.4, 0.9, 0.1, 0.6, 0.2])
    present = np.array([True, True, True, False, False, False])
    assert balanced_accuracy(probability, present)[0] == pytest.approx((2 / 3 + 2 / 3) / 2)
    always = np.ones(6)
    assert balanced_accuracy(always, present)[0] == 0.5


def test_calibration_error_by_hand() -> None:
    probability = np.array([0.05, 0.05, 0.95, 1.0])
    present = np.array([False, True, True, True])
    # Bin 0: 0.05 against 0.5; bin 9: 0.975 against 1.
    assert expected_calibration_error(probability, present)[0] == pytest.approx(0.5 * 0.45 + 0.5 * 0.025)
    assert expected_calibration_error(present.astype(np.float64), present)[0] == 0


def test_single_precision_probabilities_are_welcome() -> None:
    rng = np.random.default_rng(0)
    probability, present = rng.random(40).astype(np.float32), rng.random(40) > 0.5
    for metric in (auroc, balanced_accuracy, expected_calibration_error):
        assert metric(probability, present)[0] == pytest.approx(metric(probability.astype(np.float64), present)[0])


def test_missing_kinds_are_not_defined() -> None:
    present = np.ones(3, dtype=bool)
    assert np.isnan(auroc(np.array([0.1, 0.2, 0.3]), present)[0])
    assert np.isnan(balanced_accuracy(np.array([0.1, 0.2, 0.3]), present)[0])


def test_probabilities_outside_the_unit_interval_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        expected_calibration_error(np.array([0.1, 1.2]), np.array([True, False]))
