"""Tables and desks."""

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_fronts, add_legs
from backsight.sim.embedded.scenes.piece import HIDE_ENDS, HIDE_TOP, POLE, Piece, Round


def table(finishes: Finishes, paint: Paint, size_m: tuple[float, float, float], variant: int) -> Piece:
    """Return a table with legs and top.

    Args:
        finishes: materials of the flat.
        paint: colour of the top.
        size_m: width, height, depth.
        variant: 0 four square legs and an apron, 1 round top on a foot, 2 tapered round legs, 3 two trestles.
    """
    width, height, depth = size_m
    piece = Piece("table", paint.name)
    top = finishes.material(paint, "wood")
    thick = 0.035 if height > 0.6 else 0.045
    if variant == 1:
        stretch = Round(12, 1.0, depth / width)
        piece.frustum((0.0, height - thick, 0.0), (width / 2, width / 2), thick, top, shape=stretch)
        foot = finishes.shade(paint, 0.8)
        piece.frustum((0.0, 0.0, 0.0), (0.3 * width, 0.27 * width), 0.03, foot, shape=stretch)
        piece.frustum((0.0, 0.03, 0.0), (0.07, 0.05), height - thick - 0.03, foot, shape=POLE)
        piece.offer("on", (0.0, height, 0.0), (0.66 * width, 0.66 * depth))
        return piece
    piece.box((0.0, height - thick, 0.0), (width, thick, depth), top)
    piece.offer("on", (0.0, height, 0.0), (width - 0.04, depth - 0.04))
    if variant == 3:
        for side in (-1, 1):
            x = side * (width / 2 - 0.14)
            piece.box((x, 0.0, 0.0), (0.07, height - thick, 0.10), top, hidden=HIDE_ENDS)
            piece.box((x, 0.0, 0.0), (0.08, 0.05, depth - 0.12), top)
            piece.box((x, height - thick - 0.05, 0.0), (0.08, 0.05, depth - 0.16), top, hidden=HIDE_TOP)
        piece.box((0.0, height * 0.35, 0.0), (width - 0.3, 0.08, 0.035), top)
        if height > 0.6:
            piece.offer("under", (0.0, 0.0, 0.0), (width - 0.4, depth - 0.04), height * 0.35 - 0.01)
        return piece
    thick_leg = 0.065 if height > 0.6 else 0.05
    legs = top if variant == 0 else finishes.metal
    add_legs(piece, (width - 0.06, depth - 0.06), height - thick, thick_leg, legs, variant == 2)
    if variant == 0:
        apron = finishes.shade(paint, 0.85)
        piece.box((0.0, height - thick - 0.08, 0.0), (width - 0.12, 0.08, depth - 0.12), apron, hidden=HIDE_TOP)
    inner = (width - 0.08 - 2 * thick_leg, depth - 0.08 - 2 * thick_leg)
    piece.offer("under", (0.0, 0.0, 0.0), inner, height - thick - (0.09 if variant == 0 else 0.01))
    return piece


def dining_table(finishes: Finishes, paint: Paint, seats: int) -> Piece:
    """Return a table for four or six chairs."""
    rng = finishes.rng
    height = rng.uniform(0.73, 0.77)
    if seats == 4:
        if rng.random() < 0.5:
            edge = rng.uniform(0.95, 1.15)
            return table(finishes, paint, (edge, height, edge), 1)
        size = (rng.uniform(1.15, 1.35), height, rng.uniform(0.78, 0.88))
    else:
        size = (rng.uniform(1.55, 1.85), height, rng.uniform(0.82, 0.95))
    return table(finishes, paint, size, int(rng.choice([0, 2, 3])))


def coffee_table(finishes: Finishes, paint: Paint) -> Piece:
    """Return a low table."""
    rng = finishes.rng
    height = rng.uniform(0.36, 0.45)
    variant = int(rng.integers(4))
    width = rng.uniform(0.7, 0.9) if variant == 1 else rng.uniform(0.85, 1.15)
    depth = width if variant == 1 else rng.uniform(0.48, 0.6)
    piece = table(finishes, paint, (width, height, depth), variant)
    if variant == 0:
        piece.box((0.0, 0.12, 0.0), (width - 0.1, 0.02, depth - 0.1), finishes.shade(paint, 0.9))
        piece.surfaces = piece.offers("on")
        piece.offer("in", (0.0, 0.14, 0.0), (width - 0.2, depth - 0.2), height - 0.28)
    return piece


def side_table(finishes: Finishes, paint: Paint) -> Piece:
    """Return a small table for a lamp or a plant."""
    rng = finishes.rng
    edge = rng.uniform(0.40, 0.52)
    return table(finishes, paint, (edge, rng.uniform(0.5, 0.6), edge), int(rng.integers(3)))


def desk(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a desk: 0 one pedestal of drawers, 1 two pedestals, 2 panel legs with a raised shelf."""
    rng = finishes.rng
    width, depth, height = rng.uniform(1.15, 1.5), rng.uniform(0.58, 0.7), rng.uniform(0.72, 0.76)
    piece = Piece("desk", paint.name)
    wood, front = finishes.material(paint, "wood"), finishes.shade(paint, 1.1)
    piece.box((0.0, height - 0.035, 0.0), (width, 0.035, depth), wood)
    pedestal = 0.38
    sides = (-1, 1) if variant == 1 else (1,) if variant == 0 else ()
    for side in (-1, 1):
        x = side * (width / 2 - 0.02)
        if side not in sides:
            piece.box((x, 0.0, 0.0), (0.04, height - 0.035, depth - 0.04), wood, hidden=HIDE_ENDS)
            continue
        middle = side * (width - pedestal) / 2
        piece.box((middle, 0.0, -0.01), (pedestal, height - 0.035, depth - 0.05), wood, hidden=HIDE_ENDS)
        frame = (middle - pedestal / 2, middle + pedestal / 2, 0.05, height - 0.05)
        add_fronts(piece, frame, depth / 2 - 0.035, (1, 3), (front, finishes.metal))
    piece.box((0.0, height - 0.40, -depth / 2 + 0.06), (width - 0.06, 0.36, 0.02), wood, hidden=HIDE_ENDS)
    if variant == 2:
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.05), height, -depth / 2 + 0.12), (0.03, 0.2, 0.2), wood)
        piece.box((0.0, height + 0.2, -depth / 2 + 0.12), (width - 0.04, 0.025, 0.22), wood)
        piece.offer("on", (0.0, height, 0.11), (width - 0.05, depth - 0.28))
        piece.offer("on", (0.0, height + 0.225, -depth / 2 + 0.12), (width - 0.08, 0.19))
        piece.offer("in", (0.0, height, -depth / 2 + 0.12), (width - 0.16, 0.19), 0.19)
    else:
        piece.offer("on", (0.0, height, 0.0), (width - 0.05, depth - 0.05))
    left = -width / 2 + (pedestal if -1 in sides else 0.04) + 0.02
    right = width / 2 - (pedestal if 1 in sides else 0.04) - 0.02
    free = (right - left, depth - 0.12)
    piece.offer("under", ((left + right) / 2, 0.0, 0.03), free, height - 0.41)
    return piece


def school_desk(finishes: Finishes, paint: Paint) -> Piece:
    """Return a small desk on a metal frame with a shelf for books under its top; its sitter is at +Z."""
    rng = finishes.rng
    width, depth, height = rng.uniform(0.62, 0.72), rng.uniform(0.48, 0.54), rng.uniform(0.7, 0.75)
    piece = Piece("desk", paint.name)
    top, metal = finishes.material(paint, "wood"), finishes.metal
    piece.box((0.0, height - 0.03, 0.0), (width, 0.03, depth), top)
    for side in (-1, 1):
        x = side * (width / 2 - 0.05)
        piece.box((x, 0.035, -0.06), (0.035, height - 0.065, 0.05), metal, hidden=HIDE_ENDS)
        piece.box((x, 0.0, 0.0), (0.04, 0.035, depth - 0.06), metal)
    piece.box((0.0, height - 0.17, -0.03), (width - 0.1, 0.02, depth - 0.12), finishes.shade(paint, 0.85))
    piece.box((0.0, height - 0.15, -depth / 2 + 0.04), (width - 0.1, 0.12, 0.015), finishes.shade(paint, 0.85))
    piece.offer("on", (0.0, height, 0.0), (width - 0.04, depth - 0.04))
    piece.offer("in", (0.0, height - 0.15, 0.0), (width - 0.18, depth - 0.2), 0.11)
    piece.offer("under", (0.0, 0.0, 0.02), (width - 0.2, depth - 0.1), height - 0.18)
    return piece


def work_desk(finishes: Finishes, paint: Paint) -> Piece:
    """Return an office desk: a plain top on two frames of metal, open below, with a low screen at its back."""
    rng = finishes.rng
    width, depth, height = rng.uniform(1.3, 1.6), rng.uniform(0.68, 0.8), rng.uniform(0.72, 0.76)
    piece = Piece("desk", paint.name)
    top, metal = finishes.material(paint, "wood"), finishes.metal
    piece.box((0.0, height - 0.03, 0.0), (width, 0.03, depth), top)
    for side in (-1, 1):
        x = side * (width / 2 - 0.06)
        for z in (-depth / 2 + 0.06, depth / 2 - 0.06):
            piece.box((x, 0.0, z), (0.05, height - 0.03, 0.05), metal, hidden=HIDE_ENDS)
        piece.box((x, height - 0.09, 0.0), (0.045, 0.06, depth - 0.17), metal)
    piece.box((0.0, height - 0.09, -depth / 2 + 0.06), (width - 0.17, 0.05, 0.04), metal)
    if rng.random() < 0.5:
        piece.box((0.0, height, -depth / 2 + 0.015), (width - 0.04, 0.36, 0.025), finishes.material(paint, "fabric"))
    piece.offer("on", (0.0, height, 0.02), (width - 0.05, depth - 0.1))
    piece.offer("under", (0.0, 0.0, 0.02), (width - 0.22, depth - 0.2), height - 0.1)
    return piece


def meeting_table(finishes: Finishes, paint: Paint, seats: int) -> Piece:
    """Return a long table with chamfered ends on two panels.

    Args:
        finishes: materials of the scene.
        paint: colour of the top.
        seats: along one of its long sides, 3 to 6.
    """
    rng = finishes.rng
    width, depth, height = seats * rng.uniform(0.64, 0.7), rng.uniform(1.0, 1.2), rng.uniform(0.73, 0.76)
    piece = Piece("table", paint.name)
    top, dark = finishes.material(paint, "wood"), finishes.shade(paint, 0.85)
    piece.box((0.0, height - 0.04, 0.0), (width - 0.3, 0.04, depth), top)
    for side in (-1, 1):
        piece.box((side * (width / 2 - 0.075), height - 0.04, 0.0), (0.15, 0.04, depth * 0.72), top)
        piece.box((side * width * 0.3, 0.0, 0.0), (0.09, height - 0.04, depth * 0.62), dark, hidden=HIDE_ENDS)
    piece.box((0.0, height * 0.55, 0.0), (width * 0.6, 0.16, 0.04), dark, hidden=HIDE_TOP)
    piece.offer("on", (0.0, height, 0.0), (width - 0.34, depth - 0.05))
    reach = depth / 2 - 0.06
    piece.offer("under", (0.0, 0.0, 0.04 + reach / 2), (width * 0.5, reach), height - 0.05)
    return piece
