"""Wash basins, toilets and bathtubs."""

from dataclasses import replace

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_fronts
from backsight.sim.embedded.scenes.piece import HIDE_BOTTOM, HIDE_ENDS, LIDDED, POLE, ROUND_12, Piece, Round


def wash_basin(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a bathroom sink: 0 on a pedestal, 1 on a cabinet with doors, 2 a bowl on a shelf with legs."""
    rng = finishes.rng
    piece = Piece("sink", paint.name)
    ceramic = finishes.material(paint, "gloss")
    inner = finishes.shade(paint, 0.82)
    width, depth, top = rng.uniform(0.52, 0.66), rng.uniform(0.44, 0.5), rng.uniform(0.82, 0.88)
    if variant == 0:
        piece.frustum((0.0, 0.0, -0.06), (0.13, 0.09), top - 0.18, ceramic, shape=replace(POLE, sides=8))
        piece.box((0.0, top - 0.18, 0.0), (width * 0.7, 0.14, depth * 0.75), ceramic, taper=1.33)
        _rim(piece, ceramic, inner, (width, depth, top))
    elif variant == 1:
        body = finishes.shade(paint, 0.97)
        piece.box((0.0, 0.08, -0.01), (width - 0.02, top - 0.16, depth - 0.06), body)
        piece.box((0.0, 0.0, -0.03), (width - 0.1, 0.08, depth - 0.14), finishes.dark, hidden=HIDE_ENDS)
        frame = (-width / 2 + 0.01, width / 2 - 0.01, 0.1, top - 0.1)
        add_fronts(piece, frame, depth / 2 - 0.04, (2, 1), (ceramic, finishes.metal))
        piece.box((0.0, top - 0.1, 0.0), (width, 0.06, depth), ceramic, hidden=HIDE_BOTTOM)
        _rim(piece, ceramic, inner, (width, depth, top))
    else:
        stand = finishes.material(paint, "wood")
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.03), 0.0, 0.0), (0.04, top - 0.18, depth - 0.06), stand)
        piece.box((0.0, top - 0.18, 0.0), (width + 0.04, 0.05, depth), stand)
        piece.offer("under", (0.0, 0.0, 0.0), (width - 0.14, depth - 0.1), top - 0.2)
        profile = [(0.14, 0.0), (0.2, 0.06), (0.215, 0.13)]
        piece.lathe((0.0, top - 0.13, 0.03), profile, ceramic, replace(ROUND_12, stretch_z=0.9))
        piece.frustum((0.0, top, 0.03), (0.17, 0.17), 0.002, inner, shape=Round(12, 1.0, 0.9, bottom=False))
    metal = finishes.metal
    piece.frustum((0.0, top, -depth / 2 + 0.05), (0.018, 0.014), 0.14, metal, shape=LIDDED)
    piece.box((0.0, top + 0.12, -depth / 2 + 0.11), (0.024, 0.022, 0.14), metal)
    return piece


def _rim(piece: Piece, ceramic: int, inner: int, size_m: tuple[float, float, float]) -> None:
    width, depth, top = size_m
    side = 0.06
    for x in (-1, 1):
        piece.box((x * (width - side) / 2, top - 0.04, 0.0), (side, 0.04, depth), ceramic)
    for z, deep in ((-depth / 2 + 0.055, 0.11), (depth / 2 - side / 2, side)):
        piece.box((0.0, top - 0.04, z), (width - 2 * side, 0.04, deep), ceramic)
    piece.box((0.0, top - 0.038, 0.025), (width - 2 * side, 0.004, depth - 0.17), inner)
    piece.offer("in", (0.0, top - 0.034, 0.035), (width - 2 * side - 0.03, depth - 0.22), 0.14)


def toilet(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a toilet: 0 with a cistern and open seat, 1 with a closed lid, 2 wall hung below a panel."""
    rng = finishes.rng
    piece = Piece("toilet", paint.name)
    ceramic, shade = finishes.material(paint, "gloss"), finishes.shade(paint, 0.96)
    seat = rng.uniform(0.40, 0.44)
    back = -0.34
    oval = Round(12, 0.85, 1.15, bottom=False)
    bowl_z = 0.10
    if variant == 2:
        piece.box((0.0, 0.0, back + 0.06), (0.5, 1.08, 0.12), shade)
        profile = [(0.10, 0.0), (0.18, 0.16), (0.205, 0.24)]
        piece.lathe((0.0, seat - 0.24, bowl_z), profile, ceramic, oval)
        piece.box((0.0, seat - 0.24, back + 0.22), (0.3, 0.23, 0.2), ceramic)
        piece.box((0.0, 0.9, back + 0.125), (0.2, 0.1, 0.01), finishes.metal)
    else:
        profile = [(0.13, 0.0), (0.12, seat * 0.45), (0.205, seat)]
        piece.lathe((0.0, 0.0, bowl_z), profile, ceramic, oval)
        piece.box((0.0, 0.0, back + 0.24), (0.22, seat, 0.24), ceramic, taper=1.2)
        tank = rng.uniform(0.36, 0.44)
        piece.box((0.0, seat - 0.03, back + 0.1), (0.42, tank, 0.18), ceramic)
        piece.box((0.0, seat - 0.03 + tank, back + 0.1), (0.44, 0.035, 0.2), ceramic)
        piece.box((0.0, seat + tank, back + 0.1), (0.06, 0.02, 0.04), finishes.metal)
    lid = finishes.shade(paint, rng.uniform(0.94, 1.04))
    piece.frustum((0.0, seat, bowl_z), (0.215, 0.215), 0.025, lid, shape=oval)
    if variant == 0:
        hole = finishes.builder.material((0.35, 0.38, 0.4))
        piece.frustum((0.0, seat + 0.025, bowl_z + 0.01), (0.135, 0.135), 0.002, hole, shape=oval)
        piece.box((0.0, seat + 0.02, back + 0.23), (0.36, 0.40, 0.025), lid, (-0.14, 0.0, 0.0), 0.85)
    else:
        piece.frustum((0.0, seat + 0.025, bowl_z), (0.21, 0.19), 0.025, lid, shape=oval)
    return piece


def bathtub(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a bathtub along x: 0 panelled, 1 panelled with a wooden apron, 2 free-standing oval on feet."""
    rng = finishes.rng
    piece = Piece("bathtub", paint.name)
    ceramic, inner = finishes.material(paint, "gloss"), finishes.shade(paint, 0.96)
    length, width, top = rng.uniform(1.55, 1.75), rng.uniform(0.70, 0.78), rng.uniform(0.52, 0.6)
    if variant == 2:
        oval = Round(16, 1.0, width / length, bottom=False)
        half = length / 2
        profile = [(half * 0.72, 0.0), (half * 0.9, 0.2), (half * 0.98, top - 0.13)]
        piece.lathe((0.0, 0.1, 0.0), profile, ceramic, oval)
        piece.frustum((0.0, top - 0.03, 0.0), (half, half), 0.03, ceramic, shape=oval)
        piece.frustum((0.0, top, 0.0), (half * 0.9, half * 0.9), 0.002, inner, shape=oval)
        for x in (-0.5, 0.5):
            for z in (-0.3, 0.3):
                piece.frustum((x * length * 0.8, 0.0, z * width), (0.03, 0.05), 0.14, finishes.metal, shape=POLE)
    else:
        panel = finishes.material(paint, "wood") if variant == 1 else ceramic
        piece.box((0.0, 0.0, 0.0), (length - 0.04, 0.15, width - 0.04), panel)
        for z in (-1, 1):
            piece.box((0.0, 0.0, z * (width / 2 - 0.03)), (length - 0.02, top - 0.04, 0.03), panel)
            piece.box((0.0, top - 0.04, z * (width / 2 - 0.045)), (length, 0.04, 0.09), ceramic)
        for x in (-1, 1):
            piece.box((x * (length / 2 - 0.03), 0.0, 0.0), (0.03, top - 0.04, width - 0.08), panel)
            piece.box((x * (length / 2 - 0.06), top - 0.04, 0.0), (0.12, 0.04, width - 0.18), ceramic)
        _hollow(piece, inner, (length - 0.24, width - 0.18), (0.16, top - 0.01))
    x = -length / 2 + 0.06
    piece.frustum((x, top, 0.0), (0.02, 0.016), 0.16, finishes.metal, shape=LIDDED)
    piece.box((x + 0.06, top + 0.14, 0.0), (0.15, 0.022, 0.024), finishes.metal)
    piece.box((x, top + 0.05, 0.0), (0.03, 0.03, 0.16), finishes.metal)
    return piece


def _hollow(piece: Piece, inner: int, rim_m: tuple[float, float], levels_m: tuple[float, float]) -> None:
    """Add the sloping inside of a tub as five quads that face its middle."""
    (length, width), (low, high) = rim_m, levels_m
    ring = [(-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)]
    upper = [(x * length, high, z * width) for x, z in ring]
    lower = [(x * length * 0.8, low, z * width * 0.78) for x, z in ring]
    piece.quad((lower[0], lower[1], lower[2], lower[3]), inner)
    piece.offer("in", (0.0, low, 0.0), (length * 0.74, width * 0.7))
    for first in range(4):
        second = (first + 1) % 4
        piece.quad((lower[second], lower[first], upper[first], upper[second]), inner)
