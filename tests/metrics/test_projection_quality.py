import numpy as np
import pytest

from backsight.metrics.projection_quality import projection_quality


def blob(row: int, column: int, size: int = 3) -> np.ndarray:
    maps = np.zeros((1, 11, 13), dtype=np.float32)
    maps[0, row : row + size, column : column + size] = 1.0
    return maps


EVERYWHERE = np.ones((1, 11, 13), dtype=bool)


def test_prediction_as_good_as_the_truth_has_quality_one() -> None:
    quality = projection_quality(blob(2, 3), blob(2, 4), blob(2, 3), blob(2, 4), EVERYWHERE)
    assert quality.quality[0] == pytest.approx(1)
    assert quality.counted[0]


def test_ratio_by_hand_and_its_cap() -> None:
    # Truth: 3 x 3 moved by one, 6 shared of 12; prediction: moved by two, 3 shared of 15.
    worse = projection_quality(blob(2, 3), blob(2, 5), blob(2, 3), blob(2, 4), EVERYWHERE)
    assert worse.quality[0] == pytest.approx((3 / 15) / (6 / 12))
    better = projection_quality(blob(2, 3), blob(2, 3), blob(2, 3), blob(2, 4), EVERYWHERE)
    assert better.quality[0] == 1


def test_constant_and_contrary_maps_have_quality_zero() -> None:
    even = np.full((1, 11, 13), 0.5, dtype=np.float32)
    assert projection_quality(even, even, blob(2, 3), blob(2, 3), EVERYWHERE).quality[0] == 0
    assert projection_quality(0.9 - 0.5 * blob(2, 3), blob(2, 3), blob(2, 3), blob(2, 3), EVERYWHERE).quality[0] == 0


def test_only_covisible_cells_count() -> None:
    covisible = EVERYWHERE.copy()
    covisible[0, 6:] = False
    garbage = np.where(covisible, blob(2, 3), 0.9).astype(np.float32)
    quality = projection_quality(garbage, blob(2, 3), blob(2, 3), blob(2, 3), covisible)
    assert quality.quality[0] == 1
    assert quality.overlap[0] == pytest.approx(6 / 11)


def test_pairs_whose_truths_share_nothing_do_not_count() -> None:
    covisible = np.repeat(EVERYWHERE, 3, axis=0)
    covisible[2] = False
    maps = np.concatenate([blob(2, 3)] * 3)
    warped_truth = np.concatenate([blob(2, 3), blob(8, 9), blob(2, 3)])
    assert projection_quality(maps, maps, warped_truth, maps, covisible).counted.tolist() == [True, False, False]


def test_overlap_bins() -> None:
    maps = np.repeat(np.random.default_rng(0).random((1, 10, 10)), 4, axis=0)
    covisible = np.zeros((4, 100), dtype=bool)
    for pair, cells in enumerate((4, 5, 20, 50)):
        covisible[pair, :cells] = True
    quality = projection_quality(maps, maps, maps, maps, covisible.reshape(4, 10, 10))
    assert quality.overlap_bin.tolist() == [0, 1, 2, 3]
