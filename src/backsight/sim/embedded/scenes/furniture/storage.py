"""Wardrobes, cabinets and bookshelves."""

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_carcass, add_fronts, add_legs
from backsight.sim.embedded.scenes.piece import HIDE_ENDS, Piece


def wardrobe(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a wardrobe: 0 hinged doors, 1 doors above drawers with a cornice, 2 sliding doors with a mirror."""
    rng = finishes.rng
    doors = int(rng.integers(2, 4))
    width, height, depth = doors * rng.uniform(0.44, 0.55), rng.uniform(1.9, 2.2), rng.uniform(0.54, 0.6)
    piece = Piece("wardrobe", paint.name)
    wood, front = finishes.material(paint, "wood"), finishes.shade(paint, 1.07)
    body = depth - 0.04
    add_carcass(piece, (width, height - 0.08, body), 0.08, wood, finishes.dark)
    looks = (front, finishes.brass if rng.random() < 0.4 else finishes.metal)
    low = 0.5 if variant == 1 else 0.1
    piece.offer("on", (0.0, height + (0.05 if variant == 1 else 0.0), -0.02), (width - 0.04, body - 0.06))
    if variant == 2:
        for column in range(2):
            x = (column - 0.5) * width / 2
            look = finishes.glass if column == 1 else front
            at = (x, low, body / 2 + 0.012 + 0.012 * column)
            piece.box(at, (width / 2 + 0.01, height - 0.14, 0.02), look)
            piece.box((x + (0.5 - column) * width * 0.4, 0.9, body / 2 + 0.03), (0.025, 0.3, 0.02), looks[1])
        return piece
    add_fronts(piece, (-width / 2, width / 2, low, height - 0.03), body / 2, (doors, 1), looks)
    if variant == 1:
        add_fronts(piece, (-width / 2, width / 2, 0.1, low), body / 2, (1, 2), looks)
        piece.box((0.0, height, 0.0), (width + 0.06, 0.05, depth + 0.03), wood, taper=1.0)
    return piece


def cabinet(finishes: Finishes, paint: Paint, size_m: tuple[float, float, float], grid: tuple[int, int]) -> Piece:
    """Return a cabinet with doors or drawers; on legs, on a plinth or with a separate top.

    Args:
        finishes: materials of the flat.
        paint: colour of carcass and fronts.
        size_m: width, height, depth.
        grid: columns and rows of fronts.
    """
    rng = finishes.rng
    width, height, depth = size_m
    piece = Piece("cabinet", paint.name)
    variant = int(rng.integers(3))
    wood = finishes.material(paint, "wood" if variant else "plain")
    base = (0.06, 0.14, 0.06)[variant]
    body, board = depth - 0.045, 0.025
    if variant == 1:
        add_legs(piece, (width - 0.06, body - 0.04), base, 0.045, finishes.timber, True)
        piece.box((0.0, base, -0.0225), (width, height - base - board, body), wood)
    else:
        piece.box((0.0, 0.0, -0.03), (width - 0.03, base, body - 0.04), finishes.dark, hidden=HIDE_ENDS)
        piece.box((0.0, base, -0.0225), (width, height - base - board, body), wood)
    top = finishes.timber if variant == 2 else wood
    piece.box((0.0, height - board, 0.0), (width + 0.01, board, depth), top)
    piece.offer("on", (0.0, height, 0.0), (width - 0.03, depth - 0.04))
    frame = (-width / 2 + 0.005, width / 2 - 0.005, base + 0.01, height - board - 0.005)
    handles = finishes.brass if rng.random() < 0.3 else finishes.dark if rng.random() < 0.4 else finishes.metal
    add_fronts(piece, frame, -0.0225 + body / 2, grid, (finishes.shade(paint, 1.08), handles))
    return piece


def sideboard(finishes: Finishes, paint: Paint) -> Piece:
    """Return a cabinet of three or four doors, or a chest of drawers."""
    rng = finishes.rng
    if rng.random() < 0.5:
        size = (rng.uniform(1.2, 1.6), rng.uniform(0.72, 0.85), rng.uniform(0.4, 0.46))
        return cabinet(finishes, paint, size, (int(rng.integers(3, 5)), 1))
    size = (rng.uniform(0.75, 0.95), rng.uniform(0.8, 1.0), rng.uniform(0.42, 0.48))
    return cabinet(finishes, paint, size, (int(rng.integers(1, 3)), int(rng.integers(3, 5))))


def nightstand(finishes: Finishes, paint: Paint) -> Piece:
    """Return a small cabinet beside a bed."""
    rng = finishes.rng
    size = (rng.uniform(0.4, 0.5), rng.uniform(0.48, 0.58), rng.uniform(0.36, 0.42))
    return cabinet(finishes, paint, size, (1, int(rng.integers(1, 3))))


def television_stand(finishes: Finishes, paint: Paint) -> Piece:
    """Return a long low cabinet."""
    rng = finishes.rng
    size = (rng.uniform(1.3, 1.7), rng.uniform(0.42, 0.52), rng.uniform(0.38, 0.44))
    return cabinet(finishes, paint, size, (int(rng.integers(2, 4)), 1))


def bookshelf(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    """Return a shelf with rows of books: 0 tall, 1 low and wide, 2 tall with open metal sides."""
    rng = finishes.rng
    width = rng.uniform(1.0, 1.3) if variant == 1 else rng.uniform(0.75, 1.0)
    height = rng.uniform(1.0, 1.2) if variant == 1 else rng.uniform(1.75, 2.1)
    depth, boards = rng.uniform(0.28, 0.34), 3 if variant == 1 else 5
    piece = Piece("bookshelf", paint.name)
    wood = finishes.material(paint, "wood")
    for side in (-1, 1):
        x = side * (width / 2 - 0.0125)
        if variant == 2:
            for z in (-depth / 2 + 0.0125, depth / 2 - 0.0125):
                piece.box((x, 0.0, z), (0.025, height, 0.025), finishes.dark)
        else:
            piece.box((x, 0.0, 0.0), (0.025, height, depth), wood)
    step = (height - 0.09) / boards
    if variant != 2:
        piece.box((0.0, 0.04, -depth / 2 + 0.008), (width - 0.05, height - 0.04, 0.012), finishes.shade(paint, 0.94))
    for shelf in range(boards + 1):
        y = 0.06 + shelf * step
        piece.box((0.0, y, 0.0), (width - 0.05, 0.028, depth - 0.01), wood)
        if shelf == boards:
            piece.offer("on", (0.0, y + 0.028, 0.005), (width - 0.08, depth - 0.06))
            break
        full = width - 0.06
        run = full if rng.random() < 0.4 else full * rng.uniform(0.35, 0.8)
        side = float(rng.choice([-1.0, 1.0]))
        x = -(full - run) / 2 * side
        if full - run > 0.15:
            free = (full - run - 0.04, depth - 0.06)
            piece.offer("in", (run / 2 * side, y + 0.028, 0.005), free, step - 0.04)
        _book_row(
            piece,
            (finishes, finishes.shade(paint, 0.85)),
            (x, y + 0.028, -0.02),
            (run, step * rng.uniform(0.6, 0.78), depth * 0.72),
        )
    return piece


def _book_row(
    piece: Piece, looks: tuple[Finishes, int], base_m: tuple[float, float, float], size_m: tuple[float, float, float]
) -> None:
    x, y, z = base_m
    width, height, depth = size_m
    finishes, cover = looks
    spines = finishes.books()
    left, right, front = x - width / 2, x + width / 2, z + depth / 2
    start, share = finishes.rng.random(), width / 0.8
    uv = ((start, 0.0), (start + share, 0.0), (start + share, 0.96), (start, 0.96))
    corners = ((left, y, front), (right, y, front), (right, y + height, front), (left, y + height, front))
    piece.quad(corners, spines, uv)
    back, top = z - depth / 2, y + height * 0.72
    lid = ((left, top, front - 0.01), (right, top, front - 0.01), (right, top, back), (left, top, back))
    piece.quad(lid, cover)
    for side in (left, right):
        first, last = (front, back) if side == right else (back, front)
        piece.quad(((side, y, first), (side, y, last), (side, top, last), (side, top, first)), cover)


def filing_cabinet(finishes: Finishes, paint: Paint, drawers: int) -> Piece:
    """Return a narrow cabinet of steel drawers with label holders.

    Args:
        finishes: materials of the scene.
        paint: colour of the steel.
        drawers: 2 to 4.
    """
    rng = finishes.rng
    width, depth, step = rng.uniform(0.42, 0.48), rng.uniform(0.55, 0.62), 0.31
    piece = Piece("cabinet", paint.name)
    steel, front = finishes.material(paint), finishes.shade(paint, 1.07)
    height = 0.06 + drawers * step
    piece.box((0.0, 0.0, -0.02), (width - 0.03, 0.04, depth - 0.06), finishes.dark, hidden=HIDE_ENDS)
    piece.box((0.0, 0.04, -0.01), (width, height - 0.04, depth - 0.02), steel)
    for drawer in range(drawers):
        y, z = 0.05 + drawer * step, depth / 2 - 0.02
        piece.box((0.0, y, z + 0.009), (width - 0.03, step - 0.018, 0.018), front)
        piece.box((0.0, y + step * 0.42, z + 0.03), (0.13, 0.024, 0.026), finishes.metal)
        piece.box((0.0, y + step * 0.66, z + 0.02), (0.09, 0.045, 0.006), finishes.white)
    piece.offer("on", (0.0, height, -0.01), (width - 0.04, depth - 0.06))
    return piece


def open_cabinet(finishes: Finishes, paint: Paint, columns: int, rows: int) -> Piece:
    """Return a cabinet of open niches; some of the lowest have a door.

    Args:
        finishes: materials of the scene.
        paint: colour of the boards.
        columns: niches side by side.
        rows: niches above one another.
    """
    rng = finishes.rng
    wide, tall, depth, board = rng.uniform(0.36, 0.44), rng.uniform(0.33, 0.4), rng.uniform(0.34, 0.4), 0.025
    piece = Piece("cabinet", paint.name)
    wood, back = finishes.material(paint, "wood"), finishes.shade(paint, 0.9)
    width, height = columns * wide + board, rows * tall + board + 0.05
    piece.box((0.0, 0.0, -0.01), (width - 0.04, 0.05, depth - 0.05), finishes.dark, hidden=HIDE_ENDS)
    piece.box((0.0, 0.05, -depth / 2 + 0.006), (width, height - 0.05, 0.012), back)
    for column in range(columns + 1):
        x = column * wide - columns * wide / 2
        piece.box((x, 0.05, 0.006), (board, height - 0.05, depth - 0.012), wood)
    for row in range(rows + 1):
        piece.box((0.0, 0.05 + row * tall, 0.006), (width - board, board, depth - 0.014), wood)
    for column in range(columns):
        for row in range(rows):
            x, y = (column + 0.5) * wide - columns * wide / 2, 0.05 + row * tall + board
            if row == 0 and rng.random() < 0.4:
                frame = (x - wide / 2 + 0.013, x + wide / 2 - 0.013, y - 0.005, y + tall - board)
                add_fronts(piece, frame, depth / 2 - 0.018, (1, 1), (finishes.shade(paint, 1.07), finishes.metal))
            else:
                piece.offer("in", (x, y, 0.006), (wide - board - 0.02, depth - 0.04), tall - board - 0.01)
    piece.offer("on", (0.0, height, 0.0), (width - 0.03, depth - 0.04))
    return piece
