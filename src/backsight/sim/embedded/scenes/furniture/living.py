"""Large things of living rooms and halls: coat racks, fireplaces, pianos and guitars."""

import math

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_legs, add_rod
from backsight.sim.embedded.scenes.piece import HIDE_BACK, LIDDED, Piece, Round


def coat_rack(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a coat rack: 0 a stand with hooks, 1 a board with pegs for the wall, 2 a stand with a coat, 3 a bar."""
    rng = finishes.rng
    piece = Piece("coat rack", paint.name)
    wood = finishes.material(paint, "wood")
    if variant == 1:
        width = rng.uniform(0.7, 1.1)
        piece.box((0.0, 0.0, 0.0), (width, 0.12, 0.025), wood)
        pegs = 5
        for peg in range(pegs):
            x = ((peg + 0.5) / pegs - 0.5) * width
            add_rod(piece, (x, 0.05, 0.012), (x, 0.085, 0.1), 0.028, wood)
        piece.box((0.0, 0.12, 0.06), (width, 0.022, 0.16), wood)
        piece.offer("on", (0.0, 0.142, 0.06), (width - 0.04, 0.13))
        return piece
    height = rng.uniform(1.65, 1.85)
    if variant == 3:
        width = rng.uniform(0.9, 1.2)
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.02), 0.0, 0.0), (0.04, height - 0.1, 0.04), wood)
            piece.box((side * (width / 2 - 0.02), 0.0, 0.0), (0.045, 0.045, 0.45), wood)
        piece.box((0.0, height - 0.14, 0.0), (width, 0.04, 0.04), wood)
        piece.box((0.0, 0.15, 0.0), (width - 0.08, 0.025, 0.36), wood)
        piece.offer("in", (0.0, 0.175, 0.0), (width - 0.14, 0.32), height - 0.4)
        return piece
    piece.frustum((0.0, 0.03, 0.0), (0.03, 0.025), height - 0.03, wood, shape=Round(6, bottom=False))
    for foot in range(4):
        turn = foot * math.pi / 2 + 0.4
        tip = (0.28 * math.sin(turn), 0.0, 0.28 * math.cos(turn))
        add_rod(piece, tip, (0.0, 0.24, 0.0), 0.04, wood)
    for level, count in ((height - 0.06, 4), (height - 0.32, 4)):
        for hook in range(count):
            turn = hook * math.pi / 2 + (0.0 if level > height - 0.1 else 0.785)
            tip = (0.16 * math.sin(turn), level + 0.06, 0.16 * math.cos(turn))
            add_rod(piece, (0.0, level - 0.03, 0.0), tip, 0.028, wood)
    if variant == 2:
        coat = finishes.material(finishes.paint("curtain"), "fabric")
        piece.box((0.0, height - 1.05, 0.14), (0.36, 0.86, 0.1), coat, taper=0.55)
        for side in (-1, 1):
            add_rod(piece, (side * 0.24, height - 0.8, 0.15), (side * 0.1, height - 0.28, 0.14), 0.085, coat)
    return piece


def fireplace(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a fireplace with its back to the wall: 0 a mantel with burning logs, 1 plain and cold, 2 an iron stove."""
    rng = finishes.rng
    piece = Piece("fireplace", paint.name)
    stone, light = finishes.material(paint), finishes.shade(paint, 1.08)
    soot = finishes.builder.material((0.09, 0.085, 0.08))
    flame, log = finishes.builder.material((0.98, 0.62, 0.2)), finishes.builder.material((0.3, 0.2, 0.13))
    if variant == 2:
        width, height, depth = 0.62, 0.78, 0.46
        add_legs(piece, (width - 0.06, depth - 0.06), 0.14, 0.06, stone, False)
        piece.box((0.0, 0.14, 0.0), (width, height - 0.18, depth), stone)
        piece.box((0.0, height - 0.04, 0.0), (width + 0.06, 0.04, depth + 0.06), stone)
        piece.frustum((0.0, height, -0.1), (0.08, 0.08), 0.75, stone, shape=LIDDED)
        piece.box((0.0, 0.24, depth / 2), (width - 0.14, 0.38, 0.02), finishes.dark, hidden=HIDE_BACK)
        piece.panel((0.0, 0.45, depth / 2 + 0.0205), width - 0.24, 0.26, flame)
        piece.box((width * 0.36, 0.38, depth / 2 + 0.02), (0.025, 0.1, 0.03), finishes.metal)
        return piece
    width, height, depth = rng.uniform(1.25, 1.5), rng.uniform(1.05, 1.2), 0.36
    opening, top = width * 0.52, height * 0.62
    for side in (-1, 1):
        x = side * (width + opening) / 4
        piece.box((x, 0.0, 0.0), ((width - opening) / 2, height - 0.06, depth), stone)
        piece.box((x, 0.0, depth / 2 + 0.01), ((width - opening) / 2 - 0.06, 0.14, 0.04), light)
        if variant == 0:
            piece.box((x, 0.14, depth / 2 + 0.006), ((width - opening) / 4, height - 0.34, 0.025), light)
    piece.box((0.0, top, 0.0), (opening, height - 0.06 - top, depth), stone)
    piece.box((0.0, height - 0.06, 0.03), (width + 0.12, 0.06, depth + 0.12), light)
    piece.box((0.0, 0.0, -depth / 2 + 0.02), (opening, top, 0.04), soot)
    piece.box((0.0, 0.0, 0.02), (opening, 0.05, depth - 0.04), soot)
    for number in range(3):
        x = (number - 1) * opening * 0.2
        add_rod(piece, (x - 0.16, 0.1, 0.02 + number * 0.03), (x + 0.16, 0.11 + 0.03 * number, 0.02), 0.08, log)
    if variant == 0:
        for x, tall in ((-0.12, 0.24), (0.02, 0.34), (0.13, 0.2)):
            piece.frustum((x, 0.14, 0.03), (0.07, 0.0), tall, flame, shape=Round(6))
    piece.offer("on", (0.0, height, 0.03), (width + 0.06, depth + 0.06))
    return piece


def piano(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a piano whose player sits at +Z: 0 upright, 1 a keyboard on legs, 2 a small grand."""
    rng = finishes.rng
    piece = Piece("piano", paint.name)
    wood = finishes.material(paint, "gloss")
    width = rng.uniform(1.38, 1.5)
    if variant == 0:
        height, deep = rng.uniform(1.12, 1.28), 0.34
        piece.box((0.0, 0.0, -0.14), (width, height - 0.03, deep), wood)
        piece.box((0.0, height - 0.03, -0.14), (width + 0.03, 0.03, deep + 0.03), finishes.shade(paint, 1.1))
        piece.box((0.0, 0.62, 0.15), (width, 0.07, 0.3), wood)
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.03), 0.69, 0.15), (0.06, 0.1, 0.3), wood)
            piece.box((side * (width / 2 - 0.04), 0.0, 0.25), (0.07, 0.62, 0.08), wood)
        piece.box((0.0, 0.9, 0.045), (0.6, 0.22, 0.02), finishes.shade(paint, 0.8), (-0.2, 0.0, 0.0))
        _piano_keys(piece, finishes, (width - 0.14, 0.692, 0.22))
        for pedal in (-0.07, 0.07):
            piece.box((pedal, 0.03, 0.06), (0.04, 0.025, 0.12), finishes.brass)
        piece.offer("on", (0.0, height, -0.14), (width - 0.04, deep - 0.03))
        return piece
    if variant == 1:
        piece.box((0.0, 0.68, 0.0), (width, 0.1, 0.36), wood)
        piece.box((0.0, 0.78, -0.12), (width, 0.04, 0.12), wood)
        for side in (-1, 1):
            x = side * (width / 2 - 0.25)
            for foot in (-0.16, 0.16):
                add_rod(piece, (x, 0.0, foot), (x, 0.68, -foot * 0.88), 0.045, wood)
        piece.box((0.0, 0.3, 0.0), (width - 0.5, 0.04, 0.04), wood)
        _piano_keys(piece, finishes, (width - 0.08, 0.782, 0.09))
        piece.box((0.0, 0.82, -0.15), (0.5, 0.22, 0.02), finishes.shade(paint, 0.8), (-0.25, 0.0, 0.0))
        return piece
    _grand(piece, finishes, (wood, finishes.shade(paint, 1.1)), width)
    return piece


def _piano_keys(piece: Piece, finishes: Finishes, place_m: tuple[float, float, float]) -> None:
    """Add a row of white keys with groups of two and three black ones, along x about z."""
    width, y, z = place_m
    white, black = finishes.white, finishes.builder.material((0.06, 0.06, 0.07), gloss=0.4)
    piece.box((0.0, y, z), (width, 0.022, 0.14), white)
    octaves = 5
    for octave in range(octaves):
        for step in (1, 2, 4, 5, 6):
            x = ((octave + step / 7) / octaves - 0.5) * width
            piece.box((x, y + 0.022, z - 0.025), (width / octaves / 9, 0.014, 0.085), black)


def _grand(piece: Piece, finishes: Finishes, looks: tuple[int, int], width_m: float) -> None:
    """Add the body of a grand piano with its lid up: a curved case of upright boards on three legs."""
    wood, lid = looks
    outline = [(-0.5, 0.25), (0.5, 0.25), (0.5, -0.15), (0.32, -0.42), (0.05, -0.62), (-0.2, -0.8), (-0.44, -0.8)]
    outline.append((-0.5, -0.7))
    points = [(x * width_m, z * 0.95) for x, z in outline]
    low, high = 0.62, 0.9
    for number, (x, z) in enumerate(points):
        next_x, next_z = points[(number + 1) % len(points)]
        piece.quad(((x, low, z), (next_x, low, next_z), (next_x, high, next_z), (x, high, z)), wood)
    soundboard = finishes.builder.material((0.72, 0.54, 0.26), gloss=0.3)
    fans = [(points[2], points[3]), (points[3], points[4]), (points[4], points[5]), (points[5], points[6])]
    heart = (-0.5 * width_m, -0.05)
    for (x, z), (next_x, next_z) in fans:
        y = high - 0.06
        piece.quad(((heart[0], y, heart[1]), (heart[0], y, heart[1]), (x, y, z), (next_x, y, next_z)), soundboard)
        lift = 0.55
        rise = [lift * (px / width_m + 0.5) for px in (x, next_x)]
        corner = (heart[0], high + 0.01, heart[1])
        piece.quad((corner, corner, (x, high + rise[0], z), (next_x, high + rise[1], next_z)), lid)
    piece.box((0.0, low, 0.2), (width_m, 0.09, 0.3), wood)
    for side in (-1, 1):
        piece.box((side * (width_m / 2 - 0.04), low + 0.09, 0.2), (0.08, 0.16, 0.3), wood)
    piece.box((0.0, low + 0.09, 0.06), (width_m - 0.16, 0.19, 0.04), wood)
    _piano_keys(piece, finishes, (width_m - 0.18, low + 0.09, 0.26))
    for x, z in ((-0.42, 0.18), (0.42, 0.18), (-0.3, -0.62)):
        piece.frustum((x * width_m, 0.0, z * 0.95), (0.035, 0.06), low, wood, shape=Round(6, bottom=False))
    add_rod(piece, (0.45 * width_m, high - 0.05, -0.2), (0.36 * width_m, high + 0.46, -0.3), 0.03, wood)


def guitar(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a guitar on a stand, its strings to the front: 0 acoustic, 1 electric."""
    rng = finishes.rng
    piece = Piece("guitar", paint.name)
    body, side = finishes.material(paint, "gloss"), finishes.shade(paint, 0.9)
    neck = finishes.builder.material((0.25, 0.17, 0.11))
    scale = rng.uniform(0.95, 1.05)
    turn = (0.0, math.pi / 2, math.pi / 2)
    deep = 0.05 if variant == 1 else 0.1
    rounds = ((0.26, 0.19, 0.0), (0.5, 0.14, 0.0))
    if variant == 1:
        rounds = ((0.24, 0.17, 0.0), (0.4, 0.14, -0.05), (0.42, 0.13, 0.05))
    for y, radius, x in rounds:
        shape = Round(12)
        piece.frustum((x, y * scale, -deep / 2), (radius, radius), deep, side, turn, shape)
        piece.frustum((x, y * scale, deep / 2 - 0.002), (radius * 0.985, radius * 0.985), 0.004, body, turn, shape)
    piece.box((0.0, 0.26 * scale, 0.0), (0.2, 0.24 * scale, deep), side)
    piece.panel((0.0, 0.38 * scale, deep / 2 + 0.0015), 0.19, 0.24 * scale, body)
    front = deep / 2
    if variant == 0:
        hole = finishes.builder.material((0.08, 0.06, 0.05))
        piece.frustum((0.0, 0.42 * scale, front), (0.055, 0.055), 0.004, hole, turn, Round(10))
    else:
        for y in (0.28, 0.36):
            piece.box((0.0, y * scale, front), (0.1, 0.035, 0.012), finishes.dark, hidden=HIDE_BACK)
    piece.box((0.0, 0.16 * scale, front), (0.13, 0.025, 0.015), neck, hidden=HIDE_BACK)
    piece.box((0.0, 0.44 * scale, front + 0.004), (0.055, 0.5 * scale, 0.022), neck)
    piece.box((0.0, 0.94 * scale, front), (0.085, 0.14 * scale, 0.02), body)
    for peg in range(3):
        piece.box((0.0, (0.97 + 0.04 * peg) * scale, front), (0.13, 0.015, 0.015), finishes.metal)
    string = finishes.builder.material((0.86, 0.85, 0.8))
    for x in (-0.012, 0.012):
        piece.box((x, 0.17 * scale, front + 0.016), (0.005, 0.78 * scale, 0.012), string)
    for foot in (-1, 1):
        add_rod(piece, (foot * 0.18, 0.0, 0.14), (0.0, 0.36 * scale, -deep / 2 - 0.03), 0.024, finishes.dark)
    add_rod(piece, (0.0, 0.0, -0.24), (0.0, 0.5 * scale, -deep / 2 - 0.02), 0.024, finishes.dark)
    return piece
