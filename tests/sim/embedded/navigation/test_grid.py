from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.sim.embedded.navigation import GridNavigation
from backsight.sim.embedded.packed import Material, RoomLight


@pytest.fixture(scope="module")
def navigation(flat):
    return GridNavigation(flat)


def at(x, z, y=0.0):
    return np.array([x, y, z], dtype=float)


def hall(maker, extent=(6.0, 4.0), pieces=()):
    """One room with walls, and boxes given as (low, high, yaw)."""
    x, z = extent
    room = Room(1, "hallway", (0.0, 0.0, x, z))
    floor = maker.add_object("floor", 1)
    maker.quad([(0, 0, z), (x, 0, z), (x, 0, 0), (0, 0, 0)], (0, 1, 0), 0, floor, 1)
    sides = (((-0.1, -0.1), (0, z + 0.1)), ((x, -0.1), (x + 0.1, z + 0.1)), ((0, -0.1), (x, 0)), ((0, z), (x, z + 0.1)))
    for low, high in sides:
        number = maker.add_object("wall", 1)
        maker.box((low[0], 0.0, low[1]), (high[0], 2.6, high[1]), 0, number, 1)
    for low, high, yaw_rad in pieces:
        number = maker.add_object("box", 1)
        maker.box(low, high, 0, number, 1, yaw_rad)
    return maker.scene((Material((0.5, 0.5, 0.5)),), (), (RoomLight(1, (1.0, 2.4, 1.0), (1.0, 1.0, 1.0)),), (room,))


def walked(points_m, step_m=0.01):
    """Points along a route, every centimetre."""
    pieces = []
    for start, end in pairwise(points_m):
        count = max(2, int(np.linalg.norm(end - start) / step_m))
        pieces.append(start + (end - start) * np.linspace(0, 1, count)[:, None])
    return np.concatenate(pieces)


def test_a_straight_walk_in_the_open_has_the_length_of_the_straight_line(maker):
    navigation = GridNavigation(hall(maker))
    start, goal = at(0.83, 0.91), at(5.07, 3.02)
    route = navigation.shortest_path(start, goal)
    assert route is not None
    assert route.length_m == pytest.approx(np.linalg.norm(goal - start), rel=1e-9)
    np.testing.assert_allclose(route.points_m, [start, goal])


def test_a_route_through_the_door_has_the_length_worked_out_by_hand(navigation):
    """Both ends lie 0.5 m beside and below the wall's end: tangents and arcs of 0.2 m round its two corners."""
    start, goal = at(3.5, 0.5), at(4.6, 0.5)
    route = navigation.shortest_path(start, goal)
    assert route is not None
    tangent_m = np.sqrt(0.5**2 + 0.5**2 - 0.2**2)
    arc_m = 0.2 * (np.pi / 4 + np.arcsin(0.2 / np.hypot(0.5, 0.5)))
    taut_m = 2 * (tangent_m + arc_m) + 0.1
    assert route.length_m == pytest.approx(taut_m, rel=0.003)
    assert route.points_m[:, 2].max() == pytest.approx(1.2, abs=0.003)
    assert navigation.geodesic_distances_m(start, goal[None])[0] == pytest.approx(taut_m, rel=0.014)
    roomy = navigation.shortest_path(start, goal, roomy=True)
    assert roomy is not None
    # That one may give a seventh for keeping away from the posts.
    assert taut_m * 1.01 < roomy.length_m < taut_m * 8 / 7


def test_a_route_within_one_cell_is_the_straight_line(navigation):
    start, goal = at(1.002, 2.0), at(1.011, 2.006)
    route = navigation.shortest_path(start, goal)
    assert route is not None
    np.testing.assert_allclose(route.points_m, [start, goal])
    assert route.length_m == pytest.approx(np.hypot(0.009, 0.006))


def test_every_bit_of_a_route_is_navigable_and_its_ends_are_the_ones_asked_for(navigation):
    rng = np.random.default_rng(11)
    for number in range(20):
        start, goal = navigation.random_point(rng), navigation.random_point(rng)
        route = navigation.shortest_path(start, goal, roomy=number % 2 == 0)
        assert route is not None
        np.testing.assert_allclose(route.points_m[[0, -1]], [start, goal])
        assert all(navigation.is_navigable(point) for point in walked(route.points_m, 0.03))
        length_m = np.linalg.norm(np.diff(route.points_m, axis=0), axis=1).sum()
        assert route.length_m == pytest.approx(length_m)
        assert route.length_m >= np.linalg.norm(goal - start) - 1e-9


def test_a_roomy_route_keeps_clear_of_a_block_where_there_is_space(maker):
    """A block beside the straight line: the way round it keeps more than the bare agent radius."""
    scene = hall(maker, pieces=[((2.5, 0.0, 0.6), (3.5, 1.0, 2.1), 0.0)])
    navigation = GridNavigation(scene)
    route = navigation.shortest_path(at(1.0, 2.0), at(5.0, 2.0), roomy=True)
    assert route is not None
    beside = np.array([p for p in walked(route.points_m) if 2.5 <= p[0] <= 3.5])
    assert navigation.clearance_m(beside).min() > 0.25
    assert route.length_m < 4.3


def test_clearance_is_the_distance_to_the_nearest_surface_within_a_cell(navigation):
    points = np.array([at(0.7, 2.0), at(4.05, 1.45), at(3.0, 2.2), at(2.0, 1.6)])
    true_m = np.array([0.7, 0.45, 0.8, 0.6])
    measured_m = navigation.clearance_m(points)
    assert np.all(measured_m <= true_m + 1e-9)
    assert np.all(measured_m >= true_m - 0.051)


@pytest.mark.parametrize("yaw_rad", [0.0, 0.2, 0.35, 0.6, np.pi / 4, 1.1])
def test_clearance_beside_a_turned_box_is_right_to_a_centimetre_and_never_too_large(maker, yaw_rad):
    """A box of 1.6 m by 0.3 m about (3, 2), at any angle to the grid."""
    navigation = GridNavigation(hall(maker, pieces=[((2.2, 0.0, 1.85), (3.8, 1.0, 2.15), yaw_rad)]))
    along = np.array([np.cos(yaw_rad), 0.0, -np.sin(yaw_rad)])
    across = np.array([np.sin(yaw_rad), 0.0, np.cos(yaw_rad)])
    for away_m in (0.2, 0.26, 0.33):
        points = at(3.0, 2.0) + np.linspace(-0.7, 0.7, 29)[:, None] * along + (0.15 + away_m) * across
        error_m = navigation.clearance_m(points) - away_m
        assert error_m.min() > -0.01
        assert error_m.max() < 0.003


def test_clearance_is_zero_in_walls_in_furniture_and_outside(navigation):
    points = np.array([at(-0.05, 1.0), at(6.0, 2.2), at(2.0, 0.6), at(4.05, 0.5), at(-9.0, 50.0)])
    np.testing.assert_array_equal(navigation.clearance_m(points), 0.0)


def test_clearance_changes_smoothly_between_cells(navigation):
    points = np.stack([at(x, 2.0) for x in np.linspace(0.3, 1.3, 301)])
    steps = np.abs(np.diff(navigation.clearance_m(points)))
    assert steps.max() <= np.sqrt(2) / 300 + 1e-9


def test_a_room_without_a_door_cannot_be_reached(navigation):
    closed = at(1.0, 4.0)
    assert navigation.is_navigable(closed)
    for roomy in (False, True):
        assert navigation.shortest_path(at(0.5, 2.0), closed, roomy=roomy) is None
        assert navigation.shortest_path(closed, at(0.5, 2.0), roomy=roomy) is None
    goals = np.stack([closed, at(1.5, 4.2), at(6.9, 2.9), at(0.5, 2.0), at(2.0, 0.6)])
    np.testing.assert_array_equal(
        np.isfinite(navigation.geodesic_distances_m(closed, goals)), [True, True, False, False, False]
    )


def test_islands_are_numbered_by_size(navigation):
    assert navigation.island(at(0.5, 2.0)) == navigation.island(at(6.9, 1.5)) == 0
    assert navigation.island(at(1.0, 4.0)) == 1
    assert [navigation.island(at(x, 0.6)) for x in (2.0, -0.05, 44.0)] == [-1, -1, -1]


def test_random_points_without_a_room_lie_on_the_largest_island_and_a_closed_room_has_its_own(navigation):
    rng = np.random.default_rng(5)
    assert {navigation.island(navigation.random_point(rng)) for _ in range(200)} == {0}
    assert {navigation.island(navigation.random_point(rng, room_id=3)) for _ in range(50)} == {1}


def test_an_agent_too_wide_for_the_door_stays_in_the_larger_room(flat):
    navigation = GridNavigation(flat, agent_radius_m=0.5)
    assert navigation.shortest_path(at(0.8, 2.2), at(4.9, 0.8)) is None


def test_what_is_low_is_stepped_over_and_what_hangs_high_is_walked_under(maker):
    rug, lamp, shelf = (
        ((1.0, 0.0, 1.0), (2.0, 0.02, 2.0), 0.0),
        ((3.0, 1.9, 1.0), (3.6, 2.2, 1.6), 0.0),
        ((4.5, 1.2, 1.0), (5.0, 1.6, 1.6), 0.0),
    )
    navigation = GridNavigation(hall(maker, pieces=[rug, lamp, shelf]))
    assert navigation.is_navigable(at(1.5, 1.5))
    assert navigation.is_navigable(at(3.3, 1.3))
    assert not navigation.is_navigable(at(4.75, 1.3))


def test_the_inside_of_a_turned_hollow_box_is_not_walkable(maker):
    navigation = GridNavigation(hall(maker, pieces=[((2.0, 0.0, 1.0), (4.0, 1.0, 3.0), 0.7)]))
    assert not navigation.is_navigable(at(3.0, 2.0))
    assert navigation.clearance_m(at(3.0, 2.0)[None])[0] == 0.0


def test_random_points_are_navigable_and_spread_evenly_over_the_floor(navigation):
    rng = np.random.default_rng(2)
    points = np.stack([navigation.random_point(rng) for _ in range(2000)])
    assert all(navigation.is_navigable(point) for point in points[:300])
    free, corner_m, cell_m = navigation.top_down_map()
    free[int((3.05 - corner_m[1]) / cell_m) :] = False
    columns, rows = ((points[:, [0, 2]] - corner_m) / cell_m).astype(int).T
    middle = free.shape[1] // 2
    expected = free[:, :middle].sum() / free.sum()
    assert (columns < middle).mean() == pytest.approx(expected, abs=0.04)
    assert free[rows, columns].all()
    assert len(np.unique((points[:, 0] / cell_m) % 1.0)) > 1950


def test_random_points_of_a_room_lie_in_it(navigation):
    rng = np.random.default_rng(3)
    points = np.stack([navigation.random_point(rng, room_id=2) for _ in range(200)])
    assert points[:, 0].min() >= 4.05
    assert points[:, 0].max() < 7.1


def test_snap_leaves_good_points_alone_and_moves_others_the_shortest_way(navigation):
    good = at(0.77, 2.03, y=1.25)
    np.testing.assert_array_equal(navigation.snap(good), at(0.77, 2.03))
    for bad in (at(-3.0, 1.5), at(0.02, 2.0), at(1.0, 4.0)):
        snapped = navigation.snap(bad)
        assert navigation.is_navigable(snapped)
        free, corner_m, cell_m = navigation.top_down_map()
        rows, columns = np.nonzero(free)
        centres = corner_m + (np.stack([columns, rows], axis=1) + 0.5) * cell_m
        nearest = np.linalg.norm(centres - bad[[0, 2]], axis=1).min()
        assert np.linalg.norm(snapped[[0, 2]] - bad[[0, 2]]) == pytest.approx(nearest)


def test_the_map_has_rows_along_z_and_columns_along_x(navigation):
    free, corner_m, cell_m = navigation.top_down_map()
    assert free.shape[1] * cell_m == pytest.approx(7.1, abs=0.25)
    assert free.shape[0] * cell_m == pytest.approx(5.0, abs=0.25)
    row, column = ((np.array([2.0, 0.7]) - corner_m[::-1]) / cell_m).astype(int)
    assert free[row, column]


def test_a_shifted_scene_gives_shifted_answers(flat, navigation):
    offset = np.array([13.0, 0.0, -7.0])
    rooms = tuple(
        Room(r.room_id, r.room_type, (r.bounds_m[0] + 13, r.bounds_m[1] - 7, r.bounds_m[2] + 13, r.bounds_m[3] - 7))
        for r in flat.rooms
    )
    moved = GridNavigation(replace(flat, vertices_m=flat.vertices_m + offset.astype(np.float32), rooms=rooms))
    points = np.array([at(0.7, 2.0), at(4.05, 1.45), at(3.0, 2.2), at(5.0, 1.0)])
    np.testing.assert_allclose(moved.clearance_m(points + offset), navigation.clearance_m(points), atol=0.051)


def test_scenes_without_floor_or_space_are_refused(flat, maker):
    ceiling_only = replace(flat, faces=flat.faces[:, ::-1])
    with pytest.raises(UsageError, match="floor faces"):
        GridNavigation(ceiling_only)
    with pytest.raises(UsageError, match="no place"):
        GridNavigation(flat, agent_radius_m=3.0)
    with pytest.raises(UsageError, match="no room 9"):
        GridNavigation(flat).random_point(np.random.default_rng(0), room_id=9)
