"""Kitchens and bathrooms."""

from backsight.sim.embedded.scenes.finishes import Paint
from backsight.sim.embedded.scenes.floor_plan import wall_length_m, wall_point_m, yaw_of_side_rad
from backsight.sim.embedded.scenes.furniture import appliances, decor, seating, storage
from backsight.sim.embedded.scenes.furniture import bathroom as bath
from backsight.sim.embedded.scenes.furniture import kitchen as units
from backsight.sim.embedded.scenes.piece import Piece
from backsight.sim.embedded.scenes.placer import Placer, Standing
from backsight.sim.embedded.scenes.recipes.groups import (
    curtains,
    dining_group,
    floor_things,
    longest_sides,
    pick,
    pictures,
    rug,
    sideboard,
    waste_bin,
)
from backsight.sim.embedded.scenes.recipes.things import draw, extras
from backsight.sim.embedded.scenes.room_space import Pose, footprint

_ESSENTIAL_TRIES = 80
"""Places tried for what a kitchen or a bathroom cannot be without."""


def kitchen(placer: Placer) -> None:
    """A row of units with sink and stove, a fridge, a table where there is room."""
    rng, finishes = placer.rng, placer.finishes
    paint = finishes.paint("cabinet")
    worktop = finishes.timber if rng.random() < 0.5 else finishes.builder.material((0.42, 0.41, 0.40), gloss=0.3)
    fridge = units.fridge(finishes, finishes.paint("fridge"), pick(placer, 3))
    stove = units.stove(finishes, finishes.paint("stove"), pick(placer, 3))
    sink = units.kitchen_sink(finishes, finishes.paint("cabinet"), pick(placer, 3), worktop)
    counters = [units.counter(finishes, paint, float(rng.choice([0.5, 0.6, 0.9])), worktop) for _ in range(3)]
    row = [counters[0], sink, counters[1], stove, counters[2]]
    if rng.random() < 0.4:
        row.insert(2, appliances.dishwasher(finishes, finishes.paint("dishwasher"), pick(placer, 2)))
    left_over = _unit_row(placer, row[int(rng.integers(2)) :])
    for piece in sorted([fridge, *left_over], key=lambda piece: piece.category == "cabinet"):
        placer.against_wall(piece, tries=14 if piece.category == "cabinet" else _ESSENTIAL_TRIES)
    if placer.room.area_m2 > 11.0 and rng.random() < 0.8:
        dining_group(placer)
    else:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), pick(placer, 3)))
    waste_bin(placer)
    if placer.room.area_m2 > 14.0 and rng.random() < 0.4:
        placer.somewhere(draw(placer, "counter", "floor", 2), 4)
    extras(placer, {"rack": 0.2, "crate": 0.3, "basket": 0.9, "radiator": 0.35, "stool": 0.3, "clock/wall": 0.6})
    curtains(placer, 0.25)
    if rng.random() < 0.2:
        sideboard(placer)
    floor_things(placer, 0, int(rng.integers(0, 2)), int(rng.integers(0, 2)))
    pictures(placer, int(rng.integers(1, 3)))


def _unit_row(placer: Placer, row: list[Piece]) -> list[Piece]:
    """Stand kitchen units side by side along one wall; returns those that found no place."""
    finishes = placer.finishes
    for side in longest_sides(placer):
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
        if piece.category == "stove":
            placer.hang_at(draw(placer, "range hood", "wall"), side, at + width / 2, 1.55)
        if piece.category == "cabinet":
            unit = units.wall_unit(placer.finishes, hanging, width)
            placer.hang_at(unit, side, at + width / 2, 1.45)
            if placer.rng.random() < 0.3:
                placer.ornament(standing)
        at += width + 0.004
    return left_over


def _wall_pose(placer: Placer, side: int, along_m: float, piece: Piece) -> Pose:
    x, z = wall_point_m(placer.room.rect, side, along_m, 0.015 - piece.low[2])
    return Pose(x, z, yaw_of_side_rad(side), side)


def bathroom(placer: Placer) -> None:
    """Bathtub, toilet, wash basins."""
    rng, finishes = placer.rng, placer.finishes
    tub = rng.random()
    if tub < 0.65:
        placer.against_wall(bath.bathtub(finishes, finishes.paint("bathtub"), pick(placer, 3)))
    if tub > 0.5:
        placer.against_wall(draw(placer, "shower", "floor"))
    toilet = bath.toilet(finishes, finishes.paint("toilet"), pick(placer, 3))
    placer.against_wall(toilet, tries=_ESSENTIAL_TRIES)
    for _ in range(1 + int(rng.random() < 0.4)):
        basin = bath.wash_basin(finishes, finishes.paint("sink"), pick(placer, 3))
        standing = placer.against_wall(basin, tries=_ESSENTIAL_TRIES)
        if standing is not None:
            _mirror(placer, standing)
    size = (rng.uniform(0.4, 0.6), rng.uniform(0.7, 1.6), rng.uniform(0.3, 0.38))
    placer.against_wall(storage.cabinet(finishes, finishes.paint("cabinet"), size, (1, int(rng.integers(2, 4)))))
    waste_bin(placer)
    extras(placer, {"washing machine": 0.45, "towel/wall": 0.8, "basket": 0.9, "stool": 0.5, "radiator": 0.4})
    if rng.random() < 0.2:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), 0))
    floor_things(placer, 0, int(rng.random() < 0.5), int(rng.random() < 0.4))
    pictures(placer, int(rng.integers(0, 2)))
    x0, z0, x1, z1 = placer.room.rect
    if rng.random() < 0.6:
        rug(placer, Pose((x0 + x1) / 2, (z0 + z1) / 2, 0.0), 0.9, 0.6)


def _mirror(placer: Placer, basin: Standing) -> None:
    finishes = placer.finishes
    hung = placer.rng.random() < 0.8
    piece = draw(placer, "mirror", "wall") if hung else decor.picture(finishes, finishes.paint("picture"), 0.45, 0.5)
    along = placer.along_wall(basin.pose.side, basin.pose)
    placer.hang_at(piece, basin.pose.side, along, 1.12)
