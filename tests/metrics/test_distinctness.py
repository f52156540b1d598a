import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from backsight.metrics import distinctness as module
from backsight.metrics.distinctness import distinctness, jensen_shannon_matrix


def maps_of(seed: int, history: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    predicted = rng.random((history, 7, 11)).astype(np.float32)
    truth = (rng.random((history, 7, 11)) ** 6).astype(np.float32)
    return predicted, truth, rng.random((history, 7, 11)) > 0.1, np.ones(history, dtype=bool)


@given(seed=st.integers(0, 9999))
@settings(max_examples=15, deadline=None)
def test_divergence_equals_scipy_and_is_symmetric(seed: int) -> None:
    p, q, valid, _ = maps_of(seed, 3)
    found = jensen_shannon_matrix(p, q, valid, valid)
    for k in range(3):
        for j in range(3):
            both = valid[k] & valid[j]
            expected = jensenshannon(p[k][both].astype(np.float64), q[j][both].astype(np.float64), base=2) ** 2
            assert found[k, j] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(jensen_shannon_matrix(q, p, valid, valid).T, found, atol=1e-12)


def test_divergence_by_hand() -> None:
    a = np.zeros((2, 1, 3), dtype=np.float32)
    a[0, 0], a[1, 0] = [1, 0, 0], [0, 3, 0]
    valid = np.ones((2, 1, 3), dtype=bool)
    np.testing.assert_allclose(jensen_shannon_matrix(a, a, valid, valid), [[0, 1], [1, 0]], atol=1e-15)
    masked = valid.copy()
    masked[1, 0, 1] = False  # the second map is empty where both are valid: it counts as even there
    expected = jensenshannon([1, 0], [0.5, 0.5], base=2) ** 2
    assert jensen_shannon_matrix(a, a, valid, masked)[0, 1] == pytest.approx(expected)


def test_blocks_give_the_same_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    p, q, valid, _ = maps_of(1)
    whole = jensen_shannon_matrix(p, q, valid, valid)
    monkeypatch.setattr(module, "BLOCK_VALUES", 2 * q.size)
    np.testing.assert_array_equal(jensen_shannon_matrix(p, q, valid, valid), whole)


def test_truth_itself_has_ratio_one_and_is_always_identified() -> None:
    _, truth, valid, present = maps_of(2)
    values = distinctness(truth, truth, valid, present)
    assert values.ratio == 1
    assert values.pairs == 10
    assert values.identified.tolist() == [1] * 5
    assert values.chance == pytest.approx(0.2)


def test_constant_maps_have_ratio_zero() -> None:
    _, truth, valid, present = maps_of(3)
    values = distinctness(np.full_like(truth, 0.4), truth, valid, present)
    assert values.ratio == pytest.approx(0, abs=1e-6)
    assert values.identified.sum() <= 1


def test_mixed_up_maps_keep_the_ratio_and_lose_identification() -> None:
    _, truth, valid, present = maps_of(4)
    valid[:] = True
    values = distinctness(np.roll(truth, 1, axis=0), truth, valid, present)
    assert values.ratio == pytest.approx(1)
    assert values.identified.sum() == 0


def test_only_present_frames_whose_truths_differ_are_judged() -> None:
    truth = np.zeros((5, 7, 11), dtype=np.float32)
    truth[0, :, :4] = truth[1, :, :4] = 1.0
    truth[2, :, 6:] = 1.0
    truth[3, :, 5:] = 1.0  # close to the third
    truth[4, 3:] = 1.0
    present = np.array([True, True, True, True, False])
    values = distinctness(truth, truth, np.ones_like(truth, dtype=bool), present)
    assert values.chance == 0.25
    close = jensenshannon(truth[2].ravel(), truth[3].ravel(), base=2)
    assert values.pairs == (4 if close <= 0.2 else 5)
    # The first two have the same truth: each is told from the other by chance.
    assert values.identified.tolist() == [0.5, 0.5, 1, 1]


def test_identification_asks_each_prediction_for_its_nearest_truth() -> None:
    _, truth, _, present = maps_of(6)
    other = maps_of(7)[1]
    # A copy of another frame's truth: that frame's truth is nearest to two predictions.
    predicted = np.stack([truth[1], truth[1], 0.5 * truth[2] + 0.5 * other[0], truth[4], truth[4]])
    found = distinctness(predicted, truth, np.ones_like(truth, dtype=bool), present).identified
    nearest = [np.argmin([jensenshannon(p.ravel(), q.ravel(), base=2) for q in truth]) for p in predicted]
    assert nearest == [1, 1, 2, 4, 4]
    assert found.tolist() == [0, 1, 1, 0, 1]
    assert found.tolist() == [float(k == j) for k, j in enumerate(nearest)]


def test_no_pairs_is_told_as_such() -> None:
    truth = np.ones((3, 7, 11), dtype=np.float32)
    valid = np.ones_like(truth, dtype=bool)
    alike = distinctness(truth, truth, valid, np.ones(3, dtype=bool))
    assert alike.pairs == 0
    assert np.isnan(alike.ratio)
    assert len(alike.identified) == 0
    assert distinctness(truth, truth, valid, np.zeros(3, dtype=bool)).chance == 0


@given(seed=st.integers(0, 9999))
@settings(max_examples=15, deadline=None)
def test_order_of_frames_and_garbage_in_masked_cells_do_not_matter(seed: int) -> None:
    predicted, truth, valid, present = maps_of(seed)
    present[seed % 5] = False
    order = np.random.default_rng(seed).permutation(5)
    garbage = np.where(valid, predicted, 7.0).astype(np.float32), np.where(valid, truth, 7.0).astype(np.float32)
    expected = distinctness(predicted, truth, valid, present)
    moved = distinctness(predicted[order], truth[order], valid[order], present[order])
    for other in (moved, distinctness(*garbage, valid, present)):
        assert other.ratio == pytest.approx(expected.ratio)
        assert other.identified.sum() == expected.identified.sum()
