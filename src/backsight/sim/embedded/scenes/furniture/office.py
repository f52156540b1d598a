"""Things of offices and classrooms: screens, keyboards, printers, boards, lecterns, globes, clocks and backpacks."""

import math

from backsight.sim.embedded.scenes import prints
from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_disc, add_fronts, add_level_panel, add_rod
from backsight.sim.embedded.scenes.piece import HIDE_BACK, HIDE_BOTTOM, Piece, Round


def monitor(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a monitor: 0 switched off on a foot, 1 wide and on, 2 on with a chin below its screen."""
    rng = finishes.rng
    piece = Piece("monitor", paint.name if variant == 0 else None)
    width = rng.uniform(0.72, 0.82) if variant == 1 else rng.uniform(0.52, 0.62)
    height = width * (0.45 if variant == 1 else 0.6)
    case = finishes.material(paint, "gloss")
    low = rng.uniform(0.10, 0.15)
    piece.box((0.0, 0.0, -0.03), (0.26, 0.018, 0.2), case)
    piece.box((0.0, 0.018, -0.06), (0.07, low + height * 0.6, 0.03), case, hidden=HIDE_BOTTOM)
    piece.box((0.0, low, 0.0), (width, height, 0.04), case)
    piece.box((0.0, low + height * 0.25, -0.035), (width * 0.5, height * 0.5, 0.03), case)
    chin = height * 0.16 if variant == 2 else 0.02
    off = finishes.builder.material((0.06, 0.065, 0.075), gloss=0.9)
    look = off if variant == 0 else finishes.printed("screen", prints.screen, 4, 0.3)
    shown = height - chin - 0.018
    piece.panel((0.0, low + chin + shown / 2, 0.021), width - 0.036, shown, look)
    return piece


def laptop(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a laptop: 0 and 1 open, its screen off or on, 2 closed."""
    rng = finishes.rng
    piece = Piece("laptop", paint.name if variant == 2 or (variant == 0 and paint.name == "black") else None)
    width = rng.uniform(0.32, 0.38)
    depth = width * 0.68
    case = finishes.material(paint)
    if variant == 2:
        piece.box((0.0, 0.0, 0.0), (width, 0.024, depth), case)
        piece.box((0.0, 0.024, 0.0), (width * 0.14, 0.002, width * 0.14), finishes.shade(paint, 0.7))
        return piece
    piece.box((0.0, 0.0, 0.0), (width, 0.02, depth), case)
    board = finishes.printed(f"keys {paint.name}", lambda draw: prints.keys(draw, paint.colour), 1)
    add_level_panel(piece, (0.0, 0.0205, -depth * 0.12), (width * 0.9, depth * 0.55), board)
    add_level_panel(piece, (0.0, 0.0205, depth * 0.33), (width * 0.3, depth * 0.24), finishes.shade(paint, 0.8))
    lean = -rng.uniform(0.2, 0.45)
    hinge = -depth / 2 + 0.006
    piece.box((0.0, 0.018, hinge), (width, depth, 0.012), case, (lean, 0.0, 0.0))
    off = finishes.builder.material((0.06, 0.065, 0.075), gloss=0.9)
    look = finishes.printed("screen", prints.screen, 4, 0.3) if variant == 1 else off
    rise, back = math.cos(lean), math.sin(lean)

    def at(x: float, along: float) -> tuple[float, float, float]:
        return x, 0.018 + along * rise - 0.0065 * back, hinge + along * back + 0.0065 * rise

    half, low, high = width / 2 - 0.012, 0.02, depth - 0.012
    piece.quad((at(-half, low), at(half, low), at(half, high), at(-half, high)), look)
    return piece


def keyboard(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a keyboard: 0 full width, 1 short, 2 with a mouse beside it."""
    piece = Piece("keyboard", paint.name)
    case = finishes.material(paint)
    width, depth = (0.44, 0.32, 0.42)[variant], 0.15
    x = -0.06 if variant == 2 else 0.0
    piece.box((x, 0.0, 0.0), (width, 0.026, depth), case, taper=0.97)
    board = finishes.printed(f"keys {paint.name}", lambda draw: prints.keys(draw, paint.colour), 1)
    add_level_panel(piece, (x, 0.0265, 0.0), (width - 0.03, depth - 0.025), board)
    if variant == 2:
        piece.box((0.22, 0.0, 0.01), (0.065, 0.034, 0.11), case, taper=0.75)
    return piece


def printer(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a printer: 0 for a desk, 1 with a paper tray at its back, 2 a copier that stands on the floor."""
    rng = finishes.rng
    piece = Piece("printer", paint.name)
    case, light = finishes.material(paint), finishes.shade(paint, 1.08)
    if variant == 2:
        width, depth, height = rng.uniform(0.56, 0.62), rng.uniform(0.55, 0.62), rng.uniform(0.82, 0.92)
        piece.box((0.0, 0.0, 0.0), (width, height, depth), case)
        frame = (-width / 2 + 0.02, width / 2 - 0.02, 0.05, height * 0.52)
        add_fronts(piece, frame, depth / 2, (1, 3), (light, finishes.dark))
        piece.box((0.0, height * 0.62, depth / 2), (width * 0.8, 0.14, 0.012), finishes.dark)
        piece.box((0.0, height, -0.02), (width, 0.1, depth - 0.08), light, taper=0.94)
        piece.box((width * 0.28, height + 0.02, depth / 2 - 0.02), (0.2, 0.03, 0.12), finishes.dark, (-0.5, 0.0, 0.0))
        return piece
    width, depth, height = rng.uniform(0.40, 0.48), rng.uniform(0.34, 0.4), rng.uniform(0.17, 0.24)
    piece.box((0.0, 0.0, 0.0), (width, height, depth), case, taper=0.97)
    piece.box((0.0, height, 0.0), (width * 0.94, 0.03, depth * 0.94), light, taper=0.9)
    piece.box((0.0, height * 0.34, depth / 2 - 0.02), (width * 0.72, height * 0.3, 0.03), finishes.dark)
    piece.box((0.0, height * 0.3, depth / 2 + 0.05), (width * 0.6, 0.012, 0.14), finishes.white)
    piece.box((width * 0.32, height * 0.72, depth / 2 - 0.005), (0.08, 0.035, 0.012), finishes.dark)
    if variant == 1:
        piece.box((0.0, height, -depth / 2 + 0.05), (width * 0.62, 0.2, 0.02), case, (-0.3, 0.0, 0.0))
        piece.box((0.0, height, -depth / 2 + 0.07), (width * 0.5, 0.22, 0.008), finishes.white, (-0.3, 0.0, 0.0))
    return piece


def whiteboard(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a whiteboard: 0 wide for the wall, 1 narrow for the wall, 2 on a stand with castors."""
    rng = finishes.rng
    piece = Piece("whiteboard", paint.name)
    width, height = (rng.uniform(1.7, 2.4), 1.1) if variant == 0 else (rng.uniform(1.1, 1.3), rng.uniform(0.85, 1.0))
    low = 0.8 if variant == 2 else 0.001
    back = finishes.material(paint)
    piece.box((0.0, low + 0.006, 0.0), (width - 0.012, height - 0.012, 0.03), back)
    frame = finishes.metal
    for y in (low, low + height - 0.03):
        piece.box((0.0, y, 0.006), (width, 0.03, 0.035), frame)
    for side in (-1, 1):
        piece.box((side * (width - 0.03) / 2, low, 0.006), (0.03, height, 0.035), frame)
    look = finishes.printed("scribbles", prints.scribbles, 4, 0.3)
    piece.panel((0.0, low + height / 2, 0.0165), width - 0.06, height - 0.06, look)
    piece.box((0.0, low - (0.03 if low > 0.1 else 0.0), 0.05), (width * 0.5, 0.025, 0.07), frame)
    if variant == 2:
        for side in (-1, 1):
            x = side * (width / 2 + 0.02)
            piece.box((x, 0.04, 0.0), (0.04, low + height - 0.1, 0.04), frame)
            piece.box((x, 0.04, 0.0), (0.05, 0.04, 0.56), frame)
            for z in (-0.25, 0.25):
                piece.box((x, 0.0, z), (0.04, 0.05, 0.06), finishes.dark)
        piece.box((0.0, 0.22, 0.0), (width, 0.04, 0.03), frame)
    return piece


def projector_screen(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a projector screen: 0 rolled out on the wall, 1 on a tripod, 2 on the wall, with a picture on it."""
    rng = finishes.rng
    piece = Piece("projector screen", None if variant == 2 else paint.name)
    width = rng.uniform(1.5, 1.8) if variant == 1 else rng.uniform(1.8, 2.4)
    height = width * rng.uniform(0.58, 0.66)
    low = 0.75 if variant == 1 else 0.0
    cloth, border = finishes.material(paint), finishes.dark
    piece.box((0.0, low + 0.03, 0.0), (width - 0.01, height, 0.012), cloth)
    for side in (-1, 1):
        x = side * (width / 2 - 0.025)
        piece.box((x, low + 0.03, 0.004), (0.05, height, 0.013), border)
    piece.box((0.0, low, 0.0), (width + 0.02, 0.035, 0.035), border)
    piece.box((0.0, low + height + 0.03, 0.0), (width + 0.1, 0.1, 0.1), finishes.white if variant != 1 else border)
    if variant == 2:
        look = finishes.printed("screen", prints.screen, 4)
        piece.panel((0.0, low + 0.03 + height / 2, 0.013), width - 0.1, height - 0.06, look)
    if variant == 1:
        piece.box((0.0, 0.1, -0.045), (0.04, low + height, 0.04), finishes.metal)
        for turn in (math.pi, math.pi / 3, -math.pi / 3):
            foot = (0.42 * math.sin(turn), 0.0, 0.42 * math.cos(turn) - 0.045)
            add_rod(piece, foot, (0.0, 0.42, -0.045), 0.03, finishes.dark)
    return piece


def lectern(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a lectern: 0 a closed body, 1 a column on a foot, 2 a body that is open at its back."""
    rng = finishes.rng
    piece = Piece("lectern", paint.name)
    wood = finishes.material(paint, "wood")
    height, width, depth = rng.uniform(1.02, 1.12), rng.uniform(0.55, 0.66), rng.uniform(0.44, 0.5)
    if variant == 0:
        piece.box((0.0, 0.0, 0.0), (width * 0.92, 0.08, depth * 0.85), finishes.shade(paint, 0.8))
        piece.box((0.0, 0.08, 0.0), (width * 0.8, height - 0.08, depth * 0.7), wood)
    elif variant == 1:
        piece.box((0.0, 0.0, 0.0), (width * 0.85, 0.04, depth * 0.9), wood)
        piece.box((0.0, 0.04, 0.0), (0.2, height - 0.04, 0.12), wood)
    else:
        for side in (-1, 1):
            piece.box((side * (width * 0.42), 0.0, 0.0), (0.03, height, depth * 0.8), wood)
        piece.box((0.0, 0.05, depth * 0.4), (width * 0.84, height - 0.05, 0.03), wood)
        piece.box((0.0, 0.6, -0.01), (width * 0.8, 0.025, depth * 0.72), wood)
        piece.offer("in", (0.0, 0.625, -0.02), (width * 0.8 - 0.06, depth * 0.6), height - 0.68)
    piece.box((0.0, height - 0.04, -0.01), (width, 0.03, depth), wood, (-0.3, 0.0, 0.0))
    piece.box((0.0, height - 0.14, -depth / 2 - 0.012), (width, 0.06, 0.03), wood, (-0.3, 0.0, 0.0))
    if variant < 2:
        piece.panel((0.0, height * 0.62, depth * 0.352 if variant == 0 else 0.062), 0.16, 0.16, finishes.brass)
    return piece


def globe(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a globe: 0 on a turned foot, 1 large on a floor stand with three legs."""
    rng = finishes.rng
    piece = Piece("globe", None)
    radius = rng.uniform(0.2, 0.25) if variant == 1 else rng.uniform(0.13, 0.17)
    stand = finishes.timber if variant == 1 else finishes.brass
    low = 0.55 if variant == 1 else 0.09
    centre = low + radius
    if variant == 1:
        for leg in range(3):
            turn = leg * 2.0944
            foot = (0.27 * math.sin(turn), 0.0, 0.27 * math.cos(turn))
            add_rod(piece, foot, (0.1 * math.sin(turn), low, 0.1 * math.cos(turn)), 0.035, stand)
        piece.frustum((0.0, low - 0.02, 0.0), (0.14, 0.14), 0.03, stand)
    else:
        piece.lathe((0.0, 0.0, 0.0), [(radius * 0.75, 0.0), (radius * 0.7, 0.02), (0.02, 0.035), (0.02, low)], stand)
    _ball(piece, finishes.printed("world map", prints.world_map, 2, 0.2), (centre, radius))
    for step in range(6):
        turns = [math.radians(angle) for angle in (-80 + step * 30, -50 + step * 30)]
        reach = radius + 0.02
        ends = [(reach * math.cos(turn), centre + reach * math.sin(turn), 0.0) for turn in turns]
        add_rod(piece, ends[0], ends[1], 0.018, stand)
    return piece


def _ball(piece: Piece, look: int, place_m: tuple[float, float]) -> None:
    """Add a ball of 6 by 12 quads on the y axis that shows its texture once round."""
    centre, radius = place_m
    rows, columns = 6, 12

    def at(column: int, row: int) -> tuple[float, float, float]:
        longitude, latitude = column * 2 * math.pi / columns, (row / rows - 0.5) * math.pi
        level = radius * math.cos(latitude)
        return level * math.sin(longitude), centre + radius * math.sin(latitude), level * math.cos(longitude)

    for row in range(rows):
        for column in range(columns):
            corners = (at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1))
            u, v = (0.4 + column / columns, 0.4 + (column + 1) / columns), (row / rows, (row + 1) / rows)
            piece.quad(corners, look, ((u[0], v[0]), (u[1], v[0]), (u[1], v[1]), (u[0], v[1])))


def clock(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a clock: 0 round for the wall, 1 square for the wall, 2 an alarm clock, 3 a tall pendulum clock."""
    rng = finishes.rng
    piece = Piece("clock", paint.name)
    face = finishes.printed(f"dial {paint.name}", lambda draw: prints.dial(draw, paint.colour), 2)
    rim = finishes.dark if paint.name != "black" else finishes.white
    if variant == 3:
        wood, height = finishes.material(paint, "wood"), rng.uniform(1.75, 2.0)
        piece.box((0.0, 0.0, 0.0), (0.46, 0.4, 0.3), wood)
        piece.box((0.0, 0.4, 0.0), (0.34, height - 0.86, 0.24), wood)
        piece.box((0.0, height - 0.46, 0.0), (0.46, 0.4, 0.3), wood)
        piece.box((0.0, height - 0.06, 0.0), (0.5, 0.06, 0.34), finishes.shade(paint, 0.85))
        piece.panel((0.0, height - 0.26, 0.152), 0.34, 0.34, face)
        piece.panel((0.0, 0.42 + (height - 0.9) / 2, 0.122), 0.2, height - 1.0, finishes.shade(paint, 0.75))
        piece.box((0.0, 0.7, 0.13), (0.03, height - 1.25, 0.01), finishes.brass)
        add_disc(piece, (0.0, 0.68, 0.135), 0.07, 0.015, finishes.brass, True)
        return piece
    radius = (rng.uniform(0.14, 0.2), rng.uniform(0.13, 0.17), 0.065)[variant]
    if variant == 1:
        piece.box((0.0, 0.004, 0.0), (2 * radius - 0.008, 2 * radius - 0.008, 0.036), finishes.material(paint))
        for side in (-1, 1):
            piece.box((side * radius * 0.94, 0.0, 0.006), (radius * 0.12, 2 * radius, 0.036), rim, hidden=HIDE_BACK)
            at = (0.0, radius * (1 + side * 0.94) - radius * 0.06, 0.006)
            piece.box(at, (radius * 1.76, radius * 0.12, 0.036), rim, hidden=HIDE_BACK)
        piece.panel((0.0, radius, 0.021), 1.8 * radius, 1.8 * radius, face)
        return piece
    centre = radius + (0.02 if variant == 2 else 0.0)
    z = 0.03 if variant == 2 else 0.02
    add_disc(piece, (0.0, centre, 0.0), radius * 0.98, 2 * z, finishes.material(paint), True)
    turn = (0.0, math.pi / 2, math.pi / 2)
    bezel = Round(10, bottom=False, top=False)
    piece.frustum((0.0, centre, z - 0.03), (radius, radius * 0.86), 0.034, rim, turn, bezel)
    z += 0.001
    ring = [math.pi * (2 * k + 1) / 16 for k in range(16)]
    for k in range(7):
        picked = [ring[i] for i in (k, 15 - k, 14 - k, k + 1)]
        points = [(0.9 * radius * math.sin(a), -0.9 * radius * math.cos(a)) for a in picked]
        a, b, c, d = ((x, centre + y, z) for x, y in (points[0], points[3], points[2], points[1]))
        uv = [(0.5 + x / (1.8 * radius), 0.5 + y / (1.8 * radius)) for x, y in points]
        piece.quad((a, b, c, d), face, (uv[0], uv[3], uv[2], uv[1]))
    if variant == 2:
        for side in (-1, 1):
            piece.box((side * 0.04, 0.0, 0.0), (0.022, 0.035, 0.04), rim)
            piece.frustum((side * 0.035, centre + radius * 0.85, 0.0), (0.028, 0.01), 0.03, finishes.brass)
    return piece


def backpack(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a backpack that stands upright: 0 for school, 1 tall with a rolled mat, 2 with side pockets."""
    rng = finishes.rng
    piece = Piece("backpack", paint.name)
    cloth, dark, light = finishes.material(paint, "fabric"), finishes.shade(paint, 0.82), finishes.shade(paint, 1.1)
    width, depth = rng.uniform(0.28, 0.34), rng.uniform(0.15, 0.2)
    height = rng.uniform(0.52, 0.62) if variant == 1 else rng.uniform(0.4, 0.46)
    piece.box((0.0, 0.0, 0.0), (width, height * 0.78, depth), cloth, taper=0.94)
    piece.box((0.0, height * 0.78, 0.0), (width * 0.94, height * 0.22, depth * 0.94), dark, taper=0.62)
    piece.box((0.0, 0.02, depth / 2 + 0.02), (width * 0.74, height * 0.42, 0.07), light, taper=0.85)
    piece.box((0.0, height * 0.36, depth / 2 + 0.056), (width * 0.5, 0.02, 0.012), finishes.dark)
    for side in (-1, 1):
        x = side * width * 0.27
        top, low = (x, height * 0.82, -depth / 2 - 0.02), (x * 1.25, 0.05, -depth / 2)
        bow = (x, height * 0.5, -depth / 2 - 0.07)
        add_rod(piece, bow, top, 0.035, dark)
        add_rod(piece, low, bow, 0.035, dark)
        if variant == 2:
            piece.box((side * (width / 2 + 0.01), 0.02, 0.0), (0.06, height * 0.34, depth * 0.7), dark, taper=0.85)
    piece.box((0.0, height, -depth * 0.2), (0.1, 0.03, 0.025), finishes.dark)
    if variant == 1:
        base = (width * 0.55, height + 0.06, 0.0)
        piece.frustum(base, (0.06, 0.06), width * 1.1, light, (0.0, 0.0, math.pi / 2), Round(10))
    return piece
