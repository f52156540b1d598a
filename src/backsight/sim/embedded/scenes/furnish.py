"""Room recipes: what stands in a living room, a bedroom, a kitchen and so on."""

import math

from backsight.sim.embedded.scenes.finishes import Paint
from backsight.sim.embedded.scenes.floor_plan import wall_length_m, wall_point_m, yaw_of_side_rad
from backsight.sim.embedded.scenes.furniture import bathroom, beds, decor, kitchen, seating, storage, tables
from backsight.sim.embedded.scenes.piece import Piece
from backsight.sim.embedded.scenes.placer import Placer, Standing, places_round
from backsight.sim.embedded.scenes.room_space import Pose, footprint


def furnish_room(placer: Placer) -> None:
    """Furnish a room by the recipe of its type."""
    placer.finishes.enter_room()
    recipes = {
        "living room": _living_room,
        "bedroom": _bedroom,
        "kitchen": _kitchen,
        "bathroom": _bathroom,
        "dining room": _dining_room,
        "study": _study,
        "hallway": _hallway,
    }
    recipes[placer.room.room_type](placer)


def _pick(placer: Placer, count: int) -> int:
    return int(placer.rng.integers(count))


def _longest_sides(placer: Placer) -> list[int]:
    """Return the sides of the room, those with the most free wall first."""
    room = placer.room
    openings = [len(room.doors[side]) + 0.4 * len(room.windows[side]) for side in range(4)]
    return sorted(range(4), key=lambda side: openings[side] * 2.0 - wall_length_m(room.rect, side))


def _television(placer: Placer, sides: list[int] | None = None) -> Standing | None:
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


def _rug(placer: Placer, pose: Pose, width_m: float, depth_m: float) -> None:
    finishes = placer.finishes
    round_rug = placer.rng.random() < 0.2
    if round_rug:
        width_m = depth_m = min(width_m, depth_m)
    placer.lay_rug(decor.rug(finishes, finishes.paint("rug"), width_m, depth_m, round_rug), pose)


def _pictures(placer: Placer, count: int) -> None:
    rng, finishes = placer.rng, placer.finishes
    for _ in range(count):
        width, height = rng.uniform(0.4, 0.95), rng.uniform(0.4, 0.75)
        piece = decor.picture(finishes, finishes.paint("picture"), width, height)
        placer.hang(piece, rng.uniform(1.2, 1.4))


def _floor_things(placer: Placer, lamps: int, plants: int, boxes: int) -> None:
    """Put floor lamps, plants and boxes at walls and in corners."""
    rng, finishes = placer.rng, placer.finishes
    for _ in range(lamps):
        height = rng.uniform(1.4, 1.65)
        placer.against_wall(decor.lamp(finishes, finishes.paint("lamp"), height, _pick(placer, 3)))
    for _ in range(plants):
        height = rng.uniform(0.7, 1.5)
        placer.against_wall(decor.plant(finishes, finishes.paint("plant"), height, _pick(placer, 3)))
    for _ in range(boxes):
        size = (rng.uniform(0.35, 0.55), rng.uniform(0.25, 0.42), rng.uniform(0.3, 0.42))
        standing = placer.against_wall(decor.box(finishes, finishes.paint("box"), size, _pick(placer, 3)))
        if standing is not None and rng.random() < 0.3 and standing.piece.height_m < 0.34:
            small = (size[0] * 0.75, size[1] * 0.7, size[2] * 0.75)
            placer.on_top(decor.box(finishes, finishes.paint("box"), small, _pick(placer, 2)), standing)


def _waste_bin(placer: Placer) -> None:
    finishes = placer.finishes
    placer.against_wall(decor.waste_bin(finishes, finishes.paint("bin"), _pick(placer, 3)))


def _sideboard(placer: Placer) -> None:
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


def _bookshelf(placer: Placer) -> None:
    finishes = placer.finishes
    variant = _pick(placer, 3)
    standing = placer.against_wall(storage.bookshelf(finishes, finishes.paint("bookshelf"), variant))
    if standing is not None and variant == 1:
        placer.ornament(standing, placer.rng.uniform(-0.3, 0.3))


def _living_room(placer: Placer) -> None:
    rng, finishes = placer.rng, placer.finishes
    sides = _longest_sides(placer)
    roomy = placer.room.area_m2 > 16.0
    couch = seating.sofa(finishes, finishes.paint("sofa"), int(rng.integers(2, 4)))
    sofa = placer.against_wall(couch, sides[:2]) or placer.against_wall(couch)
    if sofa is not None:
        table = tables.coffee_table(finishes, finishes.paint("table"))
        ahead = couch.high[2] + 0.42 + table.high[2]
        low = placer.stand(table, sofa.pose.offset(0.0, ahead))
        _rug(placer, sofa.pose.offset(0.0, ahead - 0.1), rng.uniform(1.7, 2.3), rng.uniform(1.2, 1.6))
        if low is not None:
            placer.ornament(low, rng.uniform(-0.15, 0.15))
        if _television(placer, [(sofa.pose.side + 2) % 4]) is None:
            _television(placer)
        side_x = couch.high[0] + 0.32
        for hand in (1.0, -1.0):
            if rng.random() < 0.55:
                small = tables.side_table(finishes, finishes.paint("table"))
                end = placer.stand(small, sofa.pose.offset(hand * side_x, -0.1))
                if end is not None:
                    placer.table_lamp(end)
        _armchairs_near(placer, sofa.pose, (couch.high[0] + 0.25, ahead))
    if roomy:
        second = seating.sofa(finishes, finishes.paint("sofa"), 2)
        if rng.random() < 0.5:
            placer.against_wall(second)
        placer.against_wall(seating.armchair(finishes, finishes.paint("armchair"), _pick(placer, 4)))
        if placer.room.area_m2 > 24.0:
            _dining_group(placer)
    for _ in range(int(rng.integers(1, 3))):
        _bookshelf(placer)
    if rng.random() < 0.6:
        _sideboard(placer)
    _floor_things(placer, int(rng.integers(1, 3)), int(rng.integers(1, 4)), int(rng.random() < 0.3))
    _pictures(placer, int(rng.integers(1, 4)))


def _armchairs_near(placer: Placer, sofa: Pose, reach_m: tuple[float, float]) -> None:
    finishes = placer.finishes
    for hand in (1.0, -1.0):
        if placer.rng.random() < 0.7:
            chair = seating.armchair(finishes, finishes.paint("armchair"), _pick(placer, 4))
            turn = -hand * (math.pi / 2 + placer.rng.uniform(-0.3, 0.4))
            placer.stand(chair, sofa.offset(hand * reach_m[0], reach_m[1], turn))


def _bedroom(placer: Placer) -> None:
    rng, finishes = placer.rng, placer.finishes
    roomy = placer.room.area_m2 > 15.0
    twins = roomy and rng.random() < 0.45
    for _ in range(2 if twins else 1):
        narrow = twins or placer.room.area_m2 < 8.0
        _bed_group(placer, rng.uniform(0.9, 1.05) if narrow else rng.uniform(1.4, 1.8))
    for _ in range(1 + int(roomy)):
        placer.against_wall(storage.wardrobe(finishes, finishes.paint("wardrobe"), _pick(placer, 3)))
    if rng.random() < 0.6:
        _sideboard(placer)
    if rng.random() < 0.35:
        _desk_group(placer)
    if rng.random() < 0.5:
        placer.against_wall(seating.armchair(finishes, finishes.paint("armchair"), _pick(placer, 4)))
    elif rng.random() < 0.5:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), _pick(placer, 3)))
    if rng.random() < 0.25:
        _television(placer)
    _floor_things(placer, int(rng.random() < 0.4), int(rng.integers(0, 2)), int(rng.integers(0, 3)))
    _pictures(placer, int(rng.integers(1, 3)))


def _bed_group(placer: Placer, width_m: float) -> None:
    """Put a bed with its head to a wall, nightstands beside it and sometimes a rug."""
    rng, finishes = placer.rng, placer.finishes
    bed = placer.against_wall(beds.bed(finishes, finishes.paint("bed"), width_m, _pick(placer, 3)))
    if bed is None:
        bed = placer.against_wall(beds.bed(finishes, finishes.paint("bed"), 0.9, _pick(placer, 3)))
    if bed is None:
        return
    paint = finishes.paint("cabinet")
    for hand in (-1.0, 1.0):
        stand = storage.nightstand(finishes, paint)
        right = hand * (bed.piece.high[0] + stand.high[0] + 0.04)
        beside = placer.stand(stand, bed.pose.offset(right, bed.piece.low[2] + stand.high[2]))
        if beside is not None and rng.random() < 0.65:
            placer.table_lamp(beside)
        elif beside is not None and rng.random() < 0.7:
            placer.ornament(beside)
    if rng.random() < 0.5:
        _rug(placer, bed.pose.offset(0.0, bed.piece.high[2] - 0.4), bed.piece.high[0] * 2 + 0.9, 1.3)


def _dining_group(placer: Placer) -> None:
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
    placer.chairs_round(table, places, _pick(placer, 3))
    placer.ornament(table, rng.uniform(-0.1, 0.1))
    if rng.random() < 0.5:
        _rug(placer, table.pose, piece.high[0] * 2 + 1.1, piece.high[2] * 2 + 1.1)


def _dining_room(placer: Placer) -> None:
    rng = placer.rng
    _dining_group(placer)
    _sideboard(placer)
    for _ in range(int(rng.integers(0, 3))):
        _bookshelf(placer) if rng.random() < 0.5 else _sideboard(placer)
    finishes = placer.finishes
    if rng.random() < 0.5:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), _pick(placer, 3)))
    _floor_things(placer, int(rng.integers(0, 2)), int(rng.integers(1, 3)), int(rng.random() < 0.3))
    _pictures(placer, int(rng.integers(1, 3)))


def _kitchen(placer: Placer) -> None:
    rng, finishes = placer.rng, placer.finishes
    paint = finishes.paint("cabinet")
    worktop = finishes.timber if rng.random() < 0.5 else finishes.builder.material((0.42, 0.41, 0.40), gloss=0.3)
    fridge = kitchen.fridge(finishes, finishes.paint("fridge"), _pick(placer, 3))
    stove = kitchen.stove(finishes, finishes.paint("stove"), _pick(placer, 3))
    sink = kitchen.kitchen_sink(finishes, finishes.paint("cabinet"), _pick(placer, 3), worktop)
    units = [kitchen.counter(finishes, paint, float(rng.choice([0.5, 0.6, 0.9])), worktop) for _ in range(3)]
    row = [units[0], sink, units[1], stove, units[2]]
    left_over = _unit_row(placer, row[int(rng.integers(2)) :])
    for piece in [fridge, *left_over]:
        placer.against_wall(piece)
    if placer.room.area_m2 > 11.0 and rng.random() < 0.8:
        _dining_group(placer)
    else:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), _pick(placer, 3)))
    _waste_bin(placer)
    if rng.random() < 0.2:
        _sideboard(placer)
    _floor_things(placer, 0, int(rng.integers(0, 2)), int(rng.integers(0, 2)))
    _pictures(placer, int(rng.integers(1, 3)))


def _unit_row(placer: Placer, row: list[Piece]) -> list[Piece]:
    """Stand kitchen units side by side along one wall; returns those that found no place."""
    finishes = placer.finishes
    for side in _longest_sides(placer):
        half = wall_length_m(placer.room.rect, side) / 2
        for start in (-half + 0.02, half - 0.02 - sum(p.high[0] - p.low[0] + 0.004 for p in row)):
            if start < -half:
                continue
            first = row[0]
            pose = _wall_pose(placer, side, start - first.low[0], first)
            if placer.space.fits(footprint(first, pose)):
                return _stand_row(placer, row, side, start, finishes.paint("cabinet"))
    return row


def _stand_row(placer: Placer, row: list[Piece], side: int, start_m: float, hanging: Paint) -> list[Piece]:
    """Stand units from `start_m` on and hang cabinets above those that are not a stove."""
    left_over, at = [], start_m
    for piece in row:
        width = piece.high[0] - piece.low[0]
        standing = placer.stand(piece, _wall_pose(placer, side, at - piece.low[0], piece))
        if standing is None:
            left_over.append(piece)
            continue
        if piece.category == "cabinet":
            unit = kitchen.wall_unit(placer.finishes, hanging, width)
            placer.hang_at(unit, side, at + width / 2, 1.45)
            if placer.rng.random() < 0.3:
                placer.ornament(standing)
        at += width + 0.004
    return left_over


def _wall_pose(placer: Placer, side: int, along_m: float, piece: Piece) -> Pose:
    x, z = wall_point_m(placer.room.rect, side, along_m, 0.015 - piece.low[2])
    return Pose(x, z, yaw_of_side_rad(side), side)


def _bathroom(placer: Placer) -> None:
    rng, finishes = placer.rng, placer.finishes
    placer.against_wall(bathroom.bathtub(finishes, finishes.paint("bathtub"), _pick(placer, 3)))
    toilet = bathroom.toilet(finishes, finishes.paint("toilet"), _pick(placer, 3))
    placer.against_wall(toilet)
    for _ in range(1 + int(rng.random() < 0.4)):
        basin = bathroom.wash_basin(finishes, finishes.paint("sink"), _pick(placer, 3))
        standing = placer.against_wall(basin)
        if standing is not None:
            _mirror_picture(placer, standing)
    size = (rng.uniform(0.4, 0.6), rng.uniform(0.7, 1.6), rng.uniform(0.3, 0.38))
    placer.against_wall(storage.cabinet(finishes, finishes.paint("cabinet"), size, (1, int(rng.integers(2, 4)))))
    _waste_bin(placer)
    if rng.random() < 0.4:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), 0))
    _floor_things(placer, 0, int(rng.random() < 0.5), int(rng.random() < 0.4))
    _pictures(placer, int(rng.integers(0, 2)))
    x0, z0, x1, z1 = placer.room.rect
    if rng.random() < 0.6:
        _rug(placer, Pose((x0 + x1) / 2, (z0 + z1) / 2, 0.0), 0.9, 0.6)


def _mirror_picture(placer: Placer, basin: Standing) -> None:
    finishes = placer.finishes
    piece = decor.picture(finishes, finishes.paint("picture"), 0.45, 0.5)
    along = placer.along_wall(basin.pose.side, basin.pose)
    placer.hang_at(piece, basin.pose.side, along, 1.25)


def _desk_group(placer: Placer) -> None:
    rng, finishes = placer.rng, placer.finishes
    variant = _pick(placer, 3)
    desk = placer.against_wall(tables.desk(finishes, finishes.paint("desk"), variant))
    if desk is None:
        return
    at = desk.pose.offset(-0.1 if variant == 0 else 0.0, desk.piece.high[2] + 0.16, math.pi)
    placer.chairs_round(desk, [at], 3 if rng.random() < 0.6 else _pick(placer, 3))
    if variant < 2:
        reach = desk.piece.high[0]
        placer.table_lamp(desk, -reach * 0.7, -0.1)
        placer.ornament(desk, reach * 0.6, -0.05)


def _study(placer: Placer) -> None:
    rng, finishes = placer.rng, placer.finishes
    for _ in range(1 + int(rng.random() < 0.5 and placer.room.area_m2 > 9.0)):
        _desk_group(placer)
    for _ in range(int(rng.integers(2, 4))):
        _bookshelf(placer)
    if rng.random() < 0.6:
        placer.against_wall(seating.armchair(finishes, finishes.paint("armchair"), _pick(placer, 4)))
    if rng.random() < 0.5:
        _sideboard(placer)
    _waste_bin(placer)
    _floor_things(placer, int(rng.integers(0, 2)), int(rng.integers(0, 2)), int(rng.integers(0, 3)))
    _pictures(placer, int(rng.integers(1, 3)))
    x0, z0, x1, z1 = placer.room.rect
    if rng.random() < 0.5:
        _rug(placer, Pose((x0 + x1) / 2, (z0 + z1) / 2, 0.0), 1.6, 1.2)


def _hallway(placer: Placer) -> None:
    rng, finishes = placer.rng, placer.finishes
    size = (rng.uniform(0.7, 1.1), rng.uniform(0.8, 0.95), rng.uniform(0.28, 0.34))
    shoes = storage.cabinet(finishes, finishes.paint("cabinet"), size, (2, int(rng.integers(1, 4))))
    standing = placer.against_wall(shoes)
    if standing is not None:
        placer.ornament(standing, -size[0] * 0.2)
    if rng.random() < 0.7:
        placer.against_wall(storage.wardrobe(finishes, finishes.paint("wardrobe"), _pick(placer, 3)))
    placer.against_wall(seating.chair(finishes, finishes.paint("chair"), _pick(placer, 3)))
    _floor_things(placer, int(rng.random() < 0.5), int(rng.integers(0, 2)), int(rng.integers(0, 2)))
    _pictures(placer, int(rng.integers(1, 3)))
    x0, z0, x1, z1 = placer.room.rect
    wide, deep = x1 - x0, z1 - z0
    _rug(placer, Pose((x0 + x1) / 2, (z0 + z1) / 2, 0.0), min(wide - 1.0, 2.2), min(deep - 1.0, 2.2))
