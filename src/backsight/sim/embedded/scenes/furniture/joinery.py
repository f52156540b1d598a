"""Parts that many pieces of furniture share: legs, handles, carcasses."""

from backsight.sim.embedded.scenes.piece import HIDE_BACK, HIDE_BOTTOM, HIDE_ENDS, HIDE_TOP, POLE, Piece

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
