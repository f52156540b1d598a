"""Things of warehouses and workshops: pallets, crates, barrels, ladders, cones, fire extinguishers and fans."""

import math

from backsight.sim.embedded.scenes import prints
from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_disc, add_open_box, add_rod
from backsight.sim.embedded.scenes.piece import HIDE_BOTTOM, LIDDED, POLE, Piece, Round


def pallet(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a pallet: 0 bare, 1 a stack of four, 2 loaded with a block of cartons."""
    rng = finishes.rng
    piece = Piece("pallet", paint.name)
    wood, dark = finishes.material(paint, "wood"), finishes.shade(paint, 0.82)
    width, depth = 1.2, 0.8
    count = 4 if variant == 1 else 1
    for level in range(count):
        y = level * 0.144
        for z in (-1, 0, 1):
            piece.box((0.0, y, z * (depth / 2 - 0.05)), (width, 0.022, 0.1), wood)
            for x in (-1, 0, 1):
                at = (x * (width / 2 - 0.07), y + 0.022, z * (depth / 2 - 0.05))
                piece.box(at, (0.14, 0.1, 0.1), dark, hidden=HIDE_BOTTOM)
        for plank in range(6):
            x = (plank - 2.5) * width / 6.3
            piece.box((x, y + 0.122, 0.0), (width / 6.3 - 0.045, 0.022, depth), wood)
    top = count * 0.144
    if variant == 2:
        tall = rng.uniform(0.5, 0.9)
        board = finishes.material(Paint("brown", finishes.jitter("brown" if paint.name != "brown" else "beige")))
        wrap = finishes.material(paint)
        paper = finishes.printed("label", prints.label, 3)
        layers = 2
        for layer in range(layers):
            for column in range(3):
                for row in range(2):
                    at = ((column - 1) * 0.385, top + layer * tall / layers, (row - 0.5) * 0.38)
                    piece.box(at, (0.38, tall / layers - 0.006, 0.375), board)
                at = ((column - 1) * 0.385, top + (layer + 0.5) * tall / layers, 0.38)
                piece.panel(at, 0.14, 0.14, paper)
        for x in (-0.3, 0.3):
            piece.box((x, top, 0.0), (0.05, tall + 0.004, 0.775), wrap)
        top += tall
    piece.offer("on", (0.0, top + (0.004 if variant == 2 else 0.0), 0.0), (width - 0.06, depth - 0.06))
    return piece


def crate(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a crate: 0 of boards, open, 1 of plastic with slots, open, 2 a closed wooden case with a label."""
    rng = finishes.rng
    piece = Piece("crate", paint.name)
    if variant == 2:
        width, height, depth = rng.uniform(0.7, 0.95), rng.uniform(0.55, 0.75), rng.uniform(0.55, 0.7)
        wood, dark = finishes.material(paint, "wood"), finishes.shade(paint, 0.85)
        piece.box((0.0, 0.0, 0.0), (width - 0.04, height - 0.012, depth - 0.04), wood)
        for y in (0.0, height - 0.09):
            piece.box((0.0, y, 0.0), (width, 0.09, depth), dark)
        for side in (-1, 1):
            for end in (-1, 1):
                at = (side * (width / 2 - 0.045), 0.09, end * (depth / 2 - 0.045))
                piece.box(at, (0.09, height - 0.18, 0.09), dark)
        label = finishes.printed("label", prints.label, 3)
        piece.panel((0.0, height / 2, depth / 2 - 0.0185), 0.2, 0.2, label)
        piece.offer("on", (0.0, height, 0.0), (width - 0.06, depth - 0.06))
        return piece
    width, height, depth = rng.uniform(0.5, 0.62), rng.uniform(0.28, 0.36), rng.uniform(0.36, 0.42)
    if variant == 0:
        wood, dark = finishes.material(paint, "wood"), finishes.shade(paint, 0.85)
        piece.box((0.0, 0.0, 0.0), (width, 0.018, depth), wood)
        step = (height - 0.018) / 3
        for slat in range(3):
            y = 0.018 + slat * step + 0.006
            for side in (-1, 1):
                piece.box((0.0, y, side * (depth / 2 - 0.008)), (width, step - 0.024, 0.016), wood)
                piece.box((side * (width / 2 - 0.008), y, 0.0), (0.016, step - 0.024, depth - 0.034), wood)
        for side in (-1, 1):
            for end in (-1, 1):
                at = (side * (width / 2 - 0.03), 0.018, end * (depth / 2 - 0.03))
                piece.box(at, (0.03, height - 0.018, 0.03), dark)
        piece.offer("in", (0.0, 0.018, 0.0), (width - 0.1, depth - 0.1))
        return piece
    shell, dark = finishes.material(paint), finishes.shade(paint, 0.72)
    add_open_box(piece, (0.0, 0.0, 0.0), (width, height, depth), 0.015, (shell, dark))
    for side in (-1, 1):
        piece.box((0.0, height - 0.05, side * (depth / 2 + 0.006)), (width + 0.024, 0.05, 0.012), shell)
        piece.box((side * (width / 2 + 0.006), height - 0.05, 0.0), (0.012, 0.05, depth), shell)
        piece.box((side * (width / 2 + 0.002), height - 0.12, 0.0), (0.006, 0.045, 0.13), finishes.dark)
        for slot in range(4):
            x = (slot - 1.5) * width * 0.22
            piece.box((x, height * 0.25, side * (depth / 2 + 0.002)), (width * 0.1, height * 0.4, 0.006), dark)
    return piece


def barrel(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a barrel: 0 a steel drum with two ribs, 1 a wooden cask with hoops, 2 a plastic drum with a lid."""
    rng = finishes.rng
    piece = Piece("barrel", paint.name)
    radius, height = rng.uniform(0.26, 0.3), rng.uniform(0.82, 0.92)
    ring = Round(12, bottom=False, top=False)
    if variant == 1:
        wood = finishes.material(paint, "wood")
        profile = [(0.8, 0.0), (0.97, 0.28), (1.0, 0.5), (0.97, 0.72), (0.8, 1.0)]
        stations = [(radius * r, height * y) for r, y in profile]
        piece.lathe((0.0, 0.0, 0.0), stations, wood, Round(12, bottom=False, top=False))
        piece.frustum(
            (0.0, height - 0.05, 0.0), (radius * 0.78, radius * 0.78), 0.025, wood, shape=Round(12, bottom=False)
        )
        for y, at in ((0.02, 0.82), (0.2, 0.935), (0.76, 0.955), (0.93, 0.845)):
            piece.frustum(
                (0.0, height * y, 0.0), (radius * at + 0.006, radius * at + 0.006), 0.045, finishes.dark, shape=ring
            )
        piece.offer("on", (0.0, height - 0.025, 0.0), (radius * 1.0, radius * 1.0))
        return piece
    shell, dark = finishes.material(paint, "gloss"), finishes.shade(paint, 0.8)
    if variant == 0:
        piece.frustum((0.0, 0.0, 0.0), (radius, radius), height - 0.02, shell, shape=Round(12, bottom=False))
        for y in (0.0, 0.33, 0.64, 0.97):
            piece.frustum((0.0, height * y, 0.0), (radius + 0.01, radius + 0.01), height * 0.03, dark, shape=ring)
        piece.frustum((radius * 0.5, height - 0.02, 0.0), (0.035, 0.035), 0.018, finishes.dark)
        piece.offer("on", (-radius * 0.25, height - 0.02, 0.0), (radius * 0.8, radius))
        return piece
    profile = [(radius * 0.92, 0.0), (radius, 0.06), (radius, height * 0.8), (radius * 0.82, height * 0.92)]
    piece.lathe((0.0, 0.0, 0.0), profile, shell, Round(12, bottom=False))
    piece.frustum(
        (0.0, height * 0.88, 0.0), (radius * 0.92, radius * 0.9), height * 0.12, finishes.dark, shape=Round(12)
    )
    piece.offer("on", (0.0, height, 0.0), (radius * 1.1, radius * 1.1))
    return piece


def ladder(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a ladder: 0 a step ladder, 1 straight, leaning back at a wall, 2 low with two treads."""
    rng = finishes.rng
    piece = Piece("ladder", paint.name)
    frame, tread = finishes.material(paint), finishes.shade(paint, 0.88)
    if variant == 1:
        height, lean, half = rng.uniform(2.0, 2.3), 0.5, 0.19
        for side in (-1, 1):
            add_rod(piece, (side * half, 0.0, lean / 2), (side * half, height, -lean / 2), 0.05, frame)
        rungs = 7
        for rung in range(rungs):
            share = (rung + 0.7) / rungs
            at = (0.0, height * share - 0.02, lean / 2 - lean * share)
            piece.box(at, (2 * half, 0.035, 0.04), tread)
        return piece
    height = rng.uniform(0.62, 0.75) if variant == 2 else rng.uniform(1.4, 1.75)
    steps, spread, half = (2, 0.25, 0.2) if variant == 2 else (5, 0.42, 0.22)
    for side in (-1, 1):
        add_rod(piece, (side * half, 0.0, spread), (side * half * 0.8, height, 0.03), 0.05, frame)
        add_rod(piece, (side * half, 0.0, -spread), (side * half * 0.8, height, -0.03), 0.04, frame)
        if variant == 0:
            add_rod(
                piece,
                (side * half * 0.9, height * 0.5, spread * 0.5),
                (side * half * 0.9, height * 0.5, -spread * 0.5),
                0.02,
                finishes.metal,
            )
    for step in range(steps):
        share = (step + 1) / (steps + 0.6)
        z = spread + (0.03 - spread) * share
        wide = 2 * half * (1.0 - 0.2 * share)
        piece.box((0.0, height * share - 0.03, z - 0.02), (wide, 0.03, 0.12 if variant == 0 else 0.2), tread)
    piece.box((0.0, height - 0.03, 0.0), (2 * half * 0.8 + 0.05, 0.05, 0.16), tread)
    for y in (0.3, 0.7):
        z = -spread + (spread - 0.03) * y
        piece.box((0.0, height * y, z), (2 * half * (1.0 - 0.2 * y), 0.03, 0.025), frame)
    piece.offer("on", (0.0, height + 0.02, 0.0), (2 * half * 0.8, 0.13))
    return piece


def cone(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a traffic cone: 0 with one white band, 1 tall with two, 2 low and wide without a band."""
    rng = finishes.rng
    piece = Piece("cone", paint.name)
    body, white = finishes.material(paint), finishes.white
    height = (rng.uniform(0.45, 0.55), rng.uniform(0.7, 0.8), rng.uniform(0.28, 0.34))[variant]
    low, high = height * (0.3 if variant == 2 else 0.2), 0.03
    foot = 2 * low + 0.08
    piece.box((0.0, 0.0, 0.0), (foot, 0.03, foot), body)
    bands = ((), ((0.45, 0.66),), ((0.34, 0.48), (0.62, 0.76)))[(1, 2, 0)[variant]]
    edges = [0.0, *(edge for band in bands for edge in band), 1.0]
    for number in range(len(edges) - 1):
        radii = [low + (high - low) * share for share in edges[number : number + 2]]
        at, tall = 0.03 + edges[number] * (height - 0.03), (edges[number + 1] - edges[number]) * (height - 0.03)
        look = white if number % 2 else body
        shape = Round(10, bottom=False, top=number == len(edges) - 2)
        piece.frustum((0.0, at, 0.0), (radii[0], radii[1]), tall, look, shape=shape)
    return piece


def fire_extinguisher(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a fire extinguisher: 0 with a hose, for the wall or the floor, 1 with a horn, 2 on a stand."""
    rng = finishes.rng
    piece = Piece("fire extinguisher", paint.name)
    shell, dark = finishes.material(paint, "gloss"), finishes.dark
    radius, height = rng.uniform(0.075, 0.09), rng.uniform(0.42, 0.5)
    base = 0.12 if variant == 2 else 0.0
    if variant == 2:
        piece.box((0.0, 0.0, 0.0), (0.3, 0.03, 0.3), finishes.metal)
        piece.box((0.0, 0.03, -0.12), (0.2, 0.7, 0.025), finishes.metal)
        piece.box((0.0, 0.09, 0.0), (0.22, 0.03, 0.24), finishes.metal)
    profile = [(radius, 0.0), (radius, height * 0.82), (radius * 0.5, height * 0.95), (radius * 0.3, height)]
    piece.lathe((0.0, base, 0.0), profile, shell, Round(10, bottom=variant == 2))
    top = base + height
    piece.frustum((0.0, top, 0.0), (0.028, 0.024), 0.05, dark, shape=LIDDED)
    piece.box((0.0, top + 0.04, 0.04), (0.03, 0.024, 0.13), dark, (-0.25, 0.0, 0.0))
    label = finishes.builder.material((0.9, 0.88, 0.8))
    piece.box((0.0, base + height * 0.3, radius * 0.9), (radius * 1.1, height * 0.3, 0.02), label)
    out = radius + 0.03
    add_rod(piece, (0.02, top + 0.02, 0.0), (out, top - 0.04, 0.0), 0.026, dark)
    add_rod(piece, (out, base + height * (0.2 if variant == 0 else 0.5), 0.0), (out, top - 0.04, 0.0), 0.026, dark)
    if variant == 1:
        piece.frustum((out, base + height * 0.15, 0.0), (0.045, 0.018), height * 0.36, dark, shape=Round(6))
    return piece


def fan(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a fan: 0 on a tall stand, 1 for a table, 2 a large drum on the floor."""
    rng = finishes.rng
    piece = Piece("fan", paint.name)
    cage, blade = finishes.material(paint), finishes.shade(paint, 0.85)
    radius = (0.21, 0.15, 0.32)[variant] * rng.uniform(0.92, 1.08)
    centre = (rng.uniform(1.1, 1.25), radius + 0.14, radius + 0.06)[variant]
    if variant == 2:
        for side in (-1, 1):
            piece.box((side * radius * 0.7, 0.0, 0.0), (0.05, 0.12, 0.34), cage)
    else:
        foot = 0.22 if variant == 0 else 0.11
        piece.frustum((0.0, 0.0, 0.0), (foot, foot * 0.8), 0.035, cage, shape=Round(10, bottom=False))
        piece.frustum((0.0, 0.035, 0.0), (0.024, 0.02), centre - radius * 0.3, cage, shape=POLE)
    deep = 0.24 if variant == 2 else 0.1
    sides = 8 if variant == 1 else 12
    ring = [(math.sin(turn), math.cos(turn)) for turn in (2 * math.pi * k / sides for k in range(sides))]
    for z in (-deep / 2, deep / 2) if variant != 2 else (deep / 2,):
        for k in range(sides):
            (x, y), (next_x, next_y) = ring[k], ring[(k + 1) % sides]
            a, b = (radius * x, centre + radius * y, z), (radius * next_x, centre + radius * next_y, z)
            add_rod(piece, a, b, 0.02, cage, ends=False)
            if k % 2 == 0:
                add_rod(piece, (0.0, centre, z * 1.1), a, 0.011, cage, ends=False)
    if variant == 2:
        turn = (0.0, math.pi / 2, math.pi / 2)
        shape = Round(14, bottom=False, top=False)
        piece.frustum((0.0, centre, -deep / 2), (radius, radius), deep, cage, turn, shape)
    for k in range(3):
        turn = 2 * math.pi * k / 3 + 0.3
        reach = radius * 0.86
        a, b = turn - 0.32, turn + 0.32
        heart = (0.0, centre, 0.0)
        tips = [(reach * math.sin(angle), centre + reach * math.cos(angle), z) for angle, z in ((a, 0.02), (b, -0.02))]
        middle = (reach * 1.06 * math.sin(turn), centre + reach * 1.06 * math.cos(turn), 0.0)
        piece.quad((heart, tips[0], middle, tips[1]), blade)
    add_disc(piece, (0.0, centre, -0.01), radius * 0.22, deep * 0.9, cage, True)
    return piece
