import numpy as np
import pytest

from backsight.sim.srgb import linear_from_srgb, srgb_from_linear


def test_srgb_curves_are_inverse_to_each_other_and_hit_known_values():
    values = np.linspace(0.0, 1.0, 257)
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(values)), values, atol=1e-6)
    assert linear_from_srgb(np.array([0.5]))[0] == pytest.approx(0.21404, abs=1e-5)
