import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.train.calibrate import fit_platt


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


@settings(max_examples=25)
@given(st.floats(0.3, 3.0), st.floats(-2.0, 2.0))
def test_a_known_distortion_is_undone(scale, offset):
    logits = np.random.default_rng(0).normal(0, 2, 5003)
    fitted = fit_platt(logits, _sigmoid(scale * logits + offset))
    assert fitted.slope == pytest.approx(scale, rel=0.02, abs=0.01)
    assert fitted.offset == pytest.approx(offset, rel=0.02, abs=0.01)


def test_separable_data_have_a_finite_answer():
    fitted = fit_platt(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert 1.0 < fitted.slope <= 100.0


def test_logits_that_say_the_contrary_keep_their_order_and_get_the_mean():
    logits = np.random.default_rng(2).normal(0, 1, 3001)
    truth = _sigmoid(-2.0 * logits - 1.0)
    fitted = fit_platt(logits, truth)
    assert fitted.slope == pytest.approx(0.01)
    assert _sigmoid(fitted.slope * logits + fitted.offset).mean() == pytest.approx(truth.mean(), abs=1e-3)


def test_calibrated_probabilities_have_the_truths_mean():
    rng = np.random.default_rng(1)
    logits = rng.normal(1.0, 1.5, 4001)
    truth = (rng.random(4001) < _sigmoid(0.4 * logits - 1.0)).astype(float)
    fitted = fit_platt(logits, truth)
    assert _sigmoid(fitted.slope * logits + fitted.offset).mean() == pytest.approx(truth.mean(), abs=1e-3)


def test_nothing_to_fit_is_an_error():
    with pytest.raises(ValueError, match="at least one cell"):
        fit_platt(np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="finite"):
        fit_platt(np.array([np.nan]), np.array([1.0]))
