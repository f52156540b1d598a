"""Soft and small things of homes: mirrors, towels, showers, cushions, curtains, teddy bears and books."""

import itertools
import math

from backsight.sim.embedded.scenes import prints
from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_disc, add_level_panel, add_rod
from backsight.sim.embedded.scenes.piece import HIDE_BOTTOM, LIDDED, ROUND_8, Piece, Round, Vector


def mirror(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a mirror: 0 framed for the wall, 1 round for the wall, 2 tall on a stand; it shows a pale sheen."""
    rng = finishes.rng
    piece = Piece("mirror", None)
    frame = finishes.material(paint)
    glass = finishes.printed("sheen", prints.sheen, 2, 0.9)
    if variant == 1:
        radius = rng.uniform(0.25, 0.35)
        add_disc(piece, (0.0, radius, 0.0), radius, 0.03, frame, True)
        sides = 10
        ring = [(2 * k + 1) * math.pi / sides for k in range(sides)]
        points = [(0.9 * radius * math.sin(a), radius - 0.9 * radius * math.cos(a)) for a in ring]
        for k in range(4):
            picked = [points[i] for i in (k, k + 1, sides - 2 - k, sides - 1 - k)]
            a, b, c, d = ((x, y, 0.016) for x, y in picked)
            uv = [(0.5 + x / (2 * radius), y / (2 * radius)) for x, y in picked]
            piece.quad((a, b, c, d), glass, (uv[0], uv[1], uv[2], uv[3]))
        return piece
    width = rng.uniform(0.42, 0.7)
    height = rng.uniform(1.45, 1.7) if variant == 2 else rng.uniform(0.6, 0.95)
    low = 0.06 if variant == 2 else 0.0
    border = 0.045
    piece.box((0.0, low, -0.004), (width - 0.02, height, 0.018), frame)
    for side in (-1, 1):
        piece.box((side * (width - border) / 2, low, 0.0), (border, height, 0.035), frame)
        y = low + (height - border) * (side + 1) / 2
        piece.box((0.0, y, 0.0), (width - 2 * border, border, 0.035), frame)
    piece.panel((0.0, low + height / 2, 0.0055), width - 2 * border, height - 2 * border, glass)
    if variant == 2:
        for side in (-1, 1):
            x = side * (width / 2 + 0.03)
            piece.box((x, 0.0, 0.0), (0.045, height * 0.62, 0.045), frame)
            piece.box((x, 0.0, 0.0), (0.05, 0.05, 0.42), frame)
    return piece


def towel(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a towel: 0 hanging over a rail on the wall, 1 folded, 2 a stack of three folded ones, 3 rolled up."""
    rng = finishes.rng
    piece = Piece("towel", paint.name)
    cloth, band = finishes.material(paint, "cloth"), finishes.shade(paint, 0.85)
    if variant == 0:
        width, front, back = rng.uniform(0.38, 0.5), rng.uniform(0.5, 0.68), rng.uniform(0.35, 0.5)
        top = front
        piece.box((0.0, 0.0, 0.035), (width, top, 0.022), cloth)
        piece.box((0.0, top - back, -0.005), (width, back, 0.022), cloth)
        piece.box((0.0, top - 0.005, 0.015), (width, 0.025, 0.06), cloth, taper=0.8)
        piece.box((0.0, 0.07, 0.035), (width + 0.002, 0.04, 0.026), band)
        reach = width / 2 + 0.07
        add_rod(piece, (-reach, top - 0.01, 0.015), (reach, top - 0.01, 0.015), 0.02, finishes.metal)
        for side in (-1, 1):
            piece.box((side * (width / 2 + 0.06), top - 0.025, -0.02), (0.035, 0.035, 0.06), finishes.metal)
        return piece
    if variant == 3:
        radius = rng.uniform(0.055, 0.07)
        add_disc(piece, (0.0, radius, 0.0), radius, 0.36, cloth)
        for side in (-1, 1):
            add_disc(piece, (side * 0.18, radius, 0.0), radius * 0.55, 0.006, band)
        return piece
    width, depth = rng.uniform(0.3, 0.38), rng.uniform(0.22, 0.27)
    count = 3 if variant == 2 else 1
    for number in range(count):
        y, shift = number * 0.062, (0.012, -0.01, 0.004)[number]
        piece.box((shift, y, 0.0), (width, 0.03, depth), cloth)
        piece.box((shift, y + 0.03, -0.004), (width, 0.03, depth - 0.008), cloth, taper=0.96)
        piece.box((shift, y + 0.008, depth / 2), (width, 0.014, 0.006), band)
    piece.offer("on", (0.0, count * 0.062 - 0.002, -0.004), (width * 0.85, depth * 0.85))
    return piece


def shower(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a shower with its back to the wall: 0 with a glass side and rim, 1 round in a corner, 2 with a curtain."""
    rng = finishes.rng
    piece = Piece("shower", paint.name)
    edge, height = rng.uniform(0.82, 0.95), rng.uniform(1.95, 2.1)
    ceramic, metal = finishes.material(paint, "gloss"), finishes.metal
    wall = finishes.material(paint)
    half = edge / 2
    piece.box((0.0, 0.0, 0.0), (edge, 0.1, edge), ceramic)
    add_level_panel(piece, (0.0, 0.101, 0.0), (edge - 0.12, edge - 0.12), finishes.shade(paint, 0.93))
    piece.frustum((0.0, 0.1, 0.0), (0.05, 0.05), 0.006, metal, shape=LIDDED)
    piece.box((0.0, 0.1, -half + 0.015), (edge, height - 0.1, 0.03), wall)
    piece.box((-half + 0.015, 0.1, 0.015), (0.03, height - 0.1, edge - 0.03), wall)
    piece.box((-0.06, 0.9, -half + 0.05), (0.03, height - 1.0, 0.03), metal)
    piece.box((-0.06, height - 0.12, -half + 0.16), (0.03, 0.03, 0.24), metal)
    piece.frustum((-0.06, height - 0.16, -half + 0.26), (0.11, 0.03), 0.05, metal, shape=ROUND_8)
    piece.box((-0.06, 0.98, -half + 0.06), (0.2, 0.06, 0.06), metal)
    if variant == 2:
        cloth = finishes.material(finishes.paint("curtain"), "cloth")
        _folds(piece, (cloth, 9), (0.03, half - 0.03, edge - 0.06), (0.14, height - 0.05))
        add_rod(piece, (-half, height - 0.03, half - 0.03), (half, height - 0.03, half - 0.03), 0.03, metal)
        add_rod(piece, (half - 0.03, height - 0.03, -half), (half - 0.03, height - 0.03, half), 0.03, metal)
    else:
        for x, z in ((half - 0.02, half - 0.02), (half - 0.02, -half + 0.04), (-half + 0.05, half - 0.02)):
            piece.box((x, 0.1, z), (0.035, height - 0.1, 0.035), metal)
        for y in (0.1, height - 0.035):
            piece.box((half - 0.02, y, 0.02), (0.03, 0.035, edge - 0.08), metal)
            piece.box((0.01, y, half - 0.02), (edge - 0.08, 0.035, 0.03), metal)
        glass = finishes.glass
        bars = 1 if variant == 0 else 3
        for bar in range(bars):
            y = 0.6 + bar * 0.4
            piece.box((half - 0.02, y, 0.02), (0.012, 0.28, edge - 0.08), glass)
        if variant == 1:
            piece.box((half - 0.1, 0.95, half - 0.0), (0.03, 0.24, 0.04), metal)
    piece.offer("in", (0.03, 0.107, 0.03), (edge - 0.24, edge - 0.24), 0.75 if variant == 2 else 0.7)
    return piece


def _folds(
    piece: Piece, looks: tuple[int, int], place_m: tuple[float, float, float], span_m: tuple[float, float]
) -> None:
    """Add a hanging cloth in folds.

    Args:
        piece: what it belongs to.
        looks: material and number of folds.
        place_m: its middle along x, its z, its width.
        span_m: its lower and upper edge.
    """
    (look, folds), (middle, z, width), (low, high) = looks, place_m, span_m
    deep = min(0.05, width / folds * 0.6)
    count = 2 * folds
    points = [(middle + width * (k / count - 0.5), z + (deep / 2 if k % 2 else -deep / 2)) for k in range(count + 1)]
    for (x, front), (next_x, next_front) in itertools.pairwise(points):
        corners = ((x, low, front), (next_x, low, next_front), (next_x, high, next_front), (x, high, front))
        piece.quad(corners, look)


def curtain(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return curtains on a rod, for the wall over a window: 0 two drawn aside, 1 one closed, 2 two short ones."""
    rng = finishes.rng
    piece = Piece("curtain", paint.name)
    cloth = finishes.material(paint, "cloth")
    width = rng.uniform(1.4, 2.0) if variant != 1 else rng.uniform(0.9, 1.3)
    height = rng.uniform(1.0, 1.3) if variant == 2 else rng.uniform(2.05, 2.25)
    for side in (0,) if variant == 1 else (-1, 1):
        own = width - 0.06 if variant == 1 else width * 0.26
        middle = side * (width / 2 - own / 2 - 0.03)
        _folds(piece, (cloth, round(own / 0.07)), (middle, 0.0, own), (0.0, height))
        if variant == 0:
            piece.box((middle, height * 0.42, 0.0), (own * 0.96, 0.06, 0.07), finishes.shade(paint, 0.8))
    rod = finishes.brass if rng.random() < 0.5 else finishes.dark
    add_rod(piece, (-width / 2 - 0.08, height - 0.02, 0.0), (width / 2 + 0.08, height - 0.02, 0.0), 0.032, rod)
    for side in (-1, 1):
        piece.box((side * (width / 2 + 0.09), height - 0.05, 0.0), (0.06, 0.06, 0.06), rod)
        piece.box((side * (width / 2 + 0.02), height - 0.035, -0.04), (0.03, 0.03, 0.06), rod)
    return piece


def cushion(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a cushion that lies flat: 0 square, 1 a bolster, 2 a flat round one for a seat, 3 upright and leaning."""
    rng = finishes.rng
    piece = Piece("cushion", paint.name)
    cloth, dark = finishes.material(paint, "cloth"), finishes.shade(paint, 0.85)
    edge = rng.uniform(0.38, 0.46)
    if variant == 1:
        radius = 0.085
        add_disc(piece, (0.0, radius, 0.0), radius, edge, cloth)
        for side in (-1, 1):
            add_disc(piece, (side * (edge / 2 + 0.01), radius, 0.0), radius * 0.7, 0.03, dark)
        return piece
    if variant == 2:
        profile = [(edge * 0.44, 0.0), (edge * 0.5, 0.03), (edge * 0.5, 0.06), (edge * 0.4, 0.085)]
        piece.lathe((0.0, 0.0, 0.0), profile, cloth, Round(12, bottom=False))
        piece.frustum((0.0, 0.085, 0.0), (0.02, 0.02), 0.006, dark, shape=LIDDED)
        return piece
    thick = rng.uniform(0.12, 0.15)
    if variant == 3:
        lean = (-0.22, 0.0, 0.0)
        rise = 0.035 * math.sin(0.22)
        piece.box((0.0, rise, 0.06), (edge, edge * 0.5, 0.07), cloth, lean, taper=1.04)
        upper = (0.0, rise + edge * 0.5 * math.cos(0.22), 0.06 - edge * 0.5 * math.sin(0.22))
        piece.box(upper, (edge * 1.04, edge * 0.5, 0.073), cloth, lean, taper=0.92, hidden=HIDE_BOTTOM)
        return piece
    piece.box((0.0, 0.0, 0.0), (edge * 0.8, thick / 2, edge * 0.8), cloth, taper=1.25)
    piece.box((0.0, thick / 2, 0.0), (edge, thick / 2, edge), cloth, taper=0.72, hidden=HIDE_BOTTOM)
    piece.box((0.0, thick / 2 - 0.008, 0.0), (edge + 0.016, 0.016, edge + 0.016), dark)
    return piece


def teddy_bear(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a sitting teddy bear that looks along +Z: 0 plain, 1 with a bow tie, 2 a rabbit with long ears."""
    rng = finishes.rng
    piece = Piece("teddy bear", paint.name)
    size = rng.uniform(0.3, 0.42)
    fur, light = finishes.material(paint, "cloth"), finishes.shade(paint, 1.15)
    eye = finishes.builder.material((0.05, 0.05, 0.06))
    if paint.name == "black":
        eye = finishes.white
    shape = Round(8)
    body = [(0.14, 0.0), (0.22, 0.12), (0.22, 0.3), (0.13, 0.46)]
    piece.lathe((0.0, 0.0, 0.0), [(size * r, size * y) for r, y in body], fur, Round(8, bottom=False))
    head = [(0.1, 0.0), (0.19, 0.1), (0.2, 0.22), (0.09, 0.36)]
    piece.lathe((0.0, size * 0.46, size * 0.01), [(size * r, size * y) for r, y in head], fur, shape)
    muzzle = (0.0, size * 0.56, size * 0.19)
    piece.box(muzzle, (size * 0.15, size * 0.11, size * 0.1), light, taper=0.8)
    piece.box((0.0, size * 0.63, size * 0.24), (size * 0.06, size * 0.045, size * 0.03), eye)
    for side in (-1, 1):
        piece.box((side * size * 0.075, size * 0.69, size * 0.185), (size * 0.045, size * 0.05, size * 0.03), eye)
        tall = 0.36 if variant == 2 else 0.13
        ear = (side * size * (0.09 if variant == 2 else 0.15), size * 0.76, 0.0)
        piece.box(ear, (size * 0.12, size * tall, size * 0.06), fur, (0.0, 0.0, -side * 0.25), 0.8)
        arm, hand = (side * size * 0.2, size * 0.36, size * 0.03), (side * size * 0.3, size * 0.16, size * 0.2)
        add_rod(piece, hand, arm, size * 0.12, fur)
        leg = (side * size * 0.13, 0.0, size * 0.27)
        piece.box(leg, (size * 0.14, size * 0.13, size * 0.34), fur)
        sole = (side * size * 0.13, 0.0, size * 0.44)
        piece.box(sole, (size * 0.15, size * 0.18, size * 0.05), light)
    if variant == 1:
        bow = finishes.material(Paint("", finishes.jitter("red" if paint.name != "pink" else "blue")))
        for side in (-1, 1):
            at = (side * size * 0.07, size * 0.4, size * 0.19)
            piece.box(at, (size * 0.12, size * 0.1, size * 0.04), bow, (0.0, 0.0, side * 0.2))
    return piece


def book(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a book: 0 lying, 1 upright with its cover to the front, 2 open, 3 two lying."""
    rng = finishes.rng
    piece = Piece("book", paint.name)
    cover, title = finishes.material(paint), finishes.shade(paint, 0.7)
    width, height = rng.uniform(0.15, 0.21), rng.uniform(0.22, 0.29)
    thick = rng.uniform(0.03, 0.05)
    if variant == 2:
        return _open_book(piece, (cover, finishes.printed("page", prints.page, 2)), (width, height))
    if variant == 1:
        piece.box((0.0, 0.0, 0.0), (width, height, thick), cover)
        piece.box((0.006, 0.005, 0.0), (width, height - 0.01, thick - 0.012), finishes.white)
        look = finishes.printed(f"cover {paint.name}", lambda draw: prints.poster(draw, paint.colour), 2)
        piece.panel((0.0, height / 2, thick / 2 + 0.001), width, height, look)
        return piece
    for number in range(2 if variant == 3 else 1):
        y, turn = number * thick, (0.0, 0.35 * number, 0.0)
        _lying_book(piece, (cover, finishes.white), (0.0, y, 0.0), (width, thick, height), turn)
    top = (2 if variant == 3 else 1) * thick + 0.001
    add_level_panel(piece, (0.0, top, -0.03), (width * 0.5, height * 0.25), title)
    piece.offer("on", (0.0, top, 0.0), (width * 0.7, height * 0.7))
    return piece


def _lying_book(piece: Piece, looks: tuple[int, int], base_m: Vector, size_m: Vector, turn_rad: Vector) -> None:
    """Add a closed book whose pages are a little smaller than its cover."""
    (cover, pages), (width, thick, height), (x, y, z) = looks, size_m, base_m
    for level in (0.0, thick - 0.006):
        piece.box((x, y + level, z), (width, 0.006, height), cover, turn_rad)
    piece.box((x, y + 0.006, z), (width - 0.012, thick - 0.012, height - 0.012), pages, turn_rad)
    yaw = turn_rad[1]
    spine = -width / 2 + 0.003
    at = (x + spine * math.cos(yaw), y, z - spine * math.sin(yaw))
    piece.box(at, (0.006, thick, height), cover, turn_rad)


def _open_book(piece: Piece, looks: tuple[int, int], size_m: tuple[float, float]) -> Piece:
    """Add two covers with pages that rise towards the fold."""
    (cover, page), (width, height) = looks, size_m
    piece.box((0.0, 0.0, 0.0), (2 * width + 0.02, 0.008, height + 0.016), cover)
    fold, edge, z = 0.034, 0.016, height / 2
    piece.quad(((-width, edge, z), (0.0, fold, z), (0.0, fold, -z), (-width, edge, -z)), page)
    piece.quad(((0.0, fold, z), (width, edge, z), (width, edge, -z), (0.0, fold, -z)), page)
    for front in (z, -z):
        ends = (-width, width) if front > 0 else (width, -width)
        corners = ((ends[0], 0.008, front), (ends[1], 0.008, front), (0.0, fold, front), (ends[0], edge, front))
        piece.quad(corners, page)
    return piece
