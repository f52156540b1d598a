import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.sim.embedded.footprints import overlapped_cells

SHAPE = (23, 31)
CELL_M = 0.05


def cells_of(triangles, heights_m=(0.1, 1.4)):
    return overlapped_cells(np.asarray(triangles, dtype=float), heights_m, np.zeros(2), CELL_M, SHAPE)


def sampled(triangle, heights_m, count, rng):
    """Cells hit by random points of a triangle between two heights."""
    weights = rng.dirichlet(np.ones(3), count)
    points = weights @ triangle
    points = points[(points[:, 1] >= heights_m[0]) & (points[:, 1] <= heights_m[1])]
    columns, rows = np.floor(points[:, [0, 2]] / CELL_M).astype(int).T
    inside = (rows >= 0) & (rows < SHAPE[0]) & (columns >= 0) & (columns < SHAPE[1])
    hit = np.zeros(SHAPE, dtype=bool)
    hit[rows[inside], columns[inside]] = True
    return hit


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_cell_under_a_triangle_is_missed_and_none_far_from_it_is_taken(seed):
    rng = np.random.default_rng(seed)
    triangle = rng.uniform([-0.3, -0.5, -0.3], [1.9, 2.0, 1.5], (3, 3))
    found = cells_of([triangle])
    hit = sampled(triangle, (0.1, 1.4), 40_000, rng)
    assert not (hit & ~found).any()
    near = hit.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            near |= np.roll(hit, step, axis)
    extra = found & ~near
    # Random points miss slivers; a cell or two at sharp corners may remain.
    assert extra.sum() <= 3 + 0.02 * found.sum()


def test_a_wall_seen_edge_on_covers_one_line_of_cells():
    z = 0.525
    wall = [[(0.21, 0.0, z), (1.19, 0.0, z), (1.19, 2.6, z)], [(0.21, 0.0, z), (1.19, 2.6, z), (0.21, 2.6, z)]]
    expected = np.zeros(SHAPE, dtype=bool)
    expected[10, 4:24] = True
    np.testing.assert_array_equal(cells_of(wall), expected)


def test_only_the_part_between_the_heights_counts():
    """An upright triangle, 1 m wide at the floor and a point at 2 m: at 1.42 m it is still 0.29 m wide."""
    triangle = [[(0.0, 0.0, 0.525), (1.0, 0.0, 0.525), (0.5, 2.0, 0.525)]]
    np.testing.assert_array_equal(np.flatnonzero(cells_of(triangle, (1.42, 1.9))[10]), np.arange(7, 13))
    assert not cells_of(triangle, (2.1, 3.0)).any()


def test_many_triangles_are_the_union_of_each():
    rng = np.random.default_rng(4)
    triangles = rng.uniform([-0.3, -0.5, -0.3], [1.9, 2.0, 1.5], (50, 3, 3))
    union = np.zeros(SHAPE, dtype=bool)
    for triangle in triangles:
        union |= cells_of([triangle])
    np.testing.assert_array_equal(cells_of(triangles), union)
