import numpy as np
import pytest

from backsight.metrics.depth import depth_consistency


def test_truth_at_any_scale_is_consistent() -> None:
    true_m = np.random.default_rng(0).uniform(1, 5, (3, 7, 11)).astype(np.float32)
    share, count = depth_consistency(true_m * 0.13, true_m)
    assert share.tolist() == [1, 1, 1]
    assert count.tolist() == [77] * 3


def test_limit_of_ten_percent_by_hand_and_missing_truth_left_out() -> None:
    true_m = np.full((1, 2, 5), 2.0, dtype=np.float32)
    depth = true_m.copy()
    depth[0, 0, 0], depth[0, 0, 1], depth[0, 0, 2] = 2.19, 2.21, 0.0
    true_m[0, 1, 4] = 0.0
    share, count = depth_consistency(depth, true_m)
    assert count[0] == 9
    assert share[0] == pytest.approx(7 / 9)


def test_one_scale_serves_all_frames() -> None:
    true_m = np.full((3, 7, 11), 2.0, dtype=np.float32)
    depth = true_m * np.array([1, 1, 1.3], dtype=np.float32)[:, None, None]
    assert depth_consistency(depth, true_m)[0].tolist() == [1, 1, 0]


def test_nothing_measured_and_nothing_predicted_are_defined() -> None:
    zeros, ones = np.zeros((1, 7, 11), dtype=np.float32), np.ones((1, 7, 11), dtype=np.float32)
    assert [x[0] for x in depth_consistency(ones, zeros)] == [0, 0]
    assert [x[0] for x in depth_consistency(zeros, ones)] == [0, 77]
