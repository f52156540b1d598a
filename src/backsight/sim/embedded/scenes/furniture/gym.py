"""Gym machines, weights and mats, punching bags and lockers."""

import math

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_disc, add_rod
from backsight.sim.embedded.scenes.piece import HIDE_BACK, HIDE_BOTTOM, POLE, Piece, Round, Vector


def treadmill(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a treadmill that is mounted from its front (+Z): 0 with handrails, 1 heavy with side arms, 2 folding."""
    rng = finishes.rng
    piece = Piece("treadmill", paint.name)
    frame, belt = finishes.material(paint), finishes.builder.material((0.13, 0.13, 0.14))
    length, width = rng.uniform(1.6, 1.85), rng.uniform(0.7, 0.82)
    deck = 0.2 if variant == 1 else 0.15
    piece.box((0.0, 0.0, 0.0), (width, deck - 0.03, length), frame)
    piece.box((0.0, deck - 0.03, 0.05), (width * 0.66, 0.03, length - 0.14), belt)
    for side in (-1, 1):
        piece.box((side * width * 0.42, deck - 0.03, 0.05), (width * 0.15, 0.045, length - 0.1), frame)
    back, top = -length / 2 + 0.16, rng.uniform(1.2, 1.35)
    hood = 0.16 if variant == 2 else 0.26
    piece.box((0.0, deck - 0.03, back - 0.02), (width, hood, 0.28), frame, taper=0.8)
    for side in (-1, 1):
        x = side * width * 0.44
        foot, head = (x, deck, back + 0.1), (x, top, back - 0.02)
        add_rod(piece, foot, head, 0.07, frame)
        reach = 0.62 if variant == 1 else 0.4
        add_rod(piece, (x, top - 0.14, back), (x, top - 0.2, back + reach), 0.05, finishes.dark)
        if variant == 1:
            add_rod(piece, (x, deck, back + reach - 0.05), (x, top - 0.2, back + reach), 0.05, frame)
    piece.box((0.0, top - 0.08, back), (width * 0.94, 0.26, 0.07), frame, (-0.5, 0.0, 0.0))
    piece.box((0.0, top - 0.02, back + 0.03), (width * 0.5, 0.15, 0.03), finishes.glass, (-0.5, 0.0, 0.0))
    if variant == 2:
        piece.box((0.0, top - 0.42, back), (width * 0.88, 0.06, 0.05), finishes.metal)
    return piece


def exercise_bike(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return an exercise bike that looks along +Z: 0 upright with a cased wheel, 1 a racing bike with an open wheel."""
    rng = finishes.rng
    piece = Piece("exercise bike", paint.name)
    frame, dark = finishes.material(paint, "gloss"), finishes.dark
    seat = rng.uniform(0.78, 0.9)
    for z, wide in ((-0.48, 0.5), (0.48, 0.55)):
        piece.box((0.0, 0.0, z), (wide, 0.07, 0.09), frame)
    add_rod(piece, (0.0, 0.08, -0.48), (0.0, 0.08, 0.48), 0.08, frame)
    crank, wheel = (0.0, 0.34, -0.02), (0.0, 0.36, 0.32)
    if variant == 0:
        add_disc(piece, wheel, 0.27, 0.16, frame)
        piece.box((0.0, 0.14, 0.05), (0.15, 0.36, 0.4), frame, taper=0.85)
        add_disc(piece, wheel, 0.15, 0.18, dark)
    else:
        add_disc(piece, wheel, 0.25, 0.05, finishes.metal)
        add_disc(piece, wheel, 0.2, 0.06, frame)
        add_disc(piece, wheel, 0.06, 0.12, dark)
        for side in (-0.07, 0.07):
            add_rod(piece, (side, 0.08, 0.46), (side, 0.72, 0.24), 0.05, frame)
    add_rod(piece, (0.0, 0.1, 0.02), (0.0, seat - 0.06, -0.28), 0.07, frame)
    add_rod(piece, crank, (0.0, 0.74, 0.28), 0.075, frame)
    add_rod(piece, (0.0, 0.66, 0.26), (0.0, 1.06, 0.34), 0.06, frame)
    piece.box((0.0, seat - 0.07, -0.3), (0.25, 0.08, 0.27), dark, taper=0.9)
    add_disc(piece, crank, 0.1, 0.2, dark)
    for side in (-1, 1):
        down = side * 0.14
        add_rod(piece, (side * 0.12, 0.34, -0.02), (side * 0.12, 0.34 + down, 0.05), 0.035, finishes.metal)
        piece.box((side * 0.17, 0.33 + down, 0.05), (0.1, 0.03, 0.1), dark)
        add_rod(piece, (0.0, 1.04, 0.33), (side * 0.24, 1.08, 0.3), 0.045, dark)
        add_rod(piece, (side * 0.24, 1.08, 0.3), (side * 0.24, 1.12, 0.5 if variant else 0.12), 0.045, dark)
    if variant == 0:
        piece.box((0.0, 1.07, 0.36), (0.22, 0.17, 0.05), dark, (0.4, 0.0, 0.0))
    return piece


def dumbbell(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a dumbbell that lies along x: 0 hexagonal heads, 1 round plates, 2 a kettle-shaped weight."""
    rng = finishes.rng
    piece = Piece("dumbbell", paint.name)
    heads, grip = finishes.material(paint, "gloss"), finishes.metal
    if variant == 2:
        radius = rng.uniform(0.09, 0.12)
        profile = [(0.6, 0.0), (0.95, 0.4), (1.0, 0.9), (0.75, 1.5), (0.3, 1.8)]
        piece.lathe((0.0, 0.0, 0.0), [(radius * r, radius * y) for r, y in profile], heads, Round(10, bottom=False))
        top = radius * 2.6
        for side in (-1, 1):
            add_rod(piece, (side * radius * 0.55, radius * 1.5, 0.0), (side * radius * 0.7, top, 0.0), 0.032, heads)
        piece.box((0.0, top - 0.01, 0.0), (radius * 1.4 + 0.03, 0.034, 0.034), heads)
        return piece
    radius, length = rng.uniform(0.06, 0.085), rng.uniform(0.28, 0.36)
    for side in (-1, 1):
        sizes = ((radius, 0.09, 0.0),) if variant == 0 else ((radius, 0.04, -0.03), (radius * 0.75, 0.04, 0.02))
        for size, thick, out in sizes:
            x = side * (length / 2 - 0.05 + out)
            if variant == 0:
                turn = (0.0, 0.0, math.pi / 2)
                piece.frustum((x + thick / 2, size, 0.0), (size, size), thick, heads, turn, Round(6))
            else:
                add_disc(piece, (x, radius, 0.0), size, thick, heads)
    add_rod(piece, (-length / 2, radius, 0.0), (length / 2, radius, 0.0), 0.032, grip)
    return piece


def exercise_ball(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a ball: 0 plain, 1 with a band round it, 2 a small heavy ball."""
    rng = finishes.rng
    piece = Piece("exercise ball", paint.name)
    radius = rng.uniform(0.14, 0.17) if variant == 2 else rng.uniform(0.29, 0.37)
    skin, second = finishes.material(paint, "gloss"), finishes.shade(paint, 0.72)
    steps = 8
    angles = [math.pi * (step / steps - 0.5) for step in range(steps + 1)]
    stations = [(radius * math.cos(angle), radius * (1.0 + math.sin(angle))) for angle in angles]
    for number in range(steps):
        (low, y), (high, next_y) = stations[number], stations[number + 1]
        banded = variant > 0 and number in (3, 4)
        shape = Round(12, bottom=False, top=False)
        piece.frustum((0.0, y, 0.0), (low, high), next_y - y, second if banded else skin, shape=shape)
    return piece


def mat(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a mat: 0 a thin one rolled out, 1 rolled up on the floor, 2 a thick one for jumps with a handle."""
    rng = finishes.rng
    piece = Piece("mat", paint.name)
    cloth, edge = finishes.material(paint), finishes.shade(paint, 0.85)
    width = rng.uniform(0.58, 0.66)
    if variant == 0:
        length = rng.uniform(1.7, 1.85)
        piece.box((0.0, 0.0, 0.0), (width, 0.014, length), cloth)
        for side in (-1, 1):
            piece.box((0.0, 0.014, side * (length / 2 - 0.06)), (width, 0.001, 0.04), edge)
        return piece
    if variant == 1:
        radius = rng.uniform(0.07, 0.09)
        add_disc(piece, (0.0, radius, 0.0), radius * 0.98, width, cloth)
        for x in (-0.2, 0.2):
            add_disc(piece, (x, radius, 0.0), radius, 0.035, edge)
        for side in (-1, 1):
            add_disc(piece, (side * width / 2, radius, 0.0), radius * 0.45, 0.006, edge)
        return piece
    length, thick = rng.uniform(1.8, 2.0), rng.uniform(0.14, 0.22)
    piece.box((0.0, 0.0, 0.0), (1.1, thick, length), cloth)
    piece.box((0.0, thick * 0.42, 0.0), (1.104, thick * 0.16, length + 0.004), edge)
    for z in (-0.45, 0.45):
        piece.box((0.56, thick * 0.35, z), (0.02, 0.045, 0.2), finishes.dark)
    piece.offer("on", (0.0, thick, 0.0), (1.05, length - 0.05))
    return piece


def weight_bench(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a weight bench: 0 flat, 1 with a raised back, 2 flat with a rack and a barbell over its head end."""
    rng = finishes.rng
    piece = Piece("weight bench", paint.name)
    cushion, frame = finishes.material(paint), finishes.dark if paint.name != "black" else finishes.metal
    length, seat = rng.uniform(1.15, 1.3), rng.uniform(0.42, 0.46)
    for z in (-length / 2 + 0.12, length / 2 - 0.12):
        piece.box((0.0, 0.0, z), (0.44, 0.05, 0.07), frame)
        piece.box((0.0, 0.05, z), (0.06, seat - 0.15, 0.06), frame)
    piece.box((0.0, seat - 0.14, 0.0), (0.06, 0.06, length - 0.2), frame)
    if variant == 1:
        piece.box((0.0, seat - 0.08, 0.32), (0.3, 0.08, 0.42), cushion)
        piece.box((0.0, seat - 0.06, 0.08), (0.3, 0.8, 0.08), cushion, (-0.9, 0.0, 0.0))
        add_rod(piece, (0.0, 0.2, -0.42), (0.0, seat + 0.14, -0.3), 0.05, frame)
        return piece
    piece.box((0.0, seat - 0.08, 0.0), (0.31, 0.08, length), cushion)
    if variant == 0:
        piece.offer("on", (0.0, seat, 0.0), (0.27, length - 0.05))
        return piece
    back, top = -length / 2 + 0.08, rng.uniform(0.95, 1.05)
    for side in (-1, 1):
        piece.box((side * 0.5, 0.0, back), (0.07, top, 0.07), frame)
        piece.box((side * 0.5, 0.0, back), (0.08, 0.06, 0.5), frame)
        piece.box((side * 0.5, top - 0.02, back + 0.05), (0.06, 0.08, 0.03), frame)
        for x, radius in ((0.72, 0.2), (0.78, 0.15)):
            add_disc(piece, (side * x, top + 0.02, back), radius, 0.045, cushion)
    piece.box((0.0, 0.08, back), (1.0, 0.06, 0.06), frame)
    add_rod(piece, (-0.9, top + 0.02, back), (0.9, top + 0.02, back), 0.036, finishes.metal)
    return piece


def punching_bag(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a punching bag: 0 hanging from a stand, 1 standing on a heavy base, 2 a ball on a spring."""
    rng = finishes.rng
    piece = Piece("punching bag", paint.name)
    skin, band, frame = finishes.material(paint, "gloss"), finishes.shade(paint, 0.7), finishes.metal
    if variant == 0:
        top, frame = rng.uniform(2.05, 2.2), finishes.shade(paint, 0.9)
        for side in (-1, 1):
            piece.box((side * 0.4, 0.0, -0.1), (0.07, 0.07, 1.1), frame)
        piece.box((0.0, 0.0, -0.55), (0.87, 0.07, 0.08), frame)
        piece.box((0.0, 0.07, -0.55), (0.09, top - 0.07, 0.09), frame)
        piece.box((0.0, top - 0.08, -0.2), (0.08, 0.08, 0.7), frame)
        low, high, radius, z = 0.62, top - 0.35, 0.17, 0.06
        piece.frustum((0.0, low, z), (radius, radius), high - low, skin, shape=Round(12))
        for y in (low + 0.1, high - 0.12):
            piece.frustum((0.0, y, z), (radius + 0.004, radius + 0.004), 0.05, band, shape=Round(12))
        for side in (-1, 1):
            add_rod(piece, (side * radius * 0.8, high, z), (0.0, top - 0.06, z), 0.022, finishes.dark)
        return piece
    piece.lathe(
        (0.0, 0.0, 0.0), [(0.28, 0.0), (0.28, 0.08), (0.13, 0.26)], finishes.shade(paint, 0.9), Round(12, bottom=False)
    )
    if variant == 1:
        top = rng.uniform(1.65, 1.8)
        profile = [(0.15, 0.0), (0.18, 0.06), (0.18, top - 0.5), (0.13, top - 0.3)]
        piece.lathe((0.0, 0.3, 0.0), profile, skin, Round(12))
        piece.frustum((0.0, top * 0.6, 0.0), (0.183, 0.183), 0.05, band, shape=Round(12))
        piece.frustum((0.0, 0.26, 0.0), (0.08, 0.08), 0.05, frame, shape=POLE)
        return piece
    top = rng.uniform(1.25, 1.45)
    piece.frustum((0.0, 0.26, 0.0), (0.03, 0.03), top - 0.56, frame, shape=POLE)
    profile = [(0.05, 0.0), (0.14, 0.08), (0.17, 0.17), (0.14, 0.27), (0.06, 0.34)]
    piece.lathe((0.0, top - 0.34, 0.0), profile, skin, Round(12))
    return piece


def locker(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a row of lockers: 0 three tall doors, 1 two columns of three, 2 low boxes, two of them open."""
    rng = finishes.rng
    piece = Piece("locker", paint.name)
    columns, rows = ((3, 1), (2, 3), (3, 2))[variant]
    width, depth = columns * rng.uniform(0.3, 0.36), rng.uniform(0.44, 0.5)
    height = rng.uniform(0.9, 1.05) if variant == 2 else rng.uniform(1.75, 1.95)
    shell, door = finishes.material(paint), finishes.shade(paint, 1.06)
    piece.box((0.0, 0.0, -0.01), (width - 0.04, 0.08, depth - 0.06), finishes.dark)
    for side in (-1, 1):
        piece.box((side * (width - 0.016) / 2, 0.08, 0.0), (0.016, height - 0.08, depth), shell, hidden=HIDE_BOTTOM)
    piece.box((0.0, 0.08, -depth / 2 + 0.008), (width - 0.032, height - 0.08, 0.016), shell)
    step_x, step_y = width / columns, (height - 0.1) / rows
    for row in range(rows + 1):
        piece.box((0.0, 0.08 + row * step_y, 0.008), (width - 0.032, 0.02, depth - 0.016), shell)
    for column in range(1, columns):
        x = column * step_x - width / 2
        piece.box((x, 0.1, 0.008), (0.016, height - 0.12, depth - 0.016), shell, hidden=HIDE_BOTTOM)
    for column in range(columns):
        for row in range(rows):
            x, y = (column + 0.5) * step_x - width / 2, 0.1 + row * step_y
            if variant == 2 and (column + row) % columns == 1:
                piece.offer("in", (x, y, 0.0), (step_x - 0.05, depth - 0.06), step_y - 0.03)
            else:
                _locker_door(piece, (x, y, depth / 2), (step_x - 0.012, step_y - 0.022), (door, finishes))
    piece.offer("on", (0.0, 0.1 + rows * step_y, 0.0), (width - 0.05, depth - 0.05))
    return piece


def _locker_door(piece: Piece, base_m: Vector, size_m: tuple[float, float], looks: tuple[int, Finishes]) -> None:
    """Add a door with slots at its top and a handle."""
    (x, y, z), (width, height), (look, finishes) = base_m, size_m, looks
    piece.box((x, y, z - 0.004), (width, height, 0.016), look, hidden=HIDE_BACK)
    for slot in range(3):
        at = (x, y + height - 0.08 - slot * 0.04, z + 0.01)
        piece.box(at, (width * 0.5, 0.016, 0.004), finishes.dark, hidden=HIDE_BACK)
    piece.box((x + width * 0.36, y + height * 0.5, z + 0.012), (0.025, 0.1, 0.03), finishes.metal, hidden=HIDE_BACK)
