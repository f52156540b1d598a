"""Household machines: microwaves, toasters, dishwashers, washing machines, range hoods and radiators."""

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_disc, add_rod
from backsight.sim.embedded.scenes.furniture.kitchen import UNIT_DEPTH_M, WORKTOP_M
from backsight.sim.embedded.scenes.piece import HIDE_BACK, HIDE_BOTTOM, Piece


def _contrast(finishes: Finishes, paint: Paint) -> int:
    """Return a dark material, or metal where the thing itself is black."""
    return finishes.metal if paint.name == "black" else finishes.dark


def microwave(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a microwave: 0 with keys beside its door, 1 with two knobs."""
    rng = finishes.rng
    piece = Piece("microwave", paint.name)
    width, height, depth = rng.uniform(0.46, 0.52), rng.uniform(0.27, 0.31), rng.uniform(0.33, 0.38)
    case, dark = finishes.material(paint, "gloss"), _contrast(finishes, paint)
    for side in (-1, 1):
        piece.box((side * width * 0.38, 0.0, 0.0), (0.03, 0.015, depth * 0.8), dark)
    piece.box((0.0, 0.015, 0.0), (width, height - 0.015, depth), case)
    front = depth / 2
    pane = finishes.builder.material((0.08, 0.085, 0.09), gloss=0.8)
    piece.box((-width * 0.13, 0.05, front), (width * 0.62, height - 0.085, 0.01), pane, hidden=HIDE_BACK)
    piece.box((width * 0.2, 0.05, front + 0.012), (0.022, height - 0.085, 0.025), finishes.metal, hidden=HIDE_BACK)
    panel = width * 0.36
    if variant == 0:
        display = finishes.builder.material((0.2, 0.5, 0.4))
        piece.panel((panel, height - 0.055, front + 0.002), width * 0.2, 0.04, display)
        for row in range(3):
            for column in range(2):
                at = (panel + (column - 0.5) * 0.045, 0.05 + row * 0.045, front)
                piece.box(at, (0.032, 0.03, 0.008), finishes.shade(paint, 0.7), hidden=HIDE_BACK)
    else:
        for y in (0.1, 0.19):
            add_disc(piece, (panel, y, front + 0.012), 0.027, 0.03, dark, True)
    piece.offer("on", (0.0, height, 0.0), (width - 0.04, depth - 0.04))
    return piece


def toaster(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a toaster: 0 two short slots, 1 one long slot, 2 two slots with toast sticking out."""
    rng = finishes.rng
    piece = Piece("toaster", paint.name)
    width = rng.uniform(0.34, 0.38) if variant == 1 else rng.uniform(0.27, 0.31)
    height, depth = rng.uniform(0.18, 0.2), 0.17 if variant != 1 else 0.15
    shell, dark = finishes.material(paint, "gloss"), _contrast(finishes, paint)
    piece.box((0.0, 0.0, 0.0), (width, 0.02, depth), dark)
    piece.box((0.0, 0.02, 0.0), (width, height - 0.05, depth), shell, hidden=HIDE_BOTTOM)
    piece.box((0.0, height - 0.03, 0.0), (width, 0.03, depth), shell, taper=0.88, hidden=HIDE_BOTTOM)
    for z in (0.0,) if variant == 1 else (-0.035, 0.035):
        piece.box((0.0, height, z), (width * 0.7, 0.003, 0.03), dark)
        if variant == 2:
            toast = finishes.builder.material((0.72, 0.5, 0.28))
            piece.box((0.0, height, z), (width * 0.42, 0.05, 0.02), toast)
    piece.box((width / 2 + 0.012, height * 0.55, 0.0), (0.03, 0.022, 0.05), dark)
    add_disc(piece, (width / 2 + 0.008, height * 0.28, 0.0), 0.022, 0.016, dark)
    return piece


def dishwasher(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a dishwasher of worktop height: 0 with a panel of buttons, 1 with a handle over its whole width."""
    piece = Piece("dishwasher", paint.name)
    width, depth = 0.6, UNIT_DEPTH_M
    shell, dark = finishes.material(paint, "gloss"), _contrast(finishes, paint)
    piece.box((0.0, 0.0, -0.04), (width - 0.02, 0.1, depth - 0.1), finishes.dark)
    piece.box((0.0, 0.1, -0.01), (width, WORKTOP_M - 0.13, depth - 0.02), shell)
    piece.box((0.0, WORKTOP_M - 0.03, 0.0), (width, 0.03, depth), finishes.shade(paint, 0.9))
    front = depth / 2 - 0.02
    piece.box((0.0, 0.12, front), (width - 0.016, 0.6, 0.022), shell, hidden=HIDE_BACK)
    piece.box((0.0, 0.735, front), (width - 0.016, 0.12, 0.022), finishes.shade(paint, 0.94), hidden=HIDE_BACK)
    if variant == 0:
        for button in range(4):
            piece.box((0.06 + button * 0.05, 0.78, front + 0.02), (0.026, 0.026, 0.01), dark, hidden=HIDE_BACK)
        display = finishes.builder.material((0.1, 0.1, 0.12), gloss=0.6)
        piece.panel((-0.18, 0.795, front + 0.0225), 0.12, 0.045, display)
        piece.box((0.0, 0.7, front + 0.02), (0.24, 0.03, 0.012), dark, hidden=HIDE_BACK)
    else:
        piece.box((0.0, 0.69, front + 0.045), (width - 0.1, 0.028, 0.025), finishes.metal)
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.07), 0.69, front + 0.028), (0.02, 0.024, 0.04), finishes.metal)
    piece.offer("on", (0.0, WORKTOP_M, 0.0), (width - 0.04, depth - 0.05))
    return piece


def washing_machine(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a washing machine: 0 with a porthole, 1 a dryer with a dark porthole, 2 loaded from its top."""
    rng = finishes.rng
    piece = Piece("washing machine", paint.name)
    width, height, depth = 0.6, rng.uniform(0.84, 0.9), rng.uniform(0.56, 0.62)
    shell, panel = finishes.material(paint, "gloss"), finishes.shade(paint, 0.92)
    piece.box((0.0, 0.0, 0.0), (width - 0.04, 0.03, depth - 0.04), finishes.dark)
    piece.box((0.0, 0.03, 0.0), (width, height - 0.03, depth), shell, hidden=HIDE_BOTTOM)
    front = depth / 2
    if variant == 2:
        piece.box((0.0, height, 0.05), (width - 0.03, 0.03, depth - 0.14), panel)
        piece.box((0.0, height, -depth / 2 + 0.05), (width, 0.14, 0.1), shell)
        for knob in range(3):
            add_disc(piece, ((knob - 1) * 0.15, height + 0.075, -depth / 2 + 0.11), 0.03, 0.02, finishes.dark, True)
        piece.offer("on", (0.0, height + 0.03, 0.06), (width - 0.08, depth - 0.18))
        return piece
    piece.box((0.0, height - 0.15, front), (width - 0.03, 0.12, 0.012), panel, hidden=HIDE_BACK)
    add_disc(piece, (0.06, height - 0.09, front + 0.022), 0.036, 0.03, finishes.dark, True)
    piece.box((-0.18, height - 0.12, front + 0.01), (0.16, 0.06, 0.006), finishes.shade(paint, 0.82), hidden=HIDE_BACK)
    centre = (0.0, height * 0.46, front)
    ring = finishes.metal if variant == 0 else finishes.dark
    add_disc(piece, (centre[0], centre[1], front + 0.012), 0.2, 0.03, ring, True)
    pane = finishes.builder.material((0.16, 0.2, 0.25) if variant == 0 else (0.06, 0.06, 0.07), gloss=0.9)
    add_disc(piece, (centre[0], centre[1], front + 0.024), 0.145, 0.03, pane, True)
    piece.box((0.17, centre[1] - 0.05, front + 0.03), (0.03, 0.1, 0.02), finishes.dark, hidden=HIDE_BACK)
    piece.offer("on", (0.0, height, 0.0), (width - 0.04, depth - 0.05))
    return piece


def range_hood(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a range hood for the wall: 0 a pyramid with a chimney, 1 a flat box, 2 a slab with a chimney."""
    rng = finishes.rng
    piece = Piece("range hood", paint.name)
    shell, dark = finishes.material(paint, "gloss"), finishes.dark
    width, depth = float(rng.choice([0.6, 0.9])), rng.uniform(0.44, 0.5)
    tall = (rng.uniform(0.6, 0.8), 0.14, rng.uniform(0.6, 0.8))[variant]
    piece.box((0.0, 0.001, 0.0), (width, 0.059 if variant else 0.049, depth), shell)
    if variant == 0:
        x, z, top = width / 2, depth / 2, 0.28
        low = [(-x, 0.05, z), (x, 0.05, z), (x, 0.05, -z), (-x, 0.05, -z)]
        high = [(-0.14, top, -z + 0.26), (0.14, top, -z + 0.26), (0.14, top, -z), (-0.14, top, -z)]
        for number in range(4):
            after = (number + 1) % 4
            piece.quad((low[number], low[after], high[after], high[number]), shell)
    elif variant == 1:
        piece.box((0.0, 0.06, -0.04), (width, 0.08, depth - 0.08), shell)
    if variant != 1:
        base = 0.06 if variant else 0.28
        piece.box((0.0, base, -depth / 2 + 0.13), (0.28, tall - base, 0.26), shell, hidden=HIDE_BOTTOM)
    piece.box((0.0, 0.012, depth / 2 + 0.002), (width * 0.4, 0.025, 0.008), dark, hidden=HIDE_BACK)
    for side in (-1, 1):
        x = side * width * 0.24
        left, right, z = x - width * 0.2, x + width * 0.2, depth * 0.36
        piece.quad(((left, 0.0, -z), (right, 0.0, -z), (right, 0.0, z), (left, 0.0, z)), dark)
    return piece


def radiator(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a radiator on feet: 0 of ribs, 1 a flat panel, 2 a tall ladder for towels."""
    rng = finishes.rng
    piece = Piece("radiator", paint.name)
    steel = finishes.material(paint)
    if variant == 2:
        width, height = rng.uniform(0.46, 0.56), rng.uniform(1.3, 1.5)
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.02), 0.0, 0.0), (0.045, height, 0.045), steel)
        for bar in range(11):
            y = 0.12 + (bar + bar // 4 * 0.8) * (height - 0.2) / 12.0
            piece.box((0.0, y, 0.014), (width - 0.06, 0.035, 0.03), steel)
        for y in (0.3, height - 0.1):
            piece.box((0.0, y, -0.035), (width - 0.06, 0.03, 0.03), finishes.dark)
        return piece
    width, height, low = rng.uniform(0.7, 1.3), rng.uniform(0.5, 0.6), 0.1
    if variant == 0:
        ribs = round(width / 0.085)
        for rib in range(ribs):
            x = (rib + 0.5) / ribs * width - width / 2
            piece.box((x, low, 0.0), (width / ribs * 0.68, height, 0.13), steel)
        for y in (low + 0.04, low + height - 0.09):
            piece.box((0.0, y, 0.0), (width - 0.02, 0.05, 0.06), steel)
    else:
        piece.box((0.0, low, 0.0), (width, height, 0.09), steel)
        for groove in range(9):
            x = (groove - 4) * width / 9.5
            piece.box((x, low + 0.04, 0.046), (width / 26, height - 0.08, 0.006), finishes.shade(paint, 0.86))
        for slot in range(8):
            at = ((slot - 3.5) * width / 9, low + height, 0.0)
            piece.box(at, (width / 22, 0.003, 0.06), finishes.dark)
    for side in (-1, 1):
        piece.box((side * (width / 2 - 0.08), 0.0, 0.0), (0.04, low + 0.02, 0.08), steel)
    add_rod(piece, (width / 2 - 0.02, low + 0.06, 0.0), (width / 2 + 0.06, low + 0.06, 0.0), 0.028, finishes.metal)
    add_disc(piece, (width / 2 + 0.075, low + 0.06, 0.0), 0.026, 0.07, finishes.white)
    return piece
