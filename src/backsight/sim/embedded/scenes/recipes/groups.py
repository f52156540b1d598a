"""Groups of furniture that recipes of several rooms share."""

import math

from backsight.sim.embedded.scenes.floor_plan import wall_length_m
from backsight.sim.embedded.scenes.furniture import decor, storage, tables
from backsight.sim.embedded.scenes.looks import PUBLIC
from backsight.sim.embedded.scenes.placer import Placer, Standing, places_round
from backsight.sim.embedded.scenes.recipes.things import draw
from backsight.sim.embedded.scenes.room_space import Pose


def pick(placer: Placer, count: int) -> int:
    """Return a random variant below a count."""
    return int(placer.rng.integers(count))


def longest_sides(placer: Placer) -> list[int]:
    """Return the sides of the room, those with the most free wall first."""
    room = placer.room
    openings = [len(room.doors[side]) + 0.4 * len(room.windows[side]) for side in range(4)]
    return sorted(range(4), key=lambda side: openings[side] * 2.0 - wall_length_m(room.rect, side))


def television(placer: Placer, sides: list[int] | None = None) -> Standing | None:
    """Put a television on a low cabinet at a wall, or hang it above one."""
    finishes = placer.finishes
    stand = placer.against_wall(storage.television_stand(finishes, finishes.paint("cabinet")), sides)
    if stand is None:
        return None
    width = min(placer.rng.uniform(0.95, 1.3), stand.piece.high[0] * 2 - 0.1)
    paint = finishes.paint("television")
    if placer.rng.random() < 0.3:
        along = placer.along_wall(stand.pose.side, stand.pose)
        hung = decor.television(finishes, paint, width, False)
        if placer.hang_at(hung, stand.pose.side, along, stand.piece.height_m + 0.3):
            return stand
    placer.on_top(decor.television(finishes, paint, width, True), stand)
    return stand


def rug(placer: Placer, pose: Pose, width_m: float, depth_m: float) -> None:
    """Lay a rug, now and then a round one."""
    finishes = placer.finishes
    round_rug = placer.rng.random() < 0.2
    if round_rug:
        width_m = depth_m = min(width_m, depth_m)
    placer.lay_rug(decor.rug(finishes, finishes.paint("rug"), width_m, depth_m, round_rug), pose)


def pictures(placer: Placer, count: int) -> None:
    """Hang some pictures: next to none where textures are to be plain, many large ones where they are distinctive."""
    rng, finishes = placer.rng, placer.finishes
    choice, public = placer.style.textures, placer.room.room_type in PUBLIC
    larger = 1.25 if choice == "distinctive" else 1.0
    for _ in range({"plain": 0, "distinctive": count + 4}.get(choice, count)):
        if rng.random() < (0.5 if public or choice == "distinctive" else 0.1):
            placer.hang(draw(placer, "picture", "wall", int(rng.choice([3, 3, 4]))), rng.uniform(1.0, 1.3))
            continue
        width, height = rng.uniform(0.4, 0.95) * larger, rng.uniform(0.4, 0.75) * larger
        piece = decor.picture(finishes, finishes.paint("picture"), width, height)
        placer.hang(piece, rng.uniform(1.2, 1.4))


def floor_things(placer: Placer, lamps: int, plants: int, boxes: int) -> None:
    """Put floor lamps, plants and boxes at walls and in corners."""
    rng, finishes = placer.rng, placer.finishes
    for _ in range(lamps):
        height = rng.uniform(1.4, 1.65)
        placer.against_wall(decor.lamp(finishes, finishes.paint("lamp"), height, pick(placer, 3)))
    for _ in range(plants):
        height = rng.uniform(0.7, 1.5)
        placer.against_wall(decor.plant(finishes, finishes.paint("plant"), height, pick(placer, 3)))
    for _ in range(boxes):
        size = (rng.uniform(0.35, 0.55), rng.uniform(0.25, 0.42), rng.uniform(0.3, 0.42))
        standing = placer.against_wall(decor.box(finishes, finishes.paint("box"), size, pick(placer, 3)))
        if standing is not None and rng.random() < 0.3 and standing.piece.height_m < 0.34:
            small = (size[0] * 0.75, size[1] * 0.7, size[2] * 0.75)
            placer.on_top(decor.box(finishes, finishes.paint("box"), small, pick(placer, 2)), standing)


def waste_bin(placer: Placer) -> None:
    """Put a waste bin at a wall."""
    finishes = placer.finishes
    placer.against_wall(decor.waste_bin(finishes, finishes.paint("bin"), pick(placer, 3)))


def curtains(placer: Placer, chance: float) -> None:
    """Hang curtains before windows."""
    room = placer.room
    for side in range(4):
        for window in room.windows[side]:
            if placer.rng.random() < chance:
                piece = draw(placer, "curtain", "wall", int(placer.rng.choice([0, 0, 2])))
                placer.hang_before(piece, side, window)


def sideboard(placer: Placer) -> None:
    """Put a sideboard at a wall, with a lamp or ornaments."""
    finishes = placer.finishes
    standing = placer.against_wall(storage.sideboard(finishes, finishes.paint("cabinet")))
    if standing is None:
        return
    reach = standing.piece.high[0]
    if placer.rng.random() < 0.45:
        placer.table_lamp(standing, -reach * 0.6)
    else:
        placer.ornament(standing, -reach * 0.6)
    placer.ornament(standing, reach * placer.rng.uniform(0.2, 0.6))


def bookshelf(placer: Placer) -> None:
    """Put a bookshelf at a wall."""
    finishes = placer.finishes
    variant = pick(placer, 3)
    standing = placer.against_wall(storage.bookshelf(finishes, finishes.paint("bookshelf"), variant))
    if standing is not None and variant == 1:
        placer.ornament(standing, placer.rng.uniform(-0.3, 0.3))


def dining_group(placer: Placer) -> None:
    """Put a table with chairs round it, somewhere near the middle of the free floor."""
    rng, finishes = placer.rng, placer.finishes
    x0, z0, x1, z1 = placer.room.rect
    seats = 6 if placer.room.area_m2 > 14.0 and rng.random() < 0.7 else 4
    piece = tables.dining_table(finishes, finishes.paint("table"), seats)
    turn = 0.0 if x1 - x0 > z1 - z0 else math.pi / 2
    table = None
    for attempt in range(10):
        spread = 0.06 + 0.03 * attempt
        x = (x0 + x1) / 2 + (x1 - x0) * rng.uniform(-spread, spread)
        z = (z0 + z1) / 2 + (z1 - z0) * rng.uniform(-spread, spread)
        table = placer.stand(piece, Pose(x, z, turn))
        if table is not None:
            break
    if table is None:
        return
    round_top = not piece.boxes
    places = places_round(
        table, 1 if round_top else seats // 2 if seats == 4 else 2, 2 if round_top or seats == 6 else 0
    )
    placer.chairs_round(table, places, pick(placer, 3))
    placer.ornament(table, rng.uniform(-0.1, 0.1))
    if rng.random() < 0.5:
        rug(placer, table.pose, piece.high[0] * 2 + 1.1, piece.high[2] * 2 + 1.1)


def desk_group(placer: Placer) -> None:
    """Put a desk at a wall, with a chair and perhaps a lamp."""
    rng, finishes = placer.rng, placer.finishes
    variant = pick(placer, 3)
    desk = placer.against_wall(tables.desk(finishes, finishes.paint("desk"), variant))
    if desk is None:
        return
    at = desk.pose.offset(-0.1 if variant == 0 else 0.0, desk.piece.high[2] + 0.16, math.pi)
    placer.chairs_round(desk, [at], 3 if rng.random() < 0.6 else pick(placer, 3))
    if variant < 2:
        reach = desk.piece.high[0]
        placer.table_lamp(desk, -reach * 0.7, -0.1)
        placer.ornament(desk, reach * 0.6, -0.05)
