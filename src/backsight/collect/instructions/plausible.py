"""Which things people expect in which room: what can be asked for in vain without the word alone giving it away."""

from collections.abc import Iterable

from backsight.records.scene import SceneObject

_LISTED = """
living room: armchair, backpack, basket, book, bookshelf, bottle, bowl, box, cabinet, candle, chair, clock,
    cup, curtain, cushion, exercise ball, fireplace, globe, guitar, lamp, mirror, picture, plant, plate,
    radiator, rug, sofa, stool, table, teddy bear, television, tray, vase
hallway: backpack, basket, bench, book, bottle, bowl, box, cabinet, chair, clock, coat rack, cup, lamp,
    mirror, picture, plant, radiator, rug, stool, table, towel, vase, wardrobe
dining room: basket, bench, book, bookshelf, bottle, bowl, box, cabinet, candle, chair, clock, cup, curtain,
    fireplace, lamp, mirror, piano, picture, plant, plate, radiator, rug, stool, table, teddy bear, towel,
    tray, vase
bedroom: armchair, backpack, basket, bed, book, bookshelf, bottle, box, cabinet, candle, chair, clock, cup,
    curtain, cushion, desk, exercise ball, lamp, laptop, mirror, picture, plant, radiator, rug, table, teddy
    bear, television, towel, vase, wardrobe
bathroom: basket, bathtub, bench, bin, book, bottle, box, cabinet, candle, chair, cup, mirror, picture, plant,
    radiator, rug, shower, sink, stool, table, toilet, towel, washing machine
kitchen: basket, bench, bin, bottle, bowl, box, cabinet, chair, clock, crate, cup, curtain, dishwasher,
    fridge, kettle, microwave, picture, plant, plate, pot, rack, radiator, range hood, rug, sink, stool,
    stove, table, toaster, vase
study: armchair, backpack, basket, bin, book, bookshelf, bottle, box, cabinet, candle, chair, clock, cup,
    curtain, desk, fan, globe, guitar, lamp, laptop, picture, plant, radiator, rug, stool, teddy bear, tray,
    vase, whiteboard
open plan office: backpack, basket, bin, book, bookshelf, bottle, box, cabinet, candle, chair, clock, coat
    rack, cup, desk, fan, fire extinguisher, keyboard, lamp, laptop, monitor, picture, plant, printer,
    radiator, sofa, table, tray, vase, whiteboard
meeting room: backpack, basket, bin, book, bookshelf, bottle, box, cabinet, candle, chair, clock, coat rack,
    cup, lamp, laptop, lectern, picture, plant, printer, projector screen, radiator, table, television, vase,
    whiteboard
classroom: backpack, basket, bin, book, bookshelf, bottle, box, cabinet, candle, chair, clock, coat rack, cup,
    desk, globe, keyboard, lamp, laptop, lectern, monitor, picture, plant, radiator, table, tray, vase,
    whiteboard
library: armchair, backpack, basket, bin, book, bookshelf, bottle, box, chair, clock, cup, desk, globe,
    keyboard, ladder, lamp, laptop, monitor, picture, plant, stool, table, trolley
shop: basket, bin, book, bottle, bowl, box, candle, cash register, counter, crate, cup, picture, plant, plate,
    pot, rack, shopping cart, sign, stool, table, teddy bear, vase
warehouse: barrel, bench, bin, bottle, box, cone, crate, fan, fire extinguisher, ladder, pallet, rack, sign,
    table, trolley
gym: backpack, basket, bench, bin, book, bottle, clock, counter, dumbbell, exercise ball, exercise bike, fan,
    locker, mat, monitor, picture, plant, punching bag, rack, rug, stool, towel, treadmill, weight bench
landing: backpack, basket, bench, book, box, cabinet, chair, clock, coat rack, cup, lamp, mirror, picture,
    plant, stool, table, vase, wardrobe
"""
CATEGORIES_OF_ROOM: dict[str, tuple[str, ...]] = {
    room_type: tuple(name.strip() for name in names.replace("\n", " ").split(","))
    for room_type, names in (entry.split(":") for entry in _LISTED.strip().replace("\n    ", " ").splitlines())
}
"""By room type: what at least one in twelve such rooms of made scenes has."""


def plausible_categories(objects: Iterable[SceneObject], room_types: Iterable[str]) -> frozenset[str]:
    """Return the categories that are expected in these rooms, and those that the scene has anywhere.

    Args:
        objects: All objects of the scene, seen or not.
        room_types: Rooms that were seen.
    """
    expected = {name for room_type in room_types for name in CATEGORIES_OF_ROOM.get(room_type, ())}
    return frozenset(expected | {thing.category for thing in objects if not thing.is_structure})
