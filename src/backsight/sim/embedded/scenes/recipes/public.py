"""Libraries, shops, gyms and warehouses."""

import math

from backsight.sim.embedded.scenes.floor_plan import wall_length_m
from backsight.sim.embedded.scenes.furniture import gym as machines
from backsight.sim.embedded.scenes.furniture import seating, shop, storage, tables, warehouse
from backsight.sim.embedded.scenes.piece import Piece
from backsight.sim.embedded.scenes.placer import Placer, Standing, places_round
from backsight.sim.embedded.scenes.recipes.groups import pick, pictures, rug, waste_bin
from backsight.sim.embedded.scenes.recipes.layout import (
    calm_sides,
    depth_m,
    facing_pair,
    fill_wall,
    grid,
    long_side,
    stand_row,
    wall_frame,
)
from backsight.sim.embedded.scenes.recipes.things import beside, draw, some
from backsight.sim.embedded.scenes.recipes.work import work_place
from backsight.sim.embedded.scenes.room_space import Pose


def library(placer: Placer) -> None:
    """Rows of bookshelves back to back, reading tables, a desk for the librarian."""
    rng, finishes, room = placer.rng, placer.finishes, placer.room
    side = long_side(placer)
    deep = depth_m(room, side)
    paint = finishes.paint("bookshelf")
    shelves = [storage.bookshelf(finishes, paint, 0) for _ in range(4)]
    _shelf_rows(placer, shelves, side, (1.1, 0.6 if deep < 9 else 0.9, deep * rng.uniform(0.36, 0.5)))
    for wall in calm_sides(placer)[:2]:
        fill_wall(placer, shelves[pick(placer, 4)], wall, rng.uniform(0.5, 1.0))
    desk = tables.desk(finishes, finishes.paint("desk"), 1)
    librarian = placer.against_wall(desk)
    if librarian is not None:
        work_place(placer, librarian)
    back = (side + 2) % 4
    reading = (rng.uniform(1.4, 1.9), rng.uniform(0.73, 0.76), rng.uniform(0.85, 1.0))
    seat, variant = finishes.paint("chair"), pick(placer, 3)
    for row in grid(room, back, (reading[0] + 0.3, reading[2] + 1.3), (0.8, 0.5), (0.9, 0.7, deep * 0.5)):
        for place in row:
            table = placer.stand(tables.table(finishes, finishes.paint("table"), reading, 0), place)
            if table is None:
                continue
            for pose in places_round(table, 2, 0):
                placer.tuck(seating.chair(finishes, seat, variant), pose, table)
            placer.table_lamp(table, 0.0, 0.0)
    for _ in range(int(rng.integers(1, 4))):
        placer.against_wall(seating.armchair(finishes, finishes.paint("armchair"), pick(placer, 4)))
    for category in ("trolley", "globe", "ladder", "stool"):
        if rng.random() < 0.75:
            placer.against_wall(draw(placer, category, "floor", 2 if category != "globe" else 1))
    for _ in range(1 + some(placer, 1.0)):
        placer.against_wall(draw(placer, "plant", "floor"))
    waste_bin(placer)
    placer.hang(draw(placer, "clock", "wall"), 2.2)
    pictures(placer, int(rng.integers(2, 5)))


def _shelf_rows(
    placer: Placer,
    shelves: list[Piece],
    side: int,
    margin_m: tuple[float, float, float],
    aisle_m: tuple[float, float] = (1.15, 1.5),
) -> None:
    """Stand rows of shelves back to back; the rows run away from the wall of `side`."""
    widest = max(piece.high[0] - piece.low[0] for piece in shelves) + 0.01
    thick = max(piece.high[2] - piece.low[2] for piece in shelves)
    run = depth_m(placer.room, side) - margin_m[1] - margin_m[2]
    count = max(1, int(run / widest))
    cell = (2 * thick + 0.01, count * widest)
    for row in grid(placer.room, side, cell, (placer.rng.uniform(*aisle_m), 0.9), margin_m):
        for middle in row:
            turned = middle.offset(0.0, 0.0, math.pi / 2)
            for number in range(count):
                at = turned.offset((number - (count - 1) / 2) * widest, 0.0)
                for pose in facing_pair(at, thick / 2):
                    piece = shelves[pick(placer, len(shelves))]
                    placer.stand(piece, pose.offset(0.0, thick / 2 - piece.high[2] - 0.001))


def shop_floor(placer: Placer) -> None:
    """Shelves with goods in rows and along walls, a counter with a till, baskets and carts."""
    rng, finishes, room = placer.rng, placer.finishes, placer.room
    _till(placer)
    paint = finishes.paint("rack")
    racks = [shop.rack(finishes, paint, 2) for _ in range(2)]
    side = long_side(placer)
    _shelf_rows(placer, racks, side, (0.9, 1.0, depth_m(room, side) * rng.uniform(0.1, 0.2) + 0.6), (1.05, 1.35))
    for wall in calm_sides(placer)[: int(rng.integers(1, 4))]:
        fill_wall(placer, racks[0], wall, rng.uniform(0.5, 1.0))
    for _ in range(int(rng.integers(1, 3))):
        size = (rng.uniform(1.1, 1.5), rng.uniform(0.7, 0.8), rng.uniform(0.7, 0.9))
        placer.somewhere(tables.table(finishes, finishes.paint("table"), size, 0), 12)
    cart = shop.shopping_cart(finishes, finishes.paint("shopping cart"), pick(placer, 3))
    first = placer.against_wall(cart)
    for _ in range(1 + some(placer, 1.0)):
        again = shop.shopping_cart(finishes, finishes.paint("shopping cart"), pick(placer, 3))
        _ = placer.beside(again, first, 0.1) if first is not None else placer.against_wall(again)
    for category in ("basket", "crate", "crate", "plant", "stool", "sign"):
        if rng.random() < 0.7:
            beside(placer, category, None)
    for _ in range(some(placer, 2.0)):
        placer.somewhere(draw(placer, "box", "floor"), 6)
    waste_bin(placer)
    for _ in range(int(rng.integers(2, 5))):
        placer.hang(draw(placer, "sign", "wall"), rng.uniform(1.6, 1.9))
    pictures(placer, int(rng.integers(1, 4)))


def _till(placer: Placer) -> None:
    """Stand a counter with a till near the door, room behind it for whoever sells."""
    rng, finishes, room = placer.rng, placer.finishes, placer.room
    piece = shop.counter(finishes, finishes.paint("counter"), 0)
    counter = None
    for side in calm_sides(placer):
        half = wall_length_m(room.rect, side) / 2
        reach = max(half - piece.high[0] - 0.4, 0.0)
        for along in (rng.uniform(-reach, reach), reach, -reach):
            counter = placer.stand(piece, wall_frame(room, side).offset(along, 1.25 + piece.high[2]))
            if counter is not None:
                break
        if counter is not None:
            break
    if counter is None:
        counter = placer.against_wall(piece)
    if counter is not None:
        register = shop.cash_register(finishes, finishes.paint("cash register"), pick(placer, 2))
        placer.on_top(register, counter, rng.uniform(-0.3, 0.3), -0.08)
        placer.stand(
            shop.stool(finishes, finishes.paint("stool"), 1), counter.pose.offset(rng.uniform(-0.4, 0.4), -0.75)
        )


def storehouse(placer: Placer) -> None:
    """Rows of high racks with boxes and crates, pallets, trolleys, barrels, a bench to pack at."""
    rng, finishes, room = placer.rng, placer.finishes, placer.room
    large = room.area_m2 > 60.0
    paint = finishes.paint("rack")
    racks = [shop.rack(finishes, paint, 0 if large else 1) for _ in range(2)]
    side = long_side(placer)
    if large:
        deep = depth_m(room, side)
        _shelf_rows(placer, racks, side, (rng.uniform(1.6, 2.4), 1.6, deep * rng.uniform(0.25, 0.4)))
    for wall in calm_sides(placer)[: int(rng.integers(1, 3))]:
        fill_wall(placer, racks[0], wall, rng.uniform(0.4, 0.8))
    for _ in range(int(rng.integers(4, 9)) if large else 1):
        placer.somewhere(warehouse.pallet(finishes, finishes.paint("pallet"), pick(placer, 3)), 8)
    drum = placer.against_wall(draw(placer, "barrel", "floor"))
    for _ in range(int(rng.integers(1, 5)) if large else 1):
        if drum is not None:
            drum = placer.beside(warehouse.barrel(finishes, finishes.paint("barrel"), pick(placer, 3)), drum, 0.04)
    for category in ("trolley", "trolley", "ladder", "crate", "crate", "fire extinguisher", "fan", "cone", "cone"):
        if rng.random() < 0.75:
            placer.against_wall(draw(placer, category, "floor"))
    size = (rng.uniform(1.5, 2.0), rng.uniform(0.85, 0.92), rng.uniform(0.7, 0.8))
    placer.against_wall(tables.table(finishes, finishes.paint("table"), size, 0))
    for _ in range(some(placer, 5.0 if large else 1.0)):
        placer.somewhere(draw(placer, str(rng.choice(["box", "crate", "cone", "barrel"])), "floor"), 5)
    waste_bin(placer)
    for _ in range(int(rng.integers(2, 5))):
        placer.hang(draw(placer, "sign", "wall"), rng.uniform(1.6, 2.2))


def gym(placer: Placer) -> None:
    """Treadmills and bikes in a row, benches and weights, mats to lie on, lockers."""
    rng, finishes, room = placer.rng, placer.finishes, placer.room
    sides = calm_sides(placer)
    walls = sorted(sides[:3], key=lambda side: -wall_length_m(room.rect, side))
    _machines(placer, walls[0])
    lockers = draw(placer, "locker", "floor")
    if not fill_wall(placer, lockers, walls[-1], rng.uniform(0.35, 0.6)):
        placer.against_wall(lockers, tries=40)
    rack = placer.against_wall(shop.rack(finishes, finishes.paint("rack"), 3))
    if rack is not None:
        beside(placer, "rack" if rng.random() < 0.2 else "bench", rack)
    opposite = (walls[0] + 2) % 4
    for row in grid(room, opposite, (1.7, 1.7), (0.5, 0.5), (0.8, 1.4, depth_m(room, opposite) * 0.42))[:2]:
        for place in row:
            _training_place(placer, place)
    for category in ("punching bag", "exercise ball", "exercise ball", "bench", "stool", "fan", "plant"):
        if rng.random() < 0.7:
            placer.against_wall(draw(placer, category, "floor"))
    counter = placer.against_wall(shop.counter(finishes, finishes.paint("counter"), pick(placer, 2)))
    if counter is not None and rng.random() < 0.5:
        placer.on_top(draw(placer, "monitor", "top"), counter, 0.2, -0.1)
    waste_bin(placer)
    placer.hang(draw(placer, "clock", "wall"), 2.1)
    pictures(placer, int(rng.integers(2, 5)))


def _machines(placer: Placer, side: int) -> None:
    """Stand treadmills and bikes in a row that looks away from a wall."""
    rng, finishes = placer.rng, placer.finishes
    treadmill = machines.treadmill(finishes, finishes.paint("treadmill"), pick(placer, 3))
    bike = machines.exercise_bike(finishes, finishes.paint("exercise bike"), pick(placer, 2))
    span = wall_length_m(placer.room.rect, side) * 0.85
    row, used, treadmills = [], 0.0, int(rng.integers(2, 5))
    while used < span and len(row) < treadmills + 4:
        piece = treadmill if len(row) < treadmills else bike
        row.append(piece)
        used += piece.high[0] - piece.low[0] + 0.35
    stand_row(placer, row, side, -span / 2, 0.35)


def _training_place(placer: Placer, place: Pose) -> Standing | None:
    """Fill one place of the free floor with a bench, a mat, a bag or a pair of machines."""
    rng = placer.rng
    kind = rng.random()
    turned = place.offset(rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), float(rng.choice([0.0, math.pi / 2])))
    if kind < 0.4:
        return placer.stand(draw(placer, "weight bench", "floor"), turned)
    if kind < 0.75:
        return placer.stand(draw(placer, "mat", "floor", int(rng.choice([0, 0, 2]))), turned)
    if kind < 0.85:
        return placer.stand(draw(placer, "exercise ball", "floor"), turned)
    if kind < 0.93:
        rug(placer, turned, 1.6, 1.2)
        return None
    return placer.stand(draw(placer, "exercise bike", "floor"), turned)
