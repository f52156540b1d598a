"""Trolleys and baskets: what things are carried in."""

import math

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_disc, add_open_box, add_rod
from backsight.sim.embedded.scenes.piece import Piece, Round


def trolley(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a trolley: 0 a platform with a bow, 1 a sack barrow, 2 a serving or book trolley of three shelves."""
    rng = finishes.rng
    piece = Piece("trolley", paint.name)
    frame, dark = finishes.material(paint), finishes.dark
    if variant == 1:
        _sack_barrow(piece, (frame, dark), rng.uniform(1.15, 1.3))
        return piece
    length, width = (rng.uniform(0.85, 1.0), rng.uniform(0.55, 0.62)) if variant == 0 else (0.8, 0.46)
    x, z = length / 2 - 0.08, width / 2 - 0.07
    for side in (-1, 1):
        for end in (-1, 1):
            add_disc(piece, (side * x, 0.07, end * z), 0.07, 0.04, dark, True)
    if variant == 0:
        piece.box((0.0, 0.14, 0.0), (length, 0.05, width), frame)
        for side in (-1, 1):
            add_rod(piece, (-length / 2 + 0.03, 0.19, side * z), (-length / 2 - 0.02, 0.95, side * z), 0.04, dark)
        for y in (0.55, 0.95):
            piece.box((-length / 2 + 0.03 - 0.05 * (y - 0.19) / 0.76, y - 0.02, 0.0), (0.04, 0.04, 2 * z), dark)
        piece.offer("on", (0.05, 0.19, 0.0), (length - 0.16, width - 0.06))
        return piece
    for side in (-1, 1):
        for end in (-1, 1):
            piece.box((side * x, 0.14, end * z), (0.035, 0.76, 0.035), frame)
    for y in (0.16, 0.5, 0.84):
        piece.box((0.0, y, 0.0), (length, 0.03, width), frame)
        kind, free = ("on", math.inf) if y > 0.8 else ("in", 0.3)
        piece.offer(kind, (0.0, y + 0.03, 0.0), (2 * x - 0.05, width - 0.03 if y > 0.8 else 2 * z - 0.05), free)
    piece.box((length / 2 + 0.03, 0.86, 0.0), (0.03, 0.03, width - 0.06), dark)
    for side in (-1, 1):
        piece.box((length / 2 + 0.01, 0.86, side * (z - 0.01)), (0.07, 0.03, 0.03), dark)
    return piece


def _sack_barrow(piece: Piece, looks: tuple[int, int], height: float) -> None:
    """Add two wheels, an upright frame and the blade that a load stands on."""
    frame, dark = looks
    for side in (-1, 1):
        add_disc(piece, (side * 0.22, 0.12, -0.12), 0.12, 0.06, dark)
        piece.box((side * 0.17, 0.03, 0.0), (0.045, height, 0.045), frame)
    for step in range(4):
        piece.box((0.0, 0.15 + step * (height - 0.3) / 3, 0.0), (0.34, 0.045, 0.035), frame)
    piece.box((0.0, height, -0.03), (0.4, 0.045, 0.045), dark)
    piece.box((0.0, 0.0, 0.14), (0.42, 0.025, 0.28), frame)
    piece.box((0.0, 0.1, -0.12), (0.42, 0.035, 0.035), frame)
    piece.offer("on", (0.0, 0.025, 0.155), (0.38, 0.22))


def basket(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a basket: 0 for shopping with a bow handle, 1 a laundry basket, 2 woven and round, 3 woven and low."""
    rng = finishes.rng
    piece = Piece("basket", paint.name)
    weave = finishes.material(paint, "fabric")
    dark, light = finishes.shade(paint, 0.78), finishes.shade(paint, 1.1)
    if variant in (1, 2):
        radius = rng.uniform(0.21, 0.26) if variant == 1 else rng.uniform(0.15, 0.19)
        high = rng.uniform(0.5, 0.6) if variant == 1 else rng.uniform(0.18, 0.24)
        shape = Round(10, 1.25 if variant == 1 else 1.0, bottom=False, top=False)
        piece.frustum((0.0, 0.0, 0.0), (radius * 0.86, radius), high, weave, shape=shape)
        piece.frustum((0.0, 0.012, 0.0), (radius * 0.82, radius * 0.95), high - 0.012, dark, shape=shape)
        cap = Round(10, shape.stretch_x, bottom=False)
        piece.frustum((0.0, 0.0, 0.0), (radius * 0.84, radius * 0.84), 0.014, dark, shape=cap)
        for y in (high * 0.3, high * 0.62, high - 0.03):
            band = radius * (0.86 + 0.14 * y / high) + 0.006
            piece.frustum((0.0, y, 0.0), (band, band), 0.03, light, shape=shape)
        reach = radius * 1.05
        piece.offer("in", (0.0, 0.014, 0.0), (reach * shape.stretch_x, reach))
        return piece
    width, depth = rng.uniform(0.4, 0.48), rng.uniform(0.28, 0.34)
    high = rng.uniform(0.2, 0.26) if variant == 0 else rng.uniform(0.12, 0.16)
    add_open_box(piece, (0.0, 0.0, 0.0), (width, high, depth), 0.015, (weave, dark), offer=False)
    piece.offer("in", (0.0, 0.015, 0.0), (width - 0.05, depth - 0.05), high - 0.04 if variant == 0 else math.inf)
    for y in (high * 0.3, high - 0.033):
        for side in (-1, 1):
            piece.box((0.0, y, side * (depth / 2 + 0.003)), (width + 0.012, 0.03, 0.008), light)
            piece.box((side * (width / 2 + 0.003), y, 0.0), (0.008, 0.03, depth + 0.004), light)
    if variant == 0:
        for side in (-1, 1):
            add_rod(piece, (side * width * 0.46, high - 0.02, 0.0), (side * width * 0.3, high + 0.17, 0.0), 0.024, dark)
        piece.box((0.0, high + 0.155, 0.0), (width * 0.6 + 0.024, 0.028, 0.03), dark)
    return piece
