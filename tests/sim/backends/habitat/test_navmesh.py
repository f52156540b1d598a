"""Storeys, islands and points, from triangles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.sim.backends.habitat.navmesh import Navmesh


def rectangle(low_x, low_z, high_x, high_z, y, rise=0.0):
    a, b = (low_x, y, low_z), (low_x, y, high_z)
    c, d = (high_x, y + rise, high_z), (high_x, y + rise, low_z)
    return np.array([(a, b, c), (a, c, d)], dtype=float)


def mesh(*pieces):
    """Of (triangles, island)."""
    corners = np.concatenate([triangles for triangles, _ in pieces])
    islands = np.concatenate([np.full(len(triangles), island, dtype=np.int32) for triangles, island in pieces])
    return Navmesh(corners, islands)


def test_storeys_are_the_heights_with_most_floor():
    house = mesh(
        (rectangle(0, 0, 8, 5, 0.1), 3),
        (rectangle(8, 0, 9, 5, 0.2), 3),  # a step
        (rectangle(2, 2, 3.5, 3, 0.85), 0),  # the top of a table
        (rectangle(9, 2, 13, 3, 0.1, rise=2.9), 3),  # stairs
        (rectangle(0, 0, 8, 4, 3.0), 3),
        (rectangle(0, 0, 2, 1.5, 5.7), 1),  # a loft too small to be a storey
    )
    assert [storey.floor_m for storey in house.storeys] == pytest.approx([0.1, 3.0])
    assert house.storeys[0].bounds_m == pytest.approx((-0.5, -0.5, 9.5, 5.5))
    assert [house.storey_below(height_m) for height_m in (-1.0, 0.0, 1.4, 2.7, 2.9, 4.2)] == [0, 0, 0, 0, 1, 1]


def test_islands_are_numbered_by_their_area():
    house = mesh((rectangle(0, 0, 1, 1, 0.0), 0), (rectangle(2, 0, 4, 1, 0.0), 1), (rectangle(5, 0, 9, 9, 0.0), 2))
    assert [house.island(number) for number in (0, 1, 2, -1)] == [2, 1, 0, -1]


def test_points_are_spread_evenly_over_what_was_asked_for():
    house = mesh((rectangle(0, 0, 3, 1, 0.0), 0), (rectangle(3, 0, 4, 1, 0.0), 0), (rectangle(6, 0, 6.5, 1, 0.0), 1))
    rng = np.random.default_rng(0)
    points = np.array([house.draw(rng, None, None) for _ in range(600)])
    assert (points[:, 0] <= 4.0).all(), "the largest island alone"
    shares = np.histogram(points[:, 0], bins=4, range=(0, 4))[0] / 600
    assert np.abs(shares - 0.25).max() < 0.07
    corner = np.array([house.draw(rng, (0.0, 0.0, 0.2, 0.3), None) for _ in range(50)])
    assert (corner[:, [0, 2]] <= (0.2, 0.3)).all()
    other = house.draw(rng, (5.0, 0.0, 7.0, 1.0), None)
    assert other is not None
    assert other[0] >= 6.0, "the island that is there"
    assert house.draw(rng, (20.0, 0.0, 21.0, 1.0), None) is None
    assert house.draw(rng, None, (1.0, 2.0)) is None


@given(st.floats(-3, 8), st.floats(-2, 3), st.floats(-3, 4))
@settings(max_examples=60, deadline=None)
def test_the_nearest_point_is_nearer_than_any_on_a_fine_grid(x, y, z):
    house = mesh((rectangle(0, 0, 3, 1, 0.0), 0), (rectangle(3, 0, 5, 1, 0.0, rise=1.5), 0))
    point = np.array([x, y, z])
    nearest = house.nearest_m(point)
    assert nearest is not None
    u, v = np.meshgrid(np.linspace(0, 5, 401), np.linspace(0, 1, 81))
    grid = np.stack([u, np.maximum(u - 3, 0) * 0.75, v], axis=-1).reshape(-1, 3)
    best = np.linalg.norm(grid - point, axis=1).min()
    found = np.linalg.norm(nearest - point)
    assert found <= best + 1e-9
    assert found >= best - 0.02


def test_an_empty_mesh():
    nothing = Navmesh(np.zeros((0, 3, 3)), np.zeros(0, dtype=np.int32))
    assert nothing.storeys == ()
    assert nothing.nearest_m(np.zeros(3)) is None
    assert nothing.draw(np.random.default_rng(0), None, None) is None
