"""Small things of kitchens and tables: cups, bowls, plates, bottles, pots, kettles, trays and candles."""

import math

from backsight.sim.embedded.scenes import prints
from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_open_box, add_rod
from backsight.sim.embedded.scenes.piece import LIDDED, POLE, Piece, Round

_OPEN_10 = Round(10, bottom=False, top=False)
_LIDDED_10 = Round(10, bottom=False)


def cup(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a cup: 0 a mug with a handle, 1 a tea cup on a saucer, 2 a tumbler, 3 a goblet."""
    rng = finishes.rng
    piece = Piece("cup", paint.name)
    glaze, inner = finishes.material(paint, "gloss"), finishes.shade(paint, 0.6)
    high = rng.uniform(0.09, 0.12)
    if variant == 3:
        profile = [(0.04, 0.0), (0.012, 0.012), (0.012, 0.08), (0.045, 0.11), (0.042, 0.17)]
        piece.lathe((0.0, 0.0, 0.0), profile, glaze, _OPEN_10)
        piece.frustum((0.0, 0.15, 0.0), (0.042, 0.042), 0.004, inner, shape=_LIDDED_10)
        return piece
    base = 0.0
    if variant == 1:
        piece.frustum((0.0, 0.0, 0.0), (0.05, 0.08), 0.014, glaze, shape=_LIDDED_10)
        base, high = 0.012, 0.065
    low, wide = ((0.04, 0.044), (0.028, 0.05), (0.034, 0.042))[variant]
    piece.frustum((0.0, base, 0.0), (low, wide), high, glaze, shape=_OPEN_10)
    piece.frustum((0.0, base + high * 0.86, 0.0), (wide * 0.96, wide * 0.96), 0.003, inner, shape=_LIDDED_10)
    if variant < 2:
        outer = wide + 0.032
        for y in (0.25, 0.75):
            piece.box((wide + 0.012, base + high * y - 0.007, 0.0), (0.04, 0.014, 0.016), glaze)
        piece.box((outer, base + high * 0.25 - 0.007, 0.0), (0.014, high * 0.5 + 0.014, 0.016), glaze)
    return piece


def bowl(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a bowl: 0 empty, 1 with fruit, 2 deep on a foot."""
    rng = finishes.rng
    piece = Piece("bowl", paint.name)
    radius = rng.uniform(0.12, 0.17)
    high = radius * (0.75 if variant == 2 else 0.5)
    glaze, inner = finishes.material(paint, "gloss"), finishes.shade(paint, 0.85)
    piece.lathe((0.0, 0.0, 0.0), [(radius * 0.45, 0.0), (radius * 0.45, 0.015)], glaze, _LIDDED_10)
    profile = [(radius * 0.45, 0.012), (radius * 0.85, high * 0.5), (radius, high)]
    piece.lathe((0.0, 0.0, 0.0), profile, glaze, _OPEN_10)
    inside = [(radius * 0.42, 0.02), (radius * 0.82, high * 0.52), (radius, high)]
    piece.lathe((0.0, 0.0, 0.0), inside, inner, _OPEN_10)
    if variant == 1:
        for number in range(5):
            turn, reach = number * 1.2566, radius * 0.45
            fruit = finishes.material(Paint("", finishes.jitter(("red", "orange", "yellow", "green")[number % 4])))
            size = radius * 0.32
            at = (reach * math.sin(turn), high * 0.5, reach * math.cos(turn))
            piece.lathe(at, [(size * 0.5, 0.0), (size, size * 0.8), (size * 0.5, size * 1.7)], fruit, Round(6))
        return piece
    reach = radius * 0.7
    piece.offer("in", (0.0, 0.022, 0.0), (radius * 0.55, radius * 0.55))
    return piece


def plate(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a plate: 0 flat, 1 with a rim of another shade, 2 a stack of four."""
    rng = finishes.rng
    piece = Piece("plate", paint.name)
    radius = rng.uniform(0.115, 0.145)
    glaze = finishes.material(paint, "gloss")
    inner = finishes.shade(paint, 0.8 if variant == 1 else 0.93)
    count = 4 if variant == 2 else 1
    for number in range(count):
        y = number * 0.012
        piece.frustum((0.0, y, 0.0), (radius * 0.62, radius), 0.022, glaze, shape=_OPEN_10)
    y = (count - 1) * 0.012
    piece.frustum((0.0, y + 0.006, 0.0), (radius * 0.6, radius * 0.98), 0.0165, inner, shape=_OPEN_10)
    piece.frustum((0.0, y, 0.0), (radius * 0.62, radius * 0.62), 0.007, glaze, shape=_LIDDED_10)
    piece.offer("on", (0.0, y + 0.007, 0.0), (radius * 0.7, radius * 0.7))
    return piece


def bottle(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a bottle: 0 of wine, 1 of water with a cap, 2 a square flask of detergent."""
    rng = finishes.rng
    piece = Piece("bottle", paint.name)
    body, dark = finishes.material(paint, "gloss"), finishes.shade(paint, 0.7)
    radius, high = rng.uniform(0.038, 0.048), rng.uniform(0.26, 0.32)
    paper = finishes.printed("label", prints.label, 3)
    if variant == 2:
        piece.box((0.0, 0.0, 0.0), (0.11, high * 0.68, 0.07), body)
        piece.box((0.0, high * 0.68, 0.0), (0.11, high * 0.16, 0.07), body, taper=0.45)
        piece.frustum((0.0, high * 0.83, 0.0), (0.022, 0.02), 0.04, finishes.white)
        piece.panel((0.0, high * 0.36, 0.0362), 0.08, high * 0.4, paper)
        return piece
    neck = 0.5 if variant == 1 else 0.36
    profile = [(radius, 0.0), (radius, high * 0.62), (radius * neck, high * 0.8), (radius * neck, high)]
    piece.lathe((0.0, 0.0, 0.0), profile, body, _LIDDED_10)
    cap = finishes.white if variant == 1 else dark
    piece.frustum((0.0, high - 0.02, 0.0), (radius * neck + 0.003, radius * neck + 0.003), 0.026, cap, shape=LIDDED)
    mark = finishes.builder.material((0.88, 0.86, 0.78)) if paint.name not in ("white", "yellow") else dark
    band = radius + 0.001
    piece.frustum((0.0, high * 0.2, 0.0), (band, band), high * 0.22, mark, shape=_OPEN_10)
    return piece


def pot(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a cooking pot: 0 with two handles and a lid, 1 a saucepan, 2 a frying pan, 3 tall without a lid."""
    rng = finishes.rng
    piece = Piece("pot", paint.name)
    shell, dark = finishes.material(paint, "gloss"), finishes.dark if paint.name != "black" else finishes.metal
    radius = rng.uniform(0.10, 0.13) + (0.03 if variant == 2 else 0.0)
    high = (0.14, 0.11, 0.05, 0.22)[variant] * rng.uniform(0.9, 1.1)
    piece.frustum((0.0, 0.0, 0.0), (radius * 0.95, radius), high, shell, shape=_OPEN_10)
    if variant == 0:
        lid = finishes.shade(paint, 1.06)
        piece.lathe((0.0, high, 0.0), [(radius * 1.03, 0.0), (radius * 0.9, 0.02), (0.025, 0.035)], lid, _LIDDED_10)
        piece.frustum((0.0, high + 0.035, 0.0), (0.014, 0.024), 0.03, dark, shape=LIDDED)
    else:
        floor = high * 0.3 if variant == 2 else 0.012
        deep = finishes.shade(paint, 0.9)
        piece.frustum((0.0, floor, 0.0), (radius * 0.94, radius * 0.98), high - floor, deep, shape=_OPEN_10)
        piece.frustum((0.0, floor - 0.004, 0.0), (radius * 0.93, radius * 0.93), 0.004, deep, shape=_LIDDED_10)
        piece.offer("in", (0.0, floor, 0.0), (radius * 1.2, radius * 1.2))
    if variant in (1, 2):
        add_rod(piece, (radius * 0.95, high * 0.75, 0.0), (radius + 0.18, high * 0.75 + 0.03, 0.0), 0.024, dark)
    else:
        for side in (-1, 1):
            piece.box((side * (radius + 0.015), high * 0.72, 0.0), (0.05, 0.02, 0.08), dark)
    return piece


def kettle(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a kettle: 0 electric and tall, 1 round for the stove with a bow handle, 2 a tea pot."""
    rng = finishes.rng
    piece = Piece("kettle", paint.name)
    shell = finishes.material(paint, "gloss")
    dark = finishes.dark if paint.name != "black" else finishes.metal
    radius, high = rng.uniform(0.085, 0.1), rng.uniform(0.2, 0.24)
    if variant == 0:
        piece.frustum((0.0, 0.0, 0.0), (radius * 1.05, radius * 1.05), 0.02, dark, shape=_LIDDED_10)
        piece.frustum((0.0, 0.02, 0.0), (radius, radius * 0.72), high - 0.02, shell, shape=_LIDDED_10)
        piece.frustum((0.0, high, 0.0), (radius * 0.68, radius * 0.5), 0.02, dark, shape=_LIDDED_10)
        out = radius + 0.05
        piece.box((out, 0.06, 0.0), (0.024, high - 0.05, 0.03), dark)
        piece.box((out - 0.04, high - 0.02, 0.0), (0.1, 0.024, 0.03), dark)
        piece.box((out - 0.03, 0.05, 0.0), (0.08, 0.024, 0.03), dark)
        piece.box((-radius * 0.8, high - 0.06, 0.0), (0.07, 0.05, 0.06), shell, (0.0, 0.0, 0.4))
        return piece
    high *= 0.72
    profile = [(radius, 0.0), (radius * 1.2, high * 0.35), (radius, high * 0.75), (radius * 0.45, high)]
    piece.lathe((0.0, 0.0, 0.0), profile, shell, _LIDDED_10)
    piece.frustum((0.0, high, 0.0), (0.018, 0.022), 0.025, dark, shape=LIDDED)
    add_rod(piece, (-radius * 0.9, high * 0.4, 0.0), (-radius * 1.75, high * 0.95, 0.0), 0.032, shell)
    if variant == 1:
        top = high + 0.1
        for side in (-1, 1):
            add_rod(piece, (side * radius * 0.8, high * 0.8, 0.0), (side * radius * 0.6, top, 0.0), 0.022, dark)
        piece.box((0.0, top - 0.012, 0.0), (radius * 1.2 + 0.02, 0.026, 0.03), dark)
    else:
        out = radius * 1.2 + 0.045
        piece.box((out, high * 0.25, 0.0), (0.022, high * 0.55, 0.026), shell)
        for y in (0.25, 0.72):
            piece.box((out - 0.03, high * y, 0.0), (0.08, 0.022, 0.026), shell)
    return piece


def tray(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a tray: 0 oblong with a rim, 1 round, 2 deep with handles, for letters or food."""
    rng = finishes.rng
    piece = Piece("tray", paint.name)
    wood, dark = finishes.material(paint, "wood"), finishes.shade(paint, 0.85)
    width, depth = rng.uniform(0.4, 0.5), rng.uniform(0.28, 0.34)
    if variant == 1:
        radius = width * 0.42
        piece.frustum((0.0, 0.0, 0.0), (radius, radius * 1.03), 0.03, dark, shape=Round(12, bottom=False, top=False))
        piece.frustum((0.0, 0.0, 0.0), (radius, radius), 0.012, wood, shape=Round(12, bottom=False))
        piece.offer("on", (0.0, 0.012, 0.0), (radius * 1.3, radius * 1.3))
        return piece
    high = 0.075 if variant == 2 else 0.035
    add_open_box(piece, (0.0, 0.0, 0.0), (width, high, depth), 0.012, (dark, wood), offer=False)
    piece.offer("on", (0.0, 0.012, 0.0), (width - 0.04, depth - 0.04))
    if variant == 2:
        for side in (-1, 1):
            piece.box((side * (width / 2 + 0.012), high - 0.03, 0.0), (0.024, 0.022, 0.13), finishes.metal)
    return piece


def candle(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a candle: 0 thick, 1 thin on a holder, 2 three of different heights on a plate."""
    rng = finishes.rng
    piece = Piece("candle", paint.name)
    wax, flame = finishes.material(paint), finishes.builder.material((0.98, 0.82, 0.42))
    stand = finishes.brass
    places = ((0.0, 0.0, rng.uniform(0.12, 0.18), 0.038),)
    base = 0.0
    if variant == 1:
        piece.lathe((0.0, 0.0, 0.0), [(0.05, 0.0), (0.015, 0.02), (0.015, 0.08), (0.03, 0.09)], stand, LIDDED)
        places, base = ((0.0, 0.0, rng.uniform(0.2, 0.26), 0.015),), 0.085
    elif variant == 2:
        piece.frustum((0.0, 0.0, 0.0), (0.1, 0.12), 0.014, stand, shape=_LIDDED_10)
        places, base = ((-0.05, 0.02, 0.16, 0.03), (0.05, 0.03, 0.1, 0.03), (0.01, -0.05, 0.21, 0.03)), 0.012
    for x, z, high, radius in places:
        piece.frustum((x, base, z), (radius, radius), high, wax, shape=LIDDED)
        piece.frustum((x, base + high, z), (0.009, 0.002), 0.035, flame, shape=POLE)
    return piece
