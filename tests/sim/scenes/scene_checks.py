"""Measures of built scenes that several test files share; none of them uses the code that furnishes."""

import dataclasses
import hashlib
import itertools
import math

import numpy as np

from backsight.records.scene import OrientedBox, SceneObject
from backsight.sim.embedded.packed import PackedScene


def arrays(scene: PackedScene) -> list[np.ndarray]:
    named = [getattr(scene, entry.name) for entry in dataclasses.fields(scene)]
    return [value for value in named if isinstance(value, np.ndarray)] + list(scene.textures)


def fingerprint(scene: PackedScene) -> str:
    digest = hashlib.sha256()
    for array in arrays(scene):
        digest.update(str((array.dtype, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    plain = [getattr(scene, entry.name) for entry in dataclasses.fields(scene) if entry.name != "textures"]
    digest.update(repr([value for value in plain if not isinstance(value, np.ndarray)]).encode())
    return digest.hexdigest()


def furniture(scene: PackedScene) -> list[SceneObject]:
    return [thing for thing in scene.objects if not thing.is_structure]


def box_coordinates(box: OrientedBox, points: np.ndarray) -> np.ndarray:
    away = points - np.array(box.centre_m)
    cos, sin = math.cos(box.yaw_rad), math.sin(box.yaw_rad)
    return np.stack([cos * away[:, 0] - sin * away[:, 2], away[:, 1], sin * away[:, 0] + cos * away[:, 2]], 1)


def bottom_m(thing: SceneObject) -> float:
    return thing.box.centre_m[1] - thing.box.size_m[1] / 2


def top_m(thing: SceneObject) -> float:
    return thing.box.centre_m[1] + thing.box.size_m[1] / 2


def depth_of_overlap_m(first: OrientedBox, second: OrientedBox) -> float:
    """Separating axes of two upright boxes; negative = apart."""
    a, b = first.corners_m(), second.corners_m()
    depths = [min(a[:, 1].max() - b[:, 1].min(), b[:, 1].max() - a[:, 1].min())]
    for yaw in (first.yaw_rad, second.yaw_rad):
        for axis in ((math.cos(yaw), -math.sin(yaw)), (math.sin(yaw), math.cos(yaw))):
            p, q = a[:, [0, 2]] @ axis, b[:, [0, 2]] @ axis
            depths.append(min(p.max() - q.min(), q.max() - p.min()))
    return min(depths)


def carriers(scene: PackedScene) -> dict[int, set[int]]:
    """All that each thing stands on or in, directly or over others."""
    below = {thing.instance_id: thing.supported_by for thing in scene.objects}
    chains: dict[int, set[int]] = {}
    for number in below:
        chain, at = set(), below[number]
        while at is not None:
            chain.add(at)
            at = below[at]
        chains[number] = chain
    return chains


def clashes(scene: PackedScene) -> list[tuple[SceneObject, SceneObject]]:
    """Pairs of things of one room that share space though neither carries the other or gives it shelter."""
    chains = carriers(scene)
    things = [thing for thing in furniture(scene) if thing.category != "rug"]
    centres = np.array([thing.box.centre_m for thing in things])
    reach = np.array([np.linalg.norm(thing.box.size_m) / 2 for thing in things])
    found = []
    for a, b in itertools.combinations(range(len(things)), 2):
        one, two = things[a], things[b]
        if one.room_id != two.room_id or np.linalg.norm(centres[a] - centres[b]) > reach[a] + reach[b]:
            continue
        if two.instance_id in chains[one.instance_id] or one.instance_id in chains[two.instance_id]:
            continue
        if depth_of_overlap_m(one.box, two.box) < 0.01 or sheltered(one, two) or sheltered(two, one):
            continue
        found.append((one, two))
    return found


SHELTERS = {"table", "desk", "bench", "sink", "rack", "bed", "counter", "bookshelf", "cabinet", "piano", "radiator"}


def sheltered(thing: SceneObject, over: SceneObject) -> bool:
    """Whether a thing stands on the floor under a table or the like, or is a chair pushed in under it."""
    if over.category not in SHELTERS:
        return False
    if thing.category in ("chair", "stool"):
        return abs(bottom_m(thing) - bottom_m(over)) < 0.01
    local = box_coordinates(over.box, thing.box.corners_m())
    within = (np.abs(local[:, [0, 2]]) <= np.array(over.box.size_m)[[0, 2]] / 2 + 0.01).all()
    return bool(within) and abs(bottom_m(thing) - bottom_m(over)) < 0.01 and top_m(thing) < top_m(over)


def rests_on(scene: PackedScene, thing: SceneObject, carrier: SceneObject, tolerance_m: float = 0.01) -> bool:
    """Whether an upward face of the carrier lies under some point of a thing, as high as the thing's bottom."""
    own = scene.face_instance == carrier.instance_id
    a, b, c = np.moveaxis(scene.vertices_m[scene.faces[own]].astype(np.float64), 1, 0)
    normal = np.cross(b - a, c - a)
    level = np.abs(normal[:, 1]) > 0.97 * np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
    level &= np.abs(a[:, 1] - bottom_m(thing)) < tolerance_m
    a, b, c = a[level][:, [0, 2]], b[level][:, [0, 2]], c[level][:, [0, 2]]
    corners = thing.box.corners_m()[:, [0, 2]]
    middle = corners.mean(axis=0)
    points = [middle + share * (corner - middle) for share in (0.0, 0.35, 0.7) for corner in corners]
    for point in points:
        signs = [_side(p, q, point) for p, q in ((a, b), (b, c), (c, a))]
        inside = np.all([s >= -1e-9 for s in signs], axis=0) | np.all([s <= 1e-9 for s in signs], axis=0)
        if inside.any():
            return True
    return False


def _side(p: np.ndarray, q: np.ndarray, point: np.ndarray) -> np.ndarray:
    return (q[:, 0] - p[:, 0]) * (point[1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (point[0] - p[:, 0])


def free_floor(
    scene: PackedScene, floor_m: float, clearance_m: float, cell_m: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Cells of a storey that no face between shin and head height comes near; and the corner of the grid."""
    rooms = [room.bounds_m for room in scene.rooms if room.floor_m == floor_m]
    low = np.min([bounds[:2] for bounds in rooms], axis=0) - 0.2
    high = np.max([bounds[2:] for bounds in rooms], axis=0) + 0.2
    shape = np.ceil((high - low) / cell_m).astype(int)
    ignored = {"floor", "ceiling", "rug", "mat"}
    solid_ids = [thing.instance_id for thing in scene.objects if thing.category not in ignored]
    corners = scene.vertices_m[scene.faces]
    tall = (corners[:, :, 1].min(axis=1) < floor_m + 1.6) & (corners[:, :, 1].max(axis=1) > floor_m + 0.06)
    corners = corners[tall & np.isin(scene.face_instance, solid_ids)][:, :, [0, 2]]
    starts = np.floor((corners.min(axis=1) - clearance_m - low) / cell_m).astype(int).clip(0)
    ends = np.ceil((corners.max(axis=1) + clearance_m - low) / cell_m).astype(int).clip(0)
    free = np.ones((shape[1], shape[0]), dtype=bool)
    for x0, z0, x1, z1 in np.unique(np.concatenate([starts, ends], axis=1), axis=0).tolist():
        free[z0:z1, x0:x1] = False
    return free, low
