"""Parts that many pieces of furniture share: legs, handles, carcasses, rods, discs and open boxes."""

import math

from backsight.sim.embedded.scenes.piece import (
    HIDE_BACK,
    HIDE_BOTTOM,
    HIDE_ENDS,
    HIDE_TOP,
    POLE,
    Piece,
    Round,
    Vector,
)

DISC = Round(10)
"""Ten sides: a turned disc then has an edge exactly at its lowest point."""

HIDDEN = HIDE_BACK | HIDE_BOTTOM
"""Faces of a front or a handle that hardly ever show."""


def add_legs(
    piece: Piece, footprint_m: tuple[float, float], height_m: float, thick_m: float, material: int, round_legs: bool
) -> None:
    """Add four legs at the corners of a footprint.

    Args:
        piece: what stands on them.
        footprint_m: width and depth over the outsides of the legs.
        height_m: their length.
        thick_m: their thickness.
        material: material index.
        round_legs: six-sided tapered legs in place of square ones.
    """
    x, z = footprint_m[0] / 2 - thick_m / 2, footprint_m[1] / 2 - thick_m / 2
    for base_x in (-x, x):
        for base_z in (-z, z):
            if round_legs:
                radii = (thick_m * 0.35, thick_m * 0.5)
                piece.frustum((base_x, 0.0, base_z), radii, height_m, material, shape=POLE)
            else:
                size = (thick_m, height_m, thick_m)
                piece.box((base_x, 0.0, base_z), size, material, hidden=HIDE_ENDS)


def add_fronts(
    piece: Piece,
    frame_m: tuple[float, float, float, float],
    front_z_m: float,
    grid: tuple[int, int],
    looks: tuple[int, int],
) -> None:
    """Add a grid of door or drawer fronts with handles.

    Args:
        piece: the cabinet.
        frame_m: left, right, bottom and top of the fronts.
        front_z_m: plane of the carcass that they lie on.
        grid: columns and rows.
        looks: material of the fronts and of the handles.
    """
    left, right, bottom, top = frame_m
    columns, rows = grid
    width, height = (right - left) / columns, (top - bottom) / rows
    for column in range(columns):
        for row in range(rows):
            x, y = left + (column + 0.5) * width, bottom + row * height + 0.008
            piece.box((x, y, front_z_m + 0.009), (width - 0.016, height - 0.016, 0.018), looks[0], hidden=HIDDEN)
            if height > width:
                side = 1.0 if column % 2 == 0 else -1.0
                grip_x, grip_y = x + side * (width / 2 - 0.05), y + height * (0.45 if height > 1.0 else 0.6)
                size = (0.018, min(0.22, height * 0.3), 0.025)
            else:
                grip_x, grip_y, size = x, y + height * 0.55, (min(0.18, width * 0.4), 0.018, 0.025)
            piece.box((grip_x, grip_y, front_z_m + 0.03), size, looks[1], hidden=HIDDEN)


def add_carcass(piece: Piece, size_m: tuple[float, float, float], base_y_m: float, material: int, plinth: int) -> None:
    """Add a closed cabinet body above a recessed plinth; nothing below it can be seen."""
    width, height, depth = size_m
    if base_y_m > 0.0:
        piece.box((0.0, 0.0, -0.015), (width - 0.04, base_y_m, depth - 0.05), plinth, hidden=HIDE_TOP)
    piece.box((0.0, base_y_m, 0.0), (width, height, depth), material)


def add_rod(piece: Piece, start_m: Vector, end_m: Vector, thick_m: float, material: int, ends: bool = True) -> None:
    """Add a square bar between two points; its lower end is cut back where it would reach below the floor.

    Args:
        piece: what it belongs to.
        start_m: middle of one end, object frame.
        end_m: middle of the other end.
        thick_m: edge of its cross-section.
        material: material index.
        ends: whether its ends can be seen.
    """
    (x, y, z), (end_x, end_y, end_z) = (start_m, end_m) if start_m[1] <= end_m[1] else (end_m, start_m)
    level, rise = math.hypot(end_x - x, end_z - z), end_y - y
    length = math.hypot(level, rise)
    tilt, yaw = math.atan2(level, rise), math.atan2(end_x - x, end_z - z)
    below = thick_m / 2 * math.sin(tilt) - y
    if below > 0.0 and rise > 1e-6:
        share = min(below / rise, 0.9)
        x, y, z = x + share * (end_x - x), y + share * rise, z + share * (end_z - z)
        length *= 1.0 - share
    turn = (tilt, yaw, 0.0) if tilt > 1e-9 else (0.0, 0.0, 0.0)
    piece.box((x, y, z), (thick_m, length, thick_m), material, turn, hidden=0 if ends else HIDE_ENDS)


def add_disc(
    piece: Piece, centre_m: Vector, radius_m: float, thick_m: float, material: int, forward: bool = False
) -> None:
    """Add a wheel whose axle lies along x, or along z where `forward`.

    Args:
        piece: what it belongs to.
        centre_m: middle of the disc, object frame.
        radius_m: its radius.
        thick_m: length along the axle.
        material: material index.
        forward: whether it faces +Z.
    """
    x, y, z = centre_m
    base = (x, y, z - thick_m / 2) if forward else (x + thick_m / 2, y, z)
    turn = (0.0, math.pi / 2 if forward else 0.0, math.pi / 2)
    piece.frustum(base, (radius_m, radius_m), thick_m, material, turn, DISC)


def add_open_box(
    piece: Piece, base_m: Vector, size_m: Vector, wall_m: float, looks: tuple[int, int], offer: bool = True
) -> None:
    """Add a box without a lid and offer its inside.

    Args:
        piece: what it belongs to.
        base_m: middle of its lower face, object frame.
        size_m: outer extents along x, y, z.
        wall_m: thickness of walls and bottom.
        looks: material of the walls and of the bottom.
        offer: whether things can stand in it.
    """
    (x, y, z), (width, height, depth) = base_m, size_m
    piece.box(base_m, (width, wall_m, depth), looks[1])
    for side in (-1, 1):
        at = (x + side * (width - wall_m) / 2, y + wall_m, z)
        piece.box(at, (wall_m, height - wall_m, depth), looks[0], hidden=HIDE_BOTTOM)
        at = (x, y + wall_m, z + side * (depth - wall_m) / 2)
        piece.box(at, (width - 2 * wall_m, height - wall_m, wall_m), looks[0], hidden=HIDE_BOTTOM)
    if offer:
        inside = (width - 2 * wall_m - 0.01, depth - 2 * wall_m - 0.01)
        piece.offer("in", (x, y + wall_m, z), inside)


def add_level_panel(piece: Piece, centre_m: Vector, size_m: tuple[float, float], material: int) -> None:
    """Add a quad that lies level, faces up and shows its texture once, its top edge to the back."""
    x, y, z = centre_m
    half_x, half_z = size_m[0] / 2, size_m[1] / 2
    left, right, front, back = x - half_x, x + half_x, z + half_z, z - half_z
    piece.quad(((left, y, front), (right, y, front), (right, y, back), (left, y, back)), material)
