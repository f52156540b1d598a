"""Fridges, stoves and kitchen sinks; all kitchen units share a worktop height."""

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_carcass, add_fronts
from backsight.sim.embedded.scenes.piece import HIDE_BACK, HIDE_BOTTOM, LIDDED, Piece

WORKTOP_M = 0.9
UNIT_DEPTH_M = 0.6


def fridge(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a fridge: 0 freezer below, 1 freezer above, 2 two doors side by side."""
    rng = finishes.rng
    width = 0.9 if variant == 2 else rng.uniform(0.58, 0.68)
    height, depth = rng.uniform(1.65, 1.9), rng.uniform(0.62, 0.68)
    piece = Piece("fridge", paint.name)
    shell = finishes.material(paint, "gloss")
    body = depth - 0.07
    piece.box((0.0, 0.0, -0.035), (width - 0.03, 0.05, body - 0.06), finishes.dark)
    piece.box((0.0, 0.05, -0.035), (width, height - 0.05, body), shell, hidden=HIDE_BOTTOM)
    piece.offer("on", (0.0, height, -0.035), (width - 0.07, body - 0.04))
    front = body / 2 - 0.035 + 0.02
    piece.box((0.0, 0.07, front - 0.012), (width - 0.02, height - 0.09, 0.014), finishes.dark)
    if variant == 2:
        for side in (-1, 1):
            piece.box((side * width / 4, 0.06, front + 0.005), (width / 2 - 0.012, height - 0.07, 0.05), shell)
            piece.box((side * 0.045, 0.7, front + 0.04), (0.025, 0.7, 0.03), finishes.metal)
        return piece
    split = height * (0.36 if variant == 0 else 0.68)
    for low, high in ((0.06, split - 0.008), (split + 0.008, height - 0.005)):
        piece.box((0.0, low, front + 0.005), (width - 0.004, high - low, 0.05), shell)
    for y in (split + 0.06, split - 0.06 - 0.3):
        piece.box((width / 2 - 0.07, y, front + 0.04), (0.025, 0.3, 0.03), finishes.metal)
    return piece


def stove(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a stove with four hobs and an oven: 0 glass top, 1 gas rings with a splashback, 2 wide range."""
    width = (0.6, 0.6, 0.9)[variant]
    depth = UNIT_DEPTH_M
    piece = Piece("stove", paint.name)
    shell = finishes.material(paint, "gloss")
    piece.box((0.0, 0.0, -0.02), (width, WORKTOP_M - 0.02, depth - 0.04), shell)
    front = depth / 2 - 0.04
    piece.box((0.0, WORKTOP_M - 0.02, 0.0), (width, 0.02, depth), finishes.dark if variant == 0 else shell)
    hob = finishes.metal if variant == 0 else finishes.builder.material((0.22, 0.22, 0.23), gloss=0.1)
    for x in (-0.28, 0.28):
        for z in (-0.24, 0.2):
            at = (x * width, WORKTOP_M, z * depth)
            radius = 0.09 if z < 0 else 0.075
            tall = 0.004 if variant == 0 else 0.022
            piece.frustum(at, (radius, radius), tall, hob, shape=LIDDED)
            piece.offer("on", (at[0], WORKTOP_M + (0.032 if variant else tall), at[2]), (0.16, 0.16))
            if variant:
                rack = (at[0], WORKTOP_M + 0.02, at[2])
                piece.box(rack, (0.2, 0.012, 0.02), finishes.metal, hidden=HIDE_BOTTOM)
    piece.box((0.0, 0.22, front), (width - 0.06, 0.44, 0.03), shell)
    piece.box((0.0, 0.28, front + 0.012), (width - 0.26, 0.19, 0.012), finishes.dark)
    piece.box((0.0, 0.68, front + 0.03), (width - 0.14, 0.022, 0.025), finishes.metal)
    piece.box((0.0, 0.04, front), (width - 0.06, 0.15, 0.025), finishes.shade(paint, 0.9))
    for knob in range(5):
        x = (knob - 2) * width * 0.17
        piece.box((x, 0.78, front + 0.012), (0.036, 0.036, 0.03), finishes.dark, hidden=HIDE_BACK)
    if variant == 1:
        piece.box((0.0, WORKTOP_M, -depth / 2 + 0.015), (width, 0.16, 0.03), shell)
    return piece


def counter(finishes: Finishes, paint: Paint, width_m: float, worktop: int) -> Piece:
    """Return a low kitchen unit (a cabinet) with doors, a drawer row and a worktop."""
    piece = Piece("cabinet", paint.name)
    _unit(piece, finishes, paint, (width_m, 0.0))
    piece.box((0.0, WORKTOP_M - 0.04, 0.0), (width_m, 0.04, UNIT_DEPTH_M), worktop)
    piece.offer("on", (0.0, WORKTOP_M, 0.0), (width_m - 0.03, UNIT_DEPTH_M - 0.06))
    return piece


def wall_unit(finishes: Finishes, paint: Paint, width_m: float) -> Piece:
    """Return a kitchen cabinet that hangs on the wall; its origin is below its lower face."""
    piece = Piece("cabinet", paint.name)
    depth, height = 0.34, 0.62
    piece.box((0.0, 0.001, -0.01), (width_m, height, depth - 0.03), finishes.material(paint))
    columns = max(1, round(width_m / 0.5))
    frame = (-width_m / 2, width_m / 2, 0.005, height)
    add_fronts(piece, frame, depth / 2 - 0.025, (columns, 1), (finishes.shade(paint, 1.07), finishes.metal))
    return piece


def kitchen_sink(finishes: Finishes, paint: Paint, variant: int, worktop: int) -> Piece:
    """Return a sink unit with basin and tap: 0 one basin, 1 two basins, 2 one basin and a drainer."""
    width = (0.6, 0.9, 0.9)[variant]
    piece = Piece("sink", paint.name)
    _unit(piece, finishes, paint, (width, 0.2))
    rim = finishes.builder.material((0.74, 0.75, 0.76), gloss=0.7)
    depth, top = UNIT_DEPTH_M, WORKTOP_M
    basins = ((0.0, 0.42),) if variant == 0 else ((-0.21, 0.36), (0.21, 0.36)) if variant == 1 else ((-0.2, 0.4),)
    edges = [-width / 2]
    for x, wide in basins:
        edges += [x - wide / 2, x + wide / 2]
    edges.append(width / 2)
    for left, right in zip(edges[::2], edges[1::2], strict=True):
        piece.box(((left + right) / 2, top - 0.04, 0.02), (right - left, 0.04, 0.38), worktop)
    for z, deep in ((-depth / 2 + 0.065, 0.13), (depth / 2 - 0.045, 0.09)):
        piece.box((0.0, top - 0.04, z), (width, 0.04, deep), worktop)
    bowl = finishes.builder.material((0.52, 0.53, 0.54), gloss=0.6)
    for x, wide in basins:
        piece.box((x, top - 0.18, 0.02), (wide, 0.004, 0.38), bowl)
        _basin_walls(piece, bowl, (x, 0.02), (wide - 0.004, 0.376), (top - 0.18, top))
        piece.offer("in", (x, top - 0.176, 0.02), (wide - 0.03, 0.34), 0.34)
        piece.box((x, top, -0.18), (wide, 0.006, 0.02), rim)
        piece.box((x, top, 0.22), (wide, 0.006, 0.02), rim)
    if variant == 2:
        for groove in range(4):
            piece.box((0.12 + groove * 0.08, top, 0.02), (0.02, 0.006, 0.34), rim)
        piece.offer("on", (0.24, top + 0.006, 0.02), (0.26, 0.32))
    _tap(piece, rim, (basins[0][0], top, -0.235))
    return piece


def _unit(piece: Piece, finishes: Finishes, paint: Paint, shape_m: tuple[float, float]) -> None:
    """Add the doors and body below a worktop; the second number lowers the body's top for a basin."""
    width, lowered = shape_m
    body = UNIT_DEPTH_M - 0.05
    height = WORKTOP_M - 0.04 - 0.1
    plain = finishes.material(paint)
    if lowered:
        add_carcass(piece, (width, height - lowered, body), 0.1, plain, finishes.dark)
        piece.box((0.0, 0.1 + height - lowered, body / 2 - 0.01), (width, lowered, 0.02), plain)
        for side in (-1, 1):
            at = (side * (width / 2 - 0.01), 0.1 + height - lowered, 0.0)
            piece.box(at, (0.02, lowered, body), plain)
    else:
        add_carcass(piece, (width, height, body), 0.1, plain, finishes.dark)
    looks = (finishes.shade(paint, 1.06), finishes.metal)
    columns = max(1, round(width / 0.5))
    add_fronts(piece, (-width / 2, width / 2, 0.11, 0.66), body / 2, (columns, 1), looks)
    add_fronts(piece, (-width / 2, width / 2, 0.67, 0.85), body / 2, (columns, 1), looks)


def _basin_walls(
    piece: Piece,
    material: int,
    middle_m: tuple[float, float],
    size_m: tuple[float, float],
    levels_m: tuple[float, float],
) -> None:
    (x, z), (width, depth), (low, high) = middle_m, size_m, levels_m
    left, right, front, back = x - width / 2, x + width / 2, z + depth / 2, z - depth / 2
    piece.quad(((left, low, front), (left, low, back), (left, high, back), (left, high, front)), material)
    piece.quad(((right, low, back), (right, low, front), (right, high, front), (right, high, back)), material)
    piece.quad(((left, low, back), (right, low, back), (right, high, back), (left, high, back)), material)
    piece.quad(((right, low, front), (left, low, front), (left, high, front), (right, high, front)), material)


def _tap(piece: Piece, metal: int, base_m: tuple[float, float, float]) -> None:
    x, y, z = base_m
    piece.frustum((x, y, z), (0.02, 0.016), 0.24, metal, shape=LIDDED)
    piece.box((x, y + 0.225, z + 0.07), (0.024, 0.024, 0.17), metal, hidden=HIDE_BACK)
    piece.box((x, y + 0.19, z + 0.145), (0.022, 0.04, 0.022), metal)
    piece.box((x + 0.05, y, z), (0.05, 0.05, 0.025), metal)
