"""Chairs, sofas and armchairs."""

import math

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_legs
from backsight.sim.embedded.scenes.piece import (
    HIDE_BOTTOM,
    HIDE_ENDS,
    HIDE_FRONT,
    HIDE_SIDES,
    POLE,
    Piece,
    Round,
    Vector,
)

LIDDED_12 = Round(12, bottom=False)


def chair(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a chair with legs, seat and back.

    Args:
        finishes: materials of the flat.
        paint: colour of seat and back.
        variant: 0 slatted, 1 upholstered, 2 shell on round legs, 3 office chair on a star base.
    """
    rng = finishes.rng
    piece = Piece("chair", paint.name)
    if variant == 3:
        _office_chair(piece, finishes, paint)
        return piece
    width, depth, seat = rng.uniform(0.42, 0.48), rng.uniform(0.42, 0.48), rng.uniform(0.44, 0.47)
    top = rng.uniform(0.84, 0.98)
    if variant == 0:
        wood = finishes.material(paint, "wood")
        add_legs(piece, (width - 0.02, depth - 0.02), seat - 0.04, 0.045, wood, False)
        piece.box((0.0, seat - 0.04, 0.0), (width, 0.04, depth), wood)
        for side in (-1, 1):
            piece.box(
                (side * (width / 2 - 0.025), seat, -depth / 2 + 0.025),
                (0.04, top - seat, 0.04),
                wood,
                hidden=HIDE_BOTTOM,
            )
        slats = int(rng.integers(2, 4))
        for slat in range(slats):
            y = seat + 0.14 + slat * (top - seat - 0.20) / max(slats - 1, 1)
            piece.box((0.0, y - 0.03, -depth / 2 + 0.025), (width - 0.08, 0.09, 0.022), wood, hidden=HIDE_SIDES)
    elif variant == 1:
        cloth, legs = finishes.material(paint, "fabric"), finishes.timber
        add_legs(piece, (width - 0.03, depth - 0.03), seat - 0.08, 0.045, legs, False)
        piece.box((0.0, seat - 0.08, 0.0), (width, 0.08, depth), cloth, taper=0.97)
        piece.box(
            (0.0, seat - 0.05, -depth / 2 + 0.04), (width, top - seat + 0.05, 0.07), cloth, (-0.12, 0.0, 0.0), 0.92
        )
    else:
        shell = finishes.material(paint, "gloss")
        legs = finishes.metal if rng.random() < 0.5 else finishes.timber
        add_legs(piece, (width - 0.04, depth - 0.04), seat - 0.03, 0.04, legs, True)
        piece.box((0.0, seat - 0.03, 0.0), (width, 0.035, depth), shell)
        piece.box((0.0, seat, -depth / 2 + 0.03), (width, (top - seat) * 0.9, 0.03), shell, (-0.2, 0.0, 0.0), 0.8)
    piece.offer("on", (0.0, seat + (0.005 if variant == 2 else 0.0), 0.035), (width - 0.05, depth - 0.13))
    return piece


def _office_chair(piece: Piece, finishes: Finishes, paint: Paint) -> None:
    cloth, seat = finishes.material(paint, "fabric"), finishes.rng.uniform(0.45, 0.50)
    for turn in (0.0, 1.257, 2.513, 3.770, 5.027):
        piece.box(
            (0.0, 0.05, 0.0), (0.05, 0.30, 0.04), finishes.dark, (1.5708, turn, 0.0), hidden=HIDE_BOTTOM | HIDE_FRONT
        )
        piece.box((0.27 * math.sin(turn), 0.0, 0.27 * math.cos(turn)), (0.045, 0.06, 0.045), finishes.dark)
    piece.frustum((0.0, 0.04, 0.0), (0.03, 0.03), seat - 0.12, finishes.metal, shape=POLE)
    piece.box((0.0, seat - 0.08, 0.0), (0.48, 0.08, 0.46), cloth, taper=0.95)
    piece.offer("on", (0.0, seat, 0.02), (0.4, 0.36))
    piece.box((0.0, seat - 0.02, -0.24), (0.06, 0.2, 0.03), finishes.dark)
    piece.box((0.0, seat + 0.10, -0.22), (0.44, 0.46, 0.06), cloth, (-0.12, 0.0, 0.0), 0.9)
    for side in (-1, 1):
        piece.box((side * 0.25, seat + 0.16, 0.0), (0.05, 0.03, 0.26), finishes.dark)
        piece.box((side * 0.25, seat - 0.03, -0.02), (0.03, 0.19, 0.05), finishes.dark, hidden=HIDE_ENDS)


def sofa(finishes: Finishes, paint: Paint, seats: int) -> Piece:
    """Return a sofa with arms, back and cushions for some seats; one seat makes an armchair."""
    rng = finishes.rng
    piece = Piece("sofa" if seats > 1 else "armchair", paint.name)
    variant = int(rng.integers(3))
    arm = (0.20, 0.12, 0.16)[variant]
    seat_width = rng.uniform(0.56, 0.68)
    width, depth = seats * seat_width + 2 * arm, rng.uniform(0.82, 0.94)
    seat, back, arm_top = rng.uniform(0.40, 0.44), rng.uniform(0.76, 0.92), rng.uniform(0.56, 0.64)
    leg = (0.0, 0.12, 0.06)[variant]
    cloth = finishes.material(paint, "fabric")
    darker, lighter = finishes.shade(paint, 0.86), finishes.shade(paint, 1.06)
    if leg:
        add_legs(piece, (width - 0.06, depth - 0.06), leg, 0.05, finishes.timber, variant == 1)
    body = seat - 0.14 - leg
    piece.box((0.0, leg, 0.0), (width - 0.01, body, depth - 0.01), cloth)
    back_thick = 0.20
    piece.box((0.0, leg, -depth / 2 + back_thick / 2), (width, back - leg, back_thick), cloth, hidden=HIDE_BOTTOM)
    for side in (-1, 1):
        x = side * (width - arm) / 2
        piece.box((x, leg, 0.02), (arm, arm_top - leg, depth - 0.04), cloth, taper=1.0, hidden=HIDE_BOTTOM)
        if variant == 0:
            piece.box((x, arm_top, 0.02), (arm + 0.03, 0.05, depth - 0.03), cloth, taper=0.85)
    for number in range(seats):
        x = (number - (seats - 1) / 2) * seat_width
        cushion = (seat_width - 0.012, 0.15, depth - back_thick - 0.03)
        piece.box((x, leg + body, back_thick / 2 + 0.01), cushion, darker, taper=0.96, hidden=HIDE_BOTTOM)
        size = (seat_width - 0.02, back - seat - 0.06, 0.15)
        piece.box((x, seat + 0.01, -depth / 2 + back_thick + 0.09), size, lighter, (-0.18, 0.0, 0.0), 0.93)
    taken = _throw_pillows(piece, finishes, (width / 2 - arm - 0.22, seat + 0.02, 0.02)) if seats > 1 else ()
    near, far = -depth / 2 + 0.4, depth / 2 - 0.04
    for number in range(seats):
        if (number == 0 and -1 in taken) or (number == seats - 1 and 1 in taken):
            continue
        x = (number - (seats - 1) / 2) * seat_width
        piece.offer("on", (x, seat + 0.01, (near + far) / 2), (seat_width - 0.08, far - near))
    return piece


def _throw_pillows(piece: Piece, finishes: Finishes, corner_m: Vector) -> tuple[int, ...]:
    """Put a pillow into none, one or both corners; returns at which sides."""
    cloth = finishes.material(finishes.paint("sofa"), "fabric")
    sides = tuple(side for side in (-1, 1) if finishes.rng.random() < 0.35)
    for side in sides:
        at = (side * corner_m[0], corner_m[1], corner_m[2])
        piece.box(at, (0.38, 0.36, 0.11), cloth, (-0.35, -side * 0.3, 0.0), 0.8)
    return sides


def armchair(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return an armchair: 0 and 1 boxy like a sofa, 2 a wing chair on legs, 3 a round tub chair."""
    if variant < 2:
        return sofa(finishes, paint, 1)
    rng = finishes.rng
    piece = Piece("armchair", paint.name)
    cloth, darker = finishes.material(paint, "fabric"), finishes.shade(paint, 0.87)
    if variant == 2:
        width, depth = rng.uniform(0.72, 0.80), rng.uniform(0.76, 0.84)
        add_legs(piece, (width - 0.1, depth - 0.1), 0.18, 0.05, finishes.timber, True)
        piece.box((0.0, 0.18, 0.0), (width - 0.04, 0.14, depth), cloth)
        piece.box((0.0, 0.32, 0.04), (width - 0.22, 0.12, depth - 0.16), darker, taper=0.95, hidden=HIDE_BOTTOM)
        piece.box((0.0, 0.30, -depth / 2 + 0.12), (width - 0.06, 0.78, 0.14), cloth, (-0.1, 0.0, 0.0), 0.9)
        for side in (-1, 1):
            x = side * (width / 2 - 0.06)
            piece.box((x, 0.20, 0.02), (0.11, 0.42, depth - 0.06), cloth)
            piece.box((x, 0.60, -depth / 2 + 0.22), (0.09, 0.36, 0.26), cloth, taper=0.8)
        near, far = -depth / 2 + 0.24, depth / 2 - 0.08
        piece.offer("on", (0.0, 0.44, (near + far) / 2), (width - 0.32, far - near))
        return piece
    radius = rng.uniform(0.36, 0.42)
    piece.frustum((0.0, 0.0, 0.0), (radius * 0.9, radius * 0.95), 0.26, cloth, shape=LIDDED_12)
    piece.frustum((0.0, 0.26, 0.02), (radius * 0.86, radius * 0.82), 0.14, darker, shape=LIDDED_12)
    for step in range(7):
        turn = 3.14159 + (step - 3) * 0.52
        reach = radius * 0.93
        at = (reach * math.sin(turn), 0.0, reach * math.cos(turn))
        tall = 0.72 - 0.035 * abs(step - 3)
        piece.box(at, (radius * 0.56, tall, 0.10), cloth, (0.0, turn, 0.0), hidden=HIDE_BOTTOM)
    piece.offer("on", (0.0, 0.4, 0.03), (radius * 0.85, radius * 0.85))
    return piece
