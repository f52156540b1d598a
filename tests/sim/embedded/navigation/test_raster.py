"""Triangles on a grid: no touched cell is missed, heights within a cell are right, rectangles are no special case."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backsight.sim.embedded.navigation.raster import Grid, cells_under_centres, touched_cells

GRID = Grid(np.array([-0.3, 0.2]), 0.05, 23, 31)


def sampled(triangle, count, rng):
    """Cells hit by random points of a triangle, with the heights of the points."""
    points = rng.dirichlet(np.ones(3), count) @ triangle
    cells = GRID.cells_of(points[:, [0, 2]])
    return cells[cells >= 0], points[cells >= 0, 1]


def random_triangle(rng):
    triangle = rng.uniform([-0.5, -0.5, 0.0], [1.5, 2.0, 1.6], (3, 3))
    if rng.random() < 0.3:
        triangle[2, [0, 2]] = triangle[0, [0, 2]]
    return triangle


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@example(seed=87708869)  # A triangle under two cells wide and more than a metre high.
def test_no_cell_is_missed_and_heights_are_those_within_the_cell(seed):
    rng = np.random.default_rng(seed)
    triangle = random_triangle(rng)
    touches = touched_cells(triangle[None], GRID)
    assert len(np.unique(touches.cell)) == len(touches.cell)
    cells, heights = sampled(triangle, 40_000, rng)
    assert set(cells.tolist()) <= set(touches.cell.tolist())
    low, high = np.full(GRID.rows * GRID.columns, np.inf), np.full(GRID.rows * GRID.columns, -np.inf)
    low[touches.cell], high[touches.cell] = touches.low_m, touches.high_m
    assert (heights >= low[cells] - 1e-5).all()
    assert (heights <= high[cells] + 1e-5).all()
    lowest, highest = np.full(low.shape, np.inf), np.full(low.shape, -np.inf)
    np.minimum.at(lowest, cells, heights)
    np.maximum.at(highest, cells, heights)
    often = np.bincount(cells, minlength=len(low)) > 60
    if np.ptp(triangle[:, [0, 2]], axis=0).max() <= 2 * GRID.cell_m:
        # So narrow a triangle is taken to fill its whole height in every cell.
        assert (touches.low_m == triangle[:, 1].min()).all()
        assert (touches.high_m == triangle[:, 1].max()).all()
    elif often.any():
        slack = 0.15 * np.maximum(high[often] - low[often], 0.02)
        assert (np.abs(low[often] - lowest[often]) < slack).mean() > 0.9
        assert (np.abs(high[often] - highest[often]) < slack).mean() > 0.9


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_centres_under_a_triangle_get_its_height(seed):
    rng = np.random.default_rng(seed)
    a, b, c = triangle = rng.uniform([-0.5, -0.5, 0.0], [1.5, 2.0, 1.6], (3, 3))
    cells, heights = cells_under_centres(triangle[None], GRID)
    centres = GRID.centres_m(np.arange(GRID.rows * GRID.columns))
    plane = np.stack([b - a, c - a], axis=1)
    share = np.linalg.solve(plane[[0, 2]], (centres - a[[0, 2]]).T).T
    margin = np.minimum(share.min(axis=1), 1.0 - share.sum(axis=1))
    assert set(np.flatnonzero(margin > 1e-6).tolist()) <= set(cells.tolist())
    assert (margin[cells] > -1e-3).all()
    np.testing.assert_allclose(heights, a[1] + share[cells] @ plane[1], atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_two_halves_of_a_rectangle_count_as_the_same_triangles_apart(axis):
    rng = np.random.default_rng(axis)
    others = [other for other in range(3) if other != axis]
    low, high = np.array([-0.13, 0.3, 0.37]), np.array([0.91, 1.4, 1.02])
    corners = np.tile(low, (4, 1))
    corners[[1, 2], others[0]] = high[others[0]]
    corners[[2, 3], others[1]] = high[others[1]]
    halves = corners[[(0, 1, 2), (0, 2, 3)]]
    stranger = random_triangle(rng)[None]
    together = touched_cells(np.concatenate([halves, stranger]), GRID)
    apart = touched_cells(np.concatenate([halves[:1], stranger, halves[1:]]), GRID)
    for strange_one, strange_two in ((2, 1),):
        one, two = together.face != strange_one, apart.face != strange_two
        assert set(together.cell[one].tolist()) == set(apart.cell[two].tolist())
        for cell in np.unique(together.cell[one]):
            ranges = [
                (
                    touches.low_m[chosen & (touches.cell == cell)].min(),
                    touches.high_m[chosen & (touches.cell == cell)].max(),
                )
                for touches, chosen in ((together, one), (apart, two))
            ]
            np.testing.assert_allclose(ranges[0], ranges[1], atol=1e-6)
    if axis == 1:
        found = [
            np.unique(cells_under_centres(faces, GRID)[0]) for faces in (halves, halves[::-1, ::-1], halves[[0, 0, 1]])
        ]
        assert found[0].tolist() == found[1].tolist() == found[2].tolist()
        assert len(found[0]) == 21 * 13


def test_one_triangle_twice_is_no_rectangle():
    triangle = np.array([[(0.0, 0.5, 0.3), (1.0, 0.5, 0.3), (0.0, 0.5, 1.3)]])
    once, twice = (set(touched_cells(np.repeat(triangle, n, axis=0), GRID).cell.tolist()) for n in (1, 2))
    assert once == twice
    assert len(once) < 300 < 21 * 21
