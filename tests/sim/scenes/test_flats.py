"""Flats: determinism, plan, furniture, colours, geometry and closedness."""

import dataclasses
import itertools
import math
from collections import Counter

import numpy as np
import pytest
from scene_checks import box_coordinates, clashes, depth_of_overlap_m, fingerprint, furniture
from scipy import ndimage

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.scene import SceneObject
from backsight.records.vocabulary import CATEGORIES, COLOURS, FURNITURE_CATEGORIES, ROOM_TYPES
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import SceneId

SEEDS = range(24)
COLOUR_NAMES = list(COLOURS)
COLOUR_VALUES = np.array(list(COLOURS.values()), dtype=np.float64)


def build_flat(seed: int) -> PackedScene:
    return build_scene(SceneId("flat", seed))


@pytest.fixture(scope="module")
def flats(flats_built_elsewhere) -> list[PackedScene]:
    assert len(flats_built_elsewhere) == len(SEEDS)
    return flats_built_elsewhere


def test_equal_seeds_agree_to_the_byte(flats):
    assert fingerprint(build_flat(17)) == fingerprint(flats[17])


def test_no_two_seeds_share_plan_vertices_or_textures(flats):
    assert len({flat.vertices_m.tobytes() for flat in flats}) == len(flats)
    assert len({tuple(room.bounds_m for room in flat.rooms) for flat in flats}) == len(flats)
    images = [texture.tobytes() for flat in flats for texture in flat.textures]
    assert len(set(images)) > 0.995 * len(images)


def test_flats_have_three_to_six_rooms_in_seven_to_twelve_metres(flats):
    for flat in flats:
        assert 3 <= len(flat.rooms) <= 6
        assert 2.5 <= flat.ceiling_m <= 2.8
        assert {light.room_id for light in flat.lights} == {room.room_id for room in flat.rooms}
        bounds = np.array([room.bounds_m for room in flat.rooms])
        width, depth = bounds[:, 2].max() - bounds[:, 0].min(), bounds[:, 3].max() - bounds[:, 1].min()
        assert 6.85 < width < 12.15
        assert 6.85 < depth < 12.15
        for (a0, b0, a1, b1), (c0, d0, c1, d1) in itertools.combinations(bounds, 2):
            apart = max(c0 - a1, a0 - c1, d0 - b1, b0 - d1)
            assert apart > 0.099, "rooms must be a wall apart"


def test_the_room_types_and_commonest_categories_of_homes_occur(flats):
    assert {room.room_type for flat in flats for room in flat.rooms} == set(ROOM_TYPES[:7])
    seen = Counter(thing.category for flat in flats for thing in flat.objects)
    assert set(seen) <= set(CATEGORIES)
    assert all(seen[category] >= 12 for category in FURNITURE_CATEGORIES[:22]), seen


def test_categories_have_distractors_in_two_colours(flats):
    rooms = repeated = two_colours = 0
    for flat in flats:
        for room in flat.rooms:
            colours: dict[str, set[str | None]] = {}
            counts = Counter()
            for thing in furniture(flat):
                if thing.room_id == room.room_id:
                    counts[thing.category] += 1
                    colours.setdefault(thing.category, set()).add(thing.colour)
            rooms += 1
            repeated += max(counts.values(), default=0) >= 2
            two_colours += any(len(names) >= 2 for names in colours.values())
    assert repeated > 0.85 * rooms
    assert two_colours > 0.7 * rooms


def test_at_least_half_but_not_all_of_the_things_share_a_colour_with_another_category_of_their_room(flats):
    shared = total = 0
    for flat in flats:
        painted: dict[tuple[int, str | None], set[str]] = {}
        for thing in furniture(flat):
            painted.setdefault((thing.room_id, thing.colour), set()).add(thing.category)
        for thing in furniture(flat):
            total += 1
            shared += len(painted[thing.room_id, thing.colour]) > 1
    assert 0.5 < shared / total < 0.9


def test_names_come_from_the_vocabulary(flats):
    for flat in flats:
        room_ids = {room.room_id for room in flat.rooms}
        for thing in flat.objects:
            assert thing.category in CATEGORIES
            assert thing.colour is None or (thing.colour in COLOURS and not thing.is_structure)
            assert thing.room_id in room_ids


def test_ids_are_dense_and_every_object_has_faces(flats):
    for flat in flats:
        ids = [thing.instance_id for thing in flat.objects]
        assert ids == list(range(1, len(ids) + 1))
        assert np.array_equal(np.unique(flat.face_instance), ids)
        rooms = np.array([0] + [thing.room_id for thing in flat.objects])
        assert np.array_equal(flat.face_room, rooms[flat.face_instance])
        assert flat.face_material.min() >= 0
        assert flat.face_material.max() < len(flat.materials)
        assert all(-1 <= material.texture < len(flat.textures) for material in flat.materials)


def test_normals_are_unit_and_agree_with_the_winding(flats):
    for flat in flats:
        lengths = np.linalg.norm(flat.face_normals, axis=2)
        assert np.allclose(lengths, 1.0, atol=1e-5)
        a, b, c = np.moveaxis(flat.vertices_m.astype(np.float64)[flat.faces], 1, 0)
        flat_normal = np.cross(b - a, c - a)
        length = np.linalg.norm(flat_normal, axis=1)
        assert length.min() > 0.0
        agreement = np.einsum("fi,fci->fc", flat_normal / length[:, None], flat.face_normals)
        assert agreement.min() > 0.3
        assert np.isfinite(flat.face_uv).all()


def test_textures_are_powers_of_two(flats):
    sizes = {edge for flat in flats for texture in flat.textures for edge in texture.shape[:2]}
    assert sizes <= {64, 128, 256}


def test_boxes_hold_their_vertices_and_are_tight(flats):
    for flat in flats[:12]:
        for thing in flat.objects:
            faces = flat.faces[flat.face_instance == thing.instance_id]
            local = box_coordinates(thing.box, flat.vertices_m.astype(np.float64)[np.unique(faces)])
            half = np.array(thing.box.size_m) / 2
            assert (np.abs(local) <= half + 1e-3).all(), thing
            assert (np.ptp(local, axis=0) >= 2 * half - 0.005).all(), thing


def test_every_vertex_lies_within_the_flat(flats):
    for flat in flats:
        bounds = np.array([room.bounds_m for room in flat.rooms])
        low = [bounds[:, 0].min() - 0.1, -0.011, bounds[:, 1].min() - 0.1]
        high = [bounds[:, 2].max() + 0.1, flat.ceiling_m + 0.011, bounds[:, 3].max() + 0.1]
        assert (flat.vertices_m >= low).all()
        assert (flat.vertices_m <= high).all()


def test_furniture_stays_inside_its_room(flats):
    for flat in flats:
        rooms = {room.room_id: room.bounds_m for room in flat.rooms}
        for thing in furniture(flat):
            x0, z0, x1, z1 = rooms[thing.room_id]
            corners = thing.box.corners_m()
            assert corners[:, 0].min() > x0 - 1e-3, thing
            assert corners[:, 0].max() < x1 + 1e-3, thing
            assert corners[:, 2].min() > z0 - 1e-3, thing
            assert corners[:, 2].max() < z1 + 1e-3, thing


def test_things_do_not_overlap(flats):
    for seed, flat in zip(SEEDS, flats, strict=True):
        assert not clashes(flat), seed


def test_nothing_stands_in_a_door_or_where_its_leaf_is_folded(flats):
    for seed, flat in zip(SEEDS, flats, strict=True):
        doors = [thing for thing in flat.objects if thing.category == "door"]
        assert len(doors) >= 2 * (len(flat.rooms) - 1)
        for door, thing in itertools.product(doors, furniture(flat)):
            away = np.linalg.norm(np.subtract(door.box.centre_m, thing.box.centre_m)[[0, 2]])
            if away < (np.linalg.norm(door.box.size_m) + np.linalg.norm(thing.box.size_m)) / 2:
                assert depth_of_overlap_m(door.box, thing.box) < 0.01, (seed, door, thing)


def test_rugs_are_flat(flats):
    heights = [t.box.size_m[1] for flat in flats for t in furniture(flat) if t.category == "rug"]
    assert max(heights) < 0.02


def free_floor(flat: PackedScene, clearance_m: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Rasterise every face between shin and head height, grown by a clearance."""
    cell_m = 0.04
    low = flat.vertices_m[:, [0, 2]].min(axis=0) - 0.2
    shape = np.ceil((flat.vertices_m[:, [0, 2]].max(axis=0) + 0.2 - low) / cell_m).astype(int)
    ignored = {"floor", "ceiling", "rug"}
    solid_ids = [thing.instance_id for thing in flat.objects if thing.category not in ignored]
    corners = flat.vertices_m[flat.faces]
    tall = (corners[:, :, 1].min(axis=1) < 1.6) & (corners[:, :, 1].max(axis=1) > 0.06)
    corners = corners[tall & np.isin(flat.face_instance, solid_ids)][:, :, [0, 2]]
    starts = np.floor((corners.min(axis=1) - clearance_m - low) / cell_m).astype(int).clip(0)
    ends = np.ceil((corners.max(axis=1) + clearance_m - low) / cell_m).astype(int)
    free = np.ones((shape[1], shape[0]), dtype=bool)
    for (x0, z0), (x1, z1) in zip(starts, ends, strict=True):
        free[z0:z1, x0:x1] = False
    return free, low, cell_m


def test_every_room_is_reached_on_ways_of_seven_tenths_of_a_metre(flats):
    for seed, flat in zip(SEEDS, flats, strict=True):
        free, low, cell_m = free_floor(flat, 0.33)
        labels, _ = ndimage.label(free)
        reached = []
        for room in flat.rooms:
            x0, z0, x1, z1 = ((np.array(room.bounds_m) - np.tile(low, 2)) / cell_m).astype(int)
            counts = np.bincount(labels[z0:z1, x0:x1].ravel(), minlength=labels.max() + 1)
            reached.append(set(np.nonzero(counts[1:] * cell_m**2 > 0.3)[0] + 1))
        assert set.intersection(*reached), (seed, reached)


def named_area(flat: PackedScene, thing: SceneObject, pixel_names: dict[int, np.ndarray]) -> str:
    """The named colour that covers most of an object's surface; of a picture only the painting counts."""
    own = flat.face_instance == thing.instance_id
    if thing.category == "picture":
        textured = np.array(
            [material.texture >= 0 and material.colour == (1.0, 1.0, 1.0) for material in flat.materials]
        )
        own &= textured[flat.face_material]
    a, b, c = np.moveaxis(flat.vertices_m[flat.faces[own]], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    share = sum(
        area[flat.face_material[own] == material].sum() * pixel_names[material]
        for material in np.unique(flat.face_material[own]).tolist()
    )
    return COLOUR_NAMES[int(np.argmax(share))]


def pixel_names(flat: PackedScene) -> dict[int, np.ndarray]:
    names = {}
    for index, material in enumerate(flat.materials):
        pixels = np.array([material.colour]) * 255.0
        if material.texture >= 0:
            pixels = flat.textures[material.texture][::4, ::4].reshape(-1, 3) * np.array(material.colour)
        nearest = ((pixels[:, None] - COLOUR_VALUES) ** 2).sum(axis=2).argmin(axis=1)
        names[index] = np.bincount(nearest, minlength=len(COLOUR_NAMES)) / len(nearest)
    return names


def test_most_of_a_thing_shows_the_colour_that_it_is_named_by(flats):
    right, total = Counter(), Counter()
    for flat in flats[:20]:
        names = pixel_names(flat)
        for thing in (thing for thing in furniture(flat) if thing.colour is not None):
            total[thing.category] += 1
            right[thing.category] += named_area(flat, thing, names) == thing.colour
    shares = {category: round(right[category] / total[category], 2) for category in total}
    assert right.total() > 0.88 * total.total(), shares


def test_what_a_camera_sees_of_a_thing_has_the_colour_that_it_is_named_by(flats):
    right, total = Counter(), Counter()
    for flat in flats[20:]:
        names, poses = pixel_names(flat), []
        for room in flat.rooms:
            x0, z0, x1, z1 = room.bounds_m
            for share in (0.31, 0.69):
                at = np.array([x0 + share * (x1 - x0), 1.6, z0 + (1.0 - share) * (z1 - z0)])
                poses += [look_pose(at, turn * math.pi / 2, -0.2) for turn in range(4)]
        # Rendered once more with material numbers in place of instance ids: which paint each pixel shows.
        painted = dataclasses.replace(flat, face_instance=flat.face_material + 1)
        camera = (np.stack(poses), intrinsics_from_hfov(128, 96, 92.0), 128, 96)
        ids = Renderer(flat).render(*camera).instance_ids.ravel()
        materials = Renderer(painted).render(*camera).instance_ids.ravel() - 1
        for thing in furniture(flat):
            shown = materials[ids == thing.instance_id]
            if len(shown) < 60 or thing.colour is None:
                continue
            share = sum(count * names[material] for material, count in Counter(shown.tolist()).items())
            total[thing.category] += 1
            right[thing.category] += COLOUR_NAMES[int(np.argmax(share))] == thing.colour
    shares = {category: (round(right[category] / total[category], 2), total[category]) for category in total}
    assert right.total() > 0.9 * total.total(), shares
    assert not {category: seen for category, seen in shares.items() if seen[0] <= 0.5 and seen[1] >= 12}


def test_triangles_stay_affordable(flats):
    triangles = np.array([len(flat.faces) for flat in flats])
    assert 4000 < triangles.mean() < 14_000
    assert triangles.max() < 25_000


def test_no_ray_leaves_the_flat(flats):
    for flat in flats[:3]:
        poses = []
        for room in flat.rooms:
            x0, z0, x1, z1 = room.bounds_m
            for height in (0.3, 1.25, 2.3):
                at = np.array([x0 + 0.47 * (x1 - x0), height, z0 + 0.53 * (z1 - z0)])
                turns = [(k * math.pi / 2, 0.0) for k in range(4)] + [(0.0, 1.57), (0.0, -1.57)]
                poses += [look_pose(at, yaw, pitch) for yaw, pitch in turns]
        seen = Renderer(flat).render(np.stack(poses), intrinsics_from_hfov(67, 67, 92.0), 67, 67)
        assert (seen.depth_m > 0).all()
        assert (seen.instance_ids > 0).all()
