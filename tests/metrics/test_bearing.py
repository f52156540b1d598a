import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from backsight.metrics.bearing import angle_between_deg, bearing_errors


def test_errors_by_hand() -> None:
    true = np.tile(np.array([0.0, 0.0, 1.0], dtype=np.float32), (5, 1))
    angles = np.radians([0, 10, 20, 90, 180])
    bearing = (3 * np.stack([np.sin(angles), np.zeros(5), np.cos(angles)], -1)).astype(np.float32)
    distance_m = np.array([1, 2, 3, 4, 5], dtype=np.float32)
    true_m = np.array([1, 1, 4, 4, 0], dtype=np.float32)
    errors = bearing_errors(bearing, distance_m, true, true_m)
    np.testing.assert_allclose(errors.angle_deg, [0, 10, 20, 90, 180], atol=1e-5)
    assert errors.within_15_deg.tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(errors.relative_distance[:4], [0, 1, 0.25, 0])
    assert errors.counted.tolist() == [True, True, True, True, False]
    assert errors.median_angle_deg == pytest.approx(15, abs=1e-5)


def test_zero_vector_is_ninety_degrees_off() -> None:
    assert angle_between_deg(np.zeros((1, 3)), np.array([[0.0, 1.0, 0.0]]))[0] == 90


def test_median_of_nothing_is_not_defined() -> None:
    nowhere = np.zeros(1)
    assert np.isnan(bearing_errors(np.eye(3)[:1], nowhere, np.eye(3)[:1], nowhere).median_angle_deg)


@given(seed=st.integers(0, 9999), angle=st.floats(1e-6, 179.9))
@settings(max_examples=40, deadline=None)
def test_angle_of_a_rotated_vector_is_that_of_the_rotation(seed: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=3)
    axis = np.cross(vector, rng.normal(size=3))
    turned = Rotation.from_rotvec(np.radians(angle) * axis / np.linalg.norm(axis)).apply(vector)
    assert angle_between_deg(vector[None] * 7, turned[None])[0] == pytest.approx(angle, rel=1e-6, abs=1e-9)
