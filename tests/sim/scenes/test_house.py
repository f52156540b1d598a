"""Two-storey houses: plan, stairs, opening with its guard, labels and closedness."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.vocabulary import ROOM_TYPES
from backsight.sim.embedded.navigation import GridNavigation
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.scenes.floor_plan import door_span_m, wall_point_m
from backsight.sim.embedded.scenes.house_plan import make_house_plan
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import SceneId

PLANS = range(120)
SEEDS = range(8)
AGENT_M = 1.9
"""Nobody below this height hits their head on the stairs."""


def plan_of(seed):
    return make_house_plan(np.random.default_rng([seed, 71]))


@pytest.fixture(scope="module")
def houses():
    return [build_scene(SceneId("two_storey_house", seed)) for seed in SEEDS]


@pytest.fixture(scope="module")
def plans():
    return [plan_of(seed) for seed in PLANS]


def storeys(rooms):
    floors = sorted({room.floor_m for room in rooms})
    return [[room for room in rooms if room.floor_m == floor] for floor in floors]


def overlap_m(a, b):
    return min(a[2] - b[0], b[2] - a[0], a[3] - b[1], b[3] - a[1])


def test_two_storeys_of_three_to_five_rooms_a_wall_apart(plans):
    sizes = Counter()
    for plan in plans:
        lower, upper = storeys(plan.rooms)
        sizes[len(lower), len(upper), plan.stairs.has_landing] += 1
        assert lower[0].height_m + 0.2 < upper[0].floor_m
        for rooms in (lower, upper):
            assert 3 <= len(rooms) <= 5
            for a, b in itertools.combinations(rooms, 2):
                assert overlap_m(a.rect, b.rect) < -0.099
        bounds = np.array([room.rect for room in lower])
        for room in upper:
            assert (np.array(room.rect[:2]) > bounds[:, :2].min(axis=0) - 1e-6).all()
            assert (np.array(room.rect[2:]) < bounds[:, 2:].max(axis=0) + 1e-6).all()
        assert [room.room_id for room in plan.rooms] == list(range(1, len(plan.rooms) + 1))
        assert {room.room_type for room in plan.rooms} <= set(ROOM_TYPES)
    assert len(sizes) > 8
    assert {turns for _, _, turns in sizes} == {False, True}
    # Every turn and mirror image of the plan occurs.
    assert len({(plan.stairs.frame.along, plan.stairs.frame.across) for plan in plans}) == 8


def test_all_rooms_of_a_storey_hang_together_through_doors(plans):
    for plan in plans:
        for rooms in storeys(plan.rooms):
            ids = {room.room_id for room in rooms}
            reached = {rooms[0].room_id}
            for _ in rooms:
                reached |= {b for a, b in plan.doors if a in reached} | {a for a, b in plan.doors if b in reached}
            assert reached == ids


def test_steps_can_be_climbed_and_end_at_the_upper_floor(plans):
    for plan in plans:
        stairs = plan.stairs
        assert stairs.riser_m <= 0.19
        assert stairs.tread_m >= 0.25
        assert stairs.width_m >= 0.9 + 0.06
        tops = [step.top_m for step in stairs.steps()]
        np.testing.assert_allclose(np.diff([0.0, *tops, stairs.rise_m]), stairs.riser_m)
        assert stairs.rise_m == pytest.approx(plan.rooms[-1].floor_m)


def test_nobody_hits_the_head_on_the_ceiling_above_a_step(plans):
    for plan in plans:
        stairs, hall = plan.stairs, plan.rooms[0]
        for step in stairs.steps():
            rect = stairs.frame.rect(step.low_m, step.high_m)
            below_ceiling = overlap_m(rect, rect) - max(overlap_m(rect, stairs.opening), 0.0) > 1e-6
            assert not below_ceiling or hall.height_m - step.top_m > AGENT_M
            assert overlap_m(rect, hall.rect) > 0.2
            assert min(rect[0] - hall.rect[0], rect[1] - hall.rect[1]) > -1e-6
            assert min(hall.rect[2] - rect[2], hall.rect[3] - rect[3]) > -1e-6


def test_no_door_or_window_is_crossed_by_the_stairs_or_opens_into_the_opening(plans):
    for plan in plans:
        for room, taken in ((plan.rooms[0], plan.stairs.footprint), (storeys(plan.rooms)[1][0], plan.stairs.opening)):
            for side in range(4):
                openings = [door_span_m(door) for door in room.doors[side]]
                if room.floor_m == 0.0:
                    openings += [(w.centre_m - w.width_m / 2, w.centre_m + w.width_m / 2) for w in room.windows[side]]
                for start, end in openings:
                    ends = [wall_point_m(room.rect, side, along, out) for along in (start, end) for out in (0.0, 0.1)]
                    xs, zs = zip(*ends, strict=True)
                    assert overlap_m((min(xs), min(zs), max(xs), max(zs)), taken) < 1e-6


def test_doors_windows_and_stairs_are_labelled_on_both_storeys(houses):
    for house in houses:
        rooms = {room.room_id: room for room in house.rooms}
        seen = Counter()
        for thing in house.objects:
            room = rooms[thing.room_id]
            seen[thing.category, room.floor_m > 0] += 1
            if thing.category in ("door", "window"):
                bottom = thing.box.centre_m[1] - thing.box.size_m[1] / 2
                assert room.floor_m - 0.01 <= bottom < room.floor_m + room.height_m
        for upper in (False, True):
            count = sum((room.floor_m > 0) == upper for room in rooms.values())
            # Two halves of each door between rooms, and the shut front door.
            assert seen["door", upper] == 2 * (count - 1) + (not upper)
            assert seen["window", upper] >= 2
            assert seen["stairs", upper] == 1
            assert seen["floor", upper] == count
            # The fittings of lamps are parts of the ceiling too.
            assert seen["ceiling", upper] >= 2 * count
            assert seen["wall", upper] == 4 * count


def test_no_lamp_hangs_in_the_opening(houses):
    for house in houses:
        guard = [thing for thing in house.objects if thing.category == "stairs"][1]
        corners = guard.box.corners_m()[:, [0, 2]]
        taken = (*corners.min(axis=0), *corners.max(axis=0))
        hall = house.rooms[0].room_id
        for lamp in house.lights:
            x, _, z = lamp.position_m
            assert lamp.room_id != hall or overlap_m((x, z, x, z), taken) < 0.0


def test_furniture_keeps_off_the_stairs_and_their_opening(houses):
    for house in houses:
        flight, guard = (thing for thing in house.objects if thing.category == "stairs")
        lower, upper = storeys(house.rooms)
        for thing in house.objects:
            if thing.is_structure:
                continue
            corners = thing.box.corners_m()
            footprint = (*corners[:, [0, 2]].min(axis=0), *corners[:, [0, 2]].max(axis=0))
            room = next(room for room in house.rooms if room.room_id == thing.room_id)
            assert corners[:, 1].min() > room.floor_m - 0.01
            assert corners[:, 1].max() < room.floor_m + room.height_m + 1e-3
            for stairs, hall in ((flight, lower[0]), (guard, upper[0])):
                on_wall = thing.category in ("picture", "mirror", "clock") or corners[:, 1].min() > room.floor_m + 0.5
                if thing.room_id == hall.room_id and not on_wall:
                    taken = stairs.box.corners_m()[:, [0, 2]]
                    assert overlap_m(footprint, (*taken.min(axis=0), *taken.max(axis=0))) < 0.06, (thing, stairs)


@pytest.mark.parametrize("seed", [1, 3, 5, 13])
def test_every_room_is_walked_to_over_the_stairs(seed):
    house = build_scene(SceneId("two_storey_house", seed))
    navigation, rng = GridNavigation(house), np.random.default_rng(seed)
    assert navigation.floors_m == pytest.approx(sorted({room.floor_m for room in house.rooms}), abs=0.01)
    for room in house.rooms:
        point = navigation.random_point(rng, room.room_id)
        assert navigation.island(point) == 0, room
        assert navigation.shortest_path(navigation.random_point(rng, house.rooms[0].room_id), point) is not None


def test_no_ray_leaves_the_house_nor_slips_through_the_opening(houses):
    # One with a half landing, one open and one solid straight flight.
    for seed in (0, 1, 7):
        house, places = houses[seed], []
        for room in house.rooms:
            x0, z0, x1, z1 = room.bounds_m
            for height in (0.3, 1.25, 2.3):
                at = (x0 + 0.47 * (x1 - x0), room.floor_m + height, z0 + 0.53 * (z1 - z0))
                places.append(np.array(at))
        guard = [thing for thing in house.objects if thing.category == "stairs"][1]
        x, _, z = guard.box.centre_m
        places += [np.array([x, y, z]) for y in np.linspace(house.rooms[0].height_m - 0.1, guard.box.centre_m[1], 7)]
        turns = [(k * math.pi / 2, 0.0) for k in range(4)] + [(0.0, 1.57), (0.0, -1.57)]
        poses = np.stack([look_pose(at, yaw, pitch) for at in places for yaw, pitch in turns])
        seen = Renderer(house).render(poses, intrinsics_from_hfov(53, 53, 92.0), 53, 53)
        assert (seen.depth_m > 0).all(), seed
        assert (seen.instance_ids > 0).all(), seed
