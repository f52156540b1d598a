"""Several floors: stairs walked up and down, what belongs to which storey, and what is no floor."""

from dataclasses import replace

import numpy as np
import pytest

from backsight.records.errors import UsageError
from backsight.sim.embedded.navigation import GridNavigation

RADIUS_M = 0.2


@pytest.fixture(scope="module")
def tower(bare, maker_class):
    return bare.stair_tower(maker_class())


@pytest.fixture(scope="module")
def navigation(tower):
    return GridNavigation(tower)


def unrolled(bare, points_m):
    """Lay the floors and the ramp through the middles of the treads flat: its straight lines are the shortest ways."""
    begin, end = bare.foot_m - bare.tread_m / 2, bare.top_m + bare.tread_m / 2
    stretch = np.hypot(end - begin, bare.rise_m) / (end - begin)
    x = points_m[:, 0]
    on_ramp = np.clip(x - begin, 0.0, end - begin)
    return np.stack([x + on_ramp * (stretch - 1.0), points_m[:, 2]], axis=1)


def exact_length_m(bare, exact, start, goal):
    """Over the stairs, which are a corridor, and through the doorway in the wall above."""
    low_z, high_z = bare.stairs_z
    wall_x = bare.top_m + 1.8
    walls = [
        (bare.foot_m, -0.1, bare.top_m, low_z),
        (bare.foot_m, high_z, bare.top_m, 3.1),
        (wall_x, bare.gap_z[1], wall_x + 0.1, 3.1),
    ]
    polygons = []
    for x0, z0, x1, z1 in walls:
        corners = np.array([(x0, 0.0, z0), (x1, 0.0, z0), (x1, 0.0, z1), (x0, 0.0, z1)])
        polygons.append(exact.grown_box(unrolled(bare, corners), RADIUS_M))
    ends = unrolled(bare, np.stack([start, goal]))
    bounds = np.array([-3.0 + RADIUS_M, RADIUS_M, 20.0, 3.0 - RADIUS_M])
    return exact.shortest_lengths_m(ends[0], ends[1:], polygons, bounds)[0]


def test_a_walk_up_the_stairs_to_a_room_and_back_has_the_exact_length(bare, exact, navigation):
    rng = np.random.default_rng(1)
    for _ in range(6):
        start, goal = navigation.random_point(rng, room_id=1), navigation.random_point(rng, room_id=2)
        expected_m = exact_length_m(bare, exact, start, goal)
        for one, two in ((start, goal), (goal, start)):
            route = navigation.shortest_path(one, two)
            assert route is not None
            np.testing.assert_allclose(route.points_m[[0, -1]], [one, two], atol=1e-9)
            assert route.length_m == pytest.approx(expected_m, rel=0.01)
            steps = np.linalg.norm(np.diff(route.points_m, axis=0), axis=1)
            assert route.length_m == pytest.approx(steps.sum())
            assert all(navigation.is_navigable(point) for point in route.points_m)
            distance_m = navigation.geodesic_distances_m(one, two[None])[0]
            assert route.length_m * 0.998 <= distance_m < expected_m * 1.02
            roomy = navigation.shortest_path(one, two, roomy=True)
            assert roomy is not None
            assert route.length_m * 0.9995 < roomy.length_m < route.length_m * 1.3


def test_points_of_a_route_rise_with_the_stairs(bare, navigation):
    route = navigation.shortest_path(bare.at(0.0, 1.5), bare.at(bare.top_m + 1.0, 1.5, bare.rise_m))
    assert route is not None
    x, y = route.points_m[:, 0], route.points_m[:, 1]
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) > -1e-9).all()
    on_stairs = (x > bare.foot_m + 0.3) & (x < bare.top_m - 0.3)
    ramp = (x - bare.foot_m + bare.tread_m / 2) * bare.riser_m / bare.tread_m
    assert on_stairs.sum() > 20
    assert np.abs(y - ramp)[on_stairs].max() < 0.02


def test_storeys_and_their_maps(bare, navigation):
    assert navigation.floors_m == pytest.approx((0.0, bare.rise_m))
    for floor, (low_x, high_x) in enumerate(((-3.0, bare.foot_m), (bare.top_m, bare.upper_end_m))):
        free, corner_m, cell_m = navigation.top_down_map(floor)
        _, columns = np.nonzero(free)
        x = corner_m[0] + (columns + 0.5) * cell_m
        on_floor = (x > low_x) & (x < high_x)
        assert on_floor.mean() > 0.75
        # Half of the stairs belongs to either storey.
        middle = (bare.foot_m + bare.top_m) / 2
        assert ((x < middle + 0.2) if floor == 0 else (x > middle - 0.2)).all()
    with pytest.raises(UsageError, match="no storey 2"):
        navigation.top_down_map(2)


def test_random_points_keep_to_a_storey_or_a_room(bare, navigation):
    rng = np.random.default_rng(3)
    for floor in (0, 1):
        heights = np.array([navigation.random_point(rng, floor=floor)[1] for _ in range(120)])
        # The middle of the stairs is as near to one floor as to the other.
        on_it = heights <= bare.rise_m / 2 + 1e-6 if floor == 0 else heights >= bare.rise_m / 2 - 1e-6
        assert on_it.all()
        heights = np.array([navigation.random_point(rng, room_id=floor + 1)[1] for _ in range(60)])
        assert np.abs(heights - floor * bare.rise_m).max() < 0.3
    with pytest.raises(UsageError, match="no storey 5"):
        navigation.random_point(rng, floor=5)
    with pytest.raises(UsageError, match="room 2 and storey 0"):
        navigation.random_point(rng, room_id=2, floor=0)


def test_snap_goes_to_the_storey_below_the_point(bare, navigation):
    above_floor = bare.at(-1.0, 1.5, 1.25)
    np.testing.assert_allclose(navigation.snap(above_floor), bare.at(-1.0, 1.5))
    upstairs = bare.at(bare.top_m + 1.0, 1.5, bare.rise_m + 1.25)
    np.testing.assert_allclose(navigation.snap(upstairs), bare.at(bare.top_m + 1.0, 1.5, bare.rise_m))
    # Beside the tower's upper floor lies the open air above the lower one: the nearest place upstairs is taken.
    over_the_hall = navigation.snap(bare.at(0.0, 1.5, bare.rise_m + 0.1))
    assert over_the_hall[1] > bare.rise_m * 0.45
    tread = navigation.snap(bare.at(bare.foot_m + 4.5 * bare.tread_m, 1.5, 5 * bare.riser_m + 1.25))
    assert tread[1] == pytest.approx(5 * bare.riser_m)


def test_a_point_counts_by_the_floor_within_half_a_metre(bare, navigation):
    here = bare.at(-1.0, 1.5)
    assert [navigation.is_navigable(here + bare.at(0, 0, y)) for y in (-0.6, -0.4, 0.4, 0.6, 1.25, 2.8)] == [
        False, True, True, False, False, False,
    ]  # fmt: skip
    stair = bare.at(bare.foot_m + 4.5 * bare.tread_m, 1.55, 5 * bare.riser_m)
    assert navigation.is_navigable(stair)
    assert not navigation.is_navigable(stair * np.array([1.0, 0.0, 1.0]))
    assert navigation.island(stair) == 0


def test_clearance_on_stairs_is_that_of_the_walls_beside_them(bare, navigation):
    low_z, high_z = bare.stairs_z
    for number in (1, 3, 6, 8, 9, 11, 14):
        for z in (low_z + 0.3, (low_z + high_z) / 2, high_z - 0.25):
            # Given on the tread, on the ramp through the treads, and from a camera above it.
            x = bare.foot_m + (number - 0.4) * bare.tread_m
            for y in (0.0, 0.04, 1.25):
                if number * bare.riser_m + y > bare.rise_m - 0.25:
                    continue  # That is the height of the upper storey, whose floor ends at the stairs.
                measured = navigation.clearance_m(bare.at(x, z, number * bare.riser_m + y)[None])[0]
                assert measured == pytest.approx(min(z - low_z, high_z - z), abs=0.01), (number, z, y)


def test_the_storey_above_an_opening_has_no_floor_there(bare, navigation):
    over_the_stairs = bare.at(bare.foot_m + 3 * bare.tread_m, 1.5, bare.rise_m)
    assert navigation.clearance_m(over_the_stairs[None])[0] == 0.0
    assert not navigation.is_navigable(over_the_stairs)


def test_steps_that_are_too_high_are_not_climbed(bare, maker_class):
    steep = bare.stair_tower(maker_class(), riser_m=0.215)
    start, goal = bare.at(0.0, 1.5), bare.at(bare.top_m + 1.0, 1.5, 0.215 * bare.risers)
    careful, strong = GridNavigation(steep), GridNavigation(steep, step_m=0.22)
    assert careful.is_navigable(goal)
    assert careful.shortest_path(start, goal) is None
    assert np.isinf(careful.geodesic_distances_m(start, goal[None])[0])
    assert careful.island(start) != careful.island(goal)
    assert strong.shortest_path(start, goal) is not None


def test_stairs_narrower_than_the_agent_are_not_walked(bare, tower):
    start, goal = bare.at(0.0, 1.5), bare.at(bare.top_m + 1.0, 1.5, bare.rise_m)
    assert GridNavigation(tower, agent_radius_m=0.53).shortest_path(start, goal) is not None
    assert GridNavigation(tower, agent_radius_m=0.57).shortest_path(start, goal) is None


def test_an_agent_taller_than_the_room_has_no_place(bare, maker_class):
    maker = maker_class()
    bare.slab(maker, "ceiling", (0, 0, 6.0, 4.0), 1.7, up=False)
    low = bare.hall(maker)
    assert GridNavigation(low, agent_height_m=1.65).is_navigable(bare.at(2.0, 2.0))
    with pytest.raises(UsageError, match="no place"):
        GridNavigation(low, agent_height_m=1.75)


def test_a_scene_without_labels_is_walked_alike(bare, tower, navigation):
    soup = replace(tower, objects=(), face_instance=np.ones_like(tower.face_instance))
    unlabelled = GridNavigation(soup)
    assert unlabelled.floors_m == pytest.approx(navigation.floors_m)
    start, goal = bare.at(-2.0, 0.7), bare.at(bare.upper_end_m - 0.5, 2.5, bare.rise_m)
    routes = [each.shortest_path(start, goal) for each in (unlabelled, navigation)]
    assert routes[0] is not None
    assert routes[1] is not None
    assert routes[0].length_m == pytest.approx(routes[1].length_m, rel=1e-3)


def test_tops_of_things_and_roofs_are_no_floor_even_without_labels(bare, maker_class):
    maker = maker_class()
    bare.block(maker, (-0.1, 2.6, -0.1), (6.1, 2.9, 4.1), "object")
    house = bare.hall(maker, pieces=[((1.0, 0.0, 1.0), (3.2, 0.5, 2.8), 0.0)], category="object")
    house = replace(house, objects=tuple(replace_category(thing) for thing in house.objects))
    navigation = GridNavigation(house)
    assert navigation.floors_m == (0.0,)
    assert not navigation.is_navigable(bare.at(2.0, 2.0, 0.5))
    assert navigation.clearance_m(bare.at(2.0, 2.0)[None])[0] == 0.0
    assert not navigation.is_navigable(bare.at(3.0, 2.0, 2.9))


def replace_category(thing):
    return type(thing)(thing.instance_id, "object", thing.room_id, thing.box)


def test_furniture_is_never_stepped_on_but_low_platforms_are(bare, maker_class):
    low_box = ((2.0, 0.0, 1.0), (4.0, 0.17, 3.0), 0.0)
    crate, platform = (GridNavigation(bare.hall(maker_class(), pieces=[low_box], category=c)) for c in ("box", "floor"))
    middle = bare.at(3.0, 2.0)
    assert not crate.is_navigable(middle)
    assert platform.is_navigable(middle)
    assert platform.snap(middle + bare.at(0, 0, 1.0))[1] == pytest.approx(0.17)


def test_nobody_walks_off_a_gallery(bare, maker_class):
    """A floor 1.2 m up without stairs, over one half of the hall: its edge keeps the agent's radius away."""
    maker = maker_class()
    bare.block(maker, (3.0, 0.0, 0.0), (6.0, 1.2, 4.0), "floor")
    navigation = GridNavigation(bare.hall(maker))
    below, above = bare.at(1.0, 2.0), bare.at(5.0, 2.0, 1.2)
    assert navigation.shortest_path(below, above) is None
    assert not navigation.is_navigable(bare.at(3.1, 2.0, 1.2))
    assert not navigation.is_navigable(bare.at(2.9, 2.0))
    assert navigation.is_navigable(bare.at(2.75, 2.0))
