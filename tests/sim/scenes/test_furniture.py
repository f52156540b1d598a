"""Furniture and things: real sizes, triangle budgets, colours, and free places on, in and under them."""

import dataclasses
import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import pytest

from backsight.collect.instructions.phrases.grammar import plural, with_article
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.vocabulary import COLOURS, FURNITURE_CATEGORIES
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.scenes.finishes import CATEGORY_COLOURS, Finishes
from backsight.sim.embedded.scenes.furniture.catalogue import KINDS, Kind, kinds_of
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.piece import Piece, Surface

SEEDS = (3, 11, 29)
COLOUR_NAMES = list(COLOURS)
COLOUR_VALUES = np.array(list(COLOURS.values()), dtype=np.float64)

SIZES_M = {
    "chair": (0.38, 1.1),
    "table": (0.35, 3.6),
    "sofa": (0.75, 2.6),
    "armchair": (0.65, 1.2),
    "bed": (0.85, 2.2),
    "wardrobe": (0.5, 2.3),
    "cabinet": (0.33, 1.8),
    "bookshelf": (0.25, 2.2),
    "desk": (0.45, 1.65),
    "lamp": (0.15, 1.8),
    "plant": (0.1, 1.9),
    "television": (0.03, 1.4),
    "fridge": (0.5, 2.0),
    "stove": (0.55, 1.15),
    "sink": (0.4, 1.2),
    "toilet": (0.35, 1.2),
    "bathtub": (0.6, 1.8),
    "rug": (0.005, 2.4),
    "picture": (0.005, 1.75),
    "vase": (0.1, 0.6),
    "box": (0.08, 0.6),
    "bin": (0.2, 0.75),
    "monitor": (0.15, 0.9),
    "laptop": (0.02, 0.4),
    "keyboard": (0.02, 0.6),
    "printer": (0.15, 1.1),
    "whiteboard": (0.05, 2.5),
    "projector screen": (0.05, 2.6),
    "lectern": (0.4, 1.25),
    "globe": (0.25, 1.15),
    "clock": (0.03, 2.1),
    "backpack": (0.2, 0.75),
    "cup": (0.06, 0.2),
    "bowl": (0.05, 0.36),
    "plate": (0.015, 0.32),
    "bottle": (0.05, 0.35),
    "pot": (0.04, 0.55),
    "kettle": (0.12, 0.4),
    "tray": (0.02, 0.6),
    "candle": (0.06, 0.4),
    "stool": (0.28, 0.85),
    "bench": (0.3, 1.6),
    "counter": (0.55, 2.2),
    "basket": (0.1, 0.7),
    "rack": (0.35, 2.8),
    "trolley": (0.4, 1.4),
    "shopping cart": (0.45, 1.2),
    "cash register": (0.3, 0.6),
    "sign": (0.02, 1.6),
    "pallet": (0.13, 1.25),
    "crate": (0.25, 1.0),
    "barrel": (0.48, 1.0),
    "ladder": (0.35, 2.4),
    "cone": (0.2, 0.85),
    "fire extinguisher": (0.14, 0.8),
    "fan": (0.15, 1.6),
    "treadmill": (0.65, 1.9),
    "exercise bike": (0.45, 1.3),
    "dumbbell": (0.1, 0.45),
    "exercise ball": (0.26, 0.8),
    "mat": (0.01, 2.05),
    "weight bench": (0.4, 1.9),
    "punching bag": (0.5, 2.3),
    "locker": (0.4, 2.0),
    "microwave": (0.25, 0.6),
    "toaster": (0.13, 0.45),
    "dishwasher": (0.55, 0.95),
    "washing machine": (0.55, 1.1),
    "range hood": (0.1, 1.0),
    "radiator": (0.06, 1.6),
    "mirror": (0.02, 1.8),
    "towel": (0.05, 0.9),
    "shower": (0.75, 2.3),
    "cushion": (0.08, 0.6),
    "curtain": (0.08, 2.6),
    "coat rack": (0.08, 2.0),
    "fireplace": (0.3, 1.75),
    "teddy bear": (0.1, 0.6),
    "piano": (0.35, 1.7),
    "guitar": (0.1, 1.15),
    "book": (0.02, 0.45),
}
"""Shortest and longest edge that a thing of the category may have."""


@dataclass(frozen=True)
class Made:
    kind: Kind
    variant: int
    piece: Piece
    thing: SceneObject
    triangles_m: np.ndarray
    materials: np.ndarray

    def __str__(self) -> str:
        return f"{self.kind.category} {self.variant} ({self.kind.place})"


def build(seed: int, apart_m: float = 0.0) -> tuple[list[Made], PackedScene]:
    """Every variant of every kind once, each in its own frame or in a row along x."""
    builder = MeshBuilder()
    finishes = Finishes(builder, np.random.default_rng(seed))
    finishes.enter_room()
    drawn = [(kind, variant, kind.draw(finishes, variant)) for kind in KINDS for variant in kind.variants]
    for number, (_, _, piece) in enumerate(drawn):
        builder.add(piece, (number * apart_m, 0.0, 0.0), 0.0, 1)
    scene = builder.pack((), (Room(1, "room", (-1.0, -1.0, 1.0, 1.0)),), 2.6)
    corners = scene.vertices_m.astype(np.float64)[scene.faces]
    made = []
    for number, (kind, variant, piece) in enumerate(drawn):
        own = scene.face_instance == number + 1
        made.append(Made(kind, variant, piece, scene.objects[number], corners[own], scene.face_material[own]))
    return made, scene


@pytest.fixture(scope="module")
def scenes() -> list[tuple[list[Made], PackedScene]]:
    return [build(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def everything(scenes) -> list[Made]:
    return [made for all_made, _ in scenes for made in all_made]


def test_every_category_has_a_maker_and_colours_and_nothing_else_has():
    assert {kind.category for kind in KINDS} == set(FURNITURE_CATEGORIES)
    assert set(CATEGORY_COLOURS) == set(FURNITURE_CATEGORIES)
    assert len(set(FURNITURE_CATEGORIES)) == len(FURNITURE_CATEGORIES) >= 55
    named = {name for names in CATEGORY_COLOURS.values() for name in names}
    assert named <= set(COLOURS)


def test_pieces_have_the_category_they_are_made_for(everything):
    for made in everything:
        assert made.piece.category == made.kind.category, made
        assert made.piece.colour is None or made.piece.colour in CATEGORY_COLOURS[made.kind.category], made


def test_kinds_are_found_by_category_and_place():
    assert {kind.place for kind in kinds_of("lamp")} == {"floor", "top"}
    assert kinds_of("whiteboard", "wall")[0].variants == (0, 1)
    assert kinds_of("sofa", "wall") == ()


def test_equal_seeds_make_equal_things(scenes):
    made, scene = build(SEEDS[0])
    assert scene.vertices_m.tobytes() == scenes[0][1].vertices_m.tobytes()
    assert [one.piece.surfaces for one in made] == [one.piece.surfaces for one in scenes[0][0]]
    assert scene.vertices_m.tobytes() != scenes[1][1].vertices_m.tobytes()


def test_everything_stands_on_its_floor(everything):
    lowest = [(str(made), made.triangles_m[..., 1].min()) for made in everything]
    assert not [entry for entry in lowest if not -1e-4 < entry[1] < 0.005]


def test_boxes_hold_their_triangles(everything):
    for made in everything:
        points = made.triangles_m.reshape(-1, 3)
        low, high = np.array(made.piece.low), np.array(made.piece.high)
        assert (points > low - 1e-4).all(), (str(made), points.min(axis=0), low)
        assert (points < high + 1e-4).all(), (str(made), points.max(axis=0), high)
        slack = high - low - np.ptp(points, axis=0)
        assert slack.max() < 0.12, (str(made), slack)


def test_sizes_are_those_of_real_things(everything):
    assert set(SIZES_M) == set(FURNITURE_CATEGORIES)
    wrong = []
    for made in everything:
        shortest, longest = SIZES_M[made.kind.category]
        size = made.thing.box.size_m
        if min(size) < shortest or max(size) > longest:
            wrong.append((str(made), size))
    assert not wrong


def test_triangles_stay_within_budget(everything):
    for made in everything:
        most = 320 if made.kind.place == "top" else 1000
        assert 4 <= len(made.triangles_m) <= most, (str(made), len(made.triangles_m))


def pixel_names(scene: PackedScene) -> dict[int, np.ndarray]:
    """Share of each named colour in each material."""
    names = {}
    for index, material in enumerate(scene.materials):
        pixels = np.array([material.colour]) * 255.0
        if material.texture >= 0:
            pixels = scene.textures[material.texture][::4, ::4].reshape(-1, 3) * np.array(material.colour)
        nearest = ((pixels[:, None] - COLOUR_VALUES) ** 2).sum(axis=2).argmin(axis=1)
        names[index] = np.bincount(nearest, minlength=len(COLOUR_NAMES)) / len(nearest)
    return names


def colour_of_most_area(made: Made, names: dict[int, np.ndarray]) -> str:
    a, b, c = np.moveaxis(made.triangles_m, 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    share = sum(area[made.materials == m].sum() * names[m] for m in np.unique(made.materials).tolist())
    return COLOUR_NAMES[int(np.argmax(share))]


def test_most_of_a_thing_shows_the_colour_that_it_is_named_by(scenes):
    right, total = Counter(), Counter()
    for all_made, scene in scenes:
        names = pixel_names(scene)
        for made in all_made:
            # Of a picture only the painting counts; a blanket hides much of its bed.
            if made.piece.colour is not None and made.kind.category not in ("picture", "bed"):
                total[made.kind.category] += 1
                right[made.kind.category] += colour_of_most_area(made, names) == made.piece.colour
    shares = {category: right[category] / total[category] for category in total}
    assert right.total() > 0.9 * total.total()
    assert not {category: share for category, share in shares.items() if share < 0.6}


def test_what_a_camera_sees_of_a_thing_has_the_colour_that_it_is_named_by():
    made, scene = build(SEEDS[1], apart_m=8.0)
    painted = Renderer(dataclasses.replace(scene, face_instance=scene.face_material + 1))
    names = pixel_names(scene)
    right, total = Counter(), Counter()
    for number, one in enumerate(made):
        size, middle = np.array(one.thing.box.size_m), np.array(one.thing.box.centre_m)
        away, poses = 1.1 * float(size.max()) + 0.2, []
        for yaw in (0.1, 0.7, -0.9):
            at = middle + away * np.array([math.sin(yaw), 0.45, math.cos(yaw)])
            poses.append(look_pose(at, yaw, -math.atan(0.45)))
        seen = painted.render(np.stack(poses), intrinsics_from_hfov(64, 48, 80.0), 64, 48).instance_ids
        shown = seen[seen > 0] - 1
        assert len(shown) > 50, (number, str(one))
        if one.piece.colour is None:
            continue
        share = sum(count * names[material] for material, count in Counter(shown.tolist()).items())
        total[one.kind.category] += 1
        right[one.kind.category] += COLOUR_NAMES[int(np.argmax(share))] == one.piece.colour
    shares = {category: (right[category], total[category]) for category in total}
    assert right.total() > 0.92 * total.total(), shares
    assert not {category: seen for category, seen in shares.items() if seen[0] <= 0.5 * seen[1]}


def test_no_two_looks_lie_in_one_plane_over_one_another(scenes):
    """Such faces flicker: which of the two a ray meets is a matter of rounding."""
    flickering = []
    for made in scenes[0][0]:
        a, b, c = np.moveaxis(made.triangles_m, 1, 0)
        normal = np.cross(b - a, c - a)
        area = np.linalg.norm(normal, axis=1) / 2
        normal /= 2 * area[:, None]
        offset = (normal * a).sum(axis=1)
        together = (normal @ normal.T > 0.9999) & (np.abs(offset[:, None] - offset) < 4e-4)
        together &= (made.materials[:, None] != made.materials) & (normal[:, 1] > -0.9)[:, None]
        first, second = np.nonzero(together)
        points = np.einsum("sk,pkx->psx", np.random.default_rng(0).dirichlet([1, 1, 1], 13), made.triangles_m[first])
        inside = np.ones(points.shape[:2], dtype=bool)
        for start, end in ((a, b), (b, c), (c, a)):
            side = np.cross((end - start)[second][:, None], points - start[second][:, None])
            inside &= (side * normal[second][:, None]).sum(axis=2) > 1e-9
        for pair in np.flatnonzero(inside.mean(axis=1) * area[first] > 0.003):
            out = points[pair][inside[pair]][0] + normal[first[pair]] * 0.012
            if not touches_box(made.triangles_m, out, np.full(3, 0.009)).any():
                flickering.append((str(made), out))
    assert not flickering


def touches_box(triangles_m: np.ndarray, centre_m: np.ndarray, half_m: np.ndarray) -> np.ndarray:
    """Separating axes of triangles and one box: the box's own, the normals, and crosses of edges."""
    corners = triangles_m - centre_m
    edges = np.roll(corners, -1, axis=1) - corners
    axes = [np.broadcast_to(axis, edges[:, :1].shape) for axis in np.eye(3)]
    axes.append(np.cross(edges[:, 0], edges[:, 1])[:, None])
    axes += [np.cross(edges, axis) for axis in np.eye(3)]
    candidates = np.concatenate(axes, axis=1)
    along = np.einsum("tak,tck->tac", candidates, corners)
    reach = (np.abs(candidates) * half_m).sum(axis=2)
    apart = (along.min(axis=2) > reach + 1e-12) | (along.max(axis=2) < -reach - 1e-12)
    return ~apart.any(axis=1)


def test_the_check_for_touching_finds_what_it_should():
    triangle = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    half = np.array([0.1, 0.1, 0.1])
    assert touches_box(triangle, np.array([0.2, 0.2, 0.05]), half).all()
    assert not touches_box(triangle, np.array([0.2, 0.2, 0.15]), half).any()
    assert not touches_box(triangle, np.array([0.65, 0.65, 0.0]), half).any()
    assert touches_box(triangle, np.array([0.55, 0.55, 0.0]), half).all()


def heights_below(triangles_m: np.ndarray, point_m: np.ndarray) -> np.ndarray:
    """Heights at which the vertical line through a point meets the triangles."""
    a, b, c = (triangles_m[:, k][:, [0, 2]] for k in range(3))
    first, second, to = b - a, c - a, point_m[[0, 2]] - a
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    flat = np.abs(area) < 1e-10
    area = np.where(flat, 1.0, area)
    u = (to[:, 0] * second[:, 1] - to[:, 1] * second[:, 0]) / area
    v = (first[:, 0] * to[:, 1] - first[:, 1] * to[:, 0]) / area
    hit = ~flat & (u >= 0) & (v >= 0) & (u + v <= 1)
    y = triangles_m[:, 0, 1] + u * (triangles_m[:, 1, 1] - triangles_m[:, 0, 1])
    return (y + v * (triangles_m[:, 2, 1] - triangles_m[:, 0, 1]))[hit]


def test_places_for_things_are_free_of_the_piece_itself(everything):
    taken = []
    for made in everything:
        for surface in made.piece.surfaces:
            tall = min(surface.height_m, 0.3)
            lift = 0.002
            centre = np.array(surface.centre_m) + np.array([0.0, (tall + lift) / 2, 0.0])
            half = np.array([surface.size_m[0] - 0.002, tall - lift, surface.size_m[1] - 0.002]) / 2
            assert min(surface.size_m) > 0.05, (str(made), surface)
            assert surface.height_m >= 0.1, (str(made), surface)
            if touches_box(made.triangles_m, centre, half).any():
                taken.append((str(made), surface))
    assert not taken


def test_places_lie_within_the_piece(everything):
    for made in everything:
        low, high = np.array(made.piece.low), np.array(made.piece.high)
        for surface in made.piece.surfaces:
            reach = np.array([surface.size_m[0], 0.0, surface.size_m[1]]) / 2
            centre = np.array(surface.centre_m)
            assert (centre - reach > low - 1e-3).all(), (str(made), surface)
            assert (centre + reach < high + 1e-3).all(), (str(made), surface)


def carried(made: Made, surface: Surface) -> int:
    """How many of five points of a surface have the piece right below them."""
    count = 0
    for x, z in ((0.0, 0.0), (0.3, 0.3), (-0.3, 0.3), (0.3, -0.3), (-0.3, -0.3)):
        point = np.array(surface.centre_m) + np.array([x * surface.size_m[0], 0.0, z * surface.size_m[1]])
        gaps = point[1] - heights_below(made.triangles_m, point)
        count += bool(((gaps > -0.002) & (gaps < 0.012)).any())
    return count


def test_what_stands_on_or_in_a_piece_is_carried_by_it(everything):
    floating = []
    for made in everything:
        for surface in made.piece.surfaces:
            if surface.kind == "under":
                assert surface.centre_m[1] == 0.0, str(made)
            elif carried(made, surface) < 3:
                floating.append((str(made), surface))
    assert not floating


def test_the_furniture_that_should_offers_places(everything):
    offered = defaultdict(set)
    for made in everything:
        offered[made.kind.category] |= {surface.kind for surface in made.piece.surfaces}
    for category in ("table", "desk", "cabinet", "counter", "chair", "sofa", "bed", "fridge", "stool"):
        assert "on" in offered[category], category
    for category in (
        "bookshelf",
        "rack",
        "box",
        "crate",
        "basket",
        "bin",
        "sink",
        "bathtub",
        "locker",
        "shopping cart",
    ):
        assert "in" in offered[category], category
    for category in ("table", "desk", "bed", "bench"):
        assert "under" in offered[category], category
    assert math.isinf(max(s.height_m for made in everything for s in made.piece.surfaces))


def test_plurals_and_articles_of_all_categories_are_english():
    irregular = {
        "box": "boxes",
        "bookshelf": "bookshelves",
        "bench": "benches",
        "weight bench": "weight benches",
        "couch": "couches",
    }
    for category in FURNITURE_CATEGORIES:
        assert plural(category) == irregular.get(category, category + "s")
        wants_an = category in ("armchair", "exercise bike", "exercise ball")
        assert with_article(category) == f"{'an' if wants_an else 'a'} {category}"


def test_a_box_in_world_and_object_frames_is_the_same_when_not_turned(everything):
    for made in everything:
        points = made.triangles_m.reshape(-1, 3)
        box: OrientedBox = made.thing.box
        assert np.allclose(np.array(box.centre_m), (points.min(axis=0) + points.max(axis=0)) / 2, atol=2e-3), str(made)
