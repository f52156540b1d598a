"""Walls, floors, ceilings, doors and windows of a plan, closed against every ray."""

from collections.abc import Sequence

from backsight.sim.embedded.scenes import textures
from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import (
    FRAME_M,
    LEAF_M,
    WALL_M,
    Opening,
    PlanRoom,
    Rect,
    wall_length_m,
    wall_point_m,
    yaw_of_side_rad,
)
from backsight.sim.embedded.scenes.looks import Looks, RoomLook
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.piece import HIDE_BACK, HIDE_ENDS, HIDE_SIDES, Piece
from backsight.sim.embedded.scenes.scene_id import TextureChoice

_OVERLAP_M = 0.01
"""Surfaces run on by this much behind one another, so that no ray slips through a joint."""
_CASING_M = 0.015
"""How far a door frame stands out of the wall."""


def add_structure(
    builder: MeshBuilder,
    finishes: Finishes,
    rooms: Sequence[PlanRoom],
    choice: TextureChoice = "mixed",
) -> None:
    """Add the building itself.

    Args:
        builder: receives the pieces.
        finishes: materials of the scene.
        rooms: with their doors and windows.
        choice: which textures walls and floors have.
    """
    rng = finishes.rng
    looks = Looks(finishes, choice)
    view = finishes.window(textures.window_view(rng))
    trim = finishes.white if rng.random() < 0.6 else finishes.timber
    leaf = finishes.timber if rng.random() < 0.5 else finishes.white
    for room in rooms:
        look = looks.room(room)
        _add_slabs(builder, room, look)
        for side in range(4):
            _add_wall(builder, room, side, (look.walls[side], trim))
            for door in room.doors[side]:
                _add_door(builder, room, side, door, (trim, leaf, finishes.metal))
            for window in room.windows[side]:
                _add_window(builder, room, side, window, (view, finishes.white))


def _metre_uv(corners: list[tuple[float, float]], metres: float) -> tuple[tuple[float, float], ...]:
    return tuple((u / metres, v / metres) for u, v in corners)


def _add_slabs(builder: MeshBuilder, room: PlanRoom, look: RoomLook) -> None:
    """Add floor and ceiling, each with its opening for stairs."""
    x0, z0, x1, z1 = room.rect
    middle_x, middle_z = (x0 + x1) / 2, (z0 + z1) / 2
    reach = WALL_M / 2
    whole = (x0 - reach, z0 - reach, x1 + reach, z1 + reach)
    for category, hole, material in (
        ("floor", room.floor_hole, look.floor),
        ("ceiling", room.ceiling_hole, look.ceiling),
    ):
        slab = Piece(category)
        metres = builder.metres_per_repeat(material)
        for part in _around(whole, hole):
            left, right, back, front = part[0] - middle_x, part[2] - middle_x, part[1] - middle_z, part[3] - middle_z
            corners = [(left, front), (right, front), (right, back), (left, back)]
            corners = corners if category == "floor" else corners[::-1]
            a, b, c, d = ((u, 0.0, v) for u, v in corners)
            slab.quad((a, b, c, d), material, _metre_uv(corners, metres))
        height = room.floor_m if category == "floor" else room.floor_m + room.height_m
        builder.add(slab, (middle_x, height, middle_z), 0.0, room.room_id)


def _around(whole: Rect, hole: Rect | None) -> list[Rect]:
    """Return rectangles that cover `whole` but for `hole`."""
    if hole is None:
        return [whole]
    x0, z0, x1, z1 = whole
    parts = [
        (x0, z0, x1, hole[1]),
        (x0, hole[3], x1, z1),
        (x0, hole[1], hole[0], hole[3]),
        (hole[2], hole[1], x1, hole[3]),
    ]
    return [part for part in parts if part[2] - part[0] > 1e-6 and part[3] - part[1] > 1e-6]


def _add_wall(builder: MeshBuilder, room: PlanRoom, side: int, looks: tuple[int, int]) -> None:
    half = wall_length_m(room.rect, side) / 2
    wall = Piece("wall")
    metres = builder.metres_per_repeat(looks[0])

    def add(left: float, right: float, bottom: float, top: float) -> None:
        edges = [(left, bottom), (right, bottom), (right, top), (left, top)]
        a, b, c, d = ((u, v, 0.0) for u, v in edges)
        wall.quad((a, b, c, d), looks[0], _metre_uv(edges, metres))

    low, high = -_OVERLAP_M, room.height_m + _OVERLAP_M
    start = -half - _OVERLAP_M
    for door in sorted(room.doors[side], key=lambda opening: opening.centre_m):
        left, right = door.centre_m - door.width_m / 2 - 0.02, door.centre_m + door.width_m / 2 + 0.02
        add(start, left, low, high)
        add(left, right, low if door.closed else door.top_m + 0.02, high)
        _add_skirting(wall, (max(start, -half), left - FRAME_M), looks[1])
        start = right
    add(start, half + _OVERLAP_M, low, high)
    skirt = start if start < -half else start + FRAME_M
    _add_skirting(wall, (max(skirt, -half), half), looks[1])
    x, z = wall_point_m(room.rect, side, 0.0)
    builder.add(wall, (x, room.floor_m, z), yaw_of_side_rad(side), room.room_id)


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
    if door.closed:
        _shut_door(piece, door, looks)
        x, z_world = wall_point_m(room.rect, side, door.centre_m)
        builder.add(piece, (x, room.floor_m, z_world), yaw_of_side_rad(side), room.room_id)
        return
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
    builder.add(piece, (x, room.floor_m, z_world), yaw_of_side_rad(side), room.room_id)


def _shut_door(piece: Piece, door: Opening, looks: tuple[int, int, int]) -> None:
    """Add frame and leaves of a door that is shut; the wall goes on behind it."""
    trim, leaf, metal = looks
    half, depth = door.width_m / 2, 2 * _CASING_M
    for hand in (-1, 1):
        at = (hand * (half + FRAME_M / 2), 0.0, depth / 2)
        piece.box(at, (FRAME_M, door.top_m + FRAME_M, depth), trim, hidden=HIDE_BACK)
    piece.box((0.0, door.top_m, depth / 2), (door.width_m, FRAME_M, depth), trim, hidden=HIDE_BACK)
    leaves = 1 if door.width_m < 1.3 else 2
    wide = door.width_m / leaves
    for number in range(leaves):
        middle = (number - (leaves - 1) / 2) * wide
        piece.box((middle, 0.004, 0.009), (wide - 0.006, door.top_m - 0.006, 0.018), leaf, hidden=HIDE_BACK)
        for low, high in ((0.2, 0.9), (1.05, door.top_m - 0.2)):
            piece.box((middle, low, 0.021), (wide - 0.26, high - low, 0.006), trim, hidden=HIDE_BACK)
        hand = -1.0 if number else 1.0
        piece.box((middle + hand * (wide / 2 - 0.07), 1.0, 0.035), (0.12, 0.02, 0.034), metal)


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
    builder.add(piece, (x, room.floor_m, z), yaw_of_side_rad(side), room.room_id)
