"""Racks, counters, tills, shopping carts, signs, stools and benches of shops and halls."""

import math

from backsight.sim.embedded.scenes import prints
from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import (
    add_disc,
    add_fronts,
    add_legs,
    add_open_box,
    add_rod,
)
from backsight.sim.embedded.scenes.piece import HIDE_BACK, HIDE_BOTTOM, HIDE_ENDS, POLE, Piece, Round, Vector


def rack(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return an open rack: 0 heavy pallet rack, 1 slotted uprights, 2 shop shelves with some goods, 3 low."""
    rng = finishes.rng
    piece = Piece("rack", paint.name)
    if variant == 0:
        width, height, depth, levels = (
            rng.uniform(2.2, 2.7),
            rng.uniform(2.3, 2.6),
            rng.uniform(0.85, 1.0),
            (0.12, 1.25),
        )
    elif variant == 1:
        width, height, depth = rng.uniform(0.9, 1.2), rng.uniform(1.75, 2.0), rng.uniform(0.4, 0.5)
        levels = tuple(0.1 + step * (height - 0.14) / 4 for step in range(5))
    elif variant == 2:
        width, height, depth = rng.uniform(1.0, 1.3), rng.uniform(1.5, 1.9), rng.uniform(0.4, 0.5)
        levels = tuple(0.14 + step * (height - 0.3) / 3 for step in range(4))
    else:
        width, height, depth, levels = rng.uniform(1.2, 1.5), rng.uniform(0.8, 0.95), 0.5, (0.14, 0.5)
    steel, board = finishes.material(paint), finishes.shade(paint, 0.9)
    post = 0.08 if variant == 0 else 0.045
    shelf = 0.1 if variant == 0 else 0.035
    x, z = (width - post) / 2, (depth - post) / 2
    for side in (-1, 1):
        for back in (-1, 1):
            tall = height if back < 0 or variant < 2 else levels[0] + shelf if variant == 2 else height
            piece.box((side * x, 0.0, back * z), (post, tall, post), steel)
        if variant == 0:
            for step in range(3):
                low, high = 0.15 + step * 0.7, 0.8 + step * 0.7
                add_rod(piece, (side * x, low, z), (side * x, min(high, height - 0.05), -z), 0.035, steel)
    if variant == 2:
        piece.box((0.0, 0.1, -depth / 2 + 0.014), (width - 0.02, height - 0.1, 0.024), board)
        holes = finishes.printed(f"holes {paint.name}", lambda draw: prints.perforation(draw, paint.colour), 1)
        x, low, high, z = width / 2 - 0.015, 0.16, height - 0.01, -depth / 2 + 0.027
        corners = ((-x, low, z), (x, low, z), (x, high, z), (-x, high, z))
        repeats = ((0.0, 0.0), (2 * x / 0.24, 0.0), (2 * x / 0.24, (high - low) / 0.24), (0.0, (high - low) / 0.24))
        piece.quad(corners, holes, repeats)
    back_z = -depth / 2 + (0.03 if variant == 2 else 0.01)
    for number, y in enumerate(levels):
        piece.box((0.0, y, 0.0), (width - (0.01 if variant == 2 else 2 * post), shelf, depth - 0.02), board)
        if variant == 2:
            piece.box((0.0, y - 0.03, depth / 2 - 0.012), (width - 0.004, 0.07, 0.016), steel)
        above = levels[number + 1] - 0.03 if number + 1 < len(levels) else math.inf
        size = (width - 2 * post - 0.03, depth / 2 - back_z - 0.04)
        kind = "in" if number + 1 < len(levels) else "on"
        middle, free = (depth / 2 + back_z - 0.02) / 2, above - y - shelf
        if variant == 2 and kind == "in" and rng.random() < 0.6:
            taken = size[0] * rng.uniform(0.35, 0.6)
            hand = float(rng.choice([-1.0, 1.0]))
            at = (hand * (size[0] - taken) / 2, y + shelf, middle)
            _goods(piece, finishes, at, (taken - 0.02, min(free - 0.04, rng.uniform(0.2, 0.32)), size[1] - 0.03))
            piece.offer(kind, (-hand * taken / 2, y + shelf, middle), (size[0] - taken, size[1]), free)
        else:
            piece.offer(kind, (0.0, y + shelf, middle), size, free)
    return piece


def _goods(piece: Piece, finishes: Finishes, base_m: Vector, size_m: Vector) -> None:
    """Add a row of packages that stand side by side, their fronts to +Z."""
    (x, y, z), (width, height, depth) = base_m, size_m
    piece.box((x, y, z), (width, height, depth), finishes.builder.material((0.62, 0.58, 0.52)), hidden=HIDE_BOTTOM)
    look = finishes.printed("goods", prints.goods, 5, 0.15)
    front, share = z + depth / 2 + 0.002, min(1.0, width / 0.8)
    left, right, top = x - width / 2, x + width / 2, y + height
    uv = ((0.0, 0.0), (share, 0.0), (share, 1.0), (0.0, 1.0))
    piece.quad(((left, y, front), (right, y, front), (right, top, front), (left, top, front)), look, uv)


def counter(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a counter whose customers stand at +Z: 0 straight with a top, 1 with a raised front, 2 an island."""
    rng = finishes.rng
    piece = Piece("counter", paint.name)
    width = rng.uniform(1.5, 2.1)
    depth = rng.uniform(0.75, 0.95) if variant == 2 else rng.uniform(0.6, 0.7)
    height = rng.uniform(0.9, 0.95)
    body, top = finishes.material(paint, "wood"), finishes.timber if paint.name != "brown" else finishes.white
    piece.box((0.0, 0.0, 0.0), (width - 0.08, 0.1, depth - 0.16), finishes.dark, hidden=HIDE_ENDS)
    piece.box((0.0, 0.1, 0.0), (width - 0.02, height - 0.14, depth - 0.08), body)
    piece.box((0.0, height - 0.04, 0.0), (width, 0.04, depth), top)
    size = (width - 0.06, depth - 0.06)
    middle = 0.0
    if variant == 1:
        piece.box((0.0, height, depth / 2 - 0.1), (width, 0.2, 0.1), body)
        piece.box((0.0, height + 0.2, depth / 2 - 0.1), (width + 0.04, 0.03, 0.24), top)
        piece.offer("on", (0.0, height + 0.23, depth / 2 - 0.1), (width - 0.02, 0.2))
        size, middle = (width - 0.06, depth - 0.28), -0.11
    elif variant == 2:
        frame = (-width / 2 + 0.02, width / 2 - 0.02, 0.12, height - 0.06)
        add_fronts(piece, frame, depth / 2 - 0.04, (3, 1), (finishes.shade(paint, 1.08), finishes.metal))
    else:
        for number in range(3):
            x = (number - 1) * (width - 0.1) / 3
            size_m = ((width - 0.2) / 3, height - 0.34, 0.016)
            piece.box((x, 0.18, depth / 2 - 0.032), size_m, finishes.shade(paint, 0.88), hidden=HIDE_BACK)
    piece.offer("on", (0.0, height, middle), size)
    return piece


def cash_register(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a till whose keys face +Z: 0 with keys and a small display, 1 a touch screen over a drawer."""
    piece = Piece("cash register", paint.name)
    case, dark = finishes.material(paint), finishes.shade(paint, 0.7)
    piece.box((0.0, 0.0, 0.0), (0.42, 0.11, 0.42), case)
    piece.box((0.0, 0.015, 0.212), (0.38, 0.08, 0.008), dark, hidden=HIDE_BACK)
    piece.box((0.0, 0.045, 0.22), (0.1, 0.02, 0.02), finishes.metal, hidden=HIDE_BACK)
    if variant == 1:
        piece.box((0.0, 0.11, -0.06), (0.14, 0.14, 0.1), case)
        piece.box((0.0, 0.17, -0.02), (0.36, 0.27, 0.04), case, (-0.35, 0.0, 0.0))
        look = finishes.printed("screen", prints.screen, 4, 0.3)
        low, high, lean = 0.19, 0.42, -0.084
        z = 0.0125
        corners = ((-0.16, low, z), (0.16, low, z), (0.16, high, z + lean), (-0.16, high, z + lean))
        piece.quad((corners[0], corners[1], corners[2], corners[3]), look)
        return piece
    piece.box((0.0, 0.11, -0.06), (0.4, 0.12, 0.28), case, taper=0.85)
    piece.box((-0.04, 0.11, 0.1), (0.26, 0.22, 0.03), case, (-0.9, 0.0, 0.0))
    keys = finishes.printed(f"keys {paint.name}", lambda draw: prints.keys(draw, paint.colour), 1)
    up, z = 0.124, 0.112
    corners = ((-0.15, up, z), (0.07, up, z), (0.07, up + 0.12, z - 0.15), (-0.15, up + 0.12, z - 0.15))
    piece.quad((corners[0], corners[1], corners[2], corners[3]), keys)
    piece.box((0.13, 0.11, 0.08), (0.1, 0.16, 0.14), dark)
    piece.box((0.0, 0.23, -0.12), (0.04, 0.1, 0.04), dark)
    piece.box((0.0, 0.32, -0.12), (0.24, 0.09, 0.06), case)
    piece.panel((0.0, 0.365, -0.0895), 0.2, 0.06, finishes.builder.material((0.25, 0.5, 0.35), gloss=0.5))
    return piece


def shopping_cart(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a cart that is pushed along -Z: 0 of wire, 1 of plastic, 2 small with two baskets."""
    rng = finishes.rng
    piece = Piece("shopping cart", paint.name)
    frame, dark = finishes.material(paint), finishes.dark
    width, length, floor, rim = rng.uniform(0.5, 0.56), rng.uniform(0.8, 0.9), 0.5, rng.uniform(0.9, 0.98)
    x, z = width / 2 - 0.04, length / 2 - 0.08
    for side in (-1, 1):
        for end in (-1, 1):
            add_disc(piece, (side * x, 0.06, end * z), 0.06, 0.035, dark)
        add_rod(piece, (side * x, 0.14, -z), (side * x, 0.14, z), 0.035, frame)
        add_rod(piece, (side * x, 0.13, z), (side * x * 1.02, rim + 0.02, z + 0.05), 0.035, frame)
    add_rod(piece, (-x, 0.14, z), (x, 0.14, z), 0.035, frame)
    piece.box((0.0, rim + 0.01, z + 0.05), (width, 0.04, 0.045), finishes.shade(paint, 0.7))
    if variant == 2:
        for y in (0.28, 0.66):
            add_open_box(piece, (0.0, y, -0.05), (width - 0.1, 0.22, 0.4), 0.016, (frame, frame), offer=False)
            inside = 0.14 if y < 0.5 else math.inf
            piece.offer("in", (0.0, y + 0.016, -0.05), (width - 0.16, 0.35), inside)
        add_rod(piece, (-x, 0.14, -z), (-x, 0.66, -0.2), 0.03, frame)
        add_rod(piece, (x, 0.14, -z), (x, 0.66, -0.2), 0.03, frame)
        return piece
    _cart_basket(piece, (frame, finishes.shade(paint, 0.9)), (width, length, floor, rim), variant == 1)
    return piece


def _cart_basket(piece: Piece, looks: tuple[int, int], size_m: tuple[float, float, float, float], closed: bool) -> None:
    """Add a basket that widens towards its rim: of bars, or with closed walls."""
    width, length, floor, rim = size_m
    frame, wall = looks
    half, near, far = width / 2, length / 2 - 0.06, -length / 2 + 0.04
    piece.box((0.0, floor, 0.0), (width - 0.1, 0.02, length - 0.24), wall)
    corners = [(-half, near), (half, near), (half * 0.92, far), (-half * 0.92, far)]
    low = [(x * 0.82, z * 0.84) for x, z in corners]
    for number in range(4):
        (x, z), (next_x, next_z) = corners[number], corners[(number + 1) % 4]
        (low_x, low_z), (low_next_x, low_next_z) = low[number], low[(number + 1) % 4]
        add_rod(piece, (x, rim, z), (next_x, rim, next_z), 0.03, frame)
        add_rod(piece, (low_x, floor, low_z), (low_next_x, floor, low_next_z), 0.024, frame)
        if closed:
            a, b = (low_x, floor, low_z), (low_next_x, floor, low_next_z)
            piece.quad((a, b, (next_x, rim, next_z), (x, rim, z)), wall)
        for bar in range(1 if closed else 7):
            share = bar / 7
            bottom = (low_x + share * (low_next_x - low_x), floor, low_z + share * (low_next_z - low_z))
            add_rod(piece, bottom, (x + share * (next_x - x), rim, z + share * (next_z - z)), 0.018, frame)
        if not closed:
            middle = [(a + b) / 2 for a, b in ((x, low_x), (z, low_z), (next_x, low_next_x), (next_z, low_next_z))]
            height = (floor + rim) / 2
            add_rod(piece, (middle[0], height, middle[1]), (middle[2], height, middle[3]), 0.018, frame)
    piece.offer("in", (0.0, floor + 0.02, 0.0), (width * 0.62, length * 0.55))


def sign(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a sign: 0 a stand-up board of two leaves, 1 flat for the wall, 2 on a pole with a round foot."""
    rng = finishes.rng
    piece = Piece("sign", paint.name)
    board = finishes.material(paint)
    look = finishes.printed(f"notice {paint.name}", lambda draw: prints.notice(draw, paint.colour), 2)
    if variant == 1:
        size = rng.uniform(0.3, 0.45)
        piece.box((0.0, 0.0, 0.0), (size, size, 0.02), board)
        piece.panel((0.0, size / 2, 0.011), size, size, look)
        return piece
    if variant == 2:
        size = rng.uniform(0.32, 0.4)
        piece.frustum((0.0, 0.0, 0.0), (0.17, 0.15), 0.03, finishes.dark, shape=Round(10, bottom=False))
        piece.frustum((0.0, 0.03, 0.0), (0.022, 0.022), 1.1, finishes.metal, shape=POLE)
        piece.box((0.0, 1.05, 0.03), (size, size, 0.025), board)
        piece.panel((0.0, 1.05 + size / 2, 0.0435), size, size, look)
        return piece
    width, height, spread = rng.uniform(0.34, 0.5), rng.uniform(0.62, 0.95), 0.17
    for side in (-1, 1):
        low, high = side * spread, side * 0.015
        front = [(-width / 2, 0.0, low), (width / 2, 0.0, low), (width / 2, height, high), (-width / 2, height, high)]
        if side < 0:
            front = [front[1], front[0], front[3], front[2]]
        piece.quad((front[0], front[1], front[2], front[3]), look)
        for x in (-width / 2, width / 2):
            add_rod(piece, (x, 0.0, low), (x, height, high), 0.025, board)
    piece.box((0.0, height - 0.02, 0.0), (width, 0.035, 0.05), board)
    return piece


def stool(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a stool: 0 low with four legs, 1 a bar stool with a foot ring, 2 round on a column, 3 a padded cube."""
    rng = finishes.rng
    piece = Piece("stool", paint.name)
    wood = finishes.material(paint, "wood")
    if variant == 3:
        edge, high = rng.uniform(0.4, 0.48), rng.uniform(0.4, 0.46)
        piece.box((0.0, 0.0, 0.0), (edge, high - 0.07, edge), finishes.material(paint, "fabric"))
        piece.box((0.0, high - 0.07, 0.0), (edge + 0.01, 0.07, edge + 0.01), finishes.shade(paint, 1.08), taper=0.94)
        piece.offer("on", (0.0, high, 0.0), (edge - 0.06, edge - 0.06))
        return piece
    high = rng.uniform(0.68, 0.78) if variant == 1 else rng.uniform(0.43, 0.5)
    radius = rng.uniform(0.16, 0.19)
    shape = Round(10)
    piece.frustum((0.0, high - 0.05, 0.0), (radius * 0.96, radius), 0.05, wood, shape=shape)
    piece.offer("on", (0.0, high, 0.0), (radius * 1.25, radius * 1.25))
    if variant == 2:
        piece.frustum((0.0, 0.0, 0.0), (radius * 1.05, radius * 0.9), 0.03, wood, shape=Round(10, bottom=False))
        piece.frustum((0.0, 0.03, 0.0), (0.035, 0.035), high - 0.08, finishes.metal, shape=POLE)
        return piece
    spread = radius * 1.05
    for leg in range(4):
        turn = math.pi / 4 + leg * math.pi / 2
        out = (math.sin(turn), math.cos(turn))
        foot = (spread * out[0], 0.0, spread * out[1])
        add_rod(piece, foot, (radius * 0.6 * out[0], high - 0.05, radius * 0.6 * out[1]), 0.038, wood)
    if variant == 1:
        ring = 0.26
        reach = spread - (spread - radius * 0.6) * ring / high
        for leg in range(4):
            turns = (math.pi / 4 + leg * math.pi / 2, math.pi / 4 + (leg + 1) * math.pi / 2)
            ends = [(reach * math.sin(turn), ring, reach * math.cos(turn)) for turn in turns]
            add_rod(piece, ends[0], ends[1], 0.028, finishes.metal)
    return piece


def bench(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a bench: 0 a plank on slabs, 1 slats on a metal frame, 2 with a back, 3 padded over a shelf."""
    rng = finishes.rng
    piece = Piece("bench", paint.name)
    width, depth, seat = rng.uniform(1.1, 1.5), rng.uniform(0.36, 0.42), rng.uniform(0.42, 0.47)
    wood, dark = finishes.material(paint, "wood"), finishes.shade(paint, 0.85)
    free = seat - 0.06
    if variant == 1:
        for slat in range(3):
            piece.box((0.0, seat - 0.04, (slat - 1) * depth * 0.34), (width, 0.04, depth * 0.29), wood)
        add_legs(piece, (width - 0.1, depth), seat - 0.04, 0.05, finishes.metal, False)
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.075), seat - 0.075, 0.0), (0.04, 0.035, depth - 0.05), finishes.metal)
        free = seat - 0.08
    else:
        piece.box((0.0, seat - 0.05, 0.0), (width, 0.05, depth), wood)
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.06), 0.0, 0.0), (0.06, seat - 0.05, depth - 0.04), dark, hidden=HIDE_ENDS)
    if variant == 2:
        for side in (-1, 1):
            piece.box((side * (width / 2 - 0.06), seat, -depth / 2 + 0.03), (0.06, 0.42, 0.04), dark)
        for y in (0.12, 0.28):
            piece.box((0.0, seat + y, -depth / 2 + 0.06), (width, 0.1, 0.025), wood)
        piece.offer("on", (0.0, seat, 0.04), (width - 0.05, depth - 0.13))
    elif variant == 3:
        cloth = finishes.material(paint, "fabric")
        piece.box((0.0, seat, 0.0), (width - 0.02, 0.07, depth - 0.02), cloth, taper=0.97, hidden=HIDE_BOTTOM)
        piece.offer("on", (0.0, seat + 0.07, 0.0), (width - 0.1, depth - 0.08))
        piece.box((0.0, 0.1, 0.0), (width - 0.18, 0.025, depth - 0.05), wood)
        piece.offer("in", (0.0, 0.125, 0.0), (width - 0.22, depth - 0.06), seat - 0.18)
        return piece
    else:
        piece.offer("on", (0.0, seat, 0.0), (width - 0.05, depth - 0.04))
    piece.offer("under", (0.0, 0.0, 0.0), (width - 0.26, depth), free)
    return piece
