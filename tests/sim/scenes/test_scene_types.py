"""Every scene type: furnished as its name says, walkable, closed, and different from seed to seed."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from scene_checks import (
    bottom_m,
    box_coordinates,
    carriers,
    clashes,
    fingerprint,
    free_floor,
    furniture,
    rests_on,
    top_m,
)
from scipy import ndimage

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.group_relations import between_triples
from backsight.geometry.poses import look_pose
from backsight.geometry.relations import relation_matrix
from backsight.records.vocabulary import CATEGORIES, COLOURS, ROOM_TYPES
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES, SceneId

SEEDS = (1, 2, 5)
CORE = {
    "living_room": {"sofa", "table"},
    "bedroom": {"bed", "wardrobe"},
    "kitchen": {"stove", "sink", "fridge", "cabinet"},
    "bathroom": {"toilet", "sink"},
    "dining_room": {"table", "chair"},
    "study": {"desk", "bookshelf", "chair"},
    "hallway": {"cabinet", "chair"},
    "open_plan_office": {"desk", "chair", "cabinet", "plant"},
    "meeting_room": {"table", "chair", "bin"},
    "classroom": {"table", "chair", "desk", "whiteboard", "bookshelf"},
    "library": {"bookshelf", "table", "chair", "lamp"},
    "shop": {"rack", "counter", "cash register", "shopping cart", "sign"},
    "warehouse": {"rack", "pallet", "box", "crate"},
    "gym": {"treadmill", "exercise bike", "rack", "locker"},
    "two_storey_house": {"stairs", "bed", "sofa", "stove", "toilet"},
    "flat": {"sofa", "bed", "picture"},
}
"""What no scene of a type goes without."""
MAIN_ROOM = {name: name.replace("_", " ") for name in SCENE_TYPES}


@pytest.fixture(scope="module")
def scenes(built_elsewhere) -> dict[tuple[str, int], PackedScene]:
    return {(name, seed): built_elsewhere[f"{name}-{seed}"] for name in SCENE_TYPES for seed in SEEDS}


def test_a_scene_holds_what_its_type_is_known_by(scenes):
    for (name, seed), scene in scenes.items():
        assert CORE[name] <= {thing.category for thing in scene.objects}, (name, seed)
        if name not in ("two_storey_house", "flat"):
            assert scene.rooms[0].room_type == MAIN_ROOM[name]
            assert len(scene.rooms) <= 2
        assert {room.room_type for room in scene.rooms} <= set(ROOM_TYPES)


def test_at_least_forty_categories_occur_and_all_are_in_the_vocabulary(scenes):
    seen = Counter(thing.category for scene in scenes.values() for thing in scene.objects)
    assert set(seen) <= set(CATEGORIES)
    assert len(seen) >= 60, sorted(set(CATEGORIES) - set(seen))
    # A category is not a curiosity of one type only.
    for scene in scenes.values():
        for thing in furniture(scene):
            assert thing.colour is None or thing.colour in COLOURS


def test_ids_are_dense_and_every_object_has_faces_and_a_room(scenes):
    for scene in scenes.values():
        ids = [thing.instance_id for thing in scene.objects]
        assert ids == list(range(1, len(ids) + 1))
        assert np.array_equal(np.unique(scene.face_instance), ids)
        rooms = {room.room_id for room in scene.rooms}
        assert {thing.room_id for thing in scene.objects} <= rooms
        assert {light.room_id for light in scene.lights} == rooms
        assert all(thing.supported_by is None or thing.supported_by in set(ids) for thing in scene.objects)


def test_no_material_or_texture_is_carried_along_unseen(scenes):
    for key, scene in scenes.items():
        assert np.array_equal(np.unique(scene.face_material), np.arange(len(scene.materials))), key
        textures = {material.texture for material in scene.materials} - {-1}
        assert textures == set(range(len(scene.textures))), key


def test_two_seeds_of_a_type_differ_in_layout(scenes):
    for name in SCENE_TYPES:
        layouts = []
        for seed in SEEDS:
            places = [(t.category, np.round(t.box.centre_m, 2).tolist()) for t in furniture(scenes[name, seed])]
            layouts.append({(category, *place) for category, place in places})
        for one, two in itertools.combinations(layouts, 2):
            assert len(one & two) < 0.05 * len(one) + 2, name
        rooms = {tuple(room.bounds_m for room in scenes[name, seed].rooms) for seed in SEEDS}
        assert len(rooms) == len(SEEDS)


def test_another_process_with_other_hashes_makes_the_same_scene(scenes):
    for name in ("kitchen", "warehouse", "two_storey_house", "classroom"):
        assert fingerprint(scenes[name, 2]) == fingerprint(build_scene(SceneId(name, 2)))


def test_furniture_stays_inside_its_room(scenes):
    for key, scene in scenes.items():
        rooms = {room.room_id: room for room in scene.rooms}
        for thing in furniture(scene):
            room = rooms[thing.room_id]
            x0, z0, x1, z1 = room.bounds_m
            corners = thing.box.corners_m()
            assert corners[:, 0].min() > x0 - 1e-3, (key, thing)
            assert corners[:, 0].max() < x1 + 1e-3, (key, thing)
            assert corners[:, 2].min() > z0 - 1e-3, (key, thing)
            assert corners[:, 2].max() < z1 + 1e-3, (key, thing)
            assert corners[:, 1].min() > room.floor_m - 1e-3, (key, thing)
            assert corners[:, 1].max() < room.floor_m + room.height_m, (key, thing)


def test_no_two_things_share_space(scenes):
    for key, scene in scenes.items():
        assert not clashes(scene), key


def test_nothing_stands_in_a_door(scenes):
    for key, scene in scenes.items():
        doors = [thing for thing in scene.objects if thing.category == "door"]
        assert doors, key
        for door, thing in itertools.product(doors, furniture(scene)):
            away = np.abs(box_coordinates(door.box, thing.box.corners_m()))
            half = np.array(door.box.size_m) / 2
            assert not (away < half - 0.01).all(axis=1).any(), (key, door, thing)


def test_what_is_carried_rests_on_its_carrier_or_inside_it(scenes):
    rested = Counter()
    for key, scene in scenes.items():
        by_id = {thing.instance_id: thing for thing in scene.objects}
        for thing in scene.objects:
            if thing.supported_by is None:
                continue
            carrier = by_id[thing.supported_by]
            assert carrier.room_id == thing.room_id
            local = box_coordinates(carrier.box, thing.box.corners_m())
            reach = np.abs(local[:, [0, 2]]).max(axis=0) - np.array(carrier.box.size_m)[[0, 2]] / 2
            assert (reach < 0.01).all(), (key, thing, carrier)
            assert bottom_m(carrier) - 0.001 < bottom_m(thing) < top_m(carrier) + 0.01, (key, thing, carrier)
            rested[rests_on(scene, thing, carrier)] += 1
    assert rested[True] > 0.97 * rested.total(), rested
    assert rested.total() > 8 * len(scenes)


def test_in_every_type_things_lie_on_in_and_under_others(scenes):
    for name in SCENE_TYPES:
        on = inside = under = 0
        for seed in SEEDS:
            scene = scenes[name, seed]
            by_id = {thing.instance_id: thing for thing in scene.objects}
            for thing in furniture(scene):
                if thing.supported_by is not None:
                    carrier = by_id[thing.supported_by]
                    if bottom_m(thing) > top_m(carrier) - 0.03:
                        on += 1
                    else:
                        inside += thing.box.centre_m[1] < top_m(carrier)
            under += sum(_is_under(thing, other) for thing, other in itertools.permutations(furniture(scene), 2))
        assert on >= 3, name
        assert inside >= 2, name
        assert under >= 1, name


def test_the_relation_words_of_the_world_occur_in_every_type(scenes):
    words = ("on", "under", "inside", "above", "below", "next to", "near", "far from", "outside")
    for name in SCENE_TYPES:
        seen = Counter()
        for seed in SEEDS:
            things = furniture(scenes[name, seed])
            for room in scenes[name, seed].rooms:
                boxes = [thing.box for thing in things if thing.room_id == room.room_id]
                for word in words:
                    seen[word] += int(relation_matrix(word, boxes).sum())
                seen["between"] += len(between_triples(boxes)) if len(boxes) < 60 else 1
        assert not {word for word in (*words, "between") if not seen[word]}, name


def test_what_is_inside_something_can_be_seen_from_its_front_or_from_above(scenes):
    seen = Counter()
    for name in ("kitchen", "living_room", "study", "library", "shop", "warehouse"):
        scene = scenes[name, 2]
        by_id = {thing.instance_id: thing for thing in scene.objects}
        inside, poses = [], []
        for thing in furniture(scene):
            carrier = by_id.get(thing.supported_by)
            if carrier is not None and bottom_m(thing) < top_m(carrier) - 0.03:
                inside.append(thing.instance_id)
                front, up = np.array([math.sin(carrier.box.yaw_rad), 0.0, math.cos(carrier.box.yaw_rad)]), np.eye(3)[1]
                ways = (front, -front, up, (front + up) / math.sqrt(2.0), (up - front) / math.sqrt(2.0))
                poses += [looking(np.array(thing.box.centre_m), way, 0.5) for way in ways]
        ids = Renderer(scene).render(np.stack(poses), intrinsics_from_hfov(31, 31, 50.0), 31, 31).instance_ids
        for number, views in zip(inside, ids.reshape(len(inside), 5, -1), strict=True):
            seen[bool(((views == number).sum(axis=1) >= 3).any())] += 1
    assert seen[True] > 0.95 * seen.total() > 100, seen


def looking(target_m: np.ndarray, way: np.ndarray, away_m: float) -> np.ndarray:
    """A camera some way from a target, in a direction that is not straight down, that looks at it."""
    right = np.array([1.0, 0.0, 0.0]) if abs(way[1]) > 0.9 else np.cross(-way, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(-way, right), -way], axis=1)
    pose[:3, 3] = target_m + away_m * way
    return pose


def _is_under(thing, other) -> bool:
    if thing.room_id != other.room_id or thing.category in ("rug", "chair") or thing.supported_by is not None:
        return False
    local = box_coordinates(other.box, np.array([thing.box.centre_m]))[0]
    half = np.array(other.box.size_m) / 2
    level = abs(bottom_m(thing) - bottom_m(other)) < 0.01
    return bool(level and abs(local[0]) < half[0] and abs(local[2]) < half[2] and top_m(thing) < top_m(other))


def test_every_room_is_walked_to_by_an_agent_of_a_fifth_of_a_metre(scenes):
    for (name, seed), scene in scenes.items():
        if seed != SEEDS[0]:
            continue
        for floor in sorted({room.floor_m for room in scene.rooms}):
            free, low = free_floor(scene, floor, 0.2)
            labels, _ = ndimage.label(free)
            shares = []
            for room in scene.rooms:
                if room.floor_m != floor:
                    continue
                x0, z0, x1, z1 = ((np.array(room.bounds_m) - np.tile(low, 2)) / 0.05).astype(int)
                counts = np.bincount(labels[z0:z1, x0:x1].ravel(), minlength=labels.max() + 1)[1:]
                shares.append({i for i in np.flatnonzero(counts * 0.0025 > 0.3).tolist()})
            assert set.intersection(*shares), (name, seed, shares)


def test_no_ray_leaves_a_scene(scenes):
    intrinsics = intrinsics_from_hfov(41, 41, 92.0)
    for name in SCENE_TYPES:
        scene, poses = scenes[name, 5], []
        for room in scene.rooms:
            x0, z0, x1, z1 = room.bounds_m
            for share, height in ((0.47, 0.3), (0.36, 0.5), (0.61, 0.93)):
                at = np.array([x0 + share * (x1 - x0), 0.0, z0 + (1.0 - share) * (z1 - z0)])
                at[1] = room.floor_m + height * room.height_m
                turns = [(k * math.pi / 2, 0.0) for k in range(4)] + [(0.0, 1.57), (0.0, -1.57)]
                poses += [look_pose(at, yaw, pitch) for yaw, pitch in turns]
        seen = Renderer(scene).render(np.stack(poses), intrinsics, 41, 41)
        assert (seen.depth_m > 0).all(), name
        assert (seen.instance_ids > 0).all(), name


def test_no_ray_leaves_through_the_joints_of_a_shut_door(scenes):
    intrinsics = intrinsics_from_hfov(101, 101, 96.0)
    looked = 0
    for name in SCENE_TYPES:
        scene = scenes[name, 1]
        poses = []
        for door in (thing for thing in scene.objects if thing.category == "door"):
            front = np.array([math.sin(door.box.yaw_rad), 0.0, math.cos(door.box.yaw_rad)])
            poses.append(looking(np.array(door.box.centre_m), front, 0.6))
        seen = Renderer(scene).render(np.stack(poses), intrinsics, 101, 101)
        assert (seen.depth_m > 0).all(), name
        looked += len(poses)
    assert looked > 40


def test_triangles_stay_affordable(scenes):
    for (name, seed), scene in scenes.items():
        assert 800 < len(scene.faces) < 60_000, (name, seed)
        assert carriers(scene)


def built(name: str, seed: int, **options) -> PackedScene:
    return build_scene(SceneId(name, seed, **options))


@pytest.mark.parametrize(("name", "seeds"), [("living_room", (1, 2, 3, 4)), ("study", (1, 2, 3, 4)), ("shop", (1,))])
def test_clutter_strews_more_and_fewer_small_things(name, seeds):
    counts = [
        sum(thing.supported_by is not None for s in seeds for thing in furniture(built(name, s, clutter=level)))
        for level in (0.0, 0.5, 1.0)
    ]
    assert counts[0] < 0.6 * counts[1] < counts[1] < 0.85 * counts[2], counts


def test_clutter_leaves_the_furniture_of_a_home_where_it_is():
    small = {"box", "basket", "backpack", "bench", "stool", "table", "exercise ball"}
    for name in ("living_room", "flat"):
        rooms = []
        for level in (0.1, 0.5, 1.0):
            scene = built(name, 4, clutter=level)
            large = [t for t in furniture(scene) if t.category not in small and bottom_m(t) < 0.001]
            rooms.append({(thing.category, thing.colour, thing.box) for thing in large if thing.box.size_m[1] > 0.3})
        assert rooms[0] <= rooms[1] | rooms[2]
        assert len(rooms[0] & rooms[1] & rooms[2]) > 0.9 * len(rooms[0]) > 8


def largest_material(scene: PackedScene, number: int) -> int:
    own = scene.face_instance == number
    a, b, c = np.moveaxis(scene.vertices_m[scene.faces[own]].astype(np.float64), 1, 0)
    area = np.bincount(scene.face_material[own], np.linalg.norm(np.cross(b - a, c - a), axis=1))
    return int(np.argmax(area))


def surfaces(scene: PackedScene, category: str) -> list[int]:
    return [largest_material(scene, t.instance_id) for t in scene.objects if t.category == category]


def test_plain_scenes_have_no_figures_on_walls_and_floors_and_no_rugs():
    for seed in SEEDS:
        scene = built("living_room", seed, textures="plain")
        for category in ("wall", "floor"):
            assert all(scene.materials[index].texture < 0 for index in surfaces(scene, category))
        assert not [thing for thing in scene.objects if thing.category == "rug"]


def test_repetitive_scenes_have_one_wall_and_one_floor_everywhere():
    for seed in SEEDS:
        scene = built("flat", seed, textures="repetitive")
        for category in ("wall", "floor"):
            used = set(surfaces(scene, category))
            assert len(used) == 1
            assert scene.materials[used.pop()].texture >= 0


def test_distinctive_scenes_have_another_pattern_on_every_wall_and_many_pictures():
    for seed in SEEDS:
        scene, usual = built("study", seed, textures="distinctive"), built("study", seed)
        walls = surfaces(scene, "wall")
        assert len(set(walls)) == len(walls)
        assert all(scene.materials[index].texture >= 0 for index in walls)
        counts = [sum(t.category == "picture" for t in one.objects) for one in (scene, usual)]
        assert counts[0] >= counts[1] + 2, counts


def test_lighting_changes_lamps_and_sky_alone():
    usual = built("kitchen", 3)
    power, sky = {}, {}
    for choice in ("day", "evening", "bright", "dim"):
        scene = built("kitchen", 3, lighting=choice)
        assert np.array_equal(scene.vertices_m, usual.vertices_m)
        assert scene.objects == usual.objects
        power[choice] = np.mean([light.colour for light in scene.lights], axis=0)
        sky[choice] = float(np.mean(scene.sky))
    lamps = {choice: float(colour.mean()) for choice, colour in power.items()}
    assert lamps["dim"] < lamps["day"] < 0.8 * lamps["evening"] < 0.8 * lamps["bright"], "by day few lamps burn"
    assert sky["evening"] < 0.5 * sky["dim"] < 0.5 * sky["bright"] < 0.5 * sky["day"]
    assert power["evening"][0] > 1.3 * power["evening"][2]


def test_long_rooms_have_several_lamps(scenes):
    for seed in SEEDS:
        for name, least, most in (("warehouse", 6, 30), ("library", 4, 12), ("bathroom", 1, 1), ("bedroom", 1, 1)):
            lamps = [light for light in scenes[name, seed].lights if light.room_id == 1]
            assert least <= len(lamps) <= most, (name, seed, len(lamps))
