"""Living rooms, dining rooms, studies and hallways."""

import math

from backsight.sim.embedded.scenes.furniture import seating, storage, tables
from backsight.sim.embedded.scenes.placer import Placer
from backsight.sim.embedded.scenes.recipes.groups import (
    bookshelf,
    curtains,
    desk_group,
    dining_group,
    floor_things,
    longest_sides,
    pick,
    pictures,
    rug,
    sideboard,
    television,
    waste_bin,
)
from backsight.sim.embedded.scenes.recipes.things import extras
from backsight.sim.embedded.scenes.room_space import Pose


def living_room(placer: Placer) -> None:
    """Sofa, low table and television, armchairs, shelves."""
    rng, finishes = placer.rng, placer.finishes
    sides = longest_sides(placer)
    roomy = placer.room.area_m2 > 16.0
    couch = seating.sofa(finishes, finishes.paint("sofa"), int(rng.integers(2, 4)))
    sofa = placer.against_wall(couch, sides[:2]) or placer.against_wall(couch)
    if sofa is not None:
        table = tables.coffee_table(finishes, finishes.paint("table"))
        ahead = couch.high[2] + 0.42 + table.high[2]
        low = placer.stand(table, sofa.pose.offset(0.0, ahead))
        rug(placer, sofa.pose.offset(0.0, ahead - 0.1), rng.uniform(1.7, 2.3), rng.uniform(1.2, 1.6))
        if low is not None:
            placer.ornament(low, rng.uniform(-0.15, 0.15))
        if television(placer, [(sofa.pose.side + 2) % 4]) is None:
            television(placer)
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
        placer.against_wall(seating.armchair(finishes, finishes.paint("armchair"), pick(placer, 4)))
        if placer.room.area_m2 > 24.0:
            dining_group(placer)
    for _ in range(int(rng.integers(1, 3))):
        bookshelf(placer)
    if rng.random() < 0.6:
        sideboard(placer)
    extras(
        placer,
        {"fireplace": 0.35, "piano": 0.25, "guitar": 0.3, "radiator": 0.4, "basket": 0.9, "clock": 0.15}
        | {"mirror/wall": 0.25, "clock/wall": 0.3, "stool": 0.25, "globe": 0.1, "fan": 0.12},
    )
    curtains(placer, 0.6)
    floor_things(placer, int(rng.integers(1, 3)), int(rng.integers(1, 4)), int(rng.random() < 0.3))
    pictures(placer, int(rng.integers(1, 4)))


def _armchairs_near(placer: Placer, sofa: Pose, reach_m: tuple[float, float]) -> None:
    finishes = placer.finishes
    for hand in (1.0, -1.0):
        if placer.rng.random() < 0.7:
            chair = seating.armchair(finishes, finishes.paint("armchair"), pick(placer, 4))
            turn = -hand * (math.pi / 2 + placer.rng.uniform(-0.3, 0.4))
            placer.stand(chair, sofa.offset(hand * reach_m[0], reach_m[1], turn))


def dining_room(placer: Placer) -> None:
    """A table with chairs, sideboards."""
    rng = placer.rng
    dining_group(placer)
    sideboard(placer)
    for _ in range(int(rng.integers(0, 3))):
        bookshelf(placer) if rng.random() < 0.5 else sideboard(placer)
    finishes = placer.finishes
    if rng.random() < 0.5:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), pick(placer, 3)))
    extras(
        placer,
        {"piano": 0.15, "fireplace": 0.2, "radiator": 0.4, "basket": 0.9, "bench": 0.2, "clock": 0.2}
        | {"mirror/wall": 0.3, "clock/wall": 0.4},
    )
    curtains(placer, 0.6)
    floor_things(placer, int(rng.integers(0, 2)), int(rng.integers(1, 3)), int(rng.random() < 0.3))
    pictures(placer, int(rng.integers(1, 3)))


def study(placer: Placer) -> None:
    """Desks, bookshelves, an armchair."""
    rng, finishes = placer.rng, placer.finishes
    for _ in range(1 + int(rng.random() < 0.5 and placer.room.area_m2 > 9.0)):
        desk_group(placer)
    for _ in range(int(rng.integers(2, 4))):
        bookshelf(placer)
    if rng.random() < 0.6:
        placer.against_wall(seating.armchair(finishes, finishes.paint("armchair"), pick(placer, 4)))
    if rng.random() < 0.5:
        sideboard(placer)
    waste_bin(placer)
    extras(
        placer,
        {"globe": 0.3, "guitar": 0.2, "radiator": 0.35, "backpack": 0.5, "basket": 0.9, "printer": 0.15}
        | {"clock/wall": 0.5, "whiteboard/wall": 0.2, "fan": 0.2},
    )
    curtains(placer, 0.4)
    floor_things(placer, int(rng.integers(0, 2)), int(rng.integers(0, 2)), int(rng.integers(0, 3)))
    pictures(placer, int(rng.integers(1, 3)))
    x0, z0, x1, z1 = placer.room.rect
    if rng.random() < 0.5:
        rug(placer, Pose((x0 + x1) / 2, (z0 + z1) / 2, 0.0), 1.6, 1.2)


def hallway(placer: Placer) -> None:
    """A shoe cabinet, a wardrobe, a chair."""
    rng, finishes = placer.rng, placer.finishes
    size = (rng.uniform(0.7, 1.1), rng.uniform(0.8, 0.95), rng.uniform(0.28, 0.34))
    shoes = storage.cabinet(finishes, finishes.paint("cabinet"), size, (2, int(rng.integers(1, 4))))
    standing = placer.against_wall(shoes)
    if standing is not None:
        placer.ornament(standing, -size[0] * 0.2)
    if rng.random() < 0.7:
        placer.against_wall(storage.wardrobe(finishes, finishes.paint("wardrobe"), pick(placer, 3)))
    placer.against_wall(seating.chair(finishes, finishes.paint("chair"), pick(placer, 3)))
    extras(
        placer,
        {"bench": 0.6, "coat rack": 0.6, "coat rack/wall": 0.5, "mirror/wall": 0.6, "basket": 0.9, "backpack": 0.5}
        | {"radiator": 0.3, "stool": 0.2, "clock/wall": 0.3, "clock": 0.15},
    )
    floor_things(placer, int(rng.random() < 0.5), int(rng.integers(0, 2)), int(rng.integers(0, 2)))
    pictures(placer, int(rng.integers(1, 3)))
    x0, z0, x1, z1 = placer.room.rect
    wide, deep = x1 - x0, z1 - z0
    rug(placer, Pose((x0 + x1) / 2, (z0 + z1) / 2, 0.0), min(wide - 1.0, 2.2), min(deep - 1.0, 2.2))
