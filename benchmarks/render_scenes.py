"""Scenes of a stated number of triangles for the renderer's benchmark: four furnished rooms, made from numbers."""

import itertools
import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int32

from backsight.geometry.poses import look_pose
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.sim.embedded.packed import Material, PackedScene, RoomLight

SIDE_M = 10.0
HEIGHT_M = 2.7
WALL_M = 0.12
EYE_M = 1.25
KEEP_OFF_M = 0.75
"""Least distance between a camera and the middle of a piece of furniture."""
PIECES_A_ROOM = 10
TEXTURES = 8
TEXTURE_PX = 512

Mesh = tuple[Float64[np.ndarray, "vertices 3"], Int32[np.ndarray, "faces 3"]]


def surface(rows: int, columns: int, place: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Mesh:
    """Return a sheet of 2 x rows x columns triangles.

    Args:
        rows: cells along v.
        columns: cells along u.
        place: turns (u, v) in [0, 1] into points.
    """
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))
    points = place(u, v).reshape(-1, 3)
    corner = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).reshape(-1)
    upper = np.stack([corner, corner + 1, corner + columns + 2], axis=1)
    lower = np.stack([corner, corner + columns + 2, corner + columns + 1], axis=1)
    return points, np.concatenate([upper, lower]).astype(np.int32)


def joined(meshes: list[Mesh]) -> Mesh:
    """Return several meshes as one."""
    starts = np.cumsum([0] + [len(points) for points, _ in meshes[:-1]])
    faces = [faces + start for (_, faces), start in zip(meshes, starts, strict=True)]
    return np.concatenate([points for points, _ in meshes]), np.concatenate(faces).astype(np.int32)


def box(low: tuple[float, float, float], high: tuple[float, float, float], cells: int = 1) -> Mesh:
    """Return a box, each of its sides of cells x cells squares."""
    low_m, size_m = np.array(low), np.array(high) - np.array(low)
    sides = []
    for axis in range(3):
        for end in (0.0, 1.0):

            def place(u: np.ndarray, v: np.ndarray, axis: int = axis, end: float = end) -> np.ndarray:
                points = np.empty((*u.shape, 3))
                points[..., axis] = end
                points[..., (axis + 1) % 3] = u if end else v
                points[..., (axis + 2) % 3] = v if end else u
                return low_m + size_m * points

            sides.append(surface(cells, cells, place))
    return joined(sides)


def ball(radius_m: float, height_m: float, cells: int) -> Mesh:
    """Return an upright spheroid that stands on the floor, 4 x cells x cells triangles."""

    def place(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        turn, rise = 2 * math.pi * u, math.pi * v
        ring = radius_m * np.sin(rise)
        return np.stack([ring * np.cos(turn), height_m / 2 * (1 - np.cos(rise)), ring * np.sin(turn)], axis=-1)

    return surface(cells, 2 * cells, place)


def vase(radius_m: float, height_m: float, cells: int) -> Mesh:
    """Return a wavy tube, 4 x cells x cells triangles."""

    def place(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        turn = 2 * math.pi * u
        ring = radius_m * (0.7 + 0.3 * np.cos(5 * v + 2))
        return np.stack([ring * np.cos(turn), height_m * v, ring * np.sin(turn)], axis=-1)

    return surface(cells, 2 * cells, place)


def shelf(cells: int, rng: np.random.Generator) -> Mesh:
    """Return a cupboard full of books, cells x cells / 3 boxes."""
    width_m, depth_m, height_m = 1.2, 0.4, 1.9
    parts = [box((-width_m / 2, 0, -depth_m / 2), (width_m / 2, height_m, -depth_m / 2 + 0.02), 2)]
    boards = max(cells // 6, 4)
    books = cells * cells // 3 // boards
    for board in range(boards):
        floor_m = height_m * board / boards
        parts.append(box((-width_m / 2, floor_m, -depth_m / 2), (width_m / 2, floor_m + 0.02, depth_m / 2)))
        for book in range(books):
            left_m = -width_m / 2 + width_m * book / books
            top_m = floor_m + height_m / boards * rng.uniform(0.5, 0.9)
            parts.append(box((left_m, floor_m + 0.02, -0.15), (left_m + 0.8 * width_m / books, top_m, 0.12)))
    return joined(parts)


def furniture(kind: int, cells: int, rng: np.random.Generator) -> Mesh:
    """Return one piece of about 4 x cells x cells triangles around the origin."""
    if kind % 4 == 0:
        return ball(0.3, 0.8, cells)
    if kind % 4 == 1:
        return vase(0.25, 1.1, cells)
    if kind % 4 == 2:
        return shelf(cells, rng)
    legs = [box((x, 0, z), (x + 0.06, 0.72, z + 0.06), cells // 5) for x in (-0.6, 0.54) for z in (-0.4, 0.34)]
    return joined([*legs, box((-0.6, 0.72, -0.4), (0.6, 0.76, 0.4), cells // 2)])


def shell() -> list[tuple[str, int, Mesh]]:
    """Return category, room and mesh of floor, ceiling and walls with doors and windows."""
    half, side, high = SIDE_M / 2, SIDE_M, HEIGHT_M
    parts: list[tuple[str, int, Mesh]] = [
        ("floor", 1, box((0, -0.1, 0), (side, 0, side), 8)),
        ("ceiling", 1, box((0, high, 0), (side, high + 0.1, side), 8)),
    ]
    for number, (along, at) in enumerate(((0, 0.0), (0, half), (0, side), (2, 0.0), (2, half), (2, side))):
        inner = at == half
        bottom, top = (0.0, 2.05) if inner else (0.9, 2.1)
        edges = (0.0, 2.0, 2.9, half + 2.0, half + 2.9, side)
        pieces = []
        for start, end in itertools.pairwise(edges):
            opening = abs(end - start - 0.9) < 1e-9
            for low, above in ((0.0, bottom), (top, high)) if opening else ((0.0, high),):
                if above > low:
                    first, last = [start, low, start], [end, above, end]
                    first[2 - along], last[2 - along] = at - WALL_M / 2, at + WALL_M / 2
                    pieces.append(box((first[0], first[1], first[2]), (last[0], last[1], last[2]), 4))
        parts.append(("wall", 1 + number % 4, joined(pieces)))
    return parts


def speed_scene(triangles: int, seed: int = 0) -> tuple[PackedScene, Float64[np.ndarray, "pieces 3"]]:
    """Return four rooms with forty pieces of furniture, and where those stand.

    Args:
        triangles: about how many there are to be.
        seed: of places and looks.
    """
    rng = np.random.default_rng(seed)
    cells = round(math.sqrt(triangles / (4 * PIECES_A_ROOM) / 4.2))
    rooms, places, parts = [], [], shell()
    half = SIDE_M / 2
    for slot in range(4):
        corner = np.array([half * (slot % 2), 0.0, half * (slot // 2)])
        low, high = corner[[0, 2]].tolist(), (corner[[0, 2]] + half).tolist()
        rooms.append(Room(slot + 1, "study", (low[0], low[1], high[0], high[1]), height_m=HEIGHT_M))
        for piece in range(PIECES_A_ROOM):
            turn = 2 * math.pi * piece / PIECES_A_ROOM
            middle = corner + np.array([half / 2, 0.0, half / 2])
            place = middle + 1.75 * np.array([math.cos(turn), 0.0, math.sin(turn)])
            points, faces = furniture(piece + slot, cells, rng)
            yaw = rng.uniform(0, 2 * math.pi)
            around = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
            parts.append(("chair", slot + 1, (points @ around.T + place, faces)))
            places.append(place)
    lights = tuple(
        RoomLight(room.room_id, (room.bounds_m[0] + half / 2, 2.5, room.bounds_m[1] + half / 2), (0.9, 0.85, 0.8))
        for room in rooms
    )
    return packed(parts, tuple(rooms), lights, rng), np.array(places)


def packed(
    parts: list[tuple[str, int, Mesh]],
    rooms: tuple[Room, ...],
    lights: tuple[RoomLight, ...],
    rng: np.random.Generator,
) -> PackedScene:
    """Return parts as a scene, one instance and one textured material each; flat normals, texture by position."""
    points, faces = joined([mesh for _, _, mesh in parts])
    counts = [len(mesh[1]) for _, _, mesh in parts]
    corners = points[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-20)
    main = np.abs(normal).argmax(axis=1)
    across = np.where(main == 0, 2, 0)[:, None, None]
    down = np.where(main == 1, 2, 1)[:, None, None]
    uv = np.concatenate([np.take_along_axis(corners, across, axis=2), np.take_along_axis(corners, down, axis=2)], 2)
    numbers = np.repeat(np.arange(len(parts)), counts).astype(np.int32)
    ids_of_rooms = np.array([room_id for _, room_id, _ in parts], dtype=np.int32)
    boxes = [(mesh[0].min(axis=0), mesh[0].max(axis=0)) for _, _, mesh in parts]
    colours = rng.uniform(0.6, 1.0, (len(parts), 3))
    tiles = rng.integers(60, 250, (TEXTURES, 1, 1, 3)) + rng.integers(-40, 40, (TEXTURES, 8, 8, 1))
    fine = rng.integers(-20, 20, (TEXTURES, TEXTURE_PX, TEXTURE_PX, 3))
    repeat = TEXTURE_PX // 8
    textures = np.clip(tiles.repeat(repeat, axis=1).repeat(repeat, axis=2) + fine, 0, 255).astype(np.uint8)
    return PackedScene(
        vertices_m=points.astype(np.float32),
        faces=faces,
        face_uv=np.ascontiguousarray(uv, dtype=np.float32),
        face_normals=np.repeat(normal[:, None], 3, axis=1).astype(np.float32),
        face_material=numbers,
        face_instance=numbers + 1,
        face_room=ids_of_rooms[numbers],
        materials=tuple(
            Material((colour[0], colour[1], colour[2]), texture=index % TEXTURES)
            for index, colour in enumerate(colours.tolist())
        ),
        textures=tuple(textures),
        lights=lights,
        objects=tuple(
            SceneObject(index + 1, category, room_id, _box(*boxes[index]))
            for index, (category, room_id, _) in enumerate(parts)
        ),
        rooms=rooms,
        ceiling_m=HEIGHT_M,
    )


def _box(low_m: np.ndarray, high_m: np.ndarray) -> OrientedBox:
    """Return the axis-aligned box between two corners."""
    x, y, z = ((low_m + high_m) / 2).tolist()
    width, height, depth = (high_m - low_m).tolist()
    return OrientedBox((x, y, z), (width, height, depth))


def speed_poses(places: Float64[np.ndarray, "pieces 3"], count: int, seed: int = 1) -> Float64[np.ndarray, "count 4 4"]:
    """Return poses at eye height that look all ways, none of them inside furniture or a wall.

    Args:
        places: where furniture stands.
        count: of poses.
        seed: of the poses.
    """
    rng = np.random.default_rng(seed)
    poses: list[np.ndarray] = []
    while len(poses) < count:
        x, z = rng.uniform(0.4, SIDE_M - 0.4, 2).tolist()
        in_wall = abs(x - SIDE_M / 2) < 0.3 or abs(z - SIDE_M / 2) < 0.3
        if in_wall or np.hypot(places[:, 0] - x, places[:, 2] - z).min() < KEEP_OFF_M:
            continue
        eye = np.array([x, EYE_M, z])
        poses.append(look_pose(eye, float(rng.uniform(-math.pi, math.pi)), float(rng.uniform(-0.3, 0.1))))
    return np.stack(poses)
