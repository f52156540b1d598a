"""The table of all makers of furniture and things, with where each stands or hangs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture import (
    appliances,
    bathroom,
    beds,
    carriers,
    comfort,
    decor,
    gym,
    kitchen,
    living,
    office,
    seating,
    shop,
    storage,
    tables,
    tableware,
    warehouse,
)
from backsight.sim.embedded.scenes.piece import Piece

Place = Literal["floor", "top", "wall"]
"""Where a piece belongs: on the floor, on top of or in another piece, on a wall."""


@dataclass(frozen=True)
class Kind:
    """Variants of one category that belong in the same kind of place."""

    category: str
    make: Callable[[Finishes, Paint, int], Piece]
    variants: tuple[int, ...]
    place: Place

    def draw(self, finishes: Finishes, variant: int | None = None) -> Piece:
        """Return a piece in a colour that suits its category.

        Args:
            finishes: materials and random source of the scene.
            variant: one of `variants`; None draws one.
        """
        chosen = self.variants[int(finishes.rng.integers(len(self.variants)))] if variant is None else variant
        return self.make(finishes, finishes.paint(self.category), chosen)


def _table(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    if variant == 0:
        return tables.dining_table(finishes, paint, 4)
    if variant == 1:
        return tables.dining_table(finishes, paint, 6)
    if variant == 4:
        return tables.meeting_table(finishes, paint, int(finishes.rng.integers(3, 6)))
    return tables.coffee_table(finishes, paint) if variant == 2 else tables.side_table(finishes, paint)


def _desk(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    if variant < 3:
        return tables.desk(finishes, paint, variant)
    return tables.school_desk(finishes, paint) if variant == 3 else tables.work_desk(finishes, paint)


def _cabinet(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    if variant == 3:
        return storage.filing_cabinet(finishes, paint, int(finishes.rng.integers(2, 5)))
    if variant == 4:
        columns, rows = int(finishes.rng.integers(2, 4)), int(finishes.rng.integers(2, 5))
        return storage.open_cabinet(finishes, paint, columns, rows)
    makers = (storage.sideboard, storage.nightstand, storage.television_stand)
    return makers[variant](finishes, paint)


def _sofa(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    return seating.sofa(finishes, paint, variant + 2)


def _bed(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    width = finishes.rng.uniform(0.9, 1.05) if finishes.rng.random() < 0.4 else finishes.rng.uniform(1.4, 1.8)
    return beds.bed(finishes, paint, width, variant)


def _floor_lamp(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    return decor.lamp(finishes, paint, finishes.rng.uniform(1.4, 1.65), variant)


def _table_lamp(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    return decor.lamp(finishes, paint, finishes.rng.uniform(0.38, 0.5), variant)


def _floor_plant(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    return decor.plant(finishes, paint, finishes.rng.uniform(0.7, 1.5), variant)


def _table_plant(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    return decor.plant(finishes, paint, finishes.rng.uniform(0.3, 0.42), variant)


def _television(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    return decor.television(finishes, paint, finishes.rng.uniform(0.95, 1.3), variant == 0)


def _kitchen_sink(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    return kitchen.kitchen_sink(finishes, paint, variant, finishes.timber)


def _rug(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    width = finishes.rng.uniform(1.4, 2.2)
    return decor.rug(finishes, paint, width, width if variant else width * 0.66, variant == 1)


def _picture(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    size = finishes.rng.uniform(0.4, 0.75)
    if variant == 3:
        return decor.poster(finishes, paint, size * 1.3)
    if variant == 4:
        return decor.world_map(finishes, size * 2.2)
    return decor.picture(finishes, paint, size * (1.0, 1.35, 0.75)[variant], size)


def _box(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    rng = finishes.rng
    size = (rng.uniform(0.35, 0.55), rng.uniform(0.25, 0.42), rng.uniform(0.3, 0.42))
    return decor.box(finishes, paint, size, variant)


def _small_box(finishes: Finishes, paint: Paint, variant: int) -> Piece:
    rng = finishes.rng
    size = (rng.uniform(0.2, 0.3), rng.uniform(0.1, 0.2), rng.uniform(0.16, 0.24))
    return decor.box(finishes, paint, size, variant)


KINDS: tuple[Kind, ...] = (
    Kind("chair", seating.chair, (0, 1, 2, 3), "floor"),
    Kind("table", _table, (0, 1, 2, 3, 4), "floor"),
    Kind("sofa", _sofa, (0, 1), "floor"),
    Kind("armchair", seating.armchair, (0, 1, 2, 3), "floor"),
    Kind("bed", _bed, (0, 1, 2), "floor"),
    Kind("wardrobe", storage.wardrobe, (0, 1, 2), "floor"),
    Kind("cabinet", _cabinet, (0, 1, 2, 3, 4), "floor"),
    Kind("bookshelf", storage.bookshelf, (0, 1, 2), "floor"),
    Kind("desk", _desk, (0, 1, 2, 3, 4), "floor"),
    Kind("lamp", _floor_lamp, (0, 1, 2), "floor"),
    Kind("lamp", _table_lamp, (0, 1, 2), "top"),
    Kind("plant", _floor_plant, (0, 1, 2), "floor"),
    Kind("plant", _table_plant, (0, 1, 2), "top"),
    Kind("television", _television, (0,), "top"),
    Kind("television", _television, (1,), "wall"),
    Kind("fridge", kitchen.fridge, (0, 1, 2), "floor"),
    Kind("stove", kitchen.stove, (0, 1, 2), "floor"),
    Kind("sink", _kitchen_sink, (0, 1, 2), "floor"),
    Kind("sink", bathroom.wash_basin, (0, 1, 2), "floor"),
    Kind("toilet", bathroom.toilet, (0, 1, 2), "floor"),
    Kind("bathtub", bathroom.bathtub, (0, 1, 2), "floor"),
    Kind("rug", _rug, (0, 1), "floor"),
    Kind("picture", _picture, (0, 1, 2, 3, 4), "wall"),
    Kind("vase", decor.vase, (0, 1, 2, 3), "top"),
    Kind("box", _box, (0, 1, 2), "floor"),
    Kind("box", _small_box, (0, 1, 2), "top"),
    Kind("bin", decor.waste_bin, (0, 1, 2), "floor"),
    Kind("monitor", office.monitor, (0, 1, 2), "top"),
    Kind("laptop", office.laptop, (0, 1, 2), "top"),
    Kind("keyboard", office.keyboard, (0, 1, 2), "top"),
    Kind("printer", office.printer, (0, 1), "top"),
    Kind("printer", office.printer, (2,), "floor"),
    Kind("whiteboard", office.whiteboard, (0, 1), "wall"),
    Kind("whiteboard", office.whiteboard, (2,), "floor"),
    Kind("projector screen", office.projector_screen, (0, 2), "wall"),
    Kind("projector screen", office.projector_screen, (1,), "floor"),
    Kind("lectern", office.lectern, (0, 1, 2), "floor"),
    Kind("globe", office.globe, (0,), "top"),
    Kind("globe", office.globe, (1,), "floor"),
    Kind("clock", office.clock, (0, 1), "wall"),
    Kind("clock", office.clock, (2,), "top"),
    Kind("clock", office.clock, (3,), "floor"),
    Kind("backpack", office.backpack, (0, 1, 2), "floor"),
    Kind("cup", tableware.cup, (0, 1, 2, 3), "top"),
    Kind("bowl", tableware.bowl, (0, 1, 2), "top"),
    Kind("plate", tableware.plate, (0, 1, 2), "top"),
    Kind("bottle", tableware.bottle, (0, 1, 2), "top"),
    Kind("pot", tableware.pot, (0, 1, 2, 3), "top"),
    Kind("kettle", tableware.kettle, (0, 1, 2), "top"),
    Kind("tray", tableware.tray, (0, 1, 2), "top"),
    Kind("candle", tableware.candle, (0, 1, 2), "top"),
    Kind("microwave", appliances.microwave, (0, 1), "top"),
    Kind("toaster", appliances.toaster, (0, 1, 2), "top"),
    Kind("dishwasher", appliances.dishwasher, (0, 1), "floor"),
    Kind("washing machine", appliances.washing_machine, (0, 1, 2), "floor"),
    Kind("range hood", appliances.range_hood, (0, 1, 2), "wall"),
    Kind("radiator", appliances.radiator, (0, 1, 2), "floor"),
    Kind("stool", shop.stool, (0, 1, 2, 3), "floor"),
    Kind("bench", shop.bench, (0, 1, 2, 3), "floor"),
    Kind("counter", shop.counter, (0, 1, 2), "floor"),
    Kind("basket", carriers.basket, (0, 2, 3), "top"),
    Kind("basket", carriers.basket, (0, 1, 2, 3), "floor"),
    Kind("mirror", comfort.mirror, (0, 1), "wall"),
    Kind("mirror", comfort.mirror, (2,), "floor"),
    Kind("towel", comfort.towel, (0,), "wall"),
    Kind("towel", comfort.towel, (1, 2, 3), "top"),
    Kind("shower", comfort.shower, (0, 1, 2), "floor"),
    Kind("cushion", comfort.cushion, (0, 1, 2, 3), "top"),
    Kind("curtain", comfort.curtain, (0, 1, 2), "wall"),
    Kind("coat rack", living.coat_rack, (0, 2, 3), "floor"),
    Kind("coat rack", living.coat_rack, (1,), "wall"),
    Kind("fireplace", living.fireplace, (0, 1, 2), "floor"),
    Kind("teddy bear", comfort.teddy_bear, (0, 1, 2), "top"),
    Kind("piano", living.piano, (0, 1, 2), "floor"),
    Kind("guitar", living.guitar, (0, 1), "floor"),
    Kind("book", comfort.book, (0, 1, 2, 3), "top"),
    Kind("rack", shop.rack, (0, 1, 2, 3), "floor"),
    Kind("trolley", carriers.trolley, (0, 1, 2), "floor"),
    Kind("shopping cart", shop.shopping_cart, (0, 1, 2), "floor"),
    Kind("cash register", shop.cash_register, (0, 1), "top"),
    Kind("sign", shop.sign, (0, 2), "floor"),
    Kind("sign", shop.sign, (1,), "wall"),
    Kind("pallet", warehouse.pallet, (0, 1, 2), "floor"),
    Kind("crate", warehouse.crate, (0, 1, 2), "floor"),
    Kind("barrel", warehouse.barrel, (0, 1, 2), "floor"),
    Kind("ladder", warehouse.ladder, (0, 1, 2), "floor"),
    Kind("cone", warehouse.cone, (0, 1, 2), "floor"),
    Kind("fire extinguisher", warehouse.fire_extinguisher, (0, 1, 2), "floor"),
    Kind("fan", warehouse.fan, (1,), "top"),
    Kind("fan", warehouse.fan, (0, 2), "floor"),
    Kind("treadmill", gym.treadmill, (0, 1, 2), "floor"),
    Kind("exercise bike", gym.exercise_bike, (0, 1), "floor"),
    Kind("dumbbell", gym.dumbbell, (0, 1, 2), "top"),
    Kind("exercise ball", gym.exercise_ball, (0, 1, 2), "floor"),
    Kind("mat", gym.mat, (0, 1, 2), "floor"),
    Kind("weight bench", gym.weight_bench, (0, 1, 2), "floor"),
    Kind("punching bag", gym.punching_bag, (0, 1, 2), "floor"),
    Kind("locker", gym.locker, (0, 1, 2), "floor"),
)
"""In the vocabulary's order, as far as it goes."""


def kinds_of(category: str, place: Place | None = None) -> tuple[Kind, ...]:
    """Return the kinds of a category, all or those of one place.

    Args:
        category: a furniture category of the vocabulary.
        place: 'floor', 'top' or 'wall'.
    """
    return tuple(kind for kind in KINDS if kind.category == category and place in (None, kind.place))
