"""Walls, floors, ceilings, doors and windows of a plan, closed against every ray."""

import numpy as np

from backsight.records.vocabulary import COLOURS
from backsight.sim.embedded.scenes import textures
from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import (
    FRAME_M,
    LEAF_M,
    WALL_M,
    FloorPlan,
    Opening,
    PlanRoom,
    wall_length_m,
    wall_point_m,
    yaw_of_side_rad,
)
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.piece import HIDE_BACK, HIDE_ENDS, HIDE_SIDES, Piece
from backsight.sim.embedded.scenes.textures import Colour

_OVERLAP_M = 0.01
"""Surfaces run on by this much behind one another, so that no ray slips through a joint."""
_CASING_M = 0.015
"""How far a door frame stands out of the wall."""


def add_structure(builder: MeshBuilder, finishes: Finishes, plan: FloorPlan, ceiling_m: float) -> None:
    """Add the building itself.

    Args:
        builder: receives the pieces.
        finishes: materials of the flat.
        plan: rooms, doors and windows.
        ceiling_m: height of the ceiling.
    """
    rng = finishes.rng
    ceiling = builder.material((0.93, 0.92, 0.90), builder.texture(textures.plaster(rng, (1.0, 1.0, 1.0))))
    view = finishes.window(textures.window_view(rng))
    trim = finishes.white if rng.random() < 0.6 else finishes.timber
    leaf = finishes.timber if rng.random() < 0.5 else finishes.white
    shared_wall = _wall_material(finishes, plain=True)
    shared_floor = _floor_material(finishes, "living room")
    for room in plan.rooms:
        kind = rng.random()
        plain = kind < 0.42
        wall = shared_wall if kind < 0.2 else _wall_material(finishes, plain)
        alike = room.room_type not in ("bathroom", "kitchen") and rng.random() < 0.35
        floor = shared_floor if alike else _floor_material(finishes, room.room_type)
        _add_slabs(builder, room, (floor, ceiling), ceiling_m)
        feature = int(rng.integers(4)) if plain and rng.random() < 0.35 else -1
        accent = _wall_material(finishes, plain=False) if feature >= 0 else wall
        for side in range(4):
            look = accent if side == feature else wall
            _add_wall(builder, room, side, (look, trim), ceiling_m)
            for door in room.doors[side]:
                _add_door(builder, room, side, door, (trim, leaf, finishes.metal))
            for window in room.windows[side]:
                _add_window(builder, room, side, window, (view, finishes.white))


def _light(rng: np.random.Generator) -> Colour:
    """Return a pale wall colour of a random tint."""
    names = ("white", "beige", "yellow", "green", "teal", "blue", "pink", "grey", "orange", "purple")
    tint = np.array(COLOURS[names[int(rng.integers(len(names)))]]) / 255.0
    pale = np.clip(1.0 - (1.0 - tint) * rng.uniform(0.15, 0.45), 0.0, 0.96)
    return (float(pale[0]), float(pale[1]), float(pale[2]))


def _wall_material(finishes: Finishes, plain: bool) -> int:
    rng, builder = finishes.rng, finishes.builder
    ground = _light(rng)
    if plain:
        if rng.random() < 0.5:
            return builder.material(ground)
        return builder.material((1.0, 1.0, 1.0), builder.texture(textures.plaster(rng, ground)), 0.0, 1.5)
    names = list(COLOURS)
    second = finishes.jitter(names[int(rng.integers(len(names)))])
    mixed = tuple(0.45 * a + 0.55 * b for a, b in zip(ground, second, strict=True))
    figure = (mixed[0], mixed[1], mixed[2])
    kind = int(rng.integers(6))
    if kind == 5:
        image = textures.bricks(rng, figure)
        return builder.material((1.0, 1.0, 1.0), builder.texture(image), 0.0, rng.uniform(0.8, 1.0))
    makers = (textures.stripes, textures.motifs, textures.lattice, textures.clouds, textures.motifs)
    image = makers[kind](rng, ground, figure)
    return builder.material((1.0, 1.0, 1.0), builder.texture(image), 0.0, rng.uniform(0.7, 1.6))


def _floor_material(finishes: Finishes, room_type: str) -> int:
    rng, builder = finishes.rng, finishes.builder
    woods = ((0.55, 0.40, 0.27), (0.70, 0.56, 0.40), (0.42, 0.29, 0.20), (0.64, 0.58, 0.50), (0.78, 0.68, 0.54))
    wood_index = int(rng.integers(len(woods)))
    red, green, blue = (float(v) for v in np.array(woods[wood_index]) * rng.uniform(0.9, 1.15))
    wood = (red, green, blue)
    stone = _light(rng)
    wet = room_type in ("bathroom", "kitchen")
    kind = int(rng.choice([3, 3, 4, 5] if wet else [0, 0, 1, 2, 2, 4, 5, 3]))
    gloss, metres = 0.2, 1.2
    if kind == 0:
        image, metres = textures.planks(rng, wood), rng.uniform(1.4, 2.0)
    elif kind == 1:
        image, metres = textures.parquet(rng, wood), rng.uniform(1.2, 1.8)
    elif kind == 2:
        names = ("beige", "grey", "brown", "teal", "blue", "red", "green", "purple")
        image = textures.carpet(rng, finishes.jitter(names[int(rng.integers(len(names)))]))
        gloss, metres = 0.0, 0.9
    elif kind == 3:
        dark = tuple(value * rng.uniform(0.45, 1.0) for value in stone)
        image = textures.tiles(rng, stone, (dark[0], dark[1], dark[2]))
    elif kind == 4:
        image, metres = textures.terrazzo(rng, stone), rng.uniform(0.8, 1.2)
    else:
        image, metres = textures.marble(rng, stone), rng.uniform(1.5, 2.5)
    return builder.material((1.0, 1.0, 1.0), builder.texture(image), gloss, metres)


def _metre_uv(corners: list[tuple[float, float]], metres: float) -> tuple[tuple[float, float], ...]:
    return tuple((u / metres, v / metres) for u, v in corners)


def _add_slabs(builder: MeshBuilder, room: PlanRoom, looks: tuple[int, int], ceiling_m: float) -> None:
    x0, z0, x1, z1 = room.rect
    middle = ((x0 + x1) / 2, 0.0, (z0 + z1) / 2)
    x, z = (x1 - x0) / 2 + WALL_M / 2, (z1 - z0) / 2 + WALL_M / 2
    corners = [(-x, z), (x, z), (x, -z), (-x, -z)]
    floor = Piece("floor")
    a, b, c, d = ((u, 0.0, v) for u, v in corners)
    floor.quad((a, b, c, d), looks[0], _metre_uv(corners, builder.metres_per_repeat(looks[0])))
    builder.add(floor, middle, 0.0, room.room_id)
    ceiling = Piece("ceiling")
    a, b, c, d = ((u, 0.0, v) for u, v in reversed(corners))
    ceiling.quad((a, b, c, d), looks[1], _metre_uv(corners[::-1], builder.metres_per_repeat(looks[1])))
    builder.add(ceiling, (middle[0], ceiling_m, middle[2]), 0.0, room.room_id)


def _add_wall(builder: MeshBuilder, room: PlanRoom, side: int, looks: tuple[int, int], ceiling_m: float) -> None:
    half = wall_length_m(room.rect, side) / 2
    wall = Piece("wall")
    metres = builder.metres_per_repeat(looks[0])

    def add(left: float, right: float, bottom: float, top: float) -> None:
        edges = [(left, bottom), (right, bottom), (right, top), (left, top)]
        a, b, c, d = ((u, v, 0.0) for u, v in edges)
        wall.quad((a, b, c, d), looks[0], _metre_uv(edges, metres))

    low, high = -_OVERLAP_M, ceiling_m + _OVERLAP_M
    start = -half - _OVERLAP_M
    for door in sorted(room.doors[side], key=lambda opening: opening.centre_m):
        left, right = door.centre_m - door.width_m / 2 - 0.02, door.centre_m + door.width_m / 2 + 0.02
        add(start, left, low, high)
        add(left, right, door.top_m + 0.02, high)
        _add_skirting(wall, (max(start, -half), left - FRAME_M), looks[1])
        start = right
    add(start, half + _OVERLAP_M, low, high)
    skirt = start if start < -half else start + FRAME_M
    _add_skirting(wall, (max(skirt, -half), half), looks[1])
    x, z = wall_point_m(room.rect, side, 0.0)
    builder.add(wall, (x, 0.0, z), yaw_of_side_rad(side), room.room_id)


def _add_skirting(wall: Piece, span_m: tuple[float, float], material: int) -> None:
    left, right = span_m
    if right - left < 0.02:
        return
    z, top = 0.008, 0.07
    wall.quad(((left, 0.0, z), (right, 0.0, z), (right, top, z), (left, top, z)), material)
    wall.quad(((left, top, z), (right, top, z), (right, top, 0.0), (left, top, 0.0)), material)


def _add_door(builder: MeshBuilder, room: PlanRoom, side: int, door: Opening, looks: tuple[int, int, int]) -> None:
    """Add this room's half of a door frame and, when the leaf is folded back here, the leaf."""
    trim, leaf, metal = looks
    piece = Piece("door")
    depth = WALL_M / 2 + 0.001 + _CASING_M
    z = (_CASING_M - WALL_M / 2 - 0.001) / 2
    half = door.width_m / 2
    for hand in (-1, 1):
        size = (FRAME_M, door.top_m + FRAME_M, depth)
        piece.box((hand * (half + FRAME_M / 2), 0.0, z), size, trim, hidden=HIDE_BACK)
    piece.box((0.0, door.top_m, z), (door.width_m, FRAME_M, depth), trim, hidden=HIDE_BACK)
    sill_depth = WALL_M / 2 + 0.001
    piece.box((0.0, 0.0, -sill_depth / 2), (door.width_m, 0.004, sill_depth), trim, hidden=HIDE_BACK)
    if door.leaf_side:
        middle = door.leaf_side * (half + FRAME_M + LEAF_M / 2)
        size = (LEAF_M, door.top_m - 0.02, 0.035)
        piece.box((middle, 0.008, 0.045), size, leaf)
        for low, high in ((0.25, 0.9), (1.05, 1.85)):
            panel = (LEAF_M - 0.26, high - low, 0.008)
            piece.box((middle, low, 0.066), panel, trim, hidden=HIDE_BACK)
        grip = middle + door.leaf_side * (LEAF_M / 2 - 0.07)
        piece.box((grip - door.leaf_side * 0.03, 1.0, 0.09), (0.12, 0.02, 0.02), metal)
    x, z_world = wall_point_m(room.rect, side, door.centre_m)
    builder.add(piece, (x, 0.0, z_world), yaw_of_side_rad(side), room.room_id)


def _add_window(builder: MeshBuilder, room: PlanRoom, side: int, window: Opening, looks: tuple[int, int]) -> None:
    """Add a bright pane before the wall, its frame, a glazing bar and a sill board."""
    view, frame = looks
    piece = Piece("window")
    width, low, high = window.width_m, window.sill_m, window.top_m
    piece.panel((0.0, (low + high) / 2, 0.012), width - 0.06, high - low - 0.06, view)
    bar = 0.05
    for hand in (-1, 1):
        piece.box((hand * (width - bar) / 2, low, 0.016), (bar, high - low, 0.03), frame, hidden=HIDE_BACK | HIDE_ENDS)
    for y in (low, high - bar):
        piece.box((0.0, y, 0.016), (width, bar, 0.028), frame, hidden=HIDE_BACK | HIDE_SIDES)
    bars = 1 if width < 1.4 else 2
    for number in range(bars):
        x = width * ((number + 1) / (bars + 1) - 0.5)
        piece.box((x, low, 0.018), (0.04, high - low, 0.024), frame, hidden=HIDE_BACK | HIDE_ENDS)
    piece.box((0.0, low - 0.03, 0.04), (width + 0.1, 0.03, 0.08), frame, hidden=HIDE_BACK)
    x, z = wall_point_m(room.rect, side, window.centre_m)
    builder.add(piece, (x, 0.0, z), yaw_of_side_rad(side), room.room_id)
