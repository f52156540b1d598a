import numpy as np
import pytest

from backsight.metrics.temporal_consistency import temporal_consistency, temporal_errors


def test_errors_equal_plain_loops() -> None:
    rng = np.random.default_rng(0)
    warped, current = rng.random((4, 5, 7)).astype(np.float32), rng.random((4, 5, 7)).astype(np.float32)
    covisible = rng.random((5, 7)) > 0.4
    error, shuffled = temporal_errors(warped, current, covisible)
    for k in range(4):
        each = [float(((current[k] - warped[j])[covisible] ** 2).mean()) for j in range(4)]
        assert error[k] == pytest.approx(each[k], rel=1e-5)
        assert shuffled[k] == pytest.approx(np.mean(each[:k] + each[k + 1 :]), rel=1e-5)


def test_maps_that_stay_are_consistent_and_swapped_ones_are_not() -> None:
    current = np.zeros((3, 5, 7), dtype=np.float32)
    current[0, :2], current[1, 2:4], current[2, 4:] = 1.0, 1.0, 1.0
    covisible = np.ones((5, 7), dtype=bool)
    assert temporal_consistency(*temporal_errors(current, current, covisible)).tolist() == [1, 1, 1]
    swapped = np.roll(current, 1, axis=0)
    assert (temporal_consistency(*temporal_errors(swapped, current, covisible)) < -0.4).all()


def test_constant_maps_have_consistency_zero() -> None:
    maps = np.full((3, 5, 7), 0.4, dtype=np.float32)
    assert temporal_consistency(*temporal_errors(maps, maps, np.ones((5, 7), dtype=bool))).tolist() == [0, 0, 0]


def test_consistency_by_hand_and_its_threshold() -> None:
    error = np.array([0.1, 0.0, 0.5])
    shuffled = np.array([0.4, 0.9e-6, 0.25])
    np.testing.assert_allclose(temporal_consistency(error, shuffled), [0.75, 0, -1])


def test_cells_that_are_not_covisible_have_no_effect() -> None:
    rng = np.random.default_rng(1)
    maps, covisible = rng.random((3, 5, 7)), rng.random((5, 7)) > 0.5
    garbage = np.where(covisible, maps, 1e6)
    for found, expected in zip(
        temporal_errors(garbage, maps, covisible), temporal_errors(maps, maps, covisible), strict=True
    ):
        np.testing.assert_allclose(found, expected)


def test_one_map_or_no_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="two maps"):
        temporal_errors(np.zeros((1, 5, 7)), np.zeros((1, 5, 7)), np.ones((5, 7), dtype=bool))
    with pytest.raises(ValueError, match="co-visible"):
        temporal_errors(np.zeros((2, 5, 7)), np.zeros((2, 5, 7)), np.zeros((5, 7), dtype=bool))
