import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from backsight.metrics.pose import pose_errors


def walk(seed: int, frames: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (frames, 1, 1))
    poses[:, :3, :3] = Rotation.random(frames, rng=rng).as_matrix()
    poses[:, :3, 3] = rng.normal(size=(frames, 3)) * 2
    return poses


@given(seed=st.integers(0, 9999), scale=st.floats(0.1, 9))
@settings(max_examples=30, deadline=None)
def test_world_and_scale_of_the_prediction_do_not_matter(seed: int, scale: float) -> None:
    true = walk(seed)
    predicted = true.copy()
    predicted[:, :3, 3] *= scale
    errors = pose_errors(walk(seed + 1, 1) @ predicted, true)
    assert errors.rotation_deg.max() < 1e-4
    assert errors.direction_deg.max() < 1e-4
    assert errors.accuracy == 1
    assert len(errors.counted) == 10


def test_inverted_poses_are_wrong() -> None:
    true = walk(3)
    assert pose_errors(np.linalg.inv(true), true).accuracy < 0.3


@pytest.mark.parametrize(("turn_deg", "accurate"), [(4.9, True), (5.1, False)])
def test_rotation_limit(turn_deg: float, accurate: bool) -> None:
    true = walk(4, 2)
    predicted = true.copy()
    predicted[1, :3, :3] = true[1, :3, :3] @ Rotation.from_euler("y", turn_deg, degrees=True).as_matrix()
    errors = pose_errors(predicted, true)
    assert errors.rotation_deg[0] == pytest.approx(turn_deg)
    assert errors.direction_deg[0] == pytest.approx(0, abs=1e-5)
    assert errors.accurate[0] == accurate


@pytest.mark.parametrize(("turn_deg", "accurate"), [(9.9, True), (10.1, False)])
def test_direction_limit(turn_deg: float, accurate: bool) -> None:
    true = np.tile(np.eye(4), (2, 1, 1))
    true[1, :3, 3] = [0, 0, 2]
    predicted = true.copy()
    predicted[1, :3, 3] = Rotation.from_euler("x", turn_deg, degrees=True).apply([0, 0, 0.3])
    errors = pose_errors(predicted, true)
    assert errors.direction_deg[0] == pytest.approx(turn_deg)
    assert errors.accurate[0] == accurate


def test_pairs_at_one_place_are_left_out() -> None:
    true = walk(5, 3)
    true[1, :3, 3] = true[0, :3, 3]
    assert pose_errors(true, true).counted.tolist() == [False, True, True]
    assert np.isnan(pose_errors(true[:2], true[:2]).accuracy)
