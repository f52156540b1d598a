"""Bedrooms."""

from backsight.sim.embedded.scenes.furniture import beds, seating, storage
from backsight.sim.embedded.scenes.placer import Placer
from backsight.sim.embedded.scenes.recipes.groups import (
    curtains,
    desk_group,
    floor_things,
    pick,
    pictures,
    rug,
    sideboard,
    television,
)
from backsight.sim.embedded.scenes.recipes.things import extras


def bedroom(placer: Placer) -> None:
    """One bed or two, wardrobes, a place to sit or to work."""
    rng, finishes = placer.rng, placer.finishes
    roomy = placer.room.area_m2 > 15.0
    twins = roomy and rng.random() < 0.45
    for _ in range(2 if twins else 1):
        narrow = twins or placer.room.area_m2 < 8.0
        _bed_group(placer, rng.uniform(0.9, 1.05) if narrow else rng.uniform(1.4, 1.8))
    for _ in range(1 + int(roomy)):
        placer.against_wall(storage.wardrobe(finishes, finishes.paint("wardrobe"), pick(placer, 3)))
    if rng.random() < 0.6:
        sideboard(placer)
    if rng.random() < 0.35:
        desk_group(placer)
    if rng.random() < 0.5:
        placer.against_wall(seating.armchair(finishes, finishes.paint("armchair"), pick(placer, 4)))
    elif rng.random() < 0.5:
        placer.against_wall(seating.chair(finishes, finishes.paint("chair"), pick(placer, 3)))
    if rng.random() < 0.25:
        television(placer)
    extras(
        placer,
        {"bookshelf": 0.4, "mirror": 0.35, "mirror/wall": 0.4, "basket": 0.9, "radiator": 0.4, "backpack": 0.4}
        | {"guitar": 0.12, "exercise ball": 0.1, "bench": 0.15, "clock/wall": 0.2},
    )
    curtains(placer, 0.6)
    floor_things(placer, int(rng.random() < 0.4), int(rng.integers(0, 2)), int(rng.integers(0, 3)))
    pictures(placer, int(rng.integers(1, 3)))


def _bed_group(placer: Placer, width_m: float) -> None:
    """Put a bed with its head to a wall, nightstands beside it and sometimes a rug."""
    rng, finishes = placer.rng, placer.finishes
    bed = placer.against_wall(beds.bed(finishes, finishes.paint("bed"), width_m, pick(placer, 3)))
    if bed is None:
        bed = placer.against_wall(beds.bed(finishes, finishes.paint("bed"), 0.9, pick(placer, 3)))
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
        rug(placer, bed.pose.offset(0.0, bed.piece.high[2] - 0.4), bed.piece.high[0] * 2 + 0.9, 1.3)
