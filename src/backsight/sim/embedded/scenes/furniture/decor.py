"""Lamps, plants, televisions, rugs, pictures, vases, boxes and bins."""

import itertools
import math
from dataclasses import replace

from backsight.sim.embedded.scenes import art, prints
from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.piece import HIDE_TOP, LIDDED, POLE, ROUND_6, ROUND_8, Piece, Round

POLE_10 = replace(POLE, sides=10)

RUG_THICKNESS_M = 0.012


def lamp(finishes: Finishes, paint: Paint, height_m: float, variant: int) -> Piece:
    """Return a lamp with foot, stand and a shade in the named colour.

    Args:
        finishes: materials of the flat.
        paint: colour of the shade.
        height_m: about 1.5 for a floor lamp, 0.45 for a table lamp.
        variant: 0 conical shade, 1 drum shade, 2 globe on a tripod or a turned foot.
    """
    piece = Piece("lamp", paint.name)
    tall = height_m > 1.0
    shade, stand = finishes.lampshade(paint), finishes.metal if finishes.rng.random() < 0.5 else finishes.timber
    radius = 0.19 if tall else 0.14
    high = 0.30 if tall else 0.19
    foot = 0.15 if tall else 0.085
    start = height_m - high
    if variant == 2 and tall:
        for turn in (0.3, 2.394, 4.489):
            at = (0.2 * math.sin(turn), 0.003, 0.2 * math.cos(turn))
            piece.frustum(
                at, (0.014, 0.014), start + 0.02, stand, (-0.16, turn, 0.0), Round(4, bottom=False, top=False)
            )
    elif variant == 2:
        piece.lathe((0.0, 0.0, 0.0), [(0.05, 0.0), (0.09, 0.08), (0.03, start)], stand)
    else:
        piece.frustum((0.0, 0.0, 0.0), (foot, foot * 0.9), 0.025, stand, shape=LIDDED)
        piece.frustum((0.0, 0.025, 0.0), (0.014, 0.014), start, stand, shape=Round(4, bottom=False, top=False))
    if variant == 0:
        piece.frustum((0.0, start, 0.0), (radius, radius * 0.5), high, shade, shape=ROUND_8)
    elif variant == 1:
        piece.frustum((0.0, start, 0.0), (radius, radius), high, shade, shape=ROUND_8)
    else:
        ball = high / 2
        profile = [(ball * 0.4, 0.0), (ball * 0.95, ball * 0.6), (ball * 0.95, ball * 1.4), (ball * 0.4, high)]
        piece.lathe((0.0, start, 0.0), profile, shade)
    return piece


def plant(finishes: Finishes, paint: Paint, height_m: float, variant: int) -> Piece:
    """Return a pot with leaves: 0 arching blades, 1 a small tree with a crown, 2 broad leaves on stems."""
    rng = finishes.rng
    piece = Piece("plant", paint.name)
    pot = finishes.material(finishes.paint("vase"))
    soil = finishes.builder.material((0.2, 0.15, 0.11))
    leaf, light = finishes.material(paint), finishes.shade(paint, 1.18)
    pot_high = min(0.26, height_m * 0.28)
    radius = min(0.19, pot_high * 0.62)
    piece.frustum((0.0, 0.0, 0.0), (radius * 0.7, radius), pot_high, pot, shape=replace(POLE, sides=8))
    piece.frustum((0.0, pot_high - 0.02, 0.0), (radius * 0.95, radius * 0.95), 0.004, soil, shape=LIDDED)
    rest = height_m - pot_high
    if variant == 1:
        trunk = finishes.builder.material((0.38, 0.28, 0.2))
        piece.frustum((0.0, pot_high, 0.0), (0.028, 0.018), rest * 0.5, trunk, shape=POLE)
        for number in range(3):
            ball = rest * rng.uniform(0.22, 0.30)
            turn = number * 1.7 + rng.uniform(0, 1)
            reach = ball * (0.7 if number else 0.0)
            at = (reach * math.sin(turn), height_m - 2 * ball - number * ball * 0.28, reach * math.cos(turn))
            profile = [(ball * 0.5, 0.0), (ball, ball * 0.9), (ball * 0.35, ball * 1.9)]
            piece.lathe(at, profile, light if number % 2 else leaf, ROUND_6)
        return piece
    count = int(rng.integers(8, 12))
    for number in range(count):
        turn = number * 2.39996 + rng.uniform(-0.2, 0.2)
        lean = rng.uniform(0.15, 0.85)
        length = rest * rng.uniform(0.75, 1.0)
        _leaf(piece, light if number % 3 == 0 else leaf, (pot_high, length), (turn, lean), variant == 2)
    return piece


def _leaf(piece: Piece, material: int, along_m: tuple[float, float], aim_rad: tuple[float, float], broad: bool) -> None:
    """Add one bent leaf of two quads; `aim_rad` is its heading and how far it leans out."""
    (start, length), (turn, lean) = along_m, aim_rad
    out, across = (math.sin(turn), math.cos(turn)), (math.cos(turn), -math.sin(turn))
    stations = ((0.0, 0.01), (0.55, 0.10 if broad else 0.035), (1.0, 0.03 if broad else 0.004))
    scale = min(1.0, length / 0.5)
    edges = []
    for share, half in stations:
        bend = lean * (0.5 + 0.7 * share)
        reach, rise = length * share * math.sin(bend) * 0.8, length * share * math.cos(bend * 0.9)
        half_width = half * scale
        edges.append(
            tuple(
                (
                    reach * out[0] + sign * half_width * across[0],
                    start + rise,
                    reach * out[1] + sign * half_width * across[1],
                )
                for sign in (-1.0, 1.0)
            )
        )
    for (left, right), (next_left, next_right) in itertools.pairwise(edges):
        piece.quad((left, right, next_right, next_left), material)


def television(finishes: Finishes, paint: Paint, width_m: float, standing: bool) -> Piece:
    """Return a flat television on a foot, or without one for the wall; sizes, borders and backs vary."""
    piece = Piece("television", paint.name)
    height, frame = width_m * 0.58, finishes.material(paint, "gloss")
    low = 0.07 if standing else 0.001
    piece.box((0.0, low, 0.0), (width_m, height, 0.05), frame)
    screen = finishes.builder.material((0.07, 0.08, 0.10), gloss=0.9)
    border = finishes.rng.uniform(0.012, 0.035)
    piece.panel((0.0, low + height / 2, 0.0265), width_m - 2 * border, height - 2 * border, screen)
    if finishes.rng.random() < 0.4:
        bar = (width_m * 0.6, height * 0.7, 0.04)
        piece.box((0.0, low + 0.05, -0.04), bar, finishes.material(paint))
    if standing:
        piece.box((0.0, 0.0, 0.0), (width_m * 0.4, 0.015, 0.2), finishes.dark)
        piece.box((0.0, 0.015, -0.01), (0.07, 0.08, 0.03), finishes.dark)
    return piece


def rug(finishes: Finishes, paint: Paint, width_m: float, depth_m: float, round_rug: bool) -> Piece:
    """Return a flat rug with a pattern."""
    rng = finishes.rng
    piece = Piece("rug", paint.name)
    second = finishes.jitter(str(rng.choice(["beige", "white", "black", "brown", "blue", "red", "grey"])))
    look = finishes.image(art.rug(rng, paint.colour, second))
    edge = finishes.shade(paint, 0.8)
    thick = RUG_THICKNESS_M
    if round_rug:
        piece.frustum((0.0, 0.0, 0.0), (width_m / 2, width_m / 2), thick, edge, shape=Round(16))
        angles = [math.pi * (k + 0.5) / 8 for k in range(16)]
        ring = [(math.sin(a) * 0.5 * 0.97, math.cos(a) * 0.5 * 0.97) for a in angles]
        for k in range(7):
            picked = [ring[i] for i in (k, k + 1, 14 - k, 15 - k)]
            uv = tuple((0.5 + x, 0.5 - z) for x, z in picked)
            a, b, c, d = ((x * width_m, thick + 0.002, z * width_m) for x, z in picked)
            piece.quad((a, b, c, d), look, uv)
        return piece
    piece.box((0.0, 0.0, 0.0), (width_m, thick, depth_m), edge, hidden=HIDE_TOP)
    x, z = width_m / 2, depth_m / 2
    piece.quad(((-x, thick, z), (x, thick, z), (x, thick, -z), (-x, thick, -z)), look)
    return piece


def picture(finishes: Finishes, paint: Paint, width_m: float, height_m: float) -> Piece:
    """Return a framed painting or poster for a wall; its origin is the middle of its lower edge, its back at -0.015."""
    piece = Piece("picture", paint.name)
    frame = finishes.timber if finishes.rng.random() < 0.4 else finishes.dark
    if finishes.rng.random() < 0.3:
        frame = finishes.white
    piece.box((0.0, 0.0005, 0.0), (width_m, height_m, 0.03), frame)
    border = 0.03
    draw = prints.poster if finishes.rng.random() < 0.25 else art.picture
    look = finishes.image(draw(finishes.rng, paint.colour))
    piece.panel((0.0, height_m / 2, 0.0165), width_m - 2 * border, height_m - 2 * border, look)
    return piece


def poster(finishes: Finishes, paint: Paint, height_m: float) -> Piece:
    """Return an unframed poster half as wide as high for a wall; its back is at z = 0."""
    piece = Piece("picture", paint.name)
    look = finishes.image(prints.poster(finishes.rng, paint.colour))
    piece.box((0.0, 0.0, 0.003), (height_m * 0.55, height_m, 0.006), finishes.white)
    piece.panel((0.0, height_m / 2, 0.0065), height_m * 0.55, height_m, look)
    return piece


def world_map(finishes: Finishes, width_m: float) -> Piece:
    """Return a map of the world with bars at its upper and lower edge for a wall; its back is at z = -0.01."""
    piece = Piece("picture")
    height = width_m / 2
    look = finishes.image(prints.world_map(finishes.rng))
    piece.box((0.0, 0.012, -0.002), (width_m, height, 0.008), finishes.white)
    piece.panel((0.0, 0.012 + height / 2, 0.0025), width_m, height, look)
    for y in (0.0, height):
        piece.box((0.0, y, 0.0), (width_m + 0.04, 0.024, 0.02), finishes.timber)
    return piece


def vase(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a vase: 0 bellied, 1 tall and slim, 2 a bowl, 3 bellied with flowers."""
    rng = finishes.rng
    piece = Piece("vase", paint.name)
    glaze = finishes.material(paint, "gloss")
    high = rng.uniform(0.22, 0.34)
    wide = rng.uniform(0.075, 0.11)
    if variant == 1:
        profile = [(wide * 0.6, 0.0), (wide * 0.8, high * 0.6), (wide * 0.4, high * 1.1), (wide * 0.6, high * 1.25)]
    elif variant == 2:
        profile = [(wide * 0.7, 0.0), (wide * 1.5, high * 0.35), (wide * 1.7, high * 0.5)]
    else:
        profile = [(wide * 0.6, 0.0), (wide * 1.15, high * 0.4), (wide * 0.5, high * 0.85), (wide * 0.7, high)]
    piece.lathe((0.0, 0.0, 0.0), profile, glaze, LIDDED)
    if variant == 3:
        stem, bloom = finishes.builder.material((0.25, 0.42, 0.24)), finishes.material(finishes.paint("vase"))
        for number in range(5):
            turn = number * 1.3
            _leaf(piece, stem, (high, 0.2), (turn, 0.5), False)
            at = (0.06 * math.sin(turn), high + 0.14, 0.06 * math.cos(turn))
            piece.frustum(at, (0.015, 0.035), 0.04, bloom, shape=ROUND_6)
    return piece


def box(finishes: Finishes, paint: Paint, size_m: tuple[float, float, float], variant: int) -> Piece:
    """Return a box: 0 cardboard with tape, 1 with a lid and a label, 2 an open crate."""
    width, height, depth = size_m
    piece = Piece("box", paint.name)
    board = finishes.material(paint)
    if variant == 2:
        piece.box((0.0, 0.0, 0.0), (width - 0.02, 0.03, depth - 0.02), finishes.shade(paint, 0.7))
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.01), 0.0, 0.0), (0.02, height, depth), board)
            piece.box((0.0, 0.0, side * (depth / 2 - 0.01)), (width - 0.04, height, 0.02), board)
        piece.offer("in", (0.0, 0.03, 0.0), (width - 0.06, depth - 0.06))
        return piece
    piece.box((0.0, 0.0, 0.0), (width, height, depth), board)
    if variant == 0:
        tape = finishes.shade(paint, 0.8)
        piece.box((0.0, height, 0.0), (width, 0.002, depth * 0.14), tape)
        piece.box((0.0, height * 0.7, depth / 2), (width * 0.1, height * 0.3, 0.003), tape)
        edge = min(width, height) * 0.36
        label = finishes.printed("label", prints.label, 3)
        piece.panel((-width * 0.24, height * 0.4, depth / 2 + 0.001), edge, edge, label)
        piece.offer("on", (0.0, height + 0.002, 0.0), (width - 0.03, depth - 0.03))
    else:
        piece.box((0.0, height * 0.78, 0.0), (width + 0.02, height * 0.24, depth + 0.02), finishes.shade(paint, 0.88))
        piece.offer("on", (0.0, height * 1.02, 0.0), (width - 0.02, depth - 0.02))
        edge = height * 0.36
        label = finishes.printed("label", prints.label, 3)
        piece.box((0.0, height * 0.28, depth / 2), (edge, edge, 0.004), finishes.white)
        piece.panel((0.0, height * 0.28 + edge / 2, depth / 2 + 0.0025), edge, edge, label)
    return piece


def waste_bin(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a bin: 0 round and open, 1 with a swing lid, 2 a pedal bin with a domed lid."""
    rng = finishes.rng
    piece = Piece("bin", paint.name)
    shell = finishes.material(paint, "gloss")
    if variant == 1:
        wide, high = rng.uniform(0.3, 0.36), rng.uniform(0.5, 0.6)
        piece.box((0.0, 0.0, 0.0), (wide * 0.8, high, wide * 0.65), shell, taper=1.15)
        piece.box((0.0, high, 0.0), (wide * 0.95, 0.1, wide * 0.78), finishes.shade(paint, 0.75), taper=0.7)
        return piece
    radius, high = rng.uniform(0.13, 0.17), rng.uniform(0.3, 0.4)
    if variant == 0:
        piece.frustum((0.0, 0.0, 0.0), (radius * 0.8, radius), high, shell, shape=POLE_10)
        lining = finishes.shade(paint, 0.55)
        piece.frustum((0.0, 0.01, 0.0), (radius * 0.77, radius * 0.96), high - 0.012, lining, shape=POLE_10)
        piece.frustum(
            (0.0, 0.0, 0.0), (radius * 0.78, radius * 0.78), 0.012, finishes.dark, shape=replace(LIDDED, sides=10)
        )
        piece.offer("in", (0.0, 0.012, 0.0), (radius, radius))
        return piece
    piece.frustum((0.0, 0.0, 0.0), (radius, radius), 0.04, finishes.dark, shape=POLE_10)
    piece.frustum((0.0, 0.04, 0.0), (radius, radius), high + 0.1, shell, shape=POLE_10)
    profile = [(radius * 1.02, 0.0), (radius * 0.8, 0.06), (radius * 0.3, 0.085)]
    piece.lathe((0.0, high + 0.14, 0.0), profile, finishes.dark, replace(LIDDED, sides=10))
    piece.box((0.0, 0.01, radius), (0.1, 0.02, 0.07), finishes.dark)
    return piece
